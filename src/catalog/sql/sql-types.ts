import type { Properties, TypeTree } from '../../vocabulary.js'
import type { TokenReader } from './sql-reader.js'
import { printType } from './type-tree.js'

/** A column's type as it was read. */
export interface SqlType {
  type: TypeTree
  /** the type in full, where the tree does not say all: `int unsigned`, `enum('a','b')` */
  text?: string
  /** sign, character set, collation */
  more: Properties
}

/** Types that a script defines itself (CREATE TYPE … AS ENUM, CREATE DOMAIN): folded name -> what they are. */
export type UserTypes = ReadonlyMap<string, TypeTree>

/** First word -> the words that may follow it in the name of a type, the longest first. */
const continuations: Record<string, readonly string[][]> = {
  double: [['precision']],
  character: [['varying'], ['large', 'object']],
  char: [['varying'], ['large', 'object'], ['byte']],
  nchar: [['varying']],
  national: [['character', 'varying'], ['char', 'varying'], ['varchar'], ['character'], ['char']],
  long: [['varchar'], ['varbinary']],
  binary: [['varying'], ['large', 'object']],
  bit: [['varying']],
}
const zones = [
  ['with', 'local', 'time', 'zone'],
  ['with', 'time', 'zone'],
  ['without', 'time', 'zone'],
]
const intervalFields = new Set(['year', 'month', 'day', 'hour', 'minute', 'second', 'to', 'week', 'quarter'])
const modifiers = new Set(['unsigned', 'signed', 'zerofill'])

/** Reads the type that comes next. `userTypes` resolves names that the script defined. */
export function readSqlType(r: TokenReader, userTypes: UserTypes = new Map()): SqlType {
  const core = readCore(r, userTypes)
  let { type, text } = core
  for (let suffix = readArraySuffix(r); suffix; suffix = readArraySuffix(r)) {
    type = { name: 'array', elements: [type] }
    text = undefined
  }
  const more: Properties = {}
  const full = text ?? printType(type)
  const said: string[] = []
  for (let word = r.word(); modifiers.has(word); word = r.word()) {
    r.next()
    if (word === 'signed') continue
    said.push(word)
    more[word] = true
  }
  const collation = readCharacterSet(r)
  const whole = said.length > 0 ? `${full} ${said.join(' ')}` : text
  return { type, ...(whole === undefined ? {} : { text: whole }), more: { ...more, ...collation } }
}

/** `[]`, `[3]`, ARRAY, ARRAY[3] and MULTISET behind the type of an element. */
function readArraySuffix(r: TokenReader): boolean {
  const isWord = r.takeOneOf('array', 'multiset') !== null
  if (!r.isSign('[')) return isWord
  while (!r.takeSign(']')) r.next()
  return true
}

/** CHARACTER SET, COLLATE and the older BINARY, ASCII, UNICODE of MySQL, in any order. */
export function readCharacterSet(r: TokenReader): Properties {
  const more: Properties = {}
  for (;;) {
    if (r.takeWords('character', 'set') || r.takeWords('charset')) {
      r.takeSign('=')
      more['character_set'] = nameOrText(r)
    } else if (r.takeWords('collate')) {
      r.takeSign('=')
      more['collation'] = nameOrText(r)
    } else if (r.isWords('binary') && !r.isSign('(', 1)) {
      r.next()
      more['collation'] = 'binary'
    } else if (r.isWords('ascii') || r.isWords('unicode')) more['character_set'] = r.next().text.toLowerCase()
    else return more
  }
}

const nameOrText = (r: TokenReader): string => r.takeString() ?? r.dottedName().join('.')

