import { textLabelFields } from '../records/labeled-text.js'
import type { Rule } from './rule.js'

const fieldOf = (set: string): string =>
  (textLabelFields as Record<string, string>)[set] ?? (set === 'relation' ? 'label' : set === 'entity' ? 'expected_entities' : set)

export const requiredLabels: Rule = {
  name: 'required-labels',
  severity: 'error',
  description: 'A row has a label of every set that its dataset must have.',
  start({ requiredLabels: sets }, report) {
    if (sets.length === 0) return null
    return {
      row({ labels, number, line }) {
        for (const set of sets) {
          if (labels[set]?.some((label) => label.trim() !== '')) continue
          const suggestion = `Label the row, or validate with the labels that the dataset has: requiredLabels without "${set}".`
          report({ row: number, line, field: fieldOf(set) }, `the ${set} is missing`, { suggestion })
        }
      },
    }
  },
}
