import { z } from 'zod'
import type { GraphBuilder } from '../tensor/builder.js'
import type { Value } from '../tensor/graph.js'
import { float32, type NamedTensors } from '../tensor/tensor.js'
import { EspalierError } from '../util/error.js'
import type { Problem } from '../util/problem.js'
import { encodeDense, encodeSparse, isDenseBetter } from './graph-encode.js'
import { type GraphLayout, layoutFor } from './graph-layout.js'
import { listLoss } from './list-net.js'
import type { Batch, Model, ParameterSpec, ParameterValues } from './model.js'
import { decodeScores, encodeRanking } from './ranking-batch.js'
import type { RankingList } from './ranking-list.js'

const whole = (least: number, most: number, value: number, what: string) => z.int().min(least).max(most).default(value).describe(what)

export const ggnnOptions = z.strictObject({
  features: whole(1, 65_536, 64, 'numbers per node; the data decides it'),
  queryFeatures: whole(0, 65_536, 0, 'numbers of the query vector that conditions the read-out; 0 for none; the data decides it'),
  edgeTypes: whole(1, 1024, 1, 'kinds of edges, each with a message matrix per direction; the data decides it'),
  hidden: whole(1, 4096, 64, 'width of a node state'),
  steps: whole(0, 64, 4, 'rounds of messages: how many edges away a node hears'),
  weights: z.enum(['tied', 'per-step']).default('tied').describe('whether the rounds share their weights'),
  normalize: z.enum(['none', 'mean']).default('none').describe('messages are added up (none) or averaged (mean)'),
  residual: z.boolean().default(false).describe('add the state before a round to the state after it'),
  layerNorm: z.boolean().default(false).describe('normalise each node state after a round'),
  dropout: z.number().min(0).lt(1).default(0).describe('share of the final node states that is zeroed in training; 0 for none'),
  readout: z.enum(['sum', 'max']).default('sum').describe('how gated node values become one vector per graph'),
  temperature: z.number().positive().default(1).describe('of the ListNet loss: higher spreads the target over more candidates'),
  layout: z
    .enum(['auto', 'dense', 'sparse'])
    .default('auto')
    .describe('adjacency matrices (small graphs), sums by degree (large ones), or by the batch'),
})
export type GgnnOptions = z.infer<typeof ggnnOptions>

/** `.` + step for weights of their own per step, '' for shared ones. */
const stepSuffixes = ({ weights, steps }: GgnnOptions) =>
  weights === 'tied' ? (steps > 0 ? [''] : []) : Array.from({ length: steps }, (_, t) => `.${t}`)

function stepParameters({ hidden: h, edgeTypes, layerNorm }: GgnnOptions, suffix: string): ParameterSpec[] {
  const weight = (name: string, rows: number): ParameterSpec => ({ name: name + suffix, shape: [rows, h], init: 'fan-in', decay: true })
  const bias = (name: string): ParameterSpec => ({ name: name + suffix, shape: [3 * h], init: 'fan-in', fanIn: h, decay: false })
  const norm: ParameterSpec[] = [
    { name: `norm.weight${suffix}`, shape: [h], init: 'ones', decay: false },
    { name: `norm.bias${suffix}`, shape: [h], init: 'zeros', decay: false },
  ]
  return [
    weight('message.weight', 2 * edgeTypes * h),
    weight('gru.weight_ih', 3 * h),
    weight('gru.weight_hh', 3 * h),
    bias('gru.bias_ih'),
    bias('gru.bias_hh'),
    ...(layerNorm ? norm : []),
  ]
}

function parameters(o: GgnnOptions): ParameterSpec[] {
  const { features: f, hidden: h, queryFeatures: d } = o
  const branch = (name: string): ParameterSpec[] => [
    { name: `${name}.state`, shape: [h, h], init: 'fan-in', fanIn: h + f, decay: true },
    { name: `${name}.features`, shape: [h, f], init: 'fan-in', fanIn: h + f, decay: true },
    ...(d > 0 ? [{ name: `${name}.query`, shape: [h, d], init: 'fan-in', decay: true } as const] : []),
    { name: `${name}.bias`, shape: [h], init: 'zeros', decay: false },
  ]
  return [
    { name: 'input.weight', shape: [h, f], init: 'fan-in', decay: true },
    { name: 'input.bias', shape: [h], init: 'zeros', decay: false },
    ...stepSuffixes(o).flatMap((suffix) => stepParameters(o, suffix)),
    ...branch('gate'),
    ...branch('value'),
    { name: 'score.weight', shape: [1, h], init: 'fan-in', decay: true },
  ]
}

