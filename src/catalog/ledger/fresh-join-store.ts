import type { Client } from '../../postgres/sql.js'
import { NotFresh } from './fresh-rows.js'
import { isHome } from './home-store.js'

// What became of a first load (fresh-store.ts) is put together with what was staged and planned beside it.

/** Tables of columns that their rows did not know yet: the first that was told of. */
export const bringHome = (homes: string) => `
with told as (select h.node, min(h.parent) as parent from ${homes} h group by 1),
brought as (update node_key k set parent = least(k.parent, t.parent) from told t where k.key = t.node and k.kind = 'Column' returning k.key, k.parent)
update fresh_node f set parent = b.parent from brought b where f.node = b.key`

/** Edges whose ends came far apart are staged: none of them may have come this way, too. */
export async function assertToldOnce(client: Client): Promise<void> {
  await assertNoHomes(client, `select target from incoming_edge where label = 'HAS_COLUMN'`)
  const { rows } = await client.query<{ key: number }>('select key from incoming_edge where not is_new limit 1')
  if (rows[0]) throw new NotFresh(`edge ${rows[0].key}`)
}

/** A column that is told of two tables is no home. */
export async function assertNoHomes(client: Client, nodes: string): Promise<void> {
  const { rows } = await client.query<{ node: number }>(
    `select h.node from node_history h where h.node in (${nodes}) and ${isHome('h')} limit 1`,
  )
  if (rows[0]) throw new NotFresh(`node ${rows[0].node}`)
}

export const planHomes = (scope: number) => `
insert into node_plan (node, before, after, parent, canonical, kind, scope, file, location, stated_at, is_worded)
select h.node, null, h.version, k.parent, v.canonical, h.kind, h.scope, h.file, h.location, h.stated_at, true
from node_history h join node_key k on k.key = h.node join fact_version v on v.hash = h.version where ${isHome('h')} and h.scope = ${scope}
  and not exists (select from node_plan p where p.node = h.node)`

/** For edges that were staged: their columns came this way, their tables may have. */
export const bringStagedHome = (client: Client): Promise<unknown> =>
  client.query(
    bringHome(
      `(select target as node, source as parent from incoming_edge where label = 'HAS_COLUMN' and lost_source is null and source is not null)`,
    ),
  )

/** Joins what came this way with what was staged, applied and planned beside it: from here on it is as if all had been. */
export async function joinFresh(client: Client): Promise<void> {
  await client.query(`
    insert into fresh_node (node, before, after, parent, canonical, kind, scope, file, location, stated_at)
    select node, before, after, parent, canonical, kind, scope, file, location, stated_at from node_plan;
    drop table node_plan;
    alter table fresh_node rename to node_plan;
    insert into incoming_node (key, is_new, kind, parent, state, version, canonical, scope, file, location, stated_at)
    select node, true, kind, parent, after, after, canonical, scope, file, location, stated_at from node_plan p
    where kind <> 'Column' and before is null and not exists (select from incoming_node i where i.key = p.node);
    insert into edge_raw (edge, source, target, new_version, label, scope)
    select edge, source, target, after, label, scope from fresh_edge where label <> 'CONTAINS';
    insert into fresh_edge (edge, before, after, source, target, label, scope)
    select edge, before, after, source, target, label, scope from edge_plan;
    drop table edge_plan;
    alter table fresh_edge rename to edge_plan`)
}
