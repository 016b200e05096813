import type { Sql } from '../../postgres/sql.js'
import type { EdgeLabel, JsonValue, NodeKind, Properties } from '../../vocabulary.js'
import type { ChangeKind } from '../change.js'
import { columnNullable, columnOrdinal, columnTypeText } from '../column.js'
import { edgeEnds } from './edge-rows.js'

export interface NodeState {
  validFrom: Date
  /** null while it lasts */
  validTo: Date | null
  name: string
  qualifiedName: string
  properties: Properties
}

/** All that a node ever was, in order of time. */
export async function readNodeHistory(sql: Sql, id: string): Promise<NodeState[]> {
  const { rows } = await sql.query<NodeState>(
    `select h.valid_from as "validFrom", nullif(h.valid_to, 'infinity') as "validTo", v.name, v.qualified_name as "qualifiedName", v.properties
     from node_key k join node_history h on h.node = k.key join fact_version v on v.hash = h.version where k.id = $1 order by h.valid_from`,
    [id],
  )
  return rows
}

/** A difference between two moments that the ledger recorded. */
export interface Change {
  kind: ChangeKind
  at: Date
  /** the node, or null for a change of an edge */
  nodeId: string | null
  edge: { sourceId: string; label: EdgeLabel; targetId: string; discriminator: string } | null
  /** id of the table or view concerned */
  tableId: string | null
  /** for property_changed */
  property: string | null
  before: JsonValue
  after: JsonValue
  /** for renamed: 0 to 1 */
  confidence: number | null
  projectId: string
  systemId: string
}

export interface ChangeFilter {
  projectId?: string
  systemId?: string
  kinds?: readonly ChangeKind[]
  /** of this table or view and its columns */
  tableId?: string
  /** of this node alone */
  nodeId?: string
  /** in [from, to) */
  from?: Date
  to?: Date
}

// Arrays rather than subqueries: the planner takes them into every part of the view, down to the indexes.
const changesWhere = `where c.scope = any(array(select key from catalog_scope where ($1::text is null or project_id = $1) and ($2::text is null or system_id = $2)))
  and ($3::text[] is null or c.kind = any($3))
  and ($4::text is null or c.found_by = any(array(
    with inside as (select key from node_key where id = $4 union all select c.key from node_key t join node_key c on c.parent = t.key where t.id = $4)
    select key from inside union all select e.key from inside i join edge_key e on e.source = i.key)) and c.owner = (select key from node_key where id = $4))
  and ($5::text is null or c.found_by = (select key from node_key where id = $5) and c.is_node)
  and ($6::timestamptz is null or c.at >= $6) and ($7::timestamptz is null or c.at < $7)`
const changeValues = (f: ChangeFilter) => [
  ...[f.projectId ?? null, f.systemId ?? null, f.kinds ?? null, f.tableId ?? null, f.nodeId ?? null, f.from ?? null, f.to ?? null],
]

/** Changes in order of time, the oldest first (`newestFirst` turns it round). */
export async function readChanges(
  sql: Sql,
  filter: ChangeFilter = {},
  { limit, offset = 0, newestFirst = false }: { limit?: number; offset?: number; newestFirst?: boolean } = {},
): Promise<Change[]> {
  const way = newestFirst ? 'desc' : 'asc'
  const order = `c.at ${way}, c.fact ${way}, c.kind, c.property`
  const { rows } = await sql.query<Change>(
    `select c.kind, c.at, n.id as "nodeId", o.id as "tableId", nullif(c.property, '') as property, c.before, c.after, c.confidence,
       s.project_id as "projectId", s.system_id as "systemId",
       case when e.source is not null then jsonb_build_object('sourceId', a.id, 'label', e.label, 'targetId', b.id, 'discriminator', e.discriminator) end as edge
     from (select * from change c ${changesWhere} order by ${order} limit $8 offset $9) c join catalog_scope s on s.key = c.scope
     left join node_key n on n.key = c.fact left join node_key o on o.key = c.owner
     left join lateral (${edgeEnds('c.fact')}) e on not c.is_node left join node_key a on a.key = e.source left join node_key b on b.key = e.target
     order by ${order}`,
    [...changeValues(filter), limit ?? null, offset],
  )
  return rows
}

