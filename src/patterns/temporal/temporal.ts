import type { Estimate } from '../../statistics/intervals.js'
import { poissonRate } from '../../statistics/poisson.js'
import type { NodeKind } from '../../vocabulary.js'
import type { FutureChange } from '../changes/future-changes.js'
import { type SeriesPattern, seriesPattern, type Trend } from '../metadata-entropy.js'
import { cadenceOf, type Rhythm, rhythmOf } from './rhythm.js'
import {
  type Asked,
  ask,
  type ExportTimes,
  type GraphTimes,
  type LedgerTimes,
  type StatedTimes,
  sourceNames,
  type TemporalSource,
  type TemporalSources,
} from './sources.js'

type Cadence = ReturnType<typeof cadenceOf>
/** A part of the answer: what a source told, or why it could not be asked. */
export type Part<T> = ({ state: 'read' } & T) | Extract<Asked<never>, { state: 'failed' }>

export interface QualityTrend extends Trend {
  metric: 'metadata_entropy' | 'kl_divergence' | 'column_count'
  source: string
  n: number
}

export interface TemporalPatterns {
  /** json_with_changes: what files say of when columns changed */
  evolutionPatterns: Part<StatedTimes & { rhythm: Rhythm }>
  /** Glean: exports and the metrics of their manifests */
  temporalMetrics: Part<
    { transport: string; place: string; daysBack: number; exports: Cadence } & Record<
      'metadataEntropy' | 'klDivergence' | 'columnCount',
      SeriesPattern | null
    >
  >
  postgresTemporal: Part<{
    changes: number
    byKind: Record<string, number>
    rhythm: Rhythm
    snapshots: Cadence
    updatedAt: LedgerTimes['updatedAt']
  }>
  neo4jTemporal: Part<
    GraphTimes & {
      /** of the catalog: runs, artifacts and datasets are not counted */
      nodes: number
      firstUpdatedAt: string | null
      lastUpdatedAt: string | null
      /** beside the ledger, whose projection the graph is; null where the ledger could not be asked */
      ledger: { nodes: number; lastUpdatedAt: string | null; isSame: boolean } | null
    }
  >
  combinedInsights: {
    /** null where the ledger could not be asked, or watched no time */
    schemaEvolutionRate: { changes: number; days: number; perMonth: Estimate; perColumnYear: Estimate | null } | null
    qualityTrends: QualityTrend[]
    predictedChanges: PredictedChanges
    dataSources: {
      name: string
      state: 'read' | 'failed'
      records: number | null
      from: string | null
      to: string | null
      reason: string | null
    }[]
  }
}

/** The likeliest changes, or why none are told. */
export type PredictedChanges =
  | {
      state: 'read'
      asOf: string
      horizonDays: number
      changes: FutureChange[]
      trainedOn: { windows: number; columnRows: number; tableRows: number }
    }
  | { state: 'failed'; reason: string }

/** What other learners of the same run found. */
export interface TemporalContext {
  now: Date
  /** series of the project's own metrics in the ledger */
  quality: readonly { metric: QualityTrend['metric']; pattern: SeriesPattern }[]
  predictedChanges: PredictedChanges
  signal?: AbortSignal
}

/** Which changes are of the schema: nodes that come and go, types, nullability, names. */
const schemaKinds: ReadonlySet<string> = new Set(['node_added', 'node_removed', 'type_changed', 'nullability_changed', 'renamed'])
const monthDays = 365.25 / 12
const dayMs = 86_400_000
const iso = (date: Date | null | undefined) => date?.toISOString() ?? null

/** Asks every source and puts together what they tell. One that cannot be asked is named with its reason. */
export async function learnTemporal(sources: TemporalSources, context: TemporalContext): Promise<TemporalPatterns> {
  const { signal } = context
  const [ledger, graph, glean, changeFiles] = [
    await ask(() => sources.ledger(), signal),
    await ask(() => sources.graph(), signal),
    await ask(() => sources.glean(), signal),
    await ask(() => sources.changeFiles(), signal),
  ]
  const exports = part(glean, exportPatterns)
  return {
    evolutionPatterns: part(changeFiles, statedPatterns),
    temporalMetrics: exports,
    postgresTemporal: part(ledger, (times) => ledgerPatterns(times, context.now)),
    neo4jTemporal: part(graph, (times) => graphPatterns(times, ledger)),
    combinedInsights: {
      schemaEvolutionRate: ledger.state === 'read' ? evolutionRate(ledger.value) : null,
      qualityTrends: [
        ...context.quality.flatMap(({ metric, pattern }) => trendOf(metric, sourceNames.ledger, pattern)),
        ...(exports.state === 'read'
          ? [
              ...trendOf('metadata_entropy', sourceNames.glean, exports.metadataEntropy),
              ...trendOf('kl_divergence', sourceNames.glean, exports.klDivergence),
              ...trendOf('column_count', sourceNames.glean, exports.columnCount),
            ]
          : []),
      ],
      predictedChanges: context.predictedChanges,
      dataSources: [
        told('ledger', ledger, ({ changes, observedAt }) => ({
          records: sum(changes),
          span: [iso(observedAt[0]), iso(observedAt.at(-1))],
        })),
        told('graph', graph, ({ kinds }) => ({
          records: kinds.reduce((n, { nodes }) => n + nodes, 0),
          span: [least(kinds.map((k) => k.firstUpdatedAt)), most(kinds.map((k) => k.lastUpdatedAt))],
        })),
        told('glean', glean, (times) => {
          const { first, last } = cadenceOf(momentsOf(times))
          return { records: times.exports.length, span: [first, last] }
        }),
        told('changeFiles', changeFiles, ({ months, first, last }) => ({
          records: months.reduce((n, { versions }) => n + versions, 0),
          span: [iso(first), iso(last)],
        })),
      ],
    },
  }
}

