import { EspalierError } from '../util/error.js'

export const sigmoid = (z: number): number => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)))

export interface LogisticRows {
  /** row after row, `width` numbers each */
  x: Float64Array
  width: number
  /** 0 or 1, one a row */
  y: Uint8Array
  /** one a row, 0 or more; default 1 each */
  weights?: Float64Array
}

export interface LogisticFit {
  intercept: number
  /** one a column of x, in its own units */
  coefficients: Float64Array
}

export interface LogisticOptions {
  /** strength of the ridge on coefficients of standardised columns (not on the intercept); default 1 */
  ridge?: number
  /** default 25 */
  iterations?: number
}

/** ln p / (1 - p) */
export function logisticScore({ intercept, coefficients }: LogisticFit, x: ArrayLike<number>, offset = 0): number {
  let z = intercept
  for (let c = 0; c < coefficients.length; c++) z += coefficients[c]! * x[offset + c]!
  return z
}

/**
 * Logistic regression with a ridge, by Newton's method on standardised columns (Hoerl & Kennard 1970; le Cessie & van Houwelingen 1992):
 * minimises -sum w (y ln p + (1 - y) ln(1 - p)) + ridge / 2 |b|^2. Weighted half a row is added to either class, so that a class that
 * never came gives a small probability and not zero. Deterministic; without rows the answer is even odds.
 */
export function fitLogistic({ x, width, y, weights }: LogisticRows, { ridge = 1, iterations = 25 }: LogisticOptions = {}): LogisticFit {
  const n = y.length
  if (x.length !== n * width)
    throw new EspalierError('BAD_INPUT', `fitLogistic: ${x.length} numbers for ${n} rows of ${width}, expected ${n * width}`)
  const w = weights ?? new Float64Array(n).fill(1)
  const { means, scales } = standardise(x, width, w)
  const size = width + 1
  const beta = new Float64Array(size)
  beta[0] = startingIntercept(y, w)
  const row = new Float64Array(size)
  row[0] = 1
  for (let step = 0; step < iterations; step++) {
    const hessian = new Float64Array(size * size)
    const gradient = new Float64Array(size)
    for (let c = 1; c < size; c++) {
      hessian[c * size + c] = Math.max(ridge, 1e-9)
      gradient[c] = -Math.max(ridge, 1e-9) * beta[c]!
    }
    addPseudoRows(hessian, gradient, beta)
    for (let i = 0; i < n; i++) {
      if (w[i] === 0) continue
      let z = beta[0]!
      for (let c = 1; c < size; c++) {
        row[c] = (x[i * width + c - 1]! - means[c - 1]!) * scales[c - 1]!
        z += beta[c]! * row[c]!
      }
      const p = sigmoid(z)
      const [error, curve] = [w[i]! * (y[i]! - p), w[i]! * p * (1 - p)]
      for (let a = 0; a < size; a++) {
        gradient[a]! += error * row[a]!
        const scaled = curve * row[a]!
        for (let b = 0; b <= a; b++) hessian[a * size + b]! += scaled * row[b]!
      }
    }
    if (moved(beta, solve(hessian, gradient, size)) < 1e-8) break
  }
  const coefficients = Float64Array.from({ length: width }, (_, c) => beta[c + 1]! * scales[c]!)
  const intercept = coefficients.reduce((sum, b, c) => sum - b * means[c]!, beta[0]!)
  return { intercept, coefficients }
}

/** Half a row of each class where all columns are at their mean. */
function addPseudoRows(hessian: Float64Array, gradient: Float64Array, beta: Float64Array): void {
  const p = sigmoid(beta[0]!)
  hessian[0]! += Math.max(p * (1 - p), 1e-12)
  gradient[0]! += 0.5 - p
}

function startingIntercept(y: Uint8Array, w: Float64Array): number {
  let [ones, total] = [0.5, 1]
  for (let i = 0; i < y.length; i++) {
    ones += w[i]! * y[i]!
    total += w[i]!
  }
  return Math.log(ones / (total - ones))
}

/** Weighted mean and 1 / standard deviation a column (0 where the column is constant: it then takes no part). */
function standardise(x: Float64Array, width: number, w: Float64Array): { means: Float64Array; scales: Float64Array } {
  const means = new Float64Array(width)
  const scales = new Float64Array(width)
  const total = w.reduce((a, b) => a + b, 0)
  if (total === 0) return { means, scales }
  for (let i = 0; i < w.length; i++) for (let c = 0; c < width; c++) means[c]! += (w[i]! * x[i * width + c]!) / total
  for (let i = 0; i < w.length; i++) for (let c = 0; c < width; c++) scales[c]! += (w[i]! * (x[i * width + c]! - means[c]!) ** 2) / total
  for (let c = 0; c < width; c++) scales[c] = scales[c]! > 1e-12 ? 1 / Math.sqrt(scales[c]!) : 0
  return { means, scales }
}

/** Adds a Newton step to beta, no coordinate by more than 4 (rare classes overshoot); answers the largest move. */
function moved(beta: Float64Array, step: Float64Array): number {
  const largest = step.reduce((most, s) => Math.max(most, Math.abs(s)), 0)
  const scale = largest > 4 ? 4 / largest : 1
  for (let c = 0; c < beta.length; c++) beta[c]! += step[c]! * scale
  return largest * scale
}

/** Solves A s = g for a positive definite A (lower triangle given; it is overwritten), by Cholesky. */
function solve(a: Float64Array, g: Float64Array, size: number): Float64Array {
  for (let j = 0; j < size; j++)
    for (let i = j; i < size; i++) {
      let sum = a[i * size + j]!
      for (let k = 0; k < j; k++) sum -= a[i * size + k]! * a[j * size + k]!
      a[i * size + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / a[j * size + j]!
    }
  const s = Float64Array.from(g)
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) s[i]! -= a[i * size + k]! * s[k]!
    s[i]! /= a[i * size + i]!
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) s[i]! -= a[k * size + i]! * s[k]!
    s[i]! /= a[i * size + i]!
  }
  return s
}
