import { appendGraphChanges, lockOutbox, notifyOutbox } from '../../postgres/outbox.js'
import type { Client, Sql } from '../../postgres/sql.js'
import type { EdgeLabel, GraphChange, GraphKeys, GraphRefresh, NodeKind, Properties } from '../../vocabulary.js'
import type { KeySpan } from '../ledger/key-pool.js'
import type { Annotations } from '../people/annotation.js'
import { readAnnotations } from '../people/people-store.js'
import { homeLabel, homeRows } from '../reads/edge-rows.js'
import { edgeChange, type NodeMetrics, nodeChange } from './graph-change.js'

const pageSize = 5_000

// Each lateral with a LIMIT is one look-up by primary key. As plain joins they are planned by statistics, of which rows written in this
// very transaction have none: whole tables were then read for every page (measured: 250 ms a page of 5,000, growing with the ledger).
const versionOf = `left join lateral (select * from fact_version f where f.hash = h.version limit 1) v on true
left join catalog_scope s on s.key = h.scope`

const selectNodes = `
select k.key, k.id, k.kind, h.valid_from as updated_at, v.name, v.qualified_name, v.properties, s.project_id, s.system_id, m.metrics
from node_key k
left join lateral (select * from node_history c where c.node = k.key order by c.valid_from desc limit 1) h on h.valid_to = 'infinity'
${versionOf}
left join lateral (
  select jsonb_object_agg(name, value) || jsonb_build_object('metrics_calculated_at', max(observed_at)) as metrics from (
    select distinct on (name) name, value, observed_at from metric m
    where m.node = k.key and m.name in ('metadata_entropy', 'kl_divergence') order by name, observed_at desc) latest
) m on k.kind in ('Project', 'System', 'Table', 'View')`

const selectWrittenEdges = `
select k.key, a.id as source_id, k.label, b.id as target_id, k.discriminator, h.valid_from as updated_at, v.properties, s.project_id, s.system_id
from edge_key k
left join lateral (select id from node_key n where n.key = k.source limit 1) a on true
left join lateral (select id from node_key n where n.key = k.target limit 1) b on true
left join lateral (select * from edge_history c where c.edge = k.key order by c.valid_from desc limit 1) h
  on h.valid_to = 'infinity' and h.is_visible
${versionOf}`

/**
 * Those that the rows of columns tell of: as long as they do, they are there. They are read first: another system that tells of one, too,
 * has done so later.
 */
const selectHomeEdges = `
select k.key + 1 as key, a.id as source_id, '${homeLabel}' as label, k.id as target_id, '' as discriminator, h.valid_from as updated_at,
  '{}'::jsonb as properties, s.project_id, s.system_id
from node_key k
join lateral (select * from node_history c where c.node = k.key order by c.valid_from desc limit 1) h on h.is_home
join lateral (select id from node_key n where n.key = k.parent limit 1) a on true
left join catalog_scope s on s.key = h.scope`

/** A node now; without updated_at it does not exist (any more). */
interface NodeRow {
  key: number
  id: string
  kind: NodeKind
  updated_at: Date | null
  name: string
  qualified_name: string
  properties: Properties
  project_id: string
  system_id: string
  metrics: (Omit<NodeMetrics, 'metrics_calculated_at'> & { metrics_calculated_at: string | null }) | null
}

interface EdgeRow {
  key: number
  source_id: string
  label: EdgeLabel
  target_id: string
  discriminator: string
  updated_at: Date | null
  properties: Properties
  project_id: string
  system_id: string
}

function changeOfNode(row: NodeRow, said: Annotations | undefined): GraphChange {
  if (row.updated_at === null) return { op: 'delete-node', id: row.id, kind: row.kind }
  const metrics = row.metrics?.metrics_calculated_at
    ? { ...row.metrics, metrics_calculated_at: new Date(row.metrics.metrics_calculated_at).toISOString() }
    : null
  const { id, kind, name, qualified_name: qualifiedName, project_id: projectId, system_id: systemId, properties } = row
  return nodeChange({ id, kind, name, qualifiedName, projectId, systemId, properties }, row.updated_at, metrics, said)
}

/** Facts and people's words together: whatever of a node is written anew, the other stays. */
async function changesOfNodes(sql: Sql, rows: readonly NodeRow[]): Promise<GraphChange[]> {
  const said = await readAnnotations(
    sql,
    rows.map((row) => row.id),
  )
  return rows.map((row) => changeOfNode(row, said.get(row.id)))
}

function changeOfEdge(row: EdgeRow): GraphChange {
  const { source_id: sourceId, label, target_id: targetId, discriminator, properties } = row
  if (row.updated_at === null) return { op: 'delete-edge', sourceId, label, targetId, discriminator }
  return edgeChange(
    { sourceId, label, targetId, discriminator, projectId: row.project_id, systemId: row.system_id, properties },
    row.updated_at,
  )
}

