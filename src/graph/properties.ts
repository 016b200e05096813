import { canonicalJson } from '../util/hash.js'
import type { JsonValue, Properties } from '../vocabulary.js'

export type StoredScalar = boolean | number | string
export type StoredValue = StoredScalar | StoredScalar[]

export interface StoredProperties {
  values: Record<string, StoredValue>
  /** moments (ISO 8601, UTC), which both engines hold as real datetimes */
  times: Record<string, string>
}

/**
 * Properties as both engines can hold them; the one place that decides:
 * - booleans, numbers, strings, and lists of one of these stay as they are; null and absent are the same (no property);
 * - what is nested or mixed becomes JSON text under `<name>_json`;
 * - a property called `…_at` that holds an ISO 8601 moment becomes a datetime (`n.updated_at > datetime('2024-01-01T00:00:00Z')`);
 * - names the engines keep for themselves (`_id`, `_labels`, …) and the empty name get an underscore more.
 */
export function encodeProperties(properties: Properties): StoredProperties {
  const stored: StoredProperties = { values: {}, times: {} }
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue
    const name = storedName(key)
    if (isMoment(name, value)) stored.times[name] = new Date(value).toISOString()
    else if (isStorable(value)) stored.values[name] = Array.isArray(value) ? value.map(cleanText) : cleanText(value)
    else stored.values[`${name}_json`] = canonicalJson(value)
  }
  return stored
}

const reserved = new Set(['', '_id', '_labels', '_source', '_target', '_type'])
function storedName(key: string): string {
  const name = key.replaceAll('\0', '')
  return reserved.has(name) ? `${name}_` : name
}

const isScalar = (value: JsonValue): value is StoredScalar => ['boolean', 'number', 'string'].includes(typeof value)

function isStorable(value: JsonValue): value is StoredValue {
  if (!Array.isArray(value)) return isScalar(value)
  return value.every((item) => isScalar(item) && typeof item === typeof value[0])
}

/** A lone surrogate is no Unicode text: UTF-8 engines cannot hold it. */
const cleanText = (value: StoredScalar): StoredScalar => (typeof value === 'string' ? value.replace(/\p{Cs}/gu, '\uFFFD') : value)

const timeName = /^[a-z][a-z0-9_]*_at$/
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/
const isMoment = (name: string, value: JsonValue): value is string =>
  typeof value === 'string' && timeName.test(name) && moment.test(value) && !Number.isNaN(Date.parse(value))
