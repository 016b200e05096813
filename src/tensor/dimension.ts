import { EspalierError } from '../util/error.js'

/**
 * A dimension: a number, or a symbol known only when a graph runs. Symbols combine to canonical polynomials with whole coefficients,
 * written as text: `B`, `2*B*n`, `N+1`; equal dimensions are equal strings.
 */
export type Dimension = number | string
export type Shape = readonly Dimension[]

/** monomial (`B*n`, '' for the constant) -> coefficient */
type Polynomial = Map<string, number>

function parse(d: Dimension): Polynomial {
  if (typeof d === 'number') return new Map(d === 0 ? [] : [['', d]])
  const sum: Polynomial = new Map()
  for (const term of d.split('+')) {
    const factors = term.split('*')
    const coefficient = /^\d+$/.test(factors[0]!) ? Number(factors.shift()) : 1
    const key = factors.sort().join('*')
    sum.set(key, (sum.get(key) ?? 0) + coefficient)
  }
  return sum
}

function print(sum: Polynomial): Dimension {
  const terms = [...sum].filter(([, c]) => c !== 0).sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1))
  if (terms.length === 0) return 0
  if (terms.length === 1 && terms[0]![0] === '') return terms[0]![1]
  return terms.map(([key, c]) => (key === '' ? `${c}` : c === 1 ? key : `${c}*${key}`)).join('+')
}

export function multiplyDimensions(...dims: readonly Dimension[]): Dimension {
  if (dims.every((d) => typeof d === 'number')) return (dims as readonly number[]).reduce((p, d) => p * d, 1)
  let product: Polynomial = new Map([['', 1]])
  for (const d of dims) {
    const next: Polynomial = new Map()
    for (const [a, ca] of product)
      for (const [b, cb] of parse(d)) {
        const key = [a, b].filter(Boolean).join('*').split('*').sort().join('*')
        next.set(key, (next.get(key) ?? 0) + ca * cb)
      }
    product = next
  }
  return print(product)
}

export function addDimensions(...dims: readonly Dimension[]): Dimension {
  const sum: Polynomial = new Map()
  for (const d of dims) for (const [key, c] of parse(d)) sum.set(key, (sum.get(key) ?? 0) + c)
  return print(sum)
}

/** The terms of a dimension: each a coefficient and the symbols it is multiplied with. */
export const dimensionTerms = (d: Dimension): { coefficient: number; symbols: string[] }[] =>
  [...parse(d)].map(([key, coefficient]) => ({ coefficient, symbols: key === '' ? [] : key.split('*') }))

export const isStatic = (shape: Shape): shape is readonly number[] => shape.every((d) => typeof d === 'number')

/** Number of elements, as a dimension. */
export const sizeOf = (shape: Shape): Dimension => multiplyDimensions(...shape)

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i])

export const showShape = (shape: Shape): string => `[${shape.join(', ')}]`

/** The shape two shapes broadcast to (NumPy's rule; a symbol only meets itself or 1). Throws BAD_INPUT naming both. */
export function broadcast(a: Shape, b: Shape, where: string): Shape {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1
    const y = b[b.length - rank + i] ?? 1
    if (x === y || y === 1) return x
    if (x === 1) return y
    throw new EspalierError('BAD_INPUT', `${where}: shapes ${showShape(a)} and ${showShape(b)} do not broadcast (${x} against ${y})`, {
      remedy: 'make the dimensions equal, or one of them 1',
    })
  })
}

/** The value of a dimension, given its symbols' values. Throws BAD_INPUT on an unknown symbol. */
export function evaluateDimension(d: Dimension, symbols: ReadonlyMap<string, number>): number {
  if (typeof d === 'number') return d
  let total = 0
  for (const term of dimensionTerms(d))
    total += term.symbols.reduce((product, s) => {
      const value = symbols.get(s)
      if (value === undefined)
        throw new EspalierError('BAD_INPUT', `dimension ${d}: symbol "${s}" has no value`, { remedy: 'feed an input that has it' })
      return product * value
    }, term.coefficient)
  return total
}
