import { EspalierError } from '../util/error.js'
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
  /** per table; absent in what was learned before tables were told apart */
  byTable?: Record<string, Exposure>
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

type LiveState = ColumnState & { since: number }

/** Learns event by event, in place: what `learnColumnTypes` does, for histories that do not fit in memory. */
export class ColumnTypeLearner {
  readonly #columns: Map<string, LiveState>
  readonly #learning: ColumnTypeLearning
  /** base and last name token by how they are written: the same few come again and again */
  readonly #bases = new Map<string, string>()
  readonly #tokens = new Map<string, string>()

  constructor(before: ColumnTypeLearning = emptyColumnTypes()) {
    this.#learning = structuredClone({ ...before, columns: {} })
    this.#columns = new Map(Object.entries(before.columns))
  }

  learn({ at, columnId, column }: ColumnEvent): void {
    const learning = this.#learning
    const time = at.getTime()
    if (learning.lastEventAt !== null && time < learning.lastEventAt)
      throw new EspalierError(
        'BAD_INPUT',
        `column event of ${at.toISOString()} comes after one of ${new Date(learning.lastEventAt).toISOString()}: events must be in order of time`,
        { remedy: 'Sort them by time first.' },
      )
    learning.lastEventAt = time
    const before = this.#columns.get(columnId)
    if (!column) {
      if (!before) return
      this.#close(before, time, 0)
      learning.removed++
      this.#columns.delete(columnId)
      return
    }
    const isSameType = before !== undefined && (before.type === column.type || this.#printed(before.type) === this.#printed(column.type))
    if (before && before.nullable !== column.nullable) learning.nullabilityChanges++
    if (before && !isSameType) this.#transition(before, column, time)
    // named one by one: a copy by spreading takes half as much memory again
    const { name, type, nullable, ordinal, table } = column
    this.#columns.set(columnId, { name, type, nullable, ordinal, table, since: isSameType ? before.since : time })
  }

  /** What was learned so far, as a value of its own. */
  value(): ColumnTypeLearning {
    return { ...structuredClone(this.#learning), columns: recordOf(this.#columns) }
  }

  /** The same as `summarizeColumnTypes` and `evolutionOf` of the value, without making it. */
  summarize(asOf: Date): ColumnPatterns {
    return summarize(this.#learning, [...this.#columns.values()], asOf)
  }

  evolution(): TypeEvolution {
    return evolutionFrom(this.#learning, this.#columns.values())
  }

  #printed(type: string): string {
    return printTypeName(parseTypeName(type))
  }

  #transition(before: LiveState, column: ColumnState, time: number): void {
    this.#close(before, time, 1)
    const row = memberOf(
      memberOf(this.#learning.transitions, this.#printed(before.type), () => ({})),
      this.#printed(column.type),
      () => ({ count: 0, days: 0 }),
    )
    row.count++
    row.days += (time - before.since) / dayMs
  }

  #close(column: LiveState, at: number, changes: 0 | 1): void {
    const { byType, byToken, overall } = this.#learning
    const days = (at - column.since) / dayMs
    addExposure(byType, cached(this.#bases, column.type, baseOf), changes, days)
    addExposure(byToken, cached(this.#tokens, column.name, tokenOf), changes, days)
    addExposure((this.#learning.byTable ??= {}), column.table, changes, days)
    overall.changes += changes
    overall.days += days
  }
}

const baseOf = (type: string) => parseTypeName(type).base
function cached(known: Map<string, string>, key: string, make: (key: string) => string): string {
  let value = known.get(key)
  if (value === undefined) known.set(key, (value = make(key)))
  return value
}

function recordOf<T>(map: ReadonlyMap<string, T>): Record<string, T> {
  const record: Record<string, T> = {}
  for (const [key, value] of map) setMember(record, key, value)
  return record
}

/**
 * Learns from events in order of time, on top of what was learned before: event by event, snapshot by snapshot and all at once give
 * the same counts. Returns a new value.
 */
export function learnColumnTypes(events: Iterable<ColumnEvent>, before: ColumnTypeLearning = emptyColumnTypes()): ColumnTypeLearning {
  const learner = new ColumnTypeLearner(before)
  for (const event of events) learner.learn(event)
  return learner.value()
}

/** Spells that are over, and those that go on: `open` columns, the sum of the days since 1970 at which theirs began. */
export interface OpenExposure extends Exposure {
  open: number
  begun: number
}

/** What predictions are made from: counts alone, small however many columns there are. A plain value: it is stored. */
export interface TypeEvolution {
  transitions: ColumnTypeLearning['transitions']
  overall: OpenExposure
  byType: Record<string, OpenExposure>
  byToken: Record<string, OpenExposure>
  /** of the tables with the most changes, or all where there are few */
  byTable: Record<string, OpenExposure>
  lastEventAt: number | null
}

const mostTables = 5_000
const mostTransitions = 1_000

function evolutionFrom(learning: Omit<ColumnTypeLearning, 'columns'>, columns: Iterable<LiveState>): TypeEvolution {
  const opened = (closed: Record<string, Exposure>): Record<string, OpenExposure> => {
    const rows: Record<string, OpenExposure> = {}
    for (const [key, exposure] of Object.entries(closed)) setMember(rows, key, { ...exposure, open: 0, begun: 0 })
    return rows
  }
  const [byType, byToken, byTable] = [opened(learning.byType), opened(learning.byToken), opened(learning.byTable ?? {})]
  const overall = { ...learning.overall, open: 0, begun: 0 }
  const [bases, tokens] = [new Map<string, string>(), new Map<string, string>()]
  const none = () => ({ changes: 0, days: 0, open: 0, begun: 0 })
  for (const column of columns) {
    const rows = [
      overall,
      memberOf(byType, cached(bases, column.type, baseOf), none),
      memberOf(byToken, cached(tokens, column.name, tokenOf), none),
      memberOf(byTable, column.table, none),
    ]
    for (const row of rows) {
      row.open++
      row.begun += column.since / dayMs
    }
  }
  return {
    transitions: structuredClone(learning.transitions),
    ...{ overall, byType, byToken, byTable: busiest(byTable), lastEventAt: learning.lastEventAt },
  }
}

function busiest(byTable: Record<string, OpenExposure>): Record<string, OpenExposure> {
  const rows = Object.entries(byTable)
  if (rows.length <= mostTables) return byTable
  rows.sort(([a, x], [b, y]) => y.changes - x.changes || (a < b ? -1 : 1))
  return recordOf(new Map(rows.slice(0, mostTables)))
}

/** The counts of a learning that predictions are made from. */
export const evolutionOf = (learning: ColumnTypeLearning): TypeEvolution => evolutionFrom(learning, Object.values(learning.columns))

/** What people read: distributions with their sample sizes, and the transitions seen. */
export interface ColumnPatterns {
  /** live columns */
  columns: number
  typeDistribution: Record<string, number>
  /** of the 200 tables with the most columns */
  byTable: Record<string, Record<string, number>>
  byNameToken: Record<string, Record<string, number>>
  byPosition: Record<string, Record<string, number>>
  nullableByType: Record<string, { nullable: number; notNull: number; unknown: number }>
  /** types of neighbouring columns in a table, by ordinal: `bigint > varchar` */
  sequences: Record<string, number>
  /** the most frequent first, at most 1,000 */
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

const totalOf = (counts: Counts): number => Object.values(counts).reduce((a, b) => a + b, 0)

/** The `n` rows that count the most. */
const largest = (rows: Record<string, Counts>, n: number): Record<string, Counts> =>
  Object.fromEntries(
    Object.entries(rows)
      .map(([key, counts]) => ({ key, counts, total: totalOf(counts) }))
      .sort((a, b) => b.total - a.total || (a.key < b.key ? -1 : 1))
      .slice(0, n)
      .map(({ key, counts }) => [key, counts]),
  )

function sequencesOf(columns: readonly ColumnState[]): Counts {
  const tables = new Map<string, ColumnState[]>()
  for (const column of columns) {
    const list = tables.get(column.table)
    if (list) list.push(column)
    else tables.set(column.table, [column])
  }
  const counts: Counts = {}
  const known = new Map<string, string>()
  for (const list of tables.values()) {
    const bases = list.sort((a, b) => (a.ordinal ?? 0) - (b.ordinal ?? 0)).map((column) => cached(known, column.type, baseOf))
    for (let i = 1; i < bases.length; i++) count(counts, `${bases[i - 1]} > ${bases[i]}`)
  }
  return counts
}

/** Transitions, the most frequent first. */
export const transitionsOf = (learning: Pick<ColumnTypeLearning, 'transitions'>): Transition[] =>
  Object.entries(learning.transitions)
    .flatMap(([from, row]) => Object.entries(row).map(([to, { count: n, days }]) => ({ from, to, count: n, meanDays: days / n })))
    .sort((a, b) => b.count - a.count || (a.from + a.to < b.from + b.to ? -1 : 1))

/** Summarises what was learned as of a moment (which must not lie before the last event). */
export const summarizeColumnTypes = (learning: ColumnTypeLearning, asOf: Date): ColumnPatterns =>
  summarize(learning, Object.values(learning.columns), asOf)

function summarize(learning: Omit<ColumnTypeLearning, 'columns'>, columns: readonly LiveState[], asOf: Date): ColumnPatterns {
  const typeDistribution: Counts = {}
  const [byTable, byNameToken, byPosition]: Record<string, Counts>[] = [{}, {}, {}]
  const nullableByType: ColumnPatterns['nullableByType'] = {}
  const [bases, tokens] = [new Map<string, string>(), new Map<string, string>()]
  const within = (table: Record<string, Counts>, key: string) => memberOf(table, key, (): Counts => ({}))
  for (const column of columns) {
    const base = cached(bases, column.type, baseOf)
    count(typeDistribution, base)
    count(within(byTable!, column.table), base)
    count(within(byNameToken!, cached(tokens, column.name, tokenOf)), base)
    if (column.ordinal !== null) count(within(byPosition!, column.ordinal < 10 ? String(column.ordinal) : '10+'), base)
    const row = memberOf(nullableByType, base, () => ({ nullable: 0, notNull: 0, unknown: 0 }))
    row[column.nullable === null ? 'unknown' : column.nullable ? 'nullable' : 'notNull']++
  }
  const openDays = columns.reduce((sum, { since }) => sum + Math.max(0, asOf.getTime() - since) / dayMs, 0)
  return {
    columns: columns.length,
    typeDistribution: top(typeDistribution, Number.POSITIVE_INFINITY),
    byTable: largest(byTable!, 200),
    byNameToken: Object.fromEntries(
      Object.entries(largest(byNameToken!, 2_000))
        .filter(([, counts]) => totalOf(counts) >= 3)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    byPosition: byPosition!,
    nullableByType,
    sequences: top(sequencesOf(columns), 50),
    transitions: transitionsOf(learning).slice(0, mostTransitions),
    typeChanges: learning.overall.changes,
    columnDays: learning.overall.days + openDays,
    nullabilityChanges: learning.nullabilityChanges,
    removed: learning.removed,
  }
}
