import { GraphBuilder } from '../tensor/builder.js'
import { compileForward, compileTrainingStep, stepNames, type TrainableParameter } from '../tensor/compile.js'
import type { Program, TensorExecutor } from '../tensor/executor.js'
import type { Graph, Value } from '../tensor/graph.js'
import { type Optimizer, parseOptimizer } from '../tensor/optimizers.js'
import { decodeSafetensors, encodeSafetensors } from '../tensor/safetensors.js'
import { allocate, copyTensors, float32, type HostTensor, type NamedTensors } from '../tensor/tensor.js'
import { feedUniform } from '../tensor/uniform.js'
import { EspalierError } from '../util/error.js'
import type { Batch, Model, ParameterSpec } from './model.js'
import { parseOptions } from './options.js'
import { assertParameters, initializeParameters } from './parameters.js'
import type { RankingList } from './ranking-list.js'

export interface TrainerOptions<Options, Example = RankingList> {
  model: Model<Options, Example>
  /** the model's options, or part of them: defaults are filled in */
  options: Options | Partial<Options>
  executor: TensorExecutor
  /** parameters start from it, and dropout draws from it and the step: resume with the same one */
  seed: number
  /** a row of `tensor/optimizers.ts` with its options, e.g. `{ name: 'adamw', weightDecay: 0.01 }`. Default Adam. */
  optimizer?: { name: string; [option: string]: unknown }
  /** gradients are scaled down to this global L2 norm; null (default) for no clipping */
  clipNorm?: number | null
  /** default 2; part of the promise of equal bits */
  threads?: number
}

/** Everything that decides the next step, bit for bit. Bytes: `encodeTrainerState` / `decodeTrainerState`. */
export interface TrainerState {
  /** updates done */
  step: number
  threads: number
  optimizer: string
  parameters: NamedTensors
  /** `<slot>.<parameter>` */
  moments: NamedTensors
}

export interface StepResult {
  loss: number
  /** global L2 norm of the gradient, before clipping */
  gradientNorm: number
}

/** Parameters, optimizer state and the compiled graphs of one model in training. One call at a time. */
export interface Trainer {
  /** One update. A NaN or infinite loss is returned as it is, for the caller to judge; the parameters are then spoilt. */
  step(batch: Batch, settings: { learningRate: number }): Promise<StepResult>
  /** The loss, and the scores per list in candidate order; nothing changes. */
  evaluate(batch: Batch): Promise<{ loss: number; scores: number[][] }>
  /** copies */
  parameters(): NamedTensors
  /** copies */
  state(): TrainerState
  /** Throws BAD_INPUT when the state is of another model, other options or another optimizer. */
  restore(state: TrainerState): void
  close(): Promise<void>
}

const declare = (b: GraphBuilder, specs: readonly ParameterSpec[]): Record<string, Value> =>
  Object.fromEntries(specs.map(({ name, shape }) => [name, b.input(name, b.float, shape)]))

/** A model's training step on one layout as a graph. */
export function buildStep<O, E>(model: Model<O, E>, options: O, layout: string, optimizer: Optimizer, clip: boolean) {
  const b = new GraphBuilder('float32', true)
  const specs = model.parameters(options)
  const values = declare(b, specs)
  const loss = model.loss(b, model.forward(b, values, layout, options), layout, options)
  const parameters: TrainableParameter[] = specs.map(({ name, decay }) => ({ name, value: values[name]!, decay }))
  return compileTrainingStep(b, { loss, parameters, optimizer, clip })
}

/** A model's forward half on one layout as a graph, with its loss where asked for. */
export function buildForward<O, E>(model: Model<O, E>, options: O, layout: string, withLoss: boolean) {
  const b = new GraphBuilder()
  const outputs = model.forward(b, declare(b, model.parameters(options)), layout, options)
  return compileForward(withLoss ? { ...outputs, loss: model.loss(b, outputs, layout, options) } : outputs)
}

/** One of the two sets of buffers between which parameters and optimizer state go back and forth. */
interface Bank {
  parameters: NamedTensors
  moments: NamedTensors
}

const zerosLike = (named: NamedTensors): NamedTensors =>
  Object.fromEntries(Object.entries(named).map(([name, t]) => [name, { ...t, data: allocate(t.type, t.data.length) }]))

const emptyMoments = (parameters: NamedTensors, { row }: Optimizer): NamedTensors =>
  Object.assign({}, ...row.slots.map((slot) => renamed(zerosLike(parameters), (name) => stepNames.slot(slot, name))))

const renamed = <T>(record: Record<string, T>, name: (key: string) => string): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [name(key), value]))

/** Builds and loads one program per layout, and keeps it. */
function programs(build: (layout: string) => Graph, load: (graph: Graph) => Promise<Program>) {
  const loaded = new Map<string, Promise<{ graph: Graph; program: Program }>>()
  const make = async (layout: string) => {
    const graph = build(layout)
    return { graph, program: await load(graph) }
  }
  return {
    get(layout: string) {
      if (!loaded.has(layout)) loaded.set(layout, make(layout))
      return loaded.get(layout)!
    },
    async release() {
      const all = [...loaded.values()]
      loaded.clear()
      for (const made of await Promise.allSettled(all)) if (made.status === 'fulfilled') await made.value.program.release()
    },
  }
}

