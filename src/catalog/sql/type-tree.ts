import type { CanonicalType, TypeTree } from '../../vocabulary.js'

/**
 * Reads a column type of Hive (and of the dialects that spell types likewise) into a tree: `decimal(10,2)`,
 * `array<map<string,int>>`, `struct<a:int comment 'x',b:string>`, `uniontype<int,string>`, `double precision`,
 * `timestamp with local time zone`. Returns null where the text is not a type.
 */
export function parseType(text: string): TypeTree | null {
  const reader = new TypeReader(text)
  const tree = reader.type()
  return tree && reader.atEnd() ? tree : null
}

/** A type as one normalised string without spaces or member comments: `struct<a:int,b:array<string>>`. */
export function printType(type: TypeTree): string {
  if (type.fields) return `${type.name}<${type.fields.map((f) => `${printName(f.name)}:${printType(f.type)}`).join(',')}>`
  if (type.elements) return `${type.name}<${type.elements.map(printType).join(',')}>`
  return type.arguments ? `${type.name}(${type.arguments.join(',')})` : type.name
}

const printName = (name: string): string => (/^[\p{L}\p{N}_$]+$/u.test(name) ? name : `\`${name.replaceAll('`', '``')}\``)

/** Canonical type -> the names of types that are so, in any dialect. What is not here (interval, mixed, unknown, union, void) has none. */
const namesOf: Record<CanonicalType, readonly string[]> = {
  string: [
    ...['string', 'varchar', 'char', 'text', 'binary', 'uuid', 'character', 'character varying', 'char varying', 'nchar', 'nvarchar'],
    ...[
      'national character',
      'national char',
      'national varchar',
      'bpchar',
      'citext',
      'name',
      'clob',
      'tinytext',
      'mediumtext',
      'longtext',
    ],
    ...['enum', 'set', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob', 'bytea', 'bytes', 'xml', 'inet', 'cidr', 'macaddr'],
  ],
  number: [
    ...['tinyint', 'smallint', 'mediumint', 'int', 'integer', 'bigint', 'float', 'real', 'double', 'double precision', 'decimal', 'dec'],
    ...['numeric', 'number', 'fixed', 'money', 'byte', 'short', 'long', 'int2', 'int4', 'int8', 'float4', 'float8'],
    ...['smallserial', 'serial', 'bigserial', 'serial2', 'serial4', 'serial8', 'oid'],
  ],
  boolean: ['boolean', 'bool'],
  date: [
    ...[
      'date',
      'timestamp',
      'timestamp with local time zone',
      'timestamp with time zone',
      'timestamp without time zone',
      'timestamplocaltz',
    ],
    ...['timestamptz', 'timestamp_ltz', 'timestamp_ntz', 'datetime', 'year', 'time', 'timetz', 'time with time zone'],
    'time without time zone',
  ],
  array: ['array', 'multiset'],
  object: ['map', 'struct', 'object', 'row', 'json', 'jsonb', 'hstore', 'variant'],
}
const canonical: Record<string, CanonicalType> = Object.fromEntries(
  Object.entries(namesOf).flatMap(([type, names]) => names.map((name) => [name, type as CanonicalType])),
)

/** One of the six canonical types, by the outermost type alone (`array<int>` is an array); null where none fits. */
export const canonicalType = (type: TypeTree): CanonicalType | null => (Object.hasOwn(canonical, type.name) ? canonical[type.name]! : null)

const token =
  /\s*(?:([\p{L}_$][\p{L}\p{N}_$]*|\d+[\p{L}_$][\p{L}\p{N}_$]*)|(\d+)|`((?:[^`]|``)*)`|('(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S])*")|([<>(),:]))/uy

/** Recursive descent over one type; every method returns null where the text does not fit. */
class TypeReader {
  private position = 0
  private kind: 'word' | 'number' | 'name' | 'string' | 'sign' | 'end' | 'bad' = 'end'
  private value = ''

  constructor(private readonly text: string) {
    this.advance()
  }

  atEnd(): boolean {
    return this.kind === 'end'
  }

  type(): TypeTree | null {
    if (this.kind !== 'word') return null
    const name = this.value.toLowerCase()
    this.advance()
    if (name === 'double' && this.takeWord('precision')) return { name: 'double precision' }
    if (name === 'timestamp' && this.takeWord('with')) {
      const zoned = this.takeWord('local') && this.takeWord('time') && this.takeWord('zone')
      return zoned ? { name: 'timestamp with local time zone' } : null
    }
    if (this.take('<')) return name === 'struct' || name === 'object' ? this.members(name) : this.elements(name)
    if (this.take('(')) return this.numbers(name)
    return { name }
  }

  private elements(name: string): TypeTree | null {
    const elements: TypeTree[] = []
    do {
      const element = this.type()
      if (!element) return null
      elements.push(element)
    } while (this.take(','))
    return this.take('>') ? { name, elements } : null
  }

  private members(name: string): TypeTree | null {
    const fields: NonNullable<TypeTree['fields']> = []
    do {
      if (this.kind !== 'word' && this.kind !== 'name' && this.kind !== 'number') return null
      const member = this.value
      this.advance()
      if (!this.take(':')) return null
      const type = this.type()
      if (!type) return null
      const comment = this.takeWord('comment') ? this.string() : undefined
      fields.push(comment === undefined ? { name: member, type } : { name: member, type, comment })
    } while (this.take(','))
    return this.take('>') ? { name, fields } : null
  }

  private numbers(name: string): TypeTree | null {
    const numbers: number[] = []
    do {
      if (this.kind !== 'number') return null
      numbers.push(Number(this.value))
      this.advance()
    } while (this.take(','))
    return this.take(')') ? { name, arguments: numbers } : null
  }

  private string(): string | undefined {
    if (this.kind !== 'string') return undefined
    const value = decodeString(this.value)
    this.advance()
    return value
  }

  private take(sign: string): boolean {
    if (this.kind !== 'sign' || this.value !== sign) return false
    this.advance()
    return true
  }

  private takeWord(word: string): boolean {
    if (this.kind !== 'word' || this.value.toLowerCase() !== word) return false
    this.advance()
    return true
  }

  private advance(): void {
    token.lastIndex = this.position
    const match = token.exec(this.text)
    if (!match) {
      this.kind = this.text.slice(this.position).trim() === '' ? 'end' : 'bad'
      return
    }
    this.position = token.lastIndex
    const [, word, number, name, string, sign] = match
    if (word !== undefined) [this.kind, this.value] = ['word', word]
    else if (number !== undefined) [this.kind, this.value] = ['number', number]
    else if (name !== undefined) [this.kind, this.value] = ['name', name.replaceAll('``', '`')]
    else if (string !== undefined) [this.kind, this.value] = ['string', string]
    else [this.kind, this.value] = ['sign', sign!]
  }
}

const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r', '0': '\0', b: '\b', Z: '\u001a' }

/**
 * The value of a quoted literal with backslash escapes (`\n`, `\u00e9`, `\'`). A doubled quote is read as one quote, as people mean it
 * (Hive itself would join two literals).
 */
export function decodeString(literal: string): string {
  const quote = literal[0]
  if (quote !== "'" && quote !== '"') return literal
  return literal
    .slice(1, -1)
    .replaceAll(quote + quote, quote)
    .replace(/\\(?:u([0-9a-fA-F]{4})|([0-3][0-7]{2})|([\s\S]))/g, (_, unicode, octal, other: string) => {
      if (unicode) return String.fromCharCode(Number.parseInt(unicode, 16))
      if (octal) return String.fromCharCode(Number.parseInt(octal, 8))
      // Hive keeps the backslash before % and _, which are LIKE patterns
      return escapes[other] ?? (other === '%' || other === '_' ? `\\${other}` : other)
    })
}
