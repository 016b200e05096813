import { didYouMean } from '../../util/closest.js'
import type { Problem } from '../../util/problem.js'
import {
  type Column,
  type Estate,
  type ForeignKey,
  findColumn,
  type Relation,
  relationKey,
  type TableName,
  touchDatabase,
} from './ddl-estate.js'

/** What a statement's reader works with, whichever parser it has. `P`: a place in the statement (a node of a tree, an offset). */
export interface Reading<P> {
  estate: Estate
  line(place: P): number
  /** of a query: may a CTE name itself? (default no: its name then is that of a table) */
  isRecursive?: boolean
  report(place: P, found: Omit<Problem, 'where' | 'severity'> & { severity?: Problem['severity'] }): void
}

/** IF NOT EXISTS leaves an earlier table of this script as it is; a second plain CREATE takes its place, with a warning. */
export function isMade<P>(
  name: TableName,
  { ifNotExists, replace }: { ifNotExists: boolean; replace: boolean },
  place: P,
  { estate, report }: Reading<P>,
): boolean {
  const earlier = estate.relations.get(relationKey(estate, name))
  if (!earlier?.complete) return false
  if (ifNotExists) return true
  if (!replace)
    report(place, {
      severity: 'warning',
      code: 'duplicate-table',
      found: `a second CREATE of ${relationKey(estate, name)} (the first is in line ${earlier.line})`,
      expected: 'one, or a DROP between them',
      suggestion: 'The later one was taken.',
    })
  return false
}

export function newRelation<P>(kind: Relation['kind'], name: TableName, place: P, { estate, line }: Reading<P>): Relation {
  const database = name.database ?? estate.database
  const known = estate.databases.get(estate.fold(database))
  return {
    kind,
    database: known?.name ?? database,
    name: name.name,
    columns: [],
    complete: true,
    properties: {},
    foreignKeys: [],
    lineage: null,
    line: line(place),
  }
}

export const unknownColumn =
  <P>(relation: Relation, place: P, { report }: Reading<P>) =>
  (column: string) =>
    report(place, {
      severity: 'warning',
      code: 'unknown-column',
      found: `a constraint of ${relation.name} on "${column}"`,
      expected: 'a column of that table',
      ...suggestion(
        didYouMean(
          column,
          relation.columns.map((c) => c.name),
        ),
      ),
    })

export const suggestion = (text: string | undefined) => (text === undefined ? {} : { suggestion: text })

const duplicateColumn = (relation: Relation, name: string) => ({
  code: 'duplicate-column',
  found: `column "${name}" twice in ${relation.name}`,
  expected: 'distinct names',
})

/** Appends columns; one whose name is taken already is a problem, and left out. */
export function addColumns<P>(relation: Relation, columns: readonly Column[], place: P, { estate: { fold }, report }: Reading<P>): void {
  const taken = new Set(relation.columns.map((c) => fold(c.name)))
  for (const column of columns) {
    if (taken.has(fold(column.name))) {
      report(place, duplicateColumn(relation, column.name))
      continue
    }
    taken.add(fold(column.name))
    relation.columns.push(column)
  }
  if (relation.complete) renumber(relation)
}

export function renumber(relation: Relation): void {
  relation.columns.forEach((c, i) => {
    c.ordinal = i + 1
  })
}

/** Properties of a table that are its keys. */
const keyProperties = ['primary_key', 'uniques', 'indexes', 'checks']

/** CREATE TABLE … LIKE: the columns of the other table, where this script made it; `withKeys`: its keys too. */
export function copyColumns<P>(relation: Relation, name: TableName, place: P, reading: Reading<P>, withKeys = false): void {
  const key = relationKey(reading.estate, name)
  const other = reading.estate.relations.get(key)
  relation.properties['like'] = key
  if (other?.complete) {
    const copies = other.columns.map(({ isPrimaryKey, isUnique, ...column }) => ({
      ...column,
      ...(withKeys && isPrimaryKey ? { isPrimaryKey } : {}),
      ...(withKeys && isUnique ? { isUnique } : {}),
      line: reading.line(place),
    }))
    addColumns(relation, copies, place, reading)
    const keys = withKeys ? keyProperties.filter((key) => other.properties[key] !== undefined) : []
    for (const key of keys) relation.properties[key] = structuredClone(other.properties[key]!)
    return
  }
  relation.complete = false
  reading.report(place, {
    severity: 'warning',
    code: 'unknown-table',
    found: `${relation.name} LIKE ${key}, which this text does not create`,
    expected: 'the CREATE TABLE of that table before it, in the same text',
    suggestion: 'The table is known now, its columns are not: put both statements into one file.',
  })
}

