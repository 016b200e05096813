/** Squares of the largest numbers are past the largest number: then there is no answer. */
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)

/** Count, mean, spread and extremes of numbers that stream by (Welford 1962); in constant memory. */
export class Moments {
  count = 0
  mean = 0
  private squares = 0
  min = Number.POSITIVE_INFINITY
  max = Number.NEGATIVE_INFINITY

  add(value: number): void {
    this.count++
    const from = value - this.mean
    this.mean += from / this.count
    this.squares += from * (value - this.mean)
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
  }

  /** of the whole population (divided by n); 0 of nothing */
  get variance(): number {
    return this.count === 0 ? 0 : this.squares / this.count
  }

  /** of a sample (divided by n - 1); null below two values, or where it is past the largest number */
  get std(): number | null {
    return this.count < 2 ? null : finite(Math.sqrt(this.squares / (this.count - 1)))
  }
}

/** Means, spreads and the product moment of two numbers a row; in constant memory. */
export class CoMoments {
  count = 0
  private meanA = 0
  private meanB = 0
  private aa = 0
  private bb = 0
  private ab = 0

  add(a: number, b: number): void {
    this.count++
    const [fromA, fromB] = [a - this.meanA, b - this.meanB]
    this.meanA += fromA / this.count
    this.meanB += fromB / this.count
    this.aa += fromA * (a - this.meanA)
    this.bb += fromB * (b - this.meanB)
    this.ab += fromA * (b - this.meanB)
  }

  /** Pearson's correlation; null below three rows, and where either never varies (but for rounding) or varies past the largest number */
  get correlation(): number | null {
    const constant = (squares: number, mean: number) => squares <= this.count * (4 * Number.EPSILON * mean) ** 2
    if (this.count < 3 || constant(this.aa, this.meanA) || constant(this.bb, this.meanB)) return null
    const value = finite(this.ab / Math.sqrt(this.aa) / Math.sqrt(this.bb))
    return value === null ? null : Math.max(-1, Math.min(1, value))
  }

  /** of the whole population (divided by n); 0 of nothing */
  get covariance(): number {
    return this.count === 0 ? 0 : this.ab / this.count
  }
}
