import type { Database, Sql } from '../../postgres/sql.js'
import type { CatalogEdge, CatalogNode, EdgeLabel } from '../../vocabulary.js'
import { edgePlaces, homeLabel, writtenEdges } from './edge-rows.js'
import { readEdgesByKey, readNodesById } from './read-store.js'

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
  /** whether to follow what only decides about rows or values (filters, joins, CASE conditions) without flowing into them (default true) */
  indirect?: boolean
  /** after so long (default 10,000) the walk ends with what it has found */
  timeoutMs?: number
}

export interface Lineage {
  /** the start first, then by distance and id */
  nodes: (CatalogNode & {
    distance: number
    /** what lies here only decides: no way of values alone leads to it */
    isIndirect: boolean
  })[]
  /** all edges walked between these nodes */
  edges: CatalogEdge[]
  /** there is more: the depth, the budget or the time ended the walk */
  isPartial: boolean
}

type Way = 'upstream' | 'downstream'

interface Step {
  /** key of the edge */
  edge: number
  /** id of the node that the step leads to */
  to: string
}

/** The ends of an edge that a step may leave by, and the labels of which it does. */
const sides = [
  { end: 'source', other: 'target', kind: { downstream: 'along', upstream: 'against' } },
  { end: 'target', other: 'source', kind: { downstream: 'against', upstream: 'along' } },
] as const

const ofKind = ({ labels = lineageLabels }: LineageOptions, kind: 'along' | 'against') =>
  labels.filter((label) => (flow[label] ?? 'along') === kind)

const inForce = (asOf: Date | undefined, parameter: string) =>
  asOf ? `h.valid_from <= ${parameter} and h.valid_to > ${parameter}` : `h.valid_to = 'infinity' and ${parameter}::timestamptz is null`

/** Conditions are edges of their own, told apart by this. */
const indirectMark = 'indirect'
const meant = ({ indirect = true }: LineageOptions) => (indirect ? '' : `and h.discriminator <> '${indirectMark}'`)

/** Where the edges that are walked may lie. */
const placesOf = ({ labels = lineageLabels }: LineageOptions) => (labels.includes(homeLabel) ? edgePlaces : [writtenEdges])

/** Edges of one step at most: a node that everything hangs on must not fill the memory. */
const mostEdges = ({ nodeBudget = 1_000 }: LineageOptions): number => 20 * nodeBudget + 1_000

/** One step from all these nodes: keys and ids alone, for much of what a walk meets is met again. */
async function stepsFrom(sql: Sql, ids: readonly string[], way: Way, options: LineageOptions): Promise<Step[]> {
  const parts = sides.flatMap(({ end, other, kind }) =>
    placesOf(options).map(
      ({ view }) => `
     select h.edge, b.id as "to", a.id as "from", h.label, h.discriminator, ${kind[way] === 'along' ? 0 : 1} as part from node_key a
     join ${view} h on h.${end} = a.key and h.label = any(${kind[way] === 'along' ? '$3' : '$4'}) ${meant(options)}
       and h.is_visible and ${inForce(options.asOf, '$2')}
     join node_key b on b.key = h.${other} where a.id = any($1)`,
    ),
  )
  const { rows } = await sql.query<Step>(
    `${parts.join(' union all ')} order by part, "from", label, "to", discriminator, edge limit ${mostEdges(options)}`,
    [ids, options.asOf ?? null, ofKind(options, 'along'), ofKind(options, 'against')],
  )
  return rows
}

/** What a walk has seen so far. */
interface Walk {
  distances: Map<string, number>
  edges: Set<number>
  isPartial: boolean
}

async function walkOneWay(sql: Sql, id: string, way: Way, options: LineageOptions, walk: Walk, clock: Clock): Promise<void> {
  const { depth = 5, nodeBudget = 1_000 } = options
  const visited = new Set([id])
  // one step past the depth tells whether there is more
  for (let frontier = [id], distance = 1; frontier.length > 0 && distance <= depth + 1; distance++) {
    const next: string[] = []
    const at = frontier
    const steps = await clock.within(sql, (timed) => stepsFrom(timed, at, way, options))
    if (steps === null || steps.length === mostEdges(options)) walk.isPartial = true
    for (const { edge, to } of steps ?? []) {
      const isNew = !visited.has(to)
      const isKnown = walk.distances.has(to)
      if (isNew && (distance > depth || (!isKnown && walk.distances.size > nodeBudget))) {
        walk.isPartial = true
        continue
      }
      if (distance <= depth || !isNew) walk.edges.add(edge)
      if (!isNew) continue
      visited.add(to)
      next.push(to)
      if (!isKnown) walk.distances.set(to, distance)
    }
    frontier = next.sort()
  }
}

