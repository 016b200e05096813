import { memberOf, ownMember, setMember } from '../util/record.js'
import { nameTokens } from '../util/words.js'
import { parseTypeName, printTypeName } from './type-name.js'

/** A column as it was from some moment on. */
export interface ColumnState {
  name: string
  /** as the source wrote it */
  type: string
  nullable: boolean | null
  ordinal: number | null
  /** id of its table */
  table: string
}

/** From `at` on the column is `column`, or gone. Events come in order of time; per column each differs from the one before. */
export interface ColumnEvent {
  at: Date
  columnId: string
  column: ColumnState | null
}

/** How often something happened, and for how long it could have: events over column-days. */
export interface Exposure {
  changes: number
  days: number
}

export interface Transition {
  from: string
  to: string
  count: number
  /** mean days that the column had kept `from` */
  meanDays: number
}

/** All that is learned about column types, as counts. A plain value: it is stored, and learning goes on from it. */
export interface ColumnTypeLearning {
  /** live columns: what they are and since when they have had this type (ms) */
  columns: Record<string, ColumnState & { since: number }>
  /** `from` -> `to` (printed types) -> count and total days kept */
  transitions: Record<string, Record<string, { count: number; days: number }>>
  /** exposure of closed spells, per base type and per last name token */
  byType: Record<string, Exposure>
  byToken: Record<string, Exposure>
  overall: Exposure
  /** nullability changes and columns removed; neither is a type change */
  nullabilityChanges: number
  removed: number
  lastEventAt: number | null
}

export const emptyColumnTypes = (): ColumnTypeLearning => ({
  columns: {},
  transitions: {},
  byType: {},
  byToken: {},
  overall: { changes: 0, days: 0 },
  nullabilityChanges: 0,
  removed: 0,
  lastEventAt: null,
})

const dayMs = 86_400_000
const tokenOf = (name: string) => nameTokens(name).at(-1) ?? ''

function addExposure(table: Record<string, Exposure>, key: string, changes: number, days: number): void {
  const row = memberOf(table, key, () => ({ changes: 0, days: 0 }))
  row.changes += changes
  row.days += days
}

function closeSpell(learning: ColumnTypeLearning, column: ColumnState & { since: number }, at: number, changes: 0 | 1): void {
  const days = (at - column.since) / dayMs
  addExposure(learning.byType, parseTypeName(column.type).base, changes, days)
  addExposure(learning.byToken, tokenOf(column.name), changes, days)
  learning.overall.changes += changes
  learning.overall.days += days
}

function learnEvent(learning: ColumnTypeLearning, { at, columnId, column }: ColumnEvent): void {
  const time = at.getTime()
  if (learning.lastEventAt !== null && time < learning.lastEventAt)
    throw new RangeError(
      `column event of ${at.toISOString()} comes after one of ${new Date(learning.lastEventAt).toISOString()}: events must be in order of time`,
    )
  learning.lastEventAt = time
  const before = ownMember(learning.columns, columnId)
  if (!column) {
    if (!before) return
    closeSpell(learning, before, time, 0)
    learning.removed++
    delete learning.columns[columnId]
    return
  }
  const from = before && printTypeName(parseTypeName(before.type))
  const to = printTypeName(parseTypeName(column.type))
  if (before && before.nullable !== column.nullable) learning.nullabilityChanges++
  if (before && from !== to) {
    closeSpell(learning, before, time, 1)
    const row = memberOf(
      memberOf(learning.transitions, from!, () => ({})),
      to,
      () => ({ count: 0, days: 0 }),
    )
    row.count++
    row.days += (time - before.since) / dayMs
  }
  setMember(learning.columns, columnId, { ...column, since: before && from === to ? before.since : time })
}

/**
 * Learns from events in order of time, on top of what was learned before: event by event, snapshot by snapshot and all at once give
 * the same counts. Returns a new value.
 */
