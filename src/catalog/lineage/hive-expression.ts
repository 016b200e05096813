import type { ParseTree } from '#dt-sql-parser'
import { type TypeHint, typeHint } from './hive-expression-type.js'
import { type Query, readQuery } from './hive-query.js'

import { below, child, children, childrenOf, dottedName, identifier, identifiers, lineOf, type Rule, ruleOf, unwrap } from './hive-tree.js'
import { nestedCast } from './sql-casts.js'

/** How a column's value comes from its sources, weakest first: the strongest along the way counts. */
export const transformations = ['constant', 'copy', 'cast', 'expression', 'conditional', 'aggregate', 'window'] as const
export type Transformation = (typeof transformations)[number]

/** A dotted name in an expression: `[alias, column, member]`, `[column]`, … */
export interface Reference {
  path: string[]
  /** it never becomes (part of) the value: a condition of CASE or IF, PARTITION BY and ORDER BY of a window, a subscript, the argument of GROUPING */
  steers: boolean
}

export interface SubQuery {
  query: Query
  /** `reads`: EXISTS looks whether there are rows, and takes no value from them */
  role: 'value' | 'steers' | 'reads'
}

/** One value expression: what it names, and what it does with it. */
export interface Expression {
  text: string
  references: Reference[]
  /** scalar sub-queries and those of EXISTS and IN */
  queries: SubQuery[]
  transformation: Transformation
  type: TypeHint
  /** the last part of the name where the expression is nothing but a column or a member */
  ownName: string | null
  /** where the expression is nothing but the call of a function */
  call: { name: string; arguments: TypeHint[] } | null
}

const aggregates = new Set(
  `count sum avg min max variance var_pop var_samp stddev stddev_pop stddev_samp std covar_pop covar_samp corr percentile
   percentile_approx percentile_cont percentile_disc regr_slope regr_intercept regr_r2 regr_count regr_avgx regr_avgy regr_sxx regr_sxy
   regr_syy histogram_numeric collect_set collect_list ntile_agg bloom_filter compute_stats approx_count_distinct first_value_agg any_value
   bool_and bool_or max_by min_by context_ngrams ngrams grouping
   array_agg string_agg group_concat listagg json_agg jsonb_agg json_object_agg jsonb_object_agg json_arrayagg json_objectagg xmlagg
   every bit_and bit_or bit_xor mode approx_distinct approx_percentile arbitrary count_if checksum map_agg map_union multimap_agg
   histogram skewness kurtosis collect median arg_max arg_min set_agg range_agg stddev_sample var_sample`.split(/\s+/),
)
/** CASE by other names: one of the arguments is chosen. */
const conditionals = new Set('if iff ifnull coalesce nvl nvl2 nullif greatest least'.split(' '))
/** Function -> its arguments (from 0) that only steer; 'all': what it answers is about the grouping, not about a value. */
const steering: Record<string, readonly number[] | 'all'> = {
  if: [0],
  iff: [0],
  nvl2: [0],
  nullif: [1],
  elt: [0],
  max_by: [1],
  min_by: [1],
  arg_max: [1],
  arg_min: [1],
  grouping: 'all',
}

/** Named windows of a SELECT: `WINDOW w AS (…)`, folded name -> specification. */
export type Windows = ReadonlyMap<string, ParseTree>
const noWindows: Windows = new Map()

/** Reads any expression node (or a `columnName`, or a `function_`). */
export function readExpression(node: ParseTree, windows: Windows = noWindows): Expression {
  const scan = new Scan(windows)
  scan.visit(node, false)
  const inner = unwrap(node)
  const pure = dottedName(inner)
  return {
    text: lineOf(node),
    references: scan.references,
    queries: scan.queries,
    transformation: transformationOf(inner, scan, pure),
    type: typeHint(inner),
    ownName: pure?.at(-1) ?? memberName(inner),
    call: callOf(inner),
  }
}

/** One walk over an expression: names, functions, sub-queries (whose own names stay theirs). */
class Scan {
  readonly references: Reference[] = []
  readonly queries: SubQuery[] = []
  readonly functions = new Set<string>()
  isWindow = false
  isConditional = false

