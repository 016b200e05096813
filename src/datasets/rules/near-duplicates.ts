import type { Rule } from './rule.js'

export const nearDuplicates: Rule = {
  name: 'near-duplicates',
  severity: 'warning',
  description: 'No two texts are nearly the same (option similarity): MinHash over all rows, case and white space aside.',
  start({ texts, options }, report) {
    if (!texts) return null
    return {
      end() {
        for (const { row, of, similarity } of texts.duplicates())
          report(
            { row, field: 'text' },
            `the text is ${similarity === 1 ? '' : 'nearly '}that of row ${of} (similarity ${similarity.toFixed(2)})`,
            {
              suggestion: `Remove duplicates${similarity === 1 ? '' : ` (similarity ${options.similarity})`}: splits would share them.`,
              fixable: true,
            },
          )
      },
    }
  },
}
