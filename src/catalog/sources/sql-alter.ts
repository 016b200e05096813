import type { Properties } from '../../vocabulary.js'
import { append, dropConstraint, dropNamed, dropPrimaryKey, named } from './ddl-constraints.js'
import { type Column, findColumn, type Relation, relationFor, relationKey, type TableName, touchDatabase } from './ddl-estate.js'
import { addColumns, moveColumn, renameRelation, renumber, replaceColumn, unknownColumn } from './ddl-relations.js'
import {
  applyDeclared,
  type Definition,
  isTableConstraint,
  readAttributes,
  readColumn,
  readDefault,
  readKeyColumns,
  readPairs,
  readTableConstraint,
  readTypeInto,
  type SqlReading,
  tableNameOf,
} from './sql-columns.js'
import type { TokenReader } from './sql-reader.js'

/** ALTER TABLE, from behind the word TABLE on: its actions in order. False where none changes what the catalog holds. */
export function alterTable(r: TokenReader, reading: SqlReading): boolean {
  const place = r.place
  r.takeWords('if', 'exists')
  r.takeWords('only')
  const name = tableNameOf(r.dottedName('the name of the table'))
  r.takeSign('*')
  if (r.takeWords('partition')) return false
  let isRead = false
  // found again for every action: a rename puts another in its place
  let table = name
  let last: (typeof actions)[number] | undefined
  for (const action of r.elements()) {
    // Trino: SET PROPERTIES a = 1, b = 2
    const isMorePairs = last?.apply === setPairs && action.isSign('=', 1)
    const act = isMorePairs ? last : actions.find(({ words }) => action.takeWords(...words))
    last = act
    if (!act) continue
    touchDatabase(reading.estate, table.database ?? reading.estate.database, reading.line(place))
    const relation = relationFor(reading.estate, table, reading.line(place))
    const result = act.apply(relation, action, reading)
    if (result === false) continue
    isRead = true
    if (isTableName(result)) table = result
  }
  return isRead
}

const isTableName = (value: unknown): value is TableName => typeof value === 'object' && value !== null && 'name' in value

/** Answers false where it says nothing, and the new name where the table is called so from now on. */
type Apply = (relation: Relation, r: TokenReader, reading: SqlReading) => unknown

/** First words -> what they do; longer ones stand before their beginnings. */
const actions: readonly { words: readonly string[]; apply: Apply }[] = [
  { words: ['add', 'partition'], apply: () => false },
  { words: ['add', 'range'], apply: () => false },
  { words: ['add', 'watermark'], apply: () => false },
  { words: ['add', 'columns'], apply: addAll },
  { words: ['add', 'column'], apply: addAll },
  { words: ['add', 'index'], apply: addKey },
  { words: ['add', 'key'], apply: addKey },
  {
    words: ['add'],
    apply: (relation, r, reading) => (isTableConstraint(r, reading) ? addKey(relation, r, reading) : addAll(relation, r, reading)),
  },
  { words: ['drop', 'primary', 'key'], apply: dropPrimaryKey },
  { words: ['drop', 'foreign', 'key'], apply: dropByName },
  { words: ['drop', 'constraint'], apply: dropByName },
  { words: ['drop', 'check'], apply: dropByName },
  { words: ['drop', 'index'], apply: dropIndexNamed },
  { words: ['drop', 'key'], apply: dropIndexNamed },
  { words: ['drop', 'partition'], apply: () => false },
  { words: ['drop', 'if', 'exists', 'partition'], apply: () => false },
  { words: ['drop', 'watermark'], apply: () => false },
  { words: ['drop', 'columns'], apply: dropColumns },
  { words: ['drop', 'column'], apply: dropColumns },
  { words: ['drop'], apply: dropColumns },
  { words: ['modify', 'column'], apply: modify },
  { words: ['modify', 'watermark'], apply: () => false },
  { words: ['modify'], apply: modify },
  { words: ['change', 'column'], apply: change },
  { words: ['change'], apply: change },
  { words: ['replace', 'columns'], apply: replaceAll },
  { words: ['rename', 'column'], apply: renameColumn },
  { words: ['rename', 'index'], apply: renameIndex },
  { words: ['rename', 'key'], apply: renameIndex },
  { words: ['rename', 'constraint'], apply: () => false },
  { words: ['rename', 'partition'], apply: () => false },
  { words: ['rename', 'to'], apply: renameTable },
  { words: ['rename', 'as'], apply: renameTable },
  {
    words: ['rename'],
    apply: (relation, r, reading) =>
      r.isWords('partition') ? false : r.word(1) === 'to' ? renameColumn(relation, r, reading) : renameTable(relation, r, reading),
  },
  { words: ['alter', 'column'], apply: alterColumn },
  { words: ['alter', 'index'], apply: () => false },
  { words: ['alter', 'constraint'], apply: () => false },
  { words: ['alter'], apply: alterColumn },
  { words: ['set', 'schema'], apply: setSchema },
  { words: ['set', 'tblproperties'], apply: setPairs },
  { words: ['set', 'properties'], apply: setPairs },
  { words: ['set', 'location'], apply: setText('location') },
  { words: ['set', 'tablespace'], apply: setText('tablespace') },
  { words: ['set'], apply: (relation, r) => (r.isSign('(') ? setPairs(relation, r) : false) },
  { words: ['unset', 'tblproperties'], apply: resetPairs },
  { words: ['reset'], apply: resetPairs },
  { words: ['comment'], apply: setText('comment') },
  { words: ['engine'], apply: setText('engine') },
  { words: ['type'], apply: setText('engine') },
  { words: ['collate'], apply: setText('collation') },
]