function readCore(r: TokenReader, userTypes: UserTypes): { type: TypeTree; text?: string | undefined } {
  const isQuoted = r.peek()?.kind === 'quoted'
  const parts = r.dottedName('a type')
  const written = parts.at(-1)!
  const user = userTypes.get(parts.join('.')) ?? userTypes.get(written)
  if (user) return { type: user, text: parts.join('.') }
  let name = (parts[0] === 'pg_catalog' || parts.length === 1 ? written : parts.join('.')).toLowerCase()
  if (isQuoted && parts.length === 1) name = written
  if (name === 'array' || name === 'multiset') return { type: { name, elements: readElements(r, userTypes) } }
  if (name === 'map') return { type: { name, elements: readElements(r, userTypes) } }
  if (name === 'struct' || name === 'row' || name === 'object') return { type: { name, fields: readMembers(r, userTypes) } }
  if (name === 'enum' || name === 'set') return { type: { name }, text: `${name}(${quotedList(r)})` }
  if (name === 'interval') return { type: { name }, text: intervalText(r) }
  name = [name, ...takeFirst(r, continuations[name] ?? [])].join(' ')
  const { numbers, text } = readArguments(r)
  const zone = name === 'timestamp' || name === 'time' ? takeFirst(r, zones) : []
  if (zone.length > 0) return zoned(name, numbers, zone.join(' '))
  const type: TypeTree = numbers.length > 0 ? { name, arguments: numbers } : { name }
  return text === null ? { type } : { type, text: `${name}(${text})` }
}

/** `timestamp(3) with time zone`: the length stands inside its name. */
function zoned(name: string, numbers: number[], zone: string): { type: TypeTree; text?: string } {
  const type: TypeTree = { name: `${name} ${zone}`, ...(numbers.length > 0 ? { arguments: numbers } : {}) }
  return numbers.length > 0 ? { type, text: `${name}(${numbers.join(',')}) ${zone}` } : { type }
}

const takeFirst = (r: TokenReader, options: readonly (readonly string[])[]): readonly string[] =>
  options.find((words) => r.takeWords(...words)) ?? []

/** Length, precision and scale. `text` where something else stands there (`max`, `point,4326`). */
function readArguments(r: TokenReader): { numbers: number[]; text: string | null } {
  if (!r.isSign('(')) return { numbers: [], text: null }
  const inside = r.group()
  const texts = [...inside.elements()].map((e) => e.rest())
  const numbers = texts.map((t) => Number(/^-?\s*\d+/.exec(t)?.[0].replace(/\s/g, '') ?? Number.NaN))
  const isPlain = texts.every((t) => /^-?\s*\d+(?:\s+(?:char|byte))?$/i.test(t))
  return isPlain ? { numbers, text: null } : { numbers: [], text: texts.join(',').toLowerCase() }
}

const quotedList = (r: TokenReader): string =>
  [...r.group().elements()].map((e) => `'${(e.takeString() ?? e.rest()).replaceAll("'", "''")}'`).join(',')

function intervalText(r: TokenReader): string {
  const from = r.position
  while (intervalFields.has(r.word()) || (r.isSign('(') && r.skipGroup())) if (r.word() !== '') r.next()
  const fields = r.textFrom(from).toLowerCase()
  return fields === '' ? 'interval' : `interval ${fields}`
}

/** `<int, string>` and `(integer, varchar)` alike; none where nothing follows. */
function readElements(r: TokenReader, userTypes: UserTypes): TypeTree[] {
  const close = r.takeSign('<') ? '>' : r.takeSign('(') ? ')' : null
  if (!close) return []
  const elements: TypeTree[] = []
  do {
    elements.push(readSqlType(r, userTypes).type)
    skipNullability(r)
  } while (r.takeSign(','))
  r.expectSign(close)
  return elements
}

function readMembers(r: TokenReader, userTypes: UserTypes): NonNullable<TypeTree['fields']> {
  const close = r.takeSign('<') ? '>' : r.takeSign('(') ? ')' : null
  const fields: NonNullable<TypeTree['fields']> = []
  if (!close || r.takeSign(close)) return fields
  do {
    // Trino's rows may leave names out: `row(bigint, varchar(5))`
    const isNamed = r.isSign(':', 1) || r.isName(1)
    const name = isNamed ? r.name('the name of a member') : `field${fields.length}`
    if (isNamed) r.takeSign(':')
    const { type } = readSqlType(r, userTypes)
    skipNullability(r)
    const comment = r.takeWords('comment') ? r.takeString() : r.takeString()
    fields.push(comment === undefined ? { name, type } : { name, type, comment })
  } while (r.takeSign(','))
  r.expectSign(close)
  return fields
}

const skipNullability = (r: TokenReader): unknown => r.takeWords('not', 'null') || r.takeWords('null')
