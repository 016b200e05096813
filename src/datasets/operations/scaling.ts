import { z } from 'zod'
import { normalQuantile } from '../../statistics/normal.js'
import { Moments } from '../statistics/moments.js'
import { QuantileSketch } from '../statistics/quantile-sketch.js'
import { among, columnName, type Fitter, numberAt, type Operation, type TableRow } from './operation.js'

/** How one column is measured while rows stream by, and what its numbers then become. */
interface Scale<Options, Parameters> {
  measure(): { add(value: number): void; end(options: Options): Parameters }
  parameters: z.ZodType<Parameters>
  scale(parameters: Parameters, options: Options): (value: number) => number
}

interface Columns {
  columns: string[]
}

const columns = z.array(columnName).min(1).describe('columns of numbers; missing values stay missing')

/** A step that turns each number of each column into another. */
function scaling<Options extends Columns, Parameters>(
  options: z.ZodType<Options>,
  { measure, parameters, scale }: Scale<Options, Parameters>,
): Operation<Options, Record<string, Parameters>> {
  return {
    options,
    fitted: z.record(z.string(), parameters),
    reads: (given) => given.columns,
    changes: (given) => among(given.columns),
    fit(given): Fitter<Record<string, Parameters>> {
      const measures = given.columns.map((column) => ({ column, ...bound(measure()) }))
      return {
        add(row: Readonly<TableRow>) {
          for (const { column, add } of measures) {
            const value = numberAt(row, column)
            if (value !== null) add(value)
          }
        },
        end: () => Object.fromEntries(measures.map(({ column, end }) => [column, end(given)])),
      }
    },
    build(given, fitted) {
      const scales = given.columns.map((column) => ({ column, to: scale(fitted[column]!, given) }))
      return (row) => {
        for (const { column, to } of scales) {
          const value = numberAt(row, column)
          row[column] = value === null ? null : to(value)
        }
        return true
      }
    },
  }
}

const bound = <Options, P>(measure: { add(value: number): void; end(options: Options): P }) => ({
  add: (value: number) => measure.add(value),
  end: (options: Options) => measure.end(options),
})

/** A spread of nothing scales by 1: a constant column becomes constant, and not infinite. */
const spread = (value: number) => (value === 0 || !Number.isFinite(value) ? 1 : value)

const minMaxOptions = z.strictObject({
  op: z.literal('min-max'),
  columns,
  range: z.tuple([z.number(), z.number()]).default([0, 1]).describe('what the least and the greatest number become'),
  clip: z.boolean().default(false).describe('numbers outside what training saw become the ends of the range'),
})

/** (x - min) / (max - min), brought to a range. A constant column becomes the lower end. */
export const minMax = scaling(minMaxOptions, {
  measure() {
    const moments = new Moments()
    return {
      add: (value) => moments.add(value),
      end: () => (moments.count === 0 ? { min: 0, max: 0 } : { min: moments.min, max: moments.max }),
    }
  },
  parameters: z.strictObject({ min: z.number(), max: z.number() }),
  scale({ min, max }, { range: [from, to], clip }) {
    const by = (to - from) / spread(max - min)
    const raw = (value: number) => (value - min) * by + from
    return clip ? (value) => Math.min(Math.max(raw(value), Math.min(from, to)), Math.max(from, to)) : raw
  },
})

const zScoreOptions = z.strictObject({ op: z.literal('z-score'), columns })

/** (x - mean) / standard deviation of the population. A constant column becomes 0. */
export const zScore = scaling(zScoreOptions, {
  measure() {
    const moments = new Moments()
    return {
      add: (value) => moments.add(value),
      end() {
        // what rounding leaves of a constant column is no spread
        const std = Math.sqrt(moments.variance)
        return { mean: moments.mean, std: std <= 1e-14 * Math.abs(moments.mean) ? 0 : std }
      },
    }
  },
  parameters: z.strictObject({ mean: z.number(), std: z.number() }),
  scale({ mean, std }) {
    const by = spread(std)
    return (value) => (value - mean) / by
  },
})

const sketched = z.boolean().describe('false: more than 16,384 training rows, so quantiles are estimated to within 0.35 % in rank')

