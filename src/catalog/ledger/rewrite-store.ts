import type { Client } from '../../postgres/sql.js'
import { saveDifferences, saveRenames } from '../reads/change-store.js'
import { unfoldAt } from './home-store.js'
import { openOverlay } from './partial-store.js'
import type { NewSnapshot } from './snapshot-store.js'
import {
  type Assertion,
  effectsOf,
  existenceOf,
  foldHistory,
  intersect,
  type MaskedPiece,
  maskHistory,
  type PlacedSnapshot,
  type Span,
  turnsOf,
  versionAt,
} from './temporal.js'

const pageSize = 5_000

/** Where a version was read; carried along from row to row. */
interface Hint {
  file: number | null
  location: string | null
  stated_at: Date | null
}

const noHint: Hint = { file: null, location: null, stated_at: null }

/** What the ledger knows of one fact, and its history before this snapshot came. */
interface Record {
  key: number
  scope: number
  assertions: Assertion[]
  removals: Set<string>
  old: MaskedPiece[]
  hints: Map<string, Hint>
}

const boundaries = `cross join lateral (values (h.valid_from, 1), (h.valid_to, -1)) as t(at, n)`

/** The two kinds of fact, as far as their tables differ. `count` notes the comings and goings that metrics count, once or (-1) taken back. */
const sides = {
  node: {
    touched: 'select node as key from node_plan',
    removals: `select k.key, r.position from node_key k join snapshot_removal r on r.project_id = $2 and k.id >= r.low and k.id < r.high
      where k.key = any($1)`,
    visible: 'true',
    incoming: 'state',
    count: (which: string) => `insert into count_delta
      select h.scope, t.at, case h.kind when 'Table' then 'tables' when 'View' then 'views' else coalesce(nullif(v.canonical, ''), 'unclassified') end, t.n * $2
      from node_history h join fact_version v on v.hash = h.version ${boundaries}
      where ${which} and h.kind in ('Table', 'View', 'Column') and t.at < 'infinity'`,
  },
  edge: {
    touched: `select edge as key from edge_raw
      union select k.key from existence_changed x join edge_key k on k.source = x.node
      union select k.key from existence_changed x join edge_key k on k.target = x.node`,
    removals: `select distinct e.key, r.position from edge_key e join node_key a on a.key = e.source join node_key b on b.key = e.target
      join snapshot_removal r on r.project_id = $2 and (a.id >= r.low and a.id < r.high or b.id >= r.low and b.id < r.high)
      where e.key = any($1)`,
    visible: 'h.is_visible',
    incoming: 'version',
    count: (which: string) => `insert into count_delta select h.scope, t.at, 'edges', t.n * $2 from edge_history h ${boundaries}
      where ${which} and h.is_visible and t.at < 'infinity'`,
  },
} as const
type Side = keyof typeof sides

/**
 * Applies `node_plan` and `edge_raw` for a snapshot that came late: every fact they name is folded again from all that was ever
 * asserted of it (temporal.ts), and its history and changes are replaced. Leaves the same tables as `applyAsLast`.
 */
export async function applyAmongOthers(client: Client, snapshot: NewSnapshot): Promise<void> {
  await client.query('create index on incoming_node (key); create index on incoming_edge (key)')
  await openRewrite(client)
  await rewriteTouched(client, snapshot)
}

/** Where a rewriting takes place, and the moment that its report is about. */
export type RewritePlace = Pick<NewSnapshot, 'observedAt'> & { scope: Pick<NewSnapshot['scope'], 'projectId'> }

/** Makes the tables that a rewriting fills; `graph_*` tell of the current state: versions that are visible before and after. */
export async function openRewrite(client: Client): Promise<void> {
  await client.query(`
    create temp table existence_changed (node bigint) on commit drop;
    create temp table count_delta (scope integer, at timestamptz, key text, n integer) on commit drop;
    create temp table graph_node (node bigint, before uuid, after uuid) on commit drop;
    create temp table graph_edge (edge bigint, before uuid, after uuid) on commit drop;
    create temp table rename_site (owner bigint, at timestamptz, unique (owner, at)) on commit drop;
    create temp table changed_version (fact bigint, at timestamptz, before uuid, after uuid) on commit drop;
    create temp table edge_plan (edge bigint, before uuid, after uuid, scope integer, label text) on commit drop`)
}

