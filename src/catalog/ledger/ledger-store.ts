import { type Index, takeIndexes } from '../../postgres/bulk-load.js'
import type { Client, Sql } from '../../postgres/sql.js'
import type { Scope } from '../resolve/scope.js'
import { placeFirst } from './assertion-store.js'
import { stagingTables } from './batch-store.js'
import { keyStaged } from './key-store.js'
import { settlePartials } from './partial-store.js'
import { inForce, type NewSnapshot } from './snapshot-store.js'
import { endOfPositions } from './temporal.js'

const lockClass = 7_302_001

/** One ingest per project at a time: edges may cross systems, so their histories are a project's affair. Held to the transaction's end. */
export async function lockProject(client: Client, projectId: string): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1, hashtext($2))', [lockClass, projectId])
}

/** The keys of a project and system, made when they are new. */
export async function openScope(client: Client, projectId: string, systemId: string): Promise<Scope> {
  const keyOf = async (system: string) => {
    const values = [projectId, system]
    await client.query('insert into catalog_scope (project_id, system_id) values ($1, $2) on conflict do nothing', values)
    const { rows } = await client.query<{ key: number }>(
      'select key from catalog_scope where project_id = $1 and system_id = $2 and derived_of is null',
      values,
    )
    return rows[0]!.key
  }
  const projectKey = await keyOf('')
  return { key: await keyOf(systemId), projectKey, projectId, systemId }
}

/** From so many staged nodes on, the indexes of an empty ledger are built when all is in it. */
const manyNodes = 20_000

/** The indexes of the ledger, taken away for a large first load (bulk-load.ts); none otherwise. */
export async function takeLedgerIndexes(client: Client): Promise<Index[]> {
  const { rows } = await client.query<{ n: number }>(`select count(*) as n from (select from stage_node limit ${manyNodes}) s`)
  return rows[0]!.n < manyNodes ? [] : takeIndexes(client, ['node_key', 'edge_key', 'assertion', 'node_history', 'edge_history'])
}

/**
 * Saves what the snapshot asserts as differences to its predecessor in the stream, and (when it comes late) makes its successor's
 * differences relative to it. Content equal to the neighbours' writes nothing.
 */
export async function saveAssertions(client: Client, { stream, position, contentHash }: NewSnapshot): Promise<void> {
  const { rows } = await client.query<{ position: string }>(
    'select position from snapshot where stream = $1 and position > $2 order by position limit 1',
    [stream, position],
  )
  const next = rows[0]?.position ?? endOfPositions
  const before = await client.query<{ content_hash: string }>(
    'select content_hash from snapshot where stream = $1 and position < $2 order by position desc limit 1',
    [stream, position],
  )
  if (next === endOfPositions && before.rows[0]?.content_hash === contentHash) return
  if (next === endOfPositions && before.rows.length === 0) return saveFirstAssertions(client, stream, position)
  if (before.rows.length === 0) await placeFirst(client, stream, next)
  await client.query(
    `create temp table assertion_delta on commit drop as
     with incoming as (select key, version from incoming_node union all select key, version from incoming_edge),
     open as (select fact, from_position, to_position, version from assertion
       where stream = ${stream} and from_position < '${position}' and to_position > '${position}')
     select coalesce(i.key, o.fact) as fact, o.version as old_version, o.from_position as old_from, o.to_position as old_to,
       i.version as new_version
     from incoming i full join open o on o.fact = i.key where i.version is distinct from o.version`,
  )
  if (next !== endOfPositions)
    await client.query(
      `insert into assertion (stream, fact, from_position, to_position, version)
       select $1, fact, $2, old_to, old_version from assertion_delta where old_to > $2`,
      [stream, next],
    )
  await client.query(
    `update assertion a set to_position = $2 from assertion_delta d
     where a.stream = $1 and a.fact = d.fact and a.from_position = d.old_from and d.old_version is not null`,
    [stream, position],
  )
  if (next !== endOfPositions)
    await client.query(
      `with joined as (
         update assertion a set from_position = $2 from assertion_delta d
         where a.stream = $1 and a.fact = d.fact and a.from_position = $3 and a.version = d.new_version returning a.fact
       ) delete from assertion_delta d using joined j where j.fact = d.fact`,
      [stream, position, next],
    )
  await client.query(
    `insert into assertion (stream, fact, from_position, to_position, version)
     select $1, fact, $2, $3, new_version from assertion_delta where new_version is not null`,
    [stream, position, next],
  )
}

