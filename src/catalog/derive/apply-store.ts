import type { Client } from '../../postgres/sql.js'
import { existenceOf, intersect, type Piece, type Span, turnsOf } from '../ledger/temporal.js'
import { saveDifferences, saveRenames } from '../reads/change-store.js'
import type { Hint } from './open-store.js'
import { gapsOf, holdsAt, mergeVersions, type Stretch } from './timeline.js'

/** The ingest (or deletion) in whose transaction facts are derived. */
export interface DerivePlace {
  projectId: string
  /** the moment that the report is about */
  observedAt: Date
  /** how the ledger was written before: by `applyAsLast`, by a rewriting for a late snapshot, or by one for a deletion, which makes no plan */
  after: 'last' | 'rewriting' | 'deletion'
}

/** One row of a history. */
export interface Row extends Piece, Hint {
  scope: number
  isVisible: boolean
  isDerived: boolean
  statedAt: Date | null
}

type Side = 'node' | 'edge'

const pageSize = 5_000
const never: Span = { from: Number.POSITIVE_INFINITY, to: Number.POSITIVE_INFINITY }

type Part = Stretch<{ version: string; scope: number } & Hint>

/** Several statements may make one fact. */
const mergeParts = (parts: readonly Part[]): Row[] =>
  mergeVersions(parts).map(({ from, to, value }) => ({ from, to, ...value, isVisible: true, isDerived: true, statedAt: null }))

async function readParts(client: Client, keys: readonly number[]): Promise<Map<number, Part[]>> {
  const { rows } = await client.query<{ fact: number; valid_from: Date; valid_to: Date; version: string; scope: number } & Hint>(
    'select fact, valid_from, valid_to, version, scope, file, location from derivation where fact = any($1)',
    [keys],
  )
  const parts = new Map<number, Part[]>()
  for (const { fact, valid_from, valid_to, ...value } of rows) {
    const list = parts.get(fact) ?? []
    list.push({ from: Number(valid_from), to: Number(valid_to), value })
    parts.set(fact, list)
  }
  return parts
}

async function readRows(client: Client, side: Side, keys: readonly number[]): Promise<Map<number, Row[]>> {
  const { rows } = await client.query<
    { key: number; valid_from: Date; valid_to: Date; version: string; scope: number; is_visible: boolean; is_derived: boolean } & Hint & {
        stated_at: Date | null
      }
  >(
    `select h.${side} as key, h.valid_from, h.valid_to, h.version, h.scope, ${side === 'edge' ? 'h.is_visible' : 'true as is_visible'},
       s.derived_of is not null as is_derived, h.file, h.location, h.stated_at
     from ${side}_history h join catalog_scope s on s.key = h.scope where h.${side} = any($1) order by 1, 2`,
    [keys],
  )
  const byKey = new Map<number, Row[]>(keys.map((key) => [key, []]))
  for (const r of rows) {
    const { version, scope, file, location, is_visible: isVisible, is_derived: isDerived, stated_at: statedAt } = r
    byKey
      .get(r.key)!
      .push({ from: Number(r.valid_from), to: Number(r.valid_to), version, scope, file, location, isVisible, isDerived, statedAt })
  }
  return byKey
}

/** Writes the histories of nodes that are (or were) derived: what is said of them stays as it is, what follows from elsewhere fills the gaps. */
export async function applyDerivedNodes(client: Client, place: DerivePlace, keys: readonly number[]): Promise<void> {
  for (let start = 0; start < keys.length; start += pageSize) {
    const page = keys.slice(start, start + pageSize)
    const [old, parts] = [await readRows(client, 'node', page), await readParts(client, page)]
    await noteRenameSites(client, page)
    await replace(
      client,
      'node',
      place,
      page.map((key) => {
        const rows = old.get(key)!
        const said = rows.filter((row) => !row.isDerived)
        return { key, old: rows, rows: [...said, ...fill(mergeParts(parts.get(key) ?? []), said)].sort((a, b) => a.from - b.from) }
      }),
    )
    await noteRenameSites(client, page)
  }
}

/** The derived rows outside of what is said. */
const fill = (derived: readonly Row[], said: readonly Span[]): Row[] =>
  derived.flatMap((row) => gapsOf(row, existenceOf(said.map(({ from, to }) => ({ from, to })))).map((gap) => ({ ...row, ...gap })))

/** An edge that follows from others: `rows` of its versions, without regard to its ends. */
export interface DerivedEdge {
  key: number
  rows: Row[]
}

/** The histories of derived edges, from their derivations. */
export async function applyDerivedEdges(client: Client, place: DerivePlace, keys: readonly number[]): Promise<void> {
  for (let start = 0; start < keys.length; start += pageSize) {
    const page = keys.slice(start, start + pageSize)
    const parts = await readParts(client, page)
    await writeDerivedEdges(
      client,
      place,
      page.map((key) => ({ key, rows: mergeParts(parts.get(key) ?? []) })),
    )
  }
}

