import type { Client } from '../../postgres/sql.js'
import { partsOfId } from '../resolve/scope.js'
import { inForce, type NewSnapshot } from './snapshot-store.js'

/**
 * Gives every staged fact its key, and fills `incoming_node` and `incoming_edge`: what the snapshot asserts. `before` is the version in
 * force when it arrives; `state` is what a statement makes of a node: the version itself, null for a partial one until partial-store.ts
 * settles it. Texts of ids are joined here and nowhere after.
 */
export async function keyStaged(client: Client, snapshot: NewSnapshot): Promise<void> {
  await client.query(keyNodes(snapshot))
  await client.query(keyEdges(snapshot))
  await keyUnknownEnds(client)
  await client.query(`
    insert into edge_key (key, source, label, target, discriminator, scope)
    select key, source, label, target, discriminator, scope from incoming_edge where is_new;
    analyze incoming_node; analyze incoming_edge`)
}

/** Keys are drawn in the order of the facts, so that what is read together lies together: the columns of a table, and their edges. */
const readNodes = (snapshot: NewSnapshot, { where, parent, home }: { where: string; parent: string; home: string }) => `
select coalesce(known, nextval('fact_key')) as key, known is null as is_new, is_unscoped, parent,
  known is not null and parent is distinct from known_parent as is_adopted,
  id, kind, version, case when not is_partial then version end as state, before,
  case when not is_partial then canonical end as canonical, scope, file, location, stated_at
from (
  select k.key as known, k.scope is null as is_unscoped, ${parent} as parent, k.parent as known_parent, h.version as before, s.*
  from stage_node s left join node_key k on k.id = s.id left join node_history h on h.node = k.key and ${inForce('h', snapshot)} ${home}
  where ${where} order by s.ordinal
) s`

/** Columns come last, so that they find the keys of their tables. */
const keyNodes = (snapshot: NewSnapshot) => `
create temp table incoming_node on commit drop as ${readNodes(snapshot, { where: `s.kind <> 'Column'`, parent: 'k.parent', home: '' })};
insert into node_key (key, id, kind, scope) select key, id, kind, scope from incoming_node where is_new;
create temp table home on commit drop as
select e.target_id as id, min(k.key) as parent from stage_edge e join node_key k on k.id = e.source_id where e.label = 'HAS_COLUMN' group by 1;
insert into incoming_node
${readNodes(snapshot, { where: `s.kind = 'Column'`, parent: 'coalesce(k.parent, m.parent)', home: 'left join home m on m.id = s.id' })};
insert into node_key (key, id, kind, scope, parent) select key, id, kind, scope, parent from incoming_node where is_new and kind = 'Column';
update node_key k set scope = i.scope from incoming_node i where i.is_unscoped and not i.is_new and k.key = i.key;
update node_key k set parent = i.parent from incoming_node i where i.is_adopted and k.key = i.key`

/** An end that has no key yet is null until `keyUnknownEnds`; such an edge is new. */
const keyEdges = (snapshot: NewSnapshot) => `
create temp table incoming_edge on commit drop as
select coalesce(known, nextval('fact_key')) as key, known is null as is_new, source, target, label, discriminator, lost_source, lost_target,
  version, before, was_visible, ${snapshot.scope.key} as scope, file, location, stated_at
from (
select k.key as known, a.key as source, b.key as target, e.label, e.discriminator,
  case when a.key is null then e.source_id end as lost_source, case when b.key is null then e.target_id end as lost_target,
  e.version, h.version as before, h.is_visible as was_visible, e.file, e.location, e.stated_at
from stage_edge e left join node_key a on a.id = e.source_id left join node_key b on b.id = e.target_id
left join edge_key k on k.source = a.key and k.label = e.label and k.target = b.key and k.discriminator = e.discriminator
  and k.scope = ${snapshot.scope.key}
left join edge_history h on h.edge = k.key and ${inForce('h', snapshot)}
order by e.ordinal
) e`

/** Ends of edges that nothing has asserted yet get keys too: their edges are kept, unseen. */
async function keyUnknownEnds(client: Client): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    `select lost_source as id from incoming_edge where lost_source is not null
     union select lost_target from incoming_edge where lost_target is not null`,
  )
  if (rows.length === 0) return
  await client.query('insert into node_key (id, kind) select * from unnest($1::text[], $2::text[])', [
    rows.map((row) => row.id),
    rows.map((row) => partsOfId(row.id)!.kind),
  ])
  await client.query(`
    update incoming_edge i set source = k.key from node_key k where k.id = i.lost_source;
    update incoming_edge i set target = k.key from node_key k where k.id = i.lost_target`)
}
