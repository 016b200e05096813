import { z } from 'zod'
import type { JsonValue, Properties } from '../../vocabulary.js'
import { recordKind } from '../records/index.js'
import type { DatasetKind } from '../version.js'

/** What a column of a table (CSV, Parquet) holds of a row: a text, a number, or anything else as JSON text. */
export type ColumnType = 'text' | 'number' | 'json'
export interface Column {
  name: string
  type: ColumnType
}

interface JsonSchema {
  type?: string
  anyOf?: JsonSchema[]
  properties?: Record<string, JsonSchema>
}

const typeOf = ({ type, anyOf }: JsonSchema): ColumnType => {
  if (anyOf) return anyOf.every((one) => typeOf(one) === 'text') ? 'text' : 'json'
  return type === 'string' ? 'text' : type === 'number' || type === 'integer' ? 'number' : 'json'
}

/** In the order that people expect; fields that are not named here follow. */
const order: readonly string[] = [
  'text',
  'expected_intent',
  'expected_sentiment',
  'expected_persona',
  'confidence',
  'source',
  'created_at',
  'expected_entities',
  'metadata',
]
const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length)

const cache = new Map<DatasetKind, readonly Column[]>()

/** The fields of a kind as columns; none for `tabular`, whose rows say it themselves. */
export function columnsOf(kind: DatasetKind): readonly Column[] {
  const known = cache.get(kind)
  if (known) return known
  const { properties = {} } = z.toJSONSchema(recordKind(kind).schema, { io: 'input' }) as JsonSchema
  const columns = Object.entries(properties).map(([name, schema]) => ({ name, type: typeOf(schema) }))
  const sorted = kind === 'labeled-text' ? columns.sort((a, b) => rank(a.name) - rank(b.name)) : columns
  cache.set(kind, sorted)
  return sorted
}

/** The columns that tabular rows have, in the order they first come, each of the one type that fits all its values. */
export async function tabularColumns(rows: AsyncIterable<JsonValue>): Promise<(Column & { isBoolean: boolean; isInteger: boolean })[]> {
  const seen = new Map<string, Set<string>>()
  for await (const row of rows)
    for (const [name, value] of Object.entries(row as Properties)) {
      const types = seen.get(name) ?? new Set()
      seen.set(name, types)
      if (value !== null) types.add(typeof value === 'number' ? (Number.isSafeInteger(value) ? 'integer' : 'number') : typeof value)
    }
  return [...seen].map(([name, types]) => {
    const only = (...allowed: string[]) => [...types].every((type) => allowed.includes(type))
    return {
      name,
      type: only('string') ? 'text' : only('integer', 'number') ? 'number' : 'json',
      isBoolean: types.size > 0 && only('boolean'),
      isInteger: types.size > 0 && only('integer'),
    }
  })
}

/** Numbers as people and other programs write them, which JSON would refuse: `.5`, `+1`, `05`. */
const looseNumber = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/

/** Values of columns that came as texts, as what their field is: numbers and JSON. What does not parse stays, for the schema to refuse. */
export function coerce(row: Record<string, unknown>, kind: DatasetKind): Record<string, unknown> {
  const out = { ...row }
  for (const { name, type } of columnsOf(kind)) {
    const value = out[name]
    if (type === 'text' || typeof value !== 'string') continue
    if (type === 'number' && looseNumber.test(value)) {
      out[name] = Number(value)
      continue
    }
    try {
      out[name] = JSON.parse(value)
    } catch {
      // a text where a number or JSON should be: the schema says so, with its place
    }
  }
  return out
}
