import type { Graph } from './graph.js'
import type { HostTensor, NamedTensors } from './tensor.js'

export interface LoadOptions {
  /** threads a product is spread over; the same count gives the same bits. Default 2. tfjs does not take it: see `openTfjs`. */
  threads?: number
}

/** A graph made ready to run. One run at a time. */
export interface Program {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /**
   * Runs with `feeds` (every input; what the program does not know is ignored). `fetches` names what to bring back: a tensor to write
   * into (fast: no allocation), or null to have one allocated; default every output, allocated.
   */
  run(feeds: Readonly<NamedTensors>, fetches?: Readonly<Record<string, HostTensor | null>>): Promise<NamedTensors>
  release(): Promise<void>
}

/**
 * Port: what runs graphs. Adapters: onnxruntime (`ort.ts`) and tfjs (`tfjs.ts`), opened by name in `executors.ts`; each runs the contract
 * suite of the tests.
 */
export interface TensorExecutor {
  readonly name: string
  /** what runs below, with its version: goes into manifests */
  readonly version: string
  load(graph: Graph, options?: LoadOptions): Promise<Program>
}
