import type { Token } from '../sql/sql-tokens.js'
import { naturalColumns } from './hive-scope.js'
import { castTypes } from './sql-casts.js'
import { clauseEnds, readAlias, sources } from './sql-from.js'
import {
  ahead,
  behindName,
  closing,
  enclosing,
  is,
  isGroup,
  isName,
  isSign,
  made,
  opening,
  replace,
  verbatim,
  words,
} from './sql-token-edits.js'

/**
 * What the dialects of SQL say in words of their own, said as the Hive grammar reads it, as far as lineage goes: which columns flow
 * where stays the same, what only orders or limits rows is left out. Tokens in, tokens out.
 */
export interface Rewriting {
  tokens: Token[]
  /** WITH RECURSIVE: a CTE may name itself */
  isRecursive: boolean
}

type Rule = (tokens: Token[], dialect: string) => Token[]

export function rewriteQuery(given: readonly Token[], dialect: string): Rewriting {
  const isRecursive = given.some((token, i) => is(token, 'recursive') && is(given[i - 1], 'with'))
  let tokens = given.filter((token, i) => !(is(token, 'recursive') && is(given[i - 1], 'with')))
  for (const rule of rules) tokens = rule(tokens, dialect)
  return { tokens, isRecursive }
}

/** TABLE a: all of it. */
const wholeTable: Rule = (tokens) =>
  replace(tokens, (i) => {
    const before = tokens[i - 1]
    const isQuery =
      before === undefined ||
      is(before, 'union', 'all', 'except', 'intersect') ||
      (isGroup(before) && (is(tokens[i - 2], 'as', 'from', 'join', 'lateral') || isSign(tokens[i - 2], ',')))
    return isQuery && is(tokens[i], 'table') && isName(tokens[i + 1]) ? { take: 1, put: words('select * from', tokens[i]!) } : null
  })

const modifiers = [
  'sql_calc_found_rows',
  'sql_cache',
  'sql_no_cache',
  'sql_small_result',
  'sql_big_result',
  'sql_buffer_result',
  'high_priority',
]

/** SELECT DISTINCT ON (…), and what MySQL says of how to run it. */
const selectModifiers: Rule = (tokens, dialect) =>
  replace(tokens, (i) => {
    if (is(tokens[i], 'distinct') && is(tokens[i + 1], 'on') && isGroup(tokens[i + 2]))
      return { take: closing(tokens, i + 2) - i + 1, put: [tokens[i]!] }
    if (dialect !== 'mysql-ddl') return null
    if (is(tokens[i], 'straight_join'))
      return { take: 1, put: is(tokens[i - 1], 'select', 'distinct', 'all', ...modifiers) ? [] : words('join', tokens[i]!) }
    if (is(tokens[i], 'distinctrow')) return { take: 1, put: words('distinct', tokens[i]!) }
    return is(tokens[i], ...modifiers) && is(tokens[i - 1], 'select', 'distinct', 'all', 'straight_join', ...modifiers) ? { take: 1 } : null
  })

/** Words that begin what neither adds nor takes columns, and goes to the end of its query. */
function isTail(tokens: readonly Token[], i: number): boolean {
  const [token, next] = [tokens[i], tokens[i + 1]]
  if (is(token, 'for')) return is(next, 'update', 'share', 'key') || (is(next, 'no') && is(tokens[i + 2], 'key'))
  if (is(token, 'lock')) return is(next, 'in') && is(tokens[i + 2], 'share')
  if (is(token, 'fetch')) return is(next, 'first', 'next')
  if (is(token, 'offset')) return next?.kind === 'number' || /^[?$:]/.test(next?.text ?? '')
  if (is(token, 'on')) return (is(next, 'conflict') && !isSign(tokens[i + 2], '.')) || (is(next, 'duplicate') && is(tokens[i + 2], 'key'))
  return is(token, 'returning') && (isName(next) || isSign(next, '*')) && !isSign(tokens[i - 1], '.')
}

const tails: Rule = (tokens) =>
  replace(tokens, (i) => {
    if (is(tokens[i], 'limit') && is(tokens[i + 1], 'all')) return { take: 2 }
    if (!isTail(tokens, i)) return null
    const isWriting = is(tokens[i], 'on', 'returning')
    const end = isWriting
      ? tokens.length
      : ahead(tokens, i + 1, (k) => is(tokens[k], 'limit', 'union', 'except', 'intersect', 'fetch', 'for'))
    return { take: Math.max(1, end - i) }
  })

