import type { EntitySpan } from '../records/labeled-text.js'
import type { Step } from './step.js'

export const spans: Step = {
  name: 'spans',
  start({ spans: options }, kind) {
    if (!options || kind !== 'labeled-text') return null
    return {
      open:
        () =>
        ({ number, row }, report) => {
          const { text, expected_entities: entities } = row
          if (!Array.isArray(entities) || typeof text !== 'string') return [{ number, row }]
          const after = (entities as EntitySpan[]).map((entity) => mended(entity, text))
          if (after.every((entity, i) => entity === entities[i])) return [{ number, row }]
          report.changed(number, 'expected_entities', entities, after, 'the text of the entity stands elsewhere, once')
          return [{ number, row: { ...row, expected_entities: after } }]
        },
    }
  },
}

function mended(entity: EntitySpan, text: string): EntitySpan {
  const [own, label, start, end] = entity
  if (own === '' || text.slice(start, end) === own) return entity
  const at = text.indexOf(own)
  return at >= 0 && text.indexOf(own, at + 1) < 0 ? [own, label, at, at + own.length] : entity
}
