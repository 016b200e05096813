import { type Problem, problem } from '../../util/problem.js'
import { type ExampleWidths, isFloat32, validateGraph, validateQuery } from '../graphs/typed-graph.js'
import type { RankingList } from './ranking-list.js'

/** What keeps a list from being encoded. An empty list is a warning: its loss is 0 and it has no scores. */
export function validateList(list: RankingList, widths: ExampleWidths): Problem[] {
  const where = `list ${list.queryId}`
  if (list.candidates.length === 0)
    return [
      problem({
        severity: 'warning',
        code: 'empty-list',
        where,
        found: 'no candidates',
        expected: 'at least one',
        suggestion: 'its loss counts as 0',
      }),
    ]
  const problems = validateQuery(list.query, where, widths)
  list.candidates.forEach((candidate, i) => {
    const place = `${where}, candidate ${candidate.id ?? i}`
    problems.push(...validateGraph(candidate, place, widths))
    const { label } = candidate
    if (label !== undefined && !isFloat32(label))
      problems.push(
        problem({ code: 'not-finite', where: place, found: `label ${label}`, expected: 'a finite number that float32 can hold' }),
      )
  })
  return problems
}
