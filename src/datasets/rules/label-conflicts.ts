import type { Rule } from './rule.js'

export const labelConflicts: Rule = {
  name: 'label-conflicts',
  severity: 'warning',
  description: 'Equal texts (case and white space aside) have equal labels.',
  start({ texts, classSets }, report) {
    if (!texts || classSets.length === 0) return null
    return {
      end() {
        for (const { row, of } of texts.equalTexts())
          for (const set of classSets) {
            const [own, first] = [texts.labelOf(row, set), texts.labelOf(of, set)]
            if (own === undefined || first === undefined || own === first) continue
            report({ row, field: set }, `the ${set} is "${own}", but row ${of} has the same text with "${first}"`, {
              suggestion: 'Decide for one of them, or remove duplicates by majority or highest confidence.',
              fixable: true,
            })
          }
      },
    }
  },
}
