import { columnEvents, countColumnEvents } from '../../catalog/reads/learning-store.js'
import { readSnapshots } from '../../catalog/reads/read-store.js'
import type { Database } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import { apart } from '../apart.js'
import type { ColumnEvent, ColumnState } from '../column-types.js'
import { type ForecastWork, type FutureChanges, type FutureOptions, forecastOf } from './future-changes.js'
import { gridDays } from './panel.js'

export interface ForecastRequest extends Pick<FutureOptions, 'limit'> {
  projectId: string
  horizonDays: number
  asOf?: Date
  currentSchema?: Readonly<Record<string, ColumnState>>
}

/** Columns times months that are looked at while somebody waits: a few seconds. Runs that learn take three times as many. */
const mostRows = 100_000
const monthMs = gridDays * 86_400_000

/** `predictFutureChanges` on a project's ledger. BAD_INPUT for one too large to be forecast while somebody waits; NOT_FOUND for one without snapshots. */
export async function forecastProject(database: Database, request: ForecastRequest): Promise<FutureChanges> {
  const { projectId, horizonDays, asOf, currentSchema, limit } = request
  const history = await database.transaction(
    async (client) => {
      const snapshots = await readSnapshots(client, { projectId })
      if (snapshots.length === 0 && !currentSchema)
        throw new EspalierError('NOT_FOUND', `project "${projectId}" has no snapshots to learn from`, { remedy: 'Ingest something first.' })
      const observedAt = snapshots.map((snapshot) => snapshot.observedAt)
      assertSize(projectId, await countColumnEvents(client, { projectId }), observedAt)
      const events: ColumnEvent[] = []
      for await (const part of columnEvents(client, { projectId })) events.push(...part)
      return { events, observedAt }
    },
    { isolation: 'repeatable read' },
  )
  const options = { ...(asOf ? { asOf } : {}), ...(limit ? { limit } : {}) }
  const work: ForecastWork = { history, currentSchema: currentSchema ?? null, horizonDays, options }
  return apart(new URL('./forecast-thread.js', import.meta.url), work, forecastOf)
}

function assertSize(projectId: string, pieces: number, observedAt: readonly Date[]): void {
  const times = observedAt.map(Number)
  const months =
    times.length > 0 ? Math.ceil((times.reduce((a, b) => Math.max(a, b)) - times.reduce((a, b) => Math.min(a, b))) / monthMs) + 1 : 1
  if (pieces * months <= mostRows) return
  throw new EspalierError(
    'BAD_INPUT',
    `project "${projectId}": ${pieces} versions of columns over ${months} months, expected at most ${mostRows} of both multiplied`,
    { remedy: 'Learn its patterns: temporalPatterns.combinedInsights.predictedChanges of a pattern set has the forecasts of the run.' },
  )
}
