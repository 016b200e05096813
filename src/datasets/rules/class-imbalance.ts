import type { Rule } from './rule.js'

export const classImbalance: Rule = {
  name: 'class-imbalance',
  severity: 'warning',
  description: 'The largest class of a label set is not many times as large as its smallest (option imbalance).',
  start(survey, report) {
    if (survey.classSets.length === 0) return null
    return {
      end() {
        for (const set of survey.classSets) {
          const counts = survey.countsOf(set)
          const [largest, smallest] = [counts[0], counts.at(-1)]
          if (!largest || !smallest || largest[1] <= survey.options.imbalance * smallest[1]) continue
          report(
            { row: null, field: set },
            `${set} "${largest[0]}" has ${largest[1]} rows, "${smallest[0]}" ${smallest[1]}: more than ${survey.options.imbalance} times as many`,
            { suggestion: 'Balance the dataset, or train with class weights.', fixable: true },
          )
        }
      },
    }
  },
}
