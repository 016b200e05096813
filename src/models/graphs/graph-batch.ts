import type { GraphBuilder } from '../../tensor/builder.js'
import type { Value } from '../../tensor/graph.js'
import type { RowMap } from '../../tensor/ops/indexed.js'
import { float32, int32, type NamedTensors } from '../../tensor/tensor.js'
import { type Problem, problem } from '../../util/problem.js'
import { encodeTypedGraphs, type PropagationOptions } from '../ggnn/ggnn-propagation.js'
import { encodeQueries } from '../ggnn/ggnn-readout.js'
import type { Batch } from '../model.js'
import type { EncodedGraphs } from './graph-encode.js'
import type { GraphExample } from './graph-example.js'
import { validateGraph, validateQuery } from './typed-graph.js'

/** Stands in for the score of what cannot be chosen: its probability is exactly 0 in float32. */
export const impossible = -1e30

/** Examples that passed their checks, each with what its target became; null for one that cannot be used or has no target. */
export interface UsableExamples<Target> {
  examples: readonly GraphExample[]
  targets: readonly (Target | null)[]
}

/** What a read-out has to say of an example and of a batch, besides the graph. */
export interface ReadoutEncoding<Target> {
  /** The target as numbers, or why it cannot be one. Not asked of an example without a target. */
  read(example: GraphExample, report: (code: string, found: string, expected: string) => void): Target
  /** how many things the scores of an example choose among */
  count(example: GraphExample): number
  /** the read-out's own feeds; `encoded` tells how many graphs the tensors hold */
  feeds(usable: UsableExamples<Target>, encoded: EncodedGraphs): NamedTensors
}

/** Nothing of an example that cannot be used: a graph without nodes. */
const emptied = ({ id, query }: GraphExample, queryFeatures: number): GraphExample => ({
  id,
  nodeFeatures: [],
  edges: [],
  query: query?.length === queryFeatures ? query : new Float32Array(queryFeatures),
})

/** Graph examples as a batch: what a model cannot use becomes an empty graph that counts nothing, and a problem. */
export function encodeGraphExamples<Target>(
  examples: readonly GraphExample[],
  o: PropagationOptions,
  readout: ReadoutEncoding<Target>,
  forced?: string,
): { batch: Batch; problems: Problem[] } {
  const problems: Problem[] = []
  const targets: (Target | null)[] = []
  const counts: number[] = []
  const usable = examples.map((example) => {
    const where = `example ${example.id}`
    const found = [...validateGraph(example, where, o), ...validateQuery(example.query, where, o)]
    const report = (code: string, came: string, expected: string) => found.push(problem({ code, where, found: came, expected }))
    if (example.nodeFeatures.length === 0) report('no-nodes', 'a graph without nodes', 'at least one node')
    const target = example.target === undefined ? null : readout.read(example, report)
    problems.push(...found)
    const isUsable = !found.some((p) => p.severity === 'error')
    targets.push(isUsable ? target : null)
    counts.push(isUsable ? readout.count(example) : 0)
    return isUsable ? example : emptied(example, o.queryFeatures)
  })
  const encoded = encodeTypedGraphs(usable, o, forced)
  const queries = usable.map((example) => example.query ?? [])
  const feeds = {
    ...encoded.feeds,
    ...encodeQueries(queries, encoded.total, o.queryFeatures),
    ...readout.feeds({ examples: usable, targets }, encoded),
  }
  const nodes = usable.reduce((sum, e) => sum + e.nodeFeatures.length, 0)
  return { batch: { layout: encoded.layout, feeds, size: examples.length, counts, graphs: examples.length, nodes }, problems }
}

/** Examples with a target count alike, and together 1. */
export function weightsOf(targets: readonly unknown[], total: number): Float32Array {
  const counting = targets.filter((t) => t !== null).length
  return Float32Array.from({ length: total }, (_, i) => ((targets[i] ?? null) === null ? 0 : 1 / counting))
}

/** One value per node laid out by graph: [B, K] with `there` (bool) where a node is. */
export interface NodeSlots {
  values: Value
  there: Value
}

/** Rows [R, 1] as [B, K], K node slots per graph, with the feeds of the layout and of `encodeNodeSlots`. */
export function nodeSlots(b: GraphBuilder, layout: string, rows: Value): NodeSlots {
  if (layout === 'dense') {
    const mask = b.reshape(b.input('node_mask', b.float, ['B', 1, 'n']), ['B', 'n'])
    return { values: b.reshape(rows, ['B', 'n']), there: b.greater(mask, b.scalar(0)) }
  }
  const mask = b.input('slot_mask', b.float, ['B', 'K'])
  const toSlots: RowMap = { tables: [b.input('slot_node', 'int32', ['B*K', 1])], order: null }
  const toNodes: RowMap = { tables: [b.input('node_slot', 'int32', ['R', 1])], order: null }
  return { values: b.reshape(b.gatherSum(rows, toSlots, toNodes), ['B', 'K']), there: b.greater(mask, b.scalar(0)) }
}

/** Node slots per graph in a batch of this layout. */
export const slotsOf = (examples: readonly GraphExample[], { layout, feeds }: EncodedGraphs): number =>
  layout === 'dense' ? feeds['node_mask']!.dims[2]! : Math.max(1, ...examples.map((e) => e.nodeFeatures.length))

/** Feeds of `nodeSlots`; the dense layout needs none. */
export function encodeNodeSlots(examples: readonly GraphExample[], encoded: EncodedGraphs): NamedTensors {
  if (encoded.layout === 'dense') return {}
  const k = slotsOf(examples, encoded)
  const rows = encoded.feeds['node_features']!.dims[0]!
  const total = encoded.total
  const feeds = {
    slot_mask: float32([total, k]),
    slot_node: int32([total * k, 1], new Array(total * k).fill(rows)),
    node_slot: int32([rows, 1], new Array(rows).fill(total * k)),
  }
  let row = 0
  examples.forEach(({ nodeFeatures }, g) => {
    for (let v = 0; v < nodeFeatures.length; v++, row++) {
      feeds.slot_mask.data[g * k + v] = 1
      feeds.slot_node.data[g * k + v] = row
      feeds.node_slot.data[row] = g * k + v
    }
  })
  return feeds
}

/**
 * Cross-entropy of one choice per row: -sum over rows of weight * log_softmax(scores)[target]. scores, targets (one-hot) [..., C],
 * weights [...]: a scalar. What is impossible has a score of `impossible` and is never a target.
 */
export function choiceLoss(b: GraphBuilder, scores: Value, targets: Value, weights: Value): Value {
  const picked = b.reduceSum(b.mul(targets, b.logSoftmax(scores)), [scores.shape.length - 1])
  return b.neg(b.sumAll(b.mul(picked, weights)))
}