/** A table as of a time, a sample of it, the indexes to use, ONLY. */
const tableModifiers: Rule = (tokens, dialect) =>
  replace(tokens, (i) => {
    const token = tokens[i]
    if (
      is(token, 'only') &&
      is(tokens[i - 1], 'from', 'join') &&
      (isName(tokens[i + 1]) || isGroup(tokens[i + 1])) &&
      !is(tokens[i + 1], 'as', 'where')
    )
      return { take: 1 }
    const from = is(token, 'for') ? i + 1 : i
    const isTravel =
      is(tokens[from], 'system_time', 'system_version', 'version', 'timestamp') && is(tokens[from + 1], 'as') && is(tokens[from + 2], 'of')
    if (isTravel) return { take: behindValue(tokens, from + 3) - i }
    if (is(token, 'tablesample')) {
      const group = isGroup(tokens[i + 1]) ? i + 1 : i + 2
      if (!isGroup(tokens[group])) return null
      const end = closing(tokens, group) + 1
      return { take: (is(tokens[end], 'repeatable') ? closing(tokens, end + 1) + 1 : end) - i }
    }
    if (dialect !== 'mysql-ddl' || !is(token, 'use', 'force', 'ignore') || !is(tokens[i + 1], 'index', 'key')) return null
    const group = ahead(tokens, i + 2, (k) => isGroup(tokens[k]))
    return { take: closing(tokens, group) - i + 1 }
  })

/** A literal, a name or a call that stands alone: the index behind it. */
function behindValue(tokens: readonly Token[], from: number): number {
  const at = is(tokens[from], 'timestamp', 'date', 'interval') && tokens[from + 1]?.kind === 'string' ? from + 1 : from
  if (!isName(tokens[at])) return at + 1
  const end = behindName(tokens, at)
  return isGroup(tokens[end]) ? closing(tokens, end) + 1 : end
}

/** `max(x) FILTER (WHERE c)` is the same as `max(CASE WHEN c THEN x END)`. */
const filters: Rule = (tokens, dialect) =>
  replace(tokens, (i, out) => {
    const isFilter = is(tokens[i], 'filter') && isSign(out.at(-1), ')') && isGroup(tokens[i + 1]) && is(tokens[i + 2], 'where')
    const open = isFilter ? opening(out, out.length - 1) : -1
    if (open < 0) return null
    const [token, end] = [tokens[i]!, closing(tokens, i + 1)]
    const first = is(out[open + 1], 'distinct') ? open + 2 : open + 1
    const behind = ahead(out, first, (k) => isSign(out[k], ','))
    const value = isSign(out[first], '*') ? [verbatim('1', token)] : out.slice(first, behind)
    const condition = filters(tokens.slice(i + 3, end), dialect)
    out.splice(first, behind - first, ...words('case when', token), ...condition, ...words('then', token), ...value, ...words('end', token))
    return { take: end - i + 1 }
  })

const noCalls = 'over as group in exists from join and or not where on select union all any some values by when then else using sets'.split(
  ' ',
)

/** ORDER BY and SEPARATOR inside of an aggregate's arguments. */
const orderedArguments: Rule = (tokens) =>
  replace(tokens, (i) => {
    const isOrder = is(tokens[i], 'order') && is(tokens[i + 1], 'by')
    const isSeparator = is(tokens[i], 'separator') && tokens[i + 1]?.kind === 'string'
    if (!isOrder && !isSeparator) return null
    const open = enclosing(tokens, i)
    const isCall = open > 0 && isName(tokens[open - 1]) && !is(tokens[open - 1], ...noCalls)
    const isQuery = is(tokens[open + 1], 'select', 'with', 'values', 'from', 'partition') || open + 1 === i
    if (!isCall || isQuery) return null
    return { take: (isOrder ? ahead(tokens, i, (k) => is(tokens[k], 'separator')) : i + 2) - i }
  })

