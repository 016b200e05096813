import type { TypeTree } from '../../vocabulary.js'
import type { ColumnSource, Relation } from '../ddl/ddl-estate.js'
import { type Fold, foldHive } from '../sql/names.js'
import { type Transformation, transformations } from './hive-expression.js'
import type { Joined } from './hive-query.js'

/** Where a value comes from: columns that become (part of) it, columns that only steer it, and the strongest step between. */
export interface Value {
  sources: ColumnSource[]
  indirect: ColumnSource[]
  transformation: Transformation
  type: TypeTree | null
}
/** One column that a query gives. */
export interface OutputColumn extends Value {
  name: string
  expression: string
}
/** `*` over tables whose columns are not known here: candidates are folded qualified names. */
export interface OutputStar {
  candidates: string[]
}
export type Output = OutputColumn | OutputStar
export const isStar = (output: Output): output is OutputStar => 'candidates' in output
const isColumn = (output: Output): output is OutputColumn => !isStar(output)

/** Something in FROM: a table, the rows of a query, or a LATERAL VIEW. */
export interface Visible {
  alias: string
  /** folded qualified name of a table */
  relation: string | null
  outputs: Output[]
  byName: ReadonlyMap<string, OutputColumn>
  /** tables among it whose columns are not known here, so that any name may be theirs */
  open: string[]
  /** what any other name means: a table function whose columns nobody named */
  rest: Value | null
}

/** The FROM of a query, and that of the query around it. */
export interface Scope {
  visible: Visible[]
  /** columns that USING brought together, by folded name */
  merged: Map<string, OutputColumn>
  outer: Scope | null
}

export const newScope = (outer: Scope | null): Scope => ({ visible: [], merged: new Map(), outer })

export function visible(alias: string, relation: string | null, outputs: Output[], rest: Value | null = null): Visible {
  const byName = new Map<string, OutputColumn>()
  for (const output of outputs.filter(isColumn)) if (!byName.has(foldHive(output.name))) byName.set(foldHive(output.name), output)
  return { alias: foldHive(alias), relation, outputs, byName, open: outputs.flatMap((o) => (isStar(o) ? o.candidates : [])), rest }
}

/** The columns of a table that this script made; one open `*` where it did not. */
export function outputsOf(relation: string, known: Relation | undefined, fold: Fold = foldHive): Output[] {
  if (!known?.complete) return [{ candidates: [relation] }]
  return known.columns.map((c) => ({
    name: c.name,
    sources: [{ relation, column: fold(c.name) }],
    indirect: [],
    transformation: 'copy',
    expression: c.name,
    type: c.type,
  }))
}

export const strongest = (a: Transformation, b: Transformation): Transformation =>
  transformations.indexOf(a) >= transformations.indexOf(b) ? a : b

const keyOf = (source: ColumnSource): string =>
  'relation' in source ? `${source.relation}\n${source.column}` : `${source.candidates.join('\n')}\n\n${source.column}`

/** Each source once; one that becomes part of the value is not told as steering it too. */
export function distinct(sources: readonly ColumnSource[], indirect: readonly ColumnSource[]): Pick<Value, 'sources' | 'indirect'> {
  const direct = new Map(sources.map((s) => [keyOf(s), s]))
  const rest = new Map(indirect.map((s) => [keyOf(s), s]))
  for (const key of direct.keys()) rest.delete(key)
  return { sources: [...direct.values()], indirect: [...rest.values()] }
}

/** Two values of which a row has the one or the other. */
export const either = (a: Value, b: Value): Value => ({
  ...distinct([...a.sources, ...b.sources], [...a.indirect, ...b.indirect]),
  transformation: strongest(a.transformation, b.transformation),
  type: a.type ?? b.type,
})

/** UNION: column by column, under the names of the first branch. */
export function unite(left: Output[], right: Output[]): Output[] {
  const longest = left.length >= right.length ? left : right
  return longest.map((_, i) => {
    const [a, b] = [left[i], right[i]]
    if (!a || !b) return (a ?? b)!
    if (isStar(a)) return isStar(b) ? { candidates: [...new Set([...a.candidates, ...b.candidates])] } : a
    return isStar(b) ? a : { ...a, ...either(a, b) }
  })
}

/** USING (this) stands for NATURAL: all columns that both sides surely have. */
export const naturalColumns = 'natural_columns_of_both'

const shared = (scope: Scope, right: Visible): string[] =>
  [...right.byName].flatMap(([folded, { name }]) => (scope.merged.has(folded) || sure(folded, scope).length > 0 ? [name] : []))

