import { z } from 'zod'
import type { GraphBuilder } from '../../tensor/builder.js'
import type { Value } from '../../tensor/graph.js'
import { float32, type NamedTensors } from '../../tensor/tensor.js'
import type { GraphTarget } from '../graphs/graph-example.js'
import type { GraphLayout } from '../graphs/graph-layout.js'
import type { ParameterSpec } from '../model.js'
import type { Named, PropagationOptions } from './ggnn-propagation.js'

export const poolingField = z.enum(['sum', 'max']).default('sum').describe('how gated node values become one vector per graph')
/** Names of classes: distinct, in the order of their scores. */
export const labelsField = z.array(z.string()).refine((labels) => new Set(labels).size === labels.length, 'labels that differ')

type Widths = Pick<PropagationOptions, 'features' | 'hidden' | 'queryFeatures'>

/** A linear layer over [h_v, x_v, q], `rows` numbers out, kept as one matrix for each of the three. */
export function branchParameters(name: string, { features: f, hidden: h, queryFeatures: d }: Widths, rows = h): ParameterSpec[] {
  return [
    { name: `${name}.state`, shape: [rows, h], init: 'fan-in', fanIn: h + f, decay: true },
    { name: `${name}.features`, shape: [rows, f], init: 'fan-in', fanIn: h + f, decay: true },
    ...(d > 0 ? [{ name: `${name}.query`, shape: [rows, d], init: 'fan-in', decay: true } as const] : []),
    { name: `${name}.bias`, shape: [rows], init: 'zeros', decay: false },
  ]
}

/** What a read-out sees of the nodes: their states [R, H] and features [R, F]; the query comes from the feed `query` [B, D]. */
export interface Nodes {
  h: Value
  x: Value
}

/** W_h h_v + W_x x_v + W_q q + b, [R, rows]. */
export function branch(b: GraphBuilder, layout: GraphLayout, { h, x }: Nodes, name: string, o: Widths, p: Named): Value {
  const own = b.add(b.linear(h, p(`${name}.state`)), b.linear(x, p(`${name}.features`), p(`${name}.bias`)))
  if (o.queryFeatures === 0) return own
  return b.add(own, layout.spread(b.linear(b.input('query', b.float, ['B', o.queryFeatures]), p(`${name}.query`))))
}

export const gatedParameters = (o: Widths): ParameterSpec[] => [...branchParameters('gate', o), ...branchParameters('value', o)]

/** One vector per graph, [B, H]: sum or max over v of sigmoid(G [h_v, x_v, q] + b_g) * tanh(V [h_v, x_v, q] + b_v). */
export const gatedPool = (b: GraphBuilder, layout: GraphLayout, nodes: Nodes, how: 'sum' | 'max', o: Widths, p: Named): Value =>
  layout.pool(b.mul(b.sigmoid(branch(b, layout, nodes, 'gate', o, p)), b.tanh(branch(b, layout, nodes, 'value', o, p))), how)

/** Query vectors once per graph, the feed [total, width]; none where the model reads none. */
export function encodeQueries(queries: readonly ArrayLike<number>[], total: number, width: number): NamedTensors {
  if (width === 0) return {}
  const query = float32([total, width])
  for (const [g, values] of queries.entries()) query.data.set(values, g * width)
  return { query }
}

/** One score per node, [R, 1]: w . tanh(N [h_v, x_v, q] + b). */
export const nodeScores = (b: GraphBuilder, layout: GraphLayout, nodes: Nodes, o: Widths, p: Named): Value =>
  b.linear(b.tanh(branch(b, layout, nodes, 'node', o, p)), p('node.weight'))

export const nodeScoreParameters = (o: Widths): ParameterSpec[] => [
  ...branchParameters('node', o),
  { name: 'node.weight', shape: [1, o.hidden], init: 'fan-in', decay: true },
]

/** Scores of classes from one vector per graph, [B, classes]. */
export const classScores = (b: GraphBuilder, pooled: Value, p: Named): Value => b.linear(pooled, p('class.weight'), p('class.bias'))

export const classParameters = ({ hidden }: Widths, classes: number): ParameterSpec[] => [
  { name: 'class.weight', shape: [classes, hidden], init: 'fan-in', decay: true },
  { name: 'class.bias', shape: [classes], init: 'zeros', decay: false },
]

/** The place of a label among the labels. */
export function readLabel(
  target: GraphTarget | undefined,
  labels: readonly string[],
  report: (code: string, found: string, expected: string) => void,
): number {
  const at = labels.indexOf(target as string)
  if (at >= 0) return at
  report('target', `target ${JSON.stringify(target)}`, `one of the labels ${labels.join(', ')}`)
  return 0
}
