import type { Sql } from '../../postgres/sql.js'
import { type CatalogEdge, type CatalogNode, type EdgeLabel, edgeLabels, type NodeKind } from '../../vocabulary.js'
import { columnOrdinal } from '../column.js'
import { type EdgePlace, homeLabel, homeRows, ofEdges } from './edge-rows.js'

export { countSnapshots, readProblems, readSnapshots, readSnapshotsById, type Snapshot } from '../ledger/snapshot-store.js'
export * from './history-store.js'

/** A moment (default: now). The ledger answers for any, also before it was built: what was observed decides. */
export interface Moment {
  asOf?: Date
}

export interface FactFilter extends Moment {
  projectId?: string
  systemId?: string
  kinds?: readonly NodeKind[]
  labels?: readonly EdgeLabel[]
}

export interface Page {
  /** default: no limit */
  limit?: number
  /** the `cursor` of the last item of the page before */
  after?: number
}

/** Where a fact stands in lists: the same for ever. */
type Listed<T> = T & { cursor: number }

/** Where and since when a node is as it is. */
export interface NodeStamp {
  updatedAt: Date
  /** when the text that this was read from says that it was true; null where it does not say */
  statedAt: Date | null
  /** `hive-ddl core/account.sql line 12`; null for what ingest makes itself */
  source: { dialect: string; file: string; location: string } | null
}

const inForce = (alias: string, at: string) =>
  `case when ${at}::timestamptz is null then ${alias}.valid_to = 'infinity' else ${alias}.valid_from <= ${at} and ${alias}.valid_to > ${at} end`
/** The same without the choice: the planner then finds the index of current rows. */
const inForceAt = (alias: string, asOf: Date | undefined, parameter: string) =>
  asOf
    ? `${alias}.valid_from <= ${parameter} and ${alias}.valid_to > ${parameter}`
    : `${alias}.valid_to = 'infinity' and ${parameter}::timestamptz is null`

const nodeColumns = `k.id, h.kind, v.name, v.qualified_name as "qualifiedName", s.project_id as "projectId", s.system_id as "systemId", v.properties`
/** Edges of one place; `more`: a column before the others. */
const edgesFrom = ({ view, joins, targetId, properties }: EdgePlace, more = '') => `
select ${more} a.id as "sourceId", h.label, ${targetId} as "targetId", h.discriminator, s.project_id as "projectId", s.system_id as "systemId",
  ${properties} as properties
from ${view} h join node_key a on a.key = h.source ${joins} join catalog_scope s on s.key = h.scope`
const byEnds = 'order by "sourceId", label, "targetId", discriminator, "systemId"'

const scopesOf = `select key from catalog_scope where ($2::text is null or project_id = $2) and ($3::text is null or system_id in ($3, ''))`

/** What a filter on nodes selects; a system's estate includes its project's node. */
const nodesFrom = (asOf: Date | undefined) => `
from node_history h
join node_key k on k.key = h.node
join fact_version v on v.hash = h.version
join catalog_scope s on s.key = h.scope
where ${inForceAt('h', asOf, '$1')} and h.scope in (${scopesOf}) and ($4::text[] is null or h.kind = any($4))`

/** What a filter on edges selects. */
const areMeant = (asOf: Date | undefined) =>
  `h.is_visible and ${inForceAt('h', asOf, '$1')} and h.scope in (${scopesOf}) and ($4::text[] is null or h.label = any($4))`

/** Keys of a page, each place and scope by an index of its own: what is not in them is never passed. */
const edgePage = (asOf: Date | undefined) => `
select edge from (
  ${asOf ? writtenPageAsOf : writtenPage}
  union all
  select h.edge from catalog_scope s cross join lateral (
    select h.node + 1 as edge from ${homeRows} and h.scope = s.key and h.node >= $5 and ${inForceAt('h', asOf, '$1')} order by h.node limit $6
  ) h where s.home_stream is not null and s.key in (${scopesOf}) and '${homeLabel}' = any($4)
) e order by edge limit $6`

