import type { Rule } from './rule.js'
import { isWithin, spanReader } from './spans.js'

export const entityText: Rule = {
  name: 'entity-text',
  severity: 'error',
  description: "An entity's own text is what its span holds.",
  start(survey, report) {
    const spans = spanReader(survey)
    return (
      spans && {
        row({ row, text, number, line }) {
          for (const span of spans(row)) {
            if (!isWithin(span, text!) || text!.slice(span.start, span.end) === span.text) continue
            const found = span.text === '' ? -1 : text!.indexOf(span.text)
            const isOnce = found >= 0 && text!.indexOf(span.text, found + 1) < 0
            const message = `the span ${span.start}..${span.end} holds "${text!.slice(span.start, span.end).slice(0, 80)}", not "${span.text.slice(0, 80)}"`
            const suggestion = isOnce ? `"${span.text.slice(0, 80)}" stands at ${found}..${found + span.text.length}.` : undefined
            report({ row: number, line, field: span.field }, message, { fixable: isOnce, ...(suggestion && { suggestion }) })
          }
        },
      }
    )
  },
}
