import type { Trainer } from '../models/trainer.js'
import type { NamedTensors } from '../tensor/tensor.js'
import { EspalierError } from '../util/error.js'
import { canonicalJson } from '../util/hash.js'
import type { JsonValue } from '../vocabulary.js'
import { type CheckpointHeader, decodeCheckpoint, encodeCheckpoint } from './checkpoint.js'
import type { Stopping } from './judging/early-stopping.js'
import { completeOptions, decisiveOptions, mayGrow } from './options.js'
import type { TrainingPlan } from './plan.js'
import type { Position } from './sampling/sampler.js'
import { initialScheduleState, type ScheduleState } from './schedules.js'

/** Where a run is: with the trainer's own state, all that decides what comes next. */
export interface Progress {
  /** optimizer steps done */
  step: number
  position: Position
  /** sums over the batches of this epoch */
  epoch: { loss: number; weight: number }
  schedule: ScheduleState
  stopping: Stopping
  /** parameters at the best validation; empty before the first */
  best: NamedTensors
}

export const freshProgress = (): Progress => ({
  step: 0,
  position: { epoch: 0, batch: 0 },
  epoch: { loss: 0, weight: 0 },
  schedule: initialScheduleState(),
  stopping: { best: null, sinceBest: 0 },
  best: {},
})

type Json = CheckpointHeader['modelOptions']

/** Through JSON, so that what is compared is what is stored. */
const asJson = (options: object) => JSON.parse(canonicalJson(options)) as Json

/** The whole of a run as the bytes of a checkpoint. */
export function packCheckpoint(plan: TrainingPlan<unknown>, executor: string, progress: Progress, trainer: Trainer): Uint8Array {
  const { step, position, epoch, schedule, stopping, best } = progress
  const state = trainer.state()
  return encodeCheckpoint({
    header: {
      model: plan.model.name,
      modelOptions: asJson(plan.modelOptions),
      trainingOptions: asJson(decisiveOptions(plan.options)),
      dataHash: plan.dataHash,
      executor,
      threads: state.threads,
      workers: state.workers,
      optimizer: state.optimizer,
      updates: state.step,
      step,
      position,
      epoch,
      schedule,
      best: stopping.best,
      sinceBest: stopping.sinceBest,
    },
    parameters: state.parameters,
    moments: state.moments,
    best,
  })
}

/** Puts the trainer where a checkpoint was written. A checkpoint of another model, other options or other data is a CONFLICT. */
export function resumeProgress(plan: TrainingPlan<unknown>, executor: string, trainer: Trainer, bytes: Uint8Array): Progress {
  const { header, parameters, moments, best } = decodeCheckpoint(bytes)
  const { step, position, epoch, schedule, threads, workers, optimizer, updates } = header
  const differences = [
    ...differingKeys('model', { name: header.model }, { name: plan.model.name }),
    ...differingKeys('model option', header.modelOptions, asJson(plan.modelOptions)),
    ...differingOptions(asJson(decisiveOptions(completeOptions(header.trainingOptions))), asJson(decisiveOptions(plan.options))),
    ...differingKeys(
      'training',
      { data: header.dataHash, executor: header.executor, threads, workers },
      { data: plan.dataHash, executor, threads: trainer.threads, workers: trainer.workers },
    ),
  ]
  if (differences.length > 0)
    throw new EspalierError('CONFLICT', `checkpoint of step ${step}: it belongs to another training: ${differences.join('; ')}`, {
      remedy: 'Resume with the options and the data of that run, or start a new run without the checkpoint.',
    })
  trainer.restore({ step: updates, threads, workers, optimizer, parameters, moments })
  return { step, position, epoch, schedule, stopping: { best: header.best, sinceBest: header.sinceBest }, best }
}

const differingOptions = (then: Json, now: Json): string[] => {
  const without = (options: Json) => Object.fromEntries(Object.entries(options).filter(([name]) => !mayGrow[name]?.(then, now)))
  return differingKeys('training option', without(then), without(now))
}

function differingKeys(what: string, then: Json, now: Json): string[] {
  const show = (value: JsonValue | undefined) => JSON.stringify(value) ?? 'nothing'
  return [...new Set([...Object.keys(then), ...Object.keys(now)])]
    .filter((key) => show(then[key] as JsonValue) !== show(now[key] as JsonValue))
    .map((key) => `${what} ${key}: found ${show(then[key] as JsonValue)} in the checkpoint, ${show(now[key] as JsonValue)} now`)
}
