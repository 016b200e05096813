import type { Properties } from '../../vocabulary.js'
import { type Column, type ForeignKey, findColumn, type Relation } from './ddl-estate.js'
import type { Reading } from './ddl-relations.js'
import { unknownColumn } from './ddl-relations.js'

/** A key or a rule that a table declares, at column or at table level. */
export type Constraint =
  | { kind: 'primary-key' | 'unique'; name: string | null; columns: string[] }
  | { kind: 'check'; name: string | null; expression: string }
  | { kind: 'foreign-key'; key: ForeignKey }

/** Writes a constraint into its table. Columns that a complete table does not have are problems. */
export function applyConstraint<P>(relation: Relation, constraint: Constraint, place: P, reading: Reading<P>): void {
  const unknown = unknownColumn(relation, place, reading)
  const { fold } = reading.estate
  if (constraint.kind === 'foreign-key') {
    const missing = relation.complete ? constraint.key.columns.filter((c) => !findColumn(relation, c, fold)) : []
    missing.forEach(unknown)
    if (missing.length === 0) relation.foreignKeys.push(constraint.key)
    return
  }
  if (constraint.kind === 'check') {
    append(relation.properties, 'checks', named(constraint.name, { expression: constraint.expression }))
    return
  }
  const columns = constraint.columns.flatMap((name) => {
    const column = findColumn(relation, name, fold) ?? (relation.complete ? undefined : addPartial(relation, name, reading.line(place)))
    if (!column) unknown(name)
    return column ? [column] : []
  })
  if (constraint.kind === 'unique') {
    append(relation.properties, 'uniques', named(constraint.name, { columns: constraint.columns }))
    if (columns.length === 1) columns[0]!.isUnique = true
    return
  }
  // a table has one primary key: the last one counts
  dropPrimaryKey(relation)
  for (const column of columns) column.isPrimaryKey = true
  relation.properties['primary_key'] = constraint.columns
  if (constraint.name) relation.properties['primary_key_name'] = constraint.name
}

/**
 * Takes away a key or rule that this script declared; one from another file goes when that file is read again without it. False (and a
 * warning) where there is none of that name.
 */
export function dropConstraint<P>(relation: Relation, name: string, place: P, { estate: { fold, dialect }, report }: Reading<P>): boolean {
  const folded = fold(name)
  if (dialect === 'postgres-ddl') nameAsPostgres(relation, folded, fold)
  const before = relation.foreignKeys.length
  relation.foreignKeys = relation.foreignKeys.filter((k) => fold(k.name ?? '') !== folded)
  if (relation.foreignKeys.length < before) return true
  const primary = relation.properties['primary_key_name']
  if (typeof primary === 'string' && fold(primary) === folded) {
    dropPrimaryKey(relation)
    return true
  }
  if (['uniques', 'checks'].some((list) => dropNamed(relation, list, folded, fold))) return true
  report(place, {
    severity: 'warning',
    code: 'unknown-constraint',
    found: `DROP CONSTRAINT ${name} on ${relation.name}`,
    expected: 'a constraint that this text declares before',
    suggestion: 'Read the table in full again (its CREATE TABLE without the key) to take the key away.',
  })
  return false
}

/** Gives what has no name the one that PostgreSQL makes up for it, where that is the one asked for: `account_owner_key`, `account_pkey`. */
function nameAsPostgres(relation: Relation, asked: string, fold: (name: string) => string): void {
  const isAsked = (columns: readonly string[], ending: string) => fold([relation.name, ...columns, ending].join('_')) === asked
  for (const key of relation.foreignKeys) if (!key.name && isAsked(key.columns, 'fkey')) key.name = asked
  const { primary_key, primary_key_name, uniques, checks } = relation.properties
  if (primary_key !== undefined && primary_key_name === undefined && isAsked([], 'pkey')) relation.properties['primary_key_name'] = asked
  for (const entry of (uniques as { name?: string; columns: string[] }[] | undefined) ?? [])
    if (entry.name === undefined && isAsked(entry.columns, 'key')) entry.name = asked
  const unnamed = ((checks as { name?: string }[] | undefined) ?? []).filter((entry) => entry.name === undefined)
  // the columns of a check are not told: its name is sure only where it is the only one
  if (unnamed.length === 1 && asked.startsWith(fold(`${relation.name}_`)) && asked.endsWith('_check')) unnamed[0]!.name = asked
}

export function dropPrimaryKey(relation: Relation): void {
  for (const column of relation.columns) delete column.isPrimaryKey
  delete relation.properties['primary_key']
  delete relation.properties['primary_key_name']
}

/** Takes what has a name out of a list of the relation's properties (`uniques`, `checks`, `indexes`); false where nothing has it. */
export function dropNamed(relation: Relation, list: string, folded: string, fold: (name: string) => string): boolean {
  const entries = relation.properties[list] as { name?: string; columns?: string[] }[] | undefined
  const gone = entries?.filter((entry) => entry.name !== undefined && fold(entry.name) === folded) ?? []
  if (!entries || gone.length === 0) return false
  const kept = entries.filter((entry) => !gone.includes(entry))
  if (kept.length > 0) relation.properties[list] = kept
  else delete relation.properties[list]
  if (list === 'uniques')
    for (const { columns = [] } of gone) if (columns.length === 1) delete findColumn(relation, columns[0]!, fold)?.isUnique
  return true
}

export const named = (name: string | null, rest: Properties): Properties => (name === null ? rest : { name, ...rest })

export function append(properties: Properties, key: string, value: Properties): void {
  const list = properties[key]
  properties[key] = Array.isArray(list) ? [...list, value] : [value]
}

/** A column of a table from another file, of which only a constraint is known. */
function addPartial(relation: Relation, name: string, line: number): Column {
  const column: Column = { name, type: null, written: null, nullable: true, isPartition: false, ordinal: null, line, partial: true }
  relation.columns.push(column)
  return column
}