/** Pages of rows of `select` by the keys of its `k`; `keys` answers the next of them after one, given as $1. */
async function* pagesOf<Row>(sql: Sql, select: string, keys: string): AsyncGenerator<Row[]> {
  for (let after = 0; ; ) {
    const page = await sql.query<{ key: number }>(`${keys} order by key limit ${pageSize}`, [after])
    if (page.rows.length === 0) return
    const { rows } = await sql.query<Row>(`${select} where k.key = any($1) order by k.key`, [page.rows.map((row) => row.key)])
    yield rows
    after = page.rows.at(-1)!.key
  }
}

/** Appends to the outbox how the nodes are now, by id; those that are not there now are left out. */
export async function appendNodes(client: Sql, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await lockOutbox(client)
  const { rows } = await client.query<NodeRow>(`${selectNodes} where k.id = any($1) and h.valid_from is not null order by k.key`, [ids])
  await appendGraphChanges(client, await changesOfNodes(client, rows))
}

/** Keys that one row of the outbox names. */
const keysPerRow = 1_000

// Who notes a fact without saying what became of it has it looked up.
const touched = `
create temp table touched_graph_node on commit drop as
select g.key, case when g.is_gone then not exists (select from node_history h where h.node = g.key and h.valid_to = 'infinity') else false end as is_gone
from (select node as key, bool_and(after is null) as is_gone from graph_node group by 1) g;
create temp table touched_graph_edge on commit drop as
select g.key,
  case when g.is_gone then not exists (select from edge_history h where h.edge = g.key and h.valid_to = 'infinity' and h.is_visible) else false end as is_gone
from (select edge as key, bool_and(after is null) as is_gone from graph_edge group by 1) g;
create index on touched_graph_edge (key) where is_gone;
analyze touched_graph_node; analyze touched_graph_edge`

/** Of two systems that tell of one edge the graph has one: when the one goes, it becomes the other's. */
const twinsOfGone = `
insert into touched_graph_edge
select distinct t.key, false from touched_graph_edge g join edge_key e on e.key = g.key
join edge_key t on t.source = e.source and t.label = e.label and t.target = e.target and t.discriminator = e.discriminator and t.key <> e.key
join edge_history h on h.edge = t.key and h.valid_to = 'infinity' and h.is_visible
where g.is_gone and not exists (select from touched_graph_edge o where o.key = t.key)
union
select t.edge, false from touched_graph_edge g join edge_key e on e.key = g.key
join home_edge t on t.target = e.target and t.source = e.source and t.label = e.label and t.discriminator = e.discriminator and t.edge <> e.key
where g.is_gone and not exists (select from touched_graph_edge o where o.key = t.edge)`

/** Keys as a range where they are (nearly) all there are in it, else one by one: what else lies in the range is read in vain. */
const insertRefresh = (side: 'node' | 'edge', keys: string) => `
insert into graph_outbox (change, weight)
select jsonb_build_object('op', 'refresh', '${side}s',
  case when last - first < 2 * n then jsonb_build_object('from', first, 'to', last) else to_jsonb(keys) end), n
from (
  select row, min(key) as first, max(key) as last, count(*) as n, array_agg(key) as keys
  from (select key, (row_number() over (order by key) - 1) / ${keysPerRow} as row from (${keys}) keys) numbered group by row
) rows order by row`

/** Keys that came at once. */
export interface CameKeys {
  nodes: readonly KeySpan[]
  /** of columns, each with that of its HAS_COLUMN after it (which some do not use) */
  columns: readonly KeySpan[]
  edges: readonly KeySpan[]
}

/** The same for stretches of keys that all came; of `every` keys in them one is meant. */
async function insertSpans(client: Client, side: 'nodes' | 'edges', spans: readonly KeySpan[], every: 1 | 2): Promise<void> {
  const size = keysPerRow * every
  await client.query(
    `insert into graph_outbox (change, weight)
     select jsonb_build_object('op', 'refresh', $1::text, jsonb_build_object('from', at, 'to', least(at + ${size - 1}, last))),
       (least(at + ${size - 1}, last) - at) / ${every} + 1
     from unnest($2::bigint[], $3::bigint[]) as s(first, last), generate_series(first, last, ${size}) as at order by at`,
    [side, spans.map(({ first }) => first), spans.map(({ last }) => last)],
  )
}

const insertGoneEdges = `
insert into graph_outbox (change)
select jsonb_build_object('op', 'delete-edge', 'sourceId', a.id, 'label', k.label, 'targetId', b.id, 'discriminator', k.discriminator)
from touched_graph_edge t join edge_key k on k.key = t.key join node_key a on a.key = k.source join node_key b on b.key = k.target
where t.is_gone order by k.key`

const insertGoneNodes = `
insert into graph_outbox (change)
select jsonb_build_object('op', 'delete-node', 'id', k.id, 'kind', k.kind) from touched_graph_node t join node_key k on k.key = t.key
where t.is_gone order by k.key`

