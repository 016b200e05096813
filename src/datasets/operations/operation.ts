import { z } from 'zod'
import { EspalierError } from '../../util/error.js'
import type { JsonValue } from '../../vocabulary.js'

/** A row of a table: text, numbers, booleans and nulls by the name of their column. */
export type Cell = string | number | boolean | null
export type TableRow = { [column: string]: JsonValue }

/** Learns from the rows of the training part, which stream by once. */
export interface Fitter<Fitted> {
  /** `number`: the row's place among the training rows, from 0 */
  add(row: Readonly<TableRow>, number: number): void
  end(): Fitted
}

/**
 * Does a step to a row in place; false drops the row. `number` is the row's place among the training rows, and null for any other row:
 * those of validation, test and serving.
 */
export type Apply = (row: TableRow, number: number | null) => boolean

/**
 * One kind of step. What it learned is JSON, and `build` gives the same function from it wherever it runs: that is why serving repeats
 * training. Missing means null, absent or NaN, everywhere.
 */
export interface Operation<Options = unknown, Fitted = unknown> {
  options: z.ZodType<Options>
  /** columns that must be there; null: whichever numbers there are */
  reads(options: Options): readonly string[] | null
  /** absent where there is nothing to learn */
  fit?(options: Options): Fitter<Fitted>
  /** shape of what was learned */
  fitted?: z.ZodType<Fitted>
  /** whether a column is changed, added or removed, or may be; a step that drops rows changes every column */
  changes(options: Options): (column: string) => boolean
  build(options: Options, fitted: Fitted): Apply
}

// biome-ignore lint/suspicious/noExplicitAny: a table of operations holds all of them; each is called with its own options only
export type AnyOperation = Operation<any, any>

/** Whether a column is one of these. */
export const among = (columns: readonly string[]): ((column: string) => boolean) => {
  const names = new Set(columns)
  return (column) => names.has(column)
}

/** A column by its name. `__proto__` would be no member of a row like the others. */
export const columnName = z
  .string()
  .min(1)
  .refine((name) => name !== '__proto__', 'expected a name other than __proto__')

/** Own members only: a column may be called `constructor`, and a row may lack it. */
export const cellAt = (row: Readonly<TableRow>, column: string): JsonValue | undefined =>
  Object.hasOwn(row, column) ? row[column] : undefined

export const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 60) ?? String(value)

const isMissing = (value: unknown): value is null | undefined =>
  value === null || value === undefined || (typeof value === 'number' && Number.isNaN(value))

/** The number in a column, true being 1 and false 0; null where it is missing. BAD_INPUT for anything else, infinity included. */
export function numberAt(row: Readonly<TableRow>, column: string): number | null {
  const value = cellAt(row, column)
  if (isMissing(value)) return null
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new EspalierError('BAD_INPUT', `column "${column}" holds ${shown(value)}, expected a finite number, a boolean or null`, {
    remedy: 'Encode a column of texts first, or drop the rows by a filter.',
  })
}

/** The category in a column as text (1 and "1" are one category); null where it is missing. BAD_INPUT for lists and objects. */
export function categoryAt(row: Readonly<TableRow>, column: string): string | null {
  const value = cellAt(row, column)
  if (isMissing(value)) return null
  if (typeof value !== 'object') return String(value)
  throw new EspalierError('BAD_INPUT', `column "${column}" holds ${shown(value)}, expected a text, a number, a boolean or null`)
}

/** The columns of the rows that hold numbers or booleans and nothing else but missing values, by name: whatever the order of the rows. */
export class NumberColumns {
  private readonly seen = new Map<string, boolean>()

  add(row: Readonly<TableRow>): void {
    for (const column in row) {
      const value = row[column]
      if (isMissing(value)) continue
      const fine = typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
      if (!fine || !this.seen.has(column)) this.seen.set(column, fine && (this.seen.get(column) ?? true))
    }
  }

  names(): string[] {
    return [...this.seen].flatMap(([column, fine]) => (fine ? [column] : [])).sort()
  }
}
