import { z } from 'zod'
import type { GraphBuilder } from '../../tensor/builder.js'
import type { Value } from '../../tensor/graph.js'
import { float32 } from '../../tensor/tensor.js'
import { encodeDense } from '../graphs/graph-encode.js'
import { denseLayout } from '../graphs/graph-layout.js'
import { messagesOf } from '../graphs/typed-graph.js'
import type { Model, ParameterSpec, ParameterValues } from '../model.js'
import { listLoss } from '../rankings/list-net.js'
import { decodeScores, encodeRanking } from '../rankings/ranking-batch.js'
import type { RankingList } from '../rankings/ranking-list.js'

const classicOptions = z.strictObject({
  features: z.int().positive().default(2).describe('numbers per node'),
  hidden: z.int().positive().default(3).describe('width of a node state'),
  steps: z.int().min(0).default(2).describe('rounds of messages'),
  temperature: z.number().positive().default(1).describe('of the ListNet loss'),
})
type ClassicOptions = z.infer<typeof classicOptions>

/** In the order of the conformance numbers: weights [out, in], each followed by its bias. */
function parameters({ features: f, hidden: h }: ClassicOptions): ParameterSpec[] {
  const weight = (name: string, rows: number, columns: number): ParameterSpec => ({
    name,
    shape: [rows, columns],
    init: 'fan-in',
    decay: true,
  })
  const bias = (name: string, rows: number, fanIn: number): ParameterSpec => ({ name, shape: [rows], init: 'fan-in', fanIn, decay: false })
  return [
    weight('in.W', h, f),
    bias('in.b', h, f),
    weight('fwd.W', h, h),
    bias('fwd.b', h, h),
    weight('bwd.W', h, h),
    bias('bwd.b', h, h),
    weight('gru.W_ih', 3 * h, h),
    weight('gru.W_hh', 3 * h, h),
    bias('gru.b_ih', 3 * h, h),
    bias('gru.b_hh', 3 * h, h),
    weight('out1.W', h, h),
    bias('out1.b', h, h),
    weight('out2.W', 1, h),
    bias('out2.b', 1, h),
  ]
}

function forward(b: GraphBuilder, p: ParameterValues, _layout: string, o: ClassicOptions): Record<string, Value> {
  const layout = denseLayout(b, o.features, 2)
  const matrices = b.concat([p['fwd.W']!, p['bwd.W']!], 0)
  const biases = b.concat(
    [p['fwd.b']!, p['bwd.b']!].map((v) => b.reshape(v, [1, o.hidden])),
    0,
  )
  const present = layout.spread(b.matmul(b.input('directions_present', b.float, ['B', 2]), biases))
  let h = b.linear(layout.features, p['in.W']!, p['in.b'])
  for (let t = 0; t < o.steps; t++) {
    const m = b.add(layout.messages(b.linear(h, matrices)), present)
    const [mr, mz, mn] = b.split(b.linear(m, p['gru.W_ih']!, p['gru.b_ih']), 1, [o.hidden, o.hidden, o.hidden]) as [Value, Value, Value]
    const [hr, hz, hn] = b.split(b.linear(h, p['gru.W_hh']!, p['gru.b_hh']), 1, [o.hidden, o.hidden, o.hidden]) as [Value, Value, Value]
    h = b.relu(b.gruGate(b.add(mz, hz), b.add(mr, hr), mn, hn, h))
  }
  const hidden = b.relu(b.linear(layout.pool(h, 'max'), p['out1.W']!, p['out1.b']))
  return { scores: b.linear(hidden, p['out2.W']!, p['out2.b']) }
}

/**
 * The conformance model: h = in.W x + in.b; rounds of m = fwd.W (sum of neighbours along) + fwd.b + bwd.W (sum against) + bwd.b, each
 * bias once per node where that direction occurs anywhere in the graph, and h = relu(GRU(m, h)); maximum over the nodes;
 * Linear-ReLU-Linear. It exists to check the engine against numbers from elsewhere; train `ggnn`.
 */
export const ggnnClassic: Model<ClassicOptions, RankingList> = {
  name: 'ggnn-classic',
  examples: 'ranking',
  description: 'Conformance model: two directions, ReLU on the GRU, maximum read-out',
  options: classicOptions,
  parameters,
  encode: (lists, o) =>
    encodeRanking(lists, { features: o.features, queryFeatures: 0, edgeTypes: 1 }, (graphs) => {
      const encoded = encodeDense(graphs, o.features, 2)
      const present = float32([encoded.total, 2])
      graphs.forEach((graph, g) => {
        for (const { channel } of messagesOf(graph)) present.data[2 * g + channel] = 1
      })
      return { ...encoded, feeds: { ...encoded.feeds, directions_present: present } }
    }),
  forward,
  loss: (b, outputs, _layout, o) => listLoss(b, outputs['scores']!, o.temperature),
  decode: decodeScores,
}
