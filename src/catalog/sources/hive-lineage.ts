import type { Properties, TypeTree } from '../../vocabulary.js'
import { type ColumnSource, type Estate, type Flow, findColumn, type Lineage, type Relation, relationKey } from './hive-estate.js'
import { type Expression, sumType, type Transformation, type TypeHint, transformations } from './hive-expression.js'
import type { Item, Join, Query, RowSource, Select } from './hive-query.js'
import { foldHive } from './names.js'

/** One column that a query gives. */
export interface OutputColumn {
  name: string
  sources: ColumnSource[]
  transformation: Transformation
  expression: string
  type: TypeTree | null
}
/** `*` over tables whose columns are not known here: candidates are folded qualified names. */
export interface OutputStar {
  candidates: string[]
}
export type Output = OutputColumn | OutputStar
export const isStar = (output: Output): output is OutputStar => 'candidates' in output

/** A query after its names were looked up in the script's own tables. */
export interface Resolved {
  outputs: Output[]
  relations: Set<string>
  joins: Join[]
  filters: string[]
  /** names that no source has, with what its sources do have */
  missing: { name: string; known: string[] }[]
}

/** Something in FROM: a table with columns we know, one we don't (`relation` alone), or rows of a query. */
interface Visible {
  alias: string
  relation: string | null
  known: Relation | null
  outputs: Output[] | null
}
interface Scope {
  visible: Visible[]
  outer: Scope | null
}
type CteOutputs = ReadonlyMap<string, Output[]>
interface Found {
  sources: ColumnSource[]
  transformation: Transformation
  type: TypeTree | null
}

/** Looks the names of a query up. Nothing is guessed: an unqualified name that several unknown tables may have keeps them all as candidates. */
export function resolveQuery(query: Query, estate: Estate): Resolved {
  const result: Resolved = { outputs: [], relations: new Set(), joins: [], filters: [], missing: [] }
  result.outputs = new Resolver(estate, result).query(query, new Map(), null)
  return result
}

class Resolver {
  constructor(
    private readonly estate: Estate,
    private readonly result: Resolved,
  ) {}

  query(query: Query, outerCtes: CteOutputs, outer: Scope | null): Output[] {
    const ctes = new Map(outerCtes)
    for (const cte of query.ctes) ctes.set(foldHive(cte.name), this.query(cte.query, ctes, null))
    const branches = query.branches.map((select) => ({ select, outputs: this.select(select, ctes, outer) }))
    const flowing = branches.filter((b) => !b.select.subtracts)
    return flowing.slice(1).reduce((all, b) => unite(all, b.outputs), flowing[0]?.outputs ?? [])
  }

  private select(select: Select, ctes: CteOutputs, outer: Scope | null): Output[] {
    const scope: Scope = { visible: [], outer }
    for (const source of select.sources) scope.visible.push(this.visible(source, ctes, scope))
    this.result.joins.push(...select.joins)
    this.result.filters.push(...select.filters)
    for (const query of select.conditionQueries) this.query(query, ctes, scope)
    return select.items
      .flatMap((item) => this.item(item, ctes, scope))
      .map((o, i) => (isStar(o) || o.name !== '' ? o : { ...o, name: `_c${i}` }))
  }

  private visible(source: RowSource, ctes: CteOutputs, scope: Scope): Visible {
    const alias = foldHive(source.alias)
    if (source.kind === 'query') return { alias, relation: null, known: null, outputs: this.query(source.query, ctes, null) }
    if (source.kind === 'lateral') {
      const value = this.value(source.expression, ctes, scope)
      const outputs = source.columns.map((name) => ({
        name,
        ...value,
        type: null,
        transformation: strongest(value.transformation, 'expression'),
      }))
      return { alias, relation: null, known: null, outputs }
    }
    const cte = source.table.database === null ? ctes.get(foldHive(source.table.name)) : undefined
    if (cte) return { alias, relation: null, known: null, outputs: cte }
    const relation = relationKey(this.estate, source.table)
    this.result.relations.add(relation)
    const known = this.estate.relations.get(relation)
    return { alias, relation, known: known?.complete ? known : null, outputs: null }
  }

