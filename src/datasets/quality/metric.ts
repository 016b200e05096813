import type { RowFacts, Survey } from '../validation/survey.js'

/** One side of quality, 0..1. */
export interface Dimension {
  /** null where there is nothing to judge: it then takes no part in the whole */
  score: number | null
  /** what the score was made of: rows, pairs, tokens … */
  sampleSize: number
  /** what the sample is counted in */
  of: string
  /** numbers behind it */
  details?: Readonly<Record<string, number | null | Readonly<Record<string, number | null>>>>
}

/** One dimension of quality; a file each, named in quality/index.ts with its weight. */
export interface QualityMetric {
  name: string
  description: string
  start(survey: Survey): { row?(facts: RowFacts, isValid: boolean): void; end(): Dimension | Promise<Dimension> }
}

export const clamp01 = (x: number): number => Math.min(1, Math.max(0, x))

export const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
