import type { Client, Database, Sql } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import type { EdgeLabel, NodeKind } from '../../vocabulary.js'
import { isUnfounded } from '../derive/derivation-store.js'
import { deriveFacts } from '../derive/derive.js'
import { removeAssertions } from '../ledger/assertion-store.js'
import { unfoldScopes } from '../ledger/home-store.js'
import { lockProject } from '../ledger/ledger-store.js'
import { openRewrite, rewriteTouched, uncountScope } from '../ledger/rewrite-store.js'
import { readSnapshotsById } from '../ledger/snapshot-store.js'
import { forgetParsed } from '../parsing/parsed-store.js'
import { lockWords } from '../people/people-store.js'
import { appendToOutbox } from '../projection/graph-store.js'
import { saveEstateMetrics, saveTableMetrics } from '../quality/metric-store.js'
import { normalizeIdeal, type TypeDistribution } from '../quality/metrics.js'
import { homeLabel, homeRows } from '../reads/edge-rows.js'
import { indexChanged, noteGoing, sweepWords } from '../search/search-index-store.js'
import type { CatalogDeletion, DeletionTarget, Turnover } from './deletion.js'

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

/** A deletion under way: ids of the project, and the keys of the scopes concerned. */
interface Concern {
  projectId: string
  systemId: string | null
}

/**
 * Takes a snapshot, a system or a project out of the catalog, in the caller's transaction, and tells what that did: histories, changes,
 * metrics, current state, graph. What remains is the ledger that the remaining snapshots alone would have made, in any order; only what
 * each of them reported when it came (counts, metrics, quality) stays as it was. `readIdeal` tells the project's own ideal distribution, for its metrics (default: the catalog's).
 */
export async function deleteFromCatalog(
  client: Client,
  target: DeletionTarget,
  readIdeal: (projectId: string) => Promise<Partial<TypeDistribution> | null> = async () => null,
): Promise<CatalogDeletion> {
  const concern = await readConcern(client, target)
  await lockProject(client, concern.projectId)
  await lockWords(client, [concern.projectId], 'alone')
  const before = await readBefore(client, target, concern)
  const cleared = await clear(client, target)
  // a system takes with it what others' statements found in it: all that follows is found anew
  if (target.kind !== 'project')
    await deriveFacts(
      client,
      { projectId: concern.projectId, observedAt: new Date(0), after: 'deletion' },
      { isWhole: target.kind === 'system' },
    )
  if (target.kind !== 'project') await measure(client, concern.projectId, normalizeIdeal((await readIdeal(concern.projectId)) ?? undefined))
  const [nodes, edges] = [await readTurnover<NodeKind>(client, 'node'), await readTurnover<EdgeLabel>(client, 'edge')]
  const { projectId, systemId } = concern
  await noteGoing(client)
  await indexChanged(client, { isLast: false })
  await sweepWords(client)
  await noteContainers(client, projectId)
  await appendToOutbox(client, [])
  await sweepKeys(client, projectId, cleared)
  await forgetParsed(client, projectId)
  const { changes, ...counts } = before
  return { projectId, systemId, ...counts, nodes, edges, changes: changes - (await countChangesOf(client, projectId)) }
}

/** What the deletion of a project does, told by counting: all of its facts go, so nothing needs to be tried. */
export async function readProjectDeletion(client: Client, projectId: string): Promise<CatalogDeletion> {
  const target: DeletionTarget = { kind: 'project', projectId }
  const concern = await readConcern(client, target)
  await lockProject(client, projectId)
  await lockWords(client, [projectId], 'alone')
  const going = async <Kind extends string>(rows: string, kind: string, more: string): Promise<Turnover<Kind>[]> =>
    (
      await client.query<Turnover<Kind>>(
        `select ${kind} as kind, 0 as added, 0 as changed, count(*) as removed from ${rows}
         where scope in (select key from catalog_scope where project_id = $1) and valid_to = 'infinity' ${more} group by 1 order by 1`,
        [projectId],
      )
    ).rows
  const nodes = await going<NodeKind>('node_history', 'kind', '')
  const edges = await going<EdgeLabel>(
    `(select scope, label, valid_to, is_visible from edge_history union all select scope, '${homeLabel}', valid_to, true from ${homeRows}) h`,
    'label',
    'and is_visible',
  )
  return { ...concern, ...(await readBefore(client, target, concern)), nodes, edges }
}

