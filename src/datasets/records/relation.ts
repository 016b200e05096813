import { z } from 'zod'
import type { JsonValue } from '../../vocabulary.js'
import { isObject, labelsOf, type RecordKind, relabelField, textOf } from './record-kind.js'

const span = z
  .object({ text: z.string(), start: z.int(), end: z.int() })
  .describe('object of text, start and end (UTF-16 code units, end not included)')

const relationSchema = z.object({
  id: z.string().min(1).optional().describe('text that names the row (default: none; its content names it)'),
  text: z.string().describe('text'),
  entity1: span,
  entity2: span,
  label: z.string().optional().describe('text: how the first is related to the second'),
})

/** A text, two spans of it, and how the first is related to the second. */
export type Relation = z.output<typeof relationSchema>

const placeOf = (entity: JsonValue | undefined): string => (isObject(entity) ? `${entity['start']}..${entity['end']}` : '')

const sets = { relation: 'label' }

export const relation: RecordKind = {
  description: 'A text with two of its spans, and how the first is related to the second',
  schema: relationSchema,
  times: [],
  ids: ['id'],
  labelSets: Object.keys(sets),
  labels: (row) => labelsOf(row, sets),
  text: textOf('text'),
  // one text may have several relations, each between other spans
  same: ({ text, entity1, entity2 }) => (typeof text === 'string' ? `${placeOf(entity1)} ${placeOf(entity2)}\n${text}` : ''),
  relabel: (row, labelSet, rename) => relabelField(row, labelSet === 'relation' ? 'label' : undefined, rename),
}
