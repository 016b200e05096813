import type { ParseTree } from '#dt-sql-parser'
import type { Properties } from '../../vocabulary.js'
import { applyConstraint, readColumn, readConstraint } from './hive-columns.js'
import { type Column, findColumn, type Relation, relationFor, relationKey, touchDatabase } from './hive-estate.js'
import { tableName } from './hive-query.js'
import { addColumns, alterView, keyValues, type Reading, renumber, unknownColumn } from './hive-tables.js'
import { below, child, children, hasWord, identifier, identifiers, lineOf, literal } from './hive-tree.js'
import { foldHive } from './names.js'

/** ALTER TABLE and ALTER VIEW. False where the statement changes nothing that the catalog holds (partitions, owners, …). */
export function alter(node: ParseTree, reading: Reading): boolean {
  if (alterView(node, reading)) return true
  const name = child(node, 'tableName') ?? child(node, 'viewName')
  const suffix = child(node, 'alterTableStatementSuffix')
  if (!name || !suffix) return false
  const inner = child(suffix, 'alterTblPartitionStatementSuffix') ?? suffix
  const action = actions.find((a) => a.is(inner))
  if (!action) return false
  const { estate, line } = reading
  touchDatabase(estate, tableName(name).database ?? estate.database, line(node))
  action.apply(relationFor(estate, tableName(name), line(node)), inner, reading)
  return true
}

interface Action {
  is(node: ParseTree): boolean
  apply(relation: Relation, node: ParseTree, reading: Reading): void
}

const actions: readonly Action[] = [
  { is: (n) => hasWord(n, 'columns') && hasWord(n, 'add'), apply: addNewColumns },
  { is: (n) => hasWord(n, 'columns') && hasWord(n, 'replace'), apply: replaceColumns },
  { is: (n) => hasWord(n, 'change'), apply: changeColumn },
  {
    is: (n) => child(n, 'alterForeignKeyWithName') !== undefined || child(n, 'alterConstraintWithName') !== undefined,
    apply: addConstraint,
  },
  { is: (n) => hasWord(n, 'drop') && hasWord(n, 'constraint'), apply: dropConstraint },
  { is: (n) => hasWord(n, 'rename') && child(n, 'tableNameCreate') !== undefined, apply: rename },
  { is: (n) => hasWord(n, 'tblproperties') && hasWord(n, 'set'), apply: setProperties },
  { is: (n) => hasWord(n, 'location') && hasWord(n, 'set'), apply: setLocation },
]

const newColumns = (node: ParseTree, { estate, line }: Reading): Column[] =>
  children(child(node, 'columnNameTypeList'), 'columnNameType').map((c) => readColumn(c, estate, line).column)

/** New columns stand before the partition columns, which stay last. */
function addNewColumns(relation: Relation, node: ParseTree, reading: Reading): void {
  const partitions = relation.columns.filter((c) => c.isPartition)
  relation.columns = relation.columns.filter((c) => !c.isPartition)
  addColumns(relation, newColumns(node, reading), node, reading)
  relation.columns.push(...partitions)
  if (relation.complete) renumber(relation)
}

function replaceColumns(relation: Relation, node: ParseTree, reading: Reading): void {
  const partitions = relation.columns.filter((c) => c.isPartition)
  relation.columns = []
  addColumns(relation, newColumns(node, reading), node, reading)
  relation.columns.push(...partitions)
  if (relation.complete) renumber(relation)
}

function changeColumn(relation: Relation, node: ParseTree, reading: Reading): void {
  const old = below(child(node, 'columnName')!, ['id_']).map(identifier).join('.')
  const { column, constraints } = readColumn(node, reading.estate, reading.line)
  const before = findColumn(relation, old)
  if (relation.complete && !before) {
    unknownColumn(relation, node, reading)(old)
    return
  }
  const isRenamed = foldHive(old) !== foldHive(column.name)
  if (before) {
    // a key or a comment that CHANGE does not name stays
    const kept = {
      ...before,
      ...column,
      nullable: column.nullable && before.nullable,
      ordinal: before.ordinal,
      isPartition: before.isPartition,
    }
    relation.columns[relation.columns.indexOf(before)] = kept
    if (isRenamed) renameInKeys(relation, old, column.name)
    move(relation, kept, node)
  } else {
    relation.columns.push({ ...column, partial: true })
    if (isRenamed)
      reading.estate.droppedColumns.push({
        relation: relationKey(reading.estate, relation),
        column: foldHive(old),
        line: reading.line(node),
      })
  }
  for (const c of constraints) applyConstraint(relation, c, reading.line(node), unknownColumn(relation, node, reading))
}

