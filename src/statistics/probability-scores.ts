import { EspalierError } from '../util/error.js'

function assertForecasts(name: string, probabilities: ArrayLike<number>, outcomes: ArrayLike<boolean>): void {
  if (probabilities.length !== outcomes.length)
    throw new EspalierError('BAD_INPUT', `${name}: ${probabilities.length} forecasts for ${outcomes.length} outcomes, expected as many`)
  for (let i = 0; i < probabilities.length; i++)
    if (!(probabilities[i]! >= 0 && probabilities[i]! <= 1))
      throw new EspalierError('BAD_INPUT', `${name}: forecast ${i} is ${probabilities[i]}, expected a probability between 0 and 1`)
}

/** Mean squared error of probabilities (Brier 1950): 0 is perfect, 0.25 is a coin. Null of nothing. */
export function brierScore(probabilities: ArrayLike<number>, outcomes: ArrayLike<boolean>): number | null {
  assertForecasts('brierScore', probabilities, outcomes)
  let total = 0
  for (let i = 0; i < probabilities.length; i++) total += (probabilities[i]! - Number(outcomes[i])) ** 2
  return probabilities.length ? total / probabilities.length : null
}

/** Mean negative log likelihood in nats; probabilities are clipped to [eps, 1 - eps] so that one sure mistake stays finite. */
export function logLoss(probabilities: ArrayLike<number>, outcomes: ArrayLike<boolean>, eps = 1e-15): number | null {
  assertForecasts('logLoss', probabilities, outcomes)
  let total = 0
  for (let i = 0; i < probabilities.length; i++) {
    const p = Math.min(Math.max(probabilities[i]!, eps), 1 - eps)
    total -= outcomes[i] ? Math.log(p) : Math.log1p(-p)
  }
  return probabilities.length ? total / probabilities.length : null
}

/**
 * Area under the precision-recall curve as average precision, sum of (R_k - R_{k-1}) P_k over distinct thresholds (scikit-learn's
 * definition; no optimistic interpolation, Davis & Goadrich 2006). Equal scores share one threshold. Null without a positive.
 */
export function averagePrecision(scores: ArrayLike<number>, outcomes: ArrayLike<boolean>): number | null {
  if (scores.length !== outcomes.length)
    throw new EspalierError('BAD_INPUT', `averagePrecision: ${scores.length} scores for ${outcomes.length} outcomes, expected as many`)
  const order = Array.from(scores, (_, i) => i).sort((i, j) => scores[j]! - scores[i]!)
  const positives = order.filter((i) => outcomes[i]).length
  if (positives === 0) return null
  let [found, foundBefore, area] = [0, 0, 0]
  order.forEach((item, k) => {
    if (outcomes[item]) found++
    const next = order[k + 1]
    if (next !== undefined && scores[next] === scores[item]) return
    area += ((found - foundBefore) / positives) * (found / (k + 1))
    foundBefore = found
  })
  return area
}

export interface CalibrationBin {
  low: number
  high: number
  n: number
  /** mean forecast in the bin */
  forecast: number
  /** share of the forecast events that came true */
  observed: number
}

/**
 * Reliability curve over equal-width bins (empty ones left out) and the expected calibration error sum n_b/n |forecast - observed|
 * (Naeini et al. 2015).
 */
export function calibration(
  probabilities: ArrayLike<number>,
  outcomes: ArrayLike<boolean>,
  bins = 10,
): { bins: CalibrationBin[]; error: number | null } {
  assertForecasts('calibration', probabilities, outcomes)
  const sums = Array.from({ length: bins }, () => ({ n: 0, forecast: 0, observed: 0 }))
  for (let i = 0; i < probabilities.length; i++) {
    const bin = sums[Math.min(bins - 1, Math.floor(probabilities[i]! * bins))]!
    bin.n++
    bin.forecast += probabilities[i]!
    bin.observed += Number(outcomes[i])
  }
  const curve = sums.flatMap(({ n, forecast, observed }, b) =>
    n === 0 ? [] : [{ low: b / bins, high: (b + 1) / bins, n, forecast: forecast / n, observed: observed / n }],
  )
  const total = probabilities.length
  const error = total ? curve.reduce((sum, b) => sum + (b.n / total) * Math.abs(b.forecast - b.observed), 0) : null
  return { bins: curve, error }
}
