export interface ChangePoint {
  /** index of the first value after the change */
  index: number
  /** mean before (back to the change before it) and after (up to the next) */
  before: number
  after: number
}

export interface ChangePointOptions {
  /** least values between two changes; default 2 */
  minimum?: number
  /** what each change must explain, in units of the noise variance; default 3 ln n (a strengthened BIC) */
  penalty?: number
}

/**
 * Where the mean of a series changes: the division into pieces of constant mean with the least sum of squares plus a penalty for each
 * piece, exactly, by dynamic programming in O(n^2) (optimal partitioning; Jackson et al. 2005). Noise is judged by the
 * median absolute difference of neighbours, so a few changes do not count as noise. Values are in order of time; a constant series has none.
 */
export function changePoints(values: readonly number[], { minimum = 2, penalty }: ChangePointOptions = {}): ChangePoint[] {
  const n = values.length
  if (n < 2 * minimum) return []
  const variance = noiseVariance(values)
  if (variance === 0) return []
  const cost = segmentCost(values)
  const beta = (penalty ?? 3 * Math.log(n)) * variance
  const best = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY)
  best[0] = -beta
  const last = new Int32Array(n + 1)
  for (let end = minimum; end <= n; end++)
    for (let start = 0; start <= end - minimum; start++) {
      const total = best[start]! + cost(start, end) + beta
      if (total >= best[end]!) continue
      best[end] = total
      last[end] = start
    }
  const edges = [n]
  while (edges[0]! > 0) edges.unshift(last[edges[0]!]!)
  const meanOf = (piece: number) =>
    values.slice(edges[piece]!, edges[piece + 1]!).reduce((a, b) => a + b, 0) / (edges[piece + 1]! - edges[piece]!)
  return edges.slice(1, -1).map((index, piece) => ({ index, before: meanOf(piece), after: meanOf(piece + 1) }))
}

/** Sum of squares about the mean of values[start, end), in constant time. */
function segmentCost(values: readonly number[]): (start: number, end: number) => number {
  // sums of deviations from the first value: large values would lose their small differences
  const shift = values[0]!
  const sums = new Float64Array(values.length + 1)
  const squares = new Float64Array(values.length + 1)
  values.forEach((value, i) => {
    sums[i + 1] = sums[i]! + (value - shift)
    squares[i + 1] = squares[i]! + (value - shift) ** 2
  })
  return (start, end) => Math.max(0, squares[end]! - squares[start]! - (sums[end]! - sums[start]!) ** 2 / (end - start))
}

/** From differences of neighbours: their median size (1.4826 and root 2 make it a standard deviation), else, where most are 0, their mean square. */
function noiseVariance(values: readonly number[]): number {
  const differences = values.slice(1).map((value, i) => Math.abs(value - values[i]!))
  const sorted = [...differences].sort((a, b) => a - b)
  const middle = sorted[Math.floor((sorted.length - 1) / 2)]!
  if (middle > 0) return ((1.4826 * middle) / Math.SQRT2) ** 2
  return differences.reduce((sum, d) => sum + d * d, 0) / (2 * differences.length)
}
