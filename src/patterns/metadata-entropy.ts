import { type ChangePoint, changePoints } from '../statistics/change-points.js'
import { type Correlation, pearson, spearman } from '../statistics/correlation.js'
import { type Summary, summarize } from '../statistics/summary.js'
import { mannKendall, theilSen } from '../statistics/trend.js'
import { memberOf, ownMember, setMember } from '../util/record.js'

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
  for (const point of points) if (wantedMetrics.has(point.name) && Number.isFinite(point.value)) put(learning, point)
  return learning
}

const wantedMetrics: ReadonlySet<string> = new Set(entropyMetrics)

function put(learning: EntropyLearning, { nodeId, name, at, value }: EntropyPoint): void {
  const ofNode = memberOf(learning.series, nodeId, () => ({}))
  const values = memberOf(ofNode, name, (): Record<string, number> => ({}))
  const key = String(at.getTime())
  setMember(values, key, Math.max(values[key] ?? Number.NEGATIVE_INFINITY, value))
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
  /** how many nodes there are, told one by one or not */
  nodeCount: number
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

/** Level, spread, trend and breaks of one series: values by time (ms as text). */
export function seriesPattern(values: Record<string, number>): SeriesPattern {
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

type NodeSeries = Record<string, Record<string, number>>

function nodeEntropy(nodeId: string, series: NodeSeries): NodeEntropy {
  const valuesOf = (metric: EntropyMetric): Record<string, number> => series[metric] ?? {}
  return {
    nodeId,
    metrics: Object.fromEntries(
      entropyMetrics.flatMap((metric) => {
        const values = valuesOf(metric)
        return Object.keys(values).length > 0 ? [[metric, seriesPattern(values)]] : []
      }),
    ),
    ...correlationsOf(valuesOf('metadata_entropy'), valuesOf('kl_divergence')),
  }
}

/** Learns point by point, those of one node together: one node's series are held at a time. */
export class EntropyLearner {
  #nodes: NodeEntropy[] = []
  #nodeCount = 0
  #current: { nodeId: string; series: EntropyLearning } | null = null
  readonly #everything = new Map<EntropyMetric, number[]>(entropyMetrics.map((metric) => [metric, []]))
  readonly #most: number
  readonly #always: string | null

  /** `most`: nodes that are told one by one: `always`, then those with the most points */
  constructor(most = Number.POSITIVE_INFINITY, always: string | null = null) {
    this.#most = most
    this.#always = always
  }

  learn({ nodeId, name, at, value }: EntropyPoint): void {
    if (!wantedMetrics.has(name) || !Number.isFinite(value)) return
    if (this.#current?.nodeId !== nodeId) {
      this.#settle()
      this.#current = { nodeId, series: emptyEntropy() }
    }
    put(this.#current!.series, { nodeId, name, at, value })
  }

  #settle(): void {
    if (!this.#current) return
    const { nodeId, series } = this.#current
    const own = ownMember(series.series, nodeId)!
    this.#current = null
    this.#nodeCount++
    for (const metric of entropyMetrics) {
      const values = this.#everything.get(metric)!
      for (const [, value] of inTime(own[metric] ?? {})) values.push(value)
    }
    this.#nodes.push(nodeEntropy(nodeId, own))
    if (this.#nodes.length > 2 * this.#most) this.#prune()
  }

  #prune(): void {
    const points = ({ nodeId, metrics }: NodeEntropy) =>
      nodeId === this.#always ? Number.POSITIVE_INFINITY : Object.values(metrics).reduce((sum, { n }) => sum + n, 0)
    this.#nodes.sort((a, b) => points(b) - points(a) || (a.nodeId < b.nodeId ? -1 : 1))
    this.#nodes = this.#nodes.slice(0, this.#most)
  }

  summarize(): EntropyPatterns {
    this.#settle()
    if (this.#nodes.length > this.#most) this.#prune()
    const overall = Object.fromEntries(entropyMetrics.map((metric) => [metric, summarize(this.#everything.get(metric)!)]))
    return {
      nodes: [...this.#nodes].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1)),
      nodeCount: this.#nodeCount,
      overall: overall as Record<EntropyMetric, Summary>,
      points: [...this.#everything.values()].reduce((sum, values) => sum + values.length, 0),
    }
  }
}

/** What the series say: level, spread, trend on real time, breaks, and whether entropy and divergence go together. */
export function summarizeMetadataEntropy({ series }: EntropyLearning): EntropyPatterns {
  const learner = new EntropyLearner()
  for (const nodeId of Object.keys(series).sort())
    for (const [name, values] of Object.entries(series[nodeId]!))
      for (const [time, value] of inTime(values)) learner.learn({ nodeId, name, at: new Date(time), value })
  return learner.summarize()
}
