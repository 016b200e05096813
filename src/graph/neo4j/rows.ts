import neo4j, { type ManagedTransaction } from 'neo4j-driver'
import { EspalierError } from '../../util/error.js'
import { tooLongText } from '../cypher/long-lists.js'
import type { CypherAnswer } from '../engine.js'
import { rowTooLarge, sizeOf } from '../sizes.js'
import { collectEnds, decodeNeo4j } from './values.js'

/** Takes rows as they stream in and stops at the limit, of rows or of bytes. */
export async function readRows(
  transaction: ManagedTransaction,
  text: string,
  parameters: Record<string, unknown>,
  limit: number,
  bytes: number,
): Promise<Omit<CypherAnswer, 'elapsedMs'>> {
  const result = transaction.run(text, parameters)
  const columns = await result.keys()
  const rows: unknown[][] = []
  let isPartial = false
  let size = 0
  for await (const record of result) {
    const row = columns.map((column) => record.get(column))
    size += sizeOf(row)
    if (size > bytes && rows.length === 0)
      throw new EspalierError('CYPHER_FAILED', rowTooLarge(bytes), {
        remedy: 'Return fewer or smaller values: aggregate, or page with SKIP and LIMIT',
      })
    isPartial = rows.length === limit || size > bytes
    if (isPartial) break
    rows.push(row)
  }
  const ids = await readIds(transaction, rows)
  const idOf = (elementId: string) => ids.get(elementId) ?? ''
  return { columns: columns as string[], rows: rows.map((row) => row.map((value) => decodeNeo4j(value, idOf))), isPartial }
}

/** Catalog ids of the ends of relationships that did not come along as nodes. */
async function readIds(transaction: ManagedTransaction, rows: readonly unknown[]): Promise<Map<string, string>> {
  const ends = new Set<string>()
  const known = new Map<string, string>()
  collectEnds(rows, ends, known)
  const missing = [...ends].filter((elementId) => !known.has(elementId))
  if (missing.length === 0) return known
  const { records } = await transaction.run('MATCH (n) WHERE elementId(n) IN $missing RETURN elementId(n) AS e, n.id AS id', { missing })
  for (const record of records) known.set(record.get('e'), String(record.get('id') ?? ''))
  return known
}

/** Neo4j's status codes as ours. */
export function translateNeo4jError(thrown: unknown, timeoutMs: number): unknown {
  if (!(thrown instanceof neo4j.Neo4jError)) return thrown
  const { code } = thrown
  if (/TransactionTimedOut|TransactionTerminated/.test(code) || /timed out|exceeded the configured timeout/i.test(thrown.message))
    return new EspalierError('TIMEOUT', `the query took longer than ${timeoutMs} ms and was ended`, {
      remedy: 'Narrow the pattern (labels, ids, fewer hops) or raise timeoutMs',
    })
  if (/AccessMode|Security/.test(code))
    return new EspalierError('CYPHER_REFUSED', 'Neo4j refused the query', { remedy: 'Queries may only read', cause: thrown })
  if (/MemoryPoolOutOfMemory|OutOfMemory/.test(code))
    return new EspalierError('CYPHER_FAILED', 'the query took too much memory and was ended', {
      remedy: 'Narrow the pattern, or aggregate earlier',
    })
  if (code === neo4j.error.SERVICE_UNAVAILABLE || code === neo4j.error.SESSION_EXPIRED || code.startsWith('Neo.TransientError'))
    return new EspalierError('UNAVAILABLE', `Neo4j cannot be used now (${code})`, { cause: thrown })
  const [, tooLong] = /^Text cannot be parsed to a Date\s+"(.*)"/s.exec(thrown.message) ?? []
  if (tooLong?.includes(tooLongText))
    return new EspalierError('CYPHER_FAILED', `a list or text in an expression is too long: ${tooLong}`, {
      remedy: 'Make rows of it: UNWIND … AS x WITH x WHERE …',
    })
  return new EspalierError('CYPHER_FAILED', thrown.message.split('\n')[0] ?? code, { cause: thrown })
}
