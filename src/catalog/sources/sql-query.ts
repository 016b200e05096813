import type { ParseTree } from '#dt-sql-parser'
import { type Relation, relationKey, type TableName } from './ddl-estate.js'
import { recordQuery } from './ddl-queries.js'
import { addColumns, type Reading } from './ddl-relations.js'
import { resolveQuery } from './hive-lineage.js'
import { type Query, readQuery } from './hive-query.js'
import { fillFromQuery, reportMissing } from './hive-tables.js'
import { below, parseHive } from './hive-tree.js'
import { TokenReader } from './sql-reader.js'
import { type SqlReading, tableNameOf } from './sql-reading.js'
import type { Token } from './sql-tokens.js'
import { parseType } from './type-tree.js'

/**
 * Queries of views, CTAS and INSERT. They are respelled for the Hive grammar (quotes, casts, names), which parses what the dialects have
 * in common; where it refuses one, only the tables that it reads are told, with a problem that says so.
 */
interface Respelled {
  text: string
  /** where each token of the text begins, and where it stood in the script */
  starts: { at: number; from: number }[]
}

interface Parsed {
  select: ParseTree
  reading: Reading<ParseTree>
}

/** Columns and lineage of a relation from the query that comes next. `names`: the relation's own column names. */
export function fillFromSqlQuery(relation: Relation, r: TokenReader, names: readonly string[], reading: SqlReading): void {
  const place = r.place
  const tokens = queryTokens(r)
  const definition = r.rest()
  const parsed = parseQuery(tokens, reading)
  if (parsed) fillFromQuery(relation, parsed.select, names, parsed.reading)
  else {
    const columns = names.map((name) => ({
      ...{ name, type: null, written: null, nullable: true, isPartition: null, ordinal: null, line: reading.line(place) },
    }))
    relation.complete = names.length > 0
    addColumns(relation, columns, place, reading)
    const relations = [...new Set(tablesOf(tokens).map((t) => relationKey(reading.estate, t)))]
    relation.lineage = { relations, flows: [], stars: [] }
    unread(place, definition, reading)
  }
  for (const column of relation.columns) if (!reading.dialect.hasPartitionColumns) column.isPartition = null
  relation.properties['definition'] = definition
}

/** INSERT … SELECT. */
export function readInsertQuery(
  r: TokenReader,
  insert: { table: TableName; columns: string[] | null; fixedPartitions: string[]; overwrite: boolean },
  place: number,
  reading: SqlReading,
): void {
  const tokens = queryTokens(r)
  const text = new TokenReader(r.tokens, r.end).rest()
  const parsed = parseQuery(tokens, reading)
  if (!parsed) {
    unread(place, text, reading)
    const relations = tablesOf(tokens).map((t) => relationKey(reading.estate, t))
    const lineage = { relations: [...new Set(relations)], flows: [], stars: [] }
    const target = relationKey(reading.estate, insert.table)
    const properties = { overwrite: insert.overwrite }
    reading.estate.queries.push({ text, kind: 'insert', target, lineage, properties, line: reading.line(place) })
    return
  }
  const query: Query = readQuery(parsed.select)
  const resolved = resolveQuery(query, reading.estate)
  reportMissing(resolved, parsed.select, parsed.reading)
  recordQuery(reading.estate, resolved, { text, line: reading.line(place), insert })
}

const unread = (place: number, text: string, { report, dialect }: SqlReading): void =>
  report(place, {
    severity: 'warning',
    code: 'lineage-unread',
    found: text,
    expected: `a query whose columns can be followed (of this one only the tables are told: ${dialect.title} has more than we read)`,
  })

function parseQuery(tokens: readonly Token[], reading: SqlReading): Parsed | null {
  if (tokens.length === 0) return null
  const prefix = 'create view v as '
  const { text, starts } = respell(tokens, reading)
  const { statements, error } = parseHive(prefix + text)
  const select = error ? undefined : below(statements[0], ['selectStatementWithCTE'])[0]
  if (!select) return null
  const placeOf = (node: ParseTree): number => {
    const at = (node.start?.start ?? 0) - prefix.length
    return starts.findLast((s) => s.at <= at)?.from ?? tokens[0]!.start
  }
  return {
    select,
    reading: {
      estate: reading.estate,
      line: (node) => reading.line(placeOf(node)),
      report: (node, found) => reading.report(placeOf(node), found),
    },
  }
}

