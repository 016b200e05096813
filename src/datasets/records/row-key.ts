import type { JsonValue } from '../../vocabulary.js'
import { canonicalRow, contentHash } from '../version.js'
import type { DatasetKind } from './index.js'
import { isObject } from './record-kind.js'

/** Where a row's own name stands, in this order. */
const idFields = ['id', 'query_id'] as const

/** The row's own id; null where it has none. */
export function rowId(row: JsonValue): string | null {
  if (!isObject(row)) return null
  for (const field of idFields) {
    const id = row[field]
    if (typeof id === 'string' && id !== '') return id
  }
  return null
}

/** Hash of what counts of the row, lower-case hex: equal rows have the equal one. */
export const rowDigest = (kind: DatasetKind, row: JsonValue): Buffer => contentHash(row, canonicalRow(row, 0), kind)

/** How a row is named in edits and diffs: by its id where it has one, else by the hash of its content. */
export const rowKey = (kind: DatasetKind, row: JsonValue): string => rowId(row) ?? rowDigest(kind, row).toString('hex')
