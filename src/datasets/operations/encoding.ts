import { z } from 'zod'
import { EspalierError } from '../../util/error.js'
import { among, categoryAt, columnName, type Fitter, type Operation } from './operation.js'

/** Columns of more categories than this are refused: no encoding of them would be of use. */
const maxCategories = 100_000

const columns = z.array(columnName).min(1).describe('columns of categories; 1 and "1" are one category')

/** Counts the categories of each column. */
function countCategories<Fitted>(names: readonly string[], end: (counts: Map<string, number>[]) => Fitted): Fitter<Fitted> {
  const counts = names.map(() => new Map<string, number>())
  return {
    add(row) {
      names.forEach((column, i) => {
        const category = categoryAt(row, column)
        if (category === null) return
        const known = counts[i]!.get(category)
        counts[i]!.set(category, (known ?? 0) + 1)
        if (known === undefined && counts[i]!.size > maxCategories)
          throw new EspalierError('BAD_INPUT', `column "${column}" has more than ${maxCategories} categories, expected fewer to encode`, {
            remedy: 'Leave the column out, or group its values first.',
          })
      })
    },
    end: () => end(counts),
  }
}

/** By code unit, so that the order does not depend on the language of the machine. */
const sorted = (categories: Iterable<string>) => [...categories].sort()

const oneHotOptions = z.strictObject({
  op: z.literal('one-hot'),
  columns,
  limit: z.int().min(1).max(1000).default(100).describe('the most frequent categories that get a column of their own'),
  unseen: z
    .enum(['zeros', 'other', 'error'])
    .default('zeros')
    .describe('what other categories are: all zeros, a column `is other`, or an error'),
  nulls: z.enum(['zeros', 'category']).default('zeros').describe('what a missing value is: all zeros, or a column `is null`'),
})

/** A column of categories becomes a column of 0 and 1 for each of them: `color=red`. */
export const oneHot: Operation<z.output<typeof oneHotOptions>, Record<string, string[]>> = {
  options: oneHotOptions,
  fitted: z.record(z.string(), z.array(z.string())),
  reads: (given) => given.columns,
  changes:
    ({ columns: names }) =>
    (name) =>
      names.some((column) => name === column || name.startsWith(`${column}=`) || name.startsWith(`${column} is `)),
  fit: ({ columns: names, limit }) =>
    countCategories(names, (counts) =>
      Object.fromEntries(
        counts.map((of, i) => {
          const frequent = [...of].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, limit)
          return [names[i]!, sorted(frequent.map(([category]) => category))]
        }),
      ),
    ),
  build({ columns: names, unseen, nulls }, fitted) {
    const encoders = names.map((column) => ({
      column,
      known: new Set(fitted[column]),
      outputs: fitted[column]!.map((category): [category: string, output: string] => [category, `${column}=${category}`]),
    }))
    return (row) => {
      for (const { column, known, outputs } of encoders) {
        const category = categoryAt(row, column)
        const strange = category !== null && !known.has(category)
        if (strange && unseen === 'error') throw unseenCategory(column, category, known)
        delete row[column]
        for (const [of, output] of outputs) row[output] = category === of ? 1 : 0
        if (unseen === 'other') row[`${column} is other`] = strange ? 1 : 0
        if (nulls === 'category') row[`${column} is null`] = category === null ? 1 : 0
      }
      return true
    }
  },
}

const unseenCategory = (column: string, category: string, known: Iterable<string>) =>
  new EspalierError(
    'BAD_INPUT',
    `column "${column}" holds ${JSON.stringify(category.slice(0, 60))}, expected one of ${[...known].slice(0, 10).join(', ')}`,
    { remedy: 'Fit again with rows that have it, or let `unseen` be zeros or other.' },
  )

const labelOptions = z.strictObject({
  op: z.literal('label'),
  columns,
  unseen: z.enum(['minus-one', 'error']).default('minus-one').describe('what a category becomes that training did not see'),
})

/** A category becomes its place, from 0, among those of the training rows in the order of their code units. Missing stays missing. */
export const label: Operation<z.output<typeof labelOptions>, Record<string, string[]>> = {
  options: labelOptions,
  fitted: z.record(z.string(), z.array(z.string())),
  reads: (given) => given.columns,
  changes: (given) => among(given.columns),
  fit: ({ columns: names }) =>
    countCategories(names, (counts) => Object.fromEntries(counts.map((of, i) => [names[i]!, sorted(of.keys())]))),
  build({ columns: names, unseen }, fitted) {
    const places = names.map((column) => ({ column, of: new Map(fitted[column]!.map((category, i) => [category, i])) }))
    return (row) => {
      for (const { column, of } of places) {
        const category = categoryAt(row, column)
        if (category === null) row[column] = null
        else {
          const place = of.get(category)
          if (place === undefined && unseen === 'error') throw unseenCategory(column, category, of.keys())
          row[column] = place ?? -1
        }
      }
      return true
    }
  },
}

const ordinalOptions = z.strictObject({
  op: z.literal('ordinal'),
  column: columnName,
  order: z
    .array(z.union([z.string(), z.number(), z.boolean()]))
    .min(2)
    .describe('the categories from the least to the greatest'),
  unseen: z.enum(['minus-one', 'null', 'error']).default('minus-one').describe('what a category becomes that is not in the order'),
})

/** A category becomes its place, from 0, in an order that is given. Missing stays missing. */
export const ordinal: Operation<z.output<typeof ordinalOptions>, null> = {
  options: ordinalOptions,
  reads: ({ column }) => [column],
  changes: ({ column }) => among([column]),
  build({ column, order, unseen }) {
    const places = new Map(order.map((category, i) => [String(category), i]))
    return (row) => {
      const category = categoryAt(row, column)
      const place = category === null ? null : places.get(category)
      if (place === undefined && unseen === 'error') throw unseenCategory(column, category!, places.keys())
      row[column] = place === undefined ? (unseen === 'null' ? null : -1) : place
      return true
    }
  },
}