/** h' = GRU(a, h), gates r, z, n in torch's order and with its two biases: a, h [R, H]. */
function gru(b: GraphBuilder, a: Value, h: Value, p: (name: string) => Value): Value {
  const width = h.shape[1] as number
  const thirds = (name: string) => b.split(p(name), 0, [width, width, width])
  const [wr, wz, wn] = thirds('gru.weight_ih') as [Value, Value, Value]
  const [ur, uz, un] = thirds('gru.weight_hh') as [Value, Value, Value]
  const [br, bz, bn] = thirds('gru.bias_ih') as [Value, Value, Value]
  const [cr, cz, cn] = thirds('gru.bias_hh') as [Value, Value, Value]
  const gate = (w: Value, u: Value, bias: Value) => b.add(b.linear(h, u), b.linear(a, w, bias))
  return b.gruGate(gate(wz, uz, b.add(bz, cz)), gate(wr, ur, b.add(br, cr)), b.linear(a, wn, bn), b.linear(h, un, cn), h)
}

/** One round: messages over every channel, summed or averaged, into the state. */
function round(b: GraphBuilder, layout: GraphLayout, h: Value, o: GgnnOptions, p: (name: string) => Value): Value {
  const summed = layout.messages(b.linear(h, p('message.weight')))
  const heard = o.normalize === 'mean' ? b.mul(summed, layout.inverseDegree()) : summed
  const next = gru(b, heard, h, p)
  const carried = o.residual ? b.add(next, h) : next
  return o.layerNorm ? b.layerNorm(carried, p('norm.weight'), p('norm.bias')) : carried
}

function forward(b: GraphBuilder, parameters: ParameterValues, name: string, o: GgnnOptions): Record<string, Value> {
  const layout = layoutFor(b, name, o.features, 2 * o.edgeTypes)
  const p = (parameter: string) => parameters[parameter]!
  const x = layout.features
  let h = b.linear(x, p('input.weight'), p('input.bias'))
  for (let t = 0; t < o.steps; t++) h = round(b, layout, h, o, (name) => p(o.weights === 'tied' ? name : `${name}.${t}`))
  h = b.dropout(h, o.dropout)
  const branch = (name: string) => {
    const own = b.add(b.linear(h, p(`${name}.state`)), b.linear(x, p(`${name}.features`), p(`${name}.bias`)))
    if (o.queryFeatures === 0) return own
    return b.add(own, layout.spread(b.linear(b.input('query', b.float, ['B', o.queryFeatures]), p(`${name}.query`))))
  }
  const pooled = layout.pool(b.mul(b.sigmoid(branch('gate')), b.tanh(branch('value'))), o.readout)
  return { scores: b.linear(pooled, p('score.weight')) }
}

function chooseLayout(graphs: RankingList['candidates'], o: GgnnOptions, forced: string | undefined): 'dense' | 'sparse' {
  const asked = forced?.replace(/:.*/, '') ?? o.layout
  if (asked === 'dense' || asked === 'sparse') return asked
  if (asked !== 'auto')
    throw new EspalierError('BAD_INPUT', `layout "${asked}" came, auto, dense or sparse was expected`, {
      remedy: 'leave it out to have it chosen',
    })
  return isDenseBetter(graphs, 2 * o.edgeTypes) ? 'dense' : 'sparse'
}

/** The query vector once per candidate, [B, D]. */
function encodeQueries(lists: readonly RankingList[], total: number, width: number): NamedTensors {
  if (width === 0) return {}
  const query = float32([total, width])
  let at = 0
  for (const list of lists)
    for (const _ of list.candidates) {
      query.data.set(list.query!, at)
      at += width
    }
  return { query }
}

function encode(lists: readonly RankingList[], o: GgnnOptions, forced?: string): { batch: Batch; problems: Problem[] } {
  return encodeRanking(lists, o, (graphs, usable) => {
    const encodeGraphs = chooseLayout(graphs, o, forced) === 'dense' ? encodeDense : encodeSparse
    const encoded = encodeGraphs(graphs, o.features, 2 * o.edgeTypes)
    return { ...encoded, feeds: { ...encoded.feeds, ...encodeQueries(usable, encoded.total, o.queryFeatures) } }
  })
}

/**
 * Gated graph neural network that ranks (Li et al. 2016, arXiv 1511.05493). With node features x_v and query q:
 * h_v = W_in x_v + b; then `steps` times a_v = sum over incoming messages of W_{type, direction} h_u and h_v = GRU(a_v, h_v); then
 * score = w . sum or max over v of sigmoid(G [h_v, x_v, q] + b_g) * tanh(V [h_v, x_v, q] + b_v).
 * Trained with ListNet over the candidates of a list. Output `scores` [B, 1], B candidates of all lists one after another.
 */
export const ggnn: Model<GgnnOptions, RankingList> = {
  name: 'ggnn',
  description: 'Gated graph neural network that ranks the candidate graphs of a query',
  options: ggnnOptions,
  parameters,
  encode,
  forward,
  loss: (b, outputs, _layout, o) => listLoss(b, outputs['scores']!, o.temperature),
  decode: decodeScores,
}
