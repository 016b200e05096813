import { communities } from '../../statistics/communities.js'
import { type HazardBin, hazardByAge, kaplanMeier, type Spell, type SurvivalCurve } from '../../statistics/survival.js'
import { memberOf, ownMember, setMember } from '../../util/record.js'
import type { ColumnEvent } from '../column-types.js'
import type { SchemaHistory } from './snapshots.js'
import { inOrder, type LiveColumn, type SchemaChange, type SchemaChangeKind, Timeline } from './timeline.js'

/** All that is learned from changes. A plain value: it is stored, and learning goes on from it. */
export interface ChangeLearning {
  /** live columns; those of one table together */
  columns: LiveColumn[]
  tables: Record<string, { born: number; lastChange: number | null; changes: number }>
  changes: SchemaChange[]
  /** spells that are over */
  endedColumns: Spell[]
  endedTables: Spell[]
  /** days that a column had kept a type when it changed: `from` -> `to` -> days */
  typeDays: Record<string, Record<string, number[]>>
  firstAt: number | null
  lastAt: number | null
}

export const emptyChanges = (): ChangeLearning => ({
  ...{ columns: [], tables: {}, changes: [], endedColumns: [], endedTables: [], typeDays: {}, firstAt: null, lastAt: null },
})

const dayMs = 86_400_000

/** Learns moment by moment, in place: what `learnChanges` does, for histories that do not fit in memory. */
export class ChangeLearner {
  readonly #timeline = new Timeline()
  readonly #learning: Omit<ChangeLearning, 'columns' | 'tables'>
  #pending: ColumnEvent[] = []