/** `add a int`, `add (a int, b int)`, `add column if not exists a int after b`. */
function addAll(relation: Relation, r: TokenReader, reading: SqlReading): void {
  const ifNotExists = r.takeWords('if', 'not', 'exists')
  const elements = r.isSign('(') ? [...r.group().elements()] : [r]
  for (const e of elements) {
    if (isTableConstraint(e, reading)) addKey(relation, e, reading)
    else addColumn(relation, e, reading, ifNotExists)
  }
}

function addColumn(relation: Relation, e: TokenReader, reading: SqlReading, ifNotExists: boolean): void {
  const definition = readColumn(e, reading)
  if (ifNotExists && findColumn(relation, definition.column.name, reading.estate.fold)) return
  const column: Column = relation.complete ? definition.column : { ...definition.column, partial: true }
  // partition columns that stand last stay there
  const trailing = relation.columns.length - 1 - relation.columns.findLastIndex((c) => !c.isPartition)
  const partitions = relation.columns.splice(relation.columns.length - trailing)
  addColumns(relation, [column], definition.place, reading)
  relation.columns.push(...partitions)
  if (relation.complete) renumber(relation)
  const nextTo = placeOf(e)
  if (nextTo !== undefined) moveColumn(relation, column, nextTo, reading)
  applyAll(relation, definition, reading)
}

const applyAll = (relation: Relation, { constraints, place }: Definition, reading: SqlReading): void => {
  for (const c of constraints) applyDeclared(relation, c, place, reading)
}

/** FIRST: ''; AFTER a column: its name. */
function placeOf(r: TokenReader): string | undefined {
  if (r.takeWords('first')) return ''
  return r.takeWords('after') ? r.name('a column') : undefined
}

function addKey(relation: Relation, r: TokenReader, reading: SqlReading): void {
  const place = r.place
  const word = r.tokens[r.position - 1]?.text.toLowerCase()
  // ADD INDEX: the word is gone already
  if (word === 'index' || word === 'key') r.position--
  if (r.isWords('constraint') || !r.atEnd) {
    const constraint = readTableConstraint(r, reading)
    if (constraint) applyDeclared(relation, constraint, place, reading)
  }
}

function dropByName(relation: Relation, r: TokenReader, reading: SqlReading): void {
  const place = r.place
  const ifExists = r.takeWords('if', 'exists')
  const name = r.name('the name of the constraint')
  if (ifExists && !relation.complete) return
  dropConstraint(relation, name, place, reading)
}

function dropIndexNamed(relation: Relation, r: TokenReader, reading: SqlReading): void {
  r.takeWords('if', 'exists')
  dropIndex(relation, r.name('the name of the index'), reading)
}

/** An index or a unique key, by name. */
export function dropIndex(relation: Relation, name: string, { estate: { fold } }: SqlReading): boolean {
  return dropNamed(relation, 'indexes', fold(name), fold) || dropNamed(relation, 'uniques', fold(name), fold)
}

function renameIndex(relation: Relation, r: TokenReader, { estate: { fold } }: SqlReading): void {
  const old = fold(r.name('the name of the index'))
  r.takeWords('to')
  const name = r.name('its new name')
  for (const list of ['indexes', 'uniques']) {
    const entries = relation.properties[list] as { name?: string }[] | undefined
    if (entries) relation.properties[list] = entries.map((e) => (fold(e.name ?? '') === old ? { ...e, name } : e)) as Properties[]
  }
}

function dropColumns(relation: Relation, r: TokenReader, reading: SqlReading): void {
  const place = r.place
  const ifExists = r.takeWords('if', 'exists')
  const names = r.isSign('(') ? [...r.group().elements()].map((e) => e.name('a column')) : [r.name('a column')]
  for (const name of names) dropColumn(relation, name, ifExists, place, reading)
}

