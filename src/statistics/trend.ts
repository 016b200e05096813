import { EspalierError } from '../util/error.js'
import { normalCdf } from './normal.js'
import { median } from './summary.js'

export interface Slope {
  /** per unit of x */
  slope: number
  /** median(y) - slope * median(x) */
  intercept: number
  n: number
}

/**
 * Robust line through points: the median of all pairwise slopes (Theil 1950, Sen 1968); pairs of equal x are left out, the order of the
 * points does not matter. Null below two distinct x. O(n^2) pairs: thin out series of more than a few thousand points first.
 */
export function theilSen(x: readonly number[], y: readonly number[]): Slope | null {
  assertSameLength('theilSen', x, y)
  const slopes: number[] = []
  for (let i = 0; i < x.length; i++)
    for (let j = i + 1; j < x.length; j++) if (x[i] !== x[j]) slopes.push((y[j]! - y[i]!) / (x[j]! - x[i]!))
  const slope = median(slopes)
  if (slope === null) return null
  return { slope, intercept: median(y)! - slope * median(x)!, n: x.length }
}

export interface TrendTest {
  /** pairs that rise minus pairs that fall */
  s: number
  /** with continuity correction */
  z: number
  /** two-sided */
  pValue: number
  trend: 'increasing' | 'decreasing' | 'none'
  n: number
}

/**
 * Is there a monotone trend of y over time x? (Mann 1945, Kendall 1975; variance corrected for ties in y; normal approximation, so be
 * careful below 8 points.) Points are put in order of x first; points of one moment are not compared with each other. Null below three
 * points.
 */
export function mannKendall(x: readonly number[], y: readonly number[], significance = 0.05): TrendTest | null {
  assertSameLength('mannKendall', x, y)
  const n = x.length
  if (n < 3) return null
  let s = 0
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) s += Math.sign(x[j]! - x[i]!) * Math.sign(y[j]! - y[i]!)
  const variance = kendallVariance(n, tieSizes(x), tieSizes(y))
  const z = s === 0 || variance === 0 ? 0 : (s - Math.sign(s)) / Math.sqrt(variance)
  const pValue = 2 * normalCdf(-Math.abs(z))
  return { s, z, pValue, trend: pValue >= significance ? 'none' : s > 0 ? 'increasing' : 'decreasing', n }
}

/** Variance of S with ties in both variables (Kendall 1970, "Rank correlation methods", ch. 4); without ties n(n-1)(2n+5)/18. */
function kendallVariance(n: number, tiesX: readonly number[], tiesY: readonly number[]): number {
  const sum = (ties: readonly number[], f: (t: number) => number) => ties.reduce((total, t) => total + f(t), 0)
  const v = (t: number) => t * (t - 1) * (2 * t + 5)
  const pairs = (t: number) => t * (t - 1)
  const triples = (t: number) => t * (t - 1) * (t - 2)
  return (
    (v(n) - sum(tiesX, v) - sum(tiesY, v)) / 18 +
    (sum(tiesX, triples) * sum(tiesY, triples)) / (9 * triples(n)) +
    (sum(tiesX, pairs) * sum(tiesY, pairs)) / (2 * pairs(n))
  )
}

function tieSizes(values: readonly number[]): number[] {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts.values()]
}

function assertSameLength(name: string, x: readonly number[], y: readonly number[]): void {
  if (x.length !== y.length)
    throw new EspalierError('BAD_INPUT', `${name}: ${x.length} x values and ${y.length} y values, expected the same number`)
}
