import { z } from 'zod'
import { CoMoments, Moments } from '../statistics/moments.js'
import { Reservoir } from '../statistics/sampling.js'
import { mutualInformation, quantileBins } from './mutual-information.js'
import { among, categoryAt, columnName, type Fitter, NumberColumns, numberAt, type Operation } from './operation.js'

const columns = z.array(columnName).min(1).optional().describe('columns to choose from; default every column of numbers')
const keep = z.array(z.string()).default([]).describe('columns that stay whatever is measured: the target, an id')

const selection = z.strictObject({
  /** columns that go */
  dropped: z.array(z.string()),
  /** what was measured of each; null: could not be */
  scores: z.record(z.string(), z.number().nullable()),
})
type Selection = z.output<typeof selection>

interface Choice {
  columns?: string[] | undefined
  keep: string[]
}

/** A step that drops columns by what the training rows say of them. */
function selecting<Options extends Choice>(
  options: z.ZodType<Options>,
  fit: (options: Options) => Fitter<Selection>,
  alsoReads: (options: Options) => readonly string[] = () => [],
): Operation<Options, Selection> {
  return {
    options,
    fitted: selection,
    fit,
    reads: (given) => (given.columns ? [...given.columns, ...alsoReads(given)] : null),
    changes: (given) => (given.columns ? among(given.columns) : () => true),
    build(_, { dropped }) {
      return (row) => {
        for (const column of dropped) delete row[column]
        return true
      }
    },
  }
}

/** The columns that may go: those named, or every column of numbers. */
class Candidates {
  private readonly found = new NumberColumns()
  constructor(private readonly options: Choice) {}

  add(row: Parameters<NumberColumns['add']>[0]): readonly string[] {
    if (this.options.columns) return this.options.columns
    this.found.add(row)
    return Object.keys(row)
  }

  names(): string[] {
    return this.options.columns ?? this.found.names()
  }
}

/** A column of numbers where one of texts may stand: null then. */
const numberOrNull = (row: Parameters<typeof numberAt>[0], column: string, named: boolean): number | null => {
  const value = row[column]
  return named || value === null || typeof value === 'number' || typeof value === 'boolean' ? numberAt(row, column) : null
}

const memberOf = <T>(map: Map<string, T>, key: string, make: () => T): T => {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

const varianceOptions = z.strictObject({
  op: z.literal('select-variance'),
  columns,
  keep,
  threshold: z.number().nonnegative().default(0).describe('columns whose variance (of the population) is no more than this go'),
})

/** Drops columns that hardly vary, or never. Those without any number go too. */
export const selectVariance = selecting(varianceOptions, (options) => {
  const candidates = new Candidates(options)
  const moments = new Map<string, Moments>()
  return {
    add(row) {
      for (const column of candidates.add(row)) {
        const value = numberOrNull(row, column, options.columns !== undefined)
        if (value !== null) memberOf(moments, column, () => new Moments()).add(value)
      }
    },
    end() {
      const scores = Object.fromEntries(
        candidates.names().map((column) => {
          const of = moments.get(column)
          // equal numbers have no variance, whatever rounding says
          return [column, of ? (of.min === of.max ? 0 : of.variance) : 0]
        }),
      )
      const dropped = Object.keys(scores).filter((column) => scores[column]! <= options.threshold && !options.keep.includes(column))
      return { dropped, scores }
    },
  }
})

const correlationOptions = z.strictObject({
  op: z.literal('select-correlation'),
  columns,
  keep,
  threshold: z
    .number()
    .min(0)
    .max(1)
    .default(0.95)
    .describe('of two columns that correlate more than this, either way, the later one goes'),
})

/** Drops the later of two columns, as they are named or else by name, that say nearly the same (Pearson's, of the rows that have both). */
export const selectCorrelation = selecting(correlationOptions, (options) => {
  const candidates = new Candidates(options)
  const pairs = new Map<string, Map<string, CoMoments>>()
  return {
    add(row) {
      const values: [string, number][] = []
      for (const column of candidates.add(row)) {
        const value = numberOrNull(row, column, options.columns !== undefined)
        if (value === null) continue
        for (const [earlier, other] of values)
          memberOf(
            memberOf(pairs, earlier, () => new Map()),
            column,
            () => new CoMoments(),
          ).add(other, value)
        values.push([column, value])
      }
    },
    end() {
      const between = (a: string, b: string) => (pairs.get(a)?.get(b) ?? pairs.get(b)?.get(a))?.correlation ?? null
      const scores: Selection['scores'] = {}
      const kept: string[] = []
      for (const column of candidates.names()) {
        const most = kept.reduce((best, other) => Math.max(best, Math.abs(between(other, column) ?? 0)), 0)
        scores[column] = most
        if (most <= options.threshold || options.keep.includes(column)) kept.push(column)
      }
      return { dropped: candidates.names().filter((column) => !kept.includes(column)), scores }
    },
  }
})

const informationOptions = z.strictObject({
  op: z.literal('select-mutual-information'),
  columns: z.array(columnName).min(1).describe('columns to choose from: numbers, or categories'),
  keep,
  target: columnName.describe('the column that is to be predicted; it stays'),
  count: z.int().min(1).optional().describe('how many columns stay; default: those that say more than `threshold`'),
  threshold: z.number().nonnegative().default(0).describe('nats that a column must say of the target at least'),
  bins: z.int().min(2).max(100).default(10).describe('numbers are cut at so many quantiles; up to as many different ones are categories'),
  rows: z.int().min(10).max(1_000_000).default(20_000).describe('training rows that are looked at, drawn by the seed where there are more'),
  seed: z.int().default(0),
})

/** Keeps the columns that say most of the target: mutual information of binned values, a missing value being a bin of its own. */
export const selectMutualInformation = selecting(
  informationOptions,
  (options) => {
    const names = [...options.columns.filter((column) => column !== options.target), options.target]
    const rows = new Reservoir<(string | number | null)[]>(options.rows, options.seed)
    return {
      add(row) {
        const read = () => names.map((column) => (typeof row[column] === 'number' ? numberAt(row, column) : categoryAt(row, column)))
        rows.offer(read)
      },
      end() {
        // a row without the target says nothing of it
        const known = rows.items().filter((values) => values.at(-1) !== null)
        const binned = names.map((_, i) =>
          quantileBins(
            known.map((values) => values[i]!),
            options.bins,
          ),
        )
        const scores = Object.fromEntries(names.slice(0, -1).map((column, i) => [column, mutualInformation(binned[i]!, binned.at(-1)!)]))
        const ranked = Object.keys(scores).sort((a, b) => scores[b]! - scores[a]! || names.indexOf(a) - names.indexOf(b))
        const { count, threshold } = options
        const stay = new Set(count === undefined ? ranked.filter((column) => scores[column]! > threshold) : ranked.slice(0, count))
        return { dropped: ranked.filter((column) => !stay.has(column) && !options.keep.includes(column)).sort(), scores }
      },
    }
  },
  (options) => [options.target],
)
