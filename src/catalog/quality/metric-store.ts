import { encodeCopyRow } from '../../postgres/copy.js'
import type { Client } from '../../postgres/sql.js'
import type { NewSnapshot } from '../ledger/snapshot-store.js'
import {
  type CountEvent,
  countKey,
  countSeries,
  countsAt,
  type EstateCounts,
  emptyCounts,
  emptyEstateCounts,
  estateKeys,
  type TypeCounts,
  type TypeDistribution,
  typeMetrics,
} from './metrics.js'
import { assessQuality } from './quality.js'

type MetricRow = [node: number, name: string, at: Date, value: number]
type EstateKey = (typeof estateKeys)[number]

const pageSize = 2_000
/** The name under which a count is stored; the counts of a snapshot are the base that the next one's are built on. */
const countName = (key: EstateKey): string =>
  key === 'tables' || key === 'views' || key === 'edges' ? `${key.slice(0, -1)}_count` : `columns_${key}`

const keysByName = new Map(estateKeys.map((key) => [countName(key), key]))

const rowsOf = (node: number, at: Date, values: object): MetricRow[] =>
  Object.entries(values).map(([name, value]) => [node, name, at, value as number])

function typeRows(node: number, at: number, counts: TypeCounts, ideal: TypeDistribution): MetricRow[] {
  const metrics = typeMetrics(counts, ideal)
  return rowsOf(node, new Date(at), { ...metrics, quality_score: assessQuality(metrics).score })
}

const estateRows = (node: number, at: number, counts: EstateCounts, ideal: TypeDistribution): MetricRow[] => [
  ...typeRows(node, at, counts, ideal),
  ...estateKeys.map((key): MetricRow => [node, countName(key), new Date(at), counts[key]]),
]

async function save(client: Client, rows: readonly MetricRow[]): Promise<void> {
  const text = Buffer.from(rows.map(encodeCopyRow).join(''))
  if (text.length > 0) await client.copyEncoded([{ table: 'metric', columns: ['node', 'name', 'observed_at', 'value'], chunks: [text] }])
}

const keyOfColumn = (canonical: string) => `coalesce(nullif(${canonical}, ''), 'unclassified')`

/**
 * What a snapshot later than all others does to the counts of tables: `column_delta`, and the tables concerned: `metric_table`. Some types
 * of the columns of a fresh system are counted already (fresh-store.ts).
 */
const countLast = ({ scope }: NewSnapshot, isFresh: boolean) => `
create temp table column_delta on commit drop as
select parent as owner, scope, key, sum(n)::integer as delta from (
  select parent, scope, ${keyOfColumn('canonical')} as key, 1 as n from node_plan where kind = 'Column' and after is not null
  union all
  select p.parent, p.scope, ${keyOfColumn('v.canonical')}, -1 from node_plan p join fact_version v on v.hash = p.before where p.kind = 'Column'
  ${isFresh ? `union all select owner, ${scope.key}, ${keyOfColumn('canonical')}, n from fresh_type` : ''}
) d group by 1, 2, 3 having sum(n) <> 0;
create temp table metric_table on commit drop as select distinct owner as node from column_delta where owner is not null;
create temp table fresh_table on commit drop as
select key as node from incoming_node where is_new and kind in ('Table', 'View')
except select parent from incoming_node where kind = 'Column' and not is_new;
analyze metric_table; analyze fresh_table`

/** How many columns of each type the tables have now; of new ones all of them have just come. */
const currentCounts = `
create temp table table_count on commit drop as
select node, jsonb_object_agg(key, n) as counts from (
  select owner as node, key, sum(delta)::integer as n from column_delta where owner in (select node from fresh_table) group by 1, 2
  union all
  select m.node, ${keyOfColumn('v.canonical')}, count(*) from metric_table m join node_key k on k.parent = m.node and k.kind = 'Column'
  join lateral (select version from node_history h where h.node = k.key and h.valid_to = 'infinity' limit 1) h on true
  join lateral (select canonical from fact_version f where f.hash = h.version limit 1) v on true
  where m.node not in (select node from fresh_table) group by 1, 2
) c group by 1;
create index on table_count (node)`

