import { appendGraphChanges } from '../postgres/outbox.js'
import type { Client, Sql } from '../postgres/sql.js'
import type { EdgeLabel, GraphChange, NodeKind, Properties } from '../vocabulary.js'
import { edgeChange, type NodeMetrics, nodeChange } from './graph-change.js'

const pageSize = 5_000

/** The latest value of each metric that the graph shows, for a node key `k.key`. */
const metricsOf = `
left join lateral (
  select jsonb_object_agg(name, value) || jsonb_build_object('metrics_calculated_at', max(observed_at)) as metrics from (
    select distinct on (name) name, value, observed_at from metric m
    where m.node = k.key and m.name in ('metadata_entropy', 'kl_divergence') order by name, observed_at desc) latest
) m on k.kind in ('Project', 'System', 'Table', 'View')`

const selectNodes = `
select k.key, k.id, k.kind, h.valid_from as updated_at, v.name, v.qualified_name, v.properties, s.project_id, s.system_id, m.metrics
from node_key k
left join node_history h on h.node = k.key and h.valid_to = 'infinity'
left join fact_version v on v.hash = h.version
left join catalog_scope s on s.key = h.scope
${metricsOf}`

const selectEdges = `
select k.key, a.id as source_id, k.label, b.id as target_id, k.discriminator, h.valid_from as updated_at, v.properties, s.project_id, s.system_id
from edge_key k
join node_key a on a.key = k.source
join node_key b on b.key = k.target
left join edge_history h on h.edge = k.key and h.valid_to = 'infinity' and h.is_visible
left join fact_version v on v.hash = h.version
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

function changeOfNode(row: NodeRow): GraphChange {
  if (row.updated_at === null) return { op: 'delete-node', id: row.id, kind: row.kind }
  const metrics = row.metrics?.metrics_calculated_at
    ? { ...row.metrics, metrics_calculated_at: new Date(row.metrics.metrics_calculated_at).toISOString() }
    : null
  const { id, kind, name, qualified_name: qualifiedName, project_id: projectId, system_id: systemId, properties } = row
  return nodeChange({ id, kind, name, qualifiedName, projectId, systemId, properties }, row.updated_at, metrics)
}

function changeOfEdge(row: EdgeRow): GraphChange {
  const { source_id: sourceId, label, target_id: targetId, discriminator, properties } = row
  if (row.updated_at === null) return { op: 'delete-edge', sourceId, label, targetId, discriminator }
  return edgeChange(
    { sourceId, label, targetId, discriminator, projectId: row.project_id, systemId: row.system_id, properties },
    row.updated_at,
  )
}

/** Pages of rows by key, of the keys that `from` names. */
async function* pagesOf<Row extends { key: number }>(sql: Sql, select: string, from: string): AsyncGenerator<Row[]> {
  for (let after = 0; ; ) {
    const { rows } = await sql.query<Row>(
      `${select} where k.key in (select key from (${from}) f where key > $1 order by key limit ${pageSize}) order by k.key`,
      [after],
    )
    if (rows.length === 0) return
    yield rows
    after = rows.at(-1)!.key
  }
}

/**
 * Appends to the outbox what the ingest changed of the current state, by `graph_node` and `graph_edge`: edges that go, nodes that come
 * (with tables whose metrics moved), edges that come, nodes that go.
 */
export async function appendToOutbox(client: Client, scopeIds: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ any: boolean }>(
    'select exists (select from graph_node) or exists (select from graph_edge) or exists (select from metric_table) as any',
  )
  if (!rows[0]!.any) return
  await client.query(
    `create temp table graph_touched on commit drop as select node as key from graph_node union select node from metric_table
     union select key from node_key where id = any(array[${scopeIds.map((id) => `'${id.replaceAll("'", "''")}'`).join(', ')}])`,
  )
  const nodes = 'select key from graph_touched'
  const edges = 'select distinct edge as key from graph_edge'
  const append = async <Row extends { key: number }>(select: string, from: string, change: (row: Row) => GraphChange, op: string) => {
    for await (const page of pagesOf<Row>(client, select, from))
      await appendGraphChanges(
        client,
        page.map(change).filter((c) => c.op.startsWith(op)),
      )
  }
  await append(selectEdges, edges, changeOfEdge, 'delete')
  await append(selectNodes, nodes, changeOfNode, 'upsert')
  await append(selectEdges, edges, changeOfEdge, 'upsert')
  await append(selectNodes, nodes, changeOfNode, 'delete')
}

/** Everything the catalog has in the graph now, nodes before edges: what a rebuild writes. */
export async function* catalogGraph(sql: Sql): AsyncGenerator<GraphChange[]> {
  const nodes = `select node as key from node_history where valid_to = 'infinity'`
  for await (const page of pagesOf<NodeRow>(sql, selectNodes, nodes)) yield page.map(changeOfNode)
  const edges = `select edge as key from edge_history where valid_to = 'infinity' and is_visible`
  for await (const page of pagesOf<EdgeRow>(sql, selectEdges, edges)) yield page.map(changeOfEdge)
}