/** JOIN … USING: one column for both sides' (ISO 9075-2, 7.10), COALESCE of both where either may be missing. */
export function merge(scope: Scope, right: Visible, { using, keeps }: Joined): void {
  for (const name of using[0] === naturalColumns ? shared(scope, right) : using) {
    const column = foldHive(name)
    const a = unqualified(column, scope)
    const b = columnOf(right, column)
    if (a === null || a === 'ambiguous' || b === null) continue
    const value = keeps === 'left' ? a : keeps === 'right' ? b : either(a, b)
    const transformation = keeps === 'both' ? strongest(value.transformation, 'conditional') : value.transformation
    scope.merged.set(column, { ...value, transformation, name, expression: name })
  }
}

/** `*` (what USING merged comes first, and once), `alias.*` or `database.table.*`. */
export function starOf(qualifier: readonly string[], scope: Scope): Output[] {
  const wanted = qualifier.map(foldHive)
  if (wanted.length > 0) return scope.visible.filter((v) => isNamed(v, wanted)).flatMap((v) => v.outputs)
  const rest = scope.visible.flatMap((v) => v.outputs).filter((o) => isStar(o) || !scope.merged.has(foldHive(o.name)))
  return [...scope.merged.values(), ...rest]
}

const isNamed = (v: Visible, name: string[]): boolean => (name.length === 1 ? v.alias === name[0] : v.relation === name.join('.'))

/** Columns that Hive adds to every table (virtual ones) or to every grouping: no column's value is in them. */
const virtual: Record<string, { transformation: Transformation; type: string }> = {
  input__file__name: { transformation: 'copy', type: 'string' },
  block__offset__inside__file: { transformation: 'copy', type: 'bigint' },
  row__offset__inside__block: { transformation: 'copy', type: 'bigint' },
  raw__data__size: { transformation: 'copy', type: 'bigint' },
  row__id: { transformation: 'copy', type: 'struct' },
  row__is__deleted: { transformation: 'copy', type: 'boolean' },
  grouping__id: { transformation: 'aggregate', type: 'bigint' },
}

/** What a dotted name stands for, here or in the query around; null where nothing has it, `ambiguous` where two things surely do. */
export function find(path: readonly string[], scope: Scope): Value | 'ambiguous' | null {
  const folded = path.map(foldHive)
  const hidden = virtual[folded.at(-1)!]
  if (hidden && Object.hasOwn(virtual, folded.at(-1)!))
    return { sources: [], indirect: [], transformation: hidden.transformation, type: { name: hidden.type } }
  for (let at: Scope | null = scope; at; at = at.outer) {
    const named = qualified(folded, at)
    if (named) {
      const found = columnOf(named.source, folded[named.column]!)
      if (found) return member(found, path.slice(named.column + 1))
    }
    // an alias may also be the name of a struct, but only of one that is surely there
    const found = named ? sure(folded[0]!, at)[0] : unqualified(folded[0]!, at)
    if (found) return found === 'ambiguous' ? found : member(found, path.slice(1))
    if (named) return null
  }
  return null
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

/** A column of one source; null where the source surely does not have it. */
const columnOf = (source: Visible, column: string): Value | null =>
  source.byName.get(column) ?? openColumn(column, source.open) ?? source.rest

const sure = (column: string, scope: Scope): Value[] =>
  scope.visible.flatMap((source) => {
    const found = source.byName.get(column)
    return found ? [found] : []
  })

/** A column without a qualifier: of the source that surely has it, else of all those that may. */
function unqualified(column: string, scope: Scope): Value | 'ambiguous' | null {
  const merged = scope.merged.get(column)
  if (merged) return merged
  const [first, second] = sure(column, scope)
  if (first) return second ? 'ambiguous' : first
  const candidates = scope.visible.flatMap((source) => source.open)
  return openColumn(column, [...new Set(candidates)]) ?? scope.visible.find((source) => source.rest)?.rest ?? null
}

function openColumn(column: string, candidates: string[]): Value | null {
  if (candidates.length === 0) return null
  const source = candidates.length === 1 ? { relation: candidates[0]!, column } : { column, candidates }
  return { sources: [source], indirect: [], transformation: 'copy', type: null }
}

/** Steps into struct members: the source stays the column, the type becomes the member's. */
function member(found: Value, members: readonly string[]): Value {
  if (members.length === 0) return found
  let type = found.type
  for (const name of members) type = type?.fields?.find((f) => foldHive(f.name) === foldHive(name))?.type ?? null
  return { ...found, type, transformation: strongest(found.transformation, 'expression') }
}

/** Names that could have been meant: those of the sources, with their alias where more than one has them. */
export function knownNames(scope: Scope): string[] {
  const names = scope.visible.flatMap((v) => v.outputs.filter(isColumn).map((o) => ({ alias: v.alias, name: o.name })))
  const counts = new Map<string, number>()
  for (const { name } of names) counts.set(foldHive(name), (counts.get(foldHive(name)) ?? 0) + 1)
  return names.map(({ alias, name }) => (counts.get(foldHive(name)) === 1 ? name : `${alias}.${name}`))
}