/** How many facts a deletion concerns, counted to `most` at most: all that a project or system ever had, or all that a snapshot changed. */
export async function countConcerned(sql: Sql, target: DeletionTarget, most: number): Promise<number> {
  if (target.kind === 'snapshot') {
    const [known] = uuid.test(target.snapshotId) ? await readSnapshotsById(sql, [target.snapshotId]) : []
    const changed = [known?.nodes, known?.edges].map((tally) => (tally ? tally.added + tally.changed + tally.removed : 0))
    return Math.min(most, changed[0]! + changed[1]!)
  }
  const scopes = 'select key from catalog_scope where project_id = $1 and ($2::text is null or system_id = $2)'
  const { rows } = await sql.query<{ n: number }>(
    `select count(*) as n from (
       (select from node_history where scope in (${scopes}) limit $3) union all (select from edge_history where scope in (${scopes}) limit $3)
       union all (select from ${homeRows} and scope in (${scopes}) limit $3)) f`,
    [target.projectId, target.kind === 'system' ? target.systemId : null, most],
  )
  return Math.min(most, rows[0]!.n)
}

/** Returns the keys of the scopes that are gone. */
async function clear(client: Client, target: DeletionTarget): Promise<number[]> {
  if (target.kind === 'project') return clearProject(client, target.projectId)
  if (target.kind === 'system') return clearSystem(client, target)
  await clearSnapshot(client, target.snapshotId)
  return []
}

async function readConcern(client: Client, target: DeletionTarget): Promise<Concern> {
  if (target.kind !== 'snapshot') return { projectId: target.projectId, systemId: target.kind === 'system' ? target.systemId : null }
  const [known] = uuid.test(target.snapshotId) ? await readSnapshotsById(client, [target.snapshotId]) : []
  if (known) return { projectId: known.projectId, systemId: known.systemId }
  throw new EspalierError('NOT_FOUND', `there is no snapshot "${target.snapshotId.slice(0, 60)}"`, {
    remedy: 'It may be deleted already; the query `snapshots` lists those there are.',
  })
}

const rootOf = ({ projectId, systemId }: Concern): string => [projectId, systemId].filter((part) => part !== null).join('/')

/** The condition that a column (in the order of bytes) is the id given as a parameter, or one that begins with it. */
const within = (column: string, root: string) => `(${column} = ${root} or ${column} >= ${root} || '/' and ${column} < ${root} || '0')`

async function countChangesOf(sql: Sql, projectId: string): Promise<number> {
  const { rows } = await sql.query<{ n: number }>(
    'select count(*) as n from change c join catalog_scope s on s.key = c.scope where s.project_id = $1',
    [projectId],
  )
  return rows[0]!.n
}

/** The project and its systems are told of again even where no fact moved: their metrics may have. */
async function noteContainers(client: Client, projectId: string): Promise<void> {
  await client.query(
    `insert into graph_node select k.key, null, null from catalog_scope s join node_key k on k.id = concat_ws('/', s.project_id, nullif(s.system_id, ''))
     where s.project_id = $1 and not exists (select from graph_node g where g.node = k.key)`,
    [projectId],
  )
}

type Before = Pick<CatalogDeletion, 'snapshots' | 'annotatedNodes' | 'glossaryTerms' | 'stateBefore' | 'changes'>

async function readBefore(client: Client, target: DeletionTarget, concern: Concern): Promise<Before> {
  const { projectId, systemId } = concern
  const { rows } = await client.query<Omit<Before, 'changes'>>(
    `select
       case when $3 then 1 else (select count(*) from snapshot where project_id = $1 and ($2::text is null or system_id = $2)) end as snapshots,
       case when $3 then 0 else (select count(distinct node_id) from annotation
         where valid_to = 'infinity' and cardinality(items) > 0 and ${within('node_id', '$4')}) end as "annotatedNodes",
       case when $2::text is null then (select count(*) from glossary_term
         where project_id = $1 and valid_to = 'infinity' and definition is not null) else 0 end as "glossaryTerms",
       md5(concat(
         (select string_agg(id::text, ',' order by id) from snapshot where project_id = $1),
         case when not $3 then (select string_agg(concat_ws(' ', node_id, field, valid_from), ',' order by node_id, field, valid_from)
           from annotation where ${within('node_id', '$4')}) end)) as "stateBefore"`,
    [projectId, systemId, target.kind === 'snapshot', rootOf(concern)],
  )
  return { ...rows[0]!, changes: await countChangesOf(client, projectId) }
}

/** What the steps after it expect of an ingest: nothing comes in, and these facts are to be folded again. */
const openTouched = `
create temp table incoming_node (key bigint, version uuid, state uuid, file integer, location text, stated_at timestamptz) on commit drop;
create temp table incoming_edge (key bigint, version uuid, file integer, location text, stated_at timestamptz) on commit drop;
create temp table node_plan (node bigint primary key, kind text) on commit drop;
create temp table edge_raw (edge bigint primary key) on commit drop;`

interface SnapshotRow {
  project_id: string
  scope: number
  stream: number
  position: string
  observed_at: Date
  is_complete: boolean
  is_alone: boolean
}

