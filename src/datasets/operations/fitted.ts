import { z } from 'zod'
import { EspalierError } from '../../util/error.js'
import { contentHash } from '../../util/hash.js'
import { type Problem, problem } from '../../util/problem.js'
import { type OperationStep, operationOf, operationStep } from './index.js'
import type { Apply, TableRow } from './operation.js'

/**
 * Steps with what each learned from the training rows: plain JSON, and all that is needed to repeat them. Whoever has it (a trainer, a
 * server) does the same to a row.
 */
export const fittedOperations = z.strictObject({
  version: z.literal(1),
  /** training rows that they were fitted on */
  rows: z.int().nonnegative(),
  steps: z.array(z.strictObject({ step: operationStep, fitted: z.json() })),
})
export type FittedOperations = z.output<typeof fittedOperations>

function refuse(what: string, problems: readonly Problem[]): never {
  const [first] = problems
  throw new EspalierError('BAD_INPUT', `${what}: at ${first!.where}: found ${first!.found}, expected ${first!.expected}`, {
    problems,
    remedy: 'Correct these steps.',
  })
}

const problemsOf = (where: string, error: z.ZodError): Problem[] =>
  error.issues.map((issue) =>
    problem({
      code: 'bad-step',
      where: [where, ...issue.path.map(String)].join('.'),
      found: JSON.stringify(issue.input)?.slice(0, 80) ?? 'nothing',
      expected: issue.message,
    }),
  )

/** Steps with every default filled in; BAD_INPUT lists each problem. */
export function parseSteps(given: unknown): OperationStep[] {
  const parsed = z.array(operationStep).min(1).max(100).safeParse(given, { reportInput: true })
  return parsed.success ? parsed.data : refuse('steps', problemsOf('steps', parsed.error))
}

/** Fitted steps as they were stored; BAD_INPUT for anything else. */
export function parseFitted(given: unknown): FittedOperations {
  const parsed = fittedOperations.safeParse(given, { reportInput: true })
  if (!parsed.success) return refuse('fitted steps', problemsOf('fitted', parsed.error))
  const problems = parsed.data.steps.flatMap(({ step, fitted }, i) => {
    const checked = (operationOf(step).fitted ?? z.null()).safeParse(fitted, { reportInput: true })
    return checked.success ? [] : problemsOf(`fitted.steps.${i}.fitted`, checked.error)
  })
  return problems.length > 0 ? refuse('fitted steps', problems) : parsed.data
}

/** SHA-256 of the canonical JSON: equal steps that learned the same have the equal hash. */
export const fittedHash = (fitted: FittedOperations): string => contentHash(fitted)

/** Does all the steps to a copy of a row; null: a filter dropped it. `number`: see Apply, null for any row that is no training row. */
export type RowFunction = (row: Readonly<TableRow>, number?: number | null) => TableRow | null

/** The fitted steps as one function, the same wherever it runs. */
export function buildOperations({ steps }: Pick<FittedOperations, 'steps'>): RowFunction {
  return rowFunction(steps.map(({ step, fitted }) => operationOf(step).build(step, fitted)))
}

export const rowFunction =
  (applies: readonly Apply[]): RowFunction =>
  (row, number = null) => {
    const copy: TableRow = { ...row }
    for (const apply of applies) if (!apply(copy, number)) return null
    return copy
  }

type Rows = Iterable<TableRow> | AsyncIterable<TableRow>

/** The steps done to rows that stream by. `training`: they are the rows that the steps were fitted on, in that order. */
export async function* applyOperations(
  fitted: FittedOperations,
  rows: Rows,
  { training = false }: { training?: boolean } = {},
): AsyncGenerator<TableRow> {
  const run = buildOperations(fitted)
  let number = 0
  for await (const row of rows) {
    const done = run(row, training ? number++ : null)
    if (done) yield done
  }
}