/** Operators that Hive lacks, as others of the same columns and much the same type. The longest first. */
const operators: Readonly<Record<string, readonly [sign: string, becomes: string][]>> = {
  'postgres-ddl': [
    ['!~~*', 'not like'],
    ['!~~', 'not like'],
    ['!~*', 'not rlike'],
    ['~~*', 'like'],
    ['->>', '||'],
    ['#>>', '||'],
    ['!~', 'not rlike'],
    ['~~', 'like'],
    ['~*', 'rlike'],
    ['->', '||'],
    ['#>', '||'],
    ['#-', '||'],
    ['@>', '='],
    ['<@', '='],
    ['@@', '='],
    ['@?', '='],
    ['?|', '='],
    ['?&', '='],
    ['&&', '='],
    ['^@', '='],
    ['<<', '*'],
    ['>>', '*'],
    ['?', '='],
    ['#', '^'],
    ['~', 'rlike'],
  ],
  'mysql-ddl': [
    ['->>', '||'],
    ['->', '||'],
    ['&&', 'and'],
    ['<<', '*'],
    ['>>', '*'],
  ],
}
/** Operators of two signs, or more, that are no others. */
const common = ['<=>', '||', '<>', '<=', '>=', '!=', '==', '::', ':=']

const signs: Rule = (tokens, dialect) => {
  const own = operators[dialect]
  if (!own) return tokens
  return replace(tokens, (i) => {
    const pieces = signsFrom(tokens, i)
    const run = pieces.join('')
    const take = (sign: string) => pieces.findIndex((_, k) => pieces.slice(0, k + 1).join('').length >= sign.length) + 1
    const known = common.find((sign) => run.startsWith(sign))
    if (known) return { take: take(known), put: tokens.slice(i, i + take(known)) }
    const found = own.find(([sign]) => run.startsWith(sign))
    // before a value it is no operator of two sides
    if (!found || (found[0].length === 1 && !isOperand(tokens[i - 1]))) return null
    return { take: take(found[0]), put: [verbatim(found[1], tokens[i]!)] }
  })
}

/** Signs that stand together, four at most; `@` is a letter of names elsewhere. */
function signsFrom(tokens: readonly Token[], from: number): string[] {
  const pieces: string[] = []
  for (let k = from; k < from + 4; k++) {
    const token = tokens[k]
    if (!token || !(token.kind === 'sign' || /^@+$/.test(token.text)) || (k > from && tokens[k - 1]!.end !== token.start)) break
    pieces.push(token.text)
  }
  return pieces
}

const isOperand = (token: Token | undefined): boolean =>
  token !== undefined &&
  (token.kind !== 'sign' || token.text === ')' || token.text === ']') &&
  !is(token, ...noCalls, 'case', 'distinct', 'between', 'like')

const literalTypes =
  'decimal numeric char varchar text json jsonb uuid time double real bigint integer int smallint boolean bool bytea inet'.split(' ')

/** Words between operands, and those that say what a literal is. */
const smallWords: Rule = (tokens, dialect) =>
  replace(tokens, (i) => {
    const [token, next, before] = [tokens[i]!, tokens[i + 1], tokens[i - 1]]
    if (token.kind === 'string' && isAlias(tokens, i, dialect)) return { take: 1, put: [{ ...token, kind: 'quoted' }] }
    if (token.kind !== 'word' || isSign(before, '.')) return mysqlSign(tokens, i, dialect)
    if (is(token, 'ilike')) return { take: 1, put: [verbatim('like', token)] }
    if (is(token, 'similar') && is(next, 'to')) return { take: 2, put: [verbatim('like', token)] }
    if (is(token, 'sounds') && is(next, 'like')) return { take: 2, put: [verbatim('=', token)] }
    if (is(token, 'collate') && isOperand(before) && (isName(next) || next?.kind === 'string'))
      return { take: behindName(tokens, i + 1) - i }
    if (is(token, 'at') && is(next, 'time') && is(tokens[i + 2], 'zone'))
      return { take: behindValue(tokens, i + 3) - i, put: [verbatim("+ interval '0' day", token)] }
    if (is(token, 'at') && is(next, 'local')) return { take: 2 }
    if (is(token, ...literalTypes) && next?.kind === 'string' && dialect !== 'mysql-ddl' && !isOperand(before)) return { take: 1 }
    if (is(token, 'any', 'some', 'all') && isGroup(next) && before?.kind === 'sign' && /[=<>~]/.test(before.text)) return { take: 1 }
    // key words of Hive
    if (is(token, 'transform', 'reduce') && isGroup(next)) return { take: 1, put: words(`${token.text}_of`, token) }
    if (is(token, 'row') && isGroup(next)) return { take: 1, put: words('struct', token) }
    if (is(token, 'array') && isSign(next, '[')) return { take: closing(tokens, i + 1) - i + 1, put: list(tokens, i, dialect) }
    return dialect === 'mysql-ddl' ? mysqlWord(tokens, i) : null
  })

