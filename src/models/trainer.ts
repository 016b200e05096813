import { GraphBuilder } from '../tensor/builder.js'
import { compileForward, compileGradient, compileTrainingStep, compileUpdate } from '../tensor/compile.js'
import type { TensorExecutor } from '../tensor/executor.js'
import { planFlat, viewsOf, writeFlat } from '../tensor/flat.js'
import type { Graph, Value } from '../tensor/graph.js'
import { openInlineRuntime } from '../tensor/inline-runtime.js'
import { type Optimizer, parseOptimizer } from '../tensor/optimizers.js'
import { openTeam } from '../tensor/parallel/team.js'
import { decodeSafetensors, encodeSafetensors } from '../tensor/safetensors.js'
import type { Part, StepPlan, StepRuntime } from '../tensor/step-runtime.js'
import type { NamedTensors } from '../tensor/tensor.js'
import { EspalierError } from '../util/error.js'
import type { Batch, Model, ParameterSpec } from './model.js'
import { parseOptions } from './options.js'
import { assertParameters, initializeParameters } from './parameters.js'
import type { RankingList } from './rankings/ranking-list.js'

export interface TrainerOptions<Options, Example = RankingList> {
  model: Model<Options, Example>
  /** the model's options, or part of them: defaults are filled in */
  options: Options | Partial<Options>
  executor: TensorExecutor
  /** parameters start from it, and dropout draws from it, the step and the part: resume with the same one */
  seed: number
  /** a row of `tensor/optimizers.ts` with its options, e.g. `{ name: 'adamw', weightDecay: 0.01 }`. Default Adam. */
  optimizer?: { name: string; [option: string]: unknown }
  /** gradients are scaled down to this global L2 norm; null (default) for no clipping */
  clipNorm?: number | null
  /** all threads that products are spread over, default 2; part of the promise of equal bits */
  threads?: number
  /**
   * worker threads that share the parts of a batch, `threads` divided among them; 0 (default): everything in this thread. Part of the
   * promise of equal bits. Only where the executor is onnxruntime.
   */
  workers?: number
}

/** Everything that decides the next step, bit for bit. Bytes: `encodeTrainerState` / `decodeTrainerState`. */
export interface TrainerState {
  /** updates done */
  step: number
  threads: number
  workers: number
  optimizer: string
  parameters: NamedTensors
  /** `<slot>.<parameter>` */
  moments: NamedTensors
}

export interface StepResult {
  /** the mean over all examples of the step that count */
  loss: number
  /** global L2 norm of the gradient, before clipping */
  gradientNorm: number
}

export interface StepSettings {
  learningRate: number
  /** the batch is of no further use to the caller: workers get its memory instead of a copy */
  handOver?: boolean
}

/**
 * Parameters, optimizer state and the compiled graphs of one model in training. One step at a time; with workers, steps may be asked for
 * while others are under way, and follow each other in that order.
 */
export interface Trainer {
  /** resolved counts: the same ones give the same bits */
  readonly threads: number
  readonly workers: number
  /**
   * One update, by a batch or by the parts of one: their gradients add up as if they were one batch, each part counting by its
   * examples. Parts are what workers share, and what gradient accumulation adds up. A NaN or infinite loss is returned as it is, for the
   * caller to judge; the parameters are then spoilt.
   */
  step(batch: Batch | readonly Batch[], settings: StepSettings): Promise<StepResult>
  /** The loss, and the scores per example; nothing changes. Several may be under way at once. */
  evaluate(batch: Batch): Promise<{ loss: number; scores: number[][] }>
  /** copies */
  parameters(): NamedTensors
  /** copies */
  state(): TrainerState
  /**
   * Throws BAD_INPUT when the state is of another model, other options or another optimizer, and CONFLICT when it was made with other
   * counts of threads or workers and `anyCounts` is not set: the bits that follow would be others.
   */
  restore(state: TrainerState, settings?: { anyCounts?: boolean }): void
  /** Releases sessions and threads. */
  close(): Promise<void>
}

const declare = (b: GraphBuilder, specs: readonly ParameterSpec[]): Record<string, Value> =>
  Object.fromEntries(specs.map(({ name, shape }) => [name, b.input(name, b.float, shape)]))

