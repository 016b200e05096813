/**
 * The life of a dataset of a million labeled texts (scripts/bench/dataset-million.mjs), each stage in a process of its own: none may take
 * 500 MB or more, and a thousand rows more must store few chunks. ROWS=… runs it smaller.
 */
import assert from 'node:assert/strict'
import { run as life } from '../bench/dataset-million.mjs'

export const title = 'a million labeled texts in under 500 MB'

const others = ['read and parse', 'DuckDB']

export async function run() {
  const { rows, notes } = await life()
  const own = rows.filter(({ stage }) => !others.some((other) => stage.startsWith(other)))
  for (const { stage, 'peak MB': peak } of own) assert.ok(peak < 500, `${stage} took ${peak} MB, expected less than 500`)
  const grown = own.find(({ stage }) => stage.startsWith('import of the same'))
  const fresh = Number(/(\d+) new chunks/.exec(grown.note)?.[1])
  assert.ok(fresh <= 20, `1,000 more rows stored ${fresh} chunks, expected 20 at most`)
  return [...own.map(({ stage, 'peak MB': peak, seconds }) => `${stage}: ${peak} MB, ${seconds} s`), ...notes]
}
