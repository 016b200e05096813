import type { ParseTree } from '#dt-sql-parser'
import type { TableName } from '../ddl/ddl-estate.js'
import { foldHive } from '../sql/names.js'
import { type Expression, readExpression, type Windows } from './hive-expression.js'
import { below, child, children, childrenOf, hasWord, identifier, identifiers, lineOf, type Rule, ruleOf } from './hive-tree.js'

/** A SELECT with its UNION branches and its CTEs: names only, nothing looked up yet. */
export interface Query {
  ctes: Cte[]
  branches: Select[]
}

export interface Cte {
  name: string
  /** `name (a, b) AS …`: what its columns are called instead; empty where they keep their names */
  columns: string[]
  query: Query
}

export interface Select {
  items: Item[]
  sources: RowSource[]
  joins: Join[]
  /** the texts of WHERE, HAVING and QUALIFY */
  filters: string[]
  /** sub-queries of the conditions, ON included: they are read, but no value flows from them */
  conditionQueries: Query[]
  /** the right side of EXCEPT or MINUS: no value flows from it */
  subtracts: boolean
}

export type Item =
  | { kind: 'star'; qualifier: string[] }
  /** several names: a table function (`stack(…) AS (a, b)`) */
  | { kind: 'value'; names: string[]; expression: Expression }

export type RowSource =
  | { kind: 'table'; table: TableName; alias: string; joined?: Joined }
  | { kind: 'query'; query: Query; alias: string; joined?: Joined }
  /** no columns: those that the function itself names */
  | { kind: 'lateral'; alias: string; columns: string[]; expression: Expression }

/** How the join before a source changes which columns can be seen. */
export interface Joined {
  /** LEFT SEMI and LEFT ANTI: the source is read, but its columns cannot be selected */
  isHidden: boolean
  /** USING: columns that both sides have, and whose of them stays; empty otherwise */
  using: string[]
  keeps: 'left' | 'right' | 'both'
}

export interface Join {
  /** inner, left outer, cross, … */
  type: string
  /** what is joined: a table or an alias */
  with: string
  /** the text of ON or USING; null for a comma or a cross join */
  on: string | null
}

/** INSERT … SELECT: where the rows go. */
export interface Insert {
  table: TableName
  overwrite: boolean
  columns: string[] | null
  /** partition columns with a fixed value */
  fixedPartitions: string[]
  query: Query
}

export const tableName = (node: ParseTree): TableName => {
  const parts = identifiers(node)
  return parts.length > 1 ? { database: parts.at(-2)!, name: parts.at(-1)! } : { database: null, name: parts[0] ?? node.getText() }
}

/** `selectStatementWithCTE`, `selectStatement`, `queryStatementExpression`, … -> its query. */
export function readQuery(node: ParseTree, outer: readonly RowSource[] = []): Query {
  const ctes = children(child(node, 'withClause'), 'cteStatement').map((cte) => ({
    name: identifier(child(cte, 'id_')!),
    columns: child(cte, 'columnNameList') ? columnNames(child(cte, 'columnNameList')!) : [],
    query: readQuery(child(cte, 'queryStatementExpression')!),
  }))
  return { ctes, branches: readBranches(node, outer) }
}

function readBranches(node: ParseTree, outer: readonly RowSource[]): Select[] {
  const branches: Select[] = []
  let subtracts = false
  for (const c of childrenOf(node)) {
    const rule = ruleOf(c)
    if (rule === 'setOperator') subtracts = /^(?:except|minus)/i.test(c.getText())
    else if (rule === 'atomSelectStatement' && child(c, 'selectClause')) branches.push({ ...readSelect(c, outer), subtracts })
    else if (rule === 'valuesClause') branches.push(readValues(c))
    else if (rule === 'singleFromStatement') branches.push(readSelect(c, outer))
    else if (rule && transparent.has(rule))
      branches.push(...readBranches(c, outer).map((b) => ({ ...b, subtracts: subtracts || b.subtracts })))
  }
  return branches
}

