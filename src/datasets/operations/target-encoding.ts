import { z } from 'zod'
import { hash53 } from '../../util/hash53.js'
import { among, categoryAt, columnName, type Fitter, numberAt, type Operation, type TableRow } from './operation.js'

const targetOptions = z.strictObject({
  op: z.literal('target-encode'),
  columns: z.array(columnName).min(1).describe('columns of categories; a missing value is a category of its own'),
  target: columnName.describe('the column that is to be predicted; rows without it teach nothing'),
  positive: z
    .union([z.string(), z.boolean(), z.number()])
    .optional()
    .describe('for a target of categories: the one whose share is taken; default: the target is a number'),
  smooth: z
    .union([z.number().nonnegative(), z.literal('auto')])
    .default('auto')
    .describe('rows that the overall mean weighs beside the rows of a category; auto: by the variances (empirical Bayes)'),
  folds: z.int().min(2).max(50).default(5).describe('a training row is encoded by what the other folds say'),
  seed: z.int().default(0).describe('draws the folds'),
})
type TargetOptions = z.output<typeof targetOptions>

const encoding = z.strictObject({
  /** of the target over all rows: what a category becomes that training did not see */
  mean: z.number(),
  /** [category (null: missing), encoding], in the order of the categories */
  categories: z.array(z.tuple([z.string().nullable(), z.number()])),
})
type Encoding = z.output<typeof encoding>

const columnEncoding = z.strictObject({
  /** from all training rows: for every row that is none of them */
  all: encoding,
  /** without fold 0, 1, …: for the training rows of that fold */
  without: z.array(encoding),
})
type ColumnEncoding = z.output<typeof columnEncoding>

/** The fold of a training row by its number. */
export const foldOf = (number: number, { folds, seed }: Pick<TargetOptions, 'folds' | 'seed'>): number => hash53(`${number}`, seed) % folds

/** Count, mean and squares of a category's targets, which can be added up over folds (Chan et al. 1979). */
interface Tally {
  count: number
  mean: number
  squares: number
}

function addTo(tally: Tally, value: number): void {
  tally.count++
  const from = value - tally.mean
  tally.mean += from / tally.count
  tally.squares += from * (value - tally.mean)
}

function sumOf(tallies: Iterable<Tally>): Tally {
  const sum: Tally = { count: 0, mean: 0, squares: 0 }
  for (const { count, mean, squares } of tallies) {
    if (count === 0) continue
    const [from, n] = [mean - sum.mean, sum.count + count]
    sum.squares += squares + (from * from * sum.count * count) / n
    sum.mean += (from * count) / n
    sum.count = n
  }
  return sum
}

/**
 * The category's mean drawn to the overall mean (Micci-Barreca 2001): by `smooth` rows of it, or by the ratio of the variance within the
 * category to that of the target, as scikit-learn's TargetEncoder does.
 */
function encodingOf({ count, mean, squares }: Tally, overall: Tally, smooth: number | 'auto'): number {
  if (count === 0) return overall.mean
  if (smooth !== 'auto') return (count * mean + smooth * overall.mean) / (count + smooth)
  const variance = overall.squares / overall.count
  const own = variance * count
  const trust = own + squares / count === 0 ? 1 : own / (own + squares / count)
  return trust * mean + (1 - trust) * overall.mean
}

/** The tallies of one column, by category and fold. */
class ColumnTallies {
  private readonly byCategory = new Map<string | null, Tally[]>()

  constructor(private readonly options: TargetOptions) {}

  add(category: string | null, fold: number, value: number): void {
    let tallies = this.byCategory.get(category)
    if (!tallies) {
      tallies = Array.from({ length: this.options.folds }, () => ({ count: 0, mean: 0, squares: 0 }))
      this.byCategory.set(category, tallies)
    }
    addTo(tallies[fold]!, value)
  }

  end(): ColumnEncoding {
    const folds = Array.from({ length: this.options.folds }, (_, fold) => fold)
    return { all: this.encode(() => true), without: folds.map((out) => this.encode((fold) => fold !== out)) }
  }

  private encode(takes: (fold: number) => boolean): Encoding {
    const tallies = [...this.byCategory].map(([category, byFold]) => ({ category, tally: sumOf(byFold.filter((_, fold) => takes(fold))) }))
    const overall = sumOf(tallies.map(({ tally }) => tally))
    const categories = tallies
      .filter(({ tally }) => tally.count > 0)
      .map(({ category, tally }): [string | null, number] => [category, encodingOf(tally, overall, this.options.smooth)])
    categories.sort(([a], [b]) => (a === null ? -1 : b === null ? 1 : a < b ? -1 : 1))
    return { mean: overall.mean, categories }
  }
}

function targetAt(row: Readonly<TableRow>, { target, positive }: TargetOptions): number | null {
  if (positive === undefined) return numberAt(row, target)
  const category = categoryAt(row, target)
  return category === null ? null : category === String(positive) ? 1 : 0
}

/**
 * A category becomes the mean of the target over its training rows. A training row is encoded from the other folds only: by its own
 * target it would be told the answer. Unseen categories become the overall mean.
 */
export const targetEncode: Operation<TargetOptions, Record<string, ColumnEncoding>> = {
  options: targetOptions,
  fitted: z.record(z.string(), columnEncoding),
  reads: ({ columns, target }) => [...columns, target],
  changes: ({ columns }) => among(columns),
  fit(options): Fitter<Record<string, ColumnEncoding>> {
    const tallies = options.columns.map((column) => ({ column, of: new ColumnTallies(options) }))
    return {
      add(row, number) {
        const value = targetAt(row, options)
        if (value === null) return
        const fold = foldOf(number, options)
        for (const { column, of } of tallies) of.add(categoryAt(row, column), fold, value)
      },
      end: () => Object.fromEntries(tallies.map(({ column, of }) => [column, of.end()])),
    }
  },
  build(options, fitted) {
    const lookUp = ({ mean, categories }: Encoding) => {
      const encodings = new Map(categories)
      return (category: string | null) => encodings.get(category) ?? mean
    }
    const columns = options.columns.map((column) => ({
      column,
      all: lookUp(fitted[column]!.all),
      without: fitted[column]!.without.map(lookUp),
    }))
    return (row, number) => {
      for (const { column, all, without } of columns) {
        const encode = number === null ? all : without[foldOf(number, options)]!
        row[column] = encode(categoryAt(row, column))
      }
      return true
    }
  },
}
