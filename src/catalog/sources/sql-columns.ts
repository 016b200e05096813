import type { Properties } from '../../vocabulary.js'
import { append, applyConstraint, type Constraint, named } from './ddl-constraints.js'
import { type Column, type ForeignKey, findColumn, type Relation, type TableName } from './ddl-estate.js'
import type { Reading } from './ddl-relations.js'
import type { SqlDialect } from './sql-dialect.js'
import { printTokens, type TokenReader } from './sql-reader.js'
import { readCharacterSet, readSqlType, type UserTypes } from './sql-types.js'
import { printType } from './type-tree.js'

/** A place in a script is an offset. */
export type SqlReading = Reading<number> & { dialect: SqlDialect; userTypes: UserTypes }

/** A key that only makes reading faster: KEY, INDEX, FULLTEXT … */
export type Index = { kind: 'index'; name: string | null; columns: string[]; properties: Properties }
export type Declared = Constraint | Index

/** A column as defined, and what it declares beside itself. */
export interface Definition {
  column: Column
  constraints: Declared[]
  place: number
}

/** Two parts: database and table; three: the catalog is part of the database's name. */
export function tableNameOf(parts: readonly string[]): TableName {
  if (parts.length === 1) return { database: null, name: parts[0]! }
  return { database: parts.slice(0, -1).join('.'), name: parts.at(-1)! }
}

/** `name type attributes …`, up to the comma; Flink's `name AS expression` too. */
export function readColumn(r: TokenReader, reading: SqlReading): Definition {
  const place = r.place
  const name = r.name('a column')
  const column: Column = {
    name,
    type: null,
    written: null,
    nullable: true,
    isPartition: reading.dialect.hasPartitionColumns ? false : null,
    ordinal: null,
    line: reading.line(place),
  }
  const definition: Definition = { column, constraints: [], place }
  if (!r.atEnd && !r.isWords('as') && !r.isSign('(')) readTypeInto(column, r, reading)
  readAttributes(definition, r, reading)
  return definition
}

export function readTypeInto(column: Column, r: TokenReader, reading: SqlReading): void {
  const { type, text, more } = readSqlType(r, reading.userTypes)
  column.type = type
  column.written = text ?? printType(type)
  if (text !== undefined) column.typeText = text
  if (Object.keys(more).length > 0) column.more = { ...column.more, ...more }
}

/** What follows the type, in any order, up to the end (or, for ALTER, to FIRST and AFTER). */
export function readAttributes(definition: Definition, r: TokenReader, reading: SqlReading): void {
  const unread: string[] = []
  const from = r.place
  while (!r.atEnd && !r.isWords('first') && !r.isWords('after')) {
    const word = r.word()
    if (readMissedConstraint(definition, r, reading)) continue
    const attribute = Object.hasOwn(attributes, word) ? attributes[word] : undefined
    const set = attribute ? undefined : readCharacterSet(r)
    if (attribute) {
      r.next()
      attribute(definition, r, reading)
    } else if (set && Object.keys(set).length > 0) definition.column.more = { ...definition.column.more, ...set }
    else {
      unread.push(r.peek()!.text)
      if (!r.skipGroup()) r.next()
    }
  }
  if (unread.length === 0) return
  reading.report(from, {
    severity: 'warning',
    code: 'unread-words',
    found: `"${unread.join(' ')}" in the definition of column "${definition.column.name}"`,
    expected: 'a type and its attributes (a comma may be missing before)',
  })
}

/** `a int PRIMARY KEY (b)`: a key of the table, where a comma was forgotten before it. */
function readMissedConstraint(definition: Definition, r: TokenReader, reading: SqlReading): boolean {
  const isKey = r.isWords('primary', 'key') && r.isSign('(', 2)
  if (!isKey) return false
  reading.report(r.place, {
    severity: 'warning',
    code: 'missing-comma',
    found: `PRIMARY KEY ( right behind column "${definition.column.name}"`,
    expected: 'a comma before it (it was read as if there were one)',
  })
  const constraint = readTableConstraint(r, reading)
  if (constraint) definition.constraints.push(constraint)
  return true
}

type Attribute = (definition: Definition, r: TokenReader, reading: SqlReading) => unknown