/** FIRST and AFTER. */
function move(relation: Relation, column: Column, node: ParseTree): void {
  if (!relation.complete || column.isPartition) return
  const after = hasWord(node, 'after') ? findColumn(relation, identifiers(node)[0] ?? '') : undefined
  if (!after && !hasWord(node, 'first')) return
  relation.columns.splice(relation.columns.indexOf(column), 1)
  relation.columns.splice(after ? relation.columns.indexOf(after) + 1 : 0, 0, column)
  renumber(relation)
}

function renameInKeys(relation: Relation, old: string, name: string): void {
  const renamed = (columns: string[]) => columns.map((c) => (foldHive(c) === foldHive(old) ? name : c))
  for (const key of relation.foreignKeys) key.columns = renamed(key.columns)
  const primary = relation.properties['primary_key']
  if (Array.isArray(primary)) relation.properties['primary_key'] = renamed(primary as string[])
}

function addConstraint(relation: Relation, node: ParseTree, reading: Reading): void {
  for (const at of below(node, ['alterForeignKeyWithName', 'alterConstraintWithName'])) {
    const constraint = readConstraint(at, reading.estate, reading.line)
    if (constraint) applyConstraint(relation, constraint, reading.line(at), unknownColumn(relation, at, reading))
  }
}

/** Takes away a key that this script declared; one from another file goes when that file is read again without it. */
function dropConstraint(relation: Relation, node: ParseTree, { report }: Reading): void {
  const name = foldHive(identifiers(node)[0] ?? '')
  const before = relation.foreignKeys.length
  relation.foreignKeys = relation.foreignKeys.filter((k) => foldHive(k.name ?? '') !== name)
  const primary = relation.properties['primary_key_name']
  if (typeof primary === 'string' && foldHive(primary) === name) {
    for (const column of relation.columns) delete column.isPrimaryKey
    delete relation.properties['primary_key']
    delete relation.properties['primary_key_name']
    return
  }
  if (relation.foreignKeys.length === before)
    report(node, {
      severity: 'warning',
      code: 'unknown-constraint',
      found: `DROP CONSTRAINT ${identifiers(node)[0] ?? ''} on ${relation.name}`,
      expected: 'a constraint that this text declares before',
      suggestion: 'Read the table in full again (its CREATE TABLE without the key) to take the key away.',
    })
}

/** The table under its new name; the old name is a removal. */
function rename(relation: Relation, node: ParseTree, { estate, line, report }: Reading): void {
  const target = tableName(child(node, 'tableNameCreate')!)
  const oldKey = relationKey(estate, relation)
  const moved: Relation = {
    ...relation,
    database: target.database ?? estate.database,
    name: target.name,
    properties: { ...relation.properties, renamed_from: oldKey },
  }
  estate.relations.delete(oldKey)
  estate.relations.set(relationKey(estate, moved), moved)
  estate.dropped.set(oldKey, { kind: relation.kind, line: line(node) })
  estate.dropped.delete(relationKey(estate, moved))
  touchDatabase(estate, moved.database, line(node))
  if (!relation.complete)
    report(node, {
      severity: 'warning',
      code: 'unknown-table',
      found: `RENAME of ${oldKey}, which this text does not create`,
      expected: 'its CREATE TABLE before, in the same text',
      suggestion: 'The new name is known now, its columns are not: read the new CREATE TABLE as well.',
    })
}

function setProperties(relation: Relation, node: ParseTree): void {
  const set = keyValues(node)['table_properties'] as Properties | undefined
  const { transient_lastDdlTime: _time, comment, ...rest } = set ?? {}
  if (typeof comment === 'string') relation.properties['comment'] = comment
  if (Object.keys(rest).length > 0)
    relation.properties['table_properties'] = { ...(relation.properties['table_properties'] as Properties | undefined), ...rest }
}

function setLocation(relation: Relation, node: ParseTree): void {
  relation.properties['location'] = literal(node) ?? lineOf(node)
}