function dropColumn(relation: Relation, name: string, ifExists: boolean, place: number, reading: SqlReading): void {
  const { fold } = reading.estate
  const column = findColumn(relation, name, fold)
  if (!relation.complete) {
    relation.columns = relation.columns.filter((c) => c !== column)
    reading.estate.droppedColumns.push({ relation: relationKey(reading.estate, relation), column: fold(name), line: reading.line(place) })
    return
  }
  if (!column) {
    if (!ifExists) unknownColumn(relation, place, reading)(name)
    return
  }
  relation.columns = relation.columns.filter((c) => c !== column)
  renumber(relation)
  dropFromKeys(relation, name, fold)
}

/** Keys lose the column, and go with their last one. */
function dropFromKeys(relation: Relation, name: string, fold: (name: string) => string): void {
  const without = (columns: readonly string[]) => columns.filter((c) => fold(c) !== fold(name))
  relation.foreignKeys = relation.foreignKeys.filter((k) => without(k.columns).length === k.columns.length)
  const primary = relation.properties['primary_key']
  if (Array.isArray(primary)) {
    const left = without(primary as string[])
    if (left.length > 0) relation.properties['primary_key'] = left
    else dropPrimaryKey(relation)
  }
  for (const list of ['uniques', 'indexes']) {
    const keys = relation.properties[list] as { columns: string[] }[] | undefined
    const left = keys?.map((k) => ({ ...k, columns: without(k.columns) })).filter((k) => k.columns.length > 0)
    if (left && left.length > 0) relation.properties[list] = left
    else delete relation.properties[list]
  }
}

/** MODIFY: the whole definition anew, under the old name; Flink's takes several in parentheses. */
function modify(relation: Relation, r: TokenReader, reading: SqlReading): void {
  r.takeWords('if', 'exists')
  const elements = r.isSign('(') ? [...r.group().elements()] : [r]
  for (const e of elements) {
    if (isTableConstraint(e, reading)) addKey(relation, e, reading)
    else redefine(relation, e.isName() ? e.peek()!.value : '', e, reading)
  }
}

function change(relation: Relation, r: TokenReader, reading: SqlReading): void {
  r.takeWords('if', 'exists')
  redefine(relation, r.name('a column'), r, reading)
}

function redefine(relation: Relation, old: string, r: TokenReader, reading: SqlReading): void {
  const definition = readColumn(r, reading)
  const before = findColumn(relation, old, reading.estate.fold)
  const column = before ? { ...definition.column, ordinal: before.ordinal, isPartition: before.isPartition } : definition.column
  // keys are kept: they are the table's
  if (before?.isPrimaryKey) Object.assign(column, { isPrimaryKey: true, nullable: false })
  if (before?.isUnique) column.isUnique = true
  if (replaceColumn(relation, old, column, definition.place, reading, placeOf(r))) applyAll(relation, definition, reading)
}

function replaceAll(relation: Relation, r: TokenReader, reading: SqlReading): void {
  const place = r.place
  const partitions = relation.columns.filter((c) => c.isPartition)
  relation.columns = []
  const columns = [...r.group().elements()].map((e) => readColumn(e, reading).column)
  addColumns(relation, [...columns, ...partitions], place, reading)
}

function renameColumn(relation: Relation, r: TokenReader, reading: SqlReading): void {
  const place = r.place
  r.takeWords('if', 'exists')
  const old = r.name('a column')
  if (!r.takeWords('to')) r.fail('TO')
  const name = r.name('its new name')
  const before = findColumn(relation, old, reading.estate.fold)
  const unseen = { type: null, written: null, nullable: true, isPartition: null, ordinal: null, line: reading.line(place) }
  replaceColumn(relation, old, { ...(before ?? unseen), name }, place, reading)
}

function renameTable(relation: Relation, r: TokenReader, reading: SqlReading): TableName {
  const place = r.place
  const parts = tableNameOf(r.dottedName('the new name'))
  // where it says no other, a table stays in its database
  const target = { database: parts.database ?? relation.database, name: parts.name }
  renameRelation(relation, target, place, reading)
  return target
}

function setSchema(relation: Relation, r: TokenReader, reading: SqlReading): TableName {
  const place = r.place
  const target = { database: r.name('a schema'), name: relation.name }
  renameRelation(relation, target, place, reading)
  return target
}

/** ALTER COLUMN: one thing about it. */
function alterColumn(relation: Relation, r: TokenReader, reading: SqlReading): boolean {
  const place = r.place
  r.takeWords('if', 'exists')
  const name = r.name('a column')
  const known = findColumn(relation, name, reading.estate.fold)
  if (relation.complete && !known) {
    unknownColumn(relation, place, reading)(name)
    return true
  }
  const column: Column = known ?? {
    ...{ name, type: null, written: null, nullable: true, isPartition: null, ordinal: null, line: reading.line(place), partial: true },
  }
  const step = columnSteps.find(({ words }) => r.takeWords(...words))
  if (!step) return false
  if (!known) relation.columns.push(column)
  step.apply(column, r, reading, relation)
  return true
}

