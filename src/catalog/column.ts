import type { CanonicalType, Properties, TypeTree } from '../vocabulary.js'
import { canonicalType, parseType, printType } from './sql/type-tree.js'

/** How sources name what every column has; the ledger, its metrics and its changes read columns through this file alone. */
export const columnProperties = {
  /** the type as normalised text: `decimal(10,2)`, `array<string>` */
  type: 'data_type',
  /** the same as a TypeTree */
  tree: 'type_tree',
  nullable: 'nullable',
  ordinal: 'ordinal',
} as const

const isTree = (value: unknown): value is TypeTree =>
  typeof value === 'object' && value !== null && typeof (value as TypeTree).name === 'string'

/** The type of a column node; null where its source could not tell. */
export function columnType(properties: Properties): TypeTree | null {
  const tree = properties[columnProperties.tree] as unknown
  if (isTree(tree)) return tree
  const text = properties[columnProperties.type]
  return typeof text === 'string' ? (parseType(text) ?? { name: text.toLowerCase() }) : null
}

/** The type of a column as one string, '' where it is not known. */
export function columnTypeText(properties: Properties): string {
  const text = properties[columnProperties.type]
  if (typeof text === 'string') return text
  const tree = columnType(properties)
  return tree ? printType(tree) : ''
}

/** The column's canonical type; null for an interval, a mixed or an unknown type. */
export function columnCanonical(properties: Properties): CanonicalType | null {
  const tree = columnType(properties)
  return tree ? canonicalType(tree) : null
}

/** null where the source does not say. */
export function columnNullable(properties: Properties): boolean | null {
  const value = properties[columnProperties.nullable]
  return typeof value === 'boolean' ? value : null
}

/** Place in the table, from 1; null where the source does not say. */
export function columnOrdinal(properties: Properties): number | null {
  const value = properties[columnProperties.ordinal]
  return typeof value === 'number' ? value : null
}
