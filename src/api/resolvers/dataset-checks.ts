import { Arg, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql'
import { resolveDatasetVersion } from '../../datasets/reference.js'
import { readDatasetVersion } from '../../datasets/store.js'
import type { DatasetVersion as Version } from '../../datasets/version.js'
import { enhanceDataset } from '../../training-data.js'
import { EspalierError } from '../../util/error.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { JsonScalar } from '../scalars.js'
import { judge, largestDirect } from '../training-data/checks.js'
import { DatasetEnhancement, DatasetQuality, DatasetValidation } from '../types/dataset-checks.js'
import { DatasetVersion } from '../types/datasets.js'
import { partsOf } from './dataset-changes.js'

const stepsOption = {
  description: 'Steps that are named are done: clean, spans, confidence, duplicates, balance, enrich; {} takes one with its defaults',
}

/** The version, when it is small enough to wait for. */
async function smallVersion({ platform }: ApiContext, id: string, queue: string): Promise<Version> {
  const version = await readDatasetVersion(platform.database, id)
  if (version.rowCount <= largestDirect) return version
  throw new EspalierError('BAD_INPUT', `${version.rowCount} rows take longer than a request should`, {
    remedy: `Use the mutation ${queue}: it answers a run, whose events tell how it goes.`,
  })
}

const optionsOf = (value: unknown): never => (value ?? {}) as never

async function enhance(
  context: ApiContext,
  versionId: string,
  steps: unknown,
  dryRun: boolean,
  description?: string | null,
): Promise<DatasetEnhancement> {
  const version = await smallVersion(context, versionId, 'queueDatasetEnhancement')
  const request = { options: optionsOf(steps), dryRun, ...present({ description }) }
  const { report, ...rest } = await enhanceDataset(partsOf(context), version, request)
  return { ...report, ...rest }
}

@Resolver()
export class DatasetCheckResolver {
  @Query(() => DatasetVersion, { description: 'The version meant by an id, a name (its latest), name@1.2, name@tag or project/name.' })
  datasetVersionNamed(@Ctx() { platform }: ApiContext, @Arg('name', () => String) name: string): Promise<DatasetVersion> {
    return resolveDatasetVersion(platform.database, name)
  }

  @Mutation(() => DatasetValidation, {
    description:
      'Judges a version by every rule; the version then tells its score and whether it passed. Kept: equal rows and options are judged once.',
  })
  async validateDataset(
    @Ctx() context: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Arg('options', () => JsonScalar, { nullable: true, description: 'requiredLabels, minLength, maxLength, overlaps, scoring, …' })
    options?: unknown,
    @Arg('fresh', () => Boolean, { defaultValue: false, description: 'Judge anew, whatever was found before' }) fresh = false,
  ): Promise<DatasetValidation> {
    const version = await smallVersion(context, versionId, 'queueDatasetValidation')
    const { report, cached } = await judge(partsOf(context), version, { options: optionsOf(options), fresh })
    return { ...report, cached, version: await readDatasetVersion(context.platform.database, versionId) }
  }

  @Query(() => DatasetQuality, { description: 'Completeness, consistency, accuracy, diversity, balance and complexity of a version.' })
  async datasetQuality(@Ctx() context: ApiContext, @Arg('versionId', () => ID) versionId: string): Promise<DatasetQuality> {
    const version = await smallVersion(context, versionId, 'queueDatasetValidation')
    return (await judge(partsOf(context), version)).report.quality
  }

  @Query(() => DatasetEnhancement, { description: 'What an enhancement would do; nothing is saved.' })
  previewDatasetEnhancement(
    @Ctx() context: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Arg('steps', () => JsonScalar, stepsOption) steps: unknown,
  ): Promise<DatasetEnhancement> {
    return enhance(context, versionId, steps, true)
  }

  @Mutation(() => DatasetEnhancement, { description: 'A version made better by the steps that are named, as a new version.' })
  enhanceDataset(
    @Ctx() context: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Arg('steps', () => JsonScalar, stepsOption) steps: unknown,
    @Arg('description', () => String, { nullable: true, description: 'Of the new version' }) description?: string | null,
  ): Promise<DatasetEnhancement> {
    return enhance(context, versionId, steps, false, description)
  }
}