async function clearSnapshot(client: Client, id: string): Promise<void> {
  const { rows } = await client.query<SnapshotRow>(
    `select s.*, not exists (select from snapshot o where o.project_id = s.project_id and o.observed_at = s.observed_at and o.id <> s.id) as is_alone
     from snapshot s where id = $1`,
    [id],
  )
  const snapshot = rows[0]!
  await unfoldScopes(client, [snapshot.scope])
  await client.query(openTouched)
  await noteTouched(client, id, snapshot)
  await removeAssertions(client, snapshot.stream, snapshot.position)
  await client.query('delete from snapshot where id = $1', [id])
  await client.query('delete from stream k where key = $1 and not exists (select from snapshot s where s.stream = k.key)', [
    snapshot.stream,
  ])
  await client.query('analyze node_plan; analyze edge_raw')
  await openRewrite(client)
  await rewriteTouched(client, { observedAt: snapshot.observed_at, scope: { projectId: snapshot.project_id } })
}

/**
 * The facts whose histories the snapshot has a part in. Where it alone tells of its time, a fact that has no turn there was the same
 * before and after, so it made no difference to anything later either. Where it shares its time with others the histories do not tell
 * what came from whom: then all that it speaks of is folded again.
 */
async function noteTouched(client: Client, id: string, snapshot: SnapshotRow): Promise<void> {
  const { project_id: projectId, scope, stream, position, observed_at: at, is_complete: isComplete, is_alone: isAlone } = snapshot
  const scopes = `select key from catalog_scope where project_id = $1`
  await client.query(
    `insert into node_plan select distinct node, kind from node_history
     where scope in (${scopes}) and (valid_from = $2 or valid_to = $2)`,
    [projectId, at],
  )
  await client.query(
    `insert into edge_raw select distinct edge from edge_history where scope in (${scopes}) and (valid_from = $2 or valid_to = $2)`,
    [projectId, at],
  )
  if (isAlone) return
  const said = `select fact from assertion where stream = $1 and from_position <= $2 and to_position > $2`
  const own = [stream, position, isComplete ? scope : null]
  await client.query(
    `insert into node_plan select key, kind from node_key where key in (${said}) or scope = $3 on conflict do nothing`,
    own,
  )
  await client.query(`insert into edge_raw select key from edge_key where key in (${said}) or scope = $3 on conflict do nothing`, own)
  await client.query(
    `create temp table taken_node on commit drop as
     select distinct k.key, k.kind from snapshot_removal r join node_key k on k.id >= r.low and k.id < r.high where r.snapshot_id = '${id}'`,
  )
  await client.query(`
    insert into node_plan select key, kind from taken_node on conflict do nothing;
    insert into edge_raw select e.key from taken_node t join edge_key e on e.source = t.key on conflict do nothing;
    insert into edge_raw select e.key from taken_node t join edge_key e on e.target = t.key on conflict do nothing`)
}

/**
 * A system's own facts go as a whole. Of the rest, its snapshots speak of the project's node and (taking their ends away by name) of
 * other systems' edges that lead into it: those are folded again.
 */
async function clearSystem(client: Client, concern: Concern & { systemId: string }): Promise<number[]> {
  const { projectId, systemId } = concern
  const { rows } = await client.query<{ key: number }>('select key from catalog_scope where project_id = $1 and system_id = $2', [
    projectId,
    systemId,
  ])
  // its own, and that of what follows from it
  const scopes = rows.map((row) => row.key)
  await unfoldScopes(client, scopes)
  await client.query(openTouched)
  await openRewrite(client)
  await client.query(
    `insert into node_plan select distinct k.key, k.kind from stream t join assertion a on a.stream = t.key join node_key k on k.key = a.fact
     where t.scope = any($1) and k.scope <> all($1)`,
    [scopes],
  )
  await client.query(
    `insert into edge_raw select distinct e.key from node_key k join edge_key e on e.source = k.key or e.target = k.key
     where ${within('k.id', '$2')} and e.scope <> all($1)`,
    [scopes, rootOf(concern)],
  )
  for (const scope of scopes) await uncountScope(client, scope)
  await clearScopes(client, scopes)
  await forgetWords(client, rootOf(concern))
  await rewriteTouched(client, { observedAt: new Date(0), scope: { projectId } })
  return scopes
}

async function clearProject(client: Client, projectId: string): Promise<number[]> {
  const { rows } = await client.query<{ key: number }>('select key from catalog_scope where project_id = $1', [projectId])
  await client.query('create temp table metric_table (node bigint) on commit drop')
  await openRewrite(client)
  const scopes = rows.map((row) => row.key)
  await unfoldScopes(client, scopes)
  await clearScopes(client, scopes)
  await forgetWords(client, projectId)
  await client.query('delete from glossary_term where project_id = $1', [projectId])
  return scopes
}

