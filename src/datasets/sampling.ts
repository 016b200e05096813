import { EspalierError } from '../util/error.js'
import { Reservoir } from './operations/reservoir.js'

type Rows<Row> = Iterable<Row> | AsyncIterable<Row>

function assertCount(what: string, count: number): void {
  if (!Number.isInteger(count) || count < 1) throw new EspalierError('BAD_INPUT', `${what} was ${count}, expected a whole number from 1`)
}

/** Rows in arrays of `size`, the last one shorter if need be; holds one array at a time. */
export async function* batches<Row>(rows: Rows<Row>, size: number): AsyncGenerator<Row[]> {
  assertCount('batch size', size)
  let batch: Row[] = []
  for await (const row of rows) {
    batch.push(row)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/**
 * `count` rows drawn without replacement, each set of them as likely as any other, in one pass that holds no more than that. In the
 * order of the data; all rows where there are no more. The same seed draws the same rows.
 */
export async function sampleRows<Row>(rows: Rows<Row>, count: number, seed: number): Promise<Row[]> {
  assertCount('sample size', count)
  const reservoir = new Reservoir<Row>(count, seed)
  for await (const row of rows) reservoir.offer(() => row)
  return reservoir.items()
}