const say = (column: Column, more: Properties): void => {
  column.more = { ...column.more, ...more }
}
const skip: Attribute = () => undefined
const skipWord: Attribute = (_, r) => r.next()
const key =
  (kind: 'primary-key' | 'unique'): Attribute =>
  ({ column, constraints }, r) => {
    r.takeWords('key')
    constraints.push({ kind, name: null, columns: [column.name] })
    skipKeyOptions(r)
  }

/** First word -> what the rest of it says. */
const attributes: Readonly<Record<string, Attribute>> = {
  not: ({ column }, r) => {
    if (r.takeWords('null')) column.nullable = false
    else r.takeOneOf('enforced', 'deferrable', 'valid')
  },
  null: skip,
  default: ({ column }, r) => {
    const value = readDefault(r)
    if (value !== null) column.defaultValue = value
  },
  auto_increment: ({ column }) => say(column, { auto_increment: true }),
  autoincrement: ({ column }) => say(column, { auto_increment: true }),
  primary: key('primary-key'),
  key: key('primary-key'),
  unique: (definition, r, reading) => {
    r.takeWords('nulls') && r.takeOneOf('distinct', 'not') && r.takeWords('distinct')
    key('unique')(definition, r, reading)
  },
  comment: ({ column }, r) => {
    r.takeSign('=')
    column.comment = r.takeString() ?? r.fail('the text of the comment')
  },
  check: ({ column }, r) => {
    column.check = r.group().rest()
    skipKeyOptions(r)
  },
  references: ({ column, constraints }, r, reading) => {
    const found = readReferences(r, [column.name], null, reading)
    constraints.push({ kind: 'foreign-key', key: { ...found, enforced: reading.dialect.enforcesInlineKeys } })
  },
  constraint: (definition, r, reading) => {
    const isNamed = !['check', 'unique', 'primary', 'references', 'not', 'null', 'default'].includes(r.word())
    const name = isNamed ? r.name('the name of the constraint') : null
    const before = definition.constraints.length
    const word = r.word()
    if (!Object.hasOwn(attributes, word)) return
    r.next()
    attributes[word]!(definition, r, reading)
    for (const made of definition.constraints.slice(before))
      if (made.kind === 'foreign-key') made.key.name = name
      else made.name = name
  },
  generated: ({ column }, r) => {
    const how = r.takeWords('by', 'default') ? 'by default' : (r.takeOneOf('always') ?? 'always')
    r.takeWords('on', 'null')
    if (!r.takeWords('as')) r.fail('AS')
    if (r.takeWords('identity')) {
      say(column, { identity: how })
      r.skipGroup()
    } else if (r.isWords('row')) while (!r.atEnd && !r.isWords('comment')) r.next()
    else say(column, { generated: r.group().rest() })
  },
  as: ({ column }, r) => {
    const expression = r.isSign('(') && r.peek(1) ? readComputed(r) : readExpression(r)
    say(column, { generated: expression })
  },
  identity: ({ column }, r) => {
    say(column, { identity: 'by default' })
    r.skipGroup()
  },
  metadata: ({ column }, r) => {
    say(column, { metadata: r.takeWords('from') ? (r.takeString() ?? '') : column.name })
  },
  on: ({ column }, r) => {
    if (r.takeWords('update')) say(column, { on_update: readExpression(r) })
    else r.next()
  },
  with: ({ column }, r) => {
    if (r.isSign('(')) say(column, { column_properties: readPairs(r.group()) })
  },
  options: ({ column }, r) => {
    if (r.isSign('(')) say(column, { column_properties: readPairs(r.group()) })
  },
  storage: skipWord,
  column_format: skipWord,
  compression: skipWord,
  encode: skipWord,
  srid: skipWord,
  virtual: ({ column }) => say(column, { virtual: true }),
  stored: skip,
  persistent: skip,
  visible: skip,
  invisible: ({ column }) => say(column, { invisible: true }),
  hidden: skip,
  deferrable: skip,
  initially: skipWord,
  enforced: skip,
  enable: skip,
  disable: skip,
  novalidate: skip,
  validate: skip,
  rely: skip,
  norely: skip,
}

/** The words of an attribute, at which an expression without parentheses ends. */
const isStop = (r: TokenReader): boolean => {
  const word = r.word()
  if (word === 'with') return r.isSign('(', 1)
  return Object.hasOwn(attributes, word) && word !== 'not' && word !== 'null'
    ? true
    : r.isWords('not', 'null') || word === 'first' || word === 'after'
}

