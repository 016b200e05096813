import type { Database, Sql } from '../../postgres/sql.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import type { RowBlobs } from '../chunks.js'
import { type DatasetSplit, findSplit, readMembership } from '../splits/split-store.js'
import { partNumber, readSplitRows } from '../splits/split-version.js'
import { type Alongside, assertKind, readDatasetRows, readDatasetVersion, type SavedVersion, saveDatasetVersion } from '../store.js'
import { fitOperations } from './fit.js'
import { buildOperations } from './fitted.js'
import type { TableRow } from './operation.js'
import { type DatasetOperations, saveOperations } from './operations-store.js'

export interface FitRequest {
  /** of the kind tabular */
  versionId: string
  /** default `default` */
  name?: string
  /** see operationStep */
  steps: unknown
  /** the stored split whose part `train` the steps are fitted on; without it, all rows are training rows */
  split?: string
  /** default `train` */
  part?: string
  createdBy?: string
}

/** `isNew` false: they were there already. */
export interface SavedOperations {
  operations: DatasetOperations
  isNew: boolean
}

/** Fits steps on the training part of a stored version, and keeps them: a trainer and a server then do the same to a row. */
export async function fitDatasetOperations(
  database: Database,
  blobs: RowBlobs,
  { versionId, name = 'default', steps, split: splitName, part = 'train', createdBy }: FitRequest,
  now: Date,
  alongside?: Alongside<SavedOperations>,
): Promise<SavedOperations> {
  await assertKind(database, versionId, ['tabular'])
  const split = splitName === undefined ? null : await findSplit(database, versionId, splitName)
  if (split) partNumber(split, part)
  const rows = () =>
    (split ? readSplitRows(database, blobs, split, part) : readDatasetRows(database, blobs, versionId)) as AsyncIterable<TableRow>
  const fitted = await fitOperations(rows, steps)
  return database.transaction(async (client) => {
    const given = { versionId, name, fitted, split: split ? { id: split.id, part } : undefined, createdBy }
    const saved = await saveOperations(client, given, now)
    await alongside?.(client, saved)
    return saved
  })
}

/**
 * The rows of a version with fitted steps done to them, in order, beside the part that each is in (null without a split). Rows that the
 * steps were fitted on are encoded as training rows are, all others as at serving.
 */
export async function* readOperatedRows(
  sql: Sql,
  blobs: RowBlobs,
  { versionId, splitId, part, fitted }: DatasetOperations,
  split: DatasetSplit | null,
): AsyncGenerator<{ row: TableRow; part: string | null }> {
  const membership = split && (await readMembership(sql, split))
  const training = split ? partNumber(split, part ?? 'train') : null
  const run = buildOperations(fitted)
  let [row, trained] = [0, 0]
  for await (const given of readDatasetRows(sql, blobs, versionId)) {
    const own = membership ? membership[row++]! : null
    const isTraining = splitId === null || own === training
    const done = run(given as TableRow, isTraining ? trained++ : null)
    if (done) yield { row: done, part: own === null ? null : split!.options.parts[own]! }
  }
}

export interface OperateRequest extends FitRequest {
  /** the dataset that gets the new version, in the same project */
  datasetName: string
  description?: string
}

/** Fits steps, and saves the rows that they give as a version of another dataset, which tells in its provenance how they came to be. */
export async function operateDatasetVersion(
  database: Database,
  blobs: RowBlobs,
  request: OperateRequest,
  now: Date,
  alongside?: Alongside<SavedVersion>,
): Promise<SavedVersion & { operations: DatasetOperations }> {
  const source = await readDatasetVersion(database, request.versionId)
  const { operations } = await fitDatasetOperations(database, blobs, request, now)
  const split = request.split === undefined ? null : await findSplit(database, source.id, request.split)
  async function* rows(): AsyncGenerator<JsonValue> {
    for await (const { row } of readOperatedRows(database, blobs, operations, split)) yield row
  }
  const provenance: Properties = {
    made_from: source.id,
    operations: { id: operations.id, name: operations.name, hash: operations.hash },
    ...(split && { split: { id: split.id, name: split.name, part: operations.part } }),
  }
  const saved = await saveDatasetVersion(
    database,
    blobs,
    {
      dataset: { projectId: source.projectId, name: request.datasetName, kind: 'tabular' },
      rows: rows(),
      provenance,
      ...(request.description !== undefined && { description: request.description }),
      ...(request.createdBy !== undefined && { createdBy: request.createdBy }),
      alongside,
    },
    now,
  )
  return { ...saved, operations }
}