/** Folds the facts of `node_plan` and `edge_raw` again, and the edges of nodes in `existence_changed`. */
export async function rewriteTouched(client: Client, place: RewritePlace): Promise<void> {
  const snapshots = await readPlaced(client, place.scope.projectId)
  await unfoldAt(client, place.scope.projectId, 'select node from node_plan')
  await rewrite(client, 'node', place, snapshots)
  await rewrite(client, 'edge', place, snapshots)
  await saveDifferences(client)
  await saveRenames(client)
}

async function readPlaced(client: Client, projectId: string): Promise<PlacedSnapshot[]> {
  const { rows } = await client.query<{ position: string; observed_at: Date; stream: number; scope: number; is_complete: boolean }>(
    'select position, observed_at, stream, scope, is_complete from snapshot where project_id = $1 order by position',
    [projectId],
  )
  return rows.map((r) => ({
    position: r.position,
    at: r.observed_at.getTime(),
    stream: r.stream,
    scope: r.scope,
    isComplete: r.is_complete,
  }))
}

async function rewrite(client: Client, side: Side, snapshot: RewritePlace, snapshots: readonly PlacedSnapshot[]): Promise<void> {
  await client.query(`create temp table touched_${side} on commit drop as ${sides[side].touched}`)
  for (let after = 0; ; ) {
    const { rows } = await client.query<{ key: number }>(`select key from touched_${side} where key > $1 order by key limit ${pageSize}`, [
      after,
    ])
    if (rows.length === 0) return
    const keys = rows.map((row) => row.key)
    await rewritePage(client, side, keys, snapshot, snapshots)
    after = keys.at(-1)!
  }
}

const always: readonly Span[] = [{ from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }]

async function rewritePage(
  client: Client,
  side: Side,
  keys: readonly number[],
  snapshot: RewritePlace,
  snapshots: readonly PlacedSnapshot[],
): Promise<void> {
  const records = await readRecords(client, side, keys, snapshot.scope.projectId)
  const ends = side === 'edge' ? await readEnds(client, keys) : null
  const overlay = await openOverlay(client, keys)
  const folded = records.map((record) => {
    const pieces = foldHistory(effectsOf(record, snapshots), overlay.overlayFor(record.key))
    return { record, pieces: maskHistory(pieces, ends ? (ends.get(record.key) ?? []) : always) }
  })
  await overlay.save()
  if (side === 'node') await noteRenameSites(client, keys)
  await replaceHistory(client, side, folded)
  if (side === 'node') await noteRenameSites(client, keys)
  await replaceChanges(client, folded)
  await noteEffects(client, side, folded, snapshot.observedAt.getTime())
}

type Folded = { record: Record; pieces: MaskedPiece[] }

async function readRecords(client: Client, side: Side, keys: readonly number[], projectId: string): Promise<Record[]> {
  const [facts, assertions, removals, old] = [
    await client.query<{ key: number; scope: number }>(`select key, scope from ${side}_key where key = any($1)`, [keys]),
    await client.query<{ fact: number; stream: number; from_position: string; to_position: string; version: string }>(
      'select fact, stream, from_position, to_position, version from assertion where fact = any($1)',
      [keys],
    ),
    await client.query<{ key: number; position: string }>(sides[side].removals, [keys, projectId]),
    await client.query<{ key: number; valid_from: Date; valid_to: Date; version: string; is_visible: boolean } & Hint>(
      `select ${side} as key, valid_from, valid_to, version, ${sides[side].visible} as is_visible, file, location, stated_at from ${side}_history h
       where ${side} = any($1)
       union all
       select key, null, null, ${sides[side].incoming}, null, file, location, stated_at from incoming_${side} where key = any($1)
       order by key, valid_from desc nulls first`,
      [keys],
    ),
  ]
  const records = new Map<number, Record>(
    facts.rows.map(({ key, scope }) => [key, { key, scope, assertions: [], removals: new Set(), old: [], hints: new Map() }]),
  )
  for (const r of assertions.rows)
    records.get(r.fact)!.assertions.push({ stream: r.stream, from: r.from_position, to: r.to_position, version: r.version })
  for (const { key, position } of removals.rows) records.get(key)!.removals.add(position)
  for (const { key, valid_from, valid_to, version, is_visible, file, location, stated_at } of old.rows) {
    const record = records.get(key)!
    record.hints.set(version, { file, location, stated_at })
    // 'infinity' arrives as the number
    if (valid_from !== null) record.old.unshift({ from: Number(valid_from), to: Number(valid_to), version, isVisible: is_visible })
  }
  return [...records.values()]
}

