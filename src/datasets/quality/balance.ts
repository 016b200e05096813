import { entropyBits } from '../../statistics/information.js'
import { meanOf, type QualityMetric } from './metric.js'

/** Entropy of counts over that of as many equal ones: 1 where all are equal, 0 where there is but one class. */
export const normalizedEntropy = (counts: readonly number[]): number =>
  counts.length < 2 ? 0 : entropyBits(counts) / Math.log2(counts.length)

export const balance: QualityMetric = {
  name: 'balance',
  description: 'Normalised entropy of the labels of each set, mean of the sets; one class alone is 0.',
  start: (survey) => ({
    end() {
      const sets = survey.classSets.filter((set) => survey.labels.has(set))
      const scores = sets.map((set) => [set, normalizedEntropy(survey.countsOf(set).map(([, rows]) => rows))] as const)
      const rows = sets.map((set) => survey.countsOf(set).reduce((sum, [, n]) => sum + n, 0))
      return {
        score: meanOf(scores.map(([, score]) => score)),
        sampleSize: Math.max(0, ...rows),
        of: 'labels',
        details: { entropy: Object.fromEntries(scores) },
      }
    },
  }),
}