export async function countChanges(sql: Sql, filter: ChangeFilter = {}): Promise<number> {
  const { rows } = await sql.query<{ n: number }>(`select count(*) as n from change c ${changesWhere}`, changeValues(filter))
  return rows[0]!.n
}

export interface NodeDifference {
  id: string
  kind: NodeKind
  before: Pick<NodeState, 'name' | 'properties'> | null
  after: Pick<NodeState, 'name' | 'properties'> | null
}

export interface EdgeDifference {
  sourceId: string
  label: EdgeLabel
  targetId: string
  discriminator: string
  before: Properties | null
  after: Properties | null
}

export interface SnapshotDifference {
  nodes: NodeDifference[]
  edges: EdgeDifference[]
  /** more than `limit` of either differ: the lists are cut */
  isPartial: boolean
}

/** What differs between two moments, whatever happened in between; `limit` nodes and edges at most (default 10,000). */
export async function diffSnapshots(
  sql: Sql,
  from: Date,
  to: Date,
  { projectId, systemId, limit = 10_000 }: { projectId?: string; systemId?: string; limit?: number } = {},
): Promise<SnapshotDifference> {
  const scopes =
    'scope in (select key from catalog_scope where ($3::text is null or project_id = $3) and ($4::text is null or system_id = $4))'
  const at = (moment: string) => `valid_from <= ${moment} and valid_to > ${moment} and ${scopes}`
  const nodesAt = (moment: string) => `select node as fact, version from node_history where ${at(moment)}`
  // of those that never end, what is there at both moments is the same
  const edgesAt = (moment: string) => `select edge as fact, version from edge_history where is_visible and ${at(moment)}
    union all select edge, version from home_edge where valid_from > least($1, $2) and ${at(moment)}`
  const moved = (side: (moment: string) => string) => `with moved as materialized (
      select fact, x.version as before, y.version as after from (${side('$1')}) x full join (${side('$2')}) y using (fact)
      where x.version is distinct from y.version
    )`
  const contents = 'left join fact_version p on p.hash = m.before left join fact_version q on q.hash = m.after'
  const values = [from, to, projectId ?? null, systemId ?? null, limit + 1]
  const content = (alias: string) =>
    `case when ${alias}.hash is not null then jsonb_build_object('name', ${alias}.name, 'properties', ${alias}.properties) end`
  const nodes = await sql.query<NodeDifference>(
    `${moved(nodesAt)} select k.id, k.kind, ${content('p')} as before, ${content('q')} as after
     from moved m join node_key k on k.key = m.fact ${contents} order by k.id limit $5`,
    values,
  )
  const edges = await sql.query<EdgeDifference>(
    `${moved(edgesAt)}, m as (
       select m.*, k.source, k.label, k.target, k.discriminator from moved m join edge_key k on k.key = m.fact
       union all select m.*, k.source, k.label, k.target, k.discriminator from moved m join home_edge k on k.target = m.fact - 1
     )
     select a.id as "sourceId", m.label, b.id as "targetId", m.discriminator, p.properties as before, q.properties as after
     from m join node_key a on a.key = m.source join node_key b on b.key = m.target ${contents}
     order by a.id, m.label, b.id, m.discriminator limit $5`,
    values,
  )
  const isPartial = nodes.rows.length > limit || edges.rows.length > limit
  return { nodes: nodes.rows.slice(0, limit), edges: edges.rows.slice(0, limit), isPartial }
}

/** A column from `at` on, or (null) gone; per column each differs from the one before in one of these. */
export interface ColumnEvent {
  at: Date
  columnId: string
  column: { name: string; type: string; nullable: boolean | null; ordinal: number | null; table: string } | null
}

/** The columns of a project over time, in order of time: what learners of types and of schema evolution read. */
export async function readColumnHistory(sql: Sql, projectId: string): Promise<ColumnEvent[]> {
  const { rows } = await sql.query<ColumnPiece>(
    `select k.id, coalesce(p.id, '') as "table", h.valid_from as from, h.valid_to as to, v.name, v.properties from node_history h
     join node_key k on k.key = h.node left join node_key p on p.key = k.parent join fact_version v on v.hash = h.version
     where h.kind = 'Column' and h.scope in (select key from catalog_scope where project_id = $1) order by k.id, h.valid_from`,
    [projectId],
  )
  const events = rows.flatMap((row, i) => eventsOf(row, rows[i - 1], rows[i + 1]))
  return events.sort((a, b) => a.at.getTime() - b.at.getTime() || (a.columnId < b.columnId ? -1 : 1))
}

