import type { Expression } from './hive-expression.js'
import type { Item } from './hive-query.js'

/** What a dialect calls a column that its query gives no name; `place` from 0. Hive's `_c0` where the rule is not known here. */
export function unnamedColumn(dialect: string, item: Item, place: number): string {
  if (item.kind === 'star') return ''
  const rule = Object.hasOwn(rules, dialect) ? rules[dialect] : undefined
  return rule ? rule(item.expression, place) : `_c${place}`
}

const rules: Readonly<Record<string, (expression: Expression, place: number) => string>> = {
  'trino-ddl': (_, place) => `_col${place}`,
  'flink-ddl': (_, place) => `EXPR$${place}`,
  // the expression as it is written
  'mysql-ddl': ({ text }) => text.replaceAll('`', ''),
  'postgres-ddl': (expression) => postgresName(expression),
}

const nothing = '?column?'
/** What PostgreSQL calls the types that it casts to, by Hive's names. */
const types: Readonly<Record<string, string>> = {
  ...{
    int: 'int4',
    bigint: 'int8',
    smallint: 'int2',
    double: 'float8',
    float: 'float4',
    boolean: 'bool',
    decimal: 'numeric',
    string: 'text',
  },
  ...{ char: 'bpchar', binary: 'bytea' },
}
/** Functions by other names than they were called. */
const respelled: Readonly<Record<string, string>> = { struct: 'row' }

/**
 * A function's name, a cast column's own one, the type of any other cast; `case`, `exists`; the name within a scalar sub-query
 * (FigureColname in PostgreSQL's parse_target.c).
 */
function postgresName({ text, queries }: Expression): string {
  const [first] = queries[0]?.query.branches[0]?.items ?? []
  if (/^\(\s*(?:select|with)\b/i.test(text) && first?.kind === 'value')
    return first.names[0] ?? first.expression.ownName ?? postgresName(first.expression)
  return nameOf(text)
}

function nameOf(text: string): string {
  const cast = /^cast\s*\(\s*(.+?)\s+as\s+([a-z]+)(?:\([\d,]*\))?\s*\)$/is.exec(text)
  if (cast) {
    const column = /^(?:`?[\p{L}_][\p{L}\p{N}_$]*`?\s*\.\s*)*`?([\p{L}_][\p{L}\p{N}_$]*)`?$/u.exec(cast[1]!)?.[1]
    const inner = column ?? nameOf(cast[1]!)
    return inner === nothing ? (types[cast[2]!.toLowerCase()] ?? cast[2]!.toLowerCase()) : inner
  }
  if (/^case\b/i.test(text)) return 'case'
  if (/^current_[a-z]+$/i.test(text)) return text.toLowerCase()
  const call = /^(?:`?[\p{L}_][\p{L}\p{N}_$]*`?\.)*`?([\p{L}_][\p{L}\p{N}_$]*)`?\s*\(/u.exec(text)
  if (!call || !isWholeCall(text, call[0].length)) return nothing
  return respelled[call[1]!.toLowerCase()] ?? call[1]!.toLowerCase()
}

/** Is there nothing behind the call but what says over which rows it goes? */
function isWholeCall(text: string, behindOpen: number): boolean {
  let depth = 1
  let at = behindOpen
  for (let quote = ''; at < text.length && depth > 0; at++) {
    const c = text[at]!
    if (quote !== '') {
      if (c === '\\') at++
      else if (c === quote) quote = ''
    } else if (c === "'" || c === '`') quote = c
    else if (c === '(') depth++
    else if (c === ')') depth--
  }
  return /^\s*(?:$|over\b|within\s+group\b)/i.test(text.slice(at))
}