/** The metrics of every table whose columns' types a snapshot later than all others changed, as of its time. */
export async function saveLastTableMetrics(client: Client, snapshot: NewSnapshot, ideal: TypeDistribution, isFresh = false): Promise<void> {
  const { observedAt } = snapshot
  await client.query(countLast(snapshot, isFresh))
  await client.query(currentCounts)
  // a table that has lost its last column has no row there
  const tables = 'select m.node, c.counts from metric_table m left join table_count c using (node)'
  for (let after = 0; ; ) {
    const { rows } = await client.query<{ node: number; counts: Partial<TypeCounts> | null }>(
      `${tables} where m.node > $1 order by m.node limit ${pageSize}`,
      [after],
    )
    if (rows.length === 0) return
    await save(
      client,
      rows.flatMap(({ node, counts }) => typeRows(node, observedAt.getTime(), { ...emptyCounts(), ...counts }, ideal)),
    )
    after = rows.at(-1)!.node
  }
}

/** For a late snapshot: the series of every table whose columns it touched, written anew: a row per metric where column types changed. */
export async function saveTableMetrics(client: Client, ideal: TypeDistribution): Promise<void> {
  await client.query(`
    create temp table metric_table on commit drop as
    select distinct k.parent as node from node_plan p join node_key k on k.key = p.node where p.kind = 'Column' and k.parent is not null`)
  for (let after = 0; ; ) {
    const page = await client.query<{ node: number }>(`select node from metric_table where node > $1 order by node limit ${pageSize}`, [
      after,
    ])
    if (page.rows.length === 0) return
    const nodes = page.rows.map((row) => row.node)
    const { rows } = await client.query<{ owner: number; at: Date; canonical: string | null; delta: number }>(
      `select k.parent as owner, t.at, v.canonical, sum(t.n)::integer as delta
       from node_key k
       join lateral (select valid_from, valid_to, version from node_history h where h.node = k.key offset 0) h on true
       join lateral (select canonical from fact_version f where f.hash = h.version limit 1) v on true
       cross join lateral (values (h.valid_from, 1), (h.valid_to, -1)) as t(at, n)
       where k.parent = any($1) and k.kind = 'Column' and t.at < 'infinity' group by 1, 2, 3 order by 1, 2`,
      [nodes],
    )
    const events = new Map<number, CountEvent<keyof TypeCounts>[]>(nodes.map((node) => [node, []]))
    for (const { owner, at, canonical, delta } of rows) events.get(owner)!.push({ at: at.getTime(), key: countKey(canonical), delta })
    await client.query('delete from metric where node = any($1)', [nodes])
    const series = [...events].flatMap(([node, list]) =>
      countSeries(list, emptyCounts()).flatMap(({ at, counts }) => typeRows(node, at, counts, ideal)),
    )
    await save(client, series)
    after = nodes.at(-1)!
  }
}

interface Subject {
  node: number
  /** null for the project */
  scope: number | null
}

/** Where in the ledger something happened that moves metrics; `key` names the system whose snapshot did it. */
export type MetricPlace = Pick<NewSnapshot, 'observedAt' | 'isLast'> & { scope: { projectId: string; key: number | null } }

/** The nodes that estate metrics are about: the project and its systems. */
async function readSubjects(client: Client, { scope }: MetricPlace): Promise<Subject[]> {
  const { rows } = await client.query<Subject>(
    `select k.key as node, case when s.system_id = '' then null else s.key end as scope
     from catalog_scope s join node_key k on k.id = concat_ws('/', s.project_id, nullif(s.system_id, '')) where s.project_id = $1 and s.derived_of is null`,
    [scope.projectId],
  )
  return rows
}

/**
 * Saves the project's and the systems' metrics at the snapshot's time (and, for a late one, after it); returns the project's counts.
 * `untold`: edges of the system that came and are in no plan.
 */
export async function saveEstateMetrics(client: Client, snapshot: MetricPlace, ideal: TypeDistribution, untold = 0): Promise<EstateCounts> {
  const subjects = await readSubjects(client, snapshot)
  return snapshot.isLast ? saveNext(client, snapshot, ideal, subjects, untold) : saveAll(client, snapshot, ideal, subjects)
}

/** What the plan adds to and takes from the counts of each system. */
const planDeltas = `
select coalesce(s.derived_of, d.scope) as scope, d.key, sum(n)::integer as delta from (
  select scope, key, delta as n from column_delta
  union all
  select scope, case kind when 'Table' then 'tables' else 'views' end, (after is not null)::integer - (before is not null)::integer
  from node_plan where kind in ('Table', 'View')
  union all select scope, 'edges', (after is not null)::integer - (before is not null)::integer from edge_plan
) d join catalog_scope s on s.key = d.scope group by 1, 2 having sum(n) <> 0`

