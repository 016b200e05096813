import type { GraphValue } from './engine.js'

/** The catalog id of the node with this internal id; '' where it has none. */
export type IdOf<Internal> = (internal: Internal) => string

/** What both engines' answers share, so that they are equal: labels sorted, without the `Node` that all have. */
export const visibleLabels = (labels: readonly string[]): string[] => labels.filter((label) => label !== 'Node').sort()

export const nodeIdOf = (properties: { [key: string]: GraphValue }): string =>
  typeof properties['id'] === 'string' ? properties['id'] : ''

/** What both engines answer alike: a value without parts, or undefined. Numbers that JSON lacks become null, wide integers text. */
export function scalarValue(value: unknown): GraphValue | undefined {
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return value
    case 'number':
      return Number.isFinite(value) ? value : null
    case 'bigint':
      return value.toString()
    default:
      return value === null || value === undefined ? null : undefined
  }
}

/** A relationship's id is built from what identifies it in the catalog: `<source> <TYPE> <target>`, and the discriminator where there is one. */
export function relationshipValue(type: string, start: string, end: string, properties: { [key: string]: GraphValue }): GraphValue {
  const discriminator = properties['discriminator']
  return { id: [start, type, end, ...(discriminator ? [String(discriminator)] : [])].join(' '), type, start, end, properties }
}
