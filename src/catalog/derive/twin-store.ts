import type { Client } from '../../postgres/sql.js'
import type { DerivePlace } from './apply-store.js'

/**
 * A text may state what follows from others anyway (an export that is read back does). What it states is then shown in the place of what
 * follows; that the one comes where the other goes is no change of the catalog where both say the same.
 */
export async function settleEchoes(
  client: Client,
  place: DerivePlace,
  { nodes, edges }: { nodes: readonly number[]; edges: readonly number[] },
): Promise<void> {
  if (edges.length > 0) await joinTwins(client, edges)
  if (place.after === 'deletion') return
  if (nodes.length > 0) await forgetEchoedNodes(client, nodes)
  if (edges.length > 0) await forgetEchoedEdges(client, edges)
}

/** Derived edges with those that texts state themselves, in the same system. */
const twins = `
select e.key as derived, t.key as stated from edge_key e join catalog_scope s on s.key = e.scope
join edge_key t on t.source = e.source and t.label = e.label and t.target = e.target and t.discriminator = e.discriminator
  and t.scope = s.derived_of
where e.key = any($1)`

/** Where one of the two takes over from the other with the same content, neither begins nor ends. */
const joinTwins = (client: Client, edges: readonly number[]): Promise<unknown> =>
  client.query(
    `with twin as (${twins}), shown as (
       select h.*, t.derived as pair from twin t join edge_history h on h.edge in (t.derived, t.stated) where h.is_visible
     ), beside as (
       select edge, valid_from, begins, ends,
         lag(valid_to) over w is not distinct from valid_from as follows, lag(edge) over w is not distinct from edge as follows_itself,
         lag(version) over w is not distinct from version as follows_same,
         lead(valid_from) over w is not distinct from valid_to as precedes, lead(edge) over w is not distinct from edge as precedes_itself,
         lead(version) over w is not distinct from version as precedes_same, valid_to < 'infinity' as is_over
       from shown window w as (partition by pair order by valid_from)
     ), told as (
       select edge, valid_from, not (follows and (follows_itself or follows_same)) as begins,
         is_over and not (precedes and (precedes_itself or precedes_same)) as ends from beside
     )
     update edge_history h set begins = t.begins, ends = t.ends from told t
     where h.edge = t.edge and h.valid_from = t.valid_from and (h.begins, h.ends) is distinct from (t.begins, t.ends)`,
    [edges],
  )

const forgetEchoedNodes = (client: Client, nodes: readonly number[]): Promise<unknown> =>
  client.query(
    `delete from node_plan p using fact_version a, fact_version b
     where p.node = any($1) and a.hash = p.before and b.hash = p.after and a.name = b.name and a.qualified_name = b.qualified_name
       and a.properties = b.properties`,
    [nodes],
  )

async function forgetEchoedEdges(client: Client, edges: readonly number[]): Promise<void> {
  await client.query(
    `with twin as (${twins}), echo as (
       select t.* from twin t join edge_plan d on d.edge = t.derived join edge_plan s on s.edge = t.stated
       where (d.after is null and s.before is null and d.before = s.after) or (d.before is null and s.after is null and d.after = s.before)
     ), said as (
       update incoming_edge i set was_visible = true from echo e where i.key = e.stated
     )
     delete from edge_plan p using echo e where p.edge in (e.derived, e.stated)`,
    [edges],
  )
}
