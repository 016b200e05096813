import { Arg, Ctx, ID, Mutation, Resolver } from 'type-graphql'
import type { DatasetKind as Kind } from '../../datasets/version.js'
import {
  changeDataset,
  createDataset,
  deriveVersion,
  editDataset,
  type Parts,
  removeDataset,
  restoreDataset,
  splitVersion,
  tagVersion,
} from '../../training-data.js'
import { EspalierError } from '../../util/error.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { JsonScalar } from '../scalars.js'
import { DatasetDeletion, DatasetKind } from '../types/dataset-import.js'
import { DatasetEdit, DatasetSplit, DatasetVersionSaved } from '../types/dataset-versions.js'
import { Dataset, DatasetVersion } from '../types/datasets.js'

export const partsOf = ({ platform: { database, blobs }, actor }: ApiContext): Parts => ({ database, blobs, actor })

/** An object of the rooms' own shape, which they check. */
function objectOf(value: unknown, name: string): Properties {
  if (value === null || value === undefined) return {}
  if (typeof value === 'object' && !Array.isArray(value)) return value as Properties
  throw new EspalierError('BAD_INPUT', `${name}: found ${JSON.stringify(value).slice(0, 80)}, expected an object`)
}

@Resolver()
export class DatasetChangeResolver {
  @Mutation(() => Dataset, { description: 'A new dataset without a version; importDataset makes both at once.' })
  createDataset(
    @Ctx() context: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('name', () => String) name: string,
    @Arg('kind', () => DatasetKind) kind: Kind,
    @Arg('description', () => String, { nullable: true }) description?: string | null,
    @Arg('tags', () => [String], { nullable: true }) tags?: string[] | null,
    @Arg('source', () => String, { nullable: true, description: 'Where the rows come from' }) source?: string | null,
    @Arg('provenance', () => JsonScalar, { nullable: true }) provenance?: unknown,
  ): Promise<Dataset> {
    const more = provenance === undefined || provenance === null ? {} : { provenance: objectOf(provenance, 'provenance') }
    return createDataset(partsOf(context), { projectId, name, kind, ...present({ description, tags, source }), ...more }, new Date())
  }

  @Mutation(() => Dataset, { description: 'Says other things of a dataset; what is not given stays.' })
  updateDataset(
    @Ctx() context: ApiContext,
    @Arg('id', () => ID) id: string,
    @Arg('name', () => String, { nullable: true }) name?: string | null,
    @Arg('description', () => String, { nullable: true }) description?: string | null,
    @Arg('tags', () => [String], { nullable: true }) tags?: string[] | null,
    @Arg('source', () => String, { nullable: true }) source?: string | null,
    @Arg('provenance', () => JsonScalar, { nullable: true }) provenance?: unknown,
  ): Promise<Dataset> {
    const more = provenance === undefined || provenance === null ? {} : { provenance: objectOf(provenance, 'provenance') }
    return changeDataset(partsOf(context), id, { ...present({ name, description, tags, source }), ...more }, new Date())
  }

  @Mutation(() => DatasetDeletion, { description: 'Takes a dataset out with its versions. Models that learned from it stay.' })
  async deleteDataset(@Ctx() context: ApiContext, @Arg('id', () => ID) id: string): Promise<DatasetDeletion> {
    const { versions } = await removeDataset(partsOf(context), id)
    return { id, versions }
  }

  @Mutation(() => DatasetEdit, { description: 'Rows added, changed and removed from the latest version, as a new one; all or nothing.' })
  async editDataset(
    @Ctx() context: ApiContext,
    @Arg('versionId', () => ID, { description: 'The version that is edited: CONFLICT where it is no longer the latest' }) versionId: string,
    @Arg('add', () => [JsonScalar], { nullable: true, description: 'Rows that come after the others' }) add?: JsonValue[] | null,
    @Arg('change', () => JsonScalar, { nullable: true, description: 'Row key -> the fields that become others; null takes one off' })
    change?: unknown,
    @Arg('remove', () => [String], { nullable: true, description: 'Row keys' }) remove?: string[] | null,
    @Arg('description', () => String, { nullable: true, description: 'Of the new version' }) description?: string | null,
  ): Promise<DatasetEdit> {
    const edits = { versionId, change: objectOf(change, 'change') as Record<string, Properties>, ...present({ add, remove, description }) }
    return editDataset(partsOf(context), edits, new Date())
  }

  @Mutation(() => DatasetVersionSaved, {
    description:
      'A version made of another by modifications: merge, filter, drop, intent_mapping, sentiment_mapping, label_mapping, confidence_adjustment, sample.',
  })
  async createDatasetVersionFrom(
    @Ctx() context: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Arg('modifications', () => JsonScalar) modifications: unknown,
    @Arg('name', () => String, { nullable: true, description: 'Of the dataset that gets it (default: the same)' }) name?: string | null,
    @Arg('description', () => String, { nullable: true }) description?: string | null,
  ): Promise<DatasetVersionSaved> {
    const derivation = { sourceId: versionId, modifications: objectOf(modifications, 'modifications') as never }
    return deriveVersion(partsOf(context), { ...derivation, ...present({ name, description }) }, new Date())
  }

  @Mutation(() => DatasetVersionSaved, { description: 'Makes the rows of an old version those of a new one, the latest.' })
  async restoreDatasetVersion(
    @Ctx() context: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Arg('description', () => String, { nullable: true }) description?: string | null,
  ): Promise<DatasetVersionSaved> {
    return restoreDataset(partsOf(context), { versionId, ...present({ description }) }, new Date())
  }

  @Mutation(() => DatasetVersion, { description: 'Names a version; a tag that there is moves to it.' })
  async tagDatasetVersion(
    @Ctx() context: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Arg('tag', () => String) tag: string,
  ): Promise<DatasetVersion> {
    return tagVersion(partsOf(context), versionId, tag)
  }

  @Mutation(() => DatasetSplit, {
    description: 'Splits a version and keeps the split; asked again with the same options it is the same one.',
  })
  async splitDataset(
    @Ctx() context: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Arg('name', () => String, { defaultValue: 'default' }) name: string,
    @Arg('options', () => JsonScalar, { nullable: true, description: 'method, ratios, parts, seed, by, byContent, …; each has a default' })
    options?: unknown,
  ): Promise<DatasetSplit> {
    return splitVersion(partsOf(context), { versionId, name, options: objectOf(options, 'options') }, new Date())
  }
}
