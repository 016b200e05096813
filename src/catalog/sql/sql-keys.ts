import type { Properties } from '../../vocabulary.js'
import type { ForeignKey } from '../ddl/ddl-estate.js'
import type { TokenReader } from './sql-reader.js'
import { type Declared, type Index, type SqlReading, tableNameOf } from './sql-reading.js'

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
