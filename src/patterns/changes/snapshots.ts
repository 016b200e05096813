import { EspalierError } from '../../util/error.js'
import type { ColumnEvent, ColumnState } from '../column-types.js'
import { inOrder } from './timeline.js'

/** All columns of a schema at one moment, by id. */
export interface SchemaSnapshot {
  at: Date
  columns: Readonly<Record<string, ColumnState>>
}

/** A history as learners read it: what happened to columns, and until when they were watched. */
export interface SchemaHistory {
  /** in any order */
  events: readonly ColumnEvent[]
  /** moments at which the schema was looked at, changed or not; in any order */
  observedAt: readonly Date[]
}

const same = (a: ColumnState, b: ColumnState) =>
  a.name === b.name && a.type === b.type && a.nullable === b.nullable && a.ordinal === b.ordinal && a.table === b.table

/** A column, and the number of the snapshot that had it last. */
interface SeenColumn {
  id: string
  column: ColumnState
  seen: number
  /** which row of it that was */
  place: number
}

/**
 * Tells complete snapshots that come row by row, the earliest first, as events: what differs from the snapshot before. Holds the columns
 * of one snapshot. `begin`, every row in any order, `end`. Rows that come in the order of the snapshot before take half the time: each is then the
 * next one, and nothing is looked up.
 */
export class SnapshotReader {
  readonly #columns = new Map<string, SeenColumn>()
  /** tables by name, so that the columns of one share its name */
  readonly #tables = new Map<string, string>()
  readonly #tell: (event: ColumnEvent) => void
  #at: Date | null = null
  #number = 0
  /** in the order of the snapshot before, and of this one so far */
  #before: SeenColumn[] = []
  #order: SeenColumn[] = []
  #next = 0

  constructor(tell: (event: ColumnEvent) => void) {
    this.#tell = tell
  }

  begin(at: Date): void {
    if (this.#at && at <= this.#at)
      throw new EspalierError(
        'BAD_INPUT',
        `snapshot of ${at.toISOString()} comes after that of ${this.#at.toISOString()}: expected them in order of time`,
      )
    this.#at = at
    this.#number++
    this.#before = this.#order
    this.#order = []
    this.#next = 0
  }

  row(columnId: string, column: ColumnState): void {
    let known = this.#before[this.#next]
    if (known?.id !== columnId) known = this.#columns.get(columnId)
    if (known && known.seen !== this.#number) {
      this.#next = known.place + 1
      known.place = this.#order.push(known) - 1
      known.seen = this.#number
    }
    if (known && same(known.column, column)) return
    const own = this.#own(column)
    if (known) known.column = own
    else {
      const made = { id: columnId, column: own, seen: this.#number, place: this.#order.length }
      this.#columns.set(columnId, made)
      this.#order.push(made)
    }
    this.#tell({ at: this.#at!, columnId, column: own })
  }

  /** A copy of no more than what is needed. */
  #own({ name, type, nullable, ordinal, table }: ColumnState): ColumnState {
    let known = this.#tables.get(table)
    if (known === undefined) this.#tables.set(table, (known = table))
    return { name, type, nullable, ordinal, table: known }
  }

  end(): void {
    for (const known of this.#before) this.#gone(known)
    this.#before = []
  }

  #gone({ id, seen }: SeenColumn): void {
    if (seen === this.#number) return
    this.#columns.delete(id)
    this.#tell({ at: this.#at!, columnId: id, column: null })
  }
}

/** Differences between complete snapshots, which may come in any order. Of two at one moment the later in the list counts. */
export function historyOf(snapshots: readonly SchemaSnapshot[]): SchemaHistory {
  const byTime = new Map(snapshots.map((snapshot) => [snapshot.at.getTime(), snapshot]))
  const ordered = [...byTime.values()].sort((a, b) => a.at.getTime() - b.at.getTime())
  const events: ColumnEvent[] = []
  let before = new Map<string, ColumnState>()
  for (const { at, columns } of ordered) {
    const now = new Map(Object.entries(columns).sort(([a], [b]) => (a < b ? -1 : 1)))
    for (const columnId of before.keys()) if (!now.has(columnId)) events.push({ at, columnId, column: null })
    for (const [columnId, column] of now) {
      const was = before.get(columnId)
      if (!was || !same(was, column)) events.push({ at, columnId, column })
    }
    before = now
  }
  return { events, observedAt: ordered.map((snapshot) => snapshot.at) }
}

/** What was known at a moment: nothing that came after it. */
export const eventsUpTo = ({ events, observedAt }: SchemaHistory, at: number): SchemaHistory => ({
  events: events.filter((event) => event.at.getTime() <= at),
  observedAt: observedAt.filter((moment) => moment.getTime() <= at),
})

/** Events at `at` that turn what a history ends with into `columns`. */
export function stateAt({ events }: SchemaHistory, columns: Readonly<Record<string, ColumnState>>, at: number): ColumnEvent[] {
  const before = new Map<string, ColumnState>()
  for (const { columnId, column } of inOrder(events)) {
    if (column) before.set(columnId, column)
    else before.delete(columnId)
  }
  const gone = [...before.keys()].filter((id) => !Object.hasOwn(columns, id))
  const come = Object.entries(columns).filter(([id, column]) => !before.has(id) || !same(before.get(id)!, column))
  return [
    ...gone.map((columnId) => ({ at: new Date(at), columnId, column: null })),
    ...come.map(([columnId, column]) => ({ at: new Date(at), columnId, column })),
  ]
}