const sum = (rows: readonly { count: number }[]) => rows.reduce((n, { count }) => n + count, 0)
const least = (times: readonly (string | null)[]) => times.filter((time) => time !== null).sort()[0] ?? null
const most = (times: readonly (string | null)[]) =>
  times
    .filter((time) => time !== null)
    .sort()
    .at(-1) ?? null
const momentsOf = ({ exports }: ExportTimes): Date[] => exports.flatMap(({ exportedAt }) => (exportedAt ? [exportedAt] : []))

const part = <T, P extends object>(asked: Asked<T>, patterns: (value: T) => P): Part<P> =>
  asked.state === 'read' ? { state: 'read', ...patterns(asked.value) } : asked

function told<T>(
  source: TemporalSource,
  asked: Asked<T>,
  measure: (value: T) => { records: number; span: [string | null, string | null] },
) {
  const name = sourceNames[source]
  if (asked.state === 'failed') return { name, state: asked.state, records: null, from: null, to: null, reason: asked.reason }
  const { records, span } = measure(asked.value)
  return { name, state: asked.state, records, from: span[0], to: span[1], reason: null }
}

const trendOf = (metric: QualityTrend['metric'], source: string, pattern: SeriesPattern | null): QualityTrend[] =>
  pattern?.trend ? [{ metric, source, n: pattern.n, ...pattern.trend }] : []

const statedPatterns = (times: StatedTimes) => ({
  ...times,
  rhythm: rhythmOf(
    times.months.map(({ month, versions }) => ({ day: `${month}-01`, count: versions })),
    times.first,
    times.last,
  ),
})

function exportPatterns(times: ExportTimes) {
  const { transport, place, daysBack } = times
  const series = (measure: 'metadataEntropy' | 'klDivergence' | 'columnCount') => {
    const points = times.exports.flatMap(({ trueAt, [measure]: value }) => (trueAt && value !== null ? [[trueAt.getTime(), value]] : []))
    return points.length > 0 ? seriesPattern(Object.fromEntries(points)) : null
  }
  return {
    ...{ transport, place, daysBack, exports: cadenceOf(momentsOf(times)) },
    ...{ metadataEntropy: series('metadataEntropy'), klDivergence: series('klDivergence'), columnCount: series('columnCount') },
  }
}

function ledgerPatterns({ changes, observedAt, updatedAt }: LedgerTimes, now: Date) {
  const byKind: Record<string, number> = {}
  for (const { kind, count } of changes) byKind[kind] = (byKind[kind] ?? 0) + count
  const last = observedAt.at(-1) ?? null
  return {
    ...{ changes: sum(changes), byKind, snapshots: cadenceOf(observedAt), updatedAt },
    rhythm: rhythmOf(changes, observedAt[0] ?? null, last && last > now ? now : last),
  }
}

/** What the graph holds besides the catalog: its times are those of work, not of the estate. */
const besides: ReadonlySet<string> = new Set<NodeKind>(['Run', 'Artifact', 'DatasetVersion'])

function graphPatterns(times: GraphTimes, ledger: Asked<LedgerTimes>) {
  const kinds = times.kinds.filter(({ kind }) => !besides.has(kind))
  const nodes = kinds.reduce((n, kind) => n + kind.nodes, 0)
  const lastUpdatedAt = most(kinds.map((kind) => kind.lastUpdatedAt))
  const beside = ledger.state === 'read' ? ledger.value.updatedAt : null
  return {
    ...{ ...times, nodes, firstUpdatedAt: least(kinds.map((kind) => kind.firstUpdatedAt)), lastUpdatedAt },
    ledger: beside && {
      nodes: beside.nodes,
      lastUpdatedAt: iso(beside.last),
      isSame: beside.nodes === nodes && iso(beside.last) === lastUpdatedAt,
    },
  }
}

function evolutionRate({ changes, observedAt, columnDays }: LedgerTimes): TemporalPatterns['combinedInsights']['schemaEvolutionRate'] {
  const [first, last] = [observedAt[0], observedAt.at(-1)]
  const days = first && last ? (last.getTime() - first.getTime()) / dayMs : 0
  const happened = sum(changes.filter(({ kind }) => schemaKinds.has(kind)))
  const perMonth = poissonRate(happened, days / monthDays)
  return perMonth && { changes: happened, days, perMonth, perColumnYear: poissonRate(happened, columnDays / 365.25) }
}
