import { type ChangeHistory, ChangeLearner } from './changes/change-history.js'
import { predictFutureChanges } from './changes/future-changes.js'
import { gridDays } from './changes/panel.js'
import { type ColumnEvent, type ColumnPatterns, ColumnTypeLearner, type TypeEvolution } from './column-types.js'
import { EntropyLearner, type EntropyMetric, type EntropyPatterns, type EntropyPoint, type NodeEntropy } from './metadata-entropy.js'
import { RelationshipLearner, type RelationshipPatterns } from './relationships.js'
import type { TemporalSources } from './temporal/sources.js'
import { learnTemporal, type PredictedChanges, type TemporalPatterns } from './temporal/temporal.js'
import { learnWorkflows, type WorkflowPatterns } from './workflow-patterns.js'

/** Where the learners read: each source is read once, front to back, in parts. */
export interface PatternSource {
  snapshots: readonly { id: string; observedAt: Date }[]
  /** every change of a column in order of time, and about how many there are */
  columns(): { total: number; parts: AsyncIterable<ColumnEvent[]> }
  /** what holds now: the nodes first, then the edges */
  nodes(): AsyncIterable<{ id: string | number; kind: string }[]>
  edges(): AsyncIterable<{ source: string | number; label: string; target: string | number }[]>
  /** points of one node together */
  metrics(): AsyncIterable<EntropyPoint[]>
  /** jobs, conditions and what connects them */
  workflow(): Promise<{ nodes: Parameters<typeof learnWorkflows>[0]; edges: Parameters<typeof learnWorkflows>[1] }>
  temporal: TemporalSources
  /** ids of the nodes whose metrics stand for the whole: the project's own */
  projectNodeId: string | null
}

export interface Patterns {
  columnPatterns: ColumnPatterns
  relationshipPatterns: RelationshipPatterns
  metricsPatterns: EntropyPatterns
  temporalPatterns: TemporalPatterns
  workflowPatterns: WorkflowPatterns
  schemaEvolution: ChangeHistory
  summary: {
    nodes: number
    edges: number
    snapshots: number
    uniqueColumnTypes: number
    uniqueLabels: number
    /** whether there is more than one moment to compare */
    hasHistoricalData: boolean
    /** the last moment that was observed; patterns are as of then */
    asOf: string | null
    learnedAt: string
  }
}

export const learningSteps = ['columns', 'relationships', 'metrics', 'workflows', 'temporal'] as const
export type LearningStep = (typeof learningSteps)[number]

export interface LearnSettings {
  now: Date
  signal?: AbortSignal
  /** `fraction` of all the work, 0 to 1; `note` when a step is done */
  onStep?(step: LearningStep, fraction: number, note?: string): void
  /** days ahead that changes are forecast for (default 90) */
  horizonDays?: number
}

/** Numbers beyond which lists are cut: a pattern set is read by people. */
const most = { nodes: 500, tables: 500, points: 200, events: 200_000, panelRows: 300_000, forecasts: 50 }

/**
 * Learns everything there is to learn of a project, in one pass over each source. What is held grows with what lives now and with what has changed, not
 * with how often it was looked at. An empty history gives zeros and nulls, never NaN.
 */
export async function learnPatterns(
  source: PatternSource,
  settings: LearnSettings,
): Promise<{ patterns: Patterns; learning: TypeEvolution }> {
  const { snapshots } = source
  const { now } = settings
  const last = snapshots.reduce((latest, { observedAt }) => Math.max(latest, observedAt.getTime()), Number.NEGATIVE_INFINITY)
  const asOf = Number.isFinite(last) ? new Date(last) : null
  const step = steps(settings)
  const columns = await step('columns', (progress) => learnColumns(source, asOf ?? now, progress))
  const relationshipPatterns = await step('relationships', () => learnRelations(source, settings.signal))
  const metricsPatterns = await step('metrics', () => learnMetrics(source, settings.signal))
  const workflowPatterns = await step('workflows', async () => {
    const { nodes, edges } = await source.workflow()
    return learnWorkflows(nodes, edges)
  })
  const temporalPatterns = await step('temporal', () =>
    learnTemporal(source.temporal, {
      now,
      quality: qualityOf(metricsPatterns, source.projectNodeId),
      predictedChanges: columns.predict(settings.horizonDays ?? 90),
      ...(settings.signal ? { signal: settings.signal } : {}),
    }),
  )
  const { columnPatterns, schemaEvolution, learning } = columns
  const summary = {
    nodes: relationshipPatterns.nodes,
    edges: relationshipPatterns.edges + relationshipPatterns.dangling,
    snapshots: snapshots.length,
    uniqueColumnTypes: Object.keys(columnPatterns.typeDistribution).length,
    uniqueLabels: new Set(relationshipPatterns.relationships.map((row) => row.label)).size,
    hasHistoricalData: new Set(snapshots.map((snapshot) => snapshot.observedAt.getTime())).size > 1,
    asOf: asOf?.toISOString() ?? null,
    learnedAt: now.toISOString(),
  }
  return {
    learning,
    patterns: { columnPatterns, relationshipPatterns, metricsPatterns, temporalPatterns, workflowPatterns, schemaEvolution, summary },
  }
}

