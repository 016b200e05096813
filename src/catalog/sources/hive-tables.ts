import type { ParseTree } from '#dt-sql-parser'
import { didYouMean } from '../../util/closest.js'
import type { Problem } from '../../util/problem.js'
import type { Properties } from '../../vocabulary.js'
import { applyConstraint, readColumn, readConstraint } from './hive-columns.js'
import { addRelation, type Column, type Estate, findColumn, type Relation, relationKey } from './hive-estate.js'
import { isStar, lineageOf, lineageProperties, type OutputColumn, type Resolved, resolveQuery } from './hive-lineage.js'
import { columnNames, readQuery, type TableName, tableName } from './hive-query.js'
import { below, child, children, hasWord, identifier, identifiers, lineOf, literal, path } from './hive-tree.js'
import { foldHive } from './names.js'

/** What a statement's reader works with. */
export interface Reading {
  estate: Estate
  line(node: ParseTree): number
  report(node: ParseTree, found: Omit<Problem, 'where' | 'severity'> & { severity?: Problem['severity'] }): void
}

export function createTable(node: ParseTree, reading: Reading): void {
  const { estate, line } = reading
  const name = tableName(child(node, 'tableNameCreate')!)
  if (isMade(name, node, reading)) return
  const relation = newRelation('Table', name, node, reading)
  relation.properties = tableProperties(node)
  readObservedAt(relation)
  const list = child(node, 'columnNameTypeOrConstraintList')
  const columns = children(list, 'columnNameTypeOrConstraint').flatMap((c) => children(c, 'columnNameTypeConstraint'))
  const partitions = below(child(node, 'createTablePartitionSpec'), ['columnNameTypeConstraint'])
  const read = [...columns, ...partitions].map((c, i) => {
    const { column, constraints } = readColumn(c, estate, line)
    return { column: { ...column, isPartition: i >= columns.length }, constraints, node: c }
  })
  addColumns(
    relation,
    read.map((r) => r.column),
    node,
    reading,
  )
  const like = path(node, 'likeTableOrFile', 'tableName')
  if (like) copyColumns(relation, tableName(like), like, reading)
  const select = child(node, 'selectStatementWithCTE')
  if (select) fillFromQuery(relation, select, [], reading)
  markPartitions(relation, node)
  addRelation(estate, relation)
  for (const { constraints, node: at } of read)
    for (const c of constraints) applyConstraint(relation, c, line(at), unknownColumn(relation, at, reading))
  for (const at of below(list, ['createForeignKey', 'createConstraint'])) {
    const constraint = readConstraint(at, estate, line)
    if (constraint) applyConstraint(relation, constraint, line(at), unknownColumn(relation, at, reading))
  }
}

/** IF NOT EXISTS leaves an earlier table of this script as it is; a second plain CREATE takes its place, with a warning. */
function isMade(name: TableName, node: ParseTree, { estate, report }: Reading): boolean {
  const earlier = estate.relations.get(relationKey(estate, name))
  if (!earlier?.complete) return false
  if (child(node, 'ifNotExists')) return true
  if (!hasWord(node, 'replace'))
    report(node, {
      severity: 'warning',
      code: 'duplicate-table',
      found: `a second CREATE of ${relationKey(estate, name)} (the first is in line ${earlier.line})`,
      expected: 'one, or a DROP between them',
      suggestion: 'The later one was taken.',
    })
  return false
}

function newRelation(kind: Relation['kind'], name: TableName, node: ParseTree, { estate, line }: Reading): Relation {
  const database = name.database ?? estate.database
  const known = estate.databases.get(foldHive(database))
  return {
    kind,
    database: known?.name ?? database,
    name: name.name,
    columns: [],
    complete: true,
    properties: {},
    foreignKeys: [],
    lineage: null,
    line: line(node),
  }
}