/** When both ends of each edge existed, by the rewritten histories of nodes. */
async function readEnds(client: Client, keys: readonly number[]): Promise<Map<number, Span[]>> {
  const { rows } = await client.query<{ key: number; is_source: boolean; valid_from: Date; valid_to: Date }>(
    `select e.key, true as is_source, h.valid_from, h.valid_to from edge_key e join node_history h on h.node = e.source where e.key = any($1)
     union all
     select e.key, false, h.valid_from, h.valid_to from edge_key e join node_history h on h.node = e.target where e.key = any($1)
     order by 1, 2, 3`,
    [keys],
  )
  const spans = new Map<number, { sources: Span[]; targets: Span[] }>()
  for (const row of rows) {
    const ends = spans.get(row.key) ?? { sources: [], targets: [] }
    spans.set(row.key, ends)
    ;(row.is_source ? ends.sources : ends.targets).push({ from: Number(row.valid_from), to: Number(row.valid_to) })
  }
  return new Map([...spans].map(([key, { sources, targets }]) => [key, intersect(existenceOf(sources), existenceOf(targets))]))
}

/** Takes all that a system ever counted out of the counts of its project, before its histories go. */
export async function uncountScope(client: Client, scope: number): Promise<void> {
  for (const side of ['node', 'edge'] as const) await client.query(sides[side].count('h.scope = $1'), [scope, -1])
}

const timestamp = (milliseconds: number): string => (Number.isFinite(milliseconds) ? new Date(milliseconds).toISOString() : 'infinity')

/** A piece of a fact's history with what lies beside it: whether the fact comes and goes with it. */
interface BoundedPiece extends MaskedPiece {
  begins: boolean
  ends: boolean
}

/** Of an edge only what is visible begins and ends. */
const boundsOf = (pieces: readonly MaskedPiece[]): BoundedPiece[] =>
  pieces.map((piece, i) => {
    const [previous, next] = [pieces[i - 1], pieces[i + 1]]
    const isAfter = previous?.isVisible && previous.to === piece.from
    const isBefore = next?.isVisible && next.from === piece.to
    return { ...piece, begins: piece.isVisible && !isAfter, ends: piece.isVisible && piece.to < Number.POSITIVE_INFINITY && !isBefore }
  })

async function replaceHistory(client: Client, side: Side, folded: readonly Folded[]): Promise<void> {
  const rows = folded.flatMap(({ record, pieces }) =>
    boundsOf(pieces).map((piece) => ({ key: record.key, ...piece, ...(record.hints.get(piece.version) ?? noHint) })),
  )
  const keys = folded.map(({ record }) => record.key)
  const { count } = sides[side]
  await client.query(count(`h.${side} = any($1)`), [keys, -1])
  await client.query(`delete from ${side}_history where ${side} = any($1)`, [keys])
  const [own, value] = side === 'node' ? ['kind', 'k.kind'] : ['is_visible, label', 't.is_visible, k.label']
  await client.query(
    `insert into ${side}_history (${side}, valid_from, valid_to, version, scope, begins, ends, file, location, stated_at, ${own})
     select t.key, t.valid_from, t.valid_to, t.version, k.scope, t.begins, t.ends, t.file, t.location, t.stated_at, ${value}
     from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::uuid[], $5::integer[], $6::text[], $7::boolean[], $8::timestamptz[],
       $9::boolean[], $10::boolean[]) as t(key, valid_from, valid_to, version, file, location, is_visible, stated_at, begins, ends)
     join ${side}_key k on k.key = t.key`,
    [
      rows.map((r) => r.key),
      rows.map((r) => timestamp(r.from)),
      rows.map((r) => timestamp(r.to)),
      rows.map((r) => r.version),
      rows.map((r) => r.file),
      rows.map((r) => r.location),
      rows.map((r) => r.isVisible),
      rows.map((r) => r.stated_at),
      rows.map((r) => r.begins),
      rows.map((r) => r.ends),
    ],
  )
  await client.query(count(`h.${side} = any($1)`), [keys, 1])
}

