import type { JsonValue, Properties } from '../../vocabulary.js'
import type { DatasetKind } from '../records/index.js'
import type { EntitySpan } from '../records/labeled-text.js'
import { type CleanedText, type CleanOptions, cleanText, movedSpan } from './clean-text.js'
import type { NumberedRow, Step, StepReport } from './step.js'

/** Fields with texts; the first one's spans move along. SQL is no prose: its white space may stand in a literal. */
const fieldsOf: Partial<Record<DatasetKind, readonly string[]>> = {
  'labeled-text': ['text'],
  relation: ['text'],
  'embedding-pair': ['query', 'positive'],
}

const whyCleaned = 'white space and control characters'

export const clean: Step = {
  name: 'clean',
  start({ clean: options }, kind) {
    const fields = fieldsOf[kind]
    if (!options || !fields) return null
    return { open: () => (row, report) => [{ ...row, row: cleanRow(row, fields, options, report) }] }
  },
}

function cleanRow({ number, row }: NumberedRow, fields: readonly string[], options: CleanOptions, report: StepReport): Properties {
  let cleanRow = row
  const put = (field: string, after: JsonValue, why: string) => {
    report.changed(number, field, row[field] ?? null, after, why)
    cleanRow = { ...cleanRow, [field]: after }
  }
  for (const field of fields) {
    const text = row[field]
    const cleaned = typeof text === 'string' ? cleanText(text, options) : null
    if (!cleaned) continue
    put(field, cleaned.text, whyCleaned)
    if (field !== 'text') continue
    const moved = movedEntities(row, cleaned)
    for (const [name, after, why] of moved) put(name, after, why)
  }
  const { negatives } = row
  if (fields.includes('positive') && Array.isArray(negatives)) {
    const after = negatives.map((text) => (typeof text === 'string' ? (cleanText(text, options)?.text ?? text) : text))
    if (after.some((text, i) => text !== negatives[i])) put('negatives', after, whyCleaned)
  }
  return cleanRow
}

type Moved = [field: string, after: JsonValue, why: string]

function movedEntities(row: Properties, cleaned: CleanedText): Moved[] {
  const moved: Moved[] = []
  const { expected_entities: entities, entity1, entity2, text } = row
  if (Array.isArray(entities) && entities.length > 0) {
    const after = (entities as EntitySpan[]).flatMap((entity) => movedEntity(entity, text as string, cleaned) ?? [])
    const lost = entities.length - after.length
    moved.push(['expected_entities', after, lost > 0 ? `moved with the text; ${lost} held nothing but white space` : 'moved with the text'])
  }
  for (const [field, entity] of Object.entries({ entity1, entity2 })) {
    if (typeof entity !== 'object' || entity === null) continue
    const { text: own, start, end } = entity as { text: string; start: number; end: number }
    const after = movedEntity([own, '', start, end], text as string, cleaned)?.[0]
    if (after) moved.push([field, { text: after[0], start: after[2], end: after[3] }, 'moved with the text'])
  }
  return moved
}

/** In a list, for flatMap; null where nothing is left of it. A span that lay outside its text is left to the validation as it is. */
function movedEntity(entity: EntitySpan, text: string, cleaned: CleanedText): [EntitySpan] | null {
  const [own, label, start, end] = entity
  if (start < 0 || end > text.length || start >= end) return [entity]
  const span = movedSpan(cleaned, start, end)
  if (!span) return null
  const held = text.slice(start, end) === own ? cleaned.text.slice(...span) : own
  return [[held, label, ...span]]
}