/** A model's loss on one layout, in training, and its parameters in the order of their specs. */
function buildLoss<O, E>(model: Model<O, E>, options: O, layout: string) {
  const b = new GraphBuilder('float32', true)
  const specs = model.parameters(options)
  const values = declare(b, specs)
  const loss = model.loss(b, model.forward(b, values, layout, options), layout, options)
  return { b, loss, parameters: specs.map(({ name }) => ({ name, value: values[name]! })) }
}

/** A model's training step on one layout as a graph. */
export function buildStep<O, E>(model: Model<O, E>, options: O, layout: string, optimizer: Optimizer, clip: boolean): Graph {
  const { b, loss, parameters } = buildLoss(model, options, layout)
  return compileTrainingStep(b, { loss, parameters, optimizer, clip })
}

/** The gradient of a model's loss on one layout, added to a sum, as a graph. */
export function buildGradient<O, E>(model: Model<O, E>, options: O, layout: string): Graph {
  const { b, loss, parameters } = buildLoss(model, options, layout)
  return compileGradient(b, { loss, parameters })
}

/** A model's forward half on one layout as a graph, with its loss where asked for. */
export function buildForward<O, E>(model: Model<O, E>, options: O, layout: string, withLoss: boolean): Graph {
  const b = new GraphBuilder()
  const outputs = model.forward(b, declare(b, model.parameters(options)), layout, options)
  return compileForward(withLoss ? { ...outputs, loss: model.loss(b, outputs, layout, options) } : outputs)
}

const renamed = <T>(record: Record<string, T>, name: (key: string) => string): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [name(key), value]))

const slotName = (slot: string, parameter: string) => `${slot}.${parameter}`

/** Batches as parts: each counts by its examples that count. */
function partsOf(batches: readonly Batch[]): Part[] {
  const weights = batches.map(({ counts }) => counts.filter((n) => n > 0).length)
  const total = weights.reduce((sum, w) => sum + w, 0)
  return batches.map(({ layout, feeds }, i) => ({ layout, feeds, share: total > 0 ? weights[i]! / total : 1 / batches.length }))
}

function planSteps<O, E>({
  model,
  executor: _,
  seed,
  clipNorm = null,
  ...given
}: TrainerOptions<O, E>): StepPlan & { options: O; specs: readonly ParameterSpec[] } {
  const options = parseOptions(model, given.options)
  const optimizer = parseOptimizer(given.optimizer ?? { name: 'adam' })
  if (clipNorm !== null && !(clipNorm > 0))
    throw new EspalierError('BAD_INPUT', `clipNorm ${clipNorm} came, a positive number or null was expected`, {
      remedy: 'use null for none',
    })
  const specs = model.parameters(options)
  const flat = planFlat(specs)
  const start = new Float32Array(flat.length)
  writeFlat(start, flat, initializeParameters(specs, seed))
  const clip = clipNorm !== null
  return {
    options,
    specs,
    flat,
    start,
    optimizer,
    clipNorm,
    seed,
    graphs: {
      step: (layout) => buildStep(model, options, layout, optimizer, clip),
      gradient: (layout) => buildGradient(model, options, layout),
      update: () => compileUpdate(new GraphBuilder(), optimizer, clip),
      forward: (layout) => buildForward(model, options, layout, true),
    },
  }
}

function openRuntime(plan: StepPlan, executor: TensorExecutor, threads: number, workers: number): StepRuntime {
  const counts = [threads >= 1, workers >= 0, ...[threads, workers].map(Number.isInteger)]
  if (!counts.every(Boolean))
    throw new EspalierError('BAD_INPUT', `threads ${threads} and workers ${workers} came, whole numbers from 1 and from 0 were expected`)
  if (workers === 0) return openInlineRuntime(plan, executor, threads)
  if (executor.name !== 'ort')
    throw new EspalierError('BAD_INPUT', `workers ${workers} came with executor ${executor.name}, which has none`, {
      remedy: 'use workers 0, or the executor ort',
    })
  return openTeam(plan, { workers, threads: Math.max(1, Math.floor(threads / workers)) })
}

