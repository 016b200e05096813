import type { ParseTree } from '#dt-sql-parser'
import { didYouMean } from '../../util/closest.js'
import type { Properties } from '../../vocabulary.js'
import { isStar, lineageOf, lineageProperties, type OutputColumn, type Resolved, resolveQuery } from '../lineage/hive-lineage.js'
import { columnNames, readQuery, tableName } from '../lineage/hive-query.js'
import { below, child, children, hasWord, identifier, identifiers, lineOf, literal, path } from '../lineage/hive-tree.js'
import { applyConstraint } from './ddl-constraints.js'
import { addRelation, findColumn, type Relation, relationKey, type TableName } from './ddl-estate.js'
import { addColumns, copyColumns, isMade, newRelation, type Reading, suggestion } from './ddl-relations.js'
import { readColumn, readConstraint } from './hive-columns.js'

export type HiveReading = Reading<ParseTree>

export function createTable(node: ParseTree, reading: HiveReading): void {
  const { estate, line } = reading
  const name = tableName(child(node, 'tableNameCreate')!)
  if (isAlreadyMade(name, node, reading)) return
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
  markPartitions(relation, node, reading)
  addRelation(estate, relation)
  for (const { constraints, node: at } of read) for (const c of constraints) applyConstraint(relation, c, at, reading)
  for (const at of below(list, ['createForeignKey', 'createConstraint'])) {
    const constraint = readConstraint(at, estate, line)
    if (constraint) applyConstraint(relation, constraint, at, reading)
  }
}

const isAlreadyMade = (name: TableName, node: ParseTree, reading: HiveReading): boolean =>
  isMade(name, { ifNotExists: child(node, 'ifNotExists') !== undefined, replace: hasWord(node, 'replace') }, node, reading)

/** CTAS and views: columns and lineage from the query. `names`: the view's own column list. */
export function fillFromQuery(relation: Relation, select: ParseTree, names: readonly string[], reading: HiveReading): void {
  const resolved = resolveQuery(readQuery(select), reading.estate, reading.isRecursive)
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
    transformation: output.transformation,
  }))
  addColumns(relation, columns, select, reading)
  relation.complete = !hasStar
  relation.lineage = lineageOf(resolved, hasStar || names.length === 0 ? undefined : columns.map((c) => c.name))
  Object.assign(relation.properties, lineageProperties(resolved), { definition: lineOf(select) })
}

export function reportMissing(resolved: Resolved, node: ParseTree, { report }: HiveReading): void {
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
function markPartitions(relation: Relation, node: ParseTree, { estate }: HiveReading): void {
  const spec = child(node, 'createTablePartitionSpec')
  for (const name of children(spec, 'columnNameList').flatMap(columnNames)) {
    const column = findColumn(relation, name, estate.fold)
    if (column) column.isPartition = true
  }
  const partitioned = relation.columns.filter((c) => c.isPartition).map((c) => c.name)
  const transforms = below(spec, ['partitionTransformSpec']).map(lineOf)
  if (partitioned.length + transforms.length > 0) relation.properties['partitioned_by'] = [...partitioned, ...transforms]
}

export function createView(node: ParseTree, reading: HiveReading): void {
  const { estate, line } = reading
  const name = tableName(child(node, 'viewNameCreate')!)
  if (isAlreadyMade(name, node, reading)) return
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
export function alterView(node: ParseTree, reading: HiveReading): boolean {
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
