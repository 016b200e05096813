import type { GraphValue } from '../engine.js'
import { type IdOf as IdOfInternal, nodeIdOf, relationshipValue, scalarValue, visibleLabels } from '../values.js'

type IdOf = IdOfInternal<number>

type Row = { [key: string]: unknown }

/** A value of Grafeo's result as a GraphValue: nodes, relationships and paths in the shapes that Neo4j's get too. */
export function decodeGrafeo(value: unknown, idOf: IdOf): GraphValue {
  const scalar = scalarValue(value)
  if (scalar !== undefined) return scalar
  if (value instanceof Date) return localMoment(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(value as ArrayLike<unknown>, (item) => decodeGrafeo(item, idOf))
  return decodeObject(value as Row, idOf)
}

function decodeObject(value: Row, idOf: IdOf): GraphValue {
  if (typeof value['_id'] === 'number' && Array.isArray(value['_labels'])) return decodeNode(value, idOf)
  if (typeof value['_id'] === 'number' && typeof value['_type'] === 'string') return decodeRelationship(value, idOf)
  if (isPath(value)) return { nodes: decodeGrafeo(value['nodes'], idOf), relationships: decodeGrafeo(value['edges'], idOf) }
  return decodeProperties(value, idOf)
}

/** A path comes as {nodes, edges} in this order; a map literal's keys come sorted (edges, nodes). */
const isPath = (value: Row) => Object.keys(value).join() === 'nodes,edges'

function decodeProperties(value: Row, idOf: IdOf, internal: readonly string[] = []): { [key: string]: GraphValue } {
  const entries = Object.entries(value).filter(([key]) => !internal.includes(key))
  return Object.fromEntries(entries.map(([key, item]) => [key, decodeGrafeo(item, idOf)]))
}

function decodeNode(value: Row, idOf: IdOf): GraphValue {
  const properties = decodeProperties(value, idOf, ['_id', '_labels'])
  return { id: nodeIdOf(properties), labels: visibleLabels(value['_labels'] as string[]), properties }
}

function decodeRelationship(value: Row, idOf: IdOf): GraphValue {
  const properties = decodeProperties(value, idOf, ['_id', '_type', '_source', '_target'])
  return relationshipValue(value['_type'] as string, idOf(value['_source'] as number), idOf(value['_target'] as number), properties)
}

/** `2024-01-01T00:00:00.5`: Grafeo gives moments without a zone as Date. */
const localMoment = (date: Date): string => date.toISOString().replace(/(?:\.0+|(\.\d*[1-9])0*)?Z$/, '$1')
