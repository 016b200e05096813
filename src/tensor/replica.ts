import { stepNames } from './compile.js'
import type { Program } from './executor.js'
import { decayMask, type FlatPlan, viewsOf } from './flat.js'
import type { GraphInput } from './graph.js'
import type { Optimizer } from './optimizers.js'
import type { Part, StepNumbers } from './step-runtime.js'
import { float32, type HostTensor, type NamedTensors } from './tensor.js'
import { feedUniform } from './uniform.js'

/** A gradient graph made ready to run, and what it is fed. */
export interface LoadedGraph {
  program: Program
  inputs: readonly Pick<GraphInput, 'name' | 'value'>[]
}

export interface ReplicaPlan {
  flat: FlatPlan
  optimizer: Optimizer
  clipNorm: number | null
  seed: number
  /** the part of the flat vectors that this replica updates: from (included), to (excluded) */
  slice: readonly [number, number]
}

const vector = (data: Float32Array): HostTensor => ({ type: 'float32', dims: [data.length], data })
const scalars = (named: Readonly<Record<string, number>>): NamedTensors =>
  Object.fromEntries(Object.entries(named).map(([name, value]) => [name, float32([], [value])]))

/**
 * One copy of the parameters with the gradient of the parts it was given. Gradients of parts add up in the graph itself (`sum.*` in,
 * `gradient.*` out, between two buffers in turn); the update works in place on this replica's slice of the flat vectors.
 */
export class Replica {
  readonly parameters: Float32Array
  /** of the slice */
  readonly slots: Readonly<Record<string, Float32Array>>
  readonly #plan: ReplicaPlan
  readonly #views: NamedTensors
  readonly #buffers: readonly [Float32Array, Float32Array, Float32Array]
  readonly #sums: readonly NamedTensors[]
  readonly #targets: readonly NamedTensors[]
  readonly #update: { feeds: NamedTensors; fetches: NamedTensors }
  readonly #loss = float32([])
  /** which buffer holds the gradient: 0 is the one that stays zero */
  #held = 0

  constructor(plan: ReplicaPlan) {
    const { flat, optimizer, slice } = plan
    const [from, to] = slice
    this.#plan = plan
    this.parameters = new Float32Array(flat.length)
    this.slots = Object.fromEntries(optimizer.row.slots.map((slot) => [slot, new Float32Array(to - from)]))
    this.#views = viewsOf(this.parameters, flat)
    this.#buffers = [new Float32Array(flat.length), new Float32Array(flat.length), new Float32Array(flat.length)]
    this.#sums = this.#buffers.map((buffer) => viewsOf(buffer, flat, stepNames.sum))
    this.#targets = this.#buffers.map((buffer) => ({ ...viewsOf(buffer, flat, stepNames.gradient), [stepNames.loss]: this.#loss }))
    const state = {
      [stepNames.parameters]: vector(this.parameters.subarray(from, to)),
      ...Object.fromEntries(Object.entries(this.slots).map(([slot, data]) => [stepNames.slot(slot), vector(data)])),
    }
    const mask: HostTensor = { type: 'bool', dims: [to - from], data: decayMask(flat).subarray(from, to) }
    this.#update = {
      feeds: { ...state, ...(optimizer.row.decays(optimizer.options) ? { [stepNames.decays]: mask } : {}) },
      fetches: Object.fromEntries(Object.entries(state).map(([name, t]) => [stepNames.next(name), t])),
    }
  }

  /** The gradient of the parts so far; zeros before the first. The own slice of it may be changed before `update`. */
  get gradient(): Float32Array {
    return this.#buffers[this.#held]!
  }

  /** The feeds of the parameters, by name. */
  get views(): NamedTensors {
    return this.#views
  }

  clear(): void {
    this.#held = 0
  }

  /** Adds a part's gradient. `place` is the part's number in the step. Returns the part's loss. */
  async add({ program, inputs }: LoadedGraph, { feeds, share }: Part, place: number, done: number): Promise<number> {
    const next = this.#held === 1 ? 2 : 1
    const random = feedUniform(inputs, feeds, this.#plan.seed, done, place)
    const fed = { ...feeds, ...random, ...this.#views, ...this.#sums[this.#held], ...scalars({ [stepNames.share]: share }) }
    await program.run(fed, this.#targets[next])
    this.#held = next
    return this.#loss.data[0]!
  }

  /** Updates the slice by `gradient` (of the slice's length); `norm` is the whole gradient's, for clipping. */
  async update(program: Program, gradient: Float32Array, norm: number, { done, learningRate }: StepNumbers): Promise<void> {
    if (gradient.length === 0) return
    const { optimizer, clipNorm } = this.#plan
    const numbers = optimizer.row.scalars(done + 1, learningRate, optimizer.options)
    const named = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [stepNames.scalar(name), value]))
    if (clipNorm !== null) named[stepNames.scale] = Math.min(1, clipNorm / (norm + 1e-6))
    await program.run({ ...this.#update.feeds, [stepNames.flatGradient]: vector(gradient), ...scalars(named) }, this.#update.fetches)
  }
}

/** The sum of squares in double precision, as four sums side by side (a processor waits for each addition of one): always the same four. */
export function sumOfSquares(values: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0]
  const fours = values.length - (values.length % 4)
  for (let i = 0; i < fours; i += 4) {
    a += values[i]! * values[i]!
    b += values[i + 1]! * values[i + 1]!
    c += values[i + 2]! * values[i + 2]!
    d += values[i + 3]! * values[i + 3]!
  }
  for (let i = fours; i < values.length; i++) a += values[i]! * values[i]!
  return a + b + (c + d)
}
