import { EspalierError } from '../util/error.js'

/**
 * Kendall's tau-b between two score lists (Kendall 1945): (concordant - discordant) / sqrt((n0 - ties in x)(n0 - ties in y)). In
 * O(n log n) by counting the swaps of a merge sort (Knight 1966). Null when undefined: fewer than two items, or a constant list.
 */
export function kendallTau(x: ArrayLike<number>, y: ArrayLike<number>): number | null {
  if (x.length !== y.length)
    throw new EspalierError('BAD_INPUT', `kendallTau: lists of ${x.length} and ${y.length} values, expected the same length`)
  const n = x.length
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => x[i]! - x[j]! || y[i]! - y[j]!)
  const pairs = (n * (n - 1)) / 2
  const tiedX = tiedPairs(order, (i, j) => x[i] === x[j])
  const tiedBoth = tiedPairs(order, (i, j) => x[i] === x[j] && y[i] === y[j])
  const inYOrder = [...order].sort((i, j) => y[i]! - y[j]!)
  const tiedY = tiedPairs(inYOrder, (i, j) => y[i] === y[j])
  const discordant = countInversions(Float64Array.from(order, (i) => y[i]!))
  const scale = Math.sqrt(pairs - tiedX) * Math.sqrt(pairs - tiedY)
  if (!(scale > 0)) return null
  const difference = pairs - tiedX - tiedY + tiedBoth - 2 * discordant
  return Math.max(-1, Math.min(1, difference / scale))
}

/** Pairs of equal items, where equal ones are neighbours. */
function tiedPairs(order: readonly number[], same: (i: number, j: number) => boolean): number {
  let [pairs, run] = [0, 0]
  for (let k = 1; k < order.length; k++) {
    run = same(order[k - 1]!, order[k]!) ? run + 1 : 0
    pairs += run
  }
  return pairs
}

/** Pairs that stand in the wrong order; sorts `values` in place (bottom-up merge sort). */
function countInversions(values: Float64Array): number {
  let inversions = 0
  let from: Float64Array = values
  let to: Float64Array = new Float64Array(values.length)
  for (let width = 1; width < values.length; width *= 2) {
    for (let start = 0; start < values.length; start += 2 * width) {
      const middle = Math.min(start + width, values.length)
      const end = Math.min(start + 2 * width, values.length)
      let [left, right] = [start, middle]
      for (let k = start; k < end; k++) {
        const takeLeft = left < middle && (right >= end || from[left]! <= from[right]!)
        if (!takeLeft) inversions += middle - left
        to[k] = takeLeft ? from[left++]! : from[right++]!
      }
    }
    ;[from, to] = [to, from]
  }
  return inversions
}