  /** rule -> what reads it; any other is read by its key words */
  private readonly readers: Partial<Record<Rule, (node: ParseTree, steers: boolean) => void>> = {
    poolPath: (node, steers) => this.reference(node, steers),
    poolPathAllowEmpty: (node, steers) => this.reference(node, steers),
    subQueryExpression: (node, steers) => this.queries.push({ query: readQuery(node), role: steers ? 'steers' : 'value' }),
    caseExpression: (node, steers) => this.choice(node, steers),
    whenExpression: (node, steers) => this.choice(node, steers),
    function_: (node, steers) => this.call(node, steers),
    window_specification: (node) => this.window(node),
  }

  constructor(private readonly windows: Windows) {}

  visit(start: ParseTree, steers: boolean): void {
    // expressions hang on chains of some twenty single children: a call for each would overflow the stack soon
    let node = start
    while (this.readerOf(node) === undefined && childrenOf(node).length === 1) node = childrenOf(node)[0]!
    const read = this.readerOf(node)
    if (read) read(node, steers)
    else this.byKeyWord(node, steers)
  }

  private readerOf(node: ParseTree) {
    const rule = ruleOf(node)
    return rule === null ? undefined : this.readers[rule]
  }

  private reference(node: ParseTree, steers: boolean): void {
    const path = identifiers(node)
    if (path.length > 0) this.references.push({ path, steers })
  }

  private choice(node: ParseTree, steers: boolean): void {
    this.isConditional = true
    this.byKeyWord(node, steers)
  }

  /** Children in order; the key word before one tells what it is for. */
  private byKeyWord(node: ParseTree, steers: boolean): void {
    let word = ''
    for (const c of childrenOf(node)) {
      const rule = ruleOf(c)
      if (rule === null) word = c.getText().toLowerCase()
      else if (word === 'exists' && rule === 'subQueryExpression') this.queries.push({ query: readQuery(c), role: 'reads' })
      else this.visit(c, steers || word === 'case' || word === 'when' || word === '[')
    }
  }

  private call(node: ParseTree, steers: boolean): void {
    const name = functionName(node)
    this.functions.add(name)
    const steered = Object.hasOwn(steering, name) ? steering[name]! : []
    let position = 0
    for (const c of childrenOf(node)) {
      const isArgument = ruleOf(c) === 'selectExpression'
      this.visit(c, steers || (isArgument && (steered === 'all' || steered.includes(position))))
      if (isArgument) position++
    }
  }

  /** `(PARTITION BY … ORDER BY …)`, or the name of one of the SELECT's windows. */
  private window(node: ParseTree): void {
    this.isWindow = true
    const named = identifiers(node)[0]
    const definition = named === undefined ? undefined : this.windows.get(named.toLowerCase())
    if (definition) this.byKeyWord(definition, true)
    this.byKeyWord(node, true)
  }
}

const functionName = (node: ParseTree): string => child(node, 'functionNameForInvoke')?.getText().toLowerCase().replaceAll('`', '') ?? ''

function transformationOf(inner: ParseTree, scan: Scan, pure: string[] | null): Transformation {
  if (scan.isWindow) return 'window'
  if ([...scan.functions].some((f) => aggregates.has(f))) return 'aggregate'
  if (pure) return 'copy'
  if (scan.references.length === 0 && scan.queries.length === 0) return 'constant'
  if (scan.isConditional || [...scan.functions].some((f) => conditionals.has(f))) return 'conditional'
  if (ruleOf(inner) === 'castExpression' && dottedName(unwrap(child(inner, 'expression') ?? inner))) return 'cast'
  if (ruleOf(inner) === 'function_' && functionName(inner) === nestedCast && scan.references.length === 1 && scan.functions.size === 1)
    return 'cast'
  if (ruleOf(inner) === 'subQueryExpression') return 'copy'
  return 'expression'
}

/** `items[0].price` -> price: Hive names such a column by its last member. */
function memberName(node: ParseTree): string | null {
  const [dot, last] = childrenOf(node).slice(-2)
  return last && ruleOf(last) === 'id_' && ruleOf(dot!) === null && dot!.getText() === '.' ? identifier(last) : null
}

function callOf(node: ParseTree): Expression['call'] {
  if (ruleOf(node) !== 'function_' || child(node, 'window_specification')) return null
  const values = children(node, 'selectExpression').map((a) => typeHint(unwrap(below(a, ['expression'])[0] ?? a)))
  return { name: functionName(node), arguments: values }
}
