import { Arg, Ctx, ID, Mutation, Resolver } from 'type-graphql'
import { readUpload } from '../../datasets/exchange/upload-store.js'
import { assertCarries, formatOf } from '../../datasets/formats/index.js'
import { readDatasetVersion } from '../../datasets/store.js'
import type { DatasetKind as Kind } from '../../datasets/version.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { JsonScalar } from '../scalars.js'
import { queueDatasetWork } from '../training-data/checks.js'
import { ownerOf } from '../training-data/uploads.js'
import { DatasetImportOptions, DatasetKind, SpanUnitName } from '../types/dataset-import.js'
import { Run } from '../types/runs.js'
import { importOptionsOf } from './dataset-import.js'

/** What every job on a version says. */
const jobOf = async ({ platform, actor }: ApiContext, versionId: string) => {
  const { projectId, kind } = await readDatasetVersion(platform.database, versionId)
  return { kind, job: { projectId, createdBy: actor, versionId } }
}

@Resolver()
export class DatasetRunResolver {
  @Mutation(() => Run, { description: 'Queues the import of a file of any size that was sent to /uploads; its result names the version.' })
  async queueDatasetImport(
    @Ctx() { platform: { database }, actor, principal }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('name', () => String, { description: 'Of the dataset; made when it is new' }) name: string,
    @Arg('kind', () => DatasetKind) kind: Kind,
    @Arg('uploadId', () => ID) uploadId: string,
    @Arg('description', () => String, { nullable: true, description: 'Of the dataset' }) description?: string | null,
    @Arg('options', () => DatasetImportOptions, { nullable: true }) options?: DatasetImportOptions | null,
  ): Promise<Run> {
    const { blob, file } = await readUpload(database, uploadId, ownerOf(principal), new Date())
    const { description: versionDescription, ...rest } = importOptionsOf(options)
    const asked = { projectId, createdBy: actor, name, kind, blob, file, ...rest, ...present({ description, versionDescription }) }
    return queueDatasetWork(database, { operation: 'import', ...asked })
  }

  @Mutation(() => Run, { description: 'Queues a file of a version in a format; it is kept with the run, and downloaded with ranges.' })
  async queueDatasetExport(
    @Ctx() context: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Arg('format', () => String, { defaultValue: 'jsonl', description: 'A name of datasetFormats' }) format: string,
    @Arg('includeMetadata', () => Boolean, { defaultValue: true }) includeMetadata: boolean,
    @Arg('spans', () => SpanUnitName, { defaultValue: 'utf16' }) spans: 'utf16' | 'code-points',
  ): Promise<Run> {
    const { job, kind } = await jobOf(context, versionId)
    assertCarries(formatOf(format), kind)
    return queueDatasetWork(context.platform.database, { operation: 'export', ...job, format, includeMetadata, spans })
  }

  @Mutation(() => Run, { description: 'Queues the validation of a version of any size; its report is kept with the run.' })
  async queueDatasetValidation(
    @Ctx() context: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Arg('options', () => JsonScalar, { nullable: true }) options?: unknown,
    @Arg('fresh', () => Boolean, { defaultValue: false }) fresh = false,
  ): Promise<Run> {
    const { job } = await jobOf(context, versionId)
    return queueDatasetWork(context.platform.database, { operation: 'validate', ...job, fresh, options: (options ?? {}) as never })
  }

  @Mutation(() => Run, { description: 'Queues the enhancement of a version of any size; what it did is kept with the run.' })
  async queueDatasetEnhancement(
    @Ctx() context: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Arg('steps', () => JsonScalar) steps: unknown,
    @Arg('dryRun', () => Boolean, { defaultValue: false }) dryRun = false,
    @Arg('description', () => String, { nullable: true }) description?: string | null,
  ): Promise<Run> {
    const { job } = await jobOf(context, versionId)
    return queueDatasetWork(context.platform.database, {
      operation: 'enhance',
      ...job,
      dryRun,
      steps: (steps ?? {}) as never,
      ...present({ description }),
    })
  }
}
