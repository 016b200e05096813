import { z } from 'zod'
import type { GraphBuilder } from '../tensor/builder.js'
import type { Value } from '../tensor/graph.js'
import type { Problem } from '../util/problem.js'
import {
  encodeTypedGraphs,
  exportLayouts,
  openLayout,
  propagate,
  propagationFields,
  propagationParameters,
} from './ggnn/ggnn-propagation.js'
import { encodeQueries, gatedParameters, gatedPool, poolingField } from './ggnn/ggnn-readout.js'
import type { Batch, Model, ParameterSpec, ParameterValues } from './model.js'
import { listLoss } from './rankings/list-net.js'
import { decodeScores, encodeRanking } from './rankings/ranking-batch.js'
import type { RankingList } from './rankings/ranking-list.js'

export const ggnnOptions = z.strictObject({
  ...propagationFields,
  pooling: poolingField,
  temperature: z.number().positive().default(1).describe('of the ListNet loss: higher spreads the target over more candidates'),
})
export type GgnnOptions = z.infer<typeof ggnnOptions>

const parameters = (o: GgnnOptions): ParameterSpec[] => [
  ...propagationParameters(o),
  ...gatedParameters(o),
  { name: 'score.weight', shape: [1, o.hidden], init: 'fan-in', decay: true },
]

function forward(b: GraphBuilder, parameters: ParameterValues, name: string, o: GgnnOptions): Record<string, Value> {
  const layout = openLayout(b, name, o)
  const p = (parameter: string) => parameters[parameter]!
  const x = layout.features
  const h = propagate(b, layout, x, o, p)
  const pooled = gatedPool(b, layout, { h, x }, o.pooling, o, p)
  return { scores: b.linear(pooled, p('score.weight')) }
}

function encode(lists: readonly RankingList[], o: GgnnOptions, forced?: string): { batch: Batch; problems: Problem[] } {
  return encodeRanking(lists, o, (graphs, usable) => {
    const encoded = encodeTypedGraphs(graphs, o, forced)
    const queries = usable.flatMap((list) => list.candidates.map(() => list.query ?? []))
    return { ...encoded, feeds: { ...encoded.feeds, ...encodeQueries(queries, encoded.total, o.queryFeatures) } }
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
  examples: 'ranking',
  description: 'Gated graph neural network that ranks the candidate graphs of a query',
  options: ggnnOptions,
  parameters,
  encode,
  forward,
  loss: (b, outputs, _layout, o) => listLoss(b, outputs['scores']!, o.temperature),
  decode: decodeScores,
  exportLayouts,
}