const writtenPage = `
select h.edge from catalog_scope s cross join unnest($4::text[]) as l(label) cross join lateral (
  select h.edge from edge_history h where h.scope = s.key and h.label = l.label and h.valid_to = 'infinity' and h.is_visible and h.edge > $5
  order by h.edge limit $6
) h where s.key in (${scopesOf})`

const writtenPageAsOf = `
(select h.edge from edge_history h
where h.is_visible and ${inForceAt('h', new Date(0), '$1')} and h.scope in (${scopesOf}) and h.label = any($4) and h.edge > $5
order by h.edge limit $6)`

const scopeValues = ({ asOf, projectId, systemId }: FactFilter) => [asOf ?? null, projectId ?? null, systemId ?? null]

/** Nodes, now or as of a moment, in a stable order. */
export async function readNodes(sql: Sql, filter: FactFilter = {}, { limit, after = 0 }: Page = {}): Promise<Listed<CatalogNode>[]> {
  const { rows } = await sql.query<Listed<CatalogNode>>(
    `select h.node as cursor, ${nodeColumns} ${nodesFrom(filter.asOf)} and h.node > $5 order by h.node limit $6`,
    [...scopeValues(filter), filter.kinds ?? null, after, limit ?? null],
  )
  return rows
}

/** Edges, now or as of a moment, in a stable order. */
export async function readEdges(sql: Sql, filter: FactFilter = {}, { limit, after = 0 }: Page = {}): Promise<Listed<CatalogEdge>[]> {
  if (limit === undefined) {
    const { rows } = await sql.query<Listed<CatalogEdge>>(
      `${ofEdges((place) => `${edgesFrom(place, 'h.edge as cursor,')} where ${areMeant(filter.asOf)} and h.edge > $5`)} order by cursor`,
      [...scopeValues(filter), filter.labels ?? null, after],
    )
    return rows
  }
  const { rows } = await sql.query<Listed<CatalogEdge>>(
    `with page as materialized (select array_agg(edge) as keys from (${edgePage(filter.asOf)}) p) ${ofEdges(
      (place) => `${edgesFrom(place, 'h.edge as cursor,')}
      where h.is_visible and ${inForceAt('h', filter.asOf, '$1')} and ${place.isAmong('(select keys from page)::bigint[]')}`,
    )} order by cursor`,
    [...scopeValues(filter), filter.labels ?? edgeLabels, after, limit],
  )
  return rows
}

/** True totals of the lists above. */
export async function countFacts(sql: Sql, filter: FactFilter = {}): Promise<{ nodes: number; edges: number }> {
  const count = (from: string, kinds: unknown) =>
    sql.query<{ n: number }>(`select count(*) as n from (${from}) f`, [...scopeValues(filter), kinds ?? null])
  const nodes = await count(`select 1 ${nodesFrom(filter.asOf)}`, filter.kinds)
  const edges = await count(
    ofEdges(({ view }) => `select 1 from ${view} h where ${areMeant(filter.asOf)}`),
    filter.labels,
  )
  return { nodes: nodes.rows[0]!.n, edges: edges.rows[0]!.n }
}

/** All nodes and edges of a project or system, now or as of a moment: what learners and dataset tasks read. Ordered by id. */
export async function readEstate(sql: Sql, filter: FactFilter): Promise<{ nodes: CatalogNode[]; edges: CatalogEdge[] }> {
  const nodes = await sql.query<CatalogNode>(`select ${nodeColumns} ${nodesFrom(filter.asOf)} order by k.id`, [
    ...scopeValues(filter),
    filter.kinds ?? null,
  ])
  const edges = await sql.query<CatalogEdge>(`${ofEdges((place) => `${edgesFrom(place)} where ${areMeant(filter.asOf)}`)} ${byEnds}`, [
    ...scopeValues(filter),
    filter.labels ?? null,
  ])
  return { nodes: nodes.rows, edges: edges.rows }
}

