import type { Client } from '../../postgres/sql.js'
import type { EdgeLabel, NodeKind, Properties } from '../../vocabulary.js'
import { columnNullable, columnOrdinal, columnTypeText } from '../column.js'
import type { ColumnEvent, MetricPoint } from './history-store.js'

/** What learners read of a project: in parts, so that a long history takes no more memory than a short one. */
export interface LearningScope {
  projectId: string
  /** what was before is only known as it stood then; default: everything */
  since?: Date
}

const partSize = 5_000
const sinceOf = ({ since }: LearningScope): Date | string => since ?? '-infinity'

/** Reads the rows of a statement through a cursor of the transaction, a few thousand at a time. */
async function* inParts<R>(client: Client, name: string, statement: string, values: readonly unknown[]): AsyncGenerator<R[]> {
  await client.query(`declare ${name} no scroll cursor for ${statement}`, values)
  try {
    for (;;) {
      const { rows } = await client.query<R>(`fetch ${partSize} from ${name}`)
      if (rows.length > 0) yield rows
      if (rows.length < partSize) return
    }
  } finally {
    // a transaction that has failed has closed it
    await client.query(`close ${name}`).catch(() => undefined)
  }
}

const pieces = `
select k.id, coalesce(p.id, '') as "table", h.valid_from, h.valid_to, v.name, v.properties,
  lag(h.valid_to) over w as before_to, lag(v.name) over w as before_name, lag(v.properties) over w as before_properties,
  lead(h.valid_from) over w as next_from
from node_history h join node_key k on k.key = h.node left join node_key p on p.key = k.parent join fact_version v on v.hash = h.version
where h.kind = 'Column' and h.scope in (select key from catalog_scope where project_id = $1)
window w as (partition by h.node order by h.valid_from)`

interface EventRow {
  at: Date
  id: string
  table: string
  name: string | null
  properties: Properties
  before_name: string | null
  before_properties: Properties | null
}

const stateOf = (table: string, name: string, properties: Properties): NonNullable<ColumnEvent['column']> => ({
  ...{ name, type: columnTypeText(properties), nullable: columnNullable(properties), ordinal: columnOrdinal(properties), table },
})

function eventOf({ at, id, table, name, properties, before_name, before_properties }: EventRow): ColumnEvent | null {
  if (name === null) return { at, columnId: id, column: null }
  const column = stateOf(table, name, properties)
  const isSame = before_name !== null && JSON.stringify(stateOf(table, before_name, before_properties!)) === JSON.stringify(column)
  return isSame ? null : { at, columnId: id, column }
}

/**
 * The columns of a project over time, in order of time, in parts: what `readColumnHistory` gives, without holding all of it. From `since` on
 * everything that stood then comes first, as events of that moment.
 */
export async function* columnEvents(client: Client, scope: LearningScope): AsyncGenerator<ColumnEvent[]> {
  const statement = `with piece as (${pieces})
    select greatest(valid_from, $2::timestamptz) as at, id, "table", name, properties,
      case when before_to = valid_from and valid_from > $2 then before_name end as before_name,
      case when before_to = valid_from and valid_from > $2 then before_properties end as before_properties
    from piece where valid_to > $2
    union all
    select valid_to, id, "table", null, null, null, null from piece
    where valid_to < 'infinity' and valid_to > $2 and next_from is distinct from valid_to
    order by 1, 2`
  for await (const rows of inParts<EventRow>(client, 'column_events', statement, [scope.projectId, sinceOf(scope)]))
    yield rows.map(eventOf).filter((event) => event !== null)
}

/** How many pieces of column history there are: what a reader of `columnEvents` is far from or near to. */
export async function countColumnEvents(client: Client, scope: LearningScope): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    `select count(*) as n from node_history h
     where h.kind = 'Column' and h.valid_to > $2 and h.scope in (select key from catalog_scope where project_id = $1)`,
    [scope.projectId, sinceOf(scope)],
  )
  return rows[0]!.n
}

/** Series of metrics about the nodes of a project (itself, systems, tables), those of one node together and in order of time. */
export async function* metricPoints(client: Client, scope: LearningScope, names: readonly string[]): AsyncGenerator<MetricPoint[]> {
  yield* inParts<MetricPoint>(
    client,
    'metric_points',
    `select k.id as "nodeId", m.name, m.observed_at as at, m.value from metric m join node_key k on k.key = m.node
     where m.name = any($3) and m.observed_at >= $2
       and m.node in (select h.node from node_history h where h.scope in (select key from catalog_scope where project_id = $1))
     order by k.id, m.name, m.observed_at`,
    [scope.projectId, sinceOf(scope), names],
  )
}