const transparent = new Set<Rule>([
  'atomSelectStatement',
  'fromStatement',
  'queryStatementExpression',
  'queryStatementExpressionBody',
  'regularBody',
  'selectStatement',
  'selectStatementWithCTE',
  'setOpSelectStatement',
])

function readSelect(node: ParseTree, outer: readonly RowSource[]): Select {
  const from: From = { sources: [], joins: [], conditionQueries: [] }
  const fromClause = child(node, 'fromClause')
  if (fromClause) readSources(fromClause, from)
  const clauses = [child(node, 'whereClause'), child(node, 'havingClause'), child(node, 'qualifyClause')]
  const conditions = clauses.flatMap((clause) => children(clause, 'expression'))
  return {
    items: readItems(child(node, 'selectClause')!, readWindows(child(node, 'window_clause'))),
    sources: fromClause ? from.sources : [...outer],
    joins: from.joins,
    filters: conditions.map(lineOf),
    conditionQueries: [...from.conditionQueries, ...conditions.flatMap(queriesOf)],
    subtracts: false,
  }
}

const queriesOf = (condition: ParseTree): Query[] => readExpression(condition).queries.map((q) => q.query)

/** VALUES (1, 'a'), (2, 'b'): columns col1, col2, …, after the first row. */
function readValues(node: ParseTree): Select {
  const row = below(node, ['expressionsNotInParenthesis'])[0]
  const items = children(row, 'expressionOrDefault').map(
    (value, i): Item => ({ kind: 'value', names: [`col${i + 1}`], expression: readExpression(value) }),
  )
  return { items, sources: [], joins: [], filters: [], conditionQueries: [], subtracts: false }
}

/** WINDOW w AS (…), v AS (…) */
function readWindows(clause: ParseTree | undefined): Windows {
  const names = identifiers(clause)
  return new Map(children(clause, 'window_specification').map((specification, i) => [names[i]!.toLowerCase(), specification]))
}

function readItems(select: ParseTree, windows: Windows): Item[] {
  return children(child(select, 'selectList'), 'selectItem').map((item): Item => {
    const star = child(item, 'tableAllColumns')
    if (star) return { kind: 'star', qualifier: identifiers(star) }
    const holder = child(item, 'selectLiteralColumnName') ?? child(item, 'selectExpressionColumnName') ?? item
    const value = child(holder, 'columnName') ?? child(holder, 'expression') ?? holder
    const names = [...identifiers(item), ...identifiers(holder)]
    return { kind: 'value', names, expression: readExpression(value, windows) }
  })
}

interface From {
  sources: RowSource[]
  joins: Join[]
  conditionQueries: Query[]
}

/** Collects what a FROM clause reads, in order; joins are told as they come. */
function readSources(node: ParseTree, from: From): void {
  for (const c of childrenOf(node)) {
    const rule = ruleOf(c)
    if (rule === 'tableSource' || rule === 'subQuerySource') readRowSource(c, from)
    else if (rule === 'lateralView') from.sources.push(readLateral(c))
    else if (rule === 'joinToken') from.joins.push({ type: joinType(c), with: '', on: null })
    else if ((rule === 'expression' || rule === 'columnParenthesesList') && ruleOf(node) === 'joinSource') condition(from, rule, c)
    else if (rule) readSources(c, from)
  }
}

function condition({ sources, joins, conditionQueries }: From, rule: Rule, node: ParseTree): void {
  const last = joins.at(-1)
  if (!last) return
  last.on = rule === 'expression' ? lineOf(node) : `using ${lineOf(node)}`
  if (rule === 'expression') conditionQueries.push(...queriesOf(node))
  else joinedSource(sources)!.joined!.using = columnNames(child(node, 'columnNameList')!)
}

/** The source that the last join brought. */
const joinedSource = (sources: readonly RowSource[]) => sources.findLast((s) => s.kind !== 'lateral')

