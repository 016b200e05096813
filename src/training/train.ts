import { type Attempt, type Control, checkpointOf, openAttempt } from './attempt.js'
import { closeEpoch, runEpoch, tellMetrics, tellProblems, tellTrace } from './epoch.js'
import type { TrainingEvent, TrainingResult } from './events.js'
import { isExhausted } from './judging/early-stopping.js'
import { judgeGates } from './judging/gates.js'
import { gatesOf } from './options.js'
import { planTraining, type TrainingRequest } from './plan.js'

/**
 * Trains a model and tells of it in events; knows no database. Whoever listens stores checkpoints (events that carry bytes) and hands
 * one back as `resume`: the weights are then, bit for bit, those of a run that was never interrupted (same executor, same threads).
 * Ends with one of `finished`, `paused`, `cancelled`, or throws: BAD_INPUT and CONFLICT before the first step, DIVERGED with the
 * examples of the batch whose loss was not finite.
 */
export async function* train<Example>(request: TrainingRequest<Example>): AsyncGenerator<TrainingEvent, void, void> {
  const plan = planTraining(request)
  const attempt = openAttempt(plan, request)
  try {
    yield* announce(attempt, request.resume !== undefined)
    while (!isOver(attempt)) {
      const asked = yield* runEpoch(attempt)
      if (asked) return yield* leave(attempt, asked)
      yield* closeEpoch(attempt)
    }
    yield* tellTrace(attempt, true)
    yield { type: 'finished', ...resultOf(attempt) }
  } finally {
    await attempt.trainer.close()
  }
}

const isOver = ({ plan: { options }, progress }: Attempt<unknown>): boolean =>
  progress.position.epoch >= options.epochs || isExhausted(progress.stopping, options.patience)

function* announce(attempt: Attempt<unknown>, isResumed: boolean): Generator<TrainingEvent, void, void> {
  const { plan, progress, trainer, executor } = attempt
  const { modelOptions, options, training, validation, batchesPerEpoch } = plan
  const parameters = Object.values(trainer.parameters()).reduce((sum, { data }) => sum + data.length, 0)
  yield {
    type: 'started',
    modelOptions,
    options,
    counts: { trainingExamples: training.length, validationExamples: validation.length, batchesPerEpoch, parameters },
    runtime: { executor, threads: trainer.threads, workers: trainer.workers },
    resumedFrom: isResumed ? { step: progress.step, epoch: progress.position.epoch } : null,
  }
  yield* tellMetrics(progress.step, { total_epochs: options.epochs })
  yield* tellProblems(
    attempt,
    attempt.validation.flatMap(({ problems }) => problems),
  )
}

function* leave(attempt: Attempt<unknown>, asked: Control): Generator<TrainingEvent, void, void> {
  const { step } = attempt.progress
  yield* tellTrace(attempt, true)
  if (asked === 'cancel') return yield { type: 'cancelled', step }
  yield checkpointOf(attempt, false)
  yield { type: 'paused', step, reason: asked }
}

/** The best weights with the metrics they had, or the last ones where nothing was held out. */
function resultOf({ plan, progress, trainer }: Attempt<unknown>): TrainingResult {
  const { best } = progress.stopping
  const metrics = best?.metrics ?? {}
  const gates = judgeGates(gatesOf(plan.options), metrics)
  return {
    parameters: best ? progress.best : trainer.parameters(),
    metrics,
    gates,
    passed: gates.every((g) => g.passed),
    bestEpoch: best?.epoch ?? progress.position.epoch,
    step: best?.step ?? progress.step,
    epochs: progress.position.epoch,
    stoppedEarly: progress.position.epoch < plan.options.epochs,
    modelOptions: plan.modelOptions,
  }
}
