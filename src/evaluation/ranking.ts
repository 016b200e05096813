import type { RankingList } from '../models/rankings/ranking-list.js'
import { bootstrapMeans, type Estimate } from '../statistics/intervals.js'
import { hitsAt, ndcgAt, reciprocalRank, relevanceThreshold } from '../statistics/ranking-scores.js'
import { EspalierError } from '../util/error.js'
import type { Rng } from '../util/random.js'

/** What is measured of each query, in the order of reports. All lie in 0..1, higher is better; ties count by expectation. */
export const rankingMeasures = ['mrr', 'hits1', 'hits3', 'hits10', 'ndcg10'] as const
export type RankingMeasure = (typeof rankingMeasures)[number]

export interface QueryScores extends Record<RankingMeasure, number> {
  queryId: string
  group: string | undefined
}

export interface RankingReport extends Record<RankingMeasure, Estimate> {
  /** queries measured */
  n: number
  /** queries left out because no candidate is labelled above 0, or all are labelled alike: they say nothing */
  skipped: number
  /** mean number of candidates of the measured queries: the numbers depend on it */
  candidates: number
  perQuery: QueryScores[]
}

export interface EvaluationOptions {
  rng: Rng
  /** default 2,000 */
  resamples?: number
  /** default 0.95 */
  confidence?: number
  /** what the intervals resample: queries (default), or whole groups where queries of one database resemble each other (wider, more honest) */
  unit?: 'query' | 'group'
}

/** Scores one list: one number a candidate, higher is better. */
export type Scorer = (list: RankingList) => ArrayLike<number>

/**
 * MRR, Hits@1/3/10 and NDCG@10 (linear gain) per query, with their means and bootstrap intervals. For MRR and Hits the relevant
 * candidates are those with the list's highest label; NDCG takes labels as grades. `scores[i][j]` belongs to candidate j of list i.
 */
export function evaluateRanking(
  lists: readonly RankingList[],
  scores: readonly ArrayLike<number>[],
  options: EvaluationOptions,
): RankingReport {
  if (lists.length !== scores.length)
    throw new EspalierError('BAD_INPUT', `evaluateRanking: ${scores.length} score lists for ${lists.length} queries, expected one each`)
  const perQuery: QueryScores[] = []
  let candidates = 0
  lists.forEach((list, i) => {
    const measured = scoreQuery(list, scores[i]!)
    if (measured === null) return
    perQuery.push(measured)
    candidates += list.candidates.length
  })
  const skipped = lists.length - perQuery.length
  return { ...estimateMeasures(perQuery, options), n: perQuery.length, skipped, candidates: candidates / perQuery.length, perQuery }
}

/** The same for a function that scores lists. */
export const evaluateScorer = (lists: readonly RankingList[], scorer: Scorer, options: EvaluationOptions): RankingReport =>
  evaluateRanking(lists, lists.map(scorer), options)

/** The measures of one list; null where its labels order nothing. */
export function scoreQuery(list: RankingList, scores: ArrayLike<number>): QueryScores | null {
  const labels = list.candidates.map(({ label }, c) => {
    if (label !== undefined) return label
    throw new EspalierError('BAD_INPUT', `query "${list.queryId}": candidate ${c} has no label, expected a number to judge the ranking by`)
  })
  if (scores.length !== labels.length)
    throw new EspalierError(
      'BAD_INPUT',
      `query "${list.queryId}": ${scores.length} scores for ${labels.length} candidates, expected one each`,
    )
  if (!Number.isFinite(relevanceThreshold(labels)) || labels.every((l) => l === labels[0])) return null
  const items = { scores, labels }
  return {
    queryId: list.queryId,
    group: list.group,
    mrr: reciprocalRank(items),
    hits1: hitsAt(1, items),
    hits3: hitsAt(3, items),
    hits10: hitsAt(10, items),
    ndcg10: ndcgAt(10, items),
  }
}

/** Means and intervals of every measure over queries; BAD_INPUT where there is none. */
export function estimateMeasures(
  perQuery: readonly QueryScores[],
  { rng, unit = 'query', ...options }: EvaluationOptions,
): Record<RankingMeasure, Estimate> {
  const row = (query: QueryScores) => rankingMeasures.map((measure) => query[measure])
  const clusters = unit === 'query' ? perQuery.map((q) => [row(q)]) : [...byGroup(perQuery).values()].map((rows) => rows.map(row))
  const found = bootstrapMeans(clusters, rng, options)
  if (!found)
    throw new EspalierError('BAD_INPUT', 'evaluateRanking: no query can be measured, expected at least one whose labels differ', {
      remedy: 'Check that the lists hold a candidate with a label above 0 and others below it.',
    })
  return Object.fromEntries(rankingMeasures.map((measure, m) => [measure, found[m]!])) as Record<RankingMeasure, Estimate>
}

/** Queries by their group, in the order of their first appearance. */
export function byGroup<T extends { group?: string | undefined }>(queries: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const query of queries) {
    const key = query.group ?? ''
    const known = groups.get(key)
    if (known) known.push(query)
    else groups.set(key, [query])
  }
  return groups
}
