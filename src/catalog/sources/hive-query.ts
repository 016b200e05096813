import type { ParseTree } from '#dt-sql-parser'
import { type Expression, readExpression } from './hive-expression.js'
import { below, child, children, childrenOf, hasWord, identifier, identifiers, lineOf, type Rule, ruleOf } from './hive-tree.js'

/** A table as a statement names it, unquoted, spelled as written. */
export interface TableName {
  database: string | null
  name: string
}

/** A SELECT with its UNION branches and its CTEs: names only, nothing looked up yet. */
export interface Query {
  ctes: { name: string; query: Query }[]
  branches: Select[]
}

export interface Select {
  items: Item[]
  sources: RowSource[]
  joins: Join[]
  /** the texts of WHERE and HAVING */
  filters: string[]
  /** sub-queries of the conditions: they are read, but no value flows from them */
  conditionQueries: Query[]
  /** the right side of EXCEPT or MINUS: no value flows from it */
  subtracts: boolean
}

export type Item =
  | { kind: 'star'; qualifier: string[] }
  /** several names: a table function (`stack(…) AS (a, b)`) */
  | { kind: 'value'; names: string[]; expression: Expression }

export type RowSource =
  | { kind: 'table'; table: TableName; alias: string }
  | { kind: 'query'; query: Query; alias: string }
  | { kind: 'lateral'; alias: string; columns: string[]; expression: Expression }

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
  const sources: RowSource[] = []
  const joins: Join[] = []
  const conditionQueries: Query[] = []
  const from = child(node, 'fromClause')
  if (from) readSources(from, sources, joins)
  const conditions = [child(node, 'whereClause'), child(node, 'havingClause')].flatMap((clause) => children(clause, 'expression'))
  for (const condition of conditions) conditionQueries.push(...readExpression(condition).queries)
  return {
    items: readItems(child(node, 'selectClause')!),
    sources: from ? sources : [...outer],
    joins,
    filters: conditions.map(lineOf),
    conditionQueries,
    subtracts: false,
  }
}

function readItems(select: ParseTree): Item[] {
  return children(child(select, 'selectList'), 'selectItem').map((item): Item => {
    const star = child(item, 'tableAllColumns')
    if (star) return { kind: 'star', qualifier: identifiers(star) }
    const holder = child(item, 'selectLiteralColumnName') ?? child(item, 'selectExpressionColumnName') ?? item
    const value = child(holder, 'columnName') ?? child(holder, 'expression') ?? holder
    const names = [...identifiers(item), ...identifiers(holder)]
    return { kind: 'value', names, expression: readExpression(value) }
  })
}

/** Collects what a FROM clause reads, in order; joins are told as they come. */
function readSources(node: ParseTree, sources: RowSource[], joins: Join[]): void {
  for (const c of childrenOf(node)) {
    const rule = ruleOf(c)
    if (rule === 'tableSource' || rule === 'subQuerySource') readRowSource(c, sources, joins)
    else if (rule === 'lateralView') sources.push(readLateral(c))
    else if (rule === 'joinToken') joins.push({ type: joinType(c), with: '', on: null })
    else if ((rule === 'expression' || rule === 'columnParenthesesList') && ruleOf(node) === 'joinSource') condition(joins, rule, c)
    else if (rule) readSources(c, sources, joins)
  }
}

function condition(joins: Join[], rule: Rule, node: ParseTree): void {
  const last = joins.at(-1)
  if (last) last.on = rule === 'expression' ? lineOf(node) : `using ${lineOf(node)}`
}

const joinType = (token: ParseTree): string => {
  const words = childrenOf(token).map((c) => c.getText().toLowerCase())
  const type = words.filter((w) => w !== 'join').join(' ')
  return type === ',' ? 'cross' : type || 'inner'
}

function readRowSource(node: ParseTree, sources: RowSource[], joins: Join[]): void {
  const table = below(node, ['tableName'], ['lateralView', 'queryStatementExpression'])[0]
  const query = child(node, 'queryStatementExpression')
  const alias = identifiers(node)[0]
  if (query) sources.push({ kind: 'query', query: readQuery(query), alias: alias ?? '' })
  else if (table) {
    const name = tableName(table)
    sources.push({ kind: 'table', table: name, alias: alias ?? name.name })
  }
  const last = joins.at(-1)
  if (last && last.with === '') last.with = query ? (alias ?? '(query)') : table ? identifiers(table).join('.') : (alias ?? '')
  for (const view of children(node, 'lateralView')) sources.push(readLateral(view))
}

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
  return { inserts, sources: multi ? (query.branches[0]?.sources ?? []) : [] }
}

/** The names of a `columnNameList`. */
export const columnNames = (list: ParseTree): string[] =>
  children(list, 'columnName').map((c) => below(c, ['id_']).map(identifier).join('.'))