/** The whole walk as one query, by keys: a walk by levels plans and asks as often as it is deep. Null where it meets too much for that. */
async function walkAtOnce(sql: Sql, id: string, way: Way, options: LineageOptions): Promise<Walk | null> {
  const { asOf, depth = 5, nodeBudget = 1_000 } = options
  // a node may be met once at every distance
  const mostMet = (nodeBudget + 2) * (depth + 1)
  const { rows } = await sql.query<{
    met: number
    nodes: [id: string, distance: number][] | null
    edges: number[] | null
    beyond: boolean | null
  }>(
    `with recursive walk (key, distance) as (
       select key, 0 from node_key where id = $1
       union
       select s.next, w.distance + 1 from walk w cross join lateral (${stepOf('w.key', way, options)}) s where w.distance < $5::integer
     ), met as materialized (select * from walk limit $6
     ), visited as materialized (select key, min(distance) as distance from met group by key
     ), step as (
       select s.edge, v.key is not null as known from visited u cross join lateral (${stepOf('u.key', way, options)}) s
       left join visited v on v.key = s.next where (select count(*) from met) < $6
     )
     select (select count(*) from met) as met, (select json_agg(json_build_array(k.id, v.distance)) from visited v join node_key k using (key)) as nodes,
       (select json_agg(edge) from step where known) as edges, (select bool_or(not known) from step) as beyond`,
    [id, asOf ?? null, ofKind(options, 'along'), ofKind(options, 'against'), depth, mostMet],
  )
  const { met, nodes, edges, beyond } = rows[0]!
  if (met >= mostMet || (nodes?.length ?? 0) > nodeBudget + 1) return null
  return { distances: new Map(nodes), edges: new Set(edges), isPartial: beyond ?? false }
}

/** Edges that lead away from a node, and to where. */
const stepOf = (key: string, way: Way, options: LineageOptions): string =>
  sides
    .flatMap(({ end, other, kind }) =>
      placesOf(options).map(
        ({ view }) => `
       select h.edge, h.${other} as next from ${view} h where h.is_visible and ${inForce(options.asOf, '$2')}
       and h.${end} = ${key} and h.label = any(${kind[way] === 'along' ? '$3' : '$4'}) ${meant(options)}`,
      ),
    )
    .join(' union all ')

/** The time that a walk has: each of its statements gets what is left. */
class Clock {
  private readonly end: number
  constructor(milliseconds: number) {
    this.end = performance.now() + milliseconds
  }

  /** Null where the time is over, or is over before the work is done; `share` of what is left may be taken. */
  async within<T>(sql: Sql, work: (timed: Sql) => Promise<T>, share = 1): Promise<T | null> {
    const left = Math.floor((this.end - performance.now()) * share)
    if (left <= 0) return null
    if (!isDatabase(sql)) return work(sql)
    try {
      return await sql.transaction(async (client) => {
        await client.query(`set local statement_timeout = ${left}`)
        return work(client)
      })
    } catch (thrown) {
      // query_canceled
      if ((thrown as { code?: string }).code === '57014') return null
      throw thrown
    }
  }
}

const isDatabase = (sql: Sql): sql is Database => 'transaction' in sql

async function walkAll(sql: Sql, id: string, ways: readonly Way[], options: LineageOptions, clock: Clock): Promise<Walk> {
  const whole: Walk = { distances: new Map([[id, 0]]), edges: new Set(), isPartial: false }
  for (const way of ways) {
    const walk = await clock.within(sql, (timed) => walkAtOnce(timed, id, way, options), 0.4)
    if (walk === null) return walkByLevels(sql, id, ways, options, clock)
    for (const [node, distance] of walk.distances) if (!whole.distances.has(node)) whole.distances.set(node, distance)
    for (const edge of walk.edges) whole.edges.add(edge)
    whole.isPartial ||= walk.isPartial
  }
  return whole.distances.size <= (options.nodeBudget ?? 1_000) + 1 ? whole : walkByLevels(sql, id, ways, options, clock)
}

async function walkByLevels(sql: Sql, id: string, ways: readonly Way[], options: LineageOptions, clock: Clock): Promise<Walk> {
  const walk: Walk = { distances: new Map([[id, 0]]), edges: new Set(), isPartial: false }
  for (const way of ways) await walkOneWay(sql, id, way, options, walk, clock)
  return walk
}

/** Where data comes from and goes to, breadth first: the nearest come first, and a cut is told. Null where the node does not exist. */
export async function readLineage(sql: Sql, id: string, options: LineageOptions): Promise<Lineage | null> {
  const moment = options.asOf ? { asOf: options.asOf } : {}
  const ways: readonly Way[] = options.direction === 'both' ? ['upstream', 'downstream'] : [options.direction]
  const walk = await walkAll(sql, id, ways, options, new Clock(options.timeoutMs ?? 10_000))
  const found = await readNodesById(sql, [...walk.distances.keys()], moment)
  if (!found.some((node) => node?.id === id)) return null
  const edges = await readEdgesByKey(sql, [...walk.edges], moment)
  const direct = new Set(ways.flatMap((way) => [...reachedDirectly(id, way, edges)]))
  const nodes = found.flatMap((node) =>
    node ? [{ ...node, distance: walk.distances.get(node.id)!, isIndirect: !direct.has(node.id) }] : [],
  )
  nodes.sort((a, b) => a.distance - b.distance || (a.id < b.id ? -1 : 1))
  return { nodes, edges, isPartial: walk.isPartial }
}

/** What values alone flow to (from) the start, conditions left aside. */
function reachedDirectly(start: string, way: Way, edges: readonly CatalogEdge[]): Set<string> {
  const next = new Map<string, string[]>()
  for (const { sourceId, targetId, label, discriminator } of edges) {
    if (discriminator === indirectMark) continue
    const [from, to] = ((flow[label] ?? 'along') === 'along') === (way === 'downstream') ? [sourceId, targetId] : [targetId, sourceId]
    next.set(from, [...(next.get(from) ?? []), to])
  }
  const reached = new Set([start])
  for (const node of reached) for (const to of next.get(node) ?? []) reached.add(to)
  return reached
}
