import { createTrainer, type Trainer } from '../models/trainer.js'
import type { TrainingEvent } from './events.js'
import { type EncodedValidation, encodeValidation } from './judging/validation.js'
import { planEpoch, type TrainingPlan, type TrainingRequest } from './plan.js'
import { freshProgress, type Progress, packCheckpoint, resumeProgress } from './progress.js'
import { openResourceMeter, type ResourceMeter } from './resources.js'
import { chooseWorkers } from './sampling/parts.js'
import { openTracer, type Tracer } from './trace.js'

export type Control = 'pause' | 'cancel' | 'drain'

/** One attempt at a plan, from its first step or from a checkpoint: all that its steps share. */
export interface Attempt<Example> {
  plan: TrainingPlan<Example>
  trainer: Trainer
  progress: Progress
  executor: string
  control: () => Control | null
  validation: EncodedValidation[]
  meter: ResourceMeter
  tracer: Tracer
  /** wall clock: since the last report, and since the attempt began at `share` of the whole */
  clock: { reportedAt: number; graphs: number; startedAt: number; share: number }
  /** problems of examples that were told: each once, and not too many, as a flood of them helps nobody */
  told: Set<string>
}

/** Share of the epochs done, 0 to 1. */
export const shareDone = (
  { plan, progress: { position } }: Pick<Attempt<unknown>, 'plan' | 'progress'>,
  batches = plan.batchesPerEpoch,
): number => Math.min(1, (position.epoch + position.batch / batches) / plan.options.epochs)

export function openAttempt<Example>(plan: TrainingPlan<Example>, request: TrainingRequest<Example>): Attempt<Example> {
  const { model, modelOptions, options } = plan
  const { executor, resume, control = () => null } = request
  const first = planEpoch(plan, 0)[0]!.flat()
  const examples = first.map((i) => plan.training[i]!)
  const { threads } = options
  const workers = options.workers ?? chooseWorkers(model, modelOptions, examples, { threads, executor: executor.name })
  const tracer = openTracer(options.profileSteps, plan.totalSteps)
  const trainer = createTrainer({
    model,
    options: modelOptions,
    executor: tracer.wrap(executor),
    seed: options.seed,
    optimizer: options.optimizer,
    clipNorm: options.clipNorm,
    threads,
    workers,
  })
  const progress = resume ? resumeOrClose(plan, executor.name, trainer, resume) : freshProgress()
  const now = performance.now()
  return {
    plan,
    trainer,
    progress,
    executor: executor.name,
    control,
    validation: encodeValidation(plan),
    meter: openResourceMeter(),
    tracer,
    clock: { reportedAt: now, graphs: 0, startedAt: now, share: shareDone({ plan, progress }) },
    told: new Set(),
  }
}

/** A refused checkpoint leaves no threads behind. */
function resumeOrClose(plan: TrainingPlan<unknown>, executor: string, trainer: Trainer, bytes: Uint8Array): Progress {
  try {
    return resumeProgress(plan, executor, trainer, bytes)
  } catch (refused) {
    void trainer.close()
    throw refused
  }
}

/** The attempt as it stands, as an event whose bytes resume it. */
export const checkpointOf = ({ plan, executor, progress, trainer }: Attempt<unknown>, best: boolean): TrainingEvent => ({
  type: 'checkpoint',
  step: progress.step,
  bytes: packCheckpoint(plan, executor, progress, trainer),
  best,
})