/** Writes derived edges: visible while both ends exist and nobody says the same edge himself; nothing is kept of the rest. */
export async function writeDerivedEdges(client: Client, place: DerivePlace, edges: readonly DerivedEdge[]): Promise<void> {
  const keys = edges.map(({ key }) => key)
  const [old, ends, twins] = [await readRows(client, 'edge', keys), await readEnds(client, keys), await readTwins(client, keys)]
  await replace(
    client,
    'edge',
    place,
    edges.map(({ key, rows }) => ({
      key,
      old: old.get(key)!,
      rows: fill(
        rows.flatMap((row) => intersect([row], ends.get(key) ?? [never]).map((span) => ({ ...row, ...span }))),
        twins.get(key) ?? [],
      ),
    })),
  )
}

/** Shows and hides edges that texts state themselves by the existence of their ends, after derived nodes have come or gone. */
export async function maskStatedEdges(client: Client, place: DerivePlace, nodes: readonly number[]): Promise<void> {
  const { rows: touched } = await client.query<{ key: number }>(
    `select e.key from edge_key e join catalog_scope s on s.key = e.scope and s.derived_of is null where e.source = any($1)
     union select e.key from edge_key e join catalog_scope s on s.key = e.scope and s.derived_of is null where e.target = any($1) order by 1`,
    [nodes],
  )
  for (let start = 0; start < touched.length; start += pageSize) {
    const keys = touched.slice(start, start + pageSize).map((row) => row.key)
    const [old, ends] = [await readRows(client, 'edge', keys), await readEnds(client, keys)]
    await replace(
      client,
      'edge',
      place,
      keys.map((key) => ({ key, old: old.get(key)!, rows: mask(old.get(key)!, ends.get(key) ?? []) })),
    )
  }
}

/** The same statements, cut where the ends come and go. */
function mask(rows: readonly Row[], ends: readonly Span[]): Row[] {
  const whole: Row[] = []
  for (const row of rows) {
    const last = whole.at(-1)
    if (last?.to === row.from && last.version === row.version) last.to = row.to
    else whole.push({ ...row })
  }
  return whole
    .flatMap((row) => [
      ...intersect([row], ends).map((span) => ({ ...row, ...span, isVisible: true })),
      ...gapsOf(row, ends).map((gap) => ({ ...row, ...gap, isVisible: false })),
    ])
    .sort((a, b) => a.from - b.from)
}

/** When both ends of each edge exist. */
async function readEnds(client: Client, keys: readonly number[]): Promise<Map<number, Span[]>> {
  const { rows } = await client.query<{ key: number; is_source: boolean; valid_from: Date; valid_to: Date }>(
    `select e.key, t.is_source, h.valid_from, h.valid_to from edge_key e
     cross join lateral (values (true, e.source), (false, e.target)) as t(is_source, node) join node_history h on h.node = t.node
     where e.key = any($1) order by 1, 2, 3`,
    [keys],
  )
  const spans = new Map<number, [sources: Span[], targets: Span[]]>()
  for (const { key, is_source, valid_from, valid_to } of rows) {
    if (!spans.has(key)) spans.set(key, [[], []])
    spans.get(key)![is_source ? 0 : 1].push({ from: Number(valid_from), to: Number(valid_to) })
  }
  return new Map([...spans].map(([key, [sources, targets]]) => [key, intersect(existenceOf(sources), existenceOf(targets))]))
}

/** When the very edge is stated by a text of the same system. */
async function readTwins(client: Client, keys: readonly number[]): Promise<Map<number, Span[]>> {
  const { rows } = await client.query<{ key: number; valid_from: Date; valid_to: Date }>(
    `select e.key, h.valid_from, h.valid_to from edge_key e join catalog_scope s on s.key = e.scope
     join edge_key t on t.source = e.source and t.label = e.label and t.target = e.target and t.discriminator = e.discriminator
       and t.scope = s.derived_of
     join edge_history h on h.edge = t.key and h.is_visible where e.key = any($1) order by 1, 2`,
    [keys],
  )
  const twins = new Map<number, Span[]>()
  for (const { key, valid_from, valid_to } of rows) {
    const list = twins.get(key) ?? []
    list.push({ from: Number(valid_from), to: Number(valid_to) })
    twins.set(key, list)
  }
  return twins
}

/** The tables that the steps of an ingest share, where the way it was applied has not made them. */
export const openApply = (client: Client): Promise<unknown> =>
  client.query(`
    create temp table if not exists rename_site (owner bigint, at timestamptz, unique (owner, at)) on commit drop;
    create temp table if not exists changed_version (fact bigint, at timestamptz, before uuid, after uuid) on commit drop;
    create temp table if not exists derived_touched (key bigint, is_edge boolean) on commit drop`)

