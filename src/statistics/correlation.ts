import { EspalierError } from '../util/error.js'
import { mean } from './summary.js'

/** A correlation, or why there is none. */
export type Correlation = { value: number; n: number; reason: null } | { value: null; n: number; reason: string }

const undefinedFor = (n: number, reason: string): Correlation => ({ value: null, n, reason })

/** Pearson's product-moment correlation (1895). Undefined, with the reason, below three pairs and for a series that never varies. */
export function pearson(x: readonly number[], y: readonly number[]): Correlation {
  if (x.length !== y.length)
    throw new EspalierError('BAD_INPUT', `correlation: ${x.length} x values and ${y.length} y values, expected the same number`)
  const n = x.length
  if (n < 3) return undefinedFor(n, `${n} pair${n === 1 ? '' : 's'} of values: at least 3 are needed`)
  if ([...x, ...y].some((value) => !Number.isFinite(value))) return undefinedFor(n, 'a value is not finite')
  const [mx, my] = [mean(x)!, mean(y)!]
  let [xx, yy, xy] = [0, 0, 0]
  for (let i = 0; i < n; i++) {
    const [a, b] = [x[i]! - mx, y[i]! - my]
    xx += a * a
    yy += b * b
    xy += a * b
  }
  // a constant series leaves rounding errors of this size
  const constant = (squares: number, centre: number) => squares <= n * (Number.EPSILON * Math.abs(centre) * 4) ** 2
  if (constant(xx, mx)) return undefinedFor(n, 'the first series never varies')
  if (constant(yy, my)) return undefinedFor(n, 'the second series never varies')
  return { value: Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy))), n, reason: null }
}

/** Spearman's rank correlation (1904): Pearson's of the ranks, tied values sharing their mean rank. */
export const spearman = (x: readonly number[], y: readonly number[]): Correlation => pearson(ranks(x), ranks(y))

/** Ranks from 1; equal values share the mean of theirs. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!)
  const out = new Array<number>(values.length)
  for (let start = 0; start < order.length; ) {
    let end = start
    while (end + 1 < order.length && values[order[end + 1]!] === values[order[start]!]) end++
    for (let k = start; k <= end; k++) out[order[k]!] = (start + end) / 2 + 1
    start = end + 1
  }
  return out
}
