import type { Properties } from '../../vocabulary.js'
import type { Column } from '../ddl/ddl-estate.js'
import { readReferences, readTableConstraint, skipKeyOptions } from './sql-keys.js'
import { printTokens, type TokenReader } from './sql-reader.js'
import { type Definition, readPairs, type SqlReading } from './sql-reading.js'
import { readCharacterSet, readSqlType } from './sql-types.js'
import { printType } from './type-tree.js'

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
