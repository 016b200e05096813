import type { ParseTree } from '#dt-sql-parser'
import type { Properties } from '../../vocabulary.js'
import { tableName } from '../lineage/hive-query.js'
import { below, child, children, hasWord, identifier, identifiers, lineOf, literal } from '../lineage/hive-tree.js'
import { applyConstraint, dropConstraint } from './ddl-constraints.js'
import { type Column, findColumn, type Relation, relationFor, touchDatabase } from './ddl-estate.js'
import { addColumns, renameRelation, renumber, replaceColumn } from './ddl-relations.js'
import { readColumn, readConstraint } from './hive-columns.js'
import { alterView, type HiveReading, keyValues } from './hive-tables.js'

/** ALTER TABLE and ALTER VIEW. False where the statement changes nothing that the catalog holds (partitions, owners, …). */
export function alter(node: ParseTree, reading: HiveReading): boolean {
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
  apply(relation: Relation, node: ParseTree, reading: HiveReading): void
}

const actions: readonly Action[] = [
  { is: (n) => hasWord(n, 'columns') && hasWord(n, 'add'), apply: addNewColumns },
  { is: (n) => hasWord(n, 'columns') && hasWord(n, 'replace'), apply: replaceColumns },
  { is: (n) => hasWord(n, 'change'), apply: changeColumn },
  {
    is: (n) => child(n, 'alterForeignKeyWithName') !== undefined || child(n, 'alterConstraintWithName') !== undefined,
    apply: addConstraint,
  },
  { is: (n) => hasWord(n, 'drop') && hasWord(n, 'constraint'), apply: drop },
  { is: (n) => hasWord(n, 'rename') && child(n, 'tableNameCreate') !== undefined, apply: rename },
  { is: (n) => hasWord(n, 'tblproperties') && hasWord(n, 'set'), apply: setProperties },
  { is: (n) => hasWord(n, 'location') && hasWord(n, 'set'), apply: setLocation },
]

const newColumns = (node: ParseTree, { estate, line }: HiveReading): Column[] =>
  children(child(node, 'columnNameTypeList'), 'columnNameType').map((c) => readColumn(c, estate, line).column)

/** New columns stand before the partition columns, which stay last. */
function addNewColumns(relation: Relation, node: ParseTree, reading: HiveReading): void {
  const partitions = relation.columns.filter((c) => c.isPartition)
  relation.columns = relation.columns.filter((c) => !c.isPartition)
  addColumns(relation, newColumns(node, reading), node, reading)
  relation.columns.push(...partitions)
  if (relation.complete) renumber(relation)
}

function replaceColumns(relation: Relation, node: ParseTree, reading: HiveReading): void {
  const partitions = relation.columns.filter((c) => c.isPartition)
  relation.columns = []
  addColumns(relation, newColumns(node, reading), node, reading)
  relation.columns.push(...partitions)
  if (relation.complete) renumber(relation)
}

function changeColumn(relation: Relation, node: ParseTree, reading: HiveReading): void {
  const old = below(child(node, 'columnName')!, ['id_']).map(identifier).join('.')
  const { column, constraints } = readColumn(node, reading.estate, reading.line)
  const before = findColumn(relation, old, reading.estate.fold)
  // a key or a comment that CHANGE does not name stays
  const kept = before && {
    ...before,
    ...column,
    nullable: column.nullable && before.nullable,
    ordinal: before.ordinal,
    isPartition: before.isPartition,
  }
  if (!replaceColumn(relation, old, kept ?? column, node, reading, placeOf(node))) return
  for (const c of constraints) applyConstraint(relation, c, node, reading)
}

/** FIRST and AFTER. */
function placeOf(node: ParseTree): string | undefined {
  if (hasWord(node, 'first')) return ''
  return hasWord(node, 'after') ? identifiers(node)[0] : undefined
}

function addConstraint(relation: Relation, node: ParseTree, reading: HiveReading): void {
  for (const at of below(node, ['alterForeignKeyWithName', 'alterConstraintWithName'])) {
    const constraint = readConstraint(at, reading.estate, reading.line)
    if (constraint) applyConstraint(relation, constraint, at, reading)
  }
}

function drop(relation: Relation, node: ParseTree, reading: HiveReading): void {
  dropConstraint(relation, identifiers(node)[0] ?? '', node, reading)
}

function rename(relation: Relation, node: ParseTree, reading: HiveReading): void {
  renameRelation(relation, tableName(child(node, 'tableNameCreate')!), node, reading)
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