async function saveNext(
  client: Client,
  { observedAt, scope }: MetricPlace,
  ideal: TypeDistribution,
  subjects: readonly Subject[],
  untold: number,
): Promise<EstateCounts> {
  const planned = await client.query<{ scope: number; key: EstateKey; delta: number }>(planDeltas)
  const deltas =
    untold > 0 && scope.key !== null ? [...planned.rows, { scope: scope.key, key: 'edges' as const, delta: untold }] : planned.rows
  const base = await client.query<{ node: number; name: string; value: number }>(
    `select distinct on (node, name) node, name, value from metric
     where node = any($1) and name = any($2) and observed_at < $3 order by node, name, observed_at desc`,
    [subjects.map(({ node }) => node), estateKeys.map(countName), observedAt],
  )
  let ofProject = emptyEstateCounts()
  for (const subject of subjects) {
    const counts = emptyEstateCounts()
    for (const { node, name, value } of base.rows) if (node === subject.node) counts[keysByName.get(name)!] = value
    const own = deltas.filter((row) => subject.scope === null || row.scope === subject.scope)
    for (const { key, delta } of own) counts[key] += delta
    if (subject.scope === null) ofProject = counts
    else if (own.length === 0 && subject.scope !== scope.key) continue
    await save(client, estateRows(subject.node, observedAt.getTime(), counts, ideal))
  }
  return ofProject
}

/** What the stored rows tell of a subject, as comings and goings. */
async function readStoredEvents(client: Client, nodes: readonly number[]): Promise<Map<number, CountEvent<EstateKey>[]>> {
  const { rows } = await client.query<{ node: number; name: string; at: Date; value: number }>(
    `select node, name, observed_at as at, value - coalesce(lag(value) over (partition by node, name order by observed_at), 0) as value
     from metric where node = any($1) and name = any($2) order by observed_at`,
    [nodes, estateKeys.map(countName)],
  )
  const events = new Map<number, CountEvent<EstateKey>[]>(nodes.map((node) => [node, []]))
  for (const { node, name, at, value } of rows) events.get(node)!.push({ at: at.getTime(), key: keysByName.get(name)!, delta: value })
  return events
}

/** For a late snapshot: the stored series, changed by what its rewriting changed (`count_delta`), from the first row to the last. */
async function saveAll(
  client: Client,
  { observedAt, scope }: MetricPlace,
  ideal: TypeDistribution,
  subjects: readonly Subject[],
): Promise<EstateCounts> {
  const nodes = subjects.map(({ node }) => node)
  const stored = await readStoredEvents(client, nodes)
  const deltas = await client.query<{ scope: number; at: Date; key: EstateKey; delta: number }>(
    `select coalesce(s.derived_of, d.scope) as scope, d.at, d.key, sum(n)::integer as delta
     from count_delta d left join catalog_scope s on s.key = d.scope group by 1, 2, 3 having sum(n) <> 0`,
  )
  const times = await client.query<{ scope: number; at: Date }>(
    'select distinct scope, observed_at as at from snapshot where project_id = $1 order by at',
    [scope.projectId],
  )
  await client.query('delete from metric where node = any($1)', [nodes])
  let ofProject = emptyEstateCounts()
  for (const subject of subjects) {
    const isOwn = (row: { scope: number }) => subject.scope === null || row.scope === subject.scope
    const changed = deltas.rows.filter(isOwn).map(({ at, key, delta }) => ({ at: at.getTime(), key, delta }))
    const events = [...stored.get(subject.node)!, ...changed].sort((a, b) => a.at - b.at)
    const series = countSeries(events, emptyEstateCounts())
    const moments = new Set([...times.rows.filter(isOwn).map(({ at }) => at.getTime()), ...series.map(({ at }) => at)])
    const counts = (at: number) => countsAt(series, at, emptyEstateCounts())
    if (subject.scope === null) ofProject = counts(observedAt.getTime())
    await save(
      client,
      [...moments].flatMap((at) => estateRows(subject.node, at, counts(at), ideal)),
    )
  }
  return ofProject
}
