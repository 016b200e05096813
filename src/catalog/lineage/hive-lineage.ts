import type { Properties, TypeTree } from '../../vocabulary.js'
import { type Estate, type Flow, type Lineage, relationKey } from '../ddl/ddl-estate.js'
import { foldHive } from '../sql/names.js'
import type { Expression } from './hive-expression.js'
import { type GivenColumn, sumType, type TypeHint, tableFunctions } from './hive-expression-type.js'
import type { Cte, Item, Join, Query, RowSource, Select } from './hive-query.js'
import {
  distinct,
  find,
  isStar,
  knownNames,
  merge,
  newScope,
  type Output,
  type OutputColumn,
  outputsOf,
  type Scope,
  starOf,
  strongest,
  unite,
  type Value,
  type Visible,
  visible,
} from './hive-scope.js'
import { unnamedColumn } from './unnamed-column.js'

export { isStar, type Output, type OutputColumn } from './hive-scope.js'

/** A query after its names were looked up in the script's own tables. */
export interface Resolved {
  outputs: Output[]
  relations: Set<string>
  joins: Join[]
  filters: string[]
  /** names that no source has, or that several have, with what could have been meant */
  missing: { name: string; known: string[] }[]
}

/** Looks the names of a query up. Nothing is guessed: an unqualified name that several unknown tables may have keeps them all as candidates. */
export function resolveQuery(query: Query, estate: Estate, isRecursive = false): Resolved {
  const result: Resolved = { outputs: [], relations: new Set(), joins: [], filters: [], missing: [] }
  result.outputs = new Resolver(estate, result, isRecursive).query(query, new Map(), null)
  return result
}

/** A sub-query in FROM with a CTE of this name (which nothing reads) is LATERAL: it can name what stands before it. */
export const lateralMark = 'rows of a lateral query'

/** Columns under the names that are given to them in order; those behind an open `*` have no place. */
function renamed(outputs: Output[], names: readonly string[]): Output[] {
  const open = outputs.findIndex(isStar)
  return outputs.map((output, i) => (isStar(output) || (open >= 0 && i > open) ? output : { ...output, name: names[i] ?? output.name }))
}

/** CTEs by folded name. One that nothing names is never looked at: Hive does not run it either. */
type Ctes = ReadonlyMap<string, () => Output[]>

class Resolver {
  /** each table once, however often the query names it: a UNION of hundreds of branches over one wide table */
  private readonly tables = new Map<string, Visible>()

  constructor(
    private readonly estate: Estate,
    private readonly result: Resolved,
    /** WITH RECURSIVE: within a CTE, its own name is what it gives without that */
    private readonly isRecursive: boolean,
  ) {}

  query(query: Query, outerCtes: Ctes, outer: Scope | null): Output[] {
    let ctes = outerCtes
    for (const cte of query.ctes) {
      const before = ctes
      let outputs: Output[] | null = null
      ctes = new Map(before).set(foldHive(cte.name), () => {
        outputs ??= this.cte(cte, before)
        return outputs
      })
    }
    const branches = query.branches.map((select) => ({ select, outputs: this.select(select, ctes, outer) }))
    const flowing = branches.filter((b) => !b.select.subtracts)
    return flowing.slice(1).reduce((all, b) => unite(all, b.outputs), flowing[0]?.outputs ?? [])
  }

  private cte({ name, columns, query }: Cte, before: Ctes): Output[] {
    const outputs = (q: Query, ctes: Ctes) => renamed(this.query(q, ctes, null), columns)
    if (!this.isRecursive || query.branches.length < 2) return outputs(query, before)
    const start = () => outputs({ ...query, branches: query.branches.slice(0, 1) }, before)
    return outputs(query, new Map(before).set(foldHive(name), start))
  }

  private select(select: Select, ctes: Ctes, outer: Scope | null): Output[] {
    const whole = newScope(outer)
    // what can be selected: a semi join's right side stands in conditions only
    const scope = newScope(outer)
    for (const source of select.sources) {
      const joined = source.kind === 'lateral' ? undefined : source.joined
      const seen = this.visible(source, ctes, scope)
      if (joined && joined.using.length > 0 && !joined.isHidden) merge(scope, seen, joined)
      whole.visible.push(seen)
      if (!joined?.isHidden) scope.visible.push(seen)
    }
    this.result.joins.push(...select.joins)
    this.result.filters.push(...select.filters)
    for (const query of select.conditionQueries) this.query(query, ctes, whole)
    return select.items.flatMap((item, i) =>
      this.item(item, ctes, scope).map((o) =>
        isStar(o) || o.name !== '' ? o : { ...o, name: unnamedColumn(this.estate.dialect, item, i) },
      ),
    )
  }

  private visible(source: RowSource, ctes: Ctes, scope: Scope): Visible {
    if (source.kind === 'query') {
      const isLateral = source.query.ctes.some(({ name }) => name === lateralMark)
      return visible(source.alias, null, this.query(source.query, ctes, isLateral ? scope : null))
    }
    if (source.kind === 'lateral') {
      const { outputs, value } = this.tableFunction(source.expression, source.columns, ctes, scope)
      return visible(source.alias, null, outputs, outputs.length === 0 ? value : null)
    }
    const cte = source.table.database === null ? ctes.get(foldHive(source.table.name)) : undefined
    if (cte) return visible(source.alias, null, cte())
    const relation = relationKey(this.estate, source.table)
    this.result.relations.add(relation)
    const seen =
      this.tables.get(relation) ?? visible('', relation, outputsOf(relation, this.estate.relations.get(relation), this.estate.fold))
    this.tables.set(relation, seen)
    return { ...seen, alias: foldHive(source.alias) }
  }

