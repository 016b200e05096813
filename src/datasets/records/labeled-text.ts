import { z } from 'zod'
import type { JsonValue, Properties } from '../../vocabulary.js'
import { isObject, labelsOf, type RecordKind, relabelField, textOf } from './record-kind.js'

export const textSources = [
  'conversation',
  'user_feedback',
  'intent_correction',
  'persona_preference',
  'entity_annotation',
  'sentiment_correction',
  'import',
] as const
export type TextSource = (typeof textSources)[number]

/** `[text, label, start, end)`: positions count UTF-16 code units, as JavaScript's do; `end` is not included. */
export type EntitySpan = [text: string, label: string, start: number, end: number]

const moment = z.union([z.iso.datetime({ offset: true, local: true }), z.iso.date()])

const labeledTextSchema = z.object({
  id: z.string().min(1).optional().describe('text that names the row (default: none; its content names it)'),
  text: z.string().describe('text'),
  expected_intent: z.string().optional().describe('text: the intent'),
  expected_sentiment: z.string().optional().describe('text: the sentiment'),
  expected_entities: z
    .array(z.tuple([z.string(), z.string(), z.int(), z.int()]))
    .default([])
    .describe('list of [text, label, start, end], start and end being whole numbers of UTF-16 code units, end not included'),
  expected_persona: z.string().optional().describe('text: the persona'),
  confidence: z.number().default(1).describe('number from 0 to 1: how sure whoever labeled it was'),
  source: z
    .enum(textSources)
    .default('import')
    .describe(`one of ${textSources.join(', ')}`),
  metadata: z.record(z.string(), z.json()).default({}).describe('object: whatever else is known'),
  created_at: moment.optional().describe('moment (ISO 8601), no part of the hash (default: when its version was made)'),
})

/** A text and what a model should say of it. */
export type LabeledText = Omit<z.output<typeof labeledTextSchema>, 'metadata'> & { metadata: Properties }

/** Which field each label set of labeled text is in; `entity` is the labels of its spans. */
export const textLabelFields = {
  intent: 'expected_intent',
  sentiment: 'expected_sentiment',
  persona: 'expected_persona',
} as const satisfies Record<string, string>
export type TextLabel = keyof typeof textLabelFields

/** `{text, label, start, end}` as the list that a row has; anything else stays, for the schema to refuse. */
function entityTuple(entity: JsonValue): JsonValue {
  if (!isObject(entity)) return entity
  const { text, label, start, end } = entity
  return [text ?? null, label ?? null, start ?? null, end ?? null]
}

export const labeledText: RecordKind = {
  description: 'A text with the intent, sentiment, entities and persona that are expected of it',
  schema: labeledTextSchema,
  times: ['created_at'],
  ids: ['id'],
  prepare(value) {
    const entities = value['expected_entities']
    return Array.isArray(entities) && entities.some(isObject) ? { ...value, expected_entities: entities.map(entityTuple) } : value
  },
  labelSets: [...Object.keys(textLabelFields), 'entity'],
  labels(row) {
    const { expected_entities: entities } = row
    const labels = labelsOf(row, textLabelFields)
    if (!Array.isArray(entities) || entities.length === 0) return labels
    // a row that is judged may have anything in their place
    return { ...labels, entity: entities.flatMap((entity) => (Array.isArray(entity) && typeof entity[1] === 'string' ? [entity[1]] : [])) }
  },
  text: textOf('text'),
  relabel(row, labelSet, rename) {
    if (labelSet !== 'entity') return relabelField(row, textLabelFields[labelSet as TextLabel], rename)
    const entities = (row['expected_entities'] ?? []) as EntitySpan[]
    const renamed = entities.map(([text, label, start, end]): EntitySpan => [text, rename(label), start, end])
    return renamed.some(([, label], i) => label !== entities[i]![1]) ? { ...row, expected_entities: renamed } : row
  },
}
