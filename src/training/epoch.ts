import { EspalierError } from '../util/error.js'
import { describeProblem, type Problem } from '../util/problem.js'
import { type Attempt, type Control, checkpointOf, shareDone } from './attempt.js'
import { observeValidation } from './early-stopping.js'
import type { TrainingEvent } from './events.js'
import { directionOf } from './gates.js'
import { planEpoch } from './plan.js'
import { learningRateAt, observeLoss } from './schedules.js'
import { assertFinite, validate, weightOf } from './validation.js'

type Events<T = void> = AsyncGenerator<TrainingEvent, T, void>

/** The steps of an epoch that are still to do. Returns what was asked for meanwhile, if anything was. */
export async function* runEpoch<Example>(attempt: Attempt<Example>): Events<Control | null> {
  const { plan, progress, control } = attempt
  const batches = planEpoch(plan, progress.position.epoch)
  while (progress.position.batch < batches.length) {
    yield* takeStep(attempt, batches[progress.position.batch]!, batches.length)
    if (progress.step % plan.options.checkpointEverySteps === 0) yield checkpointOf(attempt, false)
    const asked = control()
    if (asked) return asked
  }
  return null
}

async function* takeStep<Example>(attempt: Attempt<Example>, indices: readonly number[], batches: number): Events {
  const { plan, trainer, progress, clock } = attempt
  const { model, modelOptions, options, task, training } = plan
  const examples = indices.map((i) => training[i]!)
  const { batch, problems } = model.encode(examples, modelOptions)
  yield* tellProblems(attempt, problems)
  const learningRate = learningRateAt({ ...options, totalSteps: plan.totalSteps, step: progress.step, state: progress.schedule })
  const { loss, gradientNorm } = await trainer.step(batch, { learningRate })
  const names = () => examples.map((e) => task.nameOf(e))
  assertFinite(loss, 'loss', names)
  assertFinite(gradientNorm, 'norm of the gradient', names)
  progress.step++
  progress.position.batch++
  progress.epoch.loss += loss * weightOf(batch)
  progress.epoch.weight += weightOf(batch)
  clock.graphs += batch.graphs
  if (progress.step % options.reportEverySteps !== 0 && progress.position.batch < batches) return
  const reading = { step_loss: loss, learning_rate: learningRate, gradient_norm: gradientNorm, progress: shareDone(attempt, batches) }
  yield* tellMetrics(progress.step, { ...reading, ...readClock(attempt, batches) })
}

/** Validates, remembers the best weights, moves on to the next epoch. A new best is a checkpoint. */
export async function* closeEpoch<Example>(attempt: Attempt<Example>): Events {
  const { plan, trainer, progress, validation, meter } = attempt
  const { options } = plan
  const epoch = progress.position.epoch + 1
  const { loss, weight } = progress.epoch
  const averages = { epoch, training_loss: weight > 0 ? loss / weight : 0 }
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

function* tellProblems(attempt: Attempt<unknown>, problems: readonly Problem[]): Generator<TrainingEvent, void, void> {
  for (const problem of problems) if (attempt.problemsLeft-- > 0) yield { type: 'log', level: 'warn', message: describeProblem(problem) }
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