/** A text where the name of a column stands: `x AS 'the name'`; MySQL does without AS. */
function isAlias(tokens: readonly Token[], i: number, dialect: string): boolean {
  if (is(tokens[i - 1], 'as')) return true
  const next = tokens[i + 1]
  return (
    dialect === 'mysql-ddl' &&
    isOperand(tokens[i - 1]) &&
    tokens[i - 1]!.kind !== 'string' &&
    (next === undefined || isSign(next, ',') || is(next, 'from'))
  )
}

/** `ARRAY[a, b]` -> `array(a, b)`. */
function list(tokens: Token[], i: number, dialect: string): Token[] {
  const end = closing(tokens, i + 1)
  const inside = smallWords(tokens.slice(i + 2, end), dialect)
  // `ARRAY[[1, 2], [3, 4]]`
  const flat = replace(inside, (k) =>
    isSign(inside[k], '[') && !isOperand(inside[k - 1]) ? { take: 1, put: words('array (', inside[k]!) } : null,
  )
  const closed = flat.length === inside.length ? flat : flat.map((t) => (isSign(t, ']') ? made('sign', ')', t) : t))
  return [...words('array (', tokens[i]!), ...closed, made('sign', ')', tokens[end] ?? tokens[i]!)]
}

function mysqlSign(tokens: readonly Token[], i: number, dialect: string): { take: number; put?: Token[] } | null {
  const token = tokens[i]!
  const isNot = dialect === 'mysql-ddl' && isSign(token, '!') && !isSign(tokens[i + 1], '=')
  return isNot ? { take: 1, put: [verbatim('not', token)] } : null
}

function mysqlWord(tokens: readonly Token[], i: number): { take: number; put?: Token[] } | null {
  const [token, next, before] = [tokens[i]!, tokens[i + 1], tokens[i - 1]]
  if (token.text.startsWith('@'))
    return isSign(next, ':') && isSign(tokens[i + 2], '=') ? { take: 3 } : { take: 1, put: words('null', token) }
  if (is(token, 'mod') && isOperand(before) && !isGroup(next)) return { take: 1, put: [verbatim('%', token)] }
  if (is(token, 'xor') && isOperand(before)) return { take: 1, put: [verbatim('or', token)] }
  if (is(token, 'binary') && !is(before, 'as') && (isName(next) || next?.kind === 'string') && !isOperand(before)) return { take: 1 }
  if (token.text.startsWith('_') && next?.kind === 'string' && next.start === token.end) return { take: 1 }
  if (/^0x[\da-f]+$/i.test(token.text)) return { take: 1, put: [verbatim('0', token)] }
  if (is(token, 'against') && isGroup(next)) return { take: closing(tokens, i + 1) - i + 1 }
  return null
}

const separated: Readonly<Record<string, readonly string[]>> = {
  substring: ['from', 'for', 'similar', 'escape'],
  substr: ['from', 'for'],
  position: ['in'],
  overlay: ['placing', 'from', 'for'],
}
const separators = [...new Set([...Object.values(separated).flat(), 'using'])]
const dated = /^(?:timestamp|date|time)_?(?:diff|add|sub|trunc|part)$/i

/** Arguments that stand between words, and units of time that look like columns. */
const spokenCalls: Rule = (tokens, dialect) =>
  replace(tokens, (i) => {
    const token = tokens[i]!
    if (token.kind !== 'word') return null
    if (isGroup(tokens[i - 1]) && dated.test(tokens[i - 2]?.text ?? '') && isSign(tokens[i + 1], ','))
      return { take: 1, put: [made('string', `'${token.text}'`, token, token.text)] }
    if (!is(token, ...separators)) return null
    const open = enclosing(tokens, i)
    const name = open > 0 && tokens[open - 1]!.kind === 'word' ? tokens[open - 1]!.text.toLowerCase() : ''
    if (Object.hasOwn(separated, name) && is(token, ...separated[name]!)) return { take: 1, put: words(',', token) }
    return dialect === 'mysql-ddl' && name === 'convert' && is(token, 'using') ? { take: closing(tokens, open) - i } : null
  })

