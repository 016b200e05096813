import { didYouMean } from '../../util/closest.js'
import { type Problem, problem } from '../../util/problem.js'
import type { Provenance } from '../fact.js'
import type { Step } from './workflow.js'
import type { Order } from './workflow-order.js'

/** One missing condition can hold up everything behind it: the first of these are told, the rest counted. */
const maxStuck = 50
/** Comparing names takes time: so many misses are compared with so many names. */
const mostCompared = { misses: 100, names: 5_000 }

/** `line 12` of `jobs.xml` -> `jobs.xml:12:1`; another location as it is. */
export const placeOf = ({ file, location }: Provenance): string => {
  const line = /^line (\d+)$/.exec(location)?.[1]
  return line === undefined ? `${file}:${location}` : `${file}:${line}:1`
}

/** What is odd about the order of jobs; `where` says what was looked at (`system cm`). */
export function orderProblems(
  { dangling, cycles, stuck, produced }: Order<Step>,
  provenanceOf: (step: string) => Provenance,
  where: string,
): Problem[] {
  const at = (step: Step) => placeOf(provenanceOf(step.id))
  const problems: Problem[] = []
  for (const [condition, steps] of dangling) {
    const near = problems.length < mostCompared.misses && produced.size <= mostCompared.names ? didYouMean(condition, produced) : undefined
    problems.push(
      problem({
        severity: 'warning',
        code: 'dangling-condition',
        where: at(steps[0]!),
        found: `condition "${condition}", waited for by ${names(steps)}`,
        expected: `a job of ${where} that sets it`,
        ...(near ? { suggestion: near } : {}),
      }),
    )
  }
  for (const cycle of cycles)
    problems.push(
      problem({
        severity: 'warning',
        code: 'dependency-cycle',
        where: at(cycle[0]!),
        found: `jobs that wait for each other in a ring: ${names(cycle)}`,
        expected: 'an order in which one of them can start',
      }),
    )
  return [...problems, ...stuckProblems(stuck, at, where)]
}

function stuckProblems(stuck: ReadonlyMap<Step, string[]>, at: (step: Step) => string, where: string): Problem[] {
  const told = [...stuck].slice(0, maxStuck)
  const problems = told.map(([step, conditions]) =>
    problem({
      severity: 'info',
      code: 'never-released',
      where: at(step),
      found: `${step.path}, which waits for ${conditions.length > 0 ? conditions.join(', ') : 'its folder'}`,
      expected: `jobs of ${where} that can start and set what it waits for`,
    }),
  )
  if (stuck.size > told.length)
    problems.push(
      problem({
        severity: 'info',
        code: 'never-released',
        where: at(told[0]![0]),
        found: `${stuck.size - told.length} more jobs like these`,
        expected: 'jobs that can start',
      }),
    )
  return problems
}

const names = (steps: readonly Step[]): string =>
  steps
    .map((s) => s.name)
    .slice(0, 12)
    .join(', ') + (steps.length > 12 ? `, … (${steps.length})` : '')
