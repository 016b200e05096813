import type { z } from 'zod'
import { type Problem, problem } from './problem.js'

const most = 20

/** What is wrong with facts that were handed in (read with `reportInput`): the first 20 places, what came there and what was expected. */
export const factProblems = ({ issues }: z.ZodError): Problem[] =>
  issues.slice(0, most).map(({ path, message, input }) =>
    problem({
      code: 'bad-fact',
      where: ['facts', ...path].join('.'),
      found: JSON.stringify(input)?.slice(0, 80) ?? 'nothing',
      expected: message,
    }),
  )
