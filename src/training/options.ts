import { z } from 'zod'
import { executorNames } from '../tensor/executors.js'
import { optimizers } from '../tensor/optimizers.js'
import { EspalierError } from '../util/error.js'
import { type Gate, metricDirections } from './judging/gates.js'
import { scheduleOptions } from './schedules.js'

const count = z.number().int().positive()

type OptimizerOptions = z.ZodObject<{ name: z.ZodLiteral<string> }, z.core.$loose>
/** The table of optimizers as options: `name` says which, its own options beside it. */
const optimizerOptions = z.discriminatedUnion(
  'name',
  Object.entries(optimizers).map(([name, { options }]) =>
    (options as unknown as z.ZodObject).extend({ name: z.literal(name) }),
  ) as unknown as [OptimizerOptions, ...OptimizerOptions[]],
)
const metric = z.enum(Object.keys(metricDirections) as [string, ...string[]])

/** How a model is trained; its documentation, its JSON Schema and its GraphQL input. Every option has a default and an effect. */
export const trainingOptions = z.strictObject({
  epochs: count.default(20).describe('times through the training examples, at most'),
  learningRate: z.number().positive().default(1e-3).describe('the schedule starts from it'),
  schedule: scheduleOptions.default({ name: 'constant' }).describe('how the learning rate moves, per optimizer step'),
  warmUpSteps: z.number().int().min(0).default(0).describe('steps of linear warm-up before the schedule begins'),
  warmUpFactor: z.number().positive().max(1).default(0.1).describe('the warm-up starts at this share of the rate'),
  optimizer: optimizerOptions
    .prefault({ name: 'adam' })
    .describe('a row of the table of optimizers (sgd, rmsprop, adam, adamw) with its own options'),
  clipNorm: z.number().positive().nullable().default(1).describe('global L2 norm that gradients are scaled down to; null: no clipping'),
  batchNodes: count.default(4096).describe('nodes of one mini-batch at most; a larger example gets a batch of its own'),
  batchExamples: count.default(32).describe('examples (lists) of one mini-batch at most'),
  accumulate: count.default(1).describe('mini-batches whose gradients add up to one optimizer step; schedules count optimizer steps'),
  seed: z.number().int().min(0).default(0).describe('of the first parameters, of the order of examples, of the split'),
  validationSplit: z
    .number()
    .min(0)
    .lt(1)
    .default(0.2)
    .describe('share of the examples held out, by whole groups, where no validation examples are given'),
  monitor: metric.default('validation_loss').describe('the validation metric that says which weights are best'),
  patience: count.nullable().default(10).describe('epochs without improvement before training stops; null: never'),
  minImprovement: z.number().min(0).default(0).describe('a smaller improvement of the monitored metric does not count'),
  gates: z
    .array(z.strictObject({ metric, threshold: z.number() }))
    .default([])
    .describe('thresholds that the best weights must meet on the validation examples: floors, for a loss ceilings'),
  metricThreshold: z
    .number()
    .nullable()
    .default(null)
    .describe('a gate on the monitored metric: what it must reach, or for a loss stay below; null: none'),
  checkpointEverySteps: count.default(200).describe('steps between checkpoints; the best weights get one besides'),
  maxCheckpoints: count.default(5).describe('checkpoints kept at most: the latest, the best, then the newest'),
  reportEverySteps: count.default(10).describe('steps between step metrics; the last step of an epoch is told besides'),
  profileSteps: z
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(0)
    .describe('steps whose time is traced, phase by phase; the trace is kept with the run (profile.json)'),
  executor: z
    .enum(executorNames)
    .nullable()
    .default(null)
    .describe('what computes: onnxruntime (ort), tfjs or one flavour of it; null: as configured'),
  threads: count.default(2).describe('threads that a step is spread over; the same count gives the same bits'),
  workers: z
    .number()
    .int()
    .min(0)
    .max(64)
    .nullable()
    .default(null)
    .describe('worker threads that share each step, with the threads divided among them; 0: none; null: chosen by how heavy a step is'),
})
export type TrainingOptions = z.output<typeof trainingOptions>

/** Training options with every default filled in. Throws BAD_INPUT naming each bad one. */
export function parseTrainingOptions(given: unknown): TrainingOptions {
  const parsed = trainingOptions.safeParse(given)
  if (parsed.success) return parsed.data
  throw new EspalierError('BAD_INPUT', `training options: ${z.prettifyError(parsed.error)}`, {
    remedy: 'Leave an option out to have its default.',
  })
}

/** Options as an earlier version wrote them down, with the defaults of today where it had none; as they are where they are none of ours. */
export function completeOptions(then: Record<string, unknown>): Record<string, unknown> {
  const parsed = trainingOptions.safeParse(then)
  return parsed.success ? parsed.data : then
}

/** Every gate that the options set. */
export const gatesOf = ({ gates, monitor, metricThreshold }: TrainingOptions): Gate[] => [
  ...gates,
  ...(metricThreshold === null ? [] : [{ metric: monitor, threshold: metricThreshold }]),
]

/**
 * Options that change what is told, kept or judged, but not one bit of the weights: a resumed run may have others. Of `workers` it is the
 * count it came to that decides, which a checkpoint records by itself.
 */
export const withoutEffectOnWeights = [
  'checkpointEverySteps',
  'maxCheckpoints',
  'reportEverySteps',
  'profileSteps',
  'gates',
  'metricThreshold',
  'workers',
] as const satisfies (keyof TrainingOptions)[]

/** The options that decide the weights, for comparing a checkpoint with the run that resumes from it. */
export function decisiveOptions<T extends object>(options: T): Partial<T> {
  const indecisive: readonly string[] = withoutEffectOnWeights
  return Object.fromEntries(Object.entries(options).filter(([name]) => !indecisive.includes(name))) as Partial<T>
}

type Given = Readonly<Record<string, unknown>>

/** Whether the schedule's curve depends on how many steps the whole run has. */
const spansRun = ({ schedule }: Given): boolean => {
  const { name, totalSteps } = schedule as { name: string; totalSteps?: number | null }
  return ['linear', 'polynomial', 'cosine', 'one-cycle'].includes(name) && (totalSteps ?? null) === null
}

/**
 * Decisive options that a resumed run may still have others of: a longer run begins as a shorter one does, and one with more patience as
 * one with less.
 */
export const mayGrow: Readonly<Record<string, (then: Given, now: Given) => boolean>> = {
  epochs: (then, now) => !spansRun(now) && Number(now['epochs']) >= Number(then['epochs']),
  patience: ({ patience: then }, { patience: now }) => now === null || (then !== null && Number(now) >= Number(then)),
}
