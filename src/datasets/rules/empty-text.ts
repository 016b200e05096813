import type { Rule } from './rule.js'

const fieldOf: Record<string, string> = { 'embedding-pair': 'query', 'query-event': 'query' }

export const emptyText: Rule = {
  name: 'empty-text',
  severity: 'error',
  description: 'A text has at least one character that is not white space.',
  start({ kind, texts }, report) {
    if (!texts) return null
    const fields = kind === 'embedding-pair' ? ['query', 'positive'] : [fieldOf[kind] ?? 'text']
    return {
      row({ row, number, line }) {
        for (const field of fields) {
          const text = row[field]
          if (typeof text === 'string' && text.trim() === '')
            report({ row: number, line, field }, 'the text is empty', { suggestion: 'Remove the row, or write its text.' })
        }
      },
    }
  },
}
