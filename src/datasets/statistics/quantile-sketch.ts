import { sortedQuantile } from '../../statistics/summary.js'

/** Up to this many values are kept, and quantiles are exact; beyond it a sketch takes them over. */
export const exactQuantiles = 16_384
/** Size of the sketch's top level; its rank error is then about 0.35 % (99 of 100 times). */
const width = 800
export const quantileRankError = 0.0035

/**
 * Quantiles of numbers that stream by: exact up to 16,384 values, then a KLL sketch (Karnin, Lang & Liberty 2016), some 20 kB whatever
 * their number. Deterministic: the coin of each halving is tossed by a fixed generator.
 */
export class QuantileSketch {
  /** level h holds values that stand for 2^h each; before the sketch takes over there is one level */
  private levels: number[][] = [[]]
  private coin = 0x2545f491
  private sorted: number[] | null = null
  private held = 0
  /** values held before levels are halved */
  private limit: number
  count = 0
  min = Number.POSITIVE_INFINITY
  max = Number.NEGATIVE_INFINITY

  constructor(bound = exactQuantiles) {
    this.limit = bound
  }

  get exact(): boolean {
    return this.levels.length === 1
  }

  add(value: number): void {
    this.count++
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
    this.sorted = null
    this.levels[0]!.push(value)
    this.held++
    if (this.held > this.limit) this.compress()
  }

  /**
   * The quantile at `p` in 0..1: interpolated between order statistics while exact (type 7 of Hyndman & Fan 1996), then the value whose
   * estimated rank reaches p; null of nothing.
   */
  quantile(p: number): number | null {
    if (this.count === 0) return null
    if (this.exact) return sortedQuantile((this.sorted ??= this.levels[0]!.toSorted(ascending)), p)
    if (p <= 0) return this.min
    if (p >= 1) return this.max
    const weighted = this.levels.flatMap((values, level) => values.map((value): [number, number] => [value, 2 ** level]))
    weighted.sort((a, b) => a[0] - b[0])
    const total = weighted.reduce((sum, [, weight]) => sum + weight, 0)
    let rank = 0
    for (const [value, weight] of weighted) if ((rank += weight) >= p * total) return value
    return this.max
  }

  private capacityOf(level: number): number {
    return Math.max(8, Math.ceil(width * (2 / 3) ** (this.levels.length - 1 - level)))
  }

  /** Halves the levels that are over their capacity, the lowest first: every second value, in order, goes up and stands for two. */
  private compress(): void {
    for (let level = 0; level < this.levels.length; level++) {
      const values = this.levels[level]!
      if (values.length <= this.capacityOf(level)) continue
      if (level + 1 === this.levels.length) this.levels.push([])
      values.sort(ascending)
      // an odd one stays behind, so that the weights still add up to the count
      const kept = values.length % 2 === 1 ? [values.pop()!] : []
      for (let i = this.toss(); i < values.length; i += 2) this.levels[level + 1]!.push(values[i]!)
      this.levels[level] = kept
    }
    this.held = this.levels.reduce((sum, values) => sum + values.length, 0)
    this.limit = this.levels.reduce((sum, _, level) => sum + this.capacityOf(level), 0)
  }

  /** 0 or 1 (xorshift, Marsaglia 2003) */
  private toss(): number {
    this.coin ^= this.coin << 13
    this.coin ^= this.coin >>> 17
    this.coin ^= this.coin << 5
    return (this.coin >>> 7) & 1
  }
}

const ascending = (a: number, b: number) => a - b