/** MySQL's `convert(x, type)` is a cast. */
const converts: Rule = (tokens, dialect) => {
  if (dialect !== 'mysql-ddl' || !tokens.some((t) => is(t, 'convert'))) return tokens
  return replace(tokens, (i) => {
    if (is(tokens[i], 'convert') && isGroup(tokens[i + 1]) && ahead(tokens, i + 2, (k) => isSign(tokens[k], ',')) < closing(tokens, i + 1))
      return { take: 1, put: words('cast', tokens[i]!) }
    const open = isSign(tokens[i], ',') ? enclosing(tokens, i) : -1
    return open > 0 && is(tokens[open - 1], 'convert') ? { take: 1, put: words('as', tokens[i]!) } : null
  })
}

/** `x -> f(x)`: the value of a lambda is that of what it is given, and of the columns that it names. */
const lambdas: Rule = (tokens, dialect) => {
  if (dialect !== 'trino-ddl' && dialect !== 'spark-ddl') return tokens
  const at = tokens.findIndex((t, i) => isSign(t, '-') && isSign(tokens[i + 1], '>') && t.end === tokens[i + 1]!.start)
  if (at < 1) return tokens
  const open = isSign(tokens[at - 1], ')') ? opening(tokens, at - 1) : at - 1
  if (open < 0) return tokens
  const names = new Set(tokens.slice(open, at).flatMap((t) => (isName(t) ? [t.value.toLowerCase()] : [])))
  const end = ahead(tokens, at + 2, (k) => isSign(tokens[k], ','))
  const body = tokens.slice(at + 2, end)
  const given = replace(body, (i) => {
    if (!isName(body[i]) || isSign(body[i - 1], '.') || isGroup(body[i + 1]) || !names.has(body[i]!.value.toLowerCase())) return null
    return { take: behindName(body, i) - i, put: words('null', body[i]!) }
  })
  return lambdas([...tokens.slice(0, open), ...given, ...tokens.slice(end)], dialect)
}

/** GROUP BY decides on no column's value: what Hive spells in another way is left out. */
const groupings: Rule = (tokens) =>
  replace(tokens, (i) => {
    if (!is(tokens[i], 'group') || !is(tokens[i + 1], 'by')) return null
    const end = ahead(tokens, i + 2, (k) => is(tokens[k], ...clauseEnds))
    const clause = tokens.slice(i + 2, end)
    const isOther = clause.some(
      (t, k) => (is(t, 'grouping') && is(clause[k + 1], 'sets')) || (is(t, 'all') && k === 0 && clause.length === 1),
    )
    return isOther ? { take: end - i, put: [...words('group by', tokens[i]!), verbatim('1', tokens[i]!)] } : null
  })

const naturalJoins: Rule = (tokens) => {
  const at = tokens.findIndex((t, i) => is(t, 'natural') && is(tokens[i + 1], 'join', 'left', 'right', 'full', 'inner'))
  if (at < 0) return tokens
  const join = ahead(tokens, at, (k) => is(tokens[k], 'join'))
  const behind = isGroup(tokens[join + 1]) ? closing(tokens, join + 1) + 1 : behindName(tokens, join + 1)
  const { end } = readAlias(tokens, behind)
  const using = [...words('using (', tokens[at]!), made('quoted', naturalColumns, tokens[at]!), ...words(')', tokens[at]!)]
  return naturalJoins([...tokens.slice(0, at), ...tokens.slice(at + 1, end), ...using, ...tokens.slice(end)], '')
}

const rules: readonly Rule[] = [
  converts,
  castTypes,
  wholeTable,
  selectModifiers,
  tails,
  tableModifiers,
  filters,
  orderedArguments,
  lambdas,
  signs,
  smallWords,
  spokenCalls,
  groupings,
  sources,
  naturalJoins,
]