/** What is there now: nodes by number and kind. */
export async function* nodeKindsOf(client: Client, projectId: string): AsyncGenerator<{ key: number; kind: NodeKind }[]> {
  yield* inParts<{ key: number; kind: NodeKind }>(
    client,
    'node_kinds',
    `select h.node as key, h.kind from node_history h
     where h.valid_to = 'infinity' and h.scope in (select key from catalog_scope where project_id = $1) order by h.node`,
    [projectId],
  )
}

/** What is there now: edges by the numbers of their ends. */
export async function* edgeLabelsOf(
  client: Client,
  projectId: string,
): AsyncGenerator<{ source: number; label: EdgeLabel; target: number }[]> {
  yield* inParts<{ source: number; label: EdgeLabel; target: number }>(
    client,
    'edge_labels',
    `select source, label, target from edge_row h
     where h.is_visible and h.valid_to = 'infinity' and h.scope in (select key from catalog_scope where project_id = $1) order by h.edge`,
    [projectId],
  )
}

/** Changes of a project's ledger by day and kind, and what moments it has seen. */
export interface LedgerTimes {
  /** by day (UTC) and kind, in order of time; the first look at a system is no change */
  changes: { day: string; kind: string; count: number }[]
  /** when it was looked at, in order of time */
  observedAt: Date[]
  /** when what is there now became as it is */
  updatedAt: { first: Date | null; last: Date | null; nodes: number }
  /** live columns times the days they were watched */
  columnDays: number
}

export async function readLedgerTimes(client: Client, scope: LearningScope): Promise<LedgerTimes> {
  const values = [scope.projectId, sinceOf(scope)]
  const scopes = 'select key from catalog_scope where project_id = $1'
  const { rows: changes } = await client.query<LedgerTimes['changes'][number]>(
    `with first as (select s.key, min(o.observed_at) as at from catalog_scope s join snapshot o on o.scope = s.key where s.project_id = $1 group by 1)
     select to_char(c.at at time zone 'UTC', 'YYYY-MM-DD') as day, c.kind, count(*) as count
     from change c left join first f on f.key = c.scope
     where c.scope in (${scopes}) and c.is_node and c.at > $2 and c.at > coalesce(f.at, '-infinity') group by 1, 2 order by 1, 2`,
    values,
  )
  const { rows: observed } = await client.query<{ at: Date }>(
    'select distinct observed_at as at from snapshot where project_id = $1 and observed_at >= $2 order by 1',
    values,
  )
  const { rows: updated } = await client.query<LedgerTimes['updatedAt']>(
    `select min(h.valid_from) as first, max(h.valid_from) as last, count(*) as nodes from node_history h
     where h.valid_to = 'infinity' and h.scope in (${scopes})`,
    [scope.projectId],
  )
  const { rows: watched } = await client.query<{ days: number }>(
    `with until as (select max(observed_at) as at from snapshot where project_id = $1)
     select coalesce(sum(extract(epoch from least(h.valid_to, u.at) - greatest(h.valid_from, $2))), 0)::float8 / 86400 as days
     from node_history h, until u where h.kind = 'Column' and h.valid_to > $2 and h.valid_from < u.at and h.scope in (${scopes})`,
    values,
  )
  return { changes, observedAt: observed.map(({ at }) => at), updatedAt: updated[0]!, columnDays: watched[0]!.days }
}

/** What texts themselves said of when columns were as they are (json_with_changes), by month. */
export interface StatedTimes {
  files: number
  columns: number
  /** versions of columns that were read from such texts, by the month that the text named */
  months: { month: string; versions: number; columns: number }[]
  first: Date | null
  last: Date | null
}

export async function readStatedTimes(client: Client, scope: LearningScope): Promise<StatedTimes> {
  const stated = `from node_history h join source_file f on f.key = h.file
    where f.dialect = 'change-history' and h.kind = 'Column' and h.valid_to > $2 and h.scope in (select key from catalog_scope where project_id = $1)`
  const values = [scope.projectId, sinceOf(scope)]
  const at = 'coalesce(h.stated_at, h.valid_from)'
  const { rows } = await client.query<Omit<StatedTimes, 'months'>>(
    `select count(distinct h.file) as files, count(distinct h.node) as columns, min(${at}) as first, max(${at}) as last ${stated}`,
    values,
  )
  const { rows: months } = await client.query<StatedTimes['months'][number]>(
    `select to_char(${at} at time zone 'UTC', 'YYYY-MM') as month, count(*) as versions, count(distinct h.node) as columns ${stated} group by 1 order by 1`,
    values,
  )
  return { ...rows[0]!, months }
}
