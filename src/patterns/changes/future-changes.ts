import type { ColumnState } from '../column-types.js'
import { targetDistribution } from '../schema-evolution.js'
import { parseTypeName, printTypeName } from '../type-name.js'
import { learnChanges } from './change-history.js'
import { defaultForecast, type ForecastOptions } from './forecast.js'
import { kindsOf } from './outcomes.js'
import { buildPanel, type PanelRow, type Unit, units } from './panel.js'
import { eventsUpTo, type SchemaHistory, stateAt } from './snapshots.js'
import { inOrder, type SchemaChangeKind } from './timeline.js'
import { gridOf, type Walk, walk } from './walk.js'

export interface FutureChange {
  /** id of the table */
  table: string
  /** id of the column; null for a change of the table: `add` (it gets columns) and `drop` */
  column: string | null
  predictedChange: SchemaChangeKind
  /** type or nullability now; null where the change has none */
  from: string | null
  /** type or nullability then; null where it cannot be told */
  to: string | null
  /** that it happens within the horizon */
  probability: number
}

export interface FutureChanges {
  asOf: string
  horizonDays: number
  /** the likeliest first */
  changes: FutureChange[]
  /** that a table, or anything in it, changes at all */
  tables: { table: string; probability: number }[]
  /** that a column changes at all (goes, gets another type, name or nullability) */
  columns: { column: string; table: string; probability: number }[]
  /** windows that had closed, from which this was learned; none gives a guess of a few in a hundred */
  trainedOn: { windows: number; columnRows: number; tableRows: number }
  /** what each member of the pool weighs, by its past forecasts */
  weights: Record<Unit, Record<string, number>>
}

export interface FutureOptions {
  /** default: the last moment of the history */
  asOf?: Date
  /** changes answered at most; default 100 */
  limit?: number
  forecast?: ForecastOptions
}

/** The arguments of `predictFutureChanges`, as they go to another thread. */
export interface ForecastWork {
  history: SchemaHistory
  currentSchema: Readonly<Record<string, ColumnState>> | null
  horizonDays: number
  options: FutureOptions
}

export const forecastOf = ({ history, currentSchema, horizonDays, options }: ForecastWork): FutureChanges =>
  predictFutureChanges(history, currentSchema, horizonDays, options)

/** Types to which one column's transition is spelled out at most. */
const mostTargets = 3

/**
 * Ranked, calibrated forecasts of what changes within `horizonDays` after `asOf`. P(kind) = P(column changes at all) x P(kind | type) x, for
 * type transitions, P(to | from); the first from a pool of "nothing changes" and of the level of change, told apart more and
 * less by counts and a logistic model over the ledger's features, each weighted by its own past forecasts. Only what happened up to `asOf` is used. `currentSchema` (columns by id), where given, is taken as what is there
 * at `asOf`; null takes what the history says. Without any history there is nothing to rank: lists are empty.
 */
export function predictFutureChanges(
  history: SchemaHistory,
  currentSchema: Readonly<Record<string, ColumnState>> | null,
  horizonDays: number,
  { asOf, limit = 100, forecast = defaultForecast }: FutureOptions = {},
): FutureChanges {
  const end = asOf?.getTime() ?? lastMoment(history)
  const known = eventsUpTo(history, end)
  const all = currentSchema ? { ...known, events: [...known.events, ...stateAt(known, currentSchema, end)] } : known
  const dates = gridOf(all, end)
  const empty = {
    changes: [],
    tables: [],
    columns: [],
    trainedOn: { windows: 0, columnRows: 0, tableRows: 0 },
    weights: { column: {}, table: {} },
  }
  const head = { asOf: new Date(Number.isFinite(end) ? end : 0).toISOString(), horizonDays }
  const panel = buildPanel(all, dates)
  if (dates.length === 0 || panel.rows.column.length === 0 || panel.rows.column.at(-1)!.at !== end) return { ...head, ...empty }
  const walks = Object.fromEntries(units.map((unit) => [unit, walk(panel, unit, horizonDays, forecast)])) as Record<Unit, Walk>
  const targets = typeTargets(all)
  const ordered = inOrder(all.events)
  const nullables = new Map<string, string | null>()
  for (const { columnId, column } of ordered) nullables.set(columnId, nullabilityOf(column))
  const types = new Map(ordered.flatMap(({ columnId, column }) => (column ? [[columnId, column.type] as const] : [])))
  const spell: Spell = { targets, typeOf: (id) => types.get(id) ?? '', nullableOf: (id) => nullables.get(id) ?? null }
  const last = { column: lastForecasts(walks.column), table: lastForecasts(walks.table) }
  const closed = (unit: Unit) => walks[unit].rows.filter((row) => row.at + horizonDays * 86_400_000 <= end).length
  return {
    ...head,
    changes: ranked(units.flatMap((unit) => last[unit].flatMap(({ row, p }) => divided(walks[unit], row, p, spell)))).slice(0, limit),
    tables: ranked(last.table.map(({ row, p }) => ({ table: row.id, probability: p }))),
    columns: ranked(last.column.map(({ row, p }) => ({ column: row.id, table: row.table, probability: p }))),
    trainedOn: {
      windows: dates.filter((at) => at + horizonDays * 86_400_000 <= end).length,
      columnRows: closed('column'),
      tableRows: closed('table'),
    },
    weights: { column: walks.column.series.weights.at(-1)!, table: walks.table.series.weights.at(-1)! },
  }
}