interface ColumnPiece {
  id: string
  table: string
  from: Date
  /** Infinity while it lasts */
  to: Date | number
  name: string
  properties: Properties
}

const stateOf = ({ name, table, properties }: ColumnPiece): NonNullable<ColumnEvent['column']> => ({
  name,
  type: columnTypeText(properties),
  nullable: columnNullable(properties),
  ordinal: columnOrdinal(properties),
  table,
})

/** What a piece of history tells: its beginning, unless nothing that matters differs, and its end, unless another piece follows. */
function eventsOf(piece: ColumnPiece, previous: ColumnPiece | undefined, next: ColumnPiece | undefined): ColumnEvent[] {
  const follows = (a: ColumnPiece | undefined, b: ColumnPiece | undefined) => a?.id === b?.id && Number(a?.to) === Number(b?.from)
  const column = stateOf(piece)
  const isSame = follows(previous, piece) && JSON.stringify(stateOf(previous!)) === JSON.stringify(column)
  const events: ColumnEvent[] = isSame ? [] : [{ at: piece.from, columnId: piece.id, column }]
  if (piece.to instanceof Date && !follows(piece, next)) events.push({ at: piece.to, columnId: piece.id, column: null })
  return events
}

export interface MetricPoint {
  nodeId: string
  name: string
  at: Date
  value: number
}

/** Series of metrics about nodes (project, systems, tables: by id), in order of time. */
export async function readMetricSeries(
  sql: Sql,
  nodeIds: readonly string[],
  { names, from, to }: { names?: readonly string[]; from?: Date; to?: Date } = {},
): Promise<MetricPoint[]> {
  const { rows } = await sql.query<MetricPoint>(
    `select k.id as "nodeId", m.name, m.observed_at as at, m.value from node_key k join metric m on m.node = k.key
     where k.id = any($1) and ($2::text[] is null or m.name = any($2))
       and ($3::timestamptz is null or m.observed_at >= $3) and ($4::timestamptz is null or m.observed_at < $4)
     order by m.observed_at, k.id, m.name`,
    [nodeIds, names ?? null, from ?? null, to ?? null],
  )
  return rows
}

/** The metrics of nodes in force at a moment (default: now), by the nodes' ids; {} where there are none. */
export async function readMetricsAt(sql: Sql, nodeIds: readonly string[], asOf?: Date): Promise<Record<string, number>[]> {
  const { rows } = await sql.query<MetricPoint>(
    `select distinct on (k.id, m.name) k.id as "nodeId", m.name, m.value from node_key k join metric m on m.node = k.key
     where k.id = any($1) and ($2::timestamptz is null or m.observed_at <= $2) order by k.id, m.name, m.observed_at desc`,
    [nodeIds, asOf ?? null],
  )
  const byNode = new Map<string, Record<string, number>>(nodeIds.map((id) => [id, {}]))
  for (const { nodeId, name, value } of rows) byNode.get(nodeId)![name] = value
  return nodeIds.map((id) => byNode.get(id)!)
}

/** All that nodes ever were, by the nodes' ids (for a DataLoader). */
export async function readNodeHistories(sql: Sql, ids: readonly string[]): Promise<NodeState[][]> {
  const { rows } = await sql.query<NodeState & { id: string }>(
    `select k.id, h.valid_from as "validFrom", nullif(h.valid_to, 'infinity') as "validTo", v.name, v.qualified_name as "qualifiedName", v.properties
     from node_key k join node_history h on h.node = k.key join fact_version v on v.hash = h.version where k.id = any($1) order by k.id, h.valid_from`,
    [ids],
  )
  const byNode = new Map<string, NodeState[]>(ids.map((id) => [id, []]))
  for (const { id, ...state } of rows) byNode.get(id)!.push(state)
  return ids.map((id) => byNode.get(id)!)
}