const joinType = (token: ParseTree): string => {
  const words = childrenOf(token).map((c) => c.getText().toLowerCase())
  const type = words.filter((w) => w !== 'join').join(' ')
  return type === ',' ? 'cross' : type || 'inner'
}

function readRowSource(node: ParseTree, { sources, joins }: From): void {
  const table = below(node, ['tableName'], ['lateralView', 'queryStatementExpression'])[0]
  const query = child(node, 'queryStatementExpression')
  const alias = identifiers(node)[0]
  const last = joins.at(-1)
  const joined = last ? { joined: joinedBy(last.type) } : {}
  if (query) sources.push({ kind: 'query', query: readQuery(query), alias: alias ?? '', ...joined })
  else if (table) {
    const name = tableName(table)
    sources.push({ kind: 'table', table: name, alias: alias ?? name.name, ...joined })
  }
  if (last && last.with === '') last.with = query ? (alias ?? '(query)') : table ? identifiers(table).join('.') : (alias ?? '')
  for (const view of children(node, 'lateralView')) sources.push(readLateral(view))
}

const joinedBy = (type: string): Joined => ({
  isHidden: /\b(?:semi|anti)\b/.test(type),
  using: [],
  keeps: type.startsWith('right') ? 'right' : type.startsWith('full') ? 'both' : 'left',
})

function readLateral(node: ParseTree): RowSource {
  const alias = child(node, 'tableAlias')
  const columns = identifiers(node)
  const call = child(node, 'function_') ?? node
  const named = columns.length > 0 || alias !== undefined
  return { kind: 'lateral', alias: alias ? identifier(alias) : '', columns: named ? columns : [], expression: readExpression(call) }
}

/** The INSERTs of one statement (`queryStatementExpression`). `outer`: the FROM of a multi-insert that this INSERT belongs to. */
export function readInserts(node: ParseTree, outer: readonly RowSource[]): { inserts: Insert[]; sources: RowSource[] } {
  const inserts: Insert[] = []
  const query = readQuery(node, outer)
  const clauses = below(node, ['insertClause'], ['withClause', 'subQuerySource', 'subQueryExpression'])
  const multi = below(node, ['singleFromStatement'], ['withClause', 'subQuerySource', 'subQueryExpression']).length > 0
  clauses.forEach((clause, i) => {
    const target = below(clause, ['tableName'])[0]
    if (!target) return
    const branches = multi ? query.branches.slice(i, i + 1) : query.branches
    inserts.push({
      table: tableName(target),
      overwrite: hasWord(clause, 'overwrite'),
      columns: child(clause, 'columnNameList') ? columnNames(child(clause, 'columnNameList')!) : null,
      fixedPartitions: below(clause, ['partitionVal'])
        .filter((p) => hasWord(p, '='))
        .map((p) => identifiers(p)[0]!),
      query: { ctes: query.ctes, branches },
    })
  })
  return { inserts, sources: multi ? (query.branches[0]?.sources ?? []).map((s) => withCtes(s, query.ctes)) : [] }
}

/** A source that can be read outside its statement: the CTEs that it may name go with it. */
function withCtes(source: RowSource, ctes: Query['ctes']): RowSource {
  if (source.kind === 'query') return { ...source, query: { ...source.query, ctes: [...ctes, ...source.query.ctes] } }
  if (source.kind === 'lateral' || source.table.database !== null) return source
  const at = ctes.findIndex((c) => foldHive(c.name) === foldHive(source.table.name))
  if (at < 0) return source
  const { query } = ctes[at]!
  const named = { kind: 'query' as const, alias: source.alias, query: { ...query, ctes: [...ctes.slice(0, at), ...query.ctes] } }
  return source.joined ? { ...named, joined: source.joined } : named
}

/** The names of a `columnNameList`. */
export const columnNames = (list: ParseTree): string[] =>
  children(list, 'columnName').map((c) => below(c, ['id_']).map(identifier).join('.'))
