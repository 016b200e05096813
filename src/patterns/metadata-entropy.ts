import { type ChangePoint, changePoints } from '../statistics/change-points.js'
import { type Correlation, pearson, spearman } from '../statistics/correlation.js'
import { type Summary, summarize } from '../statistics/summary.js'
import { mannKendall, theilSen } from '../statistics/trend.js'
import { memberOf, setMember } from '../util/record.js'

/** A metric at a moment: what the ledger stores per table, system or project. */
export interface EntropyPoint {
  nodeId: string
  name: string
  at: Date
  value: number
}

/** The metrics that the learner reads, by their names in the ledger. */
export const entropyMetrics = ['metadata_entropy', 'kl_divergence', 'column_count'] as const
export type EntropyMetric = (typeof entropyMetrics)[number]

/** Values by node, metric and time (ms as text): a plain value that learning goes on from. Points may come in any order. */
export interface EntropyLearning {
  series: Record<string, Record<string, Record<string, number>>>
}

export const emptyEntropy = (): EntropyLearning => ({ series: {} })

/**
 * Adds points to what was learned; of two for one node, metric and moment the larger counts, so that the order of arrival does not matter.
 * Points of other metrics and values that are not finite are left out. Returns a new value.
 */
export function learnMetadataEntropy(points: Iterable<EntropyPoint>, before: EntropyLearning = emptyEntropy()): EntropyLearning {
  const learning = structuredClone(before)
  const wanted: ReadonlySet<string> = new Set(entropyMetrics)
  for (const { nodeId, name, at, value } of points) {
    if (!wanted.has(name) || !Number.isFinite(value)) continue
    const ofNode = memberOf(learning.series, nodeId, () => ({}))
    const values = memberOf(ofNode, name, (): Record<string, number> => ({}))
    const key = String(at.getTime())
    setMember(values, key, Math.max(values[key] ?? Number.NEGATIVE_INFINITY, value))
  }
  return learning
}

export interface Trend {
  /** change a day, by Theil-Sen on real time */
  perDay: number
  /** two-sided, by Mann-Kendall; null below three moments */
  pValue: number | null
  direction: 'increasing' | 'decreasing' | 'none'
}

export interface SeriesPattern extends Summary {
  /** null below two moments */
  trend: Trend | null
  changePoints: (Omit<ChangePoint, 'index'> & { at: string })[]
}

export interface NodeEntropy {
  nodeId: string
  metrics: Partial<Record<EntropyMetric, SeriesPattern>>
  /** of entropy and KL divergence at the moments that have both: Pearson's, and of ranks */
  entropyKlCorrelation: Correlation
  entropyKlRankCorrelation: Correlation
}

export interface EntropyPatterns {
  nodes: NodeEntropy[]
  /** all values of a metric together, over nodes and time */
  overall: Record<EntropyMetric, Summary>
  points: number
}

const dayMs = 86_400_000
/** Theil-Sen looks at all pairs: longer series are thinned evenly, the last value kept. */
const mostPoints = 1000

const inTime = (values: Record<string, number>): [number, number][] =>
  Object.entries(values)
    .map(([time, value]) => [Number(time), value] as [number, number])
    .sort(([a], [b]) => a - b)

function thinned<T>(rows: readonly T[]): readonly T[] {
  const step = Math.ceil(rows.length / mostPoints)
  return step <= 1 ? rows : rows.filter((_, i) => (rows.length - 1 - i) % step === 0)
}

function seriesPattern(values: Record<string, number>): SeriesPattern {
  const all = inTime(values)
  const rows = thinned(all)
  const [days, y] = [rows.map(([time]) => (time - rows[0]![0]) / dayMs), rows.map(([, value]) => value)]
  const slope = theilSen(days, y)
  const test = mannKendall(days, y)
  return {
    ...summarize(all.map(([, value]) => value)),
    trend: slope && { perDay: slope.slope, pValue: test?.pValue ?? null, direction: test?.trend ?? 'none' },
    changePoints: changePoints(y).map(({ index, before, after }) => ({ at: new Date(rows[index]![0]).toISOString(), before, after })),
  }
}

function correlationsOf(entropy: Record<string, number>, kl: Record<string, number>) {
  const both = inTime(entropy).filter(([time]) => Object.hasOwn(kl, String(time)))
  const [x, y] = [both.map(([, value]) => value), both.map(([time]) => kl[String(time)]!)]
  return { entropyKlCorrelation: pearson(x, y), entropyKlRankCorrelation: spearman(x, y) }
}

/** What the series say: level, spread, trend on real time, breaks, and whether entropy and divergence go together. */
export function summarizeMetadataEntropy({ series }: EntropyLearning): EntropyPatterns {
  const ids = Object.keys(series).sort()
  const valuesOf = (id: string, metric: EntropyMetric): Record<string, number> => series[id]![metric] ?? {}
  const nodes = ids.map((nodeId) => ({
    nodeId,
    metrics: Object.fromEntries(
      entropyMetrics.flatMap((metric) => {
        const values = valuesOf(nodeId, metric)
        return Object.keys(values).length > 0 ? [[metric, seriesPattern(values)]] : []
      }),
    ),
    ...correlationsOf(valuesOf(nodeId, 'metadata_entropy'), valuesOf(nodeId, 'kl_divergence')),
  }))
  const everything = (metric: EntropyMetric) => ids.flatMap((id) => inTime(valuesOf(id, metric)).map(([, value]) => value))
  const overall = Object.fromEntries(entropyMetrics.map((metric) => [metric, summarize(everything(metric))]))
  return {
    nodes,
    overall: overall as Record<EntropyMetric, Summary>,
    points: entropyMetrics.reduce((sum, metric) => sum + everything(metric).length, 0),
  }
}