/** Writes the changes that the rewritten histories tell of. */
export async function closeApply(client: Client): Promise<void> {
  await saveDifferences(client)
  await saveRenames(client)
}

const noteRenameSites = (client: Client, keys: readonly number[]): Promise<unknown> =>
  client.query(
    `insert into rename_site
     select distinct k.parent, t.at from node_key k join node_history h on h.node = k.key
     cross join lateral (values (h.begins, h.valid_from), (h.ends, h.valid_to)) as t(is_turn, at)
     where k.key = any($1) and k.parent is not null and t.is_turn
       and not exists (select from rename_site r where r.owner = k.parent and r.at = t.at)`,
    [keys],
  )

interface Replacement {
  key: number
  old: readonly Row[]
  rows: readonly Row[]
}

const bounded = (rows: readonly Row[]) =>
  rows.map((row, i) => {
    const [previous, next] = [rows[i - 1], rows[i + 1]]
    const begins = row.isVisible && !(previous?.isVisible && previous.to === row.from)
    const ends = row.isVisible && row.to < Number.POSITIVE_INFINITY && !(next?.isVisible && next.from === row.to)
    return { ...row, begins, ends }
  })

const tellRow = ({ from, to, version, scope, isVisible }: Row) => `${from} ${to} ${version} ${scope} ${isVisible}`
const isSame = ({ old, rows }: Replacement) => old.length === rows.length && old.every((row, i) => tellRow(row) === tellRow(rows[i]!))
const timestamp = (milliseconds: number): string => (Number.isFinite(milliseconds) ? new Date(milliseconds).toISOString() : 'infinity')
const visible = (rows: readonly Row[]): Row[] => rows.filter((row) => row.isVisible)
const lasting = (rows: readonly Row[]) => visible(rows).find(({ to }) => to === Number.POSITIVE_INFINITY)

/** Puts histories in the place of others, with all that tells of them: flags, counts, changes, notes for graph and report. */
async function replace(client: Client, side: Side, place: DerivePlace, all: readonly Replacement[]): Promise<void> {
  if (all.length === 0) return
  await client.query('insert into derived_touched select unnest($1::bigint[]), $2', [all.map(({ key }) => key), side === 'edge'])
  const replaced = all.filter((each) => !isSame(each))
  if (replaced.length > 0) {
    const keys = replaced.map(({ key }) => key)
    await count(client, side, place, keys, -1)
    await client.query(`delete from ${side}_history where ${side} = any($1)`, [keys])
    await insertRows(client, side, replaced)
    await count(client, side, place, keys, 1)
    await replaceDetails(client, replaced)
  }
  // also those that are as they were: the steps before may have noted that they went
  await noteEffects(client, side, place, all)
}

async function insertRows(client: Client, side: Side, replaced: readonly Replacement[]): Promise<void> {
  const rows = replaced.flatMap(({ key, rows }) => bounded(rows).map((row) => ({ key, ...row })))
  const [own, value] = side === 'node' ? ['kind', 'k.kind'] : ['is_visible, label', 't.is_visible, k.label']
  await client.query(
    `insert into ${side}_history (${side}, valid_from, valid_to, version, scope, begins, ends, file, location, stated_at, ${own})
     select t.key, t.valid_from, t.valid_to, t.version, t.scope, t.begins, t.ends, t.file, t.location, t.stated_at, ${value}
     from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::uuid[], $5::integer[], $6::boolean[], $7::boolean[], $8::integer[],
       $9::text[], $10::timestamptz[], $11::boolean[])
       as t(key, valid_from, valid_to, version, scope, begins, ends, file, location, stated_at, is_visible)
     join ${side}_key k on k.key = t.key`,
    [
      rows.map((r) => r.key),
      rows.map((r) => timestamp(r.from)),
      rows.map((r) => timestamp(r.to)),
      ...(['version', 'scope', 'begins', 'ends', 'file', 'location', 'statedAt', 'isVisible'] as const).map((name) =>
        rows.map((r) => r[name]),
      ),
    ],
  )
}

/** For a rewriting: the comings and goings that metrics count; `applyAsLast` counts by its plans. */
async function count(client: Client, side: Side, { after }: DerivePlace, keys: readonly number[], sign: 1 | -1): Promise<void> {
  if (after === 'last') return
  const what =
    side === 'node'
      ? `coalesce(nullif(v.canonical, ''), 'unclassified'), t.n * $2 from node_history h join fact_version v on v.hash = h.version`
      : `'edges', t.n * $2 from edge_history h`
  await client.query(
    `insert into count_delta (scope, at, key, n) select h.scope, t.at, ${what}
     cross join lateral (values (h.valid_from, 1), (h.valid_to, -1)) as t(at, n)
     where h.${side} = any($1) and t.at < 'infinity' and ${side === 'node' ? `h.kind = 'Column'` : 'h.is_visible'}`,
    [keys, sign],
  )
}

