import { z } from 'zod'
import type { GraphBuilder } from '../../tensor/builder.js'
import type { Value } from '../../tensor/graph.js'
import { float32, numbersOf } from '../../tensor/tensor.js'
import { choiceLoss, encodeGraphExamples, type ReadoutEncoding, weightsOf } from '../graphs/graph-batch.js'
import type { GraphExample } from '../graphs/graph-example.js'
import type { Model } from '../model.js'
import { exportLayouts, openLayout, propagate, propagationFields, propagationParameters } from './ggnn-propagation.js'
import { classParameters, classScores, gatedParameters, gatedPool, labelsField, poolingField, readLabel } from './ggnn-readout.js'

export const ggnnGraphOptions = z.strictObject({
  ...propagationFields,
  pooling: poolingField,
  labels: labelsField.min(1).default(['false', 'true']).describe('names of the classes, in the order of their scores; the data decides it'),
})
export type GgnnGraphOptions = z.output<typeof ggnnGraphOptions>

const encodingOf = ({ labels }: GgnnGraphOptions): ReadoutEncoding<number> => ({
  read: ({ target }, report) => readLabel(target, labels, report),
  count: () => labels.length,
  feeds({ targets }, { total }) {
    const target = float32([total, labels.length])
    for (const [g, label] of targets.entries()) if (label !== null) target.data[g * labels.length + label] = 1
    return { target, target_weights: float32([total], weightsOf(targets, total)) }
  },
})

function forward(b: GraphBuilder, parameters: Readonly<Record<string, Value>>, name: string, o: GgnnGraphOptions): Record<string, Value> {
  const layout = openLayout(b, name, o)
  const p = (parameter: string) => parameters[parameter]!
  const x = layout.features
  const pooled = gatedPool(b, layout, { h: propagate(b, layout, x, o, p), x }, o.pooling, o, p)
  return { scores: classScores(b, pooled, p) }
}

/**
 * Gated graph neural network that classifies a graph (Li et al. 2016, section 3.2): scores = W h_G + b with
 * h_G = sum or max over v of sigmoid(G [h_v, x_v, q] + b_g) * tanh(V [h_v, x_v, q] + b_v). Output `scores` [B, classes], before softmax.
 */
export const ggnnGraph: Model<GgnnGraphOptions, GraphExample> = {
  name: 'ggnn-graph',
  examples: 'graph',
  description: 'Gated graph neural network that classifies graphs',
  options: ggnnGraphOptions,
  parameters: (o) => [...propagationParameters(o), ...gatedParameters(o), ...classParameters(o, o.labels.length)],
  encode: (examples, o, forced) => encodeGraphExamples(examples, o, encodingOf(o), forced),
  forward,
  exportLayouts,
  loss(b, { scores }) {
    const target = b.input('target', b.float, scores!.shape)
    return choiceLoss(b, scores!, target, b.input('target_weights', b.float, ['B']))
  },
  decode(outputs, { counts }) {
    const classes = outputs['scores']!.dims[1]!
    const scores = numbersOf(outputs['scores']!)
    return counts.map((n, g) => scores.slice(g * classes, g * classes + n))
  },
}