const saveFirstAssertions = async (client: Client, stream: number, position: string): Promise<void> => {
  await client.query(
    `insert into assertion (stream, fact, from_position, to_position, version)
     select $1, key, $2, $3, version from (select key, version from incoming_node union all select key, version from incoming_edge) i`,
    [stream, position, endOfPositions],
  )
}

/**
 * Decides what the snapshot does to nodes and, before their ends are looked at, to edges: `node_plan` (before, after: versions or null)
 * and `edge_raw`. Equal facts do not appear in either. Of a fresh system nothing can be absent, and homes that are left are known to come
 * again (home-store.ts).
 */
export async function planDifferences(client: Client, snapshot: NewSnapshot, isFresh = false): Promise<void> {
  await settlePartials(client, snapshot)
  const n = inForce('h', snapshot)
  const removed = (key: string) => `not exists (select from incoming_${key} i where i.key = h.${key})`
  const { rows } = await client.query('select 1 from stage_removal limit 1')
  const hasAbsent = async (key: string) =>
    !isFresh && snapshot.isComplete && (!snapshot.isLast || (await lacksSome(client, key, snapshot.scope.key)))
  const gone = async (key: string, columns: string, ends: readonly string[]) => [
    ...((await hasAbsent(key))
      ? [
          `select ${columns} from ${key}_history h join ${key}_key k on k.key = h.${key}
            where ${n} and h.scope = ${snapshot.scope.key} and ${removed(key)} ${unlessHome(key)}`,
        ]
      : []),
    ...(rows.length > 0
      ? ends.map((from) => `select ${columns} ${from} join ${key}_history h on h.${key} = k.key and ${n} where ${removed(key)}`)
      : []),
  ]
  const taken = 'from stage_removal r join node_key n on n.id >= r.low and n.id < r.high'
  const goneNodes = await gone(
    'node',
    'h.node, h.version, null::uuid, k.parent, null, h.kind, h.scope, null::integer, null::text, null::timestamptz',
    [`${taken} join node_key k on k.key = n.key`],
  )
  const goneEdges = await gone(
    'edge',
    `h.edge, k.source, k.target, h.version, h.is_visible, null::uuid, h.label, h.scope, null::integer, null::text, null::timestamptz`,
    ['source', 'target'].map((end) => `${taken} join edge_key k on k.${end} = n.key`),
  )
  // what is gone is told by several ways, but never of what comes in
  const and = (others: readonly string[]) => (others.length > 0 ? `union all (${others.join(' union ')})` : '')
  await client.query(`
    create temp table node_plan on commit drop as ${comingNodes} ${and(goneNodes)};
    create temp table edge_raw on commit drop as ${comingEdges} ${and(goneEdges)};
    analyze node_plan; analyze edge_raw`)
}

const comingNodes = `
select key as node, before, state as after, parent, canonical, kind, scope, file, location, stated_at
from incoming_node where before is distinct from state`
const comingEdges = `
select key as edge, source, target, before as old_version, was_visible as old_visible, version as new_version, label, scope, file, location, stated_at
from incoming_edge where before is distinct from version`