async function replaceDetails(client: Client, replaced: readonly Replacement[]): Promise<void> {
  const turns = replaced.flatMap(({ key, rows }) =>
    turnsOf(visible(rows)).flatMap((turn) =>
      turn.before === null || turn.after === null || turn.before === turn.after ? [] : [{ key, ...turn }],
    ),
  )
  await client.query(`delete from change_detail where fact = any($1) and kind <> 'renamed'`, [replaced.map(({ key }) => key)])
  await client.query(
    'insert into changed_version (fact, at, before, after) select * from unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::uuid[])',
    [turns.map((t) => t.key), turns.map((t) => timestamp(t.at)), turns.map((t) => t.before), turns.map((t) => t.after)],
  )
}

/**
 * What the graph, the metrics and the report are told: how each fact was before the ingest and how it is after it. Where an earlier step
 * has noted what was before, that stays.
 */
async function noteEffects(client: Client, side: Side, place: DerivePlace, all: readonly Replacement[]): Promise<void> {
  await noteCurrent(client, side, all)
  const at = place.observedAt.getTime()
  const inForce = (rows: readonly Row[]) => visible(rows).find((row) => holdsAt(row, at))
  const told = all.map(({ key, old, rows }) => ({ key, before: inForce(old), after: inForce(rows), any: rows.at(-1) ?? old.at(-1) }))
  const values = [
    told.map((t) => t.key),
    told.map((t) => t.before?.version ?? null),
    told.map((t) => t.after?.version ?? null),
    told.map((t) => (t.after ?? t.before ?? t.any)?.scope ?? null),
  ]
  if (side === 'edge') await notePlannedEdges(client, values, place)
  else if (place.after === 'deletion') await noteTouchedNodes(client, values[0]!)
  else await notePlannedNodes(client, values, place)
}

/** The state that is shown now, and since when. */
async function noteCurrent(client: Client, side: Side, all: readonly Replacement[]): Promise<void> {
  const told = all.map(({ key, old, rows }) => ({ key, before: lasting(old), after: lasting(rows) }))
  const turned = told.filter(({ before, after }) => before?.version !== after?.version || before?.from !== after?.from)
  await client.query(
    `update graph_${side} g set after = t.after from unnest($1::bigint[], $2::uuid[]) as t(fact, after) where g.${side} = t.fact`,
    [told.map((t) => t.key), told.map((t) => t.after?.version ?? null)],
  )
  await client.query(
    `insert into graph_${side} (${side}, before, after)
     select t.* from unnest($1::bigint[], $2::uuid[], $3::uuid[]) as t(fact, before, after)
     where not exists (select from graph_${side} g where g.${side} = t.fact)`,
    [turned.map((t) => t.key), turned.map((t) => t.before?.version ?? null), turned.map((t) => t.after?.version ?? null)],
  )
}

const given = `unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::integer[]) as t(fact, before, after, scope)`
/** Metrics after a rewriting look at every fact that it touched. */
const isTold = ({ after }: DerivePlace) => (after === 'last' ? 't.before is distinct from t.after' : 'true')

async function notePlannedNodes(client: Client, values: unknown[], place: DerivePlace): Promise<void> {
  await client.query(
    `update node_plan p set after = t.after, canonical = v.canonical, parent = k.parent, scope = coalesce(t.scope, p.scope)
     from ${given} join node_key k on k.key = t.fact left join fact_version v on v.hash = t.after
     where p.node = t.fact`,
    values,
  )
  await client.query(
    `insert into node_plan (node, before, after, parent, canonical, kind, scope)
     select t.fact, t.before, t.after, k.parent, v.canonical, k.kind, t.scope
     from ${given} join node_key k on k.key = t.fact left join fact_version v on v.hash = t.after
     where ${isTold(place)} and not exists (select from node_plan p where p.node = t.fact)`,
    values,
  )
}

const noteTouchedNodes = (client: Client, keys: unknown): Promise<unknown> =>
  client.query('insert into node_plan (node, kind) select key, kind from node_key where key = any($1) on conflict do nothing', [keys])

async function notePlannedEdges(client: Client, values: unknown[], place: DerivePlace): Promise<void> {
  await client.query(`update edge_plan p set after = t.after from ${given} where p.edge = t.fact`, values)
  await client.query(
    `insert into edge_plan (edge, before, after, scope, label)
     select t.fact, t.before, t.after, k.scope, k.label from ${given} join edge_key k on k.key = t.fact
     where ${isTold(place)} and not exists (select from edge_plan p where p.edge = t.fact)`,
    values,
  )
}
