import type { TypeTree } from '../../vocabulary.js'
import { addRelation, findColumn, relationFor, relationKey } from '../ddl/ddl-estate.js'
import { dropRelation, isMade, newRelation, renameRelation } from '../ddl/ddl-relations.js'
import { fillFromSqlQuery, readInsertQuery } from '../lineage/sql-query.js'
import { qualify } from './names.js'
import { alterTable } from './sql-alter.js'
import { createTable, type Modifiers } from './sql-create.js'
import { createIndex, dropIndexOf } from './sql-index.js'
import type { TokenReader } from './sql-reader.js'
import { readPairs, type SqlReading, tableNameOf } from './sql-reading.js'
import { readSqlType } from './sql-types.js'

export const verbs = [
  'create',
  'drop',
  'alter',
  'rename',
  'use',
  'insert',
  'comment',
  'replace',
  'with',
  'set',
  'select',
  'update',
  'delete',
  'merge',
]

export const otherVerbs = new Set(
  (
    'analyze begin call cache checkpoint checksum clear close cluster commit copy deallocate declare describe desc discard do end execute ' +
    'explain export fetch flush go grant handler import install kill list listen load lock move msck notify optimize pragma prepare purge ' +
    'reassign refresh reindex release repair reset revoke rollback savepoint security show signal start stop table truncate uncache unlisten ' +
    'unload unlock unset vacuum values add remove if return leave iterate while loop'
  ).split(' '),
)

type Handler = (r: TokenReader, reading: SqlReading, userTypes: Map<string, TypeTree>) => unknown

/** A statement's first word -> what reads the rest. False: it says nothing about the catalog. */
export const statements: Readonly<Record<string, Handler>> = {
  create,
  // Spark: REPLACE TABLE; MySQL: REPLACE INTO
  replace: (r, reading, userTypes) => {
    if (r.isWords('into')) return insert(r, reading)
    r.position--
    return create(r, reading, userTypes)
  },
  drop,
  alter,
  rename: (r, reading) => {
    if (!r.takeOneOf('table', 'tables')) return false
    for (const e of r.elements()) {
      const place = e.place
      const from = tableNameOf(e.dottedName('a table'))
      if (!e.takeWords('to')) e.fail('TO')
      renameRelation(relationFor(reading.estate, from, reading.line(place)), tableNameOf(e.dottedName('its new name')), place, reading)
    }
  },
  use: (r, { estate }) => {
    if (r.takeOneOf('catalog', 'modules')) return false
    r.takeOneOf('database', 'schema')
    estate.database = r.dottedName('a database').join('.')
  },
  set: (r, { estate }) => {
    r.takeOneOf('session', 'local')
    if (!r.takeWords('search_path')) return false
    if (!r.takeSign('=')) r.takeWords('to')
    if (r.isName()) estate.database = r.name()
    else estate.database = r.takeString()?.split(',')[0]?.trim() || estate.database
  },
  insert,
  comment: commentOn,
}

const wordsBefore = new Set(
  'or replace temporary temp global local unlogged external foreign materialized recursive force no unique fulltext spatial clustered live streaming transient'.split(
    ' ',
  ),
)

/** The words up to what is created, and that word itself; null where it is nothing we know. */
function objectOf(r: TokenReader): { kind: string; modifiers: Modifiers } | null {
  const modifiers = new Set<string>()
  for (let i = 0; i < 24 && !r.atEnd; i++) {
    const word = r.word()
    if (Object.hasOwn(creations, word)) {
      r.next()
      return { kind: word, modifiers }
    }
    // MySQL: ALGORITHM = …, DEFINER = user@host, SQL SECURITY …
    if (r.isSign('=', 1)) {
      r.position += 2
      r.next()
      while (!r.atEnd && !wordsBefore.has(r.word()) && !Object.hasOwn(creations, r.word()) && r.word() !== 'sql') r.next()
    } else if (r.takeWords('sql', 'security')) r.next()
    else if (wordsBefore.has(word)) {
      modifiers.add(word)
      r.next()
    } else return null
  }
  return null
}

function create(r: TokenReader, reading: SqlReading, userTypes: Map<string, TypeTree>): unknown {
  const object = objectOf(r)
  return object === null ? false : creations[object.kind]!(r, object.modifiers, reading, userTypes)
}

type Creation = (r: TokenReader, modifiers: Modifiers, reading: SqlReading, userTypes: Map<string, TypeTree>) => unknown