/** Starts (or, with `restore`, goes on with) training a model. Throws BAD_INPUT on bad options. */
export function createTrainer<Options, Example = RankingList>(given: TrainerOptions<Options, Example>): Trainer {
  const { model, executor, seed, clipNorm = null, threads = 2 } = given
  const options = parseOptions(model, given.options)
  const optimizer = parseOptimizer(given.optimizer ?? { name: 'adam' })
  if (clipNorm !== null && !(clipNorm > 0))
    throw new EspalierError('BAD_INPUT', `clipNorm ${clipNorm} came, a positive number or null was expected`, {
      remedy: 'use null for none',
    })
  const specs = model.parameters(options)
  const load = (graph: Graph) => executor.load(graph, { threads })
  const steps = programs((layout) => buildStep(model, options, layout, optimizer, clipNorm !== null), load)
  const evaluations = programs((layout) => buildForward(model, options, layout, true), load)

  const start = initializeParameters(specs, seed)
  const first: Bank = { parameters: start, moments: emptyMoments(start, optimizer) }
  const banks: [Bank, Bank] = [first, { parameters: zerosLike(first.parameters), moments: zerosLike(first.moments) }]
  const results = { [stepNames.loss]: float32([]), [stepNames.gradientNorm]: float32([]) }
  const targets = banks.map((bank) => ({ ...renamed({ ...bank.parameters, ...bank.moments }, stepNames.next), ...results }))
  let done = 0
  let current: 0 | 1 = 0

  const scalars = (learningRate: number): NamedTensors => {
    const numbers = optimizer.row.scalars(done + 1, learningRate, optimizer.options)
    const named = renamed(numbers, stepNames.scalar)
    if (clipNorm !== null) named[stepNames.clip] = clipNorm
    return Object.fromEntries(Object.entries(named).map(([name, value]) => [name, float32([], [value])]))
  }
  const read = (t: HostTensor) => Number(t.data[0])

  return {
    async step(batch, { learningRate }) {
      const { graph, program } = await steps.get(batch.layout)
      const other = current === 0 ? 1 : 0
      const { parameters, moments } = banks[current]
      const random = feedUniform(graph.inputs, batch.feeds, seed, done)
      await program.run({ ...batch.feeds, ...random, ...parameters, ...moments, ...scalars(learningRate) }, targets[other])
      current = other
      done++
      return { loss: read(results[stepNames.loss]!), gradientNorm: read(results[stepNames.gradientNorm]!) }
    },
    async evaluate(batch) {
      const { program } = await evaluations.get(batch.layout)
      const outputs = await program.run({ ...batch.feeds, ...banks[current].parameters })
      return { loss: read(outputs['loss']!), scores: model.decode(outputs, batch) }
    },
    parameters: () => copyTensors(banks[current].parameters),
    state: () => ({
      step: done,
      threads,
      optimizer: optimizer.name,
      parameters: copyTensors(banks[current].parameters),
      moments: copyTensors(banks[current].moments),
    }),
    restore(state) {
      assertState(specs, optimizer, state)
      const bank = banks[current]
      for (const [name, t] of Object.entries(state.parameters)) bank.parameters[name]!.data.set(t.data as never)
      for (const [name, t] of Object.entries(state.moments)) bank.moments[name]!.data.set(t.data as never)
      done = state.step
    },
    async close() {
      await steps.release()
      await evaluations.release()
    },
  }
}

function assertState(specs: readonly ParameterSpec[], optimizer: Optimizer, state: TrainerState): void {
  if (state.optimizer !== optimizer.name)
    throw new EspalierError('BAD_INPUT', `the state is of optimizer ${state.optimizer}, the trainer has ${optimizer.name}`, {
      remedy: 'resume with the optimizer the checkpoint was made with',
    })
  assertParameters(specs, state.parameters)
  const slots = optimizer.row.slots.flatMap((slot) => specs.map((s) => ({ ...s, name: stepNames.slot(slot, s.name) })))
  assertParameters(slots, state.moments)
}

const momentPrefix = 'moment:'
const parameterPrefix = 'parameter:'

/** A state as bytes (safetensors); every bit is kept. */
export function encodeTrainerState({ step, threads, optimizer, parameters, moments }: TrainerState): Uint8Array {
  const named = { ...renamed(parameters, (name) => parameterPrefix + name), ...renamed(moments, (name) => momentPrefix + name) }
  return encodeSafetensors(named, { step: String(step), threads: String(threads), optimizer })
}

/** The state that `encodeTrainerState` wrote. Throws CORRUPT. */
export function decodeTrainerState(bytes: Uint8Array): TrainerState {
  const { tensors, metadata } = decodeSafetensors(bytes)
  const under = (prefix: string) =>
    Object.fromEntries(Object.entries(tensors).flatMap(([name, t]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), t]] : [])))
  const { step, threads, optimizer } = metadata
  if (step === undefined || threads === undefined || optimizer === undefined)
    throw new EspalierError(
      'CORRUPT',
      `a trainer's state without step, threads or optimizer (it has ${Object.keys(metadata).join(', ') || 'nothing'})`,
    )
  return { step: Number(step), threads: Number(threads), optimizer, parameters: under(parameterPrefix), moments: under(momentPrefix) }
}
