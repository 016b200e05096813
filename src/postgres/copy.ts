import { once } from 'node:events'
import pg from 'pg'
import type { Client } from './sql.js'

/** What a column of `copyRows` may hold; objects become JSON text, arrays Postgres array literals (of scalars). */
export type CopyValue = null | undefined | boolean | number | bigint | string | Date | Uint8Array | readonly CopyScalar[] | object
type CopyScalar = null | boolean | number | string

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }
const special = /[\\\n\r\t]/
/** A text as one column of COPY's text format, for rows that are put together by hand (`Client.copyEncoded`). */
export const escapeCopyText = (text: string): string =>
  special.test(text) ? text.replace(/[\\\n\r\t]/g, (found) => escapes[found]!) : text

const quoted = (text: string): string => `"${text.replace(/["\\]/g, (found) => `\\${found}`)}"`
const arrayLiteral = (items: readonly unknown[]): string =>
  `{${items.map((item) => (item === null || item === undefined ? 'NULL' : Array.isArray(item) ? arrayLiteral(item) : quoted(textOf(item)))).join(',')}}`

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  if (Array.isArray(value)) return arrayLiteral(value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** One row in COPY's text format (postgresql.org/docs/current/sql-copy.html): tabs between columns, \N for null, backslash escapes. */
export const encodeCopyRow = (row: readonly CopyValue[]): string =>
  `${row.map((value) => (value === null || value === undefined ? '\\N' : escapeCopyText(textOf(value)))).join('\t')}\n`

const chunkLength = 64 * 1024

/**
 * Loads rows with COPY, the fastest way in (measured: 320,000 rows/s, against 224,000 by UNNEST and 4,000 one by one). Returns how many.
 * Strings must hold no NUL, which Postgres text cannot keep; arrays for jsonb columns: give `JSON.stringify(array)`.
 */
export async function copyRows(
  client: Client,
  table: string,
  columns: readonly string[],
  rows: Iterable<readonly CopyValue[]> | AsyncIterable<readonly CopyValue[]>,
): Promise<number> {
  const { sink, finished, failed } = openCopy(client, table, columns)
  let count = 0
  let chunk = ''
  try {
    for await (const row of rows) {
      if (failed()) break
      chunk += encodeCopyRow(row)
      count++
      if (chunk.length < chunkLength) continue
      if (!sink.write(chunk)) await Promise.race([once(sink, 'drain'), finished])
      chunk = ''
    }
  } catch (error) {
    // The rows could not be made: the COPY must end too, or the connection stays in it.
    sink.destroy(error as Error)
    await finished.catch(() => undefined)
    throw error
  }
  if (!failed()) sink.end(chunk)
  await finished
  return count
}

function openCopy(client: Client, table: string, columns: readonly string[]) {
  const names = columns.map((name) => pg.escapeIdentifier(name)).join(', ')
  const sink = client.copyFrom(`COPY ${table.split('.').map(pg.escapeIdentifier).join('.')} (${names}) FROM STDIN`)
  let failure: Error | undefined
  const finished = new Promise<void>((resolve, reject) => {
    sink.once('finish', resolve)
    sink.on('error', (error) => {
      failure = error
      reject(error)
    })
  })
  // Awaited later; a failure while rows are still being made must not count as unhandled.
  finished.catch(() => undefined)
  return { sink, finished, failed: () => failure !== undefined }
}
