import { appendGraphChanges, lockOutbox } from '../postgres/outbox.js'
import type { Client, Sql } from '../postgres/sql.js'
import type { EdgeLabel, GraphChange, NodeKind, Properties } from '../vocabulary.js'
import type { Annotations } from './annotation.js'
import { edgeChange, type NodeMetrics, nodeChange } from './graph-change.js'
import { readAnnotations } from './people-store.js'

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

const selectEdges = `
select k.key, a.id as source_id, k.label, b.id as target_id, k.discriminator, h.valid_from as updated_at, v.properties, s.project_id, s.system_id
from edge_key k
left join lateral (select id from node_key n where n.key = k.source limit 1) a on true
left join lateral (select id from node_key n where n.key = k.target limit 1) b on true
left join lateral (select * from edge_history c where c.edge = k.key order by c.valid_from desc limit 1) h
  on h.valid_to = 'infinity' and h.is_visible
${versionOf}`

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

/** Pages of rows by key; `keys` answers the next keys after one, given as $1. */
async function* pagesOf<Row extends { key: number }>(sql: Sql, select: string, keys: string): AsyncGenerator<Row[]> {
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

const noteTouched = `
create temp table touched_graph_node (key bigint primary key, is_gone boolean) on commit drop;
insert into touched_graph_node
select t.key, not coalesce((select h.valid_to = 'infinity' from node_history h where h.node = t.key order by h.valid_from desc limit 1), false) from (
  select node as key from graph_node union select node from metric_table) t;
create temp table touched_graph_edge (key bigint primary key, is_gone boolean) on commit drop;
insert into touched_graph_edge
select distinct t.edge, not coalesce((select h.valid_to = 'infinity' and h.is_visible from edge_history h where h.edge = t.edge order by h.valid_from desc limit 1), false) from graph_edge t;
insert into touched_graph_edge
select t.key, false from touched_graph_edge g join edge_key e on e.key = g.key
join edge_key t on t.source = e.source and t.label = e.label and t.target = e.target and t.discriminator = e.discriminator and t.key <> e.key
join edge_history h on h.edge = t.key and h.valid_to = 'infinity' and h.is_visible
where g.is_gone on conflict do nothing;
analyze touched_graph_node; analyze touched_graph_edge`

/**
 * Appends to the outbox what the ingest changed of the current state, by `graph_node` and `graph_edge`: edges that go, nodes that come
 * (with the tables and the `containers`, by id, whose metrics moved), edges that come, nodes that go.
 */
export async function appendToOutbox(client: Client, containers: readonly string[]): Promise<void> {
  await client.query(noteTouched)
  const { rows } = await client.query<{ any: boolean }>(
    'select exists (select from touched_graph_node) or exists (select from touched_graph_edge) as any',
  )
  if (!rows[0]!.any) return
  await client.query('insert into touched_graph_node select key, false from node_key where id = any($1) on conflict do nothing', [
    containers,
  ])
  await lockOutbox(client)
  const append = async (side: 'node' | 'edge', isGone: boolean) => {
    const keys = `select key from touched_graph_${side} where key > $1 and is_gone = ${isGone}`
    for await (const page of side === 'node' ? nodePages(client, keys) : edgePages(client, keys)) await appendGraphChanges(client, page)
  }
  await append('edge', true)
  await append('node', false)
  await append('edge', false)
  await append('node', true)
}

async function* nodePages(sql: Sql, keys: string): AsyncGenerator<GraphChange[]> {
  for await (const page of pagesOf<NodeRow>(sql, selectNodes, keys)) yield await changesOfNodes(sql, page)
}

async function* edgePages(sql: Sql, keys: string): AsyncGenerator<GraphChange[]> {
  for await (const page of pagesOf<EdgeRow>(sql, selectEdges, keys)) yield page.map(changeOfEdge)
}

/** Everything the catalog has in the graph now, nodes before edges: what a rebuild writes. */
export async function* catalogGraph(sql: Sql): AsyncGenerator<GraphChange[]> {
  yield* nodePages(sql, `select node as key from node_history where valid_to = 'infinity' and node > $1`)
  yield* edgePages(sql, `select edge as key from edge_history where valid_to = 'infinity' and is_visible and edge > $1`)
}
