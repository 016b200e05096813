import type { ParseTree } from '#dt-sql-parser'
import type { TypeTree } from '../../vocabulary.js'
import { type Relation, relationKey, type TableName } from '../ddl/ddl-estate.js'
import { recordQuery } from '../ddl/ddl-queries.js'
import { addColumns, type Reading } from '../ddl/ddl-relations.js'
import { fillFromQuery, reportMissing } from '../ddl/hive-tables.js'
import { TokenReader } from '../sql/sql-reader.js'
import { type SqlReading, tableNameOf } from '../sql/sql-reading.js'
import type { Token } from '../sql/sql-tokens.js'
import { resolveQuery } from './hive-lineage.js'
import { type Query, readQuery } from './hive-query.js'
import { below, parseHive } from './hive-tree.js'
import { type Respelled, respell } from './sql-respell.js'

/**
 * Queries of views, CTAS and INSERT. They are respelled for the Hive grammar (quotes, casts, names), which parses what the dialects have
 * in common; where it refuses one, only the tables that it reads are told, with a problem that says so.
 */
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
  for (const column of relation.columns) {
    if (!reading.dialect.hasPartitionColumns) column.isPartition = null
    if (column.type) column.type = ownType(column.type, column.transformation === 'copy', reading.dialect.dialect)
  }
  relation.properties['definition'] = definition
}

/** Types that only a table's own column has. */
const plainTypes: Readonly<Record<string, string>> = { bigserial: 'bigint', serial: 'integer', smallserial: 'smallint' }
/** The dialect's own names of what Hive's functions and casts give. */
const ownTypes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'postgres-ddl': { string: 'text', int: 'integer', double: 'double precision', float: 'real', decimal: 'numeric', binary: 'bytea' },
  'trino-ddl': { string: 'varchar', int: 'integer', float: 'real', binary: 'varbinary' },
}

/** A column's type as its dialect calls it: copies keep theirs. */
function ownType(type: TypeTree, isCopy: boolean, dialect: string): TypeTree {
  const names = isCopy ? plainTypes : { ...plainTypes, ...ownTypes[dialect] }
  return Object.hasOwn(names, type.name) ? { ...type, name: names[type.name]! } : type
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
  const resolved = resolveQuery(query, reading.estate, parsed.reading.isRecursive)
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

const prefix = 'create view v as '
/** How often a query that is refused is read again with one more word for a name, and how long it may be for that. */
const mostRepairs = 6
const longestRepaired = 50_000

function parseQuery(given: readonly Token[], reading: SqlReading): Parsed | null {
  let tokens = given
  for (let repairs = 0; tokens.length > 0; repairs++) {
    const respelled = respell(tokens, reading)
    const { statements, error } = parseHive(prefix + respelled.text)
    if (!error) return parsedOf(statements[0], respelled, reading)
    const isShort = repairs < mostRepairs && respelled.text.length < longestRepaired
    const name = isShort ? refusedName(tokens, respelled, error.at - prefix.length) : -1
    if (name < 0) return null
    tokens = tokens.with(name, { ...tokens[name]!, kind: 'quoted', value: reading.dialect.plainName(tokens[name]!.text) })
  }
  return null
}

function parsedOf(statement: ParseTree | undefined, { starts, isRecursive }: Respelled, reading: SqlReading): Parsed | null {
  const select = below(statement, ['selectStatementWithCTE'])[0]
  if (!select) return null
  const placeOf = (node: ParseTree): number => {
    const at = (node.start?.start ?? 0) - prefix.length
    return starts.findLast((s) => s.at <= at)?.from ?? starts[0]?.from ?? 0
  }
  return {
    select,
    reading: {
      estate: reading.estate,
      line: (node) => reading.line(placeOf(node)),
      report: (node, found) => reading.report(placeOf(node), found),
      ...(isRecursive ? { isRecursive } : {}),
    },
  }
}

const structure = new Set(
  `select from where join on using group order by having limit union all distinct as and or not in is null like between exists case when then
   else end over with left right full inner outer cross natural lateral view except intersect values table interval`.split(/\s+/),
)

/** The word that Hive stumbled over where it is one of its own key words and a name in the dialect (`user`, `date`): its index, or -1. */
function refusedName(tokens: readonly Token[], { starts }: Respelled, at: number): number {
  const piece = starts.findLastIndex((s) => s.at <= at)
  // what is wrong shows itself at the word, or at the one behind it
  for (const { from } of [starts[piece], starts[piece - 1]].filter((s) => s !== undefined)) {
    const index = tokens.findIndex((t) => t.start === from)
    const token = tokens[index]
    const isName = token?.kind === 'word' && !structure.has(token.text.toLowerCase())
    if (isName && tokens[index + 1]?.text !== '(' && tokens[index + 1]?.kind !== 'string') return index
  }
  return -1
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

/** The name of a CTE, its column list left out. */
function nameBefore(tokens: readonly Token[], at: number): string {
  const open = tokens[at - 1]?.text === ')' ? tokens.findLastIndex((t, i) => i < at && t.text === '(') : at
  return tokens[open - 1]?.value ?? ''
}

/** Tables behind FROM and JOIN, CTEs left out: what can be told of a query without understanding it. */
function tablesOf(tokens: readonly Token[]): TableName[] {
  const ctes = new Set<string>()
  const found: TableName[] = []
  tokens.forEach((token, i) => {
    if (token.kind !== 'word') return
    const word = token.text.toLowerCase()
    if (word === 'as' && tokens[i + 1]?.text === '(' && tokens[i - 1]) ctes.add(nameBefore(tokens, i).toLowerCase())
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