/** Nodes by id, in the order of the ids (for a DataLoader); null where one does not exist at the moment. */
export async function readNodesById(
  sql: Sql,
  ids: readonly string[],
  { asOf }: Moment = {},
): Promise<((CatalogNode & NodeStamp) | null)[]> {
  const { rows } = await sql.query<CatalogNode & NodeStamp>(
    `select ${nodeColumns}, h.valid_from as "updatedAt", h.stated_at as "statedAt",
       case when f.key is not null then jsonb_build_object('dialect', f.dialect, 'file', f.file, 'location', h.location) end as source
     from node_key k join node_history h on h.node = k.key join fact_version v on v.hash = h.version
     join catalog_scope s on s.key = h.scope left join source_file f on f.key = h.file
     where k.id = any($2) and ${inForce('h', '$1')}`,
    [asOf ?? null, ids],
  )
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => byId.get(id) ?? null)
}

export const readNode = async (sql: Sql, id: string, moment: Moment = {}): Promise<(CatalogNode & NodeStamp) | null> =>
  (await readNodesById(sql, [id], moment))[0]!

/** The columns of tables and views, by the tables' ids, in the order of their place in the table. */
export async function readColumnsOf(sql: Sql, tableIds: readonly string[], { asOf }: Moment = {}): Promise<CatalogNode[][]> {
  const { rows } = await sql.query<CatalogNode & { table: string }>(
    `select t.id as "table", ${nodeColumns}
     from node_key t join node_key k on k.parent = t.key join node_history h on h.node = k.key
     join fact_version v on v.hash = h.version join catalog_scope s on s.key = h.scope
     where t.id = any($2) and ${inForce('h', '$1')} order by k.id`,
    [asOf ?? null, tableIds],
  )
  const byTable = new Map<string, CatalogNode[]>(tableIds.map((id) => [id, []]))
  for (const { table, ...column } of rows) byTable.get(table)!.push(column)
  const place = (node: CatalogNode) => columnOrdinal(node.properties) ?? Number.MAX_SAFE_INTEGER
  return tableIds.map((id) => byTable.get(id)!.sort((a, b) => place(a) - place(b)))
}

/** Edges that begin or end at nodes, by the nodes' ids (for a DataLoader). */
export async function readEdgesOf(
  sql: Sql,
  nodeIds: readonly string[],
  direction: 'out' | 'in',
  { asOf, labels }: Moment & Pick<FactFilter, 'labels'> = {},
): Promise<CatalogEdge[][]> {
  const end = direction === 'out' ? 'source' : 'target'
  const { rows } = await sql.query<CatalogEdge>(
    `with near as materialized (select key from node_key where id = any($2)) ${ofEdges(
      (place) => `${edgesFrom(place)} join near n on n.key = h.${end}
      where h.is_visible and ${inForceAt('h', asOf, '$1')} and ($3::text[] is null or h.label = any($3))`,
    )} ${byEnds}`,
    [asOf ?? null, nodeIds, labels ?? null],
  )
  const byNode = new Map<string, CatalogEdge[]>(nodeIds.map((id) => [id, []]))
  for (const edge of rows) byNode.get(direction === 'out' ? edge.sourceId : edge.targetId)!.push(edge)
  return nodeIds.map((id) => byNode.get(id)!)
}

/** Edges by their keys, in the order of their ends; those that do not exist at the moment are left out. */
export async function readEdgesByKey(sql: Sql, keys: readonly number[], { asOf }: Moment = {}): Promise<CatalogEdge[]> {
  const { rows } = await sql.query<CatalogEdge>(
    `${ofEdges(
      (place) => `${edgesFrom(place)} where h.is_visible and ${inForceAt('h', asOf, '$1')} and ${place.isAmong('$2')}`,
    )} ${byEnds}`,
    [asOf ?? null, keys],
  )
  return rows
}
