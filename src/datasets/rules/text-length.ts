import type { Rule } from './rule.js'

export const textLength: Rule = {
  name: 'text-length',
  severity: 'warning',
  description: 'A text is neither very short nor very long (options minLength and maxLength, in characters).',
  start({ texts, options: { minLength, maxLength } }, report) {
    if (!texts) return null
    return {
      row({ text, number, line }) {
        // an empty one is an error of its own
        const length = text!.trim().length
        if (length === 0 || (text!.length >= minLength && text!.length <= maxLength)) return
        report({ row: number, line, field: 'text' }, `the text has ${text!.length} characters, expected ${minLength} to ${maxLength}`)
      },
    }
  },
}
