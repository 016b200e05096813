import { guessRenames } from '../../catalog/rename.js'
import { EspalierError } from '../../util/error.js'
import type { ColumnEvent, ColumnState } from '../column-types.js'
import { parseTypeName, printTypeName } from '../type-name.js'

export const changeKinds = ['add', 'drop', 'type_transition', 'rename', 'nullable'] as const
export type SchemaChangeKind = (typeof changeKinds)[number]

/** One thing that people would say happened. A table that comes or goes is one change, not one for each of its columns. */
export interface SchemaChange {
  /** ms since 1970 */
  at: number
  kind: SchemaChangeKind
  table: string
  /** id of the column; null where the table itself came or went */
  column: string | null
  /** type, nullability, or (rename) id of the column before and after; null where there is none */
  from: string | null
  to: string | null
}

/** A column as history made it. */
export interface LiveColumn extends ColumnState {
  id: string
  /** since when it is there, under whatever name */
  born: number
  /** since when it has this type */
  typeSince: number
  lastChange: number | null
  changes: number
}

export interface LiveTable {
  id: string
  born: number
  /** last change of the table or of a column of it */
  lastChange: number | null
  changes: number
  columns: Map<string, LiveColumn>
}

/** What one moment did. */
export interface Step {
  at: number
  changes: SchemaChange[]
  /** columns that ended: with their table, or alone; renamed ones go on */
  ended: LiveColumn[]
  endedTables: LiveTable[]
}

/** Events in order of time, then of column: however they arrived. */
export const inOrder = (events: Iterable<ColumnEvent>): ColumnEvent[] =>
  [...events].sort((a, b) => a.at.getTime() - b.at.getTime() || (a.columnId < b.columnId ? -1 : a.columnId > b.columnId ? 1 : 0))

/** Events of equal time together. Events must be in order. */
export function* moments(events: Iterable<ColumnEvent>): Generator<{ at: number; events: ColumnEvent[] }> {
  let group: ColumnEvent[] = []
  for (const event of events) {
    if (group.length > 0 && group[0]!.at.getTime() !== event.at.getTime()) {
      yield { at: group[0]!.at.getTime(), events: group }
      group = []
    }
    group.push(event)
  }
  if (group.length > 0) yield { at: group[0]!.at.getTime(), events: group }
}

const typeOf = (column: ColumnState) => printTypeName(parseTypeName(column.type))
const nullability = ({ nullable }: ColumnState) => (nullable === null ? null : nullable ? 'NULL' : 'NOT NULL')
const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)

/** A schema that events act on, moment by moment. */
export class Timeline {
  readonly tables = new Map<string, LiveTable>()
  at: number | null = null
  readonly #owner: Map<string, LiveTable>

  constructor() {
    this.#owner = new Map()
  }

  /** the live columns */
  *columns(): Generator<LiveColumn> {
    for (const table of this.tables.values()) yield* table.columns.values()
  }

  column(id: string): LiveColumn | undefined {
    return this.#owner.get(id)?.columns.get(id)
  }

  /** Puts back a column of a stored schema. */
  restore(column: LiveColumn, table: Omit<LiveTable, 'columns'>): void {
    this.#put(column, this.#tableOf(table.id, table.born, table))
  }

  /** All events of one moment at once: what went and what came together is how renames are told. */
  apply(at: number, events: readonly ColumnEvent[]): Step {
    if (this.at !== null && at <= this.at)
      throw new EspalierError(
        'BAD_INPUT',
        `events of ${new Date(at).toISOString()} come after those of ${new Date(this.at).toISOString()}: moments must rise`,
        { remedy: 'Hand in all events of one moment together, the earliest moment first (inOrder sorts them).' },
      )
    this.at = at
    const before = new Set(this.tables.keys())
    const gone: LiveColumn[] = []
    const come: LiveColumn[] = []
    const changes: SchemaChange[] = []
    for (const event of events) this.#take(at, event, { gone, come, changes })
    const continued = this.#rename(at, { gone, come, changes, before })
    const ended = gone.filter((column) => !continued.has(column.id))
    const endedTables = this.#tablesThatWent(at, before, ended, changes)
    const renamed = new Set(continued.values())
    for (const column of come)
      if (before.has(column.table) && !renamed.has(column.id)) changes.push(change(at, 'add', column, null, typeOf(column)))
    for (const id of [...this.tables.keys()].filter((table) => !before.has(table)).sort())
      changes.push({ at, kind: 'add', table: id, column: null, from: null, to: null })
    this.#note(changes)
    return { at, changes, ended, endedTables }
  }

