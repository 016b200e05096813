import { Arg, Ctx, ID, Int, Mutation, Query, Resolver } from 'type-graphql'
import { buildOperations } from '../../datasets/operations/fitted.js'
import type { TableRow } from '../../datasets/operations/operation.js'
import { findOperations, readOperations } from '../../datasets/operations/operations-store.js'
import { drawRows } from '../../datasets/statistics/sampling.js'
import { readDatasetRows } from '../../datasets/store.js'
import { fitOperations, operateVersion } from '../../training-data.js'
import { EspalierError } from '../../util/error.js'
import type { JsonValue } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { JsonScalar } from '../scalars.js'
import { DatasetOperated, DatasetOperations } from '../types/dataset-operations.js'
import { partsOf } from './dataset-changes.js'

/** Rows of one request. */
const maxRows = 10_000

const isRow = (value: unknown): value is TableRow => typeof value === 'object' && value !== null && !Array.isArray(value)

function rowsOf(given: readonly unknown[]): TableRow[] {
  const strange = given.findIndex((row) => !isRow(row))
  if (strange < 0 && given.length <= maxRows) return given as TableRow[]
  const found = strange < 0 ? `${given.length} rows` : `${JSON.stringify(given[strange])?.slice(0, 60)} as row ${strange + 1}`
  throw new EspalierError('BAD_INPUT', `rows: found ${found}, expected at most ${maxRows} objects`)
}

const stepsText =
  'A list of {op, …}: filter, impute, min-max, z-score, robust, quantile, one-hot, label, ordinal, target-encode, date-parts, …'

@Resolver()
export class DatasetOperationResolver {
  @Query(() => [DatasetOperations], { description: 'The steps that were fitted on a version, by name.' })
  datasetOperations(@Ctx() { platform }: ApiContext, @Arg('versionId', () => ID) versionId: string): Promise<DatasetOperations[]> {
    return readOperations(platform.database, versionId)
  }

  @Query(() => [JsonScalar], {
    description: 'Rows drawn at random, each as likely as any other, in their order; the same seed draws the same.',
  })
  datasetSample(
    @Ctx() { platform: { database, blobs } }: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Arg('count', () => Int, { defaultValue: 10, description: '1 to 1000' }) count: number,
    @Arg('seed', () => Int, { defaultValue: 0 }) seed: number,
  ): Promise<JsonValue[]> {
    if (count > 1000)
      throw new EspalierError('BAD_INPUT', `count: found ${count}, expected 1 to 1000`, { remedy: 'Export the version to have all rows.' })
    return drawRows(readDatasetRows(database, blobs, versionId), count, seed)
  }

  @Query(() => [JsonScalar], {
    nullable: 'items',
    description: 'Rows as fitted steps make them, as at serving: null for one that a filter drops.',
  })
  async operatedRows(
    @Ctx() { platform }: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Arg('rows', () => [JsonScalar]) rows: unknown[],
    @Arg('name', () => String, { defaultValue: 'default' }) name: string,
  ): Promise<JsonValue[]> {
    const { fitted } = await findOperations(platform.database, versionId, name)
    const run = buildOperations(fitted)
    return rowsOf(rows).map((row) => run(row))
  }

  @Mutation(() => DatasetOperations, {
    description: 'Fits steps on the training part of a version of a table, and keeps them; asked again with the same it is the same.',
  })
  async fitDatasetOperations(
    @Ctx() context: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Arg('steps', () => [JsonScalar], { description: stepsText }) steps: unknown[],
    @Arg('name', () => String, { defaultValue: 'default' }) name: string,
    @Arg('split', () => String, { nullable: true, description: 'A stored split; without it all rows are training rows' })
    split?: string | null,
    @Arg('part', () => String, { nullable: true, description: 'The part that is fitted on (default train)' }) part?: string | null,
  ): Promise<DatasetOperations> {
    return fitOperations(partsOf(context), { versionId, steps, name, ...present({ split, part }) }, new Date())
  }

  @Mutation(() => DatasetOperated, { description: 'Fits steps likewise, and saves the rows that they give as a version of a dataset.' })
  async operateDataset(
    @Ctx() context: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Arg('steps', () => [JsonScalar], { description: stepsText }) steps: unknown[],
    @Arg('datasetName', () => String, { description: 'The dataset of the same project that gets the version; made when it is new' })
    datasetName: string,
    @Arg('name', () => String, { defaultValue: 'default', description: 'Of the fitted steps' }) name: string,
    @Arg('split', () => String, { nullable: true }) split?: string | null,
    @Arg('part', () => String, { nullable: true }) part?: string | null,
    @Arg('description', () => String, { nullable: true }) description?: string | null,
  ): Promise<DatasetOperated> {
    return operateVersion(partsOf(context), { versionId, steps, name, datasetName, ...present({ split, part, description }) }, new Date())
  }
}
