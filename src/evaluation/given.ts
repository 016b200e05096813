import { z } from 'zod'
import type { Question, TestCase } from '../datasets/cases/case.js'
import { EspalierError } from '../util/error.js'
import { factProblems } from '../util/fact-problems.js'
import { evaluateTrainingResults, type TrainingContext, type TrainingEvaluation } from './training-results.js'

const count = z.number().min(0)
const question = z.looseObject({ ask: z.enum(['column-type', 'two-hops', 'role']) })

const testCase = z.object({
  id: z.string().min(1),
  level: z.literal([1, 2, 3, 4, 5]),
  group: z.string().default(''),
  from: z.string().default(''),
  question: question.transform((asked) => asked as unknown as Question),
  expected: z.string(),
  majority: z.string(),
  choices: z.int().min(1),
})

const context = z.strictObject({
  patternCounts: z.array(count).max(100_000).optional(),
  coverage: z.record(z.string(), z.object({ covered: count, of: count })).optional(),
  trainingExamples: count.optional(),
  validationExamples: count.optional(),
  forecasts: z.object({ correct: count, asked: count, nothingCorrect: count.optional() }).nullish(),
  enableIntelligenceMetrics: z.boolean().optional(),
})

const given = z.strictObject({
  modelMetrics: z.record(z.string(), z.number()).default({}),
  trainingContext: context.prefault({}),
  checkpoint: z.object({ runId: z.string(), step: z.int(), epoch: z.int().optional(), blob: z.string().optional() }).nullish(),
  predictions: z.record(z.string(), z.string().nullable()).default({}),
  testCases: z.array(testCase).max(100_000).default([]),
})

/**
 * The evaluation of a training that was done elsewhere: its metrics, what it was, and its answers to test cases (as `domainTestCases` gives
 * them) by their ids. BAD_INPUT lists what is wrong with what was handed in.
 */
export function evaluateGiven(facts: unknown): TrainingEvaluation {
  const parsed = given.safeParse(facts, { reportInput: true })
  if (!parsed.success)
    throw new EspalierError('BAD_INPUT', `facts: ${z.prettifyError(parsed.error).split('\n')[0]!.replace(/^✖ /, '')}`, {
      remedy: 'Hand in modelMetrics, trainingContext, checkpoint, predictions (id of a case -> answer) and testCases.',
      problems: factProblems(parsed.error),
    })
  const { modelMetrics, trainingContext, checkpoint, predictions, testCases } = parsed.data
  assertOnce(testCases)
  return evaluateTrainingResults(modelMetrics, trainingContext as TrainingContext, (checkpoint ?? null) as never, predictions, testCases)
}

/** A case that is asked twice would count twice. */
function assertOnce(cases: readonly TestCase[]): void {
  const ids = new Set<string>()
  for (const { id } of cases) {
    if (ids.has(id)) throw new EspalierError('BAD_INPUT', `testCases: "${id.slice(0, 80)}" is there twice, expected each once`)
    ids.add(id)
  }
}
