import { z } from 'zod'
import { EspalierError } from '../../util/error.js'
import { among, columnName, numberAt, type Operation } from './operation.js'

/** A product of columns, each to a power of 1 or more. */
interface Term {
  name: string
  factors: { column: string; power: number }[]
}

/** Every product of two to `degree` factors, in the order of scikit-learn's PolynomialFeatures. */
function termsOf(columns: readonly string[], degree: number, interactionOnly: boolean): Term[] {
  const terms: Term[] = []
  const extend = (chosen: readonly number[], length: number) => {
    if (chosen.length === length) {
      terms.push(termOf(chosen.map((i) => columns[i]!)))
      return
    }
    const last = chosen.at(-1)
    const from = last === undefined ? 0 : interactionOnly ? last + 1 : last
    for (let i = from; i < columns.length; i++) extend([...chosen, i], length)
  }
  for (let length = 2; length <= degree; length++) extend([], length)
  return terms
}

function termOf(columns: readonly string[]): Term {
  const powers = new Map<string, number>()
  for (const column of columns) powers.set(column, (powers.get(column) ?? 0) + 1)
  const factors = [...powers].map(([column, power]) => ({ column, power }))
  return { name: factors.map(({ column, power }) => (power === 1 ? column : `${column}^${power}`)).join('*'), factors }
}

/** More products than this are refused. */
const maxTerms = 5000

/** How many termsOf would give: combinations, with repetition or without. */
function countTerms(columns: number, degree: number, interactionOnly: boolean): number {
  let count = 0
  for (let length = 2; length <= degree; length++) {
    let ways = 1
    for (let i = 0; i < length; i++) ways *= (interactionOnly ? columns - i : columns + i) / (i + 1)
    count += Math.max(0, Math.round(ways))
  }
  return count
}

/** Adds the products to a row; one of a missing value is missing, one past the largest number is BAD_INPUT. */
function multiply(terms: readonly Term[]): (row: Parameters<typeof numberAt>[0]) => Record<string, number | null> {
  return (row) => {
    const products: Record<string, number | null> = {}
    for (const { name, factors } of terms) {
      let product: number | null = 1
      for (const { column, power } of factors) {
        const value = numberAt(row, column)
        product = value === null || product === null ? null : product * value ** power
      }
      if (product !== null && !Number.isFinite(product))
        throw new EspalierError('BAD_INPUT', `${name} is ${product}, expected a finite number`, { remedy: 'Scale the columns first.' })
      products[name] = product
    }
    return products
  }
}

const columns = z.array(columnName).min(1).describe('columns of numbers; they stay as they are')

const polynomialOptions = z
  .strictObject({
    op: z.literal('polynomial'),
    columns,
    degree: z.int().min(2).max(4).default(2).describe('factors of a product at most'),
    interactionOnly: z.boolean().default(false).describe('no column twice in a product'),
  })
  .superRefine(({ columns: names, degree, interactionOnly }, context) => {
    if (countTerms(names.length, degree, interactionOnly) > maxTerms)
      context.addIssue({ code: 'custom', message: `expected at most ${maxTerms} products: fewer columns or a lower degree` })
  })

/** Adds every product of the columns up to a degree: `a^2`, `a*b`. */
export const polynomial: Operation<z.output<typeof polynomialOptions>, null> = {
  options: polynomialOptions,
  reads: (given) => given.columns,
  changes: ({ columns: names, degree, interactionOnly }) => among(termsOf(names, degree, interactionOnly).map((term) => term.name)),
  build({ columns: names, degree, interactionOnly }) {
    const products = multiply(termsOf(names, degree, interactionOnly))
    return (row) => {
      Object.assign(row, products(row))
      return true
    }
  },
}

const interactionOptions = z.strictObject({ op: z.literal('interaction'), columns: columns.min(2) })

/** Adds the product of all the columns: `a*b*c`. */
export const interaction: Operation<z.output<typeof interactionOptions>, null> = {
  options: interactionOptions,
  reads: (given) => given.columns,
  changes: (given) => among([termOf(given.columns).name]),
  build(given) {
    const products = multiply([termOf(given.columns)])
    return (row) => {
      Object.assign(row, products(row))
      return true
    }
  },
}

const ratioOptions = z.strictObject({
  op: z.literal('ratio'),
  numerator: columnName,
  denominator: columnName,
  name: columnName.optional().describe('of the new column; default `a/b`'),
  ifZero: z.number().nullable().default(null).describe('the ratio where the denominator is 0; default: missing'),
})
const ratioName = ({ name, numerator, denominator }: z.output<typeof ratioOptions>) => name ?? `${numerator}/${denominator}`

/** Adds one column divided by another. Missing where either is, and where the quotient is past the largest number. */
export const ratio: Operation<z.output<typeof ratioOptions>, null> = {
  options: ratioOptions,
  reads: ({ numerator, denominator }) => [numerator, denominator],
  changes: (given) => among([ratioName(given)]),
  build(given) {
    const name = ratioName(given)
    return (row) => {
      const [a, b] = [numberAt(row, given.numerator), numberAt(row, given.denominator)]
      const quotient = a === null || b === null ? null : b === 0 ? given.ifZero : a / b
      row[name] = quotient !== null && Number.isFinite(quotient) ? quotient : null
      return true
    }
  },
}
