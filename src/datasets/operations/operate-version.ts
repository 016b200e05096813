import type { Database, Sql } from '../../postgres/sql.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import type { RowBlobs } from '../chunks.js'
import { type DatasetSplit, findSplit, readMembership } from '../splits/split-store.js'
import { partNumber, readSplitRows } from '../splits/split-version.js'
import { assertKind, readDatasetRows, readDatasetVersion, saveDatasetVersion } from '../store.js'
import type { DatasetVersion } from '../version.js'
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

/** Fits steps on the training part of a stored version, and keeps them: a trainer and a server then do the same to a row. */
export async function fitDatasetOperations(
  sql: Sql,
  blobs: RowBlobs,
  { versionId, name = 'default', steps, split: splitName, part = 'train', createdBy }: FitRequest,
  now: Date,
): Promise<{ operations: DatasetOperations; isNew: boolean }> {
  await assertKind(sql, versionId, ['tabular'])
  const split = splitName === undefined ? null : await findSplit(sql, versionId, splitName)
  if (split) partNumber(split, part)
  const rows = () => (split ? readSplitRows(sql, blobs, split, part) : readDatasetRows(sql, blobs, versionId)) as AsyncIterable<TableRow>
  const fitted = await fitOperations(rows, steps)
  return saveOperations(sql, { versionId, name, fitted, split: split ? { id: split.id, part } : undefined, createdBy }, now)
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
): Promise<{ version: DatasetVersion; isNew: boolean; operations: DatasetOperations }> {
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
    },
    now,
  )
  return { ...saved, operations }
}