const robustOptions = z.strictObject({
  op: z.literal('robust'),
  columns,
  between: z
    .tuple([z.number().min(0).max(100), z.number().min(0).max(100)])
    .default([25, 75])
    .describe('percentiles whose distance is the unit'),
})

/** (x - median) / interquartile range: outliers do not move it. A column without such a range is only centred. */
export const robust = scaling(robustOptions, {
  measure() {
    const sketch = new QuantileSketch()
    return {
      add: (value) => sketch.add(value),
      end: ({ between: [low, high] }) => ({
        median: sketch.quantile(0.5) ?? 0,
        range: (sketch.quantile(high / 100) ?? 0) - (sketch.quantile(low / 100) ?? 0),
        exact: sketch.exact,
      }),
    }
  },
  parameters: z.strictObject({ median: z.number(), range: z.number(), exact: sketched }),
  scale({ median, range }) {
    const by = spread(range)
    return (value) => (value - median) / by
  },
})

const quantileOptions = z.strictObject({
  op: z.literal('quantile'),
  columns,
  quantiles: z.int().min(2).max(10_000).default(1000).describe('points of the distribution that are kept, at most one a training row'),
  distribution: z.enum(['uniform', 'normal']).default('uniform').describe('what the numbers are spread like afterwards'),
})

/** As far from the middle as a normal quantile goes: that of 1e-7, as scikit-learn has it. */
const farthest = 1e-7

/** The share of training rows below a number, or the normal quantile of it (as scikit-learn's QuantileTransformer). */
export const quantileScale = scaling(quantileOptions, {
  measure() {
    const sketch = new QuantileSketch()
    return {
      add: (value) => sketch.add(value),
      end({ quantiles }) {
        const n = Math.max(1, Math.min(quantiles, sketch.count))
        const references = Array.from({ length: n }, (_, i) => sketch.quantile(n === 1 ? 0 : i / (n - 1)) ?? 0)
        return { references, exact: sketch.exact }
      },
    }
  },
  parameters: z.strictObject({ references: z.array(z.number()), exact: sketched }),
  scale({ references }, { distribution }) {
    const share = (value: number) => shareBelow(references, value)
    if (distribution === 'uniform') return share
    return (value) => normalQuantile(Math.min(Math.max(share(value), farthest), 1 - farthest))
  },
})

/** Interpolated from both sides, so that a run of equal references gives its middle; 0 up to the first, 1 from the last. */
function shareBelow(references: readonly number[], value: number): number {
  const last = references.length - 1
  if (value <= references[0]!) return 0
  if (value >= references[last]!) return 1
  const [below, above] = [firstAtLeast(references, value), firstAbove(references, value)]
  // between two references, or on a run of them
  if (below === above) {
    const [low, high] = [references[below - 1]!, references[below]!]
    return (below - 1 + (value - low) / (high - low)) / last
  }
  return (below + (above - 1)) / 2 / last
}

function firstAtLeast(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

function firstAbove(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low
}

const imputeOptions = z.strictObject({
  op: z.literal('impute'),
  columns,
  by: z.enum(['mean', 'median', 'constant']).default('mean').describe('what missing numbers become'),
  constant: z.number().default(0).describe('for by constant, and for a column without any number'),
})

/** Missing numbers become the mean or the median of the training rows, or a constant. */
export const impute: Operation<z.output<typeof imputeOptions>, Record<string, number>> = {
  options: imputeOptions,
  fitted: z.record(z.string(), z.number()),
  reads: (given) => given.columns,
  changes: (given) => among(given.columns),
  fit({ columns: names, by, constant }) {
    const measures = names.map((column) => ({ column, moments: new Moments(), sketch: new QuantileSketch() }))
    return {
      add(row) {
        if (by === 'constant') return
        for (const { column, moments, sketch } of measures) {
          const value = numberAt(row, column)
          if (value === null) continue
          if (by === 'mean') moments.add(value)
          else sketch.add(value)
        }
      },
      end: () =>
        Object.fromEntries(
          measures.map(({ column, moments, sketch }) => [column, sketch.quantile(0.5) ?? (moments.count > 0 ? moments.mean : constant)]),
        ),
    }
  },
  build({ columns: names }, fitted) {
    return (row) => {
      for (const column of names) row[column] = numberAt(row, column) ?? fitted[column]!
      return true
    }
  },
}
