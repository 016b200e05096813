import type { Client } from '../../postgres/sql.js'
import { saveDifferences, saveRenames } from '../reads/change-store.js'
import type { NewSnapshot } from './snapshot-store.js'

/**
 * Applies `node_plan` and `edge_raw` for a snapshot later than all others of its project: current rows are closed at its time and new
 * ones opened, in SQL alone. Leaves `edge_plan` (before, after: versions that are visible), `graph_node` and `graph_edge`.
 */
export async function applyAsLast(client: Client, { observedAt, scope }: NewSnapshot): Promise<void> {
  const at = `'${observedAt.toISOString()}'::timestamptz`
  await client.query(`
    update node_history h set valid_to = ${at}, ends = p.after is null from node_plan p
    where h.node = p.node and h.valid_to = 'infinity' and p.before is not null;
    insert into node_history (node, valid_from, version, scope, kind, begins, file, location, stated_at)
    select node, ${at}, after, scope, kind, before is null, file, location, stated_at from node_plan where after is not null;`)
  await client.query(planEdges(scope.projectId))
  await client.query(`
    analyze edge_plan;
    update edge_history h set valid_to = ${at}, ends = p.before is not null and p.after is null from edge_plan p
    where h.edge = p.edge and h.valid_to = 'infinity' and p.old_version is not null;
    insert into edge_history (edge, valid_from, version, is_visible, scope, label, begins, file, location, stated_at)
    select edge, ${at}, new_version, new_visible, scope, label, before is null and after is not null, file, location, stated_at from edge_plan where new_version is not null;
    create temp table graph_node on commit drop as select node, before, after from node_plan;
    create temp table graph_edge on commit drop as select edge, before, after from edge_plan where before is distinct from after;`)
  await saveChanges(client, at)
}

/** Edges as the snapshot leaves them, and those that its nodes wake (an end came) or orphan (an end went). */
const planEdges = (projectId: string) => `
create temp table edge_plan on commit drop as
with orphaned as (
  select k.key from node_plan p join edge_key k on k.source = p.node where p.after is null
  union select k.key from node_plan p join edge_key k on k.target = p.node where p.after is null
), stirred as (
  select h.*, k.source, k.target from orphaned o join edge_history h on h.edge = o.key join edge_key k on k.key = o.key
  where h.valid_to = 'infinity' and h.is_visible
  union all
  select h.*, k.source, k.target from edge_history h join edge_key k on k.key = h.edge where h.valid_to = 'infinity' and not h.is_visible
    and h.scope in (select key from catalog_scope where project_id = ${quoted(projectId)})
), candidate as (
  select edge, source, target, old_version, old_visible, new_version, label, scope, file, location, stated_at from edge_raw
  union all
  select h.edge, h.source, h.target, h.version, h.is_visible, h.version, h.label, h.scope, h.file, h.location, h.stated_at from stirred h
  where not exists (select from edge_raw r where r.edge = h.edge)
), ends as (
  select source as key from candidate where new_version is not null union select target from candidate where new_version is not null
), missing as materialized (
  select e.key from ends e left join node_history h on h.node = e.key and h.valid_to = 'infinity' where h.node is null
), placed as (
  select c.*, c.new_version is not null and s.key is null and t.key is null as new_visible
  from candidate c left join missing s on s.key = c.source left join missing t on t.key = c.target
)
select *, case when old_visible then old_version end as before, case when new_visible then new_version end as after from placed
where (old_version, coalesce(old_visible, false)) is distinct from (new_version, new_visible)`

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`

async function saveChanges(client: Client, at: string): Promise<void> {
  await client.query(`
    create temp table rename_site on commit drop as
    with gone as (
      select distinct k.parent as owner from node_plan p join node_key k on k.key = p.node
      where p.kind = 'Column' and p.after is null and k.parent is not null
    )
    select owner, ${at} as at from gone where exists (
      select from node_key k join node_plan p on p.node = k.key where k.parent = gone.owner and p.kind = 'Column' and p.before is null);
    create temp table changed_version on commit drop as
    select node as fact, ${at} as at, before, after from node_plan where before is not null and after is not null
    union all select edge, ${at}, before, after from edge_plan where before is not null and after is not null and before <> after;`)
  await saveDifferences(client)
  await saveRenames(client)
}
