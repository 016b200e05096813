import type { Token } from '../sql/sql-tokens.js'
import { lateralMark } from './hive-lineage.js'
import { ahead, behindName, closing, is, isGroup, isName, isSign, made, replace, verbatim, words } from './sql-token-edits.js'

export const clauseEnds = 'where group having order limit window union except intersect qualify fetch offset'.split(' ')

/** Which tokens stand in a FROM clause, each at its own depth. */
function inFrom(tokens: readonly Token[]): boolean[] {
  const open: ('' | 'select' | 'from')[] = ['']
  return tokens.map((token, i) => {
    if (isGroup(token)) {
      open.push('')
      return open.at(-2) === 'from'
    }
    if (isSign(token, ')') && open.length > 1) open.pop()
    else if (is(token, 'select')) open[open.length - 1] = 'select'
    // `extract(year from d)` has none
    else if (is(token, 'from') && open.at(-1) === 'select' && !is(tokens[i - 1], 'distinct')) open[open.length - 1] = 'from'
    else if (is(token, ...clauseEnds)) open[open.length - 1] = ''
    return open.at(-1) === 'from'
  })
}

const noAliases = [...clauseEnds, ...'on using join cross inner left right full natural as lateral with tablesample for set'.split(' ')]

/** `[AS] alias [(columns)]` from `from` on. Columns may have types (`AS t(a int, b text)`). */
export function readAlias(tokens: readonly Token[], from: number): { alias: Token | null; columns: Token[]; end: number } {
  let at = is(tokens[from], 'as') ? from + 1 : from
  const alias = isName(tokens[at]) && !is(tokens[at], ...noAliases) ? tokens[at]! : null
  if (alias) at++
  if (!isGroup(tokens[at]) || (alias === null && at === from)) return { alias, columns: [], end: alias ? at : from }
  const close = closing(tokens, at)
  const columns: Token[] = []
  for (let k = at + 1; k < close; k = ahead(tokens, k, (n) => isSign(tokens[n], ',')) + 1) if (isName(tokens[k])) columns.push(tokens[k]!)
  return { alias, columns, end: close + 1 }
}

const asName = (token: Token): Token => made('quoted', token.text, token, token.value)
const listed = (columns: readonly Token[], at: Token): Token[] =>
  columns.flatMap((c, i) => (i > 0 ? [...words(',', at), asName(c)] : [asName(c)]))

/** Functions in FROM give rows: `unnest(a) AS t(x)` -> `(SELECT unnest(a) AS x) t`. Derived tables get the names of their columns. */
export function sources(tokens: Token[]): Token[] {
  const isFrom = inFrom(tokens)
  let count = 0
  return replace(tokens, (i) => {
    if (!isFrom[i] || !startsSource(tokens, i)) return null
    const start = is(tokens[i], 'lateral') ? i + 1 : i
    if (is(tokens[start], 'view')) return null
    if (isGroup(tokens[start])) return derived(tokens, i, start)
    if (!isName(tokens[start])) return null
    const group = behindName(tokens, start)
    if (!isGroup(tokens[group])) return null
    return tableFunction(tokens, { i, start, group, fallback: `rows_${++count}` })
  })
}

const startsSource = (tokens: readonly Token[], i: number): boolean =>
  is(tokens[i - 1], 'from', 'join') || isSign(tokens[i - 1], ',') || (is(tokens[i], 'lateral') && !is(tokens[i + 1], 'view'))

/** LATERAL ( … ) is a sub-query as any other; `( … ) AS t(a, b)` is one whose columns have names. */
function derived(tokens: Token[], i: number, start: number): { take: number; put: Token[] } | null {
  const close = closing(tokens, start)
  if (!is(tokens[start + 1], 'select', 'with', 'values', 'table')) return null
  const { alias, columns, end } = readAlias(tokens, close + 1)
  const inside = rewriteSources(tokens.slice(start + 1, close))
  const query = i === start ? inside : lateral(inside, tokens[i]!)
  const at = tokens[start]!
  if (columns.length === 0 || !alias) return { take: close - i + 1, put: [at, ...query, tokens[close] ?? made('sign', ')', at)] }
  const named = [...words('( with', at), asName(alias), ...words('(', at), ...listed(columns, at), ...words(') as (', at), ...query]
  return { take: end - i, put: [...named, ...words(') select * from', at), asName(alias), ...words(')', at), asName(alias)] }
}

/** A query that can name what stands before it. */
function lateral(query: Token[], at: Token): Token[] {
  const mark = [...words('with', at), made('quoted', lateralMark, at), ...words('as ( select', at), verbatim('1', at), ...words(')', at)]
  return is(query[0], 'with') ? [...mark, ...words(',', at), ...query.slice(1)] : [...mark, ...query]
}

const rewriteSources = (tokens: Token[]): Token[] => sources(is(tokens[0], 'values') ? rowsOf(tokens) : tokens)

const mostRows = 100

/** VALUES (1, 2), (3, 4) -> SELECT 1, 2 UNION ALL SELECT 3, 4; of many rows the first. */
function rowsOf(tokens: readonly Token[]): Token[] {
  const rows: Token[][] = []
  for (let i = 1; i < tokens.length && rows.length < mostRows; i++) {
    const end = ahead(tokens, i, (k) => isSign(tokens[k], ','))
    const row = tokens.slice(i, end)
    rows.push(isGroup(row[0]) && closing(row, 0) === row.length - 1 ? row.slice(1, -1) : row)
    i = end
  }
  return rows.flatMap((row, i) => [...words(i === 0 ? 'select' : 'union all select', tokens[0]!), ...row])
}

const windows = ['tumble', 'hop', 'cumulate', 'session']

function tableFunction(
  tokens: Token[],
  { i, start, group, fallback }: { i: number; start: number; group: number; fallback: string },
): { take: number; put: Token[] } {
  const [at, close] = [tokens[start]!, closing(tokens, group)]
  const isTable = is(at, 'table')
  const hasOrdinality = is(tokens[close + 1], 'with') && is(tokens[close + 2], 'ordinality', 'offset')
  const { alias, columns, end } = readAlias(tokens, close + (hasOrdinality ? 3 : 1))
  const name = alias ? asName(alias) : made('quoted', fallback, at)
  const inside = tokens.slice(group + 1, close)
  const windowed = isTable && is(inside[0], ...windows) && isGroup(inside[1]) ? inside.findIndex((t) => is(t, 'table')) : -1
  if (windowed > 0) {
    const table = inside.slice(windowed + 1, behindName(inside, windowed + 1))
    const times = ['window_start', 'window_end', 'window_time'].flatMap((t) => [
      ...words(', cast ( null as', at),
      verbatim('timestamp', at),
      ...words(`) as ${t}`, at),
    ])
    return { take: end - i, put: [...words('( select *', at), ...times, ...words('from', at), ...table, ...words(')', at), name] }
  }
  const call = isTable ? inside : [...tokens.slice(start, group), ...words('(', at), ...inside, ...words(')', at)]
  const given = columns.length > 0 ? columns : [alias ?? at]
  const names = given.length > 1 ? [...words('(', at), ...listed(given, at), ...words(')', at)] : listed(given, at)
  const query = lateral([...words('select', at), ...call, ...words('as', at), ...names], at)
  return { take: end - i, put: [...words('(', at), ...query, ...words(')', at), name] }
}
