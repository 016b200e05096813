import { canonicalJson } from '../../util/hash.js'
import { wordsOf } from '../noise/ngrams.js'
import { isObject } from '../records/record-kind.js'
import type { Step } from './step.js'

export const enrich: Step = {
  name: 'enrich',
  start({ enrich: options }, kind) {
    if (!options || kind !== 'labeled-text') return null
    return {
      open:
        () =>
        ({ number, row }, report) => {
          const { text, metadata, expected_entities: entities } = row
          const before = isObject(metadata) ? metadata : {}
          const measures = options.measures &&
            typeof text === 'string' && {
              text_length: text.length,
              word_count: wordsOf(text).length,
              entity_count: Array.isArray(entities) ? entities.length : 0,
            }
          const after = { ...before, ...measures, ...options.set }
          if (canonicalJson(after) === canonicalJson(before)) return [{ number, row }]
          report.changed(number, 'metadata', before, after, 'measures and members that were asked for')
          return [{ number, row: { ...row, metadata: after } }]
        },
    }
  },
}
