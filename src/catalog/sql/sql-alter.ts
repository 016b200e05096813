import type { Properties } from '../../vocabulary.js'
import { dropConstraint, dropPrimaryKey } from '../ddl/ddl-constraints.js'
import {
  type Column,
  type Estate,
  findColumn,
  type Relation,
  relationFor,
  relationKey,
  type TableName,
  touchDatabase,
} from '../ddl/ddl-estate.js'
import { addColumns, moveColumn, renameRelation, renumber, replaceColumn, unknownColumn } from '../ddl/ddl-relations.js'
import { alterColumn } from './sql-alter-column.js'
import { readColumn } from './sql-columns.js'
import { dropIndex, renameIndex } from './sql-index.js'
import { isTableConstraint, readTableConstraint } from './sql-keys.js'
import type { TokenReader } from './sql-reader.js'
import { applyDeclared, type Definition, readPairs, type SqlReading, tableNameOf } from './sql-reading.js'

/** ALTER TABLE, from behind the word TABLE on: its actions in order. False where none changes what the catalog holds. */
export function alterTable(r: TokenReader, reading: SqlReading): boolean {
  const place = r.place
  r.takeWords('if', 'exists')
  const isOnly = r.takeWords('only')
  const name = tableNameOf(r.dottedName('the name of the table'))
  r.takeSign('*')
  if (r.takeWords('partition')) return false
  let isRead = false
  // found again for every action: a rename puts another in its place
  let table = name
  let last: Action | undefined
  for (const action of r.elements()) {
    // Trino: SET PROPERTIES a = 1, b = 2
    const isMorePairs = last?.apply === setPairs && action.isSign('=', 1)
    last = isMorePairs ? last : actions.find(({ words }) => action.takeWords(...words))
    if (!last) continue
    touchDatabase(reading.estate, table.database ?? reading.estate.database, reading.line(place))
    const from = action.position
    const heirs = isOnly ? [] : heirsOf(relationKey(reading.estate, table), reading.estate)
    const result = last.apply(relationFor(reading.estate, table, reading.line(place)), action, reading)
    if (result === false) continue
    isRead = true
    if (isTableName(result)) table = result
    if (!inherited.has(last.apply) || result === ownKey) continue
    for (const heir of heirs) {
      action.position = from
      last.apply(heir, action, reading)
    }
  }
  return isRead
}

/** PostgreSQL: what inherits from a table, directly or not, and its partitions change with it. */
function heirsOf(key: string, estate: Estate): Relation[] {
  const own = [...estate.relations.values()].filter(
    ({ properties }) => properties['partition_of'] === key || (properties['inherits'] as string[] | undefined)?.includes(key),
  )
  return own.flatMap((heir) => [heir, ...heirsOf(relationKey(estate, heir), estate)])
}

const isTableName = (value: unknown): value is TableName => typeof value === 'object' && value !== null && 'name' in value

/** Answers false where it says nothing, and the new name where the table is called so from now on. */
type Apply = (relation: Relation, r: TokenReader, reading: SqlReading) => unknown

interface Action {
  words: readonly string[]
  apply: Apply
}

/** First words -> what they do; longer ones stand before their beginnings. */
const actions: readonly Action[] = [
  { words: ['add', 'partition'], apply: () => false },
  { words: ['add', 'range'], apply: () => false },
  { words: ['add', 'watermark'], apply: () => false },
  { words: ['add', 'columns'], apply: addAll },
  { words: ['add', 'column'], apply: addAll },
  { words: ['add', 'index'], apply: addKey },
  { words: ['add', 'key'], apply: addKey },
  {
    words: ['add'],
    apply: addEither,
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

/** Actions that go down to what inherits from the table. */
const inherited: ReadonlySet<Apply> = new Set<Apply>([addEither, addAll, dropColumns, alterColumn, renameColumn])

/** Said by an action that made a key, which nothing inherits. */
const ownKey = Symbol('key')

function addEither(relation: Relation, r: TokenReader, reading: SqlReading): unknown {
  if (!isTableConstraint(r, reading)) return addAll(relation, r, reading)
  addKey(relation, r, reading)
  return ownKey
}

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