const lastMoment = ({ events, observedAt }: SchemaHistory): number =>
  events.reduce((latest, { at }) => Math.max(latest, at.getTime()), Math.max(...observedAt.map(Number)))

const ranked = <T extends { probability: number }>(rows: T[]): T[] =>
  rows
    .map((row, i) => ({ row, i }))
    .sort((a, b) => b.row.probability - a.row.probability || a.i - b.i)
    .map(({ row }) => row)

function lastForecasts({ rows, series }: Walk): { row: PanelRow; p: number }[] {
  const start = series.starts.at(-2)!
  return rows.slice(start).map((row, i) => ({ row, p: series.forecasts.at(-1)!.pool[i]! }))
}

interface Spell {
  targets: (type: string) => [string, number][]
  typeOf: (id: string) => string
  nullableOf: (id: string) => string | null
}

/** One forecast of "changes", divided into what may change. */
function divided({ unit, kinds }: Walk, row: PanelRow, p: number, { targets, typeOf, nullableOf }: Spell): FutureChange[] {
  const shares = kinds.at(-1)!
  const base = { table: row.table, column: unit === 'column' ? row.id : null }
  return kindsOf[unit].flatMap((kind: SchemaChangeKind): FutureChange[] => {
    const probability = p * shares.share(unit, row, kind)
    if (unit === 'table') return [{ ...base, predictedChange: kind, from: null, to: null, probability }]
    if (kind === 'nullable') {
      const from = nullableOf(row.id)
      return [{ ...base, predictedChange: kind, from, to: from === null ? null : from === 'NULL' ? 'NOT NULL' : 'NULL', probability }]
    }
    const from = printTypeName(parseTypeName(typeOf(row.id)))
    if (kind !== 'type_transition') return [{ ...base, predictedChange: kind, from: kind === 'drop' ? from : null, to: null, probability }]
    const known = targets(from).slice(0, mostTargets)
    const spelled = known.map(([to, share]) => ({ ...base, predictedChange: kind, from, to, probability: probability * share }))
    const rest = 1 - known.reduce((sum, [, share]) => sum + share, 0)
    return rest > 1e-9 ? [...spelled, { ...base, predictedChange: kind, from, to: null, probability: probability * rest }] : spelled
  })
}

const nullabilityOf = (column: ColumnState | null) => (column?.nullable == null ? null : column.nullable ? 'NULL' : 'NOT NULL')

/** P(to | from) of transitions seen, the likeliest first; [] where none was. */
function typeTargets(history: SchemaHistory): (type: string) => [string, number][] {
  const { typeDays } = learnChanges(history.events)
  const transitions = Object.fromEntries(
    Object.entries(typeDays).map(([from, row]) => [
      from,
      Object.fromEntries(Object.entries(row).map(([to, days]) => [to, { count: days.length, days: days.reduce((a, b) => a + b, 0) }])),
    ]),
  )
  const known = new Map<string, [string, number][]>()
  return (type) => {
    const before = known.get(type)
    if (before) return before
    const weights = [...targetDistribution({ transitions }, type)]
    const total = weights.reduce((sum, [, weight]) => sum + weight, 0)
    const made = weights.map(([to, weight]): [string, number] => [to, weight / total]).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    known.set(type, made)
    return made
  }
}