/** The value of DEFAULT: a plain text without its quotes, an expression as written; null for NULL, which is no default. */
export function readDefault(r: TokenReader): string | null {
  const from = r.position
  const text = readExpression(r)
  const taken = r.tokens.slice(from, r.position)
  if (taken.length === 1 && taken[0]!.kind === 'string') return taken[0]!.value
  return /^(?:null(?:::.*)?|\(null\))$/i.test(text) ? null : text
}

/** An expression up to the next attribute, on one line. */
function readExpression(r: TokenReader): string {
  const from = r.position
  if (r.atEnd) r.fail('a value')
  do {
    // the name of a type after `::` may be a word that is an attribute elsewhere
    if (!r.skipGroup()) r.next()
    if (r.tokens[r.position - 1]!.text === ':' && !r.atEnd) r.next()
  } while (!r.atEnd && !isStop(r) && !r.isWords('null') && !isSetClause(r))
  return r.textFrom(from)
}

const isSetClause = (r: TokenReader): boolean => r.isWords('character', 'set') || r.isWords('charset') || r.isWords('collate')

/** `AS (expression)`, where more than the parentheses may belong to it. */
function readComputed(r: TokenReader): string {
  const from = r.position
  r.skipGroup()
  if (r.atEnd || isStop(r))
    return r.tokens.slice(from + 1, r.position - 1).length > 0 ? printTokens(r.tokens.slice(from + 1, r.position - 1)) : ''
  r.position = from
  return readExpression(r)
}

/** What may follow a key: how it is checked, and how its index is made. */
export function skipKeyOptions(r: TokenReader): void {
  for (;;) {
    if (r.takeWords('not', 'enforced') || r.takeWords('not', 'deferrable') || r.takeWords('not', 'valid') || r.takeWords('no', 'inherit'))
      continue
    if (r.takeOneOf('enforced', 'deferrable', 'rely', 'norely', 'enable', 'disable', 'validate', 'novalidate', 'visible', 'invisible'))
      continue
    if (r.takeWords('initially')) r.takeOneOf('deferred', 'immediate')
    else if (r.isWords('using') && r.isName(1)) r.position += 2
    else if (r.takeWords('using', 'index', 'tablespace')) r.next()
    else if (r.takeOneOf('include', 'with')) r.skipGroup()
    else if (r.takeOneOf('key_block_size')) {
      r.takeSign('=')
      r.next()
    } else return
  }
}

/** `(a, b(20) DESC, lower(c))`: names of columns; an expression as written. */
export function readKeyColumns(r: TokenReader, reading: SqlReading): { columns: string[]; isPlain: boolean } {
  let isPlain = true
  const columns = [...r.group().elements()].map((e) => {
    const isColumn = e.isName() && !e.isSign('.', 1) && (!e.isSign('(', 1) || e.peek(2)?.kind === 'number')
    if (!isColumn) {
      isPlain = false
      return e.rest()
    }
    const name = e.name()
    if (e.isSign('(')) isPlain = false
    return name
  })
  if (columns.length === 0)
    reading.report(r.place, { code: 'ddl-syntax', found: 'a key without columns', expected: 'the names of its columns' })
  return { columns, isPlain }
}

/** What stands behind REFERENCES. */
export function readReferences(r: TokenReader, columns: string[], name: string | null, { estate, line, dialect }: SqlReading): ForeignKey {
  const place = r.place
  const target = tableNameOf(r.dottedName('the referenced table'))
  const referenced = r.isSign('(') ? [...r.group().elements()].map((e) => e.name('a column')) : []
  const actions: Properties = {}
  for (;;) {
    if (r.takeWords('match')) r.next()
    else if (r.isWords('on', 'delete') || r.isWords('on', 'update')) {
      r.next()
      actions[`on_${r.next().text.toLowerCase()}`] = readAction(r)
    } else break
  }
  skipKeyOptions(r)
  return {
    name,
    columns,
    database: target.database ?? estate.database,
    table: target.name,
    referenced,
    enforced: dialect.enforcesKeys,
    ...(Object.keys(actions).length > 0 ? { actions } : {}),
    line: line(place),
  }
}

function readAction(r: TokenReader): string {
  const first = r.next().text.toLowerCase()
  if (first !== 'set' && first !== 'no') return first
  const action = `${first} ${r.next().text.toLowerCase()}`
  r.skipGroup()
  return action
}

