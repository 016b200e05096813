import type { Rule } from './rule.js'

const named = 10

export const rareClasses: Rule = {
  name: 'rare-classes',
  severity: 'warning',
  description: 'Every class has some rows (option rareClass), in datasets that are large enough to say so.',
  start(survey, report) {
    const { rareClass } = survey.options
    if (survey.classSets.length === 0) return null
    return {
      end() {
        if (survey.rows < 10 * rareClass) return
        for (const set of survey.classSets) {
          const rare = survey.countsOf(set).filter(([, rows]) => rows < rareClass)
          if (rare.length === 0) continue
          const list = rare.slice(-named).map(([label, rows]) => `"${label}" (${rows})`)
          const more = rare.length > named ? ` and ${rare.length - named} more` : ''
          report(
            { row: null, field: set },
            `${rare.length} of ${survey.countsOf(set).length} have fewer than ${rareClass} rows: ${list.join(', ')}${more}`,
            {
              suggestion: 'Collect more of them, or merge them into others by a mapping of labels.',
            },
          )
        }
      },
    }
  },
}
