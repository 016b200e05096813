import { z } from 'zod'
import { columnNullable, columnOrdinal, columnTypeText } from '../catalog/column.js'
import type { GleanManifest } from '../catalog/glean/decode.js'
import { EspalierError } from '../util/error.js'
import { factProblems } from '../util/fact-problems.js'
import { type CatalogEdge, type CatalogNode, edgeLabels, nodeKinds, type Properties } from '../vocabulary.js'
import { apart } from './apart.js'
import type { ColumnEvent } from './column-types.js'
import { learnPatterns, type PatternSource, type Patterns } from './learn.js'
import type { EntropyPoint } from './metadata-entropy.js'
import { notGiven } from './temporal/sources.js'

/** What a caller hands in instead of a ledger; only nodes and edges are needed. */
export interface GivenFacts {
  nodes: readonly CatalogNode[]
  edges: readonly CatalogEdge[]
  metrics?: readonly EntropyPoint[]
  /** manifests of exports, as the Glean client gives them */
  manifests?: readonly Pick<
    GleanManifest,
    'exportedAt' | 'metricsCalculatedAt' | 'metadataEntropy' | 'klDivergence' | 'columnCount' | 'nodeCount'
  >[]
  /** columns over time, in any order; without them columns are as the nodes say, at `observedAt` */
  events?: readonly ColumnEvent[]
  /** when this was so */
  observedAt: Date
}

/** The columns among nodes, as if they had come at one moment. */
export function columnsAsEvents(nodes: readonly CatalogNode[], edges: readonly CatalogEdge[], at: Date): ColumnEvent[] {
  const tables = new Map(edges.flatMap(({ sourceId, label, targetId }) => (label === 'HAS_COLUMN' ? [[targetId, sourceId] as const] : [])))
  return nodes.flatMap(({ id, kind, name, properties: p }) => {
    if (kind !== 'Column') return []
    const column = { name, type: columnTypeText(p), nullable: columnNullable(p), ordinal: columnOrdinal(p), table: tables.get(id) ?? '' }
    return [{ at, columnId: id, column }]
  })
}

async function* whole<T>(rows: readonly T[]): AsyncGenerator<T[]> {
  if (rows.length > 0) yield [...rows]
}

const byNode = (a: EntropyPoint, b: EntropyPoint) => (a.nodeId < b.nodeId ? -1 : a.nodeId > b.nodeId ? 1 : a.at.getTime() - b.at.getTime())
const inTime = (a: ColumnEvent, b: ColumnEvent) => a.at.getTime() - b.at.getTime() || (a.columnId < b.columnId ? -1 : 1)

/** Facts in hand as a source of patterns. What was not handed in is told as failed by the temporal learner, never as empty. */
export function givenSource({ nodes, edges, metrics = [], manifests, events, observedAt }: GivenFacts): PatternSource {
  const columns = [...(events ?? columnsAsEvents(nodes, edges, observedAt))].sort(inTime)
  const moments = [...new Set([...columns.map(({ at }) => at.getTime()), observedAt.getTime()])].sort((a, b) => a - b)
  return {
    snapshots: moments.map((time) => ({ id: new Date(time).toISOString(), observedAt: new Date(time) })),
    columns: () => ({ total: columns.length, parts: whole(columns) }),
    nodes: () => whole(nodes),
    edges: () => whole(edges.map(({ sourceId, label, targetId }) => ({ source: sourceId, label, target: targetId }))),
    metrics: () => whole([...metrics].sort(byNode)),
    workflow: async () => ({ nodes, edges }),
    temporal: {
      ledger: notGiven('ledger'),
      graph: notGiven('graph'),
      changeFiles: notGiven('change files'),
      glean: manifests
        ? async () => ({
            ...{ transport: 'given', place: 'by the caller', daysBack: 0 },
            exports: manifests.map((manifest) => ({ ...manifest, trueAt: manifest.metricsCalculatedAt ?? manifest.exportedAt })),
          })
        : notGiven('Glean manifests'),
    },
    projectNodeId: nodes.find(({ kind }) => kind === 'Project')?.id ?? null,
  }
}

/** What the thread is given (given-thread.ts). */
export interface GivenWork {
  facts: GivenFacts
  now: Date
}

/** All patterns of facts in hand. */
export const learnGiven = async ({ facts, now }: GivenWork): Promise<Patterns> =>
  (await learnPatterns(givenSource(facts), { now })).patterns

/** The same for facts from outside, apart from whoever is served meanwhile; BAD_INPUT lists what is wrong with them. */
export const patternsOfFacts = (facts: unknown, now: Date): Promise<Patterns> =>
  apart(new URL('./given-thread.js', import.meta.url), { facts: parseGivenFacts(facts, now), now }, learnGiven)

const moment = z.iso.datetime({ offset: true }).or(z.iso.date())
const properties = z.record(z.string(), z.json()).default({})
const number = z.number().nullish().default(null)
const given = z.object({
  nodes: z.array(z.object({ id: z.string(), kind: z.enum(nodeKinds), name: z.string().optional(), properties })),
  edges: z.array(
    z.object({ sourceId: z.string(), label: z.enum(edgeLabels), targetId: z.string(), discriminator: z.string().default(''), properties }),
  ),
  metrics: z.array(z.object({ nodeId: z.string(), name: z.string(), at: moment, value: z.number() })).optional(),
  manifests: z
    .array(
      z.object({
        exportedAt: moment.nullish(),
        metricsCalculatedAt: moment.nullish(),
        metadataEntropy: number,
        klDivergence: number,
        columnCount: number,
        nodeCount: number,
      }),
    )
    .optional(),
  events: z
    .array(
      z.object({
        at: moment,
        columnId: z.string(),
        column: z
          .object({
            name: z.string(),
            type: z.string(),
            nullable: z.boolean().nullish().default(null),
            ordinal: z.number().nullish().default(null),
            table: z.string(),
          })
          .nullable(),
      }),
    )
    .optional(),
  observedAt: moment.optional(),
})

const dateOf = (text: string | null | undefined): Date | null => (text ? new Date(text) : null)

/** Reads facts that came from outside; BAD_INPUT lists what is wrong with them. */
export function parseGivenFacts(facts: unknown, now: Date): GivenFacts {
  const parsed = given.safeParse(facts, { reportInput: true })
  if (!parsed.success)
    throw new EspalierError(
      'BAD_INPUT',
      `facts: ${parsed.error.issues.length} problem(s), the first at ${parsed.error.issues[0]!.path.join('.')}`,
      {
        problems: factProblems(parsed.error),
        remedy: 'Hand in nodes and edges as the catalog gives them.',
      },
    )
  const { nodes, edges, metrics, manifests, events, observedAt } = parsed.data
  const common = { projectId: '', systemId: '' }
  return {
    nodes: nodes.map((node) => ({
      ...common,
      ...node,
      name: node.name ?? node.id,
      qualifiedName: node.id,
      properties: node.properties as Properties,
    })),
    edges: edges.map((edge) => ({ ...common, ...edge, properties: edge.properties as Properties })),
    ...(metrics ? { metrics: metrics.map((point) => ({ ...point, at: new Date(point.at) })) } : {}),
    ...(manifests
      ? {
          manifests: manifests.map((m) => ({ ...m, exportedAt: dateOf(m.exportedAt), metricsCalculatedAt: dateOf(m.metricsCalculatedAt) })),
        }
      : {}),
    ...(events ? { events: events.map((event) => ({ ...event, at: new Date(event.at) })) } : {}),
    observedAt: observedAt ? new Date(observedAt) : now,
  }
}
