import { columnEvents, countColumnEvents } from '../../catalog/reads/learning-store.js'
import { readSnapshots } from '../../catalog/reads/read-store.js'
import { type BackTest, backTest } from '../../patterns/changes/back-test.js'
import type { Expert } from '../../patterns/changes/forecast.js'
import type { SchemaHistory } from '../../patterns/changes/snapshots.js'
import type { ColumnEvent } from '../../patterns/column-types.js'
import { parseSetId, readLearning } from '../../patterns/store.js'
import type { TemporalOptions } from '../../pipeline-options.js'
import type { Database } from '../../postgres/sql.js'
import { interrupted } from '../../runs/attempt.js'
import { EspalierError } from '../../util/error.js'
import { canonicalJson } from '../../util/hash.js'
import type { Properties } from '../../vocabulary.js'
import type { Task } from '../task.js'

const dayMs = 86_400_000
/** Versions of columns times months that are looked at, at most: a few seconds, in which nothing else is heard. */
const mostRows = 100_000

/** How often forecasts of which tables change were right, beside saying that nothing ever does; or why none could be held against anything. */
export type ForecastScore =
  | { asked: number; correct: number; changed: number; nothingCorrect: number; horizonDays: number }
  | { asked: 0; reason: string }

const none = (reason: string): ForecastScore => ({ asked: 0, reason })

/** Right answers of one forecaster, where one half and more is a yes. */
function rightOf(test: BackTest, expert: Expert): { asked: number; correct: number; changed: number } {
  const sum = { asked: 0, correct: 0, changed: 0 }
  for (const { n, observed, low } of test.calibration[expert].bins) {
    const changed = Math.round(observed * n)
    sum.asked += n
    sum.changed += changed
    sum.correct += low >= 0.5 ? changed : n - changed
  }
  return sum
}

/** The columns of a project over time, all as of one moment; null, with why, where there is too much or too little of it. */
function readHistory(database: Database, projectId: string, horizonDays: number): Promise<SchemaHistory | string> {
  return database.transaction(
    async (client) => {
      const observedAt = (await readSnapshots(client, { projectId })).map((snapshot) => snapshot.observedAt)
      const times = observedAt.map(Number)
      const days = times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / dayMs
      if (days <= horizonDays) return `its history spans ${Math.floor(days)} days, and forecasts look ${horizonDays} ahead`
      const pieces = await countColumnEvents(client, { projectId })
      if (pieces * (days / 30) > mostRows)
        return `${pieces} versions of columns over ${Math.ceil(days / 30)} months are more than it looks at`
      const events: ColumnEvent[] = []
      for await (const part of columnEvents(client, { projectId })) events.push(...part)
      return { events, observedAt }
    },
    { isolation: 'repeatable read' },
  )
}

/** Forecasts as they would have been made month by month, held against what came in the window after each: nothing later is known to them. */
function scoreForecasts(history: SchemaHistory, horizonDays: number): ForecastScore {
  const from = Math.min(...history.observedAt.map(Number))
  const test = backTest(history, { horizonsDays: [horizonDays], from }).find(({ target }) => target === 'tables')
  const ours = test ? rightOf(test, 'pool') : null
  if (!test || !ours || ours.asked === 0) return none('no window of its history is complete')
  return { ...ours, nothingCorrect: rightOf(test, 'nothing').correct, horizonDays }
}

/** How a project's metadata changes, by every source that was asked when it was learned, and how well that could have been foreseen. */
export const temporalAnalysis: Task<TemporalOptions> = async ({ platform, claim, options }) => {
  const wanted = claim.wanted()
  if (wanted) return interrupted[wanted]
  const { database } = platform
  const { projectId, patternSetId, horizonDays } = options
  const set = await readLearning(database, projectId, patternSetId === undefined ? undefined : parseSetId(patternSetId).version)
  const { temporalPatterns } = set.patterns
  if (!temporalPatterns)
    throw new EspalierError('CONFLICT', `pattern set ${set.id} was learned before sources of time were`, {
      remedy: 'Learn the project anew.',
    })
  const { evolutionPatterns, temporalMetrics, postgresTemporal, neo4jTemporal, combinedInsights } = temporalPatterns
  const { schemaEvolutionRate, qualityTrends, predictedChanges, dataSources } = combinedInsights
  for (const { name, state, reason } of dataSources)
    if (state === 'failed') await claim.record({ type: 'log', level: 'info', message: `without ${name}: ${reason}` })
  const history = await readHistory(database, projectId, horizonDays)
  const forecasts = typeof history === 'string' ? none(history) : scoreForecasts(history, horizonDays)
  const message =
    'reason' in forecasts
      ? `forecasts could not be held against what came: ${forecasts.reason}`
      : `forecasts of which tables change within ${horizonDays} days: ${forecasts.correct} of ${forecasts.asked} right, ${forecasts.nothingCorrect} by saying that nothing does`
  await claim.record({ type: 'log', level: 'info', message })
  const result = {
    patternSetId: set.id,
    evolution_patterns: evolutionPatterns,
    temporal_metrics: temporalMetrics,
    postgres_temporal: postgresTemporal,
    neo4j_temporal: neo4jTemporal,
    combined_insights: {
      schema_evolution_rate: schemaEvolutionRate,
      quality_trends: qualityTrends,
      predicted_changes: predictedChanges,
      data_sources: dataSources,
    },
    forecasts,
  }
  return { state: 'completed', result: JSON.parse(canonicalJson(result)) as Properties }
}
