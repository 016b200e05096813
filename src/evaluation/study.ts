import { EspalierError } from '../util/error.js'
import type { Rng } from '../util/random.js'
import { ruleOfTheTask } from './baselines.js'
import { type Comparison, compareRankings } from './compare.js'
import { byGroup, type EvaluationOptions, estimateMeasures, type RankingReport } from './ranking.js'

/** Databases resemble themselves, so whole ones are resampled; of fewer than this many an interval would say nothing. */
const enoughGroups = 10

/** What intervals resample: groups where there are enough of them, else queries (and the interval is then too narrow for new groups). */
export const unitFor = (lists: readonly { group?: string | undefined }[]): 'group' | 'query' =>
  byGroup(lists).size >= enoughGroups ? 'group' : 'query'

/** A model less one baseline, on the same queries. */
export interface Difference {
  baseline: string
  byQuery: Comparison
  /** null where there are too few groups */
  byGroup: Comparison | null
}

export interface Study {
  /** in the order of the baselines */
  differences: Difference[]
  /** the strongest baseline that knows nothing of the model */
  best: Difference
  /** the model beats it beyond the interval of the difference, over groups where there are enough of them */
  isBetter: boolean
  /** the rule that the model is given as one of its numbers; null where it was not measured */
  givenRule: Difference | null
}

/** The model is better than the baseline, and the interval of the difference does not contain 0. */
export const isBeyond = ({ byQuery, byGroup: overGroups }: Difference): boolean => (overGroups ?? byQuery).low > 0

/** Compares a model with every baseline by MRR, with paired bootstrap intervals. */
export function studyRanking(
  model: RankingReport,
  baselines: Readonly<Record<string, RankingReport>>,
  { rng, ...options }: Omit<EvaluationOptions, 'unit'>,
): Study {
  const hasGroups = unitFor(model.perQuery) === 'group'
  const compare = (other: RankingReport, unit: 'query' | 'group', own: Rng) =>
    compareRankings(model, other, 'mrr', { ...options, rng: own, unit })
  const differences = Object.entries(baselines).map(([baseline, report]) => ({
    baseline,
    byQuery: compare(report, 'query', rng.fork(`query ${baseline}`)),
    byGroup: hasGroups ? compare(report, 'group', rng.fork(`group ${baseline}`)) : null,
  }))
  const strangers = differences.filter(({ baseline }) => baseline !== ruleOfTheTask)
  const strongest = Math.max(...strangers.map(({ baseline }) => baselines[baseline]!.mrr.value))
  const best = strangers.find(({ baseline }) => baselines[baseline]!.mrr.value === strongest)
  if (!best) throw new EspalierError('BAD_INPUT', 'studyRanking: no baselines came, expected at least one')
  const givenRule = differences.find(({ baseline }) => baseline === ruleOfTheTask) ?? null
  return { differences, best, isBetter: isBeyond(best), givenRule }
}

/**
 * Several trainings of one model (other seeds) as one report: each query counts by its mean over them, so that intervals are over queries
 * and not over seeds. No ensemble: the scores are not averaged, only what they came to.
 */
export function averageReports(reports: readonly RankingReport[], options: EvaluationOptions): RankingReport {
  const [first] = reports
  if (!first || reports.some((r) => r.perQuery.length !== first.perQuery.length))
    throw new EspalierError('BAD_INPUT', `averageReports: ${reports.length} reports that differ, expected some over the same queries`)
  const perQuery = first.perQuery.map((query, i) => {
    const all = reports.map((report) => report.perQuery[i]!)
    const mean = (measure: 'mrr' | 'hits1' | 'hits3' | 'hits10' | 'ndcg10') => all.reduce((sum, q) => sum + q[measure], 0) / all.length
    return { ...query, mrr: mean('mrr'), hits1: mean('hits1'), hits3: mean('hits3'), hits10: mean('hits10'), ndcg10: mean('ndcg10') }
  })
  return { ...first, ...estimateMeasures(perQuery, options), perQuery }
}
