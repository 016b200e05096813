export interface Bin {
  /** included */
  from: number
  /** not included, but for the largest number that there is */
  to: number
  count: number
}

/**
 * A histogram of numbers that stream by, with exact counts. Bins are as wide as a power of two and begin at its multiples; when the range
 * outgrows them, neighbours are merged in pairs. So the answer depends on the values only, not on their order, and there are between half
 * as many bins as allowed and all of them (one for a single value).
 */
export class AdaptiveHistogram {
  private width = 0
  private first = 0
  private counts: number[] = []
  private min = 0
  private max = 0

  constructor(private readonly bins = 32) {}

  add(value: number, times = 1): void {
    if (this.counts.length === 0) {
      ;[this.min, this.max, this.counts] = [value, value, [times]]
      return
    }
    if (value < this.min || value > this.max) this.widen(value)
    if (this.width === 0) this.counts[0]! += times
    else this.counts[binOf(value, this.width) - this.first]! += times
  }

  /** Bins in order; neighbouring ones touch. */
  toBins(): Bin[] {
    if (this.counts.length === 0) return []
    if (this.width === 0) return [{ from: this.min, to: this.min, count: this.counts[0]! }]
    // the outermost edges may be past the largest number
    const edge = (bin: number) => Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, bin * this.width))
    return this.counts.map((count, i) => ({ from: edge(this.first + i), to: edge(this.first + i + 1), count }))
  }

  private widen(value: number): void {
    const [oldMin, oldWidth] = [this.min, this.width]
    ;[this.min, this.max] = [Math.min(this.min, value), Math.max(this.max, value)]
    // halves first: the difference itself may be past the largest number
    const least = Math.max((this.max / this.bins - this.min / this.bins) / 2, Number.MIN_VALUE * 2 ** 20)
    let width = Math.max(oldWidth, 2 ** Math.floor(Math.log2(least)))
    while (binOf(this.max, width) - binOf(this.min, width) >= this.bins) width *= 2
    const first = binOf(this.min, width)
    const counts = new Array<number>(binOf(this.max, width) - first + 1).fill(0)
    if (oldWidth === 0) counts[binOf(oldMin, width) - first]! += this.counts[0]!
    else
      this.counts.forEach((count, i) => {
        counts[binOf(this.first + i, width / oldWidth) - first]! += count
      })
    ;[this.width, this.first, this.counts] = [width, first, counts]
  }
}

/** Number of the bin; the least of negative numbers must not vanish in the division. */
function binOf(value: number, width: number): number {
  const bin = Math.floor(value / width)
  return bin === 0 && value < 0 ? -1 : bin
}