export const creations: Readonly<Record<string, Creation>> = {
  table: (r, modifiers, reading) => (r.isWords('space') ? false : createTable(r, modifiers, reading)),
  view: createView,
  index: createIndex,
  database: createDatabase,
  schema: createDatabase,
  type: (r, _, reading, userTypes) => createType(r, reading, userTypes),
  domain: (r, _, reading, userTypes) => {
    const name = r.dottedName('the name of the domain').join('.')
    r.takeWords('as')
    userTypes.set(name, readSqlType(r, reading.userTypes).type)
  },
}

/** PostgreSQL: an enumeration counts as text, a row type as a row. */
function createType(r: TokenReader, reading: SqlReading, userTypes: Map<string, TypeTree>): boolean {
  const name = r.dottedName('the name of the type').join('.')
  if (!r.takeWords('as')) return false
  if (r.takeWords('enum')) userTypes.set(name, { name: 'enum' })
  else if (r.isSign('(')) {
    const fields = [...r.group().elements()].map((e) => ({ name: e.name(), type: readSqlType(e, reading.userTypes).type }))
    userTypes.set(name, { name: 'row', fields })
  } else return false
  return true
}

function createDatabase(r: TokenReader, _: Modifiers, { estate, line }: SqlReading): void {
  const place = r.place
  r.takeWords('if', 'not', 'exists')
  r.takeWords('authorization')
  const name = r.dottedName('the name of the database').join('.')
  const properties: Record<string, string | Record<string, never>> = {}
  while (!r.atEnd) {
    if (r.takeWords('comment')) properties['comment'] = r.takeString() ?? ''
    else if (r.takeWords('location')) properties['location'] = r.takeString() ?? ''
    else if (r.takeWords('character', 'set') || r.takeWords('charset')) {
      r.takeSign('=')
      properties['character_set'] = r.next().value
    } else if (r.takeWords('collate')) {
      r.takeSign('=')
      properties['collation'] = r.next().value
    } else if (r.takeOneOf('with', 'dbproperties') && r.isSign('('))
      Object.assign(properties, { database_properties: readPairs(r.group()) })
    else if (!r.atEnd) r.next()
  }
  estate.databases.set(estate.fold(name), { name, properties, line: line(place) })
  estate.dropped.delete(qualify(estate.fold(name)))
}

function createView(r: TokenReader, modifiers: Modifiers, reading: SqlReading): void {
  const place = r.place
  const ifNotExists = r.takeWords('if', 'not', 'exists')
  const name = tableNameOf(r.dottedName('the name of the view'))
  // mysqldump first makes a stand-in of each view, then drops it
  const isEarlier = isMade(name, { ifNotExists, replace: modifiers.has('replace') }, place, reading)
  const relation = newRelation('View', name, place, reading)
  relation.properties = { materialized: modifiers.has('materialized') }
  const names: { name: string; comment: string | undefined }[] = []
  if (r.isSign('('))
    for (const e of r.group().elements())
      names.push({ name: e.name('a column'), comment: e.takeWords('comment') ? e.takeString() : undefined })
  while (!r.atEnd && !r.isWords('as')) {
    if (r.takeWords('comment')) relation.properties['comment'] = r.takeString() ?? ''
    else if (r.takeOneOf('tblproperties', 'with') && r.isSign('(')) relation.properties['table_properties'] = readPairs(r.group())
    else if (!r.skipGroup() && !r.atEnd && !r.isWords('as')) r.next()
  }
  if (!r.takeWords('as')) r.fail('AS and a query')
  if (isEarlier && ifNotExists) return
  fillFromSqlQuery(
    relation,
    r,
    names.map((n) => n.name),
    reading,
  )
  names.forEach(({ comment }, i) => {
    if (comment !== undefined && relation.columns[i]) relation.columns[i].comment = comment
  })
  addRelation(reading.estate, relation)
}