/** What people said of a project's or a system's nodes, with the history of it. */
async function forgetWords(client: Client, root: string): Promise<void> {
  for (const table of ['annotation', 'search_said']) await client.query(`delete from ${table} where ${within('node_id', '$1')}`, [root])
}

/** Removes scopes with all that was ever known of their facts, and notes what that takes from the current state. */
async function clearScopes(client: Client, scopes: readonly number[]): Promise<void> {
  const statements = [
    `insert into graph_node select node, version, null from node_history where scope = any($1) and valid_to = 'infinity'`,
    `insert into graph_edge select edge, version, null from edge_history where scope = any($1) and valid_to = 'infinity' and is_visible`,
    'delete from metric where node in (select key from node_key where scope = any($1))',
    'delete from change_detail where scope = any($1)',
    'delete from node_history where scope = any($1)',
    'delete from edge_history where scope = any($1)',
    'delete from assertion where stream in (select key from stream where scope = any($1))',
    'delete from derivation where scope = any($1)',
    'delete from open_end where scope = any($1)',
    'delete from snapshot where scope = any($1)',
    'delete from stream where scope = any($1)',
    'delete from catalog_scope where key = any($1)',
  ]
  for (const statement of statements) await client.query(statement, [scopes])
}

/** Metrics of the tables, systems and the project that the deletion moved. */
async function measure(client: Client, projectId: string, ideal: TypeDistribution): Promise<void> {
  await saveTableMetrics(client, ideal)
  await saveEstateMetrics(client, { scope: { projectId, key: null }, observedAt: new Date(0), isLast: false }, ideal)
}

async function readTurnover<Kind extends string>(client: Client, side: 'node' | 'edge'): Promise<Turnover<Kind>[]> {
  const { rows } = await client.query<Turnover<Kind>>(
    `select k.${side === 'node' ? 'kind' : 'label'} as kind, count(*) filter (where g.before is null) as added,
       count(*) filter (where g.before is not null and g.after is not null) as changed, count(*) filter (where g.after is null) as removed
     from graph_${side} g join ${side}_key k on k.key = g.${side} where g.before is distinct from g.after group by 1 order by 1`,
  )
  return rows
}

/** Forgets the ids of which no remaining snapshot speaks; those that remaining edges lead to stay, as ids that nothing asserts. */
async function sweepKeys(client: Client, projectId: string, cleared: readonly number[]): Promise<void> {
  const unsaid = 'not exists (select from assertion a where a.fact = k.key)'
  const unhomed = 'not exists (select from node_history h where h.node = k.key and h.is_home)'
  await client.query(
    `delete from edge_key k where (scope = any($2) or scope in (select key from catalog_scope where project_id = $1)) and ${unsaid}
       and ${isUnfounded('edge', 'k')}`,
    [projectId, cleared],
  )
  await client.query(
    `delete from open_end o where (scope = any($2) or scope in (select key from catalog_scope where project_id = $1))
       and not exists (select from edge_key k where k.key = o.edge)`,
    [projectId, cleared],
  )
  const unheld = `not exists (select from edge_key e where e.source = k.key) and not exists (select from edge_key e where e.target = k.key)
    and not exists (select from node_key c where c.parent = k.key)`
  const ids = within('k.id', '$1')
  await client.query(
    `update node_key k set scope = null, parent = case when ${isUnfounded('node', 'k')} then null else parent end where ${ids} and scope is not null and ${unsaid} and ${unhomed}`,
    [projectId],
  )
  // columns first: a derived one holds its view
  for (const kinds of ["= 'Column'", "<> 'Column'"])
    await client.query(
      `delete from node_key k where ${ids} and kind ${kinds} and scope is null and ${unheld} and ${isUnfounded('node', 'k')}`,
      [projectId],
    )
  await client.query(
    `delete from catalog_scope s where project_id = $1 and derived_of is null and not exists (select from stream t where t.scope = s.key)
     and not exists (select from snapshot o where o.project_id = $1 and (o.scope = s.key or s.system_id = ''))`,
    [projectId],
  )
}

/**
 * Forgets contents that no history and no snapshot names any more, in a transaction of its own after a deletion: it holds back ingests
 * of all projects (contents are shared by their hash) for as long as it looks. Returns how many went.
 */
export const sweepContents = (database: Database): Promise<number> =>
  database.transaction(async (client) => {
    // an ingest that has looked for contents it shares holds the weaker lock to its end: what it will name, this sees
    await client.query('lock table fact_version in share row exclusive mode')
    const { rowCount } = await client.query(
      `delete from fact_version v where not exists (select from assertion a where a.version = v.hash)
       and not exists (select from node_history h where h.version = v.hash) and not exists (select from edge_history h where h.version = v.hash)
         and not exists (select from derivation d where d.version = v.hash)`,
    )
    return rowCount ?? 0
  })
