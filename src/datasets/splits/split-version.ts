import type { Database, Sql } from '../../postgres/sql.js'
import { didYouMean } from '../../util/closest.js'
import { EspalierError } from '../../util/error.js'
import type { JsonValue } from '../../vocabulary.js'
import type { RowBlobs } from '../chunks.js'
import { type Alongside, readDatasetRows, readDatasetVersion } from '../store.js'
import { planSplit, rowsOfPart } from './plan.js'
import { type DatasetSplit, findSplit, isSplitBy, readMembership, readSplits, saveSplit } from './split-store.js'

export interface SplitRequest {
  versionId: string
  /** default `default` */
  name?: string
  /** see splitOptions */
  options?: unknown
  createdBy?: string
  alongside?: Alongside<SavedSplit> | undefined
}

/** `isNew` false: it was there already. */
export interface SavedSplit {
  split: DatasetSplit
  isNew: boolean
}

/**
 * Splits a stored version and keeps the split: its options, counts, leakage and which row is where. The rows stream by twice at most,
 * once here and once for each part that is read. Asked again with the same options, the split that there is is answered.
 */
export async function splitDatasetVersion(
  database: Database,
  blobs: RowBlobs,
  { versionId, name = 'default', options = {}, createdBy, alongside }: SplitRequest,
  now: Date,
): Promise<SavedSplit> {
  const version = await readDatasetVersion(database, versionId)
  const known = (await readSplits(database, version.id)).find((split) => split.name === name)
  if (known && isSplitBy(known, options)) return { split: known, isNew: false }
  const plan = await planSplit(readDatasetRows(database, blobs, version.id), version.kind, options)
  return database.transaction(async (client) => {
    const saved = await saveSplit(client, version, { name, plan, ...(createdBy !== undefined && { createdBy }) }, now)
    await alongside?.(client, saved)
    return saved
  })
}

/** The number of a part; BAD_INPUT names the parts that there are. */
export function partNumber(split: DatasetSplit, part: string): number {
  const { parts } = split.options
  const number = parts.indexOf(part)
  if (number >= 0) return number
  throw new EspalierError('BAD_INPUT', `split "${split.name}" has no part "${part.slice(0, 40)}", expected ${parts.join(', ')}`, {
    remedy: didYouMean(part, parts) ?? `Name one of ${parts.join(', ')}.`,
  })
}

/** Streams the rows of one part of a version, in their order, verified as all rows of a version are. */
export async function* readSplitRows(sql: Sql, blobs: RowBlobs, split: DatasetSplit, part: string): AsyncGenerator<JsonValue> {
  const number = partNumber(split, part)
  const membership = await readMembership(sql, split)
  yield* rowsOfPart(readDatasetRows(sql, blobs, split.versionId), membership, number)
}

/** A version's items (its rows, parsed by whoever knows them) by the parts of a stored split: part -> items. */
export async function partition<Item>(
  sql: Sql,
  versionId: string,
  name: string,
  items: readonly Item[],
): Promise<{ split: DatasetSplit; parts: Record<string, Item[]> }> {
  const split = await findSplit(sql, versionId, name)
  const membership = await readMembership(sql, split)
  if (membership.length !== items.length)
    throw new EspalierError('CORRUPT', `split "${name}" is of ${membership.length} rows, but the version has ${items.length}`)
  const parts = Object.fromEntries(split.options.parts.map((part): [string, Item[]] => [part, []]))
  items.forEach((item, i) => {
    parts[split.options.parts[membership[i]!]!]!.push(item)
  })
  return { split, parts }
}

/** What a run says of the split that it used: enough to tell whether another used the same. */
export const splitSummary = ({ id, name, membershipHash, counts }: DatasetSplit) => ({ id, name, membershipHash, counts })
