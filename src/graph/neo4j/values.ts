import neo4j, { type Node, type Path, type Relationship } from 'neo4j-driver'
import { EspalierError } from '../../util/error.js'
import type { GraphValue } from '../engine.js'
import { type IdOf, nodeIdOf, relationshipValue, scalarValue, visibleLabels } from '../values.js'

/**
 * A value for Neo4j: whole numbers as Integers (the driver would send floats), in lists only where all are whole, because a stored list
 * has one type.
 */
export function encodeNeo4j(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? neo4j.int(value) : value
  if (Array.isArray(value)) {
    const floats = value.every((item) => typeof item === 'number') && !value.every((item) => Number.isSafeInteger(item))
    return floats ? value : value.map(encodeNeo4j)
  }
  if (value === null || typeof value !== 'object' || neo4j.isInt(value)) return value
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null)
    throw new EspalierError('BAD_INPUT', `a query parameter is a ${prototype.constructor?.name}; expected JSON values`)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encodeNeo4j(item)]))
}

/** A value of Neo4j's result as a GraphValue; `idOf` knows the catalog ids of the ends of relationships. */
export function decodeNeo4j(value: unknown, idOf: IdOf<string>): GraphValue {
  const scalar = scalarValue(value)
  if (scalar !== undefined) return scalar
  if (neo4j.isInt(value)) return value.inSafeRange() ? value.toNumber() : value.toString()
  if (Array.isArray(value)) return value.map((item) => decodeNeo4j(item, idOf))
  if (value instanceof Int8Array || value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  return decodeObject(value as object, idOf)
}

function decodeObject(value: object, idOf: IdOf<string>): GraphValue {
  if (neo4j.isNode(value)) return decodeNode(value, idOf)
  if (neo4j.isRelationship(value)) return decodeRelationship(value, idOf)
  if (neo4j.isPath(value)) return decodePath(value, idOf)
  if (isTemporal(value)) return shortMoment(String(value))
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null && !neo4j.isPoint(value)) return String(value)
  return decodeProperties(value as Record<string, unknown>, idOf)
}

const decodeProperties = (value: Record<string, unknown>, idOf: IdOf<string>): { [key: string]: GraphValue } =>
  Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decodeNeo4j(item, idOf)]))

function decodeNode({ labels, properties }: Node, idOf: IdOf<string>): GraphValue {
  const decoded = decodeProperties(properties, idOf)
  return { id: nodeIdOf(decoded), labels: visibleLabels(labels), properties: decoded }
}

const decodeRelationship = (r: Relationship, idOf: IdOf<string>): GraphValue =>
  relationshipValue(r.type, idOf(r.startNodeElementId), idOf(r.endNodeElementId), decodeProperties(r.properties, idOf))

/** A path's segments go along the path; its relationships keep their own direction. */
function decodePath({ start, segments }: Path, idOf: IdOf<string>): GraphValue {
  return {
    nodes: [start, ...segments.map((s) => s.end)].map((node) => decodeNode(node, idOf)),
    relationships: segments.map((s) => decodeRelationship(s.relationship, idOf)),
  }
}

const isTemporal = (value: object) =>
  neo4j.isDateTime(value) ||
  neo4j.isLocalDateTime(value) ||
  neo4j.isDate(value) ||
  neo4j.isTime(value) ||
  neo4j.isLocalTime(value) ||
  neo4j.isDuration(value)

/** `…:00.500000000Z` -> `…:00.5Z`: as Cypher's own toString prints it. */
const shortMoment = (text: string): string =>
  text.replace(/(\.\d*?)0+(?=Z|[+-]|\[|$)/, (_, digits: string) => (digits === '.' ? '' : digits))

/** Element ids of all nodes that relationships of the value name as their ends, and ids of the nodes that came along themselves. */
export function collectEnds(value: unknown, ends: Set<string>, known: Map<string, string>): void {
  if (value === null || typeof value !== 'object') return
  if (neo4j.isNode(value)) known.set(value.elementId, String(value.properties['id'] ?? ''))
  else if (neo4j.isRelationship(value)) ends.add(value.startNodeElementId).add(value.endNodeElementId)
  else if (neo4j.isPath(value))
    for (const s of value.segments) for (const part of [s.start, s.relationship, s.end]) collectEnds(part, ends, known)
  else if (Array.isArray(value)) for (const item of value) collectEnds(item, ends, known)
  else if (Object.getPrototypeOf(value) === Object.prototype) for (const item of Object.values(value)) collectEnds(item, ends, known)
}