  /** The columns of `explode(…)` and its like, under the given names or the function's own. */
  private tableFunction(expression: Expression, names: readonly string[], ctes: Ctes, scope: Scope) {
    const value = this.value(expression, ctes, scope)
    const transformation = value.transformation === 'constant' ? value.transformation : strongest(value.transformation, 'expression')
    const own = this.givenColumns(expression, scope)
    const columns = names.length > 0 ? names.map((name, i) => ({ name, type: own[i]?.type ?? null })) : own
    const taken: Value & { expression: string } = { ...value, transformation, type: null }
    return { value: taken, outputs: columns.map((column) => ({ ...taken, ...column })) }
  }

  private givenColumns({ call }: Expression, scope: Scope): GivenColumn[] {
    if (!call || !Object.hasOwn(tableFunctions, call.name)) return []
    return tableFunctions[call.name]!(call.arguments.map((hint) => this.typeOf(hint, scope)))
  }

  private item(item: Item, ctes: Ctes, scope: Scope): Output[] {
    if (item.kind === 'star') return starOf(item.qualifier, scope)
    const { expression, names } = item
    if (expression.call && Object.hasOwn(tableFunctions, expression.call.name)) {
      const { outputs } = this.tableFunction(expression, names, ctes, scope)
      if (outputs.length > 0) return outputs
    }
    const value = this.value(expression, ctes, scope)
    const given = names.length > 0 ? names : [expression.ownName ?? '']
    return given.map((name) => ({ ...value, name, type: given.length > 1 ? null : value.type }))
  }

  private value(expression: Expression, ctes: Ctes, scope: Scope): Value & { expression: string } {
    const parts: { value: Value | null; steers: boolean }[] = expression.references.map(({ path, steers }) => ({
      value: this.lookUp(path, scope),
      steers,
    }))
    for (const { query, role } of expression.queries) {
      const outputs = this.query(query, ctes, scope).filter((o): o is OutputColumn => !isStar(o))
      if (role !== 'reads') parts.push(...outputs.map((value) => ({ value, steers: role === 'steers' })))
    }
    const direct = parts.filter((p) => !p.steers)
    const steering = parts.filter((p) => p.steers)
    const own = expression.transformation
    const isConstant = own !== 'aggregate' && own !== 'window' && parts.every((p) => p.value?.transformation === 'constant')
    return {
      ...distinct(
        direct.flatMap((p) => p.value?.sources ?? []),
        [
          ...direct.flatMap((p) => p.value?.indirect ?? []),
          ...steering.flatMap((p) => [...(p.value?.sources ?? []), ...(p.value?.indirect ?? [])]),
        ],
      ),
      transformation: isConstant
        ? parts.length > 0
          ? 'constant'
          : own
        : parts.reduce((all, p) => strongest(all, p.value?.transformation ?? all), own),
      expression: expression.text,
      type: this.typeOf(expression.type, scope),
    }
  }

  private typeOf(hint: TypeHint, scope: Scope): TypeTree | null {
    if (!hint || 'type' in hint) return hint?.type ?? null
    const found = find(hint.like, scope)
    const type = found === 'ambiguous' ? null : (found?.type ?? null)
    return type && hint.sum ? sumType(type) : type
  }

  /** What a name stands for; where nothing (or more than one thing) is meant, that is noted, and no value flows. */
  private lookUp(path: string[], scope: Scope): Value | null {
    const found = find(path, scope)
    if (found !== null && found !== 'ambiguous') return found
    this.result.missing.push({ name: path.join('.'), known: knownNames(scope) })
    return null
  }
}

/** The flows of a query into columns of a target, whose names are given in order (those of the query itself by default). */
export function lineageOf(resolved: Resolved, names?: readonly string[]): Lineage {
  const flows: Flow[] = []
  const stars: string[][] = []
  resolved.outputs.forEach((output, i) => {
    if (isStar(output)) stars.push(output.candidates)
    else {
      const column = names ? names[i] : output.name
      const { sources, indirect, transformation, expression } = output
      if (column !== undefined) flows.push({ sources, indirect, column, transformation, expression })
    }
  })
  return { relations: [...resolved.relations], flows, stars }
}

/**
 * What a view or query says about itself: its joins (commas and sub-queries included) and filters, and how much of it can be traced
 * (columns to which no column flows, not even one that steers) and typed.
 */
export function lineageProperties(resolved: Resolved): Properties {
  const columns = resolved.outputs.filter((o): o is OutputColumn => !isStar(o))
  const share = (n: number) => (columns.length === 0 ? null : Number((n / columns.length).toFixed(4)))
  return {
    join_count: resolved.joins.length,
    joins: resolved.joins.map((j) => ({ type: j.type, with: j.with, on: j.on })),
    filters: resolved.filters,
    information_loss: share(columns.filter((c) => c.sources.length + c.indirect.length === 0).length),
    type_coverage: share(columns.filter((c) => c.type !== null).length),
  }
}
