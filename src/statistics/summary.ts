/** Arithmetic mean; null of nothing. */
export function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null
  let total = 0
  for (const value of values) total += value
  return total / values.length
}

/**
 * Quantile by linear interpolation between order statistics (type 7 of Hyndman & Fan 1996, numpy's default); `p` in 0..1, null of
 * nothing.
 */
export function quantile(values: readonly number[], p: number): number | null {
  return sortedQuantile(
    [...values].sort((a, b) => a - b),
    p,
  )
}

/** The same for values that are already in ascending order. */
export function sortedQuantile(sorted: ArrayLike<number>, p: number): number | null {
  if (sorted.length === 0) return null
  const position = Math.min(Math.max(p, 0), 1) * (sorted.length - 1)
  const below = Math.floor(position)
  const low = sorted[below]!
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!
  return low + (position - below) * (high - low)
}

/** The middle value (mean of the two middle ones); null of nothing. */
export const median = (values: readonly number[]): number | null => quantile(values, 0.5)

/** Sample standard deviation (n - 1), in two passes; null below two values. */
export function stdev(values: readonly number[]): number | null {
  const centre = mean(values)
  if (centre === null || values.length < 2) return null
  let squares = 0
  for (const value of values) squares += (value - centre) ** 2
  return Math.sqrt(squares / (values.length - 1))
}

export interface Summary {
  n: number
  mean: number | null
  median: number | null
  stdev: number | null
  min: number | null
  max: number | null
}

/** Count, mean, median, sample standard deviation, minimum and maximum. */
export function summarize(values: readonly number[]): Summary {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) [min, max] = [Math.min(min, value), Math.max(max, value)]
  const some = values.length > 0
  return {
    n: values.length,
    mean: mean(values),
    median: median(values),
    stdev: stdev(values),
    min: some ? min : null,
    max: some ? max : null,
  }
}
