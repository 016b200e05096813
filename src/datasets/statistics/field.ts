import type { JsonValue } from '../../vocabulary.js'
import { AdaptiveHistogram, type Bin } from './adaptive-histogram.js'
import { HyperLogLog } from './hyper-log-log.js'
import { Moments } from './moments.js'
import { QuantileSketch, quantileRankError } from './quantile-sketch.js'
import { type ValueCount, ValueCounts } from './value-counts.js'

export const percentiles = [1, 5, 25, 50, 75, 95, 99] as const

/** How a number was come by: exactly, or estimated to within this (relative for `distinct`, in ranks for percentiles). */
export interface Exactness {
  exact: boolean
  /** standard error (`distinct`) or rank error 99 times of 100 (percentiles); 0 when exact */
  error: number
}

export interface NumberStatistics {
  count: number
  /** null where it is past the largest number */
  mean: number | null
  /** of a sample; null below two values */
  std: number | null
  min: number
  max: number
  median: number
  /** p1, p5, p25, p50, p75, p95, p99 */
  percentiles: Record<string, number>
  percentilesBy: Exactness
  /** exact counts */
  histogram: Bin[]
}

export interface FieldStatistics {
  /** members of objects are fields of their own: `metadata.lang` */
  field: string
  /** rows that have a value */
  count: number
  /** rows where it is null or absent */
  nulls: number
  /** string, number, boolean, array, object -> values of that type */
  types: Record<string, number>
  /** of texts, numbers and booleans */
  distinct: number
  distinctBy: Exactness
  /** the most frequent value; null where that cannot be told from a field of very many values */
  mode: ValueCount | null
  /** the most frequent values; `atMost` tells how far off a count may be */
  top: ValueCount[]
  /** the least and the greatest text in the order of code units, cut to 100 */
  least: string | null
  greatest: string | null
  numbers: NumberStatistics | null
  /** of texts in UTF-16 units, of arrays in elements */
  lengths: NumberStatistics | null
}

/** Moments, percentiles and histogram of one series of numbers, in flat memory. */
class NumberCollector {
  private readonly moments = new Moments()
  private readonly sketch = new QuantileSketch()
  private readonly histogram = new AdaptiveHistogram()

  add(value: number): void {
    this.moments.add(value)
    this.sketch.add(value)
    this.histogram.add(value)
  }

  statistics(): NumberStatistics | null {
    const { count, mean, std, min, max } = this.moments
    if (count === 0) return null
    const { exact } = this.sketch
    return {
      ...{ count, mean: Number.isFinite(mean) ? mean : null, std, min, max },
      median: this.sketch.quantile(0.5)!,
      percentiles: Object.fromEntries(percentiles.map((p) => [`p${p}`, this.sketch.quantile(p / 100)!])),
      percentilesBy: { exact, error: exact ? 0 : quantileRankError },
      histogram: this.histogram.toBins(),
    }
  }
}

const cut = (text: string | null) => (text === null ? null : text.slice(0, 100))

/** What is known of one field after a single pass: some 300 kB at most, however many rows. */
export class FieldCollector {
  private readonly types: Record<string, number> = {}
  private readonly values = new ValueCounts()
  private readonly numbers = new NumberCollector()
  private readonly lengths = new NumberCollector()
  private count = 0
  private least: string | null = null
  private greatest: string | null = null

  add(value: JsonValue): void {
    if (value === null) return
    this.count++
    const type = Array.isArray(value) ? 'array' : typeof value
    this.types[type] = (this.types[type] ?? 0) + 1
    if (typeof value === 'number') this.numbers.add(value)
    if (typeof value === 'string') this.addText(value)
    if (Array.isArray(value)) this.lengths.add(value.length)
    else if (typeof value !== 'object') this.values.add(value)
  }

  private addText(text: string): void {
    this.lengths.add(text.length)
    if (this.least === null || text < this.least) this.least = text
    if (this.greatest === null || text > this.greatest) this.greatest = text
  }

  statistics(field: string, rows: number): FieldStatistics {
    const { exact, distinct } = this.values
    return {
      field,
      count: this.count,
      nulls: rows - this.count,
      types: this.types,
      distinct,
      distinctBy: { exact, error: exact ? 0 : HyperLogLog.standardError },
      mode: this.values.mode,
      top: this.values.top(10),
      least: cut(this.least),
      greatest: cut(this.greatest),
      numbers: this.numbers.statistics(),
      lengths: this.lengths.statistics(),
    }
  }
}