  #take(at: number, { columnId, column }: ColumnEvent, into: { gone: LiveColumn[]; come: LiveColumn[]; changes: SchemaChange[] }): void {
    const was = this.column(columnId)
    if (was && (!column || column.table !== was.table)) {
      this.#remove(was)
      into.gone.push(was)
    }
    if (!column) return
    if (!was || column.table !== was.table) {
      // named one by one: a copy by spreading takes half as much memory again
      const { name, type, nullable, ordinal, table } = column
      const live = { name, type, nullable, ordinal, table, id: columnId, born: at, typeSince: at, lastChange: null, changes: 0 }
      this.#put(live, this.#tableOf(column.table, at))
      into.come.push(live)
      return
    }
    const [from, to] = [typeOf(was), typeOf(column)]
    if (from !== to) into.changes.push(change(at, 'type_transition', was, from, to))
    if (was.nullable !== column.nullable) into.changes.push(change(at, 'nullable', was, nullability(was), nullability(column)))
    Object.assign(was, column, { typeSince: from === to ? was.typeSince : at })
  }

  /** Columns that went on under another name keep their past. Answers old id -> new id. */
  #rename(
    at: number,
    { gone, come, changes, before }: { gone: LiveColumn[]; come: LiveColumn[]; changes: SchemaChange[]; before: ReadonlySet<string> },
  ): Map<string, string> {
    const continued = new Map<string, string>()
    const shape = (column: LiveColumn) => ({ ...column, type: typeOf(column) })
    for (const table of new Set(gone.map((column) => column.table))) {
      if (!before.has(table) || !this.tables.get(table)) continue
      const [left, right] = [gone, come].map((list) => list.filter((column) => column.table === table).map(shape))
      for (const { from, to } of guessRenames(left!, right!)) {
        const [old, now] = [gone.find((column) => column.id === from)!, this.tables.get(table)!.columns.get(to)!]
        changes.push({ at, kind: 'rename', table, column: from, from, to })
        Object.assign(now, { born: old.born, typeSince: old.typeSince, lastChange: old.lastChange, changes: old.changes })
        continued.set(from, to)
      }
    }
    return continued
  }

  #tablesThatWent(at: number, before: ReadonlySet<string>, ended: readonly LiveColumn[], changes: SchemaChange[]): LiveTable[] {
    const went: LiveTable[] = []
    for (const [id, table] of [...this.tables].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (table.columns.size > 0) continue
      this.tables.delete(id)
      if (!before.has(id)) continue
      went.push(table)
      changes.push({ at, kind: 'drop', table: id, column: null, from: null, to: null })
    }
    const gone = new Set(went.map((table) => table.id))
    for (const column of ended) if (!gone.has(column.table)) changes.push(change(at, 'drop', column, typeOf(column), null))
    return went.sort(byId)
  }

  #note(changes: readonly SchemaChange[]): void {
    for (const { at, kind, table: id, column, to } of changes) {
      const table = this.tables.get(id)
      if (!table || (kind === 'add' && column === null)) continue
      table.lastChange = at
      table.changes++
      const live = kind === 'add' || column === null ? undefined : table.columns.get(kind === 'rename' ? to! : column)
      if (!live) continue
      live.lastChange = at
      live.changes++
    }
  }

  #tableOf(id: string, born: number, known: Partial<LiveTable> = {}): LiveTable {
    const table = this.tables.get(id) ?? { id, born, lastChange: null, changes: 0, ...known, columns: new Map() }
    this.tables.set(id, table)
    return table
  }

  #put(column: LiveColumn, table: LiveTable): void {
    table.columns.set(column.id, column)
    this.#owner.set(column.id, table)
  }

  #remove(column: LiveColumn): void {
    this.#owner.get(column.id)?.columns.delete(column.id)
    this.#owner.delete(column.id)
  }
}

const change = (at: number, kind: SchemaChangeKind, column: LiveColumn, from: string | null, to: string | null): SchemaChange => ({
  ...{ at, kind, table: column.table, column: column.id, from, to },
})