  private item(item: Item, ctes: CteOutputs, scope: Scope): Output[] {
    if (item.kind === 'star') return this.star(item.qualifier, scope)
    const value = this.value(item.expression, ctes, scope)
    const names = item.names.length > 0 ? item.names : [item.expression.ownName ?? '']
    return names.map((name) => ({ name, ...value, type: names.length > 1 ? null : value.type }))
  }

  private star(qualifier: string[], scope: Scope): Output[] {
    const wanted = qualifier.map(foldHive)
    const from = wanted.length === 0 ? scope.visible : scope.visible.filter((v) => isNamed(v, wanted))
    return from.flatMap((v): Output[] => {
      if (v.outputs) return v.outputs.map((o) => (isStar(o) ? o : { ...o, transformation: strongest(o.transformation, 'copy') }))
      if (!v.known) return [{ candidates: [v.relation!] }]
      return v.known.columns.map((c) => ({
        name: c.name,
        sources: [{ relation: v.relation!, column: foldHive(c.name) }],
        transformation: 'copy',
        expression: c.name,
        type: c.type,
      }))
    })
  }

  private value(expression: Expression, ctes: CteOutputs, scope: Scope): Found & { expression: string } {
    const found = expression.references.map((path) => this.lookUp(path, scope))
    const inner = expression.queries.flatMap((q) => this.query(q, ctes, scope))
    const sources = [...found.flatMap((f) => f?.sources ?? []), ...inner.flatMap((o) => (isStar(o) ? [] : o.sources))]
    const own = expression.transformation
    const passed = own === 'copy' || own === 'cast' ? found.flatMap((f) => (f ? [f.transformation] : [])) : []
    return {
      sources: unique(sources),
      transformation: passed.reduce(strongest, own),
      expression: expression.text,
      type: this.typeOf(expression.type, scope),
    }
  }

  private typeOf(hint: TypeHint, scope: Scope): TypeTree | null {
    if (!hint || 'type' in hint) return hint?.type ?? null
    const type = this.lookUp(hint.like, scope, true)?.type ?? null
    return type && hint.sum ? sumType(type) : type
  }

  /** What a dotted name stands for, here or in the query around; null (and noted as missing) where nothing has it. */
  private lookUp(path: string[], scope: Scope, quiet = false): Found | null {
    const folded = path.map(foldHive)
    for (let at: Scope | null = scope; at; at = at.outer) {
      const named = qualified(folded, at)
      if (named) {
        const found = columnOf(named.source, folded[named.column]!)
        if (found) return member(found, path.slice(named.column + 1))
        if (folded.length === 1) continue
        break
      }
      const found = unqualified(folded[0]!, at)
      if (found) return member(found, path.slice(1))
    }
    if (!quiet) this.result.missing.push({ name: path.join('.'), known: knownNames(scope) })
    return null
  }
}

/** The source that the first part (or the first two) of a name means, and which part is then the column. */
function qualified(path: string[], scope: Scope): { source: Visible; column: number } | null {
  if (path.length > 2) {
    const source = scope.visible.find((v) => v.relation === `${path[0]}.${path[1]}`)
    if (source) return { source, column: 2 }
  }
  const source = path.length > 1 ? scope.visible.find((v) => v.alias === path[0]) : undefined
  return source ? { source, column: 1 } : null
}

const isNamed = (v: Visible, name: string[]): boolean => (name.length === 1 ? v.alias === name[0] : v.relation === name.join('.'))

/** A column of one source; null where the source surely does not have it. */
function columnOf(source: Visible, column: string): Found | null {
  if (source.outputs) {
    const output = source.outputs.find((o): o is OutputColumn => !isStar(o) && foldHive(o.name) === column)
    if (output) return output
    return open(
      column,
      source.outputs.flatMap((o) => (isStar(o) ? o.candidates : [])),
    )
  }
  if (!source.known) return open(column, [source.relation!])
  const known = findColumn(source.known, column)
  return known ? { sources: [{ relation: source.relation!, column }], transformation: 'copy', type: known.type } : null
}

