import { EspalierError } from '../util/error.js'
import type { Rng } from '../util/random.js'
import { normalQuantile } from './normal.js'
import { sortedQuantile } from './summary.js'

/** A number with the interval it probably lies in, and how many observations it rests on. */
export interface Estimate {
  value: number
  low: number
  high: number
  n: number
}

export interface BootstrapOptions {
  /** default 2,000 */
  resamples?: number
  /** default 0.95 */
  confidence?: number
}

/**
 * Percentile bootstrap of a mean (Efron & Tibshirani 1993, ch. 13): resamples the values with replacement. Null of nothing; one
 * value gives an interval of no width, which says only that n is 1.
 */
export const bootstrapMean = (values: readonly number[], rng: Rng, options?: BootstrapOptions): Estimate | null =>
  bootstrapMeans(
    values.map((value) => [[value]]),
    rng,
    options,
  )?.[0] ?? null

/**
 * The same for several columns at once and for rows that come in clusters which resemble each other (queries of one database): whole
 * clusters are resampled, the statistic stays the mean over all rows (Cameron, Gelbach & Miller 2008, "pairs cluster bootstrap"). Every
 * column sees the same draws. `clusters` is [cluster][row][column]; the answer is one estimate a column, null where there is no row.
 */
export function bootstrapMeans(
  clusters: readonly (readonly (readonly number[])[])[],
  rng: Rng,
  options: BootstrapOptions = {},
): Estimate[] | null {
  const { resamples = 2000, confidence = 0.95 } = options
  assertConfidence(confidence)
  if (!Number.isInteger(resamples) || resamples < 1)
    throw new EspalierError('BAD_INPUT', `bootstrap: resamples was ${resamples}, expected a positive integer`)
  const filled = clusters.filter((rows) => rows.length > 0)
  const n = filled.reduce((count, rows) => count + rows.length, 0)
  if (n === 0) return null
  const columns = filled[0]![0]!.map((_, c) => c)
  const sums = columns.map((c) => Float64Array.from(filled, (rows) => rows.reduce((sum, row) => sum + row[c]!, 0)))
  const sizes = Float64Array.from(filled, (rows) => rows.length)
  const means = resampledMeans(sums, sizes, resamples, rng)
  const tail = (1 - confidence) / 2
  return columns.map((c) => {
    const sorted = means[c]!.sort()
    const value = sums[c]!.reduce((a, b) => a + b, 0) / n
    return { value, low: sortedQuantile(sorted, tail)!, high: sortedQuantile(sorted, 1 - tail)!, n }
  })
}

function resampledMeans(sums: readonly Float64Array[], sizes: Float64Array, resamples: number, rng: Rng): Float64Array[] {
  const means = sums.map(() => new Float64Array(resamples))
  const totals = new Float64Array(sums.length)
  for (let r = 0; r < resamples; r++) {
    totals.fill(0)
    let count = 0
    for (let i = 0; i < sizes.length; i++) {
      const drawn = rng.integer(sizes.length)
      count += sizes[drawn]!
      for (let c = 0; c < sums.length; c++) totals[c]! += sums[c]![drawn]!
    }
    for (let c = 0; c < sums.length; c++) means[c]![r] = totals[c]! / count
  }
  return means
}

/** Score interval of a proportion (Wilson 1927); null when nothing was tried. */
export function wilsonInterval(successes: number, n: number, confidence = 0.95): Estimate | null {
  assertConfidence(confidence)
  if (successes < 0 || successes > n)
    throw new EspalierError('BAD_INPUT', `wilsonInterval: ${successes} successes of ${n}, expected 0 to ${n}`)
  if (n === 0) return null
  const z = normalQuantile(1 - (1 - confidence) / 2)
  const p = successes / n
  const centre = p + (z * z) / (2 * n)
  const half = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))
  const scale = 1 + (z * z) / n
  return { value: p, low: Math.max(0, (centre - half) / scale), high: Math.min(1, (centre + half) / scale), n }
}

function assertConfidence(confidence: number): void {
  if (!(confidence > 0 && confidence < 1))
    throw new EspalierError('BAD_INPUT', `confidence was ${confidence}, expected a number between 0 and 1, such as 0.95`)
}
