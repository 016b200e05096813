import type { Batch } from '../models/model.js'
import type { StepResult } from '../models/trainer.js'
import { EspalierError } from '../util/error.js'
import { describeProblem, type Problem } from '../util/problem.js'
import { type Attempt, type Control, checkpointOf, shareDone } from './attempt.js'
import type { TrainingEvent } from './events.js'
import { observeValidation } from './judging/early-stopping.js'
import { directionOf } from './judging/gates.js'
import { assertFinite, validate, weightOf } from './judging/validation.js'
import { planEpoch } from './plan.js'
import { splitBatch } from './sampling/parts.js'
import { learningRateAt, observeLoss } from './schedules.js'

type Events<T = void> = AsyncGenerator<TrainingEvent, T, void>

/** The steps of an epoch that are still to do. Returns what was asked for meanwhile, if anything was. */
export async function* runEpoch<Example>(attempt: Attempt<Example>): Events<Control | null> {
  const { plan, progress, control, tracer } = attempt
  const steps = planEpoch(plan, progress.position.epoch)
  let ahead = encodeStep(attempt, steps[progress.position.batch])
  let underWay: StepUnderWay | null = null
  while (ahead) {
    const step = ahead
    tracer.begin(progress.step + 1)
    yield* tellProblems(attempt, step.problems)
    // while worker threads compute this step the next one is encoded, and told them, so that they need not wait for it
    const endStep = tracer.open('step')
    const { learningRate, result }: StepUnderWay = underWay ?? beginStep(attempt, step, progress.step)
    const endEncode = tracer.open('encode')
    ahead = encodeStep(attempt, steps[progress.position.batch + 1])
    endEncode()
    const isFollowed = ahead !== null && canFollow(attempt)
    const askedBefore = isFollowed ? control() : null
    underWay = ahead && isFollowed && !askedBefore ? beginStep(attempt, ahead, progress.step + 1) : null
    const computed = await result
    endStep()
    const endEvents = tracer.open('events')
    yield* recordStep(attempt, step, { ...computed, learningRate }, steps.length)
    endEvents()
    yield* tellTrace(attempt)
    if (isCheckpointDue(attempt, progress.step)) yield checkpointOf(attempt, false)
    const asked = isFollowed ? askedBefore : control()
    if (asked) return asked
  }
  return null
}

interface StepUnderWay {
  learningRate: number
  result: Promise<StepResult>
}

function beginStep(
  { plan, progress, trainer }: Attempt<unknown>,
  { batches }: Pick<EncodedStep<unknown>, 'batches'>,
  done: number,
): StepUnderWay {
  const learningRate = learningRateAt({ ...plan.options, totalSteps: plan.totalSteps, step: done, state: progress.schedule })
  const result = trainer.step(batches, { learningRate, handOver: true })
  result.catch(() => {})
  return { learningRate, result }
}

const isCheckpointDue = ({ plan }: Attempt<unknown>, step: number) => step % plan.options.checkpointEverySteps === 0

/**
 * Whether the step after this one may begin before this one's end is known here: worker threads then go from one to the other. Not when
 * the state in between is wanted, nor when steps are traced one by one.
 */
const canFollow = (attempt: Attempt<unknown>): boolean =>
  attempt.trainer.workers > 0 && attempt.plan.options.profileSteps === 0 && !isCheckpointDue(attempt, attempt.progress.step + 1)

/** The trace of the steps that were to be traced, once it is whole (`atEnd`: as far as it came). */
export function* tellTrace({ tracer }: Pick<Attempt<unknown>, 'tracer'>, atEnd = false): Generator<TrainingEvent, void, void> {
  const trace = tracer.take(atEnd)
  if (trace) yield { type: 'profile', ...trace }
}

/** An optimizer step as tensors. */
interface EncodedStep<Example> {
  examples: Example[]
  /** parts of its mini-batches, one after another */
  batches: Batch[]
  problems: Problem[]
}

/** The next step as tensors; null at the end of the epoch. */
function encodeStep<Example>(
  { plan, trainer }: Attempt<Example>,
  miniBatches: readonly number[][] | undefined,
): EncodedStep<Example> | null {
  if (!miniBatches) return null
  const { model, modelOptions, task, training } = plan
  const sizeOf = (index: number) => task.sizeOf(training[index]!)
  const parts = miniBatches.flatMap((indices) => splitBatch(indices, sizeOf, trainer.workers)).map((part) => part.map((i) => training[i]!))
  const encoded = parts.map((examples) => model.encode(examples, modelOptions))
  return { examples: parts.flat(), batches: encoded.map((e) => e.batch), problems: encoded.flatMap((e) => e.problems) }
}

