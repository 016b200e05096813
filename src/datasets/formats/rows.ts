import type { JsonValue, Properties } from '../../vocabulary.js'
import type { EntitySpan } from '../records/labeled-text.js'

/** A row of the kind `labeled-text`, as formats write it. */
export interface LabeledRow {
  text: string
  expected_intent?: string
  expected_sentiment?: string
  expected_entities?: EntitySpan[]
  [field: string]: JsonValue | undefined
}

/** A stored row is what its kind's schema let in; formats that know `labeled-text` read it by its fields. */
export const labeledRow = (row: JsonValue): LabeledRow => row as unknown as LabeledRow

/** Names of all the labels that rows have, sorted: what a first pass collects. */
export async function collectLabels(rows: AsyncIterable<JsonValue>, fields: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map(fields.map((field) => [field, new Set<string>()]))
  for await (const row of rows)
    for (const field of fields) {
      const value = (row as Properties)[field]
      if (typeof value === 'string') found.get(field)!.add(value)
    }
  return new Map([...found].map(([field, labels]) => [field, [...labels].sort()]))
}
