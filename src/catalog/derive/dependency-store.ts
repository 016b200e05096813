import type { Client } from '../../postgres/sql.js'
import type { Properties } from '../../vocabulary.js'
import { partsOfId } from '../resolve/scope.js'
import { isSameDay } from '../workflow/workflow.js'
import { type DerivePlace, type Row, writeDerivedEdges } from './apply-store.js'
import { openEdgeKeys, saveContents } from './derivation-store.js'
import { type DerivedContent, encodeDerived } from './derived-content.js'
import type { Hint } from './open-store.js'
import { openDerivedScopes, type ProjectScopes } from './scope-store.js'
import { cutsWithin, holdsAt, type Stretch, stretchesOf } from './timeline.js'
import { settleEchoes } from './twin-store.js'

/** Who waits for a condition, and who sets it: `from` and `to` are keys of jobs or folders. */
interface Pair {
  from: number
  to: number
  /** of the system whose text says that it waits */
  scope: number
}

/** That a pair is tied by one condition for a while. */
type Tie = Stretch<{ condition: string; isOtherDay: boolean } & Hint>

const pageSize = 2_000
const keyOf = ({ from, to, scope }: Pair) => `${from} ${to} ${scope}`

/**
 * DEPENDS_ON: of two jobs (or folders), one waits for a condition (BLOCKS) that the other sets (RELEASES), whichever texts say so. The
 * edge lasts while any condition ties them; `conditions` names all that do, `cross_day` that each of them is waited for as of another day.
 */
export async function deriveDependencies(client: Client, place: DerivePlace, scopes: ProjectScopes, isWhole: boolean): Promise<void> {
  const pairs = await readTouchedPairs(client, scopes, isWhole)
  for (let start = 0; start < pairs.length; start += pageSize) {
    const page = pairs.slice(start, start + pageSize)
    await writeDependencies(client, place, page, await readTies(client, page))
  }
}

/** Conditions whose users change, or that come and go with them. */
const touchedConditions = `
select case e.label when 'BLOCKS' then e.source else e.target end as node
from edge_raw r join edge_key e on e.key = r.edge where e.label in ('BLOCKS', 'RELEASES')
union
select p.node from node_plan p join node_key k on k.key = p.node where k.kind = 'ControlMCondition'
union
select e.source from node_plan p join node_key k on k.key = p.node and k.kind in ('ControlMJob', 'ControlMFolder')
  join edge_key e on e.target = p.node and e.label = 'BLOCKS'
union
select e.target from node_plan p join node_key k on k.key = p.node and k.kind in ('ControlMJob', 'ControlMFolder')
  join edge_key e on e.source = p.node and e.label = 'RELEASES'`

const allConditions = `select key as node from node_key where kind = 'ControlMCondition'`

async function readTouchedPairs(client: Client, { stated, derived }: ProjectScopes, isWhole: boolean): Promise<Pair[]> {
  const { rows } = await client.query<Pair>(
    `select b.target as "from", r.source as "to", b.scope from (${isWhole ? allConditions : touchedConditions}) c
     join edge_key b on b.source = c.node and b.label = 'BLOCKS' join edge_key r on r.target = c.node and r.label = 'RELEASES'
     where b.target <> r.source and b.scope = any($1) and r.scope = any($1)
     union
     -- what the steps before may have hidden: edges at jobs that changed, and those that a text has come, or ceased, to state itself
     select e.source, e.target, s.derived_of from node_plan p join node_key k on k.key = p.node and k.kind in ('ControlMJob', 'ControlMFolder')
     join edge_key e on (e.source = p.node or e.target = p.node) and e.label = 'DEPENDS_ON' join catalog_scope s on s.key = e.scope
     where e.scope = any($2)
     union
     select e.source, e.target, s.derived_of from edge_raw r join edge_key t on t.key = r.edge and t.label = 'DEPENDS_ON'
     join edge_key e on e.source = t.source and e.label = t.label and e.target = t.target join catalog_scope s on s.key = e.scope
     where e.scope = any($2)
     order by 1, 2, 3`,
    [stated, derived],
  )
  return rows
}

async function readTies(client: Client, pairs: readonly Pair[]): Promise<Map<string, Tie[]>> {
  const { rows } = await client.query<Pair & Hint & { condition: string; odate: string | null; starts: Date; ends: Date }>(
    `select p."from", p."to", p.scope, c.id as condition, v.properties ->> 'odate' as odate, w.file, w.location,
       greatest(w.valid_from, x.valid_from) as starts, least(w.valid_to, x.valid_to) as ends
     from unnest($1::bigint[], $2::bigint[], $3::integer[]) as p("from", "to", scope)
     join edge_key b on b.target = p."from" and b.label = 'BLOCKS' and b.scope = p.scope
     join edge_key r on r.source = p."to" and r.label = 'RELEASES' and r.target = b.source
     join edge_history w on w.edge = b.key and w.is_visible join edge_history x on x.edge = r.key and x.is_visible
     join fact_version v on v.hash = w.version join node_key c on c.key = b.source
     where w.valid_from < x.valid_to and x.valid_from < w.valid_to order by w.edge, w.valid_from`,
    [pairs.map((p) => p.from), pairs.map((p) => p.to), pairs.map((p) => p.scope)],
  )
  const ties = new Map<string, Tie[]>()
  for (const row of rows) {
    const condition = partsOfId(row.condition)?.qualifiedName ?? row.condition
    const value = { condition, isOtherDay: !isSameDay(row.odate ?? 'run-date'), file: row.file, location: row.location }
    const list = ties.get(keyOf(row)) ?? []
    list.push({ from: Number(row.starts), to: Number(row.ends), value })
    ties.set(keyOf(row), list)
  }
  return ties
}

