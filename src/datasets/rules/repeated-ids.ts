import { DigestTable } from '../records/digest-table.js'
import { rowId } from '../records/row-key.js'
import { rowHash } from '../version.js'
import type { Rule } from './rule.js'

export const repeatedIds: Rule = {
  name: 'repeated-ids',
  severity: 'error',
  description: 'An id names one row: edits and differences go by it.',
  start({ kind }, report) {
    // a query may be asked of several moments: before and after a split by time, and of history
    if (kind === 'ranking') return null
    const rows = new DigestTable()
    return {
      row({ row, number, line }) {
        const id = rowId(row)
        if (id === null) return
        const { isNew, value: first } = rows.add(rowHash(id), number)
        if (isNew) return
        const field = row['id'] === id ? 'id' : 'query_id'
        report({ row: number, line, field }, `the id "${id.slice(0, 80)}" is that of row ${first}`, {
          suggestion: 'Give the row an id of its own, or none: its content then names it.',
        })
      },
    }
  },
}