function* recordStep<Example>(
  attempt: Attempt<Example>,
  { examples, batches }: EncodedStep<Example>,
  { loss, gradientNorm, learningRate }: StepResult & { learningRate: number },
  steps: number,
): Generator<TrainingEvent, void, void> {
  const { plan, progress, clock } = attempt
  const names = () => examples.map((e) => plan.task.nameOf(e))
  assertFinite(loss, 'loss', names)
  assertFinite(gradientNorm, 'norm of the gradient', names)
  const weight = batches.reduce((sum, batch) => sum + weightOf(batch), 0)
  progress.step++
  progress.position.batch++
  progress.epoch.loss += loss * weight
  progress.epoch.weight += weight
  clock.graphs += batches.reduce((sum, batch) => sum + batch.graphs, 0)
  if (progress.step % plan.options.reportEverySteps !== 0 && progress.position.batch < steps) return
  const reading = { step_loss: loss, learning_rate: learningRate, gradient_norm: gradientNorm, progress: shareDone(attempt, steps) }
  yield* tellMetrics(progress.step, { ...reading, ...readClock(attempt, steps) })
}

/** Validates, remembers the best weights, moves on to the next epoch. A new best is a checkpoint. */
export async function* closeEpoch<Example>(attempt: Attempt<Example>): Events {
  const { plan, trainer, progress, validation, meter } = attempt
  const { options } = plan
  const epoch = progress.position.epoch + 1
  const { loss, weight } = progress.epoch
  if (weight === 0)
    throw new EspalierError('BAD_INPUT', `training: none of the ${plan.training.length} training examples can be used`, {
      remedy: 'The warnings in the log say what is wrong with them.',
    })
  const averages = { epoch, training_loss: loss / weight }
  const validated = validation.length > 0 ? (await validate(plan, validation, trainer)).metrics : null
  progress.position = { epoch, batch: 0 }
  progress.epoch = { loss: 0, weight: 0 }
  yield* tellMetrics(progress.step, { ...averages, progress: shareDone(attempt), ...(await meter.read()), ...validated })
  if (!validated) return
  const seen = { step: progress.step, epoch, value: monitored(validated, options.monitor), metrics: validated }
  const before = progress.stopping.best
  progress.stopping = observeValidation(progress.stopping, seen, directionOf(options.monitor), options.minImprovement)
  progress.schedule = observeLoss(options.schedule, progress.schedule, validated['validation_loss']!, options.learningRate)
  const { best } = progress.stopping
  if (best) yield* tellMetrics(progress.step, { best_loss: best.metrics['validation_loss']!, best_epoch: best.epoch })
  if (best === before) return
  progress.best = trainer.parameters()
  yield checkpointOf(attempt, true)
}

function monitored(metrics: Readonly<Record<string, number>>, monitor: string): number {
  const value = metrics[monitor]
  if (value !== undefined) return value
  throw new EspalierError(
    'BAD_INPUT',
    `monitor: "${monitor}" was not measured on the validation examples, expected one of ${Object.keys(metrics).join(', ')}`,
    {
      remedy: 'Monitor one of these, or give validation lists whose labels differ.',
    },
  )
}

export function* tellMetrics(step: number, values: Readonly<Record<string, number>>): Generator<TrainingEvent, void, void> {
  for (const [name, value] of Object.entries(values)) yield { type: 'metric', name, step, value }
}

const mostTold = 20

/** Problems of examples as warnings in the log. */
export function* tellProblems(
  { told }: Pick<Attempt<unknown>, 'told'>,
  problems: readonly Problem[],
): Generator<TrainingEvent, void, void> {
  for (const message of problems.map(describeProblem)) {
    if (told.size >= mostTold || told.has(message)) continue
    told.add(message)
    yield { type: 'log', level: 'warn', message }
  }
}

/** Throughput since the last report, and the seconds left at the pace of this attempt (early stopping may end it sooner). */
function readClock(attempt: Attempt<unknown>, batches: number): Record<string, number> {
  const { clock } = attempt
  const now = performance.now()
  const speed = clock.graphs / Math.max(1e-3, (now - clock.reportedAt) / 1000)
  const share = shareDone(attempt, batches)
  const left = ((1 - share) * (now - clock.startedAt)) / 1000 / Math.max(1e-9, share - clock.share)
  clock.reportedAt = now
  clock.graphs = 0
  return { graphs_per_second: speed, eta_seconds: left }
}
