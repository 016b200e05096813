import { canonicalJson } from '../util/hash.js'
import type { JsonValue, NodeKind, Properties } from '../vocabulary.js'
import { columnNullable, columnProperties, columnTypeText } from './column.js'

export const changeKinds = [
  'node_added',
  'node_removed',
  'edge_added',
  'edge_removed',
  'type_changed',
  'nullability_changed',
  'property_changed',
  'renamed',
] as const
export type ChangeKind = (typeof changeKinds)[number]

/** What a fact says: the content behind a version hash. Names are null for edges. */
export interface FactContent {
  name: string | null
  qualifiedName: string | null
  properties: Properties
}

/** A difference between two versions of one fact. */
export interface Difference {
  kind: 'type_changed' | 'nullability_changed' | 'property_changed'
  /** which property (or `name`); '' for the type and the nullability */
  property: string
  before: JsonValue
  after: JsonValue
}

/** Properties of a column that are told as type_changed and nullability_changed. */
const told: ReadonlySet<string> = new Set([columnProperties.type, columnProperties.tree, columnProperties.nullable, 'canonical_type'])

/** What changed between two versions of a fact, in a fixed order; absent properties count as null. `kind` is null for an edge. */
export function differencesBetween(kind: NodeKind | null, before: FactContent, after: FactContent): Difference[] {
  const out: Difference[] = []
  const isColumn = kind === 'Column'
  if (isColumn) {
    const types = [columnTypeText(before.properties), columnTypeText(after.properties)] as const
    if (types[0] !== types[1]) out.push({ kind: 'type_changed', property: '', before: types[0], after: types[1] })
    const nullable = [columnNullable(before.properties), columnNullable(after.properties)] as const
    if (nullable[0] !== nullable[1]) out.push({ kind: 'nullability_changed', property: '', before: nullable[0], after: nullable[1] })
  }
  for (const name of ['name', 'qualifiedName'] as const)
    if (before[name] !== after[name]) out.push({ kind: 'property_changed', property: name, before: before[name], after: after[name] })
  const keys = new Set([...Object.keys(before.properties), ...Object.keys(after.properties)])
  for (const key of [...keys].sort()) {
    if (isColumn && told.has(key)) continue
    const [was, is] = [before.properties[key] ?? null, after.properties[key] ?? null]
    if (canonicalJson(was) !== canonicalJson(is)) out.push({ kind: 'property_changed', property: key, before: was, after: is })
  }
  return out
}