/** A new definition in the place of a column, as CHANGE, MODIFY and RENAME COLUMN give it. `nextTo`: FIRST ('') or AFTER a column. */
export function replaceColumn<P>(relation: Relation, old: string, column: Column, place: P, reading: Reading<P>, nextTo?: string): boolean {
  const { estate, line } = reading
  const before = findColumn(relation, old, estate.fold)
  if (relation.complete && !before) {
    unknownColumn(relation, place, reading)(old)
    return false
  }
  const isRenamed = estate.fold(old) !== estate.fold(column.name)
  if (isRenamed && findColumn(relation, column.name, estate.fold)) {
    reading.report(place, duplicateColumn(relation, column.name))
    return false
  }
  if (before) {
    relation.columns[relation.columns.indexOf(before)] = column
    if (isRenamed) renameInKeys(relation, old, column.name, reading)
    if (nextTo !== undefined) moveColumn(relation, column, nextTo, reading)
  } else {
    relation.columns.push({ ...column, partial: true })
    if (isRenamed) estate.droppedColumns.push({ relation: relationKey(estate, relation), column: estate.fold(old), line: line(place) })
  }
  return true
}

/** `nextTo`: the column it comes after; '' for the first place. */
export function moveColumn<P>(relation: Relation, column: Column, nextTo: string, { estate }: Reading<P>): void {
  if (!relation.complete || column.isPartition) return
  const after = nextTo === '' ? undefined : findColumn(relation, nextTo, estate.fold)
  if (nextTo !== '' && !after) return
  relation.columns.splice(relation.columns.indexOf(column), 1)
  relation.columns.splice(after ? relation.columns.indexOf(after) + 1 : 0, 0, column)
  renumber(relation)
}

function renameInKeys<P>(relation: Relation, old: string, name: string, { estate }: Reading<P>): void {
  const { fold } = estate
  const renamed = (columns: string[]) => columns.map((c) => (fold(c) === fold(old) ? name : c))
  for (const key of relation.foreignKeys) key.columns = renamed(key.columns)
  for (const key of keysTo(relation, estate)) key.referenced = renamed(key.referenced)
  const primary = relation.properties['primary_key']
  if (Array.isArray(primary)) relation.properties['primary_key'] = renamed(primary as string[])
  for (const list of ['uniques', 'indexes']) {
    const keys = relation.properties[list] as { columns?: string[] }[] | undefined
    if (keys) relation.properties[list] = keys.map((key) => (key.columns ? { ...key, columns: renamed(key.columns) } : key))
  }
}

/** Foreign keys of all tables of the script that refer to this one. */
function keysTo(relation: TableName, estate: Estate): ForeignKey[] {
  const target = relationKey(estate, relation)
  return [...estate.relations.values()].flatMap(({ foreignKeys }) =>
    foreignKeys.filter((key) => relationKey(estate, { database: key.database, name: key.table }) === target),
  )
}

/** The relation under its new name; the old name is a removal. */
export function renameRelation<P>(relation: Relation, target: TableName, place: P, { estate, line, report }: Reading<P>): void {
  const oldKey = relationKey(estate, relation)
  const moved: Relation = {
    ...relation,
    database: target.database ?? estate.database,
    name: target.name,
    properties: { ...relation.properties, renamed_from: oldKey },
  }
  for (const key of keysTo(relation, estate)) {
    key.database = moved.database
    key.table = moved.name
  }
  estate.relations.delete(oldKey)
  estate.relations.set(relationKey(estate, moved), moved)
  estate.dropped.set(oldKey, { kind: relation.kind, line: line(place) })
  estate.dropped.delete(relationKey(estate, moved))
  touchDatabase(estate, moved.database, line(place))
  if (!relation.complete)
    report(place, {
      severity: 'warning',
      code: 'unknown-table',
      found: `RENAME of ${oldKey}, which this text does not create`,
      expected: 'its CREATE TABLE before, in the same text',
      suggestion: 'The new name is known now, its columns are not: read the new CREATE TABLE as well.',
    })
}

export function dropRelation<P>(table: TableName, kind: Relation['kind'], place: P, { estate, line }: Reading<P>): void {
  const key = relationKey(estate, table)
  const known = estate.relations.get(key)
  estate.relations.delete(key)
  estate.dropped.set(key, { kind: known?.complete ? known.kind : kind, line: line(place) })
}
