import type { Properties } from '../../vocabulary.js'
import type { RowFacts } from '../validation/survey.js'
import type { QualityMetric } from './metric.js'

const isThere = (row: Properties, field: string): boolean => {
  const value = row[field]
  return value !== undefined && value !== null && !(typeof value === 'string' && value.trim() === '')
}

export const completeness: QualityMetric = {
  name: 'completeness',
  description: 'Share of rows with all required fields and labels; of a table, share of cells that are not null.',
  start(survey) {
    const required = Object.entries(survey.record.schema.shape).flatMap(([field, type]) =>
      (type as { safeParse(v: unknown): { success: boolean } }).safeParse(undefined).success ? [] : [field],
    )
    let [whole, all] = [0, 0]
    const row =
      survey.kind === 'tabular'
        ? ({ row }: RowFacts) => {
            for (const column in row) {
              all++
              if (isThere(row, column)) whole++
            }
          }
        : ({ row, labels }: RowFacts) => {
            all++
            const isWhole =
              required.every((field) => isThere(row, field)) &&
              survey.requiredLabels.every((set) => labels[set]?.some((label) => label.trim() !== ''))
            if (isWhole) whole++
          }
    return {
      row,
      end: () => ({ score: all === 0 ? null : whole / all, sampleSize: all, of: survey.kind === 'tabular' ? 'cells' : 'rows' }),
    }
  },
}
