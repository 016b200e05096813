import { z } from 'zod'
import type { GraphBuilder } from '../../tensor/builder.js'
import type { Value } from '../../tensor/graph.js'
import { numbersOf } from '../../tensor/tensor.js'
import { choiceLoss, encodeGraphExamples, impossible, nodeSlots } from '../graphs/graph-batch.js'
import type { GraphExample } from '../graphs/graph-example.js'
import type { GraphLayout } from '../graphs/graph-layout.js'
import { sequenceEncoding } from '../graphs/sequence-encode.js'
import type { Model, ParameterSpec, ParameterValues } from '../model.js'
import { exportLayouts, type Named, openLayout, propagate, propagationFields, propagationParameters, whole } from './ggnn-propagation.js'
import {
  branch,
  branchParameters,
  classParameters,
  classScores,
  gatedParameters,
  gatedPool,
  labelsField,
  type Nodes,
  nodeScoreParameters,
  nodeScores,
  poolingField,
} from './ggnn-readout.js'

export const ggnnSequenceOptions = z.strictObject({
  ...propagationFields,
  labels: labelsField
    .default([])
    .describe('names of the classes that a sequence is made of; none: it is made of nodes; the data decides it'),
  maxOutputs: whole(1, 256, 8, 'outputs of a sequence at most, the end symbol included; the data decides it'),
  sharedPropagation: z
    .boolean()
    .default(true)
    .describe('whether outputs and next annotations are read from the same node states, or each has rounds with weights of its own'),
  annotations: z
    .enum(['latent', 'observed'])
    .default('latent')
    .describe('learn the annotations between outputs from the outputs alone, or from those that examples give (teacher forcing)'),
  pooling: poolingField,
})
export type GgnnSequenceOptions = z.output<typeof ggnnSequenceOptions>

const choosesNodes = ({ labels }: GgnnSequenceOptions) => labels.length === 0

/** The second propagation model's parameters have this before their names. */
const own = 'annotation.'

function parameters(o: GgnnSequenceOptions): ParameterSpec[] {
  const layer = (name: string, rows: number): ParameterSpec[] => [
    { name: `${name}weight`, shape: [rows, o.hidden], init: 'fan-in', decay: true },
    { name: `${name}bias`, shape: [rows], init: 'zeros', decay: false },
  ]
  const choice = choosesNodes(o) ? [...nodeScoreParameters(o), ...layer('end.', 1)] : classParameters(o, o.labels.length + 1)
  const outputs = [...propagationParameters(o), ...gatedParameters(o), ...choice]
  if (o.maxOutputs === 1) return outputs
  const second = o.sharedPropagation ? [] : propagationParameters(o).map((spec) => ({ ...spec, name: own + spec.name }))
  return [...outputs, ...second, ...branchParameters('annotation', o), ...layer(`${own}next_`, o.features)]
}

/** Scores of one output, [B, 1, C]: of each node or class, and of the end in the last column. */
function choose(b: GraphBuilder, layout: GraphLayout, name: string, nodes: Nodes, o: GgnnSequenceOptions, p: Named): Value {
  const pooled = gatedPool(b, layout, nodes, o.pooling, o, p)
  const scores = choosesNodes(o) ? withEnd() : classScores(b, pooled, p)
  return b.reshape(scores, [scores.shape[0]!, 1, scores.shape[1]!])

  function withEnd(): Value {
    const { values, there } = nodeSlots(b, name, nodeScores(b, layout, nodes, o, p))
    return b.concat([b.where(there, values, b.scalar(impossible)), b.linear(pooled, p('end.weight'), p('end.bias'))], 1)
  }
}

/** Annotations that examples give: values [R, F] and weights [R, 1] (0 where a row has none) for each output after the first. */
function observed(b: GraphBuilder, rows: Value['shape'][number], { features, maxOutputs }: GgnnSequenceOptions) {
  const later = maxOutputs - 1
  const values = b.input('annotations', b.float, [rows, later * features])
  const weights = b.input('annotation_weights', b.float, [rows, later])
  return {
    values: b.split(values, 1, new Array(later).fill(features)),
    weights: b.split(weights, 1, new Array(later).fill(1)),
  }
}

/** The features that the next output starts from: what was predicted, in training what examples give (teacher forcing). */
function nextFeatures(b: GraphBuilder, logits: Value, k: number, o: GgnnSequenceOptions): Value {
  const predicted = b.sigmoid(logits)
  if (o.annotations === 'latent' || !b.training) return predicted
  const given = observed(b, logits.shape[0]!, o)
  const isGiven = b.expand(b.greater(given.weights[k]!, b.scalar(0)), logits.shape)
  return b.where(isGiven, given.values[k]!, predicted)
}