/** Starts (or, with `restore`, goes on with) training a model. Throws BAD_INPUT on bad options. */
export function createTrainer<Options, Example = RankingList>(given: TrainerOptions<Options, Example>): Trainer {
  const { model, threads = 2, workers = 0 } = given
  const plan = planSteps(given)
  const { flat, optimizer, specs } = plan
  const runtime = openRuntime(plan, given.executor, threads, workers)
  let done = 0
  const tensorsOf = (flatVector: Float32Array, name = (parameter: string) => parameter) => viewsOf(flatVector, flat, name)

  return {
    threads,
    workers,
    async step(batch, { learningRate, handOver = false }) {
      const parts = partsOf(Array.isArray(batch) ? batch : [batch as Batch])
      const before = done++
      try {
        const { losses, gradientNorm } = await runtime.step(parts, { done: before, learningRate }, handOver)
        return { loss: losses.reduce((sum, loss, i) => sum + loss * parts[i]!.share, 0), gradientNorm }
      } catch (error) {
        done = Math.min(done, before)
        throw error
      }
    },
    async evaluate(batch) {
      const outputs = await runtime.evaluate(batch.layout, batch.feeds)
      return { loss: Number(outputs['loss']!.data[0]), scores: model.decode(outputs, batch) }
    },
    parameters: () => tensorsOf(runtime.read().parameters),
    state() {
      const { parameters, slots } = runtime.read()
      const moments = Object.entries(slots).map(([slot, data]) => tensorsOf(data, (name) => slotName(slot, name)))
      return {
        step: done,
        threads,
        workers,
        optimizer: optimizer.name,
        parameters: tensorsOf(parameters),
        moments: Object.assign({}, ...moments),
      }
    },
    restore(state, { anyCounts = false } = {}) {
      assertState(specs, optimizer, state)
      if (!anyCounts) assertCounts(state, { threads, workers })
      const parameters = new Float32Array(flat.length)
      writeFlat(parameters, flat, state.parameters)
      const slots = optimizer.row.slots.map((slot) => {
        const data = new Float32Array(flat.length)
        writeFlat(data, flat, state.moments, (name) => slotName(slot, name))
        return [slot, data] as const
      })
      runtime.write({ parameters, slots: Object.fromEntries(slots) })
      done = state.step
    },
    close: () => runtime.close(),
  }
}

type Counts = Pick<TrainerState, 'threads' | 'workers'>

function assertCounts(then: Counts, now: Counts): void {
  if (then.threads === now.threads && then.workers === now.workers) return
  const show = ({ threads, workers }: Counts) => `${threads} threads and ${workers} workers`
  throw new EspalierError('CONFLICT', `the state was made with ${show(then)}, the trainer has ${show(now)}`, {
    remedy: 'Resume with the same counts, or accept that the weights will differ in their last bits.',
  })
}

function assertState(specs: readonly ParameterSpec[], optimizer: Optimizer, state: TrainerState): void {
  if (state.optimizer !== optimizer.name)
    throw new EspalierError('BAD_INPUT', `the state is of optimizer ${state.optimizer}, the trainer has ${optimizer.name}`, {
      remedy: 'resume with the optimizer the checkpoint was made with',
    })
  assertParameters(specs, state.parameters)
  const slots = optimizer.row.slots.flatMap((slot) => specs.map((s) => ({ ...s, name: slotName(slot, s.name) })))
  assertParameters(slots, state.moments)
}

const momentPrefix = 'moment:'
const parameterPrefix = 'parameter:'

/** A state as bytes (safetensors); every bit is kept. */
export function encodeTrainerState({ step, threads, workers, optimizer, parameters, moments }: TrainerState): Uint8Array {
  const named = { ...renamed(parameters, (name) => parameterPrefix + name), ...renamed(moments, (name) => momentPrefix + name) }
  return encodeSafetensors(named, { step: String(step), threads: String(threads), workers: String(workers), optimizer })
}

/** The state that `encodeTrainerState` wrote. Throws CORRUPT. */
export function decodeTrainerState(bytes: Uint8Array): TrainerState {
  const { tensors, metadata } = decodeSafetensors(bytes)
  const under = (prefix: string) =>
    Object.fromEntries(Object.entries(tensors).flatMap(([name, t]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), t]] : [])))
  const { step, threads, workers = '0', optimizer } = metadata
  if (step === undefined || threads === undefined || optimizer === undefined)
    throw new EspalierError(
      'CORRUPT',
      `a trainer's state without step, threads or optimizer (it has ${Object.keys(metadata).join(', ') || 'nothing'})`,
    )
  return {
    step: Number(step),
    threads: Number(threads),
    workers: Number(workers),
    optimizer,
    parameters: under(parameterPrefix),
    moments: under(momentPrefix),
  }
}
