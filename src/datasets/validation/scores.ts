import { clamp01 } from '../quality/metric.js'

export interface ScoreParts {
  rows: number
  validRows: number
  errors: number
  warnings: number
  /** different intents and sentiments */
  labels: number
  meanConfidence: number | null
  /** of the dimensions of quality */
  overall: number
}

/**
 * The two scorings of a dataset, 0..1 each, 0 without rows. `classic` is lenient (an error in every row still gives .70) and kept to compare
 * with. `v2` is never above the share of valid rows.
 */
export const scorings = {
  classic: ({ rows, errors, warnings, labels, meanConfidence }: ScoreParts): number =>
    rows === 0
      ? 0
      : Math.min(
          1,
          clamp01(1 - (0.5 * errors) / rows - (0.2 * warnings) / rows) + Math.min(0.1, labels / 20) + 0.1 * (meanConfidence ?? 0),
        ),
  v2: ({ rows, validRows, overall }: ScoreParts): number => (rows === 0 ? 0 : (validRows / rows) * overall),
}
