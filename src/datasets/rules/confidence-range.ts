import type { Rule } from './rule.js'

export const confidenceRange: Rule = {
  name: 'confidence-range',
  severity: 'warning',
  description: 'A confidence is a number from 0 to 1.',
  start({ kind }, report) {
    if (kind !== 'labeled-text') return null
    return {
      row({ row: { confidence }, number, line }) {
        if (typeof confidence !== 'number' || (confidence >= 0 && confidence <= 1)) return
        const meant = confidence > 1 && confidence <= 100 ? ` If it is a percentage, ${confidence / 100} is meant.` : ''
        report({ row: number, line, field: 'confidence' }, `the confidence is ${confidence}, expected 0 to 1`, {
          suggestion: `Bring it within 0..1.${meant}`,
          fixable: true,
        })
      },
    }
  },
}