export function learnColumnTypes(events: Iterable<ColumnEvent>, before: ColumnTypeLearning = emptyColumnTypes()): ColumnTypeLearning {
  const learning = structuredClone(before)
  for (const event of events) learnEvent(learning, event)
  return learning
}

/** What people read: distributions with their sample sizes, and the transitions seen. */
export interface ColumnPatterns {
  /** live columns */
  columns: number
  typeDistribution: Record<string, number>
  byNameToken: Record<string, Record<string, number>>
  byPosition: Record<string, Record<string, number>>
  nullableByType: Record<string, { nullable: number; notNull: number; unknown: number }>
  /** types of neighbouring columns in a table, by ordinal: `bigint > varchar` */
  sequences: Record<string, number>
  transitions: Transition[]
  typeChanges: number
  /** column-days watched up to `asOf` */
  columnDays: number
  nullabilityChanges: number
  removed: number
}

type Counts = Record<string, number>
const count = (counts: Counts, key: string) => {
  setMember(counts, key, (ownMember(counts, key) ?? 0) + 1)
}

/** The most frequent `n`, by count then name. */
const top = (counts: Counts, n: number): Counts =>
  Object.fromEntries(
    Object.entries(counts)
      .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
      .slice(0, n),
  )

function sequencesOf(columns: readonly ColumnState[]): Counts {
  const tables = new Map<string, ColumnState[]>()
  for (const column of columns) {
    const list = tables.get(column.table)
    if (list) list.push(column)
    else tables.set(column.table, [column])
  }
  const counts: Counts = {}
  for (const list of tables.values()) {
    const bases = list.sort((a, b) => (a.ordinal ?? 0) - (b.ordinal ?? 0)).map((column) => parseTypeName(column.type).base)
    for (let i = 1; i < bases.length; i++) count(counts, `${bases[i - 1]} > ${bases[i]}`)
  }
  return counts
}

/** Transitions, the most frequent first. */
export const transitionsOf = (learning: ColumnTypeLearning): Transition[] =>
  Object.entries(learning.transitions)
    .flatMap(([from, row]) => Object.entries(row).map(([to, { count: n, days }]) => ({ from, to, count: n, meanDays: days / n })))
    .sort((a, b) => b.count - a.count || (a.from + a.to < b.from + b.to ? -1 : 1))

/** Summarises what was learned as of a moment (which must not lie before the last event). */
export function summarizeColumnTypes(learning: ColumnTypeLearning, asOf: Date): ColumnPatterns {
  const columns = Object.values(learning.columns)
  const typeDistribution: Counts = {}
  const byNameToken: Record<string, Counts> = {}
  const byPosition: Record<string, Counts> = {}
  const nullableByType: ColumnPatterns['nullableByType'] = {}
  for (const column of columns) {
    const { base } = parseTypeName(column.type)
    count(typeDistribution, base)
    count(
      memberOf(byNameToken, tokenOf(column.name), () => ({})),
      base,
    )
    if (column.ordinal !== null)
      count(
        memberOf(byPosition, column.ordinal < 10 ? String(column.ordinal) : '10+', () => ({})),
        base,
      )
    const row = memberOf(nullableByType, base, () => ({ nullable: 0, notNull: 0, unknown: 0 }))
    row[column.nullable === null ? 'unknown' : column.nullable ? 'nullable' : 'notNull']++
  }
  const openDays = columns.reduce((sum, { since }) => sum + Math.max(0, asOf.getTime() - since) / dayMs, 0)
  return {
    columns: columns.length,
    typeDistribution: top(typeDistribution, Number.POSITIVE_INFINITY),
    byNameToken: Object.fromEntries(
      Object.entries(byNameToken)
        .filter(([, counts]) => Object.values(counts).reduce((a, b) => a + b) >= 3)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    byPosition,
    nullableByType,
    sequences: top(sequencesOf(columns), 50),
    transitions: transitionsOf(learning),
    typeChanges: learning.overall.changes,
    columnDays: learning.overall.days + openDays,
    nullabilityChanges: learning.nullabilityChanges,
    removed: learning.removed,
  }
}
