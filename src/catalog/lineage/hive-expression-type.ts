import type { ParseTree } from '#dt-sql-parser'
import type { TypeTree } from '../../vocabulary.js'
import { parseType } from '../sql/type-tree.js'
import { below, child, childrenOf, dottedName, ruleOf, textOf, unwrap } from './hive-tree.js'

/** A type that is known, or that is that of a column (`like`), or what SUM makes of that, or null. */
export type TypeHint = { type: TypeTree } | { like: string[]; sum?: true } | null

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

/** The type of an expression's (unwrapped) node, as far as it tells. */
export function typeHint(node: ParseTree): TypeHint {
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
  const hint = first ? typeHint(unwrap(first)) : null
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
  const isWord = (at: ParseTree | undefined, words: RegExp) => at !== undefined && ruleOf(at) === null && words.test(at.getText())
  const values = parts.filter((_, i) => isWord(parts[i - 1], /^(?:then|else)$/i)).map(unwrap)
  // only short nodes are asked for their text: that of a nested CASE is gathered anew at every level
  const hints = values.filter((v) => ruleOf(v) !== 'constant' || !/^null$/i.test(v.getText())).map((v) => JSON.stringify(typeHint(v)))
  return hints.length > 0 && hints.every((h) => h === hints[0]) ? JSON.parse(hints[0]!) : null
}

/** A column that a table function gives; its type where the argument's tells. */
export interface GivenColumn {
  name: string
  type: TypeTree | null
}

const elements = (of: TypeTree | null | undefined): GivenColumn[] => {
  const [first = null, second = null] = of?.elements ?? []
  if (of?.name !== 'map') return [{ name: 'col', type: first }]
  return [
    { name: 'key', type: first },
    { name: 'value', type: second },
  ]
}
const strings = (types: (TypeTree | null)[]): GivenColumn[] => types.slice(1).map((_, i) => ({ name: `c${i}`, type: { name: 'string' } }))

/** Table function -> the columns it gives where nobody names them (Hive's UDTFs), by the types of its arguments. */
export const tableFunctions: Record<string, (types: (TypeTree | null)[]) => GivenColumn[]> = {
  explode: ([type]) => elements(type),
  posexplode: ([type]) => [{ name: 'pos', type: { name: 'int' } }, ...elements(type)],
  inline: ([type]) => type?.elements?.[0]?.fields?.map((f) => ({ name: f.name, type: f.type })) ?? [],
  // of the other dialects: the members of rows are columns of their own
  unnest: (types) => types.flatMap((type) => type?.elements?.[0]?.fields?.map((f) => ({ name: f.name, type: f.type })) ?? elements(type)),
  json_tuple: strings,
  parse_url_tuple: strings,
  stack: () => [],
}