type ColumnStep = (column: Column, r: TokenReader, reading: SqlReading, relation: Relation) => void

const setType: ColumnStep = (column, r, reading) => {
  delete column.typeText
  readTypeInto(column, r, reading)
  readAttributes({ column, constraints: [], place: r.place }, r.takeWords('using') ? emptied(r) : r, reading)
}
/** USING an expression says how rows are converted, not what the column is. */
const emptied = (r: TokenReader): TokenReader => {
  r.rest()
  return r
}

const columnSteps: readonly { words: readonly string[]; apply: ColumnStep }[] = [
  { words: ['set', 'default'], apply: (column, r) => setDefault(column, readDefault(r)) },
  { words: ['drop', 'default'], apply: (column) => setDefault(column, null) },
  { words: ['set', 'not', 'null'], apply: (column) => void (column.nullable = false) },
  { words: ['drop', 'not', 'null'], apply: (column) => void (column.nullable = true) },
  { words: ['set', 'data', 'type'], apply: setType },
  { words: ['type'], apply: setType },
  { words: ['comment'], apply: (column, r) => void (column.comment = r.takeString() ?? '') },
  {
    words: ['add', 'generated'],
    apply: (column, r) => void (column.more = { ...column.more, identity: r.takeWords('always') ? 'always' : 'by default' }),
  },
  { words: ['drop', 'identity'], apply: (column) => void delete column.more?.['identity'] },
  { words: ['drop', 'expression'], apply: (column) => void delete column.more?.['generated'] },
  { words: ['first'], apply: (column, _, reading, relation) => moveColumn(relation, column, '', reading) },
  { words: ['after'], apply: (column, r, reading, relation) => moveColumn(relation, column, r.name(), reading) },
]

function setDefault(column: Column, value: string | null): void {
  if (value === null) delete column.defaultValue
  else column.defaultValue = value
}

function setPairs(relation: Relation, r: TokenReader): void {
  const before = relation.properties['table_properties'] as Properties | undefined
  relation.properties['table_properties'] = { ...before, ...readPairs(r.isSign('(') ? r.group() : r) }
}

function resetPairs(relation: Relation, r: TokenReader): boolean {
  r.takeWords('if', 'exists')
  const before = relation.properties['table_properties'] as Properties | undefined
  if (!before || !r.isSign('(')) return false
  const gone = new Set([...r.group().elements()].map((e) => e.takeString() ?? e.dottedName().join('.')))
  const left = Object.fromEntries(Object.entries(before).filter(([key]) => !gone.has(key)))
  if (Object.keys(left).length > 0) relation.properties['table_properties'] = left
  else delete relation.properties['table_properties']
  return true
}

function setText(key: string): Apply {
  return (relation, r) => {
    r.takeSign('=')
    relation.properties[key] = r.takeString() ?? r.dottedName('a value').join('.').toLowerCase()
  }
}

/** CREATE [UNIQUE | FULLTEXT | SPATIAL] INDEX, from behind the word INDEX on. */
export function createIndex(r: TokenReader, modifiers: ReadonlySet<string>, reading: SqlReading): boolean {
  r.takeWords('concurrently')
  r.takeWords('if', 'not', 'exists')
  const name = r.isWords('on') ? null : r.dottedName('the name of the index').at(-1)!
  if (r.takeWords('using')) r.next()
  if (!r.takeWords('on')) r.fail('ON')
  r.takeWords('only')
  const place = r.place
  const table = tableNameOf(r.dottedName('the table'))
  const relation = relationFor(reading.estate, table, reading.line(place))
  const method = r.takeWords('using') ? r.next().text.toLowerCase() : ['fulltext', 'spatial'].find((m) => modifiers.has(m))
  const { columns, isPlain } = readKeyColumns(r, reading)
  const rest = r.rest()
  const where = /\bwhere\b\s*([\s\S]*)$/i.exec(rest)?.[1]
  const isUnique = modifiers.has('unique')
  if (!relation.complete && !isUnique) return false
  if (isUnique && isPlain && where === undefined) applyDeclared(relation, { kind: 'unique', name, columns }, place, reading)
  else {
    const more: Properties = {
      ...(isUnique ? { unique: true } : {}),
      ...(method && method !== 'btree' ? { method } : {}),
      ...(where === undefined ? {} : { where }),
    }
    append(relation.properties, 'indexes', named(name, { columns, ...more }))
  }
  return true
}
