import type { TypeTree } from '../../vocabulary.js'
import { TokenReader } from '../sql/sql-reader.js'
import type { Token } from '../sql/sql-tokens.js'
import { readSqlType } from '../sql/sql-types.js'
import { ahead, closing, is, isGroup, isName, isSign, made, opening, verbatim } from './sql-token-edits.js'

/** Casts in Hive's words: `CAST(x AS character varying(10))` and `x::varchar(10)` are `cast(x as varchar(10))`. */
export function castTypes(tokens: Token[]): Token[] {
  const out: Token[] = []
  /** per open parenthesis: is it that of a cast? */
  const open: boolean[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!
    if (isGroup(token)) open.push(is(tokens[i - 1], 'cast', 'try_cast', 'safe_cast'))
    if (isSign(token, ')')) open.pop()
    if (is(token, 'as') && open.at(-1)) {
      const end = ahead(tokens, i + 1, () => false)
      const type = hiveType(tokens.slice(i + 1, end))
      if (isNested(type)) nest(out)
      else out.push(token, verbatim(type, tokens[i + 1] ?? token))
      i = end - 1
    } else if (isSign(token, ':') && isSign(tokens[i + 1], ':')) {
      const length = typeLength(tokens.slice(i + 2))
      const type = hiveType(tokens.slice(i + 2, i + 2 + length))
      const start = operandStart(out)
      const glue = { glued: true as const }
      out.splice(start, 0, made('word', isNested(type) ? nestedCast : 'cast', token), { ...made('sign', '(', token), ...glue })
      const first = out[start + 2]
      if (first) out[start + 2] = { ...first, ...glue }
      if (!isNested(type)) out.push(verbatim(`as ${type}`, token))
      out.push({ ...made('sign', ')', token), ...glue })
      i += 1 + length
    } else out.push(token)
  }
  return out
}

/** Hive casts to no arrays, maps and structs: there a function of this name stands. */
export const nestedCast = 'cast_to_nested'
const isNested = (type: string): boolean => type.includes('<')

function nest(out: Token[]): void {
  for (let i = out.length - 1, depth = 1; i >= 0; i--) {
    if (isSign(out[i], ')')) depth++
    if (!isGroup(out[i]) || --depth > 0) continue
    out[i - 1] = made('word', nestedCast, out[i - 1]!)
    return
  }
}

/** Where the operand begins that `tokens` end with: a literal, a name, a call, something in parentheses, an element of an array. */
function operandStart(tokens: readonly Token[]): number {
  let start = tokens.length - 1
  while (start > 0 && isSign(tokens[start], ']')) {
    let depth = 0
    for (; start >= 0; start--) {
      if (isSign(tokens[start], ']')) depth++
      if (isSign(tokens[start], '[') && --depth === 0) break
    }
    start--
  }
  if (isSign(tokens[start], ')')) {
    start = opening(tokens, start)
    if (
      start > 0 &&
      isName(tokens[start - 1]) &&
      !is(tokens[start - 1], 'in', 'and', 'or', 'not', 'select', 'when', 'then', 'else', 'by', 'on', 'where')
    )
      start--
  }
  while (start > 1 && isSign(tokens[start - 1], '.') && isName(tokens[start - 2])) start -= 2
  return Math.max(0, start)
}

const zone = /^(?:varying|precision|with|without|time|zone|local)$/i

/** How many tokens the type has that these begin with. */
function typeLength(tokens: readonly Token[]): number {
  let i = 1
  while (isSign(tokens[i], '.')) i += 2
  for (; i < tokens.length; i++) {
    const token = tokens[i]!
    if (token.kind === 'word' && zone.test(token.text)) continue
    if (token.text === '[' && (tokens[i + 1]?.text === ']' || tokens[i + 2]?.text === ']')) i = closing(tokens, i)
    else if (token.text === '(' && i <= 3) i = closing(tokens, i)
    else break
  }
  return i
}

/** A type that Hive casts to, the nearest one; others are `string`. */
const hiveNames: Readonly<Record<string, string>> = {
  int2: 'smallint',
  smallserial: 'smallint',
  mediumint: 'int',
  int4: 'int',
  integer: 'int',
  serial: 'int',
  int8: 'bigint',
  bigserial: 'bigint',
  signed: 'bigint',
  unsigned: 'bigint',
  'signed integer': 'bigint',
  'unsigned integer': 'bigint',
  real: 'float',
  float4: 'float',
  float8: 'double',
  'double precision': 'double',
  numeric: 'decimal',
  number: 'decimal',
  dec: 'decimal',
  bool: 'boolean',
  datetime: 'timestamp',
  timestamptz: 'timestamp',
  timestamp_ltz: 'timestamp',
  timestamp_ntz: 'timestamp',
  'timestamp with time zone': 'timestamp',
  'timestamp without time zone': 'timestamp',
  'timestamp with local time zone': 'timestamp',
  bytea: 'binary',
  varbinary: 'binary',
  blob: 'binary',
  bytes: 'binary',
  character: 'char',
  'character varying': 'varchar',
  'char varying': 'varchar',
}
const ownNames = new Set(
  'tinyint smallint int bigint float double decimal boolean date timestamp string binary varchar char array map struct row multiset'.split(
    ' ',
  ),
)

export function hiveType(tokens: readonly Token[]): string {
  const end = tokens.at(-1)?.end ?? 0
  try {
    return print(readSqlType(new TokenReader(tokens, end)).type)
  } catch {
    return 'string'
  }
}

function print({ name, arguments: numbers = [], elements = [], fields = [] }: TypeTree): string {
  const lower = name.toLowerCase()
  const known = Object.hasOwn(hiveNames, lower) ? hiveNames[lower]! : lower
  if (!ownNames.has(known)) return 'string'
  if (known === 'array' || known === 'multiset') return `array<${elements[0] ? print(elements[0]) : 'string'}>`
  if (known === 'map') return `map<${elements.map(print).join(',') || 'string,string'}>`
  if (known === 'struct' || known === 'row') return `struct<${fields.map((field) => `\`${field.name}\`:${print(field.type)}`).join(',')}>`
  if (known === 'varchar' || known === 'char') return numbers.length === 1 ? `${known}(${numbers[0]})` : 'string'
  return known === 'decimal' && numbers.length > 0 ? `decimal(${numbers.join(',')})` : known
}
