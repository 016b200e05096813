import type { QualityMetric } from './metric.js'
import { meanOf } from './metric.js'

export const consistency: QualityMetric = {
  name: 'consistency',
  description:
    'Share of pairs of near-duplicates with equal labels, over all rows, mean of the label sets; 1 where no text has a near-duplicate.',
  start: ({ texts, classSets, labels }) => ({
    end() {
      const present = classSets.filter((set) => labels.has(set))
      if (!texts || present.length === 0) return { score: null, sampleSize: 0, of: 'near-duplicates' }
      const agreements = present.map((set) => [set, texts.agreement(set)] as const)
      const found = agreements.flatMap(([, a]) => (a ? [a.agreement] : []))
      return {
        score: meanOf(found) ?? 1,
        sampleSize: Math.max(0, ...agreements.map(([, a]) => a?.rows ?? 0)),
        of: 'near-duplicates',
        details: { agreement: Object.fromEntries(agreements.map(([set, a]) => [set, a?.agreement ?? null])) },
      }
    },
  }),
}