function drop(r: TokenReader, reading: SqlReading): unknown {
  const { estate, line } = reading
  r.takeOneOf('temporary', 'materialized', 'foreign', 'external')
  const kind = r.takeOneOf('table', 'view', 'database', 'schema', 'index')
  if (kind === null) return false
  r.takeWords('concurrently')
  const ifExists = r.takeWords('if', 'exists')
  if (kind === 'index') return dropIndexOf(r, reading)
  for (const e of r.elements()) {
    const place = e.place
    const parts = e.dottedName(`the name of the ${kind}`)
    if (kind === 'table' || kind === 'view') {
      const table = tableNameOf(parts)
      const isKnown = estate.relations.has(relationKey(estate, table))
      // DROP IF EXISTS before CREATE, as dumps have it, takes nothing away that comes later
      if (isKnown || !ifExists || !estate.dropped.has(relationKey(estate, table)))
        dropRelation(table, kind === 'view' ? 'View' : 'Table', place, reading)
      continue
    }
    const name = estate.fold(parts.join('.'))
    estate.databases.delete(name)
    for (const [key, relation] of estate.relations) if (estate.fold(relation.database) === name) estate.relations.delete(key)
    estate.dropped.set(qualify(name), { kind: 'Database', line: line(place) })
  }
}

function alter(r: TokenReader, reading: SqlReading): unknown {
  r.takeOneOf('online', 'offline', 'ignore', 'foreign', 'materialized')
  if (r.takeWords('table')) return alterTable(r, reading)
  if (!r.takeWords('view')) return false
  const place = r.place
  r.takeWords('if', 'exists')
  const name = tableNameOf(r.dottedName('the name of the view'))
  if (r.takeWords('rename', 'to')) {
    const relation = relationFor(reading.estate, name, reading.line(place))
    if (!relation.complete) relation.kind = 'View'
    renameRelation(relation, tableNameOf(r.dottedName('its new name')), place, reading)
    return true
  }
  if (!r.takeWords('as')) return false
  const earlier = reading.estate.relations.get(relationKey(reading.estate, name))
  const relation = newRelation('View', name, place, reading)
  relation.properties = { ...earlier?.properties }
  fillFromSqlQuery(relation, r, [], reading)
  addRelation(reading.estate, relation)
  return true
}

/** INSERT [OVERWRITE] INTO t (a, b) SELECT …; rows are passed over. */
function insert(r: TokenReader, reading: SqlReading): unknown {
  const place = r.place
  while (r.takeOneOf('low_priority', 'delayed', 'high_priority', 'ignore'));
  const overwrite = r.takeWords('overwrite')
  r.takeWords('into')
  r.takeWords('table')
  if (!r.isName()) return false
  const table = tableNameOf(r.dottedName())
  const fixedPartitions = r.takeWords('partition') && r.isSign('(') ? fixedOf(r.group()) : []
  if (r.takeWords('if', 'not', 'exists') || r.takeWords('by', 'name')) r.position += 0
  const isList = r.isSign('(') && !['select', 'with', ''].includes(r.word(1)) ? true : r.isSign('(') && r.peek(1)?.kind === 'quoted'
  const columns = isList ? [...r.group().elements()].map((e) => e.dottedName().at(-1)!) : null
  if (r.takeWords('overriding')) r.position += 2
  if (!r.isWords('select') && !r.isWords('with') && !r.isSign('(')) return false
  readInsertQuery(r, { table, columns, fixedPartitions, overwrite }, place, reading)
  return true
}

const fixedOf = (inside: TokenReader): string[] => [...inside.elements()].filter((e) => e.isSign('=', 1)).map((e) => e.name())

/** COMMENT ON TABLE | COLUMN … IS '…'. */
function commentOn(r: TokenReader, reading: SqlReading): unknown {
  if (!r.takeWords('on')) return false
  const kind = r.takeOneOf('table', 'column', 'view', 'schema', 'database')
  if (r.takeWords('view')) r.position += 0
  if (kind === null) return false
  const place = r.place
  const parts = r.dottedName(`the ${kind}`)
  if (kind === 'column' && parts.length < 2) r.fail('a column with its table')
  if (!r.takeWords('is')) r.fail('IS')
  const comment = r.takeString()
  if (kind === 'schema' || kind === 'database') {
    const known = reading.estate.databases.get(reading.estate.fold(parts.join('.')))
    if (known && comment !== undefined) known.properties = { ...known.properties, comment }
    return known !== undefined
  }
  if (kind !== 'column') {
    const relation = relationFor(reading.estate, tableNameOf(parts), reading.line(place))
    setComment(relation.properties, comment)
    return true
  }
  const relation = relationFor(reading.estate, tableNameOf(parts.slice(0, -1)), reading.line(place))
  const column = findColumn(relation, parts.at(-1)!, reading.estate.fold)
  if (!column) return false
  if (comment === undefined) delete column.comment
  else column.comment = comment
  return true
}

function setComment(properties: Record<string, unknown>, comment: string | undefined): void {
  if (comment === undefined) delete properties['comment']
  else properties['comment'] = comment
}
