import { EspalierError } from '../util/error.js'
import type { Estimate } from './intervals.js'
import { normalQuantile } from './normal.js'

/**
 * Events per unit of exposure with its interval, by Byar's approximation to the exact Poisson limits (Rothman & Boice 1979; within 1 % of
 * them from two events on). Null without exposure.
 */
export function poissonRate(events: number, exposure: number, confidence = 0.95): Estimate | null {
  if (!Number.isInteger(events) || events < 0) throw new EspalierError('BAD_INPUT', `poissonRate: ${events} events, expected 0 or more`)
  if (!(exposure > 0) || !Number.isFinite(exposure)) return null
  const z = normalQuantile(1 - (1 - confidence) / 2)
  const limit = (n: number, sign: 1 | -1) => n * (1 - 1 / (9 * n) + (sign * z) / (3 * Math.sqrt(n))) ** 3
  const low = events === 0 ? 0 : limit(events, -1)
  return { value: events / exposure, low: low / exposure, high: limit(events + 1, 1) / exposure, n: events }
}
