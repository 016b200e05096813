import { bootstrapMeans, type Estimate } from '../statistics/intervals.js'
import { EspalierError } from '../util/error.js'
import { byGroup, type EvaluationOptions, type QueryScores, type RankingMeasure, type RankingReport } from './ranking.js'

export interface Comparison extends Estimate {
  measure: RankingMeasure
  /** the interval of the difference does not contain 0 */
  isSignificant: boolean
}

/**
 * Paired bootstrap of the difference `first` - `second` on the same queries (Efron & Tibshirani 1993; Koehn 2004): far sharper than
 * comparing two intervals, because hard queries are hard for both. With `unit: 'group'` whole databases are resampled.
 */
export function compareRankings(
  first: Pick<RankingReport, 'perQuery'>,
  second: Pick<RankingReport, 'perQuery'>,
  measure: RankingMeasure,
  { rng, unit = 'query', ...options }: EvaluationOptions,
): Comparison {
  const differences = pair(first.perQuery, second.perQuery).map(([a, b]) => ({ group: a.group, value: a[measure] - b[measure] }))
  const clusters =
    unit === 'query' ? differences.map((d) => [[d.value]]) : [...byGroup(differences).values()].map((ds) => ds.map((d) => [d.value]))
  const [estimate] = bootstrapMeans(clusters, rng, options) ?? []
  if (!estimate) throw new EspalierError('BAD_INPUT', 'compareRankings: no queries, expected two reports over the same queries')
  return { ...estimate, measure, isSignificant: estimate.low > 0 || estimate.high < 0 }
}

function pair(first: readonly QueryScores[], second: readonly QueryScores[]): [QueryScores, QueryScores][] {
  if (first.length !== second.length)
    throw new EspalierError(
      'BAD_INPUT',
      `compareRankings: ${first.length} and ${second.length} queries, expected the same ones in both reports`,
    )
  return first.map((query, i) => {
    if (second[i]!.queryId !== query.queryId)
      throw new EspalierError('BAD_INPUT', `compareRankings: query ${i} is "${query.queryId}" here and "${second[i]!.queryId}" there`, {
        remedy: 'Compare reports made from the same lists in the same order.',
      })
    return [query, second[i]!]
  })
}
