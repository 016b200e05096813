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
