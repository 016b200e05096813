import type { Client } from '../postgres/sql.js'
import { partsOfId, type Scope } from './scope.js'

/**
 * Gives every staged fact its key and its stored content, and fills `incoming_node` and `incoming_edge`: what the snapshot asserts.
 * `state` is what a statement makes of a node: the version itself, null for a partial one until partial-store.ts settles it.
 */
export async function keyStaged(client: Client, scope: Scope): Promise<void> {
  await client.query(keyNodes)
  await keyUnknownEnds(client)
  await client.query(tableOfColumns)
  await client.query(keyEdges(scope.key))
  await client.query(saveVersions)
  await client.query('analyze incoming_node; analyze incoming_edge')
}

/** Ends of edges that nothing has asserted yet get keys too: their edges are kept, unseen. */
async function keyUnknownEnds(client: Client): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    `select e.source_id as id from stage_edge e where not exists (select from node_key k where k.id = e.source_id)
     union
     select e.target_id from stage_edge e where not exists (select from node_key k where k.id = e.target_id)`,
  )
  await client.query(
    'insert into node_key (id, kind) select * from unnest($1::text[], $2::text[]) as t(id, kind) on conflict (id) do nothing',
    [rows.map((row) => row.id), rows.map((row) => partsOfId(row.id)!.kind)],
  )
}

/** Columns come last, so that they find the keys of their tables. */
const keyNodes = `
insert into node_key (id, kind, scope)
select s.id, s.kind, s.scope from stage_node s
where s.kind <> 'Column' and not exists (select from node_key k where k.id = s.id);
insert into node_key (id, kind, scope, parent)
select s.id, s.kind, s.scope, min(p.key) from stage_node s
left join stage_edge e on e.target_id = s.id and e.label = 'HAS_COLUMN'
left join node_key p on p.id = e.source_id
where s.kind = 'Column' and not exists (select from node_key k where k.id = s.id)
group by s.id, s.kind, s.scope;
update node_key k set scope = s.scope from stage_node s where s.id = k.id and k.scope is null;
create temp table incoming_node on commit drop as
select k.key, k.parent, s.kind, s.version, case when not s.is_partial then s.version end as state, s.scope,
  s.file, s.location, s.stated_at
from stage_node s join node_key k on k.id = s.id;`

/** Of columns that were known before their table was. */
const tableOfColumns = `
update node_key c set parent = p.key from incoming_node i, node_key p, stage_edge e
where i.kind = 'Column' and i.parent is null and c.key = i.key and e.target_id = c.id and e.label = 'HAS_COLUMN' and p.id = e.source_id;
update incoming_node i set parent = c.parent from node_key c where i.kind = 'Column' and i.parent is null and c.key = i.key`

const keyEdges = (scope: number) => `
create temp table keyed_edge on commit drop as
select a.key as source, e.label, b.key as target, e.discriminator, e.version, e.file, e.location, e.stated_at
from stage_edge e join node_key a on a.id = e.source_id join node_key b on b.id = e.target_id;
analyze keyed_edge;
insert into edge_key (source, label, target, discriminator, scope)
select e.source, e.label, e.target, e.discriminator, ${scope} from keyed_edge e
on conflict (source, label, target, discriminator, scope) do nothing;
create temp table incoming_edge on commit drop as
select k.key, e.source, e.target, e.label, e.version, k.scope, e.file, e.location, e.stated_at from keyed_edge e
join edge_key k on k.source = e.source and k.label = e.label and k.target = e.target and k.discriminator = e.discriminator
  and k.scope = ${scope};`

const saveVersions = `
insert into fact_version (hash, name, qualified_name, properties, canonical, is_partial)
select distinct on (version) version, name, qualified_name, properties::jsonb, canonical, is_partial from stage_node s
where not exists (select from fact_version f where f.hash = s.version)
on conflict (hash) do nothing;
insert into fact_version (hash, properties)
select distinct on (version) version, properties::jsonb from stage_edge s
where not exists (select from fact_version f where f.hash = s.version)
on conflict (hash) do nothing;`
