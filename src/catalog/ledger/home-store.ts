import type { Client, Sql } from '../../postgres/sql.js'
import type { NewSnapshot } from './snapshot-store.js'
import { nothing } from './staged-row.js'
import { endOfPositions, startOfPositions } from './temporal.js'

/**
 * Homes: columns whose one row of history stands for their HAS_COLUMN too, and for what is said of both (migration 000028). A first load
 * (fresh-store.ts) makes them. Whoever is about to tell anything else of one of the two facts has it unfolded before: then its rows are
 * written out, and it is as if they had always been.
 */

/** The condition that a row of node_history is a home, so that the index of current nodes finds it by its scope. */
export const isHome = (alias: string): string => `${alias}.is_home and ${alias}.kind = 'Column' and ${alias}.valid_to = 'infinity'`

/** Unfolds the homes `h` that meet a condition. */
const unfolding = (condition: string) => `
with unfolded as (
  update node_history h set is_home = false where ${isHome('h')} and ${condition}
  returning h.node, h.valid_from, h.version, h.scope, h.file, h.location, h.stated_at
), home as materialized (
  select u.*, k.parent, s.home_stream as stream from unfolded u
  cross join lateral (select parent from node_key k where k.key = u.node limit 1) k join catalog_scope s on s.key = u.scope
), said as (
  insert into assertion (stream, fact, from_position, to_position, version)
  select h.stream, f.fact, '${startOfPositions}'::uuid, '${endOfPositions}'::uuid, f.version
  from home h cross join lateral (values (h.node, h.version), (h.node + 1, '${nothing.version}'::uuid)) as f(fact, version)
), keyed as (
  insert into edge_key (key, source, label, target, discriminator, scope) select node + 1, parent, 'HAS_COLUMN', node, '', scope from home
)
insert into edge_history (edge, valid_from, version, is_visible, scope, label, begins, file, location, stated_at)
select node + 1, valid_from, '${nothing.version}'::uuid, true, scope, 'HAS_COLUMN', true, file, location, stated_at from home`

/** Unfolds all homes of scopes. */
export async function unfoldScopes(client: Client, scopes: readonly number[]): Promise<void> {
  const { rows } = await client.query<{ key: number }>('select key from catalog_scope where key = any($1) and home_stream is not null', [
    scopes,
  ])
  for (const { key } of rows) await client.query(unfolding('h.scope = $1'), [key])
  if (rows.length > 0) await client.query('update catalog_scope set home_stream = null where key = any($1)', [rows.map((row) => row.key)])
}

const hasHomes = async (sql: Sql, projectId: string): Promise<boolean> =>
  (
    await sql.query<{ any: boolean }>(
      'select exists (select from catalog_scope where project_id = $1 and home_stream is not null) as any',
      [projectId],
    )
  ).rows[0]!.any

/** Unfolds the homes of a project that are among nodes, or whose tables are; `nodes` is a query that answers `node`. */
export async function unfoldAt(client: Client, projectId: string, nodes: string, values: readonly unknown[] = []): Promise<void> {
  if (await hasHomes(client, projectId)) await client.query(unfolding(among(nodes)), values)
}

const among = (nodes: string) =>
  `h.node in (select node from (${nodes}) n union select k.key from (${nodes}) n join node_key k on k.parent = n.node)`

/**
 * Before a snapshot is keyed: unfolds the homes that it tells anything of but what is known. Homes that it only repeats are taken out of
 * what is staged; returns how many.
 */
export async function settleHomes(client: Client, snapshot: NewSnapshot): Promise<number> {
  const { scope, stream, isLast, isComplete } = snapshot
  const { rows } = await client.query<{ home_stream: number | null }>('select home_stream from catalog_scope where key = $1', [scope.key])
  const homeStream = rows[0]!.home_stream
  if (homeStream === null) return 0
  // a late one moves what comes first; a stream that begins with all of the system says all of it for the first time
  if (!isLast || (stream !== homeStream && isComplete)) await unfoldScopes(client, [scope.key])
  else if (stream !== homeStream) await client.query(unfolding(`h.scope = ${scope.key} and ${among(stagedNodes)}`))
  else return setAside(client, snapshot)
  return 0
}

/** Columns that are told of, or their tables, and all that is taken away. */
const stagedNodes = `
select k.key as node from stage_node s join node_key k on k.id = s.id where s.kind = 'Column'
union all select k.key from stage_edge e join node_key k on k.id = e.target_id where e.label = 'HAS_COLUMN'
union all select k.key from stage_removal r join node_key k on k.id >= r.low and k.id < r.high`

/**
 * The homes that come again as they are, and with their tables. Staged rows have no index: whatever the planner believes of the numbers of
 * rows, they must be hashed.
 */
const findKept = ({ scope, isComplete }: NewSnapshot) => `
set local enable_nestloop = off;
create temp table home_kept on commit drop as
with home as materialized (
  select h.node, h.version, k.id, k.parent from node_history h cross join lateral (select id, parent from node_key k where k.key = h.node limit 1) k
  where ${isHome('h')} and h.scope = ${scope.key}
), container as materialized (
  select t.key, k.id from (select distinct parent as key from home) t cross join lateral (select id from node_key k where k.key = t.key limit 1) k
), taken as materialized (
  select k.key from stage_removal r join node_key k on k.id >= r.low and k.id < r.high
)
select h.node, s.ctid as node_row, e.ctid as edge_row
from home h join container t on t.key = h.parent
join stage_node s on s.id = h.id and s.version = h.version and not s.is_partial
join stage_edge e on e.target_id = h.id and e.source_id = t.id and e.label = 'HAS_COLUMN' and e.discriminator = '' and e.version = '${nothing.version}'
where h.node not in (select key from taken) and h.parent not in (select key from taken)
  ${isComplete ? 'and t.id in (select id from stage_node)' : ''};
set local enable_nestloop to default`

const leaveOut = (table: string, row: string) => `
create temp table ${table}_rest on commit drop as select s.* from ${table} s where not exists (select from home_kept h where h.${row} = s.ctid);
drop table ${table};
alter table ${table}_rest rename to ${table};
analyze ${table};`

/** All homes are of the snapshot's own stream: those that it does not repeat end, or change. */
async function setAside(client: Client, snapshot: NewSnapshot): Promise<number> {
  await client.query(findKept(snapshot))
  await client.query('analyze home_kept')
  const { rows } = await client.query<{ n: number }>('select count(*) as n from home_kept')
  await client.query(unfolding(`h.scope = ${snapshot.scope.key} and not exists (select from home_kept k where k.node = h.node)`))
  if (rows[0]!.n > 0) await client.query(leaveOut('stage_node', 'node_row') + leaveOut('stage_edge', 'edge_row'))
  return rows[0]!.n
}
