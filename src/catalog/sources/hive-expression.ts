import type { ParseTree } from '#dt-sql-parser'
import type { TypeTree } from '../../vocabulary.js'
import { type Query, readQuery } from './hive-query.js'
import { below, child, children, childrenOf, identifiers, lineOf, ruleOf, textOf } from './hive-tree.js'
import { parseType } from './type-tree.js'

/** How a column's value comes from its sources, weakest first: the strongest along the way counts. */
export const transformations = ['constant', 'copy', 'cast', 'expression', 'conditional', 'aggregate', 'window'] as const
export type Transformation = (typeof transformations)[number]

/** A type that is known, or that is that of a column (`like`), or what SUM makes of that, or null. */
export type TypeHint = { type: TypeTree } | { like: string[]; sum?: true } | null

/** One value expression: what it names, and what it does with it. */
export interface Expression {
  text: string
  /** dotted names whose values go in: `[alias, column, member]`, `[column]`, … */
  references: string[][]
  /** scalar sub-queries and those of EXISTS and IN */
  queries: Query[]
  transformation: Transformation
  type: TypeHint
  /** the last part of the name where the expression is nothing but a column */
  ownName: string | null
}

const aggregates = new Set(
  `count sum avg min max variance var_pop var_samp stddev stddev_pop stddev_samp std covar_pop covar_samp corr percentile
   percentile_approx percentile_cont percentile_disc regr_slope regr_intercept regr_r2 regr_count histogram_numeric collect_set
   collect_list ntile_agg bloom_filter compute_stats approx_count_distinct first_value_agg any_value bool_and bool_or`.split(/\s+/),
)
const conditionals = new Set('if coalesce nvl nvl2 nullif decode isnull isnotnull assert_true greatest least'.split(' '))

const known = (name: string): TypeHint => ({ type: { name } })
/** Function -> what it returns; 'first': the type of its first argument. */
const returns: Record<string, TypeHint | 'first'> = {
  ...table('bigint', 'count row_number_big unix_timestamp floor ceil ceiling length_big hash_big'),
  ...table(
    'int',
    'row_number rank dense_rank ntile length char_length instr locate year quarter month day dayofmonth hour minute second weekofyear datediff size hash',
  ),
  ...table(
    'double',
    'avg stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp percentile_approx sqrt exp ln log10 pow power rand months_between percent_rank cume_dist',
  ),
  ...table(
    'string',
    'concat concat_ws upper lower ucase lcase trim ltrim rtrim substr substring lpad rpad regexp_replace regexp_extract translate reverse initcap md5 sha1 sha2 sha date_format from_unixtime get_json_object base64 hex mask mask_last_n mask_first_n mask_hash',
  ),
  ...table('date', 'current_date to_date add_months last_day next_day date_add date_sub trunc_date'),
  ...table('timestamp', 'current_timestamp from_utc_timestamp to_utc_timestamp'),
  ...table('boolean', 'isnull isnotnull array_contains'),
  ...Object.fromEntries(
    'min max coalesce nvl first_value last_value lag lead round abs greatest least nullif'.split(' ').map((n) => [n, 'first' as const]),
  ),
}

function table(type: string, names: string): Record<string, TypeHint> {
  return Object.fromEntries(names.split(' ').map((name) => [name, known(type)]))
}

/** Reads any expression node (or a `columnName`, or a `function_`). */
export function readExpression(node: ParseTree): Expression {
  const seen = scan(node)
  const inner = unwrap(node)
  const pure = dottedName(inner)
  const direct = seen.references.length > 0 || seen.queries.length > 0 || !seen.window
  return {
    text: lineOf(node),
    references: direct ? seen.references : seen.windowReferences,
    queries: seen.queries,
    transformation: transformationOf(inner, seen, pure),
    type: typeOf(inner),
    ownName: pure?.at(-1) ?? null,
  }
}

interface Seen {
  references: string[][]
  windowReferences: string[][]
  queries: Query[]
  functions: Set<string>
  window: boolean
  conditional: boolean
}

/** One walk over an expression: names, functions, sub-queries (whose own names stay theirs). */
function scan(root: ParseTree): Seen {
  const seen: Seen = { references: [], windowReferences: [], queries: [], functions: new Set(), window: false, conditional: false }
  const visit = (node: ParseTree, inWindow: boolean): void => {
    const rule = ruleOf(node)
    if (rule === null) return
    if (rule === 'poolPath' || rule === 'poolPathAllowEmpty') {
      const parts = identifiers(node)
      if (parts.length > 0) (inWindow ? seen.windowReferences : seen.references).push(parts)
      return
    }
    if (rule === 'subQueryExpression') {
      seen.queries.push(readQuery(node))
      return
    }
    if (rule === 'functionNameForInvoke') seen.functions.add(node.getText().toLowerCase())
    if (rule === 'caseExpression' || rule === 'whenExpression') seen.conditional = true
    if (rule === 'window_specification') seen.window = true
    for (const c of childrenOf(node)) visit(c, inWindow || rule === 'window_specification')
  }
  visit(root, false)
  return seen
}

