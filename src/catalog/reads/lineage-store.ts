import type { Sql } from '../../postgres/sql.js'
import type { CatalogEdge, CatalogNode, EdgeLabel } from '../../vocabulary.js'
import { readEdgesOf, readNodesById } from './read-store.js'

/** Edges that data (or control) flows along, and whether it flows with the arrow or against it. */
const flow: Partial<Record<EdgeLabel, 'along' | 'against'>> = {
  DATA_FLOW: 'along',
  WRITES: 'along',
  READS: 'against',
  EXECUTES: 'along',
}
export const lineageLabels = Object.keys(flow) as EdgeLabel[]

export interface LineageOptions {
  direction: 'upstream' | 'downstream' | 'both'
  /** steps from the start (default 5) */
  depth?: number
  /** nodes at most, the start not counted (default 1,000) */
  nodeBudget?: number
  asOf?: Date
  /** default: every label of `lineageLabels` */
  labels?: readonly EdgeLabel[]
}

export interface Lineage {
  /** the start first, then by distance and id */
  nodes: (CatalogNode & { distance: number })[]
  /** all edges walked between these nodes */
  edges: CatalogEdge[]
  /** there is more: the depth or the budget ended the walk */
  isPartial: boolean
}

type Way = 'upstream' | 'downstream'

interface Step {
  edge: CatalogEdge
  /** the node that the step leads to */
  to: string
}

/** One step from all these nodes. */
async function stepsFrom(sql: Sql, ids: readonly string[], way: Way, { asOf, labels = lineageLabels }: LineageOptions): Promise<Step[]> {
  const walk = async (direction: 'out' | 'in', kind: 'along' | 'against'): Promise<Step[]> => {
    const chosen = labels.filter((label) => (flow[label] ?? 'along') === kind)
    if (chosen.length === 0) return []
    const edges = (await readEdgesOf(sql, ids, direction, { labels: chosen, ...(asOf ? { asOf } : {}) })).flat()
    return edges.map((edge) => ({ edge, to: direction === 'out' ? edge.targetId : edge.sourceId }))
  }
  return way === 'downstream'
    ? [...(await walk('out', 'along')), ...(await walk('in', 'against'))]
    : [...(await walk('in', 'along')), ...(await walk('out', 'against'))]
}

const edgeName = (e: CatalogEdge) => [e.sourceId, e.label, e.targetId, e.discriminator, e.systemId].join('\n')

/** What a walk has seen so far. */
interface Walk {
  distances: Map<string, number>
  edges: Map<string, CatalogEdge>
  isPartial: boolean
}

async function walkOneWay(sql: Sql, id: string, way: Way, options: LineageOptions, walk: Walk): Promise<void> {
  const { depth = 5, nodeBudget = 1_000 } = options
  const visited = new Set([id])
  // one step past the depth tells whether there is more
  for (let frontier = [id], distance = 1; frontier.length > 0 && distance <= depth + 1; distance++) {
    const next: string[] = []
    for (const { edge, to } of await stepsFrom(sql, frontier, way, options)) {
      const isNew = !visited.has(to)
      const isKnown = walk.distances.has(to)
      if (isNew && (distance > depth || (!isKnown && walk.distances.size > nodeBudget))) {
        walk.isPartial = true
        continue
      }
      if (distance <= depth || !isNew) walk.edges.set(edgeName(edge), edge)
      if (!isNew) continue
      visited.add(to)
      next.push(to)
      if (!isKnown) walk.distances.set(to, distance)
    }
    frontier = next.sort()
  }
}

/** Where data comes from and goes to, breadth first: the nearest come first, and a cut is told. Null where the node does not exist. */
export async function readLineage(sql: Sql, id: string, options: LineageOptions): Promise<Lineage | null> {
  const moment = options.asOf ? { asOf: options.asOf } : {}
  if ((await readNodesById(sql, [id], moment))[0] === null) return null
  const walk: Walk = { distances: new Map([[id, 0]]), edges: new Map(), isPartial: false }
  for (const way of options.direction === 'both' ? (['upstream', 'downstream'] as const) : [options.direction])
    await walkOneWay(sql, id, way, options, walk)
  const found = await readNodesById(sql, [...walk.distances.keys()], moment)
  const nodes = found.flatMap((node) => (node ? [{ ...node, distance: walk.distances.get(node.id)! }] : []))
  nodes.sort((a, b) => a.distance - b.distance || (a.id < b.id ? -1 : 1))
  return { nodes, edges: [...walk.edges.values()], isPartial: walk.isPartial }
}
