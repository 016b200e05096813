-- Most columns come with one edge that says nothing but which table has them, and both are never told of otherwise. Such a column's one
-- row of history stands for four others, which are not written until something else is told (src/catalog/ledger/home-store.ts): what the
-- scope's first snapshot says of the column and of the edge (two rows of `assertion`), the edge's key, and its history.

-- The column's only row; it also says that the edge table -[HAS_COLUMN]-> column (its key: the column's + 1) has been there as long, as
-- visible, read at the same place, and that the snapshots of `home_stream` say both, from the first of them to the last.
alter table node_history add column is_home boolean not null default false,
  add constraint node_history_home check (not is_home or (kind = 'Column' and begins and not ends and valid_to = 'infinity'));
-- The stream whose first snapshot brought the homes of the scope; null: it has none.
alter table catalog_scope add column home_stream integer;

-- Edges as their rows, written out or told by the row of a column. Who looks for some of the latter names their target (the key of the
-- edge less 1) or their scope: there is no index by their own key.
create view home_edge as
select h.node + 1 as edge, k.parent as source, 'HAS_COLUMN' collate "C" as label, h.node as target, '' collate "C" as discriminator,
  h.scope, h.valid_from, h.valid_to, '44136fa3-55b3-678a-1146-ad16f7e8649e'::uuid as version, true as is_visible, h.begins, h.ends,
  h.file, h.location, h.stated_at, k.id as target_id
from node_history h join node_key k on k.key = h.node
where h.is_home and h.kind = 'Column' and h.valid_to = 'infinity';

create view written_edge as
select h.edge, k.source, h.label, k.target, k.discriminator, h.scope, h.valid_from, h.valid_to, h.version, h.is_visible, h.begins, h.ends,
  h.file, h.location, h.stated_at
from edge_history h join edge_key k on k.key = h.edge;

create view edge_row as
select * from written_edge
union all
select edge, source, label, target, discriminator, scope, valid_from, valid_to, version, is_visible, begins, ends, file, location, stated_at
from home_edge;

create view edge_ends as
select key, source, label, target, discriminator, scope from edge_key
union all
select edge, source, label, target, discriminator, scope from home_edge;

-- The same for what snapshots said.
create view assertion_row as
select stream, fact, from_position, to_position, version from assertion
union all
select s.home_stream, f.fact, '00000000-0000-0000-0000-000000000000'::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid, f.version
from node_history h join catalog_scope s on s.key = h.scope
cross join lateral (values (h.node, h.version), (h.node + 1, '44136fa3-55b3-678a-1146-ad16f7e8649e'::uuid)) f (fact, version)
where h.is_home and h.kind = 'Column' and h.valid_to = 'infinity';

create or replace view edge as
select a.id as source_id, h.label, b.id as target_id, k.discriminator, s.project_id, s.system_id, v.properties,
  h.valid_from as updated_at, h.edge as key
from edge_history h
join edge_key k on k.key = h.edge
join node_key a on a.key = k.source
join node_key b on b.key = k.target
join fact_version v on v.hash = h.version
join catalog_scope s on s.key = h.scope
where h.valid_to = 'infinity' and h.is_visible
union all
select a.id, 'HAS_COLUMN' collate "C", k.id, '' collate "C", s.project_id, s.system_id, '{}'::jsonb, h.valid_from, h.node + 1
from node_history h
join node_key k on k.key = h.node
join node_key a on a.key = k.parent
join catalog_scope s on s.key = h.scope
where h.is_home and h.kind = 'Column' and h.valid_to = 'infinity';

-- `found_by`: the key by which the row's own index finds it.
create or replace view change as
select h.node as fact, h.valid_from as at, 'node_added' collate "C" as kind, '' as property, h.scope, true as is_node,
  case when n.kind in ('Table', 'View') then n.key else n.parent end as owner, null::jsonb as before, null::jsonb as after, null::real as confidence,
  h.node as found_by
from node_history h left join node_key n on n.key = h.node where h.begins
union all
select h.node, h.valid_to, 'node_removed', '', h.scope, true, case when n.kind in ('Table', 'View') then n.key else n.parent end, null, null, null, h.node
from node_history h left join node_key n on n.key = h.node where h.ends
union all
select h.edge, h.valid_from, 'edge_added', '', h.scope, false, case when n.kind in ('Table', 'View') then n.key else n.parent end, null, null, null, h.edge
from edge_history h left join edge_key e on e.key = h.edge left join node_key n on n.key = e.source where h.begins
union all
select h.edge, h.valid_to, 'edge_removed', '', h.scope, false, case when n.kind in ('Table', 'View') then n.key else n.parent end, null, null, null, h.edge
from edge_history h left join edge_key e on e.key = h.edge left join node_key n on n.key = e.source where h.ends
union all
select h.node + 1, h.valid_from, 'edge_added', '', h.scope, false, case when n.kind in ('Table', 'View') then n.key else n.parent end, null, null, null, h.node
from node_history h left join node_key k on k.key = h.node left join node_key n on n.key = k.parent where h.is_home and h.kind = 'Column' and h.valid_to = 'infinity'
union all
select fact, at, kind, property, scope, is_node, owner, before, after, confidence, fact from change_detail;
