import { z } from 'zod'
import type { GraphBuilder } from '../../tensor/builder.js'
import type { Value } from '../../tensor/graph.js'
import { float32, numbersOf } from '../../tensor/tensor.js'
import {
  choiceLoss,
  encodeGraphExamples,
  encodeNodeSlots,
  impossible,
  nodeSlots,
  type ReadoutEncoding,
  slotsOf,
  weightsOf,
} from '../graphs/graph-batch.js'
import type { GraphExample } from '../graphs/graph-example.js'
import type { Model } from '../model.js'
import { exportLayouts, openLayout, propagate, propagationFields, propagationParameters } from './ggnn-propagation.js'
import { nodeScoreParameters, nodeScores } from './ggnn-readout.js'

export const ggnnNodeOptions = z.strictObject({ ...propagationFields })
export type GgnnNodeOptions = z.output<typeof ggnnNodeOptions>

const encoding: ReadoutEncoding<number> = {
  read({ target, nodeFeatures }, report) {
    const n = nodeFeatures.length
    if (typeof target === 'number' && Number.isInteger(target) && target >= 0 && target < n) return target
    report('target', `target ${JSON.stringify(target)}`, `the index of a node, 0 to ${n - 1}`)
    return 0
  },
  count: ({ nodeFeatures }) => nodeFeatures.length,
  feeds({ examples, targets }, encoded) {
    const slots = slotsOf(examples, encoded)
    const target = float32([encoded.total, slots])
    for (const [g, node] of targets.entries()) if (node !== null) target.data[g * slots + node] = 1
    const weights = float32([encoded.total], weightsOf(targets, encoded.total))
    return { ...encodeNodeSlots(examples, encoded), target, target_weights: weights }
  },
}

function forward(b: GraphBuilder, parameters: Readonly<Record<string, Value>>, name: string, o: GgnnNodeOptions): Record<string, Value> {
  const layout = openLayout(b, name, o)
  const p = (parameter: string) => parameters[parameter]!
  const x = layout.features
  const { values, there } = nodeSlots(b, name, nodeScores(b, layout, { h: propagate(b, layout, x, o, p), x }, o, p))
  return { scores: b.where(there, values, b.scalar(impossible)) }
}

/**
 * Gated graph neural network that selects a node (Li et al. 2016, section 3.2): score_v = w . tanh(N [h_v, x_v, q] + b), and the answer
 * is distributed as softmax over the nodes of the graph. Output `scores` [B, n]: -1e30 where a graph has no such node.
 */
export const ggnnNode: Model<GgnnNodeOptions, GraphExample> = {
  name: 'ggnn-node',
  examples: 'node',
  description: 'Gated graph neural network that selects a node of a graph',
  options: ggnnNodeOptions,
  parameters: (o) => [...propagationParameters(o), ...nodeScoreParameters(o)],
  encode: (examples, o, forced) => encodeGraphExamples(examples, o, encoding, forced),
  forward,
  exportLayouts,
  loss(b, { scores }) {
    const target = b.input('target', b.float, scores!.shape)
    return choiceLoss(b, scores!, target, b.input('target_weights', b.float, ['B']))
  },
  decode(outputs, { counts }) {
    const { dims } = outputs['scores']!
    const scores = numbersOf(outputs['scores']!)
    return counts.map((n, g) => scores.slice(g * dims[1]!, g * dims[1]! + n))
  },
}
