import type { Rule } from './rule.js'
import { isWithin, type Span, spanReader } from './spans.js'

const wrong = ({ start, end }: Span, length: number): string =>
  start === end ? 'is empty' : start > end ? 'is reversed' : `lies outside the text, which ends at ${length}`

export const entityBounds: Rule = {
  name: 'entity-bounds',
  severity: 'error',
  description: 'An entity span lies within its text, and its start before its end.',
  start(survey, report) {
    const spans = spanReader(survey)
    return (
      spans && {
        row({ row, text, number, line }) {
          for (const span of spans(row)) {
            if (isWithin(span, text!)) continue
            const suggestion =
              span.start > span.end ? 'Swap start and end.' : 'Positions count UTF-16 code units from 0; the end is not included.'
            report({ row: number, line, field: span.field }, `the span ${span.start}..${span.end} ${wrong(span, text!.length)}`, {
              suggestion,
            })
          }
        },
      }
    )
  },
}