/** The plan of a snapshot that changes nothing. Nothing is staged for it, but what it takes away by name. */
export async function planRepetition(client: Client, snapshot: NewSnapshot, repeatedId: string): Promise<void> {
  await client.query(stagingTables)
  await client.query('insert into stage_removal (root, low, high) select root, low, high from snapshot_removal where snapshot_id = $1', [
    repeatedId,
  ])
  await keyStaged(client, snapshot)
  await client.query(`
    create temp table node_plan on commit drop as ${comingNodes};
    create temp table edge_raw on commit drop as ${comingEdges}`)
}

const unlessHome = (key: string) => (key === 'node' ? 'and not h.is_home' : '')

/** Whether a system has current facts that do not come in: two counts, five times as fast as looking for them. */
async function lacksSome(client: Client, key: string, scope: number): Promise<boolean> {
  const { rows } = await client.query<{ lacks: boolean }>(
    `select (select count(*) from ${key}_history h where scope = ${scope} and valid_to = 'infinity' ${unlessHome(key)})
       > (select count(*) from incoming_${key} where scope = ${scope} and before is not null) as lacks`,
  )
  return rows[0]!.lacks
}

export interface Tally {
  added: number
  changed: number
  removed: number
  unchanged: number
}

const tally = async (sql: Sql, kind: 'node' | 'edge', isThere: string): Promise<Tally> => {
  const { rows } = await sql.query<Tally>(
    `select count(*) filter (where before is null and after is not null) as added,
       count(*) filter (where before is not null and after is not null and before <> after) as changed,
       count(*) filter (where before is not null and after is null) as removed,
       (select count(*) from incoming_${kind} i where ${isThere})
         - (select count(*) from ${kind}_plan p where exists (select from incoming_${kind} i where i.key = p.${kind} and ${isThere})) as unchanged
     from ${kind}_plan`,
  )
  return rows[0]!
}

/**
 * How many nodes and (visible) edges the snapshot adds, changes, removes, and says again as they were; `untold`: those that came and are
 * in no plan (fresh-store.ts); `kept`: columns that came again with their edges, and were set aside (home-store.ts).
 */
export async function countPlan(
  client: Client,
  untold: { nodes: number; edges: number } = { nodes: 0, edges: 0 },
  kept = 0,
): Promise<{ nodes: Tally; edges: Tally }> {
  const nodes = await tally(client, 'node', 'i.before is not null')
  const edges = await tally(client, 'edge', 'i.was_visible')
  return {
    nodes: { ...nodes, added: nodes.added + untold.nodes, unchanged: nodes.unchanged + kept },
    edges: { ...edges, added: edges.added + untold.edges, unchanged: edges.unchanged + kept },
  }
}

export interface Dangling {
  source: string
  label: string
  target: string
  missing: string
  place: string
}

/** Ends of the snapshot's edges that do not exist at its time; such edges are kept back until they do. */
export async function readDangling(client: Client, { observedAt, isLast }: NewSnapshot, limit: number): Promise<Dangling[]> {
  // few edges wait for their ends, and an index names those that do now
  const hidden = isLast ? "h.valid_to = 'infinity'" : 'h.edge in (select key from incoming_edge) and h.valid_from <= $1 and h.valid_to > $1'
  const { rows } = await client.query<Dangling>(
    `with hidden as materialized (select h.edge from edge_history h where ${hidden} and not h.is_visible)
     select a.id as source, i.label, b.id as target, concat_ws(':', f.file, i.location) as place,
       case when exists (select from node_history n where n.node = i.source and n.valid_from <= $1 and n.valid_to > $1)
         then b.id else a.id end as missing
     from hidden h join incoming_edge i on i.key = h.edge
     cross join lateral (select id from node_key k where k.key = i.source limit 1) a
     cross join lateral (select id from node_key k where k.key = i.target limit 1) b
     left join source_file f on f.key = i.file
     -- what stands in the place of an open end never exists (derive/open-end.ts)
     where a.id not like '%/column:?%' and b.id not like '%/column:?%'
     order by 1, 2, 3 limit $2`,
    [observedAt, limit],
  )
  return rows
}
