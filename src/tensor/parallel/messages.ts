import type { FlatPlan } from '../flat.js'
import type { Value } from '../graph.js'
import type { Part, StepNumbers } from '../step-runtime.js'
import type { NamedTensors } from '../tensor.js'
import type { SharedMemory } from './shared.js'

/** What a worker is born with. */
export interface WorkerSettings {
  index: number
  workers: number
  /** of its sessions */
  threads: number
  flat: FlatPlan
  optimizer: { name: string; [option: string]: unknown }
  clipNorm: number | null
  seed: number
  memory: SharedMemory
}

export type GraphKind = 'gradient' | 'forward' | 'update'

/** An input of a graph as it crosses to another thread. */
export interface InputShape {
  name: string
  value: Pick<Value, 'shape'>
}

export type ToWorker =
  | { type: 'load'; kind: GraphKind; layout: string; bytes: Uint8Array; inputs: InputShape[] }
  /** `version` counts the owner's writes to the shared state: a worker behind it reads it anew */
  | { type: 'step'; parts: { part: Part; place: number }[]; numbers: StepNumbers; version: number }
  | { type: 'evaluate'; layout: string; feeds: NamedTensors; version: number }
  | { type: 'close' }

export type ToOwner =
  | { type: 'ready' }
  | { type: 'stepped'; losses: number[]; gradientNorm: number }
  | { type: 'evaluated'; outputs: NamedTensors }
  /** `secondary`: only because another failed */
  | { type: 'failed'; message: string; secondary: boolean }