const open = (column: string, candidates: string[]): Found | null =>
  candidates.length === 0
    ? null
    : {
        sources: [candidates.length === 1 ? { relation: candidates[0]!, column } : { column, candidates: [...new Set(candidates)] }],
        transformation: 'copy',
        type: null,
      }

/** A column without a qualifier: the first source that surely has it, else all those that may. */
function unqualified(column: string, scope: Scope): Found | null {
  const candidates: string[] = []
  for (const source of scope.visible) {
    const found = columnOf(source, column)
    if (!found) continue
    const isSure = source.known !== null || source.outputs?.some((o) => !isStar(o) && foldHive(o.name) === column)
    if (isSure) return found
    candidates.push(...found.sources.flatMap((s) => ('candidates' in s ? s.candidates : [s.relation])))
  }
  return open(column, candidates)
}

/** Steps into struct members: the source stays the column, the type becomes the member's. */
function member(found: Found, members: string[]): Found {
  if (members.length === 0) return found
  let type = found.type
  for (const name of members) type = type?.fields?.find((f) => foldHive(f.name) === foldHive(name))?.type ?? null
  return { ...found, type, transformation: strongest(found.transformation, 'expression') }
}

/** UNION: column by column, under the names of the first branch. */
function unite(left: Output[], right: Output[]): Output[] {
  const longest = left.length >= right.length ? left : right
  return longest.map((_, i) => {
    const [a, b] = [left[i], right[i]]
    if (!a || !b) return (a ?? b)!
    if (isStar(a)) return isStar(b) ? { candidates: [...new Set([...a.candidates, ...b.candidates])] } : a
    if (isStar(b)) return a
    return {
      ...a,
      sources: unique([...a.sources, ...b.sources]),
      transformation: strongest(a.transformation, b.transformation),
      type: a.type ?? b.type,
    }
  })
}

const strongest = (a: Transformation, b: Transformation): Transformation =>
  transformations.indexOf(a) >= transformations.indexOf(b) ? a : b

function unique(sources: ColumnSource[]): ColumnSource[] {
  const seen = new Map(sources.map((s) => [JSON.stringify(s), s]))
  return [...seen.values()]
}

const knownNames = (scope: Scope): string[] =>
  scope.visible.flatMap((v) => v.known?.columns.map((c) => c.name) ?? v.outputs?.flatMap((o) => (isStar(o) ? [] : [o.name])) ?? [])

/** The flows of a query into columns of a target, whose names are given in order (those of the query itself by default). */
export function lineageOf(resolved: Resolved, names?: readonly string[]): Lineage {
  const flows: Flow[] = []
  const stars: string[][] = []
  resolved.outputs.forEach((output, i) => {
    if (isStar(output)) stars.push(output.candidates)
    else {
      const column = names ? names[i] : output.name
      if (column !== undefined)
        flows.push({ sources: output.sources, column, transformation: output.transformation, expression: output.expression })
    }
  })
  return { relations: [...resolved.relations], flows, stars }
}

/** What a view or query says about itself: its joins and filters, and how much of it can be traced and typed. */
export function lineageProperties(resolved: Resolved): Properties {
  const columns = resolved.outputs.filter((o): o is OutputColumn => !isStar(o))
  const share = (n: number) => (columns.length === 0 ? null : Number((n / columns.length).toFixed(4)))
  return {
    join_count: resolved.joins.length,
    joins: resolved.joins.map((j) => ({ type: j.type, with: j.with, on: j.on })),
    filters: resolved.filters,
    information_loss: share(columns.filter((c) => c.sources.length === 0).length),
    type_coverage: share(columns.filter((c) => c.type !== null).length),
  }
}
