import type { Rule } from './rule.js'
import { eachSpan, isWithin } from './spans.js'

const cut = (text: string): string => text.slice(0, 80)

export const entityText: Rule = {
  name: 'entity-text',
  severity: 'error',
  description: "An entity's own text is what its span holds.",
  start: (survey, report) =>
    eachSpan(survey, report, (span, text) => {
      const { start, end, text: own } = span
      const held = text.slice(start, end)
      if (!isWithin(span, text) || held === own) return null
      const found = own === '' ? -1 : text.indexOf(own)
      const isOnce = found >= 0 && text.indexOf(own, found + 1) < 0
      return {
        message: `the span ${start}..${end} holds "${cut(held)}", not "${cut(own)}"`,
        suggestion: isOnce ? `"${cut(own)}" stands at ${found}..${found + own.length}.` : undefined,
        fixable: isOnce,
      }
    }),
}