/** The tokens of the query alone: what views and CTAS say behind it is left out. */
function queryTokens(r: TokenReader): Token[] {
  const tokens = r.tokens.slice(r.position)
  const words = tokens.map((t) => (t.kind === 'word' ? t.text.toLowerCase() : ''))
  const tail = tails.map((tail) => words.findIndex((_, i) => tail.every((w, k) => words[i + k] === w))).filter((i) => i > 0)
  const query = tail.length > 0 ? tokens.slice(0, Math.min(...tail)) : tokens
  // ( select … ) as a whole in parentheses
  const isWrapped = query[0]?.text === '(' && query.at(-1)?.text === ')' && isOneGroup(query)
  return isWrapped ? query.slice(1, -1) : query
}

const tails = [
  ['with', 'check', 'option'],
  ['with', 'cascaded', 'check'],
  ['with', 'local', 'check'],
  ['with', 'no', 'data'],
  ['with', 'data'],
  ['with', 'no', 'schema'],
]

function isOneGroup(tokens: readonly Token[]): boolean {
  let depth = 0
  return tokens.every((t, i) => {
    if (t.text === '(') depth++
    if (t.text === ')') depth--
    return depth > 0 || i === tokens.length - 1
  })
}

/** Tables behind FROM and JOIN, CTEs left out: what can be told of a query without understanding it. */
function tablesOf(tokens: readonly Token[]): TableName[] {
  const ctes = new Set<string>()
  const found: TableName[] = []
  tokens.forEach((token, i) => {
    if (token.kind !== 'word') return
    const word = token.text.toLowerCase()
    if (word === 'as' && tokens[i + 1]?.text === '(' && tokens[i - 1]) ctes.add(tokens[i - 1]!.value.toLowerCase())
    const isTableArgument = word === 'table' && tokens[i - 1]?.text === '('
    if (word !== 'from' && word !== 'join' && !isTableArgument) return
    const r = new TokenReader(tokens.slice(i + 1), token.end)
    r.takeWords('only')
    if (!r.isName() || r.isWords('lateral') || r.isWords('unnest') || r.isWords('select')) return
    const parts = r.dottedName()
    if (!r.isSign('(')) found.push(tableNameOf(parts))
  })
  return found.filter((t) => t.database !== null || !ctes.has(t.name.toLowerCase()))
}

/** Spells a query for Hive: names in back-ticks where they may be key words there, texts with its escapes, `::` as cast. */
function respell(tokens: readonly Token[], reading: SqlReading): Respelled {
  const out: { text: string; from: number; glued: boolean }[] = []
  /** is the open parenthesis that of a cast? */
  const casts: boolean[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!
    const before = tokens[i - 1]
    const catalog = catalogLength(tokens, i)
    if (catalog > 0) {
      const parts = tokens.slice(i, i + catalog).filter((t) => t.text !== '.')
      out.push({ text: quoteName(parts.map((t) => t.value).join('.')), from: token.start, glued: false })
      i += catalog - 1
      continue
    }
    const glued = before !== undefined && before.end === token.start
    if (token.text === ':' && tokens[i + 1]?.text === ':' && token.kind === 'sign') {
      const used = castAround(out, tokens.slice(i + 2), token.start)
      i += 1 + used
      continue
    }
    if (token.text === '(') casts.push(/^(?:try_)?cast$/i.test(before?.text ?? ''))
    if (token.text === ')') casts.pop()
    out.push({ text: spell(token, before, tokens[i + 1], casts.at(-1) ?? false, reading), from: token.start, glued })
  }
  let text = ''
  const starts = out.map(({ text: piece, from, glued }) => {
    if (text !== '' && !glued) text += ' '
    const at = text.length
    text += piece
    return { at, from }
  })
  return { text, starts }
}