function transformationOf(inner: ParseTree, seen: Seen, pure: string[] | null): Transformation {
  if (seen.window) return 'window'
  if ([...seen.functions].some((f) => aggregates.has(f))) return 'aggregate'
  if (pure) return 'copy'
  if (seen.references.length === 0 && seen.queries.length === 0) return 'constant'
  if (seen.conditional || [...seen.functions].some((f) => conditionals.has(f))) return 'conditional'
  if (ruleOf(inner) === 'castExpression' && dottedName(unwrap(child(inner, 'expression') ?? inner))) return 'cast'
  return 'expression'
}

/** Goes down through nodes that do nothing: single children and parentheses around one expression. */
function unwrap(node: ParseTree): ParseTree {
  let at = node
  for (;;) {
    const rule = ruleOf(at)
    const parts = childrenOf(at)
    if (rule === 'expressionsInParenthesis') {
      const list = children(child(at, 'expressionsNotInParenthesis'), 'expressionOrDefault')
      if (list.length !== 1) return at
      at = list[0]!
    } else if (parts.length === 1 && ruleOf(parts[0]!) !== null && rule !== 'poolPath' && rule !== 'poolPathAllowEmpty') at = parts[0]!
    else return at
  }
}

const dottedName = (node: ParseTree): string[] | null => {
  const rule = ruleOf(node)
  if (rule === 'id_' && node.getText() !== '') return null
  return rule === 'poolPath' || rule === 'poolPathAllowEmpty' ? identifiers(node) : null
}

function typeOf(node: ParseTree): TypeHint {
  const rule = ruleOf(node)
  const name = dottedName(node)
  if (name) return { like: name }
  if (rule === 'castExpression') {
    const type = parseType(textOf(below(node, ['primitiveType', 'type', 'columnType'], ['expression'])[0] ?? node))
    return type ? { type } : null
  }
  if (rule === 'constant') return constantType(node.getText())
  if (rule === 'function_') return functionType(node)
  if (rule === 'caseExpression' || rule === 'whenExpression') return branchType(node)
  return null
}

function constantType(text: string): TypeHint {
  if (/^['"]/.test(text)) return known('string')
  if (/^(?:true|false)$/i.test(text)) return known('boolean')
  if (/^\d+$/.test(text)) return known(Number(text) > 2_147_483_647 ? 'bigint' : 'int')
  if (/^\d+l$/i.test(text)) return known('bigint')
  const decimal = /^(\d+)\.(\d+)$/.exec(text)
  if (decimal) return { type: { name: 'decimal', arguments: [decimal[1]!.length + decimal[2]!.length, decimal[2]!.length] } }
  if (/^current_date$/i.test(text) || /^date['"]/i.test(text)) return known('date')
  if (/^current_timestamp$/i.test(text) || /^timestamp['"]/i.test(text)) return known('timestamp')
  return null
}

function functionType(node: ParseTree): TypeHint {
  const name = child(node, 'functionNameForInvoke')?.getText().toLowerCase() ?? ''
  const result = Object.hasOwn(returns, name) ? returns[name]! : null
  if (result !== 'first' && name !== 'sum') return result
  const first = below(node, ['expression'], ['window_specification'])[0]
  const hint = first ? typeOf(unwrap(first)) : null
  return name !== 'sum' || !hint ? hint : 'like' in hint ? { ...hint, sum: true } : { type: sumType(hint.type) }
}

/** What SUM answers for a type: integers widen to bigint, decimals by ten digits, the rest is double (Hive's GenericUDAFSum). */
export function sumType(type: TypeTree): TypeTree {
  if (/^(?:tinyint|smallint|int|integer|bigint)$/.test(type.name)) return { name: 'bigint' }
  if (type.name !== 'decimal') return { name: 'double' }
  const [precision = 10, scale = 0] = type.arguments ?? []
  return { name: 'decimal', arguments: [Math.min(38, precision + 10), scale] }
}

/** CASE has the type that its THEN and ELSE branches share, where they all say. */
function branchType(node: ParseTree): TypeHint {
  const parts = childrenOf(node)
  const values = parts.filter((_, i) => i > 0 && /^(?:then|else)$/i.test(parts[i - 1]!.getText()))
  const hints = values.filter((v) => !/^null$/i.test(v.getText())).map((v) => JSON.stringify(typeOf(unwrap(v))))
  return hints.length > 0 && hints.every((h) => h === hints[0]) ? JSON.parse(hints[0]!) : null
}
