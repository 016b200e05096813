import type { TypeMetrics } from './metrics.js'

export const qualityLevels = ['excellent', 'good', 'fair', 'poor', 'critical'] as const
export type QualityLevel = (typeof qualityLevels)[number]
export const processingStrategies = ['standard', 'enhanced', 'simplified', 'skip'] as const
export type ProcessingStrategy = (typeof processingStrategies)[number]

export interface Quality {
  /** 0 to 1 */
  score: number
  level: QualityLevel
  entropyScore: number
  klScore: number
  columnScore: number
  issues: string[]
  recommendations: string[]
  /** how much to trust downstream work on this metadata with */
  processingStrategy: ProcessingStrategy
}

const mostEntropy = Math.log2(6)

/** 1 inside [1, log2 6] bits, H/2 below. */
export const entropyScore = (bits: number): number => (bits >= 1 ? 1 : bits / 2)

/** 1 up to .5 bits, falling linearly to .5 at 1, then 0. */
export const klScore = (bits: number): number => (bits <= 0.5 ? 1 : bits <= 1 ? 1.5 - bits : 0)

export const columnScore = (columns: number): number => Math.min(1, columns / 5)

/** The first row whose threshold the score reaches. */
const levels: readonly { from: number; level: QualityLevel; strategy: ProcessingStrategy }[] = [
  { from: 0.9, level: 'excellent', strategy: 'standard' },
  { from: 0.7, level: 'good', strategy: 'standard' },
  { from: 0.5, level: 'fair', strategy: 'enhanced' },
  { from: 0.3, level: 'poor', strategy: 'simplified' },
  { from: Number.NEGATIVE_INFINITY, level: 'critical', strategy: 'skip' },
]

const percent = (ratio: number) => `${Math.round(ratio * 100)} %`

const rules: readonly { applies(m: TypeMetrics): boolean; issue(m: TypeMetrics): string; recommendation: string }[] = [
  {
    applies: (m) => m.column_count === 0,
    issue: () => 'there are no columns',
    recommendation: 'Ingest tables: DDL or sample JSON.',
  },
  {
    applies: (m) => m.column_count > 0 && m.column_count < 5,
    issue: (m) => `only ${m.column_count} column(s): the numbers say little`,
    recommendation: 'Ingest more tables before acting on these metrics.',
  },
  {
    applies: (m) => m.column_count > 0 && m.metadata_entropy < 1,
    issue: (m) => `the types vary little (entropy ${m.metadata_entropy.toFixed(2)} bits of at most ${mostEntropy.toFixed(2)})`,
    recommendation: 'Look for columns whose types were lost on the way, such as dates and numbers kept as strings.',
  },
  {
    applies: (m) => m.kl_divergence > 0.5,
    issue: (m) => `the types are far from the ideal distribution (divergence ${m.kl_divergence.toFixed(2)} bits)`,
    recommendation: 'Check the types, or give the project its own ideal distribution if this is what its data is like.',
  },
  {
    applies: (m) => m.unclassified_ratio > 0.1,
    issue: (m) => `${percent(m.unclassified_ratio)} of the columns have a type outside the six canonical ones`,
    recommendation: 'Look at columns with mixed or unknown types.',
  },
]

/** The quality of a set of columns by its metrics: .4 entropy + .4 divergence + .2 number of columns. */
export function assessQuality(metrics: TypeMetrics): Quality {
  const parts = {
    entropyScore: entropyScore(metrics.metadata_entropy),
    klScore: klScore(metrics.kl_divergence),
    columnScore: columnScore(metrics.column_count),
  }
  // 4 + 4 + 2 tenths: exact where all parts are 0 or 1
  const score = (4 * parts.entropyScore + 4 * parts.klScore + 2 * parts.columnScore) / 10
  const { level, strategy } = levels.find(({ from }) => score >= from)!
  const found = rules.filter((rule) => rule.applies(metrics))
  return {
    score,
    level,
    ...parts,
    issues: found.map((rule) => rule.issue(metrics)),
    recommendations: found.map((rule) => rule.recommendation),
    processingStrategy: strategy,
  }
}