/** `catalog.schema` of a table with three parts: how many tokens it has. The catalog is part of the database's name. */
function catalogLength(tokens: readonly Token[], i: number): number {
  if (!/^(?:from|join)$/i.test(tokens[i - 1]?.text ?? '')) return 0
  const isTable =
    [1, 3].every((k) => tokens[i + k]?.text === '.') && [0, 2, 4].every((k) => /^(?:word|quoted)$/.test(tokens[i + k]?.kind ?? ''))
  return isTable && tokens[i + 5]?.text !== '.' && tokens[i + 5]?.text !== '(' ? 3 : 0
}

const quoteName = (name: string): string => `\`${name.replaceAll('`', '``')}\``

function spell(token: Token, before: Token | undefined, after: Token | undefined, isInCast: boolean, { dialect }: SqlReading): string {
  if (token.kind === 'quoted') return quoteName(token.value)
  if (token.kind === 'string') return `'${token.value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  if (token.kind !== 'word') return token.text
  const isCall = after?.text === '('
  if (isCall && /^try_cast$/i.test(token.text)) return 'cast'
  const isPart = before?.text === '.' || (after?.text === '.' && after.kind === 'sign')
  const isAlias = /^as$/i.test(before?.text ?? '') && !isInCast
  if ((isPart || isAlias) && !isCall) return quoteName(token.value)
  if (isInCast && /^as$/i.test(before?.text ?? '')) return castType(token.text)
  return dialect.plainName(token.text)
}

/** A type that Hive casts to, the nearest one; others become `string`. */
const casts: Readonly<Record<string, string>> = {
  int2: 'smallint',
  int4: 'int',
  int8: 'bigint',
  integer: 'int',
  signed: 'bigint',
  unsigned: 'bigint',
  real: 'float',
  float4: 'float',
  float8: 'double',
  numeric: 'decimal',
  number: 'decimal',
  bool: 'boolean',
  datetime: 'timestamp',
  timestamptz: 'timestamp',
  timestamp_ltz: 'timestamp',
  bytea: 'binary',
  varbinary: 'binary',
}
const ownTypes = /^(?:tinyint|smallint|int|bigint|float|double|decimal|boolean|date|timestamp|string|binary)$/

function castType(word: string): string {
  const lower = word.toLowerCase()
  return casts[lower] ?? (ownTypes.test(lower) ? lower : 'string')
}

/** `a.b::numeric(10,2)` -> `cast(a.b as decimal(10,2))`. Answers how many tokens the type has. */
function castAround(out: { text: string; from: number; glued: boolean }[], type: readonly Token[], from: number): number {
  const used = typeLength(type)
  let start = out.length - 1
  if (out[start]?.text === ')') {
    for (let depth = 0; start >= 0; start--) {
      if (out[start]!.text === ')') depth++
      if (out[start]!.text === '(' && --depth === 0) break
    }
    if (start > 0 && /^[`\p{L}_]/u.test(out[start - 1]!.text) && out[start]!.glued) start--
  }
  while (start > 1 && out[start - 1]?.text === '.') start -= 2
  const length = parseType(
    type
      .slice(0, used)
      .map((t) => t.text)
      .join(''),
  )
  const spelled = castType(type[0]?.text ?? '')
  const numbers = spelled === 'decimal' && length?.arguments ? `(${length.arguments.join(',')})` : ''
  out.splice(Math.max(0, start), 0, { text: 'cast(', from, glued: out[start]?.glued ?? false })
  const first = out[Math.max(0, start) + 1]
  if (first) first.glued = true
  out.push({ text: ` as ${spelled}${numbers})`, from, glued: true })
  return used
}

const zone = /^(?:varying|precision|with|without|time|zone|local)$/i

function typeLength(tokens: readonly Token[]): number {
  let i = 1
  while (tokens[i]?.text === '.') i += 2
  for (; i < tokens.length; i++) {
    const token = tokens[i]!
    if (token.kind === 'word' && zone.test(token.text)) continue
    if (token.text === '[' && tokens[i + 1]?.text === ']') i++
    else if (token.text === '(' && i <= 3) while (i < tokens.length && tokens[i]!.text !== ')') i++
    else break
  }
  return i
}
