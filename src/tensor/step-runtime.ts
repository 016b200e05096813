import type { FlatPlan } from './flat.js'
import type { Graph } from './graph.js'
import type { Optimizer } from './optimizers.js'
import type { NamedTensors } from './tensor.js'

/** Part of a batch: the layout whose graph its tensors fit, and what its loss counts in the mean of the batch. */
export interface Part {
  layout: string
  feeds: NamedTensors
  /** of all parts of a step these add up to 1 */
  share: number
}

/** The parameters and the optimizer's slots as flat vectors (see `FlatPlan`). */
export interface FlatState {
  parameters: Float32Array
  slots: Readonly<Record<string, Float32Array>>
}

/** What a runtime has to know of what it trains. Graphs are asked for once per layout. */
export interface StepPlan {
  flat: FlatPlan
  start: Float32Array
  optimizer: Optimizer
  clipNorm: number | null
  /** dropout's numbers are drawn from it, the step, the part and the place */
  seed: number
  graphs: {
    /** forward, backward and update in one */
    step(layout: string): Graph
    /** forward and backward, added to a sum */
    gradient(layout: string): Graph
    update(): Graph
    forward(layout: string): Graph
  }
}

export interface StepNumbers {
  /** updates before this one */
  done: number
  learningRate: number
}

/**
 * Where a trainer's steps are carried out: `inline` (sessions of this thread) or `parallel` (worker threads that share the parts of a
 * batch). The same plan, parts and counts of workers and threads give the same bits, whatever the timing. One call at a time; steps of the
 * parallel one queue.
 */
export interface StepRuntime {
  /**
   * One update by the gradient of all parts together. The losses come in the order of the parts. `handOver`: the feeds' memory is the
   * runtime's from now on.
   */
  step(parts: readonly Part[], numbers: StepNumbers, handOver?: boolean): Promise<{ losses: number[]; gradientNorm: number }>
  /** The outputs of the forward graph. Several may be under way at once. */
  evaluate(layout: string, feeds: NamedTensors): Promise<NamedTensors>
  /** copies */
  read(): FlatState
  write(state: FlatState): void
  close(): Promise<void>
}
