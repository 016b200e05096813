import type { z } from 'zod'
import type { GraphBuilder } from '../tensor/builder.js'
import type { Value } from '../tensor/graph.js'
import type { NamedTensors } from '../tensor/tensor.js'
import type { Problem } from '../util/problem.js'
import type { RankingList } from './rankings/ranking-list.js'

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
  /** number of examples, unusable ones included */
  size: number
  /**
   * per example, how many things its scores choose among: candidates of a list, nodes of a graph, classes; 0 for an example that does
   * not count (an empty list, one that could not be encoded)
   */
  counts: readonly number[]
  /** graphs and real (unpadded) nodes in the batch: throughput and node budgets count them */
  graphs: number
  nodes: number
}

/** Ranking lists, or graphs of which a node, a class or a sequence is asked. */
export const exampleKinds = ['ranking', 'node', 'graph', 'sequence'] as const
export type ExampleKind = (typeof exampleKinds)[number]

export type ParameterValues = Readonly<Record<string, Value>>

/**
 * A model: options as documentation, parameters as a table, and pure functions from examples to tensors and from tensors to a graph.
 * Training, export and serving all go through these.
 */
// biome-ignore lint/suspicious/noExplicitAny: models of different options in one table; each checks its own by its schema
export interface Model<Options = any, Example = RankingList> {
  readonly name: string
  /** what its examples are: the kind of dataset it learns from */
  readonly examples: ExampleKind
  readonly description: string
  /** every option has a default and a description; `z.toJSONSchema` of it is what forms and GraphQL show */
  readonly options: z.ZodType<Options>
  parameters(options: Options): readonly ParameterSpec[]
  /** Problems never throw; an example with an error becomes an empty one of the batch (0 loss, no scores). `layout` forces one. */
  encode(examples: readonly Example[], options: Options, layout?: string): { batch: Batch; problems: Problem[] }
  /** Builds the forward half; the result's keys are the exported outputs. `scores` is one of them. */
  forward(graph: GraphBuilder, parameters: ParameterValues, layout: string, options: Options): Record<string, Value>
  /** Builds the loss (a scalar, the mean over the examples that count) on the outputs of `forward`. */
  loss(graph: GraphBuilder, outputs: Readonly<Record<string, Value>>, layout: string, options: Options): Value
  /** Scores per example, higher is better: of candidates in their order, of nodes, of classes; of a sequence one output after another. */
  decode(outputs: Readonly<NamedTensors>, batch: Batch): number[][]
  /** Layouts worth a file each when the model is exported; each must take any batch. Default: `dense` alone. */
  exportLayouts?(options: Options): readonly string[]
}
