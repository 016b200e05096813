import type { GraphTimes } from './sources.js'

/** The slice of the graph's port that is needed. */
export interface GraphReader {
  readonly name: string
  read(query: {
    text: string
    parameters?: Readonly<Record<string, unknown>>
    limit?: number
    timeoutMs?: number
  }): Promise<{ columns: string[]; rows: unknown[][]; isPartial: boolean }>
}

const kindsQuery = `MATCH (n:Node) WHERE n.project_id = $project
RETURN labels(n) AS labels, count(*) AS nodes, min(n.updated_at) AS first, max(n.updated_at) AS last`
const monthsQuery = `MATCH (n:Node) WHERE n.project_id = $project AND n.updated_at IS NOT NULL
RETURN substring(toString(n.updated_at), 0, 7) AS month, count(*) AS nodes`
const metricsQuery = `MATCH (n:Node) WHERE n.project_id = $project AND n.metrics_calculated_at IS NOT NULL
RETURN count(*) AS nodes, min(n.metrics_calculated_at) AS first, max(n.metrics_calculated_at) AS last, avg(n.metadata_entropy) AS entropy, avg(n.kl_divergence) AS kl`

/** A moment as ISO text; engines print it with more or fewer digits. */
const text = (value: unknown): string | null => {
  const date = typeof value === 'string' ? new Date(value) : null
  return date && !Number.isNaN(date.getTime()) ? date.toISOString() : null
}
const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)
const kindOf = (labels: unknown): string =>
  Array.isArray(labels) ? (labels.filter((label) => label !== 'Node')[0] ?? 'Node') : String(labels)

/** What the graph says of the times of a project's nodes, in three aggregating reads. */
export async function readGraphTimes(graph: GraphReader, projectId: string): Promise<GraphTimes> {
  const read = async (query: string) =>
    (await graph.read({ text: query, parameters: { project: projectId }, limit: 10_000, timeoutMs: 30_000 })).rows
  const kinds = new Map<string, GraphTimes['kinds'][number]>()
  for (const [labels, nodes, first, last] of await read(kindsQuery)) {
    const kind = kindOf(labels)
    kinds.set(kind, { kind, nodes: number(nodes) ?? 0, firstUpdatedAt: text(first), lastUpdatedAt: text(last) })
  }
  const months = (await read(monthsQuery)).map(([month, nodes]) => ({ month: String(month), nodes: number(nodes) ?? 0 }))
  const [nodes, first, last, entropy, kl] = (await read(metricsQuery))[0] ?? []
  return {
    engine: graph.name,
    kinds: [...kinds.values()].sort((a, b) => (a.kind < b.kind ? -1 : 1)),
    months: months.sort((a, b) => (a.month < b.month ? -1 : 1)),
    metrics: {
      ...{ nodes: number(nodes) ?? 0, firstCalculatedAt: text(first), lastCalculatedAt: text(last) },
      ...{ meanEntropy: number(entropy), meanKl: number(kl) },
    },
  }
}
