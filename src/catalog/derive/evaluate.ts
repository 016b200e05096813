import type { Problem } from '../../util/problem.js'
import { columnOrdinal } from '../column.js'
import type { EdgeFact, NodeFact } from '../fact.js'
import type { Span } from '../ledger/temporal.js'
import {
  candidatesOf,
  closeTarget,
  expandStar,
  type KnownColumn,
  openTargetOf,
  resolveEdge,
  tablesNamed,
  unknownStar,
  unresolvedOf,
} from '../resolve/resolve.js'
import type { Scope } from '../resolve/scope.js'
import { relationOf } from './open-end.js'
import { cutsWithin, holdsAt, type Stretch } from './timeline.js'

/** The histories that open edges hang on. */
export interface Timeline {
  /** of single nodes, by id: when they existed */
  nodes: ReadonlyMap<string, readonly Span[]>
  /** tables and views by a (lower-case) name */
  tables: ReadonlyMap<string, readonly Stretch<string>[]>
  /** columns by their table or view */
  columns: ReadonlyMap<string, readonly Stretch<TimedColumn>[]>
  /** how views spell their names */
  names: ReadonlyMap<string, readonly Stretch<string>[]>
}

export interface TimedColumn extends KnownColumn {
  /** it is itself derived from a `SELECT *` */
  isDerived: boolean
}

export interface Derived {
  facts: (NodeFact | EdgeFact)[]
  problems: Problem[]
}

const ordinalOf = (column: KnownColumn) => columnOrdinal(column.properties) ?? Number.MAX_SAFE_INTEGER
const byPlace = (a: KnownColumn, b: KnownColumn) => ordinalOf(a) - ordinalOf(b) || (a.id < b.id ? -1 : 1)

function columnsAt(timeline: Timeline, tableId: string, at: number): TimedColumn[] {
  const found = (timeline.columns.get(relationOf(tableId) ?? '') ?? []).filter((each) => holdsAt(each, at)).map(({ value }) => value)
  // what is said of a column counts before what follows from elsewhere
  const said = new Set(found.filter((c) => !c.isDerived).map((c) => c.id))
  return found.filter((c) => !c.isDerived || !said.has(c.id)).sort(byPlace)
}

const tablesAt = (timeline: Timeline, name: string, at: number): Map<string, string[]> => {
  const key = name.toLowerCase()
  const ids = (timeline.tables.get(key) ?? []).filter((each) => holdsAt(each, at)).map(({ value }) => value)
  return new Map(ids.length > 0 ? [[key, [...new Set(ids)].sort()]] : [])
}

type Place = Pick<Scope, 'projectId' | 'systemId'>

/** What an open edge (its ends '' again) makes of the state at a moment, or why it makes nothing of it. */
export function evaluateAt(edge: EdgeFact, place: Place, timeline: Timeline, at: number): Derived {
  const scope = { ...place, key: 0, projectKey: 0 }
  const target = openTargetOf(edge)
  if (!target) return evaluateSource(edge, scope, timeline, at)
  const [table, second] = tablesNamed(target.table_name, scope, { tables: tablesAt(timeline, target.table_name, at) })
  // a table that is not there is told of the query's WRITES, not once more for every column
  if (table === undefined || second !== undefined) return { facts: [], problems: [] }
  const closed = closeTarget(edge, columnsAt(timeline, table, at))
  if (!('fact' in closed)) return { facts: [], problems: [closed] }
  return closed.sourceId === '' ? evaluateSource(closed, scope, timeline, at) : { facts: [closed], problems: [] }
}

function evaluateSource(edge: EdgeFact, scope: Scope, timeline: Timeline, at: number): Derived {
  const mark = unresolvedOf(edge)
  if (!mark) return { facts: [], problems: [] }
  if ('star' in mark) return evaluateStar(edge, mark.candidates, timeline, at)
  const tables = 'table_name' in mark ? tablesAt(timeline, mark.table_name, at) : new Map<string, string[]>()
  const nodes = new Set(candidatesOf(mark).filter((id) => timeline.nodes.get(id)?.some((span) => holdsAt(span, at))))
  const found = resolveEdge(edge, scope, { nodes, tables })
  return 'fact' in found ? { facts: [found], problems: [] } : { facts: [], problems: [found] }
}

function evaluateStar(edge: EdgeFact, candidates: readonly string[], timeline: Timeline, at: number): Derived {
  const tables = candidates.map((id) => ({ id, columns: columnsAt(timeline, id, at) }))
  const problems = tables.filter(({ columns }) => columns.length === 0).map(({ id }) => unknownStar(edge, id))
  const said = new Set(
    columnsAt(timeline, edge.targetId, at)
      .filter((c) => !c.isDerived)
      .map((c) => c.id),
  )
  const relation = timeline.names.get(edge.targetId)?.find((each) => holdsAt(each, at))?.value
  const columns = tables.flatMap((table) => table.columns)
  return { facts: relation === undefined ? [] : expandStar(edge, columns, said, relation), problems }
}

/** The moments within a span at which an open edge may begin to make something else. */
export function cutsOf(edge: EdgeFact, span: Span, timeline: Timeline): number[] {
  const [mark, target] = [unresolvedOf(edge), openTargetOf(edge)]
  const changes: Span[] = []
  const add = (spans: readonly Span[] | undefined) => {
    for (const each of spans ?? []) changes.push(each)
  }
  const columnsOf = (id: string) => add(timeline.columns.get(relationOf(id) ?? ''))
  if (target) {
    const tables = timeline.tables.get(target.table_name.toLowerCase()) ?? []
    add(tables)
    for (const { value } of tables) columnsOf(value)
  }
  if (mark && 'table_name' in mark) add(timeline.tables.get(mark.table_name.toLowerCase()))
  else if (mark && 'star' in mark) {
    for (const id of [...mark.candidates, edge.targetId]) columnsOf(id)
    add(timeline.names.get(edge.targetId))
  } else if (mark) for (const id of candidatesOf(mark)) add(timeline.nodes.get(id))
  return cutsWithin(span, changes)
}
