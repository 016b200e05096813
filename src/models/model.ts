import type { z } from 'zod'
import type { GraphBuilder } from '../tensor/builder.js'
import type { Value } from '../tensor/graph.js'
import type { NamedTensors } from '../tensor/tensor.js'
import type { Problem } from '../util/problem.js'
import type { RankingList } from './ranking-list.js'

/** How a parameter starts: see `models/parameters.ts` for the formulas. */
export type Initializer = 'zeros' | 'ones' | 'fan-in' | 'glorot'

export interface ParameterSpec {
  name: string
  /** weights are stored [out, in] */
  shape: readonly number[]
  init: Initializer
  /** columns that count as inputs for `fan-in`; default the last dimension */
  fanIn?: number
  /** false for biases and norms: AdamW does not decay them */
  decay: boolean
}

/** Examples as tensors, ready for the graph of their layout. */
export interface Batch {
  /** which of the model's graphs these feeds fit: programs are cached by it */
  layout: string
  feeds: NamedTensors
  /** number of lists (examples), empty ones included */
  size: number
  /** per list, how many candidates it has */
  candidates: readonly number[]
  /** graphs and real (unpadded) nodes in the batch: throughput and node budgets count them */
  graphs: number
  nodes: number
}

export type ParameterValues = Readonly<Record<string, Value>>

/**
 * A model: options as documentation, parameters as a table, and pure functions from examples to tensors and from tensors to a graph.
 * Training, export and serving all go through these.
 */
// biome-ignore lint/suspicious/noExplicitAny: models of different options in one table; each checks its own by its schema
export interface Model<Options = any, Example = RankingList> {
  readonly name: string
  readonly description: string
  /** every option has a default and a description; `z.toJSONSchema` of it is what forms and GraphQL show */
  readonly options: z.ZodType<Options>
  parameters(options: Options): readonly ParameterSpec[]
  /** Problems never throw; a list with an error becomes an empty list of the batch (0 loss, no scores). `layout` forces one. */
  encode(examples: readonly Example[], options: Options, layout?: string): { batch: Batch; problems: Problem[] }
  /** Builds the forward half; the result's keys are the exported outputs. `scores` is one of them. */
  forward(graph: GraphBuilder, parameters: ParameterValues, layout: string, options: Options): Record<string, Value>
  /** Builds the loss (a scalar, the mean over the lists that count) on the outputs of `forward`. */
  loss(graph: GraphBuilder, outputs: Readonly<Record<string, Value>>, layout: string, options: Options): Value
  /** Scores per list, in candidate order. */
  decode(outputs: Readonly<NamedTensors>, batch: Batch): number[][]
}
