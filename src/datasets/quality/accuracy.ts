import { estimateLabelNoise, type LabelNoise } from '../noise/label-noise.js'
import { Reservoir } from '../statistics/sampling.js'
import { meanOf, type QualityMetric } from './metric.js'

/** of a text, what the sample keeps */
const keptLength = 2000

export const accuracy: QualityMetric = {
  name: 'accuracy',
  description:
    'One less the share of wrong labels that confident learning estimates out of fold (on a sample, mean of the label sets); beside it, what the rows say of their own confidence.',
  start({ texts, classSets, options }) {
    const sample = new Reservoir<{ text: string; labels: (string | undefined)[] }>(options.sample, options.seed)
    let [confidence, rows] = [0, 0]
    return {
      row({ row, text, labels }) {
        if (typeof row['confidence'] === 'number') {
          confidence += row['confidence']
          rows++
        }
        if (texts && classSets.some((set) => labels[set]))
          sample.offer(() => ({ text: text!.slice(0, keptLength), labels: classSets.map((set) => labels[set]?.[0]) }))
      },
      async end() {
        const noises: (readonly [string, LabelNoise | null])[] = []
        for (const [s, set] of classSets.entries()) {
          const examples = sample.items().flatMap(({ text, labels }) => (labels[s] === undefined ? [] : [{ text, label: labels[s] }]))
          noises.push([set, await estimateLabelNoise(examples, options.seed)])
        }
        const noise = meanOf(noises.flatMap(([, n]) => (n ? [n.noise] : [])))
        return {
          score: noise === null ? null : 1 - noise,
          sampleSize: Math.max(0, ...noises.map(([, n]) => n?.examples ?? 0)),
          of: 'rows',
          details: {
            mean_confidence: rows === 0 ? null : confidence / rows,
            label_noise: Object.fromEntries(noises.map(([set, n]) => [set, n?.noise ?? null])),
            predicted: Object.fromEntries(noises.map(([set, n]) => [set, n?.agreement ?? null])),
          },
        }
      },
    }
  },
}