type Content = { properties: Properties; text: string } & Hint

/** What all that ties a pair at a moment says together. */
function contentAt(ties: readonly Tie[], at: number): Content | null {
  const held = ties.filter((tie) => holdsAt(tie, at)).map(({ value }) => value)
  if (held.length === 0) return null
  const conditions = [...new Set(held.map((tie) => tie.condition))].sort()
  const properties = { conditions, ...(held.every((tie) => tie.isOtherDay) ? { cross_day: true } : {}) }
  return { properties, text: JSON.stringify(properties), file: held[0]!.file, location: held[0]!.location }
}

async function writeDependencies(
  client: Client,
  place: DerivePlace,
  pairs: readonly Pair[],
  ties: ReadonlyMap<string, readonly Tie[]>,
): Promise<void> {
  const tied = pairs.filter((pair) => ties.has(keyOf(pair)))
  const scopes = await openDerivedScopes(client, [...new Set(tied.map((pair) => pair.scope))])
  const ids = await readIds(client, [...new Set(tied.flatMap(({ from, to }) => [from, to]))])
  const made = tied.map((pair) => statesOf(ends(pair, ids), ties.get(keyOf(pair))!))
  await saveContents(
    client,
    made.flatMap((states) => states.map(({ value }) => value)),
  )
  const keys = await openEdgeKeys(
    client,
    tied.map((pair) => ({ ...ends(pair, ids), scope: scopes.get(pair.scope)! })),
  )
  const rows = new Map(keys.map((key, i) => [key, made[i]!.map((state) => rowOf(state, scopes.get(tied[i]!.scope)!))]))
  const untied = await readKeys(
    client,
    pairs.filter((pair) => !ties.has(keyOf(pair))),
  )
  const edges = [...rows].map(([key, list]) => ({ key, rows: list }))
  await writeDerivedEdges(client, place, [...edges, ...untied.map((key) => ({ key, rows: [] }))])
  await settleEchoes(client, place, { nodes: [], edges: [...keys, ...untied] })
}

type State = Stretch<DerivedContent & Hint>

const rowOf = ({ from, to, value }: State, scope: number): Row => ({
  ...{ from, to, scope, version: value.version, file: value.file, location: value.location },
  ...{ isVisible: true, isDerived: true, statedAt: null },
})

const ends = ({ from, to }: Pair, ids: ReadonlyMap<number, string>) => ({
  sourceId: ids.get(from)!,
  label: 'DEPENDS_ON' as const,
  targetId: ids.get(to)!,
})

const nowhere = { dialect: '', file: '', location: '' }

/** What ties a pair, through time. */
function statesOf(edge: ReturnType<typeof ends>, ties: readonly Tie[]): State[] {
  const span = { from: Math.min(...ties.map((t) => t.from)), to: Math.max(...ties.map((t) => t.to)) }
  const contents = stretchesOf(
    span,
    cutsWithin(span, ties),
    (at) => contentAt(ties, at),
    (a, b) => a.text === b.text,
  )
  return contents.map(({ from, to, value: { properties, file, location } }) => ({
    ...{ from, to },
    value: { ...encodeDerived({ fact: 'edge', ...edge, properties, provenance: nowhere }), file, location },
  }))
}

/** The keys that pairs had while something tied them. */
async function readKeys(client: Client, pairs: readonly Pair[]): Promise<number[]> {
  const { rows } = await client.query<{ key: number }>(
    `select e.key from unnest($1::bigint[], $2::bigint[], $3::integer[]) as p("from", "to", scope)
     join edge_key e on e.source = p."from" and e.target = p."to" and e.label = 'DEPENDS_ON' join catalog_scope s on s.key = e.scope
     where s.derived_of = p.scope`,
    [pairs.map((p) => p.from), pairs.map((p) => p.to), pairs.map((p) => p.scope)],
  )
  return rows.map((row) => row.key)
}

async function readIds(client: Client, keys: readonly number[]): Promise<Map<number, string>> {
  const { rows } = await client.query<{ key: number; id: string }>('select key, id from node_key where key = any($1)', [keys])
  return new Map(rows.map((row) => [row.key, row.id]))
}