export const unknownColumn =
  (relation: Relation, node: ParseTree, { report }: Reading) =>
  (column: string) =>
    report(node, {
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

/** Appends columns; one whose name is taken already is a problem, and left out. */
export function addColumns(relation: Relation, columns: readonly Column[], node: ParseTree, { report }: Reading): void {
  const taken = new Set(relation.columns.map((c) => foldHive(c.name)))
  for (const column of columns) {
    if (taken.has(foldHive(column.name))) {
      report(node, {
        code: 'duplicate-column',
        found: `column "${column.name}" twice in ${relation.name}`,
        expected: 'distinct names (Hive ignores case)',
      })
      continue
    }
    taken.add(foldHive(column.name))
    relation.columns.push(column)
  }
  if (relation.complete) renumber(relation)
}

export function renumber(relation: Relation): void {
  relation.columns.forEach((c, i) => {
    c.ordinal = i + 1
  })
}

/** CREATE TABLE … LIKE: the columns of the other table, where this script made it. */
function copyColumns(relation: Relation, name: TableName, node: ParseTree, reading: Reading): void {
  const key = relationKey(reading.estate, name)
  const other = reading.estate.relations.get(key)
  relation.properties['like'] = key
  if (other?.complete) {
    for (const column of other.columns) relation.columns.push({ ...column, line: reading.line(node) })
    return
  }
  relation.complete = false
  reading.report(node, {
    severity: 'warning',
    code: 'unknown-table',
    found: `${relation.name} LIKE ${key}, which this text does not create`,
    expected: 'the CREATE TABLE of that table before it, in the same text',
    suggestion: 'The table is known now, its columns are not: put both statements into one file.',
  })
}

/** CTAS and views: columns and lineage from the query. `names`: the view's own column list. */
function fillFromQuery(relation: Relation, select: ParseTree, names: readonly string[], reading: Reading): void {
  const resolved = resolveQuery(readQuery(select), reading.estate)
  reportMissing(resolved, select, reading)
  const hasStar = resolved.outputs.some(isStar)
  const outputs = resolved.outputs.filter((o): o is OutputColumn => !isStar(o))
  if (names.length > 0 && !hasStar && names.length !== outputs.length)
    reading.report(select, {
      code: 'column-count',
      found: `${names.length} column names for ${outputs.length} columns of the query in ${relation.name}`,
      expected: 'as many names as columns',
    })
  const columns = outputs.map((output, i) => ({
    name: names[i] ?? output.name,
    type: output.type,
    written: null,
    nullable: true,
    isPartition: false,
    ordinal: null,
    line: reading.line(select),
  }))
  addColumns(relation, columns, select, reading)
  relation.complete = !hasStar
  relation.lineage = lineageOf(resolved, hasStar || names.length === 0 ? undefined : columns.map((c) => c.name))
  Object.assign(relation.properties, lineageProperties(resolved), { definition: lineOf(select) })
}

export function reportMissing(resolved: Resolved, node: ParseTree, { report }: Reading): void {
  for (const { name, known } of resolved.missing)
    report(node, {
      severity: 'warning',
      code: 'unresolved-column',
      found: `"${name}" in a query`,
      expected: 'a column of one of the tables it reads',
      ...suggestion(didYouMean(name.split('.').at(-1)!, known)),
    })
}

/** `PARTITIONED BY (name)` without a type, as CTAS and Iceberg spell it. */
function markPartitions(relation: Relation, node: ParseTree): void {
  const spec = child(node, 'createTablePartitionSpec')
  for (const name of children(spec, 'columnNameList').flatMap(columnNames)) {
    const column = findColumn(relation, name)
    if (column) column.isPartition = true
  }
  const partitioned = relation.columns.filter((c) => c.isPartition).map((c) => c.name)
  const transforms = below(spec, ['partitionTransformSpec']).map(lineOf)
  if (partitioned.length + transforms.length > 0) relation.properties['partitioned_by'] = [...partitioned, ...transforms]
}

export function createView(node: ParseTree, reading: Reading): void {
  const { estate, line } = reading
  const name = tableName(child(node, 'viewNameCreate')!)
  if (isMade(name, node, reading)) return
  const relation = newRelation('View', name, node, reading)
  relation.properties = {
    materialized: hasWord(node, 'materialized'),
    ...commentOf(node),
    ...keyValues(child(node, 'tablePropertiesPrefixed')),
  }
  readObservedAt(relation)
  const columns = children(child(node, 'columnNameCommentList'), 'columnNameComment')
  const names = columns.map((c) => identifier(below(c, ['id_'])[0]!))
  fillFromQuery(relation, child(node, 'selectStatementWithCTE')!, names, reading)
  columns.forEach((c, i) => {
    const comment = literal(c)
    if (comment !== undefined && relation.columns[i]) relation.columns[i].comment = comment
  })
  relation.line = line(node)
  addRelation(estate, relation)
}

/** ALTER VIEW … AS SELECT: the view anew, with what its CREATE said of it. */
export function alterView(node: ParseTree, reading: Reading): boolean {
  const select = path(node, 'alterViewStatementSuffix', 'selectStatementWithCTE')
  const name = child(node, 'viewName')
  if (!select || !name) return false
  const earlier = reading.estate.relations.get(relationKey(reading.estate, tableName(name)))
  const relation = newRelation('View', tableName(name), node, reading)
  relation.properties = { ...earlier?.properties }
  fillFromQuery(relation, select, [], reading)
  addRelation(reading.estate, relation)
  return true
}

export const commentOf = (node: ParseTree): Properties => {
  const comment = literal(child(node, 'tableComment') ?? child(node, 'databaseComment'))
  return comment === undefined ? {} : { comment }
}

/** `'a'='b'` pairs below a node, as `table_properties`; nothing where there are none. */
export function keyValues(node: ParseTree | undefined, key = 'table_properties'): Properties {
  const pairs = below(node, ['keyValueProperty']).map((p) => [literal(p) ?? '', literal(p, 1) ?? ''] as const)
  return pairs.length === 0 ? {} : { [key]: Object.fromEntries(pairs) }
}

function tableProperties(node: ParseTree): Properties {
  const format = child(node, 'tableFileFormat')
  const rows = child(node, 'tableRowFormat')
  const location = literal(child(node, 'locationPath'))
  const serde = literal(child(rows, 'rowFormatSerde'))
  return {
    table_type: hasWord(node, 'external') ? 'external' : hasWord(node, 'temporary') ? 'temporary' : 'managed',
    ...commentOf(node),
    ...(format ? { stored_as: storedAs(format) } : {}),
    ...(rows && !serde ? { row_format: lineOf(rows) } : {}),
    ...(serde ? { serde } : {}),
    ...(location === undefined ? {} : { location }),
    ...buckets(child(node, 'tableBuckets')),
    ...keyValues(child(node, 'tablePropertiesPrefixed')),
  }
}

/** `orc`; `inputformat …` by its class; `by …` by its handler. */
function storedAs(format: ParseTree): string {
  const named = identifiers(format)[0]
  return (named ?? literal(format) ?? lineOf(format)).toLowerCase()
}

function buckets(node: ParseTree | undefined): Properties {
  if (!node) return {}
  const count = /into\s+(\d+)/i.exec(lineOf(node))
  const sorted = below(node, ['columnNameOrder']).map(lineOf)
  return {
    clustered_by: children(node, 'columnNameList').flatMap(columnNames),
    ...(sorted.length > 0 ? { sorted_by: sorted } : {}),
    ...(count ? { bucket_count: Number(count[1]) } : {}),
  }
}

/** `transient_lastDdlTime` (seconds) says when the table was last defined; it is a time, not a property that changes. */
function readObservedAt(relation: Relation): void {
  const properties = relation.properties['table_properties'] as Properties | undefined
  const seconds = Number(properties?.['transient_lastDdlTime'] ?? Number.NaN)
  if (!properties || !Number.isFinite(seconds) || seconds <= 0) return
  relation.observedAt = new Date(seconds * 1000)
  delete properties['transient_lastDdlTime']
  if (Object.keys(properties).length === 0) delete relation.properties['table_properties']
}
