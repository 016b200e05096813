import type { Dimension } from './metric.js'

/** Lower bounds of what an overall score is called. */
export const bands = [
  { band: 'excellent', from: 0.8 },
  { band: 'good', from: 0.6 },
  { band: 'fair', from: 0.4 },
  { band: 'poor', from: 0 },
] as const
export type QualityBand = (typeof bands)[number]['band'] | 'invalid'

export interface QualityReport {
  /** weighted mean of the dimensions that can be judged, 0..1 */
  overall: number
  band: QualityBand
  rows: number
  /** share of rows without an error */
  validShare: number
  dimensions: Record<string, Dimension & { weight: number }>
}

/** A dataset is blocked, and its band invalid, when it has no rows or most of them have errors. */
const blockedBelow = 0.5

export function qualityReport(
  rows: number,
  validRows: number,
  judged: readonly { name: string; weight: number; dimension: Dimension }[],
): QualityReport {
  const counted = judged.filter(({ dimension }) => dimension.score !== null)
  const total = counted.reduce((sum, { weight }) => sum + weight, 0)
  const overall = total === 0 ? 0 : counted.reduce((sum, { weight, dimension }) => sum + weight * dimension.score!, 0) / total
  const validShare = rows === 0 ? 0 : validRows / rows
  const band = validShare < blockedBelow ? 'invalid' : bands.find(({ from }) => overall >= from)!.band
  return {
    overall,
    band,
    rows,
    validShare,
    dimensions: Object.fromEntries(judged.map(({ name, weight, dimension }) => [name, { weight, ...dimension }])),
  }
}