/** Does a key or rule of the table come next, and no column? */
export function isTableConstraint(r: TokenReader, { dialect }: SqlReading): boolean {
  const word = r.word()
  if (word === 'constraint') return true
  if (word === 'primary') return r.isWords('primary', 'key')
  if (word === 'foreign') return r.isWords('foreign', 'key')
  if (word === 'check' || word === 'exclude') return r.isSign('(', 1) || r.word(1) === 'using'
  if (word === 'unique') return true
  return dialect.hasInlineIndexes && ['key', 'index', 'fulltext', 'spatial'].includes(word)
}

/** PRIMARY KEY, UNIQUE, FOREIGN KEY, CHECK; in MySQL KEY, INDEX, FULLTEXT, SPATIAL. Null for rules that the catalog does not hold. */
export function readTableConstraint(r: TokenReader, reading: SqlReading): Declared | null {
  let name: string | null = null
  if (
    r.takeWords('constraint') &&
    !(r.isWords('primary', 'key') || r.isWords('foreign', 'key') || (r.isWords('check') && r.isSign('(', 1)))
  )
    if (!r.isWords('unique')) name = r.name('the name of the constraint')
  if (r.takeWords('primary', 'key')) {
    skipIndexName(r)
    return { kind: 'primary-key', name, columns: keyOf(r, reading).columns }
  }
  if (r.takeWords('foreign', 'key')) {
    const own = r.isSign('(') ? null : r.name()
    const { columns } = keyOf(r, reading)
    if (!r.takeWords('references')) r.fail('REFERENCES')
    return { kind: 'foreign-key', key: readReferences(r, columns, name ?? own, reading) }
  }
  if (r.takeWords('check')) {
    const expression = r.group().rest()
    skipKeyOptions(r)
    return { kind: 'check', name, expression }
  }
  if (r.takeWords('exclude')) return null
  if (r.takeWords('unique')) return readUnique(r, name, reading)
  return readIndex(r, reading)
}

function readUnique(r: TokenReader, constraint: string | null, reading: SqlReading): Declared {
  r.takeOneOf('key', 'index')
  if (r.takeWords('nulls')) r.takeWords('not') ? r.takeWords('distinct') : r.takeWords('distinct')
  const name = constraint ?? skipIndexName(r)
  const { columns, isPlain } = keyOf(r, reading)
  // unique over a prefix or an expression says nothing about the column itself
  return isPlain ? { kind: 'unique', name, columns } : { kind: 'index', name, columns, properties: { unique: true } }
}

function readIndex(r: TokenReader, reading: SqlReading): Index {
  const special = r.takeOneOf('fulltext', 'spatial')
  r.takeOneOf('key', 'index')
  const name = skipIndexName(r)
  const { columns } = keyOf(r, reading)
  return { kind: 'index', name, columns, properties: special ? { method: special } : {} }
}

/** The optional name of an index, and USING. */
function skipIndexName(r: TokenReader): string | null {
  const name = r.isName() && !r.isWords('using') ? r.name() : null
  if (r.takeWords('using')) r.next()
  return name
}

function keyOf(r: TokenReader, reading: SqlReading): { columns: string[]; isPlain: boolean } {
  const found = readKeyColumns(r, reading)
  skipKeyOptions(r)
  if (r.takeWords('with', 'parser')) r.next()
  if (r.takeWords('comment')) r.takeString()
  return found
}

/** Writes what was declared into its table. */
export function applyDeclared(relation: Relation, declared: Declared, place: number, reading: SqlReading): void {
  if (declared.kind === 'index') {
    append(relation.properties, 'indexes', named(declared.name, { columns: declared.columns, ...declared.properties }))
    return
  }
  applyConstraint(relation, declared, place, reading)
  if (declared.kind !== 'primary-key') return
  for (const name of declared.columns) {
    const column = findColumn(relation, name, reading.estate.fold)
    if (column) column.nullable = false
  }
}

/** `'a' = 'b', c = 1, d.e 'f'`: options of tables and columns. */
export function readPairs(r: TokenReader): Properties {
  const pairs: Properties = {}
  for (const e of r.elements()) {
    const isText = e.peek()?.kind === 'string'
    const key = isText ? e.takeString()! : e.isName() ? e.dottedName().join('.') : e.rest()
    e.takeSign('=')
    const single = e.tokens.length - e.position === 1 ? e.takeString() : undefined
    Object.defineProperty(pairs, key, { value: single ?? e.rest(), enumerable: true, writable: true, configurable: true })
  }
  return pairs
}