const visible = (pieces: readonly MaskedPiece[]) => pieces.filter((piece) => piece.isVisible)

/** The (table, time)s where columns come or go by their histories: noted before these are replaced, and after. */
const noteRenameSites = (client: Client, keys: readonly number[]): Promise<unknown> =>
  client.query(
    `insert into rename_site
     select k.parent, case when t.is_start then h.valid_from else h.valid_to end
     from node_key k join node_history h on h.node = k.key cross join (values (true), (false)) as t(is_start)
     where k.key = any($1) and k.parent is not null and case when t.is_start then h.begins else h.ends end on conflict do nothing`,
    [keys],
  )

/** Replaces what is told of the differences between versions. */
async function replaceChanges(client: Client, folded: readonly Folded[]): Promise<void> {
  const keys = folded.map(({ record }) => record.key)
  const changes = folded.flatMap(({ record, pieces }) =>
    turnsOf(visible(pieces)).flatMap((turn) => (turn.before === null || turn.after === null ? [] : [{ fact: record.key, ...turn }])),
  )
  await client.query(`delete from change_detail where fact = any($1) and kind <> 'renamed'`, [keys])
  await client.query(`insert into changed_version select * from unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::uuid[])`, [
    changes.map((t) => t.fact),
    changes.map((t) => timestamp(t.at)),
    changes.map((t) => t.before),
    changes.map((t) => t.after),
  ])
}

const sameSpans = (a: readonly Span[], b: readonly Span[]) =>
  a.length === b.length && a.every(({ from, to }, i) => from === b[i]!.from && to === b[i]!.to)

/** What is shown now. */
const lasting = (pieces: readonly MaskedPiece[]) => visible(pieces).find(({ to }) => to === Number.POSITIVE_INFINITY)

/** What the graph, the edges and the report need to know of the rewritten facts. */
async function noteEffects(client: Client, side: Side, folded: readonly Folded[], at: number): Promise<void> {
  // the graph also shows since when a fact is as it is
  const current = folded
    .map(({ record, pieces }) => ({ key: record.key, before: lasting(record.old), after: lasting(pieces) }))
    .filter(({ before, after }) => before?.version !== after?.version || before?.from !== after?.from)
  await client.query(`insert into graph_${side} select * from unnest($1::bigint[], $2::uuid[], $3::uuid[])`, [
    current.map(({ key }) => key),
    current.map(({ before }) => before?.version ?? null),
    current.map(({ after }) => after?.version ?? null),
  ])
  if (side === 'node') {
    const moved = folded.filter(({ record, pieces }) => !sameSpans(existenceOf(record.old), existenceOf(pieces)))
    await client.query('insert into existence_changed select unnest($1::bigint[])', [moved.map(({ record }) => record.key)])
  } else {
    await client.query(
      `insert into edge_plan select t.edge, t.before, t.after, k.scope, k.label
       from unnest($1::bigint[], $2::uuid[], $3::uuid[]) as t(edge, before, after) join edge_key k on k.key = t.edge`,
      [
        folded.map(({ record }) => record.key),
        folded.map(({ record }) => versionAt(visible(record.old), at)),
        folded.map(({ pieces }) => versionAt(visible(pieces), at)),
      ],
    )
  }
}
