import { EspalierError } from '../util/error.js'
import { mean } from './summary.js'

export interface LearningRate {
  epochs: number
  /** mean count; null of no epoch */
  patternsPerEpoch: number | null
  /** 1 - |mean(last 3) - mean(first 3)| / max(both, 1); null below three epochs */
  convergenceRate: number | null
  /** whether the first and the last three are different epochs (six or more) */
  hasDisjointWindows: boolean
  /** mean of min(c_i / c_{i-1}, 2); a step from 0 counts as 2 if something came and 1 if not; null below two epochs */
  adaptationRate: number | null
}

/** How the number of patterns that were learned goes from epoch to epoch. Counts 2, 5, 6, 6 give 4.75, 0.7647 and 1.4. */
export function learningRate(counts: readonly number[]): LearningRate {
  const wrong = counts.find((count) => !(count >= 0 && Number.isFinite(count)))
  if (wrong !== undefined) throw new EspalierError('BAD_INPUT', `learningRate: a count is ${wrong}, expected a number, 0 or more`)
  const epochs = counts.length
  const [first, last] = [mean(counts.slice(0, 3)) ?? 0, mean(counts.slice(-3)) ?? 0]
  const steps = counts.slice(1).map((count, i) => {
    const before = counts[i]!
    return before === 0 ? (count > 0 ? 2 : 1) : Math.min(count / before, 2)
  })
  return {
    epochs,
    patternsPerEpoch: mean(counts),
    convergenceRate: epochs < 3 ? null : 1 - Math.abs(last - first) / Math.max(first, last, 1),
    hasDisjointWindows: epochs >= 6,
    adaptationRate: mean(steps),
  }
}