/**
 * Appends to the outbox what the ingest changed of the current state, by `graph_node` and `graph_edge`: edges that go, nodes that come
 * (with the tables and the `containers`, by id, whose metrics moved), edges that come, nodes that go. What comes is named by key and
 * read when it is applied: writing out two million facts twice would double the time of a first load. That they may have changed again
 * by then does no harm, as a later row tells of them again; what goes is written out, for its keys may be gone by then. `came`: what
 * `graph_node` and `graph_edge` do not name, a fresh system (fresh-store.ts).
 */
export async function appendToOutbox(client: Client, containers: readonly string[], came?: CameKeys): Promise<void> {
  await client.query(touched)
  const { rows } = await client.query<{ any: boolean; gone: boolean }>(
    `select exists (select from touched_graph_node) or exists (select from touched_graph_edge) as any,
       exists (select from touched_graph_node where is_gone) or exists (select from touched_graph_edge where is_gone) as gone`,
  )
  // the metrics of the containers were calculated anew even where nothing else moved
  if (!rows[0]!.any && containers.length === 0) return
  const { gone } = rows[0]!
  await lockOutbox(client)
  if (gone) await client.query(`${twinsOfGone}; ${insertGoneEdges}`)
  const ids = containers.map((id) => `'${id.replaceAll("'", "''")}'`).join(', ')
  const isNew = came ? 'and node not in (select node from node_plan where is_worded is not null)' : ''
  const measured = `select node from metric_table where not exists (select from touched_graph_node t where t.key = node and t.is_gone) ${isNew}`
  const moved = containers.length > 0 ? `union ${measured} union select key from node_key where id in (${ids})` : `union ${measured}`
  if (came)
    for (const [spans, every] of [
      [came.nodes, 1],
      [came.columns, 2],
    ] as const)
      await insertSpans(client, 'nodes', spans, every)
  await client.query(insertRefresh('node', `select key from touched_graph_node where not is_gone ${moved}`))
  if (came)
    for (const [spans, every] of [
      [came.edges, 1],
      [came.columns, 2],
    ] as const)
      await insertSpans(client, 'edges', spans, every)
  await client.query(insertRefresh('edge', 'select key from touched_graph_edge where not is_gone'))
  if (gone) await client.query(insertGoneNodes)
  await notifyOutbox(client)
}

/** What the outbox's rows say, with those written out that only name facts: these as they are now. */
export async function readOutboxChanges(sql: Sql, rows: readonly (GraphChange | GraphRefresh)[]): Promise<GraphChange[]> {
  const out: GraphChange[] = []
  for (const row of rows) {
    if (row.op !== 'refresh') out.push(row)
    else {
      if (row.nodes) out.push(...(await nodesByKey(sql, row.nodes)))
      if (row.edges) out.push(...(await edgesByKey(sql, row.edges)))
    }
  }
  return out
}

const among = (keys: GraphKeys): [condition: string, values: unknown[]] =>
  'from' in keys ? ['k.key between $1 and $2', [keys.from, keys.to]] : ['k.key = any($1)', [keys]]
/** The keys of the columns whose rows tell of the edges. */
const columnsOf = (keys: GraphKeys): GraphKeys => ('from' in keys ? { from: keys.from - 1, to: keys.to - 1 } : keys.map((key) => key - 1))

async function nodesByKey(sql: Sql, keys: GraphKeys): Promise<GraphChange[]> {
  const [condition, values] = among(keys)
  const { rows } = await sql.query<NodeRow>(`${selectNodes} where ${condition} and h.valid_from is not null order by k.key`, values)
  return changesOfNodes(sql, rows)
}

async function edgesByKey(sql: Sql, keys: GraphKeys): Promise<GraphChange[]> {
  const [condition, values] = among(keys)
  const select = `${selectWrittenEdges} where ${condition} and h.valid_from is not null order by k.key`
  const { rows: written } = await sql.query<EdgeRow>(select, values)
  const { rows: homes } = await sql.query<EdgeRow>(`${selectHomeEdges} where ${condition} order by k.key`, among(columnsOf(keys))[1])
  return [...homes, ...written].map(changeOfEdge)
}

async function* nodePages(sql: Sql, keys: string): AsyncGenerator<GraphChange[]> {
  for await (const page of pagesOf<NodeRow>(sql, selectNodes, keys)) yield await changesOfNodes(sql, page)
}

async function* edgePages(sql: Sql, select: string, keys: string): AsyncGenerator<GraphChange[]> {
  for await (const page of pagesOf<EdgeRow>(sql, select, keys)) yield page.map(changeOfEdge)
}

/** Everything the catalog has in the graph now, nodes before edges: what a rebuild writes. */
export async function* catalogGraph(sql: Sql): AsyncGenerator<GraphChange[]> {
  yield* nodePages(sql, `select node as key from node_history where valid_to = 'infinity' and node > $1`)
  yield* edgePages(sql, selectHomeEdges, `select node as key from ${homeRows} and node > $1`)
  yield* edgePages(sql, selectWrittenEdges, `select edge as key from edge_history where valid_to = 'infinity' and is_visible and edge > $1`)
}