/** Runs steps one after the other and says how far all of them are. */
function steps({ signal, onStep }: LearnSettings) {
  return async <T>(name: LearningStep, work: (progress: (fraction: number) => void) => Promise<T>): Promise<T> => {
    signal?.throwIfAborted()
    const [done, all] = [learningSteps.indexOf(name), learningSteps.length]
    const started = performance.now()
    onStep?.(name, done / all)
    const result = await work((fraction) => {
      signal?.throwIfAborted()
      onStep?.(name, (done + fraction) / all)
    })
    onStep?.(name, (done + 1) / all, `${name}: learned in ${((performance.now() - started) / 1000).toFixed(1)} s`)
    return result
  }
}

/** One pass over the columns' history for both its learners. */
async function learnColumns(source: PatternSource, asOf: Date, progress: (fraction: number) => void) {
  const [types, changes] = [new ColumnTypeLearner(), new ChangeLearner()]
  const { total, parts } = source.columns()
  let seen = 0
  let events: ColumnEvent[] | null = []
  for await (const part of parts) {
    for (const event of part) {
      types.learn(event)
      changes.learn(event)
    }
    seen += part.length
    if (seen > most.events) events = null
    else for (const event of part) events?.push(event)
    progress(total > 0 ? Math.min(1, seen / total) : 1)
  }
  const schemaEvolution = shortened(changes.summarize(asOf))
  const observedAt = source.snapshots.map((snapshot) => snapshot.observedAt)
  return {
    columnPatterns: types.summarize(asOf),
    ...{ schemaEvolution, learning: types.evolution() },
    predict: (horizonDays: number) => forecast(events, observedAt, schemaEvolution, horizonDays),
  }
}

/** The likeliest changes; of an estate too large to be looked at day by day, why there are none. */
function forecast(
  events: readonly ColumnEvent[] | null,
  observedAt: readonly Date[],
  { evolutionStatistics: { liveColumns, days } }: ChangeHistory,
  horizonDays: number,
): PredictedChanges {
  const rows = liveColumns * (days / gridDays + 1)
  if (!events || rows > most.panelRows) {
    const size = events ? `${Math.round(rows)} columns times months` : `more than ${most.events} changes`
    return { state: 'failed', reason: `not forecast: ${size}, expected at most ${most[events ? 'panelRows' : 'events']}` }
  }
  const { asOf, changes, trainedOn } = predictFutureChanges({ events, observedAt }, null, horizonDays, { limit: most.forecasts })
  return { state: 'read', asOf, horizonDays, changes, trainedOn }
}

async function learnRelations(source: PatternSource, signal?: AbortSignal): Promise<RelationshipPatterns> {
  const learner = new RelationshipLearner()
  for await (const part of source.nodes()) {
    for (const { id, kind } of part) learner.node(id, kind)
    signal?.throwIfAborted()
  }
  for await (const part of source.edges()) {
    for (const { source: from, label, target } of part) learner.edge(from, label, target)
    signal?.throwIfAborted()
  }
  return learner.summarize()
}

async function learnMetrics(source: PatternSource, signal?: AbortSignal): Promise<EntropyPatterns> {
  const learner = new EntropyLearner(most.nodes, source.projectNodeId)
  for await (const part of source.metrics()) {
    for (const point of part) learner.learn(point)
    signal?.throwIfAborted()
  }
  return learner.summarize()
}

/** The series that stand for the whole: those of the project's node. */
function qualityOf({ nodes }: EntropyPatterns, projectNodeId: string | null) {
  const own: NodeEntropy | undefined = nodes.find(({ nodeId }) => nodeId === projectNodeId)
  return Object.entries(own?.metrics ?? {}).map(([metric, pattern]) => ({ metric: metric as EntropyMetric, pattern }))
}

/** Curves and lists as people can read them: every n-th point of a long curve, the last one kept. */
function shortened(history: ChangeHistory): ChangeHistory {
  const { changePatterns, evolutionStatistics } = history
  const thin = <T>(rows: readonly T[]): T[] => {
    const step = Math.ceil(rows.length / most.points)
    return step <= 1 ? [...rows] : rows.filter((_, i) => (rows.length - 1 - i) % step === 0)
  }
  const { columnSurvival, tableSurvival } = evolutionStatistics
  return {
    ...history,
    changePatterns: {
      ...changePatterns,
      typeTransitions: changePatterns.typeTransitions.slice(0, most.tables),
      tableEvolution: changePatterns.tableEvolution.slice(0, most.tables),
    },
    evolutionStatistics: {
      ...evolutionStatistics,
      columnSurvival: { ...columnSurvival, points: thin(columnSurvival.points) },
      tableSurvival: { ...tableSurvival, points: thin(tableSurvival.points) },
    },
  }
}