  constructor({ columns, tables, ...before }: ChangeLearning = emptyChanges()) {
    this.#timeline.at = before.lastAt
    for (const column of columns) this.#timeline.restore({ ...column }, { id: column.table, ...ownMember(tables, column.table)! })
    this.#learning = {
      ...{ ...before, changes: [...before.changes], typeDays: structuredClone(before.typeDays) },
      ...{ endedColumns: [...before.endedColumns], endedTables: [...before.endedTables] },
    }
  }

  /** Events in order of time; those of one moment are acted on together, when the next moment begins or the value is asked for. */
  learn(event: ColumnEvent): void {
    if (this.#pending.length > 0 && this.#pending[0]!.at.getTime() !== event.at.getTime()) this.#settle()
    this.#pending.push(event)
  }

  #settle(): void {
    if (this.#pending.length === 0) return
    const events = this.#pending.sort((a, b) => (a.columnId < b.columnId ? -1 : a.columnId > b.columnId ? 1 : 0))
    const at = events[0]!.at.getTime()
    this.#pending = []
    const learning = this.#learning
    const since = new Map<string, number>()
    for (const { columnId } of events) {
      const column = this.#timeline.column(columnId)
      if (column) since.set(columnId, column.typeSince)
    }
    const step = this.#timeline.apply(at, events)
    const days = (from: number) => (at - from) / dayMs
    for (const change of step.changes) learning.changes.push(change)
    for (const column of step.ended) learning.endedColumns.push({ days: days(column.born), ended: true })
    for (const table of step.endedTables) learning.endedTables.push({ days: days(table.born), ended: true })
    for (const { kind, column, from, to } of step.changes)
      if (kind === 'type_transition')
        memberOf(
          memberOf(learning.typeDays, from!, () => ({})),
          to!,
          (): number[] => [],
        ).push(days(since.get(column!)!))
    learning.firstAt ??= at
    learning.lastAt = at
  }

  /** What was learned so far, as a value of its own. */
  value(): ChangeLearning {
    this.#settle()
    const columns = [...this.#timeline.columns()]
      .sort((a, b) => (a.table + a.id < b.table + b.id ? -1 : 1))
      .map((column) => ({ ...column }))
    const tables: ChangeLearning['tables'] = {}
    for (const { id, born, lastChange, changes } of this.#liveTables()) setMember(tables, id, { born, lastChange, changes })
    const { changes, endedColumns, endedTables, typeDays, ...rest } = this.#learning
    return {
      ...{ ...rest, columns, tables, changes: [...changes], typeDays: structuredClone(typeDays) },
      ...{ endedColumns: [...endedColumns], endedTables: [...endedTables] },
    }
  }

  #liveTables = () => [...this.#timeline.tables.values()].sort((a, b) => (a.id < b.id ? -1 : 1))

  /** The same as `summarizeChanges` of the value, without making it. */
  summarize(asOf?: Date): ChangeHistory {
    this.#settle()
    const tables: ChangeLearning['tables'] = {}
    for (const { id, born, lastChange, changes } of this.#liveTables()) setMember(tables, id, { born, lastChange, changes })
    return summarizeChanges({ ...this.#learning, columns: [...this.#timeline.columns()], tables }, asOf)
  }
}

/**
 * Learns from column events on top of what was learned before; moment by moment and all at once give the same. Events of one call may come
 * in any order, but all of one moment in one call, and no call may go back in time (BAD_INPUT). Returns a new value.
 */
export function learnChanges(events: Iterable<ColumnEvent>, before: ChangeLearning = emptyChanges()): ChangeLearning {
  const learner = new ChangeLearner(before)
  for (const event of inOrder(events)) learner.learn(event)
  return learner.value()
}

export interface TypeTransition {
  from: string
  to: string
  count: number
  /** days that a column had kept `from` */
  meanDays: number
  minDays: number
  maxDays: number
}

export interface TableEvolution {
  table: string
  /** whether it still exists */
  isLive: boolean
  columns: number
  changes: number
  byKind: Record<SchemaChangeKind, number>
  firstChangeAt: string
  lastChangeAt: string
}

export interface CoChange {
  a: string
  b: string
  /** days on which both changed, and on which either did */
  together: number
  either: number
  /** together / either */
  likeness: number
}

export interface ChangeHistory {
  changePatterns: {
    distribution: Record<SchemaChangeKind, number>
    typeTransitions: TypeTransition[]
    /** days with changes, the busiest first (at most 50); `share` of all changes */
    temporalClustering: { day: string; changes: number; tables: number; share: number }[]
    tableEvolution: TableEvolution[]
    /** pairs of tables that changed on the same day at least twice, the closest first (at most 200) */
    coChange: CoChange[]
    /** tables that change together */
    communities: string[][]
  }
  /** what follows what in one table: kind -> next kind, with the days between */
  temporalSequences: { sequence: string; count: number; meanDays: number }[]
  evolutionStatistics: {
    changes: number
    /** changes per month, months without any included */
    heartbeat: { month: string; changes: number }[]
    /** mean over the months watched; null where nothing was watched */
    changesPerMonth: number | null
    columnSurvival: SurvivalCurve
    tableSurvival: SurvivalCurve
    columnHazard: HazardBin[]
    tableHazard: HazardBin[]
    liveColumns: number
    liveTables: number
    days: number
  }
}

/** Changes of a schema that are not its first look: what came with the first moment was there before. */
const happened = ({ changes, firstAt }: ChangeLearning) => changes.filter((change) => change.at !== firstAt)
const isoDay = (at: number) => new Date(at).toISOString().slice(0, 10)

/** Summarises what was learned as of a moment (default: the last one). Nothing learned gives zeros and nulls, never NaN. */
export function summarizeChanges(learning: ChangeLearning, asOf: Date = new Date(learning.lastAt ?? 0)): ChangeHistory {
  const changes = happened(learning)
  const until = Math.max(asOf.getTime(), learning.lastAt ?? 0)
  const open = (born: number): Spell => ({ days: (until - born) / dayMs, ended: false })
  const tables = Object.values(learning.tables)
  // in order: sums of many do not depend then on what was learned first
  const byLength = (spells: Spell[]) => spells.sort((a, b) => a.days - b.days || Number(a.ended) - Number(b.ended))
  const columnSpells = byLength([...learning.endedColumns, ...learning.columns.map((column) => open(column.born))])
  const tableSpells = byLength([...learning.endedTables, ...tables.map((table) => open(table.born))])
  const heartbeat = heartbeatOf(changes, learning.firstAt, until)
  const coChange = coChangesOf(changes)
  return {
    changePatterns: {
      distribution: countKinds(changes),
      typeTransitions: typeTransitionsOf(learning),
      temporalClustering: clusteringOf(changes),
      tableEvolution: tableEvolutionOf(learning, changes),
      coChange: coChange.filter((pair) => pair.together >= 2).slice(0, 200),
      communities: communities(coChange.filter((pair) => pair.together >= 2).map(({ a, b, likeness }) => ({ a, b, weight: likeness }))),
    },
    temporalSequences: sequencesOf(changes),
    evolutionStatistics: {
      ...{ changes: changes.length, heartbeat },
      changesPerMonth: heartbeat.length > 0 ? changes.length / heartbeat.length : null,
      ...{ columnSurvival: kaplanMeier(columnSpells), tableSurvival: kaplanMeier(tableSpells) },
      ...{ columnHazard: hazardByAge(columnSpells), tableHazard: hazardByAge(tableSpells) },
      ...{ liveColumns: learning.columns.length, liveTables: tables.length },
      days: learning.firstAt === null ? 0 : (until - learning.firstAt) / dayMs,
    },
  }
}

/** Learns and summarises a whole history; in whatever order its events are listed. */
export const analyzeChangeHistory = ({ events, observedAt }: SchemaHistory): ChangeHistory => {
  const learning = learnChanges(events)
  return summarizeChanges(learning, new Date(Math.max(learning.lastAt ?? 0, ...observedAt.map(Number))))
}

function countKinds(changes: readonly SchemaChange[]): Record<SchemaChangeKind, number> {
  const counts = { add: 0, drop: 0, type_transition: 0, rename: 0, nullable: 0 }
  for (const { kind } of changes) counts[kind]++
  return counts
}

const typeTransitionsOf = ({ typeDays }: ChangeLearning): TypeTransition[] =>
  Object.entries(typeDays)
    .flatMap(([from, row]) =>
      Object.entries(row).map(([to, days]) => ({
        ...{ from, to, count: days.length, meanDays: days.reduce((a, b) => a + b, 0) / days.length },
        ...{ minDays: days.reduce((a, b) => Math.min(a, b)), maxDays: days.reduce((a, b) => Math.max(a, b)) },
      })),
    )
    .sort((a, b) => b.count - a.count || (a.from + a.to < b.from + b.to ? -1 : 1))

function grouped<T>(rows: readonly T[], key: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const row of rows) {
    const group = groups.get(key(row))
    if (group) group.push(row)
    else groups.set(key(row), [row])
  }
  return groups
}

const clusteringOf = (changes: readonly SchemaChange[]) =>
  [...grouped(changes, ({ at }) => isoDay(at))]
    .map(([day, rows]) => ({
      ...{ day, changes: rows.length, tables: new Set(rows.map((row) => row.table)).size, share: rows.length / changes.length },
    }))
    .sort((a, b) => b.changes - a.changes || (a.day < b.day ? -1 : 1))
    .slice(0, 50)

function tableEvolutionOf({ tables, columns }: ChangeLearning, changes: readonly SchemaChange[]): TableEvolution[] {
  const sizes = grouped(columns, (column) => column.table)
  return [...grouped(changes, (change) => change.table)]
    .map(([table, rows]) => ({
      ...{
        table,
        isLive: Object.hasOwn(tables, table),
        columns: sizes.get(table)?.length ?? 0,
        changes: rows.length,
        byKind: countKinds(rows),
      },
      ...{ firstChangeAt: new Date(rows[0]!.at).toISOString(), lastChangeAt: new Date(rows.at(-1)!.at).toISOString() },
    }))
    .sort((a, b) => b.changes - a.changes || (a.table < b.table ? -1 : 1))
}

/** Days on which a table and more than these change tell nothing about pairs of them. */
const mostTablesADay = 50

function coChangesOf(changes: readonly SchemaChange[]): CoChange[] {
  const days = new Map<string, number>()
  const pairs = new Map<string, { a: string; b: string; together: number }>()
  for (const rows of grouped(changes, ({ at }) => isoDay(at)).values()) {
    const tables = [...new Set(rows.map((row) => row.table))].sort()
    for (const table of tables) days.set(table, (days.get(table) ?? 0) + 1)
    if (tables.length > mostTablesADay) continue
    tables.forEach((a, i) => {
      for (const b of tables.slice(i + 1)) {
        const pair = pairs.get(`${a}\0${b}`) ?? { a, b, together: 0 }
        pair.together++
        pairs.set(`${a}\0${b}`, pair)
      }
    })
  }
  return [...pairs.values()]
    .map((pair) => {
      const either = days.get(pair.a)! + days.get(pair.b)! - pair.together
      return { ...pair, either, likeness: pair.together / either }
    })
    .sort((x, y) => y.likeness - x.likeness || y.together - x.together || (x.a + x.b < y.a + y.b ? -1 : 1))
}

function sequencesOf(changes: readonly SchemaChange[]): ChangeHistory['temporalSequences'] {
  const found = new Map<string, { count: number; days: number }>()
  for (const rows of grouped(changes, (change) => change.table).values()) {
    const steps = [...grouped(rows, ({ at }) => String(at)).values()]
    for (let i = 1; i < steps.length; i++) {
      const days = (steps[i]![0]!.at - steps[i - 1]![0]!.at) / dayMs
      for (const before of new Set(steps[i - 1]!.map((row) => row.kind)))
        for (const after of new Set(steps[i]!.map((row) => row.kind))) {
          const entry = found.get(`${before} > ${after}`) ?? { count: 0, days: 0 }
          found.set(`${before} > ${after}`, { count: entry.count + 1, days: entry.days + days })
        }
    }
  }
  return [...found]
    .map(([sequence, { count, days }]) => ({ sequence, count, meanDays: days / count }))
    .sort((a, b) => b.count - a.count || (a.sequence < b.sequence ? -1 : 1))
}

function heartbeatOf(changes: readonly SchemaChange[], firstAt: number | null, until: number): { month: string; changes: number }[] {
  if (firstAt === null) return []
  const counts = grouped(changes, ({ at }) => isoDay(at).slice(0, 7))
  const out: { month: string; changes: number }[] = []
  const month = new Date(firstAt)
  month.setUTCDate(1)
  month.setUTCHours(0, 0, 0, 0)
  for (; month.getTime() <= until; month.setUTCMonth(month.getUTCMonth() + 1)) {
    const name = month.toISOString().slice(0, 7)
    out.push({ month: name, changes: counts.get(name)?.length ?? 0 })
  }
  return out
}
