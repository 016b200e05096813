import type { z } from 'zod'
import { splitByGroup } from '../datasets/splits/groups.js'
import type { Model } from '../models/model.js'
import { parseOptions } from '../models/options.js'
import type { TensorExecutor } from '../tensor/executor.js'
import { EspalierError } from '../util/error.js'
import { seeded } from '../util/random.js'
import { digestExamples, type LearningTask } from './jobs/learning-task.js'
import { assertGates } from './judging/judgeable.js'
import { parseTrainingOptions, type TrainingOptions, type trainingOptions } from './options.js'
import { planBatches } from './sampling/batches.js'
import { epochOrder } from './sampling/sampler.js'

export interface TrainingRequest<Example> {
  model: Model<unknown, Example>
  /** the model's options, or part of them */
  modelOptions?: Record<string, unknown>
  /** training options, or part of them */
  options?: z.input<typeof trainingOptions>
  task: LearningTask<Example>
  training: readonly Example[]
  /** held-out examples; without them `validationSplit` of the training examples is held out */
  validation?: readonly Example[]
  /** what the examples are, where the caller knows (a dataset version's hash): saves hashing them */
  dataHash?: string
  executor: TensorExecutor
  /** bytes of a checkpoint to go on from */
  resume?: Uint8Array
  /** asked after every step: `drain` pauses because the process must end */
  control?: () => 'pause' | 'cancel' | 'drain' | null
}

/** A request settled: every default filled in, the examples split, nothing left to decide. */
export interface TrainingPlan<Example> {
  model: Model<unknown, Example>
  modelOptions: Record<string, unknown>
  options: TrainingOptions
  task: LearningTask<Example>
  training: readonly Example[]
  validation: readonly Example[]
  dataHash: string
  /** optimizer steps of the first epoch; later ones may differ by a few */
  batchesPerEpoch: number
  totalSteps: number
}

/** Settles a request, or throws BAD_INPUT before anything is computed. */
export function planTraining<Example>(request: TrainingRequest<Example>): TrainingPlan<Example> {
  const { model, task } = request
  const options = parseTrainingOptions(request.options ?? {})
  const { training, validation } = splitExamples(request, options)
  const decided = task.optionsOf([...training, ...validation])
  const modelOptions = parseOptions(model, { ...decided, ...request.modelOptions }) as Record<string, unknown>
  if (training.length === 0)
    throw new EspalierError('BAD_INPUT', `training ${model.name}: found no training examples, expected at least one`, {
      remedy: 'Give more examples, or a smaller validationSplit.',
    })
  assertGates(options, validation.length > 0)
  const batchesPerEpoch = planEpoch({ task, training, options }, 0).length
  return {
    model,
    modelOptions,
    options,
    task,
    training,
    validation,
    dataHash: request.dataHash ?? digestExamples(task, training, validation),
    batchesPerEpoch,
    totalSteps: batchesPerEpoch * options.epochs,
  }
}

/** The optimizer steps of an epoch, each the mini-batches whose gradients add up in it, as indices of training examples. */
export function planEpoch<Example>(
  { task, training, options }: Pick<TrainingPlan<Example>, 'task' | 'training' | 'options'>,
  epoch: number,
): number[][][] {
  const order = epochOrder(options.seed, epoch, training.length)
  const budget = { nodes: options.batchNodes, examples: options.batchExamples }
  const batches = planBatches(order, (i) => task.sizeOf(training[i]!), budget)
  const { accumulate } = options
  return Array.from({ length: Math.ceil(batches.length / accumulate) }, (_, i) => batches.slice(i * accumulate, (i + 1) * accumulate))
}

/** Whole groups are held out, in seeded order, where no validation examples are given. */
function splitExamples<Example>(
  { task, training, validation }: TrainingRequest<Example>,
  { validationSplit, seed }: TrainingOptions,
): { training: readonly Example[]; validation: readonly Example[] } {
  if (validation !== undefined || validationSplit === 0) return { training, validation: validation ?? [] }
  const grouped = training.map((example) => ({ group: task.groupOf(example), example }))
  const split = splitByGroup(grouped, { validation: validationSplit }, seeded(seed).fork('split'))
  return { training: split.train.map((g) => g.example), validation: split.validation.map((g) => g.example) }
}
