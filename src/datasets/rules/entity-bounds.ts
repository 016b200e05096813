import type { Rule } from './rule.js'
import { eachSpan, isWithin, type Span } from './spans.js'

const wrong = ({ start, end }: Span, length: number): string =>
  start === end ? 'is empty' : start > end ? 'is reversed' : `lies outside the text, which ends at ${length}`

export const entityBounds: Rule = {
  name: 'entity-bounds',
  severity: 'error',
  description: 'An entity span lies within its text, and its start before its end.',
  start: (survey, report) =>
    eachSpan(survey, report, (span, text) => {
      if (isWithin(span, text)) return null
      const { start, end } = span
      return {
        message: `the span ${start}..${end} ${wrong(span, text.length)}`,
        suggestion: start > end ? 'Swap start and end.' : 'Positions count UTF-16 code units from 0; the end is not included.',
      }
    }),
}