function forward(b: GraphBuilder, values: ParameterValues, name: string, o: GgnnSequenceOptions): Record<string, Value> {
  const layout = openLayout(b, name, o)
  const p = (parameter: string) => values[parameter]!
  const outputs: Value[] = []
  const annotations: Value[] = []
  let x = layout.features
  for (let k = 0; k < o.maxOutputs; k++) {
    const h = propagate(b, layout, x, o, p)
    outputs.push(choose(b, layout, name, { h, x }, o, p))
    if (k + 1 === o.maxOutputs) break
    const state = o.sharedPropagation ? h : propagate(b, layout, x, o, (parameter) => p(own + parameter))
    const hidden = b.tanh(branch(b, layout, { h: state, x }, 'annotation', o, p))
    const logits = b.linear(hidden, p('annotation.next_weight'), p('annotation.next_bias'))
    annotations.push(logits)
    x = nextFeatures(b, logits, k, o)
  }
  const scores = b.concat(outputs, 1)
  return o.annotations === 'observed' && annotations.length > 0 ? { scores, annotation_logits: b.concat(annotations, 1) } : { scores }
}

/**
 * Binary cross-entropy from logits z and targets t in [0, 1], by element: relu(z) - z t + log(1 + exp(-|z|)). |z| is 2 relu(z) - z, so that
 * at 0, where relu has the slope 0, the gradient is the true one, 1/2 - t: untouched nodes of a model without biases have that logit.
 */
export function binaryCrossEntropy(b: GraphBuilder, z: Value, t: Value): Value {
  const positive = b.relu(z)
  const magnitude = b.sub(b.add(positive, positive), z)
  return b.add(b.sub(positive, b.mul(z, t)), b.log(b.add(b.exp(b.neg(magnitude)), b.scalar(1))))
}

function loss(b: GraphBuilder, outputs: Readonly<Record<string, Value>>, _layout: string, o: GgnnSequenceOptions): Value {
  const { scores, annotation_logits: logits } = outputs
  const choices = choiceLoss(b, scores!, b.input('target', b.float, scores!.shape), b.input('target_weights', b.float, ['B', o.maxOutputs]))
  if (!logits) return choices
  const { values, weights } = observed(b, logits.shape[0]!, o)
  const perRow = b
    .split(logits, 1, new Array(o.maxOutputs - 1).fill(o.features))
    .map((z, k) => b.mul(b.reduceSum(binaryCrossEntropy(b, z, values[k]!), [1], true), weights[k]!))
  return b.add(
    choices,
    perRow.map((row) => b.sumAll(row)).reduce((sum, row) => b.add(sum, row)),
  )
}

/**
 * Gated graph sequence neural network (GGS-NN; Li et al. 2016, section 4): for each output k, node states H^(k) are propagated from the
 * annotations X^(k) (X^(1) are the node features); F_O reads the k-th output from H^(k), and F_X the next annotations
 * X^(k+1)_v = sigmoid(W tanh(A [h_v, x_v, q] + b) + c). An output is a node (softmax over score_v = w . tanh(N [h_v, x_v, q] + b) and the
 * end, which is read from the graph's vector) or a class (labels and the end). Output `scores` [B, outputs, nodes or classes + 1], the
 * end in the last column, -1e30 where a graph has no such node. The loss of an example is the sum of its outputs' cross-entropies, the end
 * included; with observed annotations also their binary cross-entropy, averaged over nodes and features.
 */
export const ggnnSequence: Model<GgnnSequenceOptions, GraphExample> = {
  name: 'ggnn-sequence',
  examples: 'sequence',
  description: 'Gated graph sequence neural network: a graph in, a sequence of nodes or of classes out',
  options: ggnnSequenceOptions,
  parameters,
  encode: (examples, o, forced) => encodeGraphExamples(examples, o, sequenceEncoding(o), forced),
  forward,
  exportLayouts,
  loss,
  decode(outputs, { counts }) {
    const [, steps, width] = outputs['scores']!.dims as [number, number, number]
    const scores = numbersOf(outputs['scores']!)
    const output = (g: number, k: number, count: number) => {
      const start = (g * steps + k) * width
      return [...scores.slice(start, start + count - 1), scores[start + width - 1]!]
    }
    return counts.map((count, g) => (count === 0 ? [] : Array.from({ length: steps }, (_, k) => output(g, k, count)).flat()))
  },
}

/** The outputs that scores mean, `count` scores per output with the end last: the best of each, up to the end. */
export function decodeSequence(scores: readonly number[], count: number): number[] {
  const sequence: number[] = []
  for (let at = 0; at < scores.length; at += count) {
    const row = scores.slice(at, at + count)
    const best = row.reduce((most, score, i) => (score > row[most]! ? i : most), 0)
    if (best === count - 1) break
    sequence.push(best)
  }
  return sequence
}
