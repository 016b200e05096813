import { kendallTau } from '../../statistics/rank-correlation.js'

/** Scores per example. */
export type Scores = readonly (readonly number[])[]

/** Largest |a - b| over all scores; null when one is not finite or the shapes differ. */
export function largestDifference(a: Scores, b: Scores): number | null {
  if (a.length !== b.length) return null
  let largest = 0
  for (const [i, row] of a.entries()) {
    if (row.length !== b[i]!.length) return null
    for (const [j, value] of row.entries()) {
      const difference = Math.abs(value - b[i]![j]!)
      if (!Number.isFinite(difference)) return null
      largest = Math.max(largest, difference)
    }
  }
  return largest
}

/** How alike two sets of scores rank: mean Kendall tau and the share of examples with the same best choice (first of equals). */
export function rankAgreement(a: Scores, b: Scores): { kendall_tau: number | null; top1_agreement: number | null } {
  const taus: number[] = []
  let [same, counted] = [0, 0]
  const best = (row: readonly number[]) => row.reduce((most, score, i) => (score > row[most]! ? i : most), 0)
  for (const [i, row] of a.entries()) {
    if (row.length === 0) continue
    counted++
    if (best(row) === best(b[i]!)) same++
    const tau = kendallTau(row, b[i]!)
    if (tau !== null) taus.push(tau)
  }
  return {
    kendall_tau: taus.length > 0 ? taus.reduce((s, t) => s + t, 0) / taus.length : null,
    top1_agreement: counted > 0 ? same / counted : null,
  }
}

export const countScores = (scores: Scores): number => scores.reduce((sum, row) => sum + row.length, 0)
