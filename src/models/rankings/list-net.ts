import type { GraphBuilder } from '../../tensor/builder.js'
import type { Value } from '../../tensor/graph.js'
import type { RowMap } from '../../tensor/ops/indexed.js'
import { float32, int32, type NamedTensors } from '../../tensor/tensor.js'
import { EspalierError } from '../../util/error.js'

/** Stands in for the score of a candidate that is not there: its probability is exactly 0 in float32. */
const absent = -1e30

/**
 * ListNet's loss, top one (Cao et al. 2007): L = -sum_i softmax(y/t)_i log_softmax(s/t)_i over the candidates of one list.
 * scores, labels, mask [Q, K] (mask 1 where a candidate is, 0 for padding), weights [Q] (what each list counts; 0 for an empty one).
 * Returns the weighted sum over the lists, a scalar. Throws BAD_INPUT unless the shapes agree.
 */
export function listNetLoss(
  b: GraphBuilder,
  { scores, labels, mask, weights }: { scores: Value; labels: Value; mask: Value; weights: Value },
  temperature: number,
): Value {
  const [q] = scores.shape
  const fits =
    scores.shape.length === 2 &&
    [labels, mask].every((v) => String(v.shape) === String(scores.shape)) &&
    String(weights.shape) === String([q])
  if (!fits)
    throw new EspalierError(
      'BAD_INPUT',
      `ListNet: scores [${scores.shape}], labels [${labels.shape}], mask [${mask.shape}], weights [${weights.shape}]; expected [Q, K] three times and [Q]`,
      { remedy: 'give one label and one mask entry per score, one weight per list' },
    )
  const there = b.greater(mask, b.scalar(0))
  const scaled = (x: Value) => b.where(there, b.mul(x, b.scalar(1 / temperature)), b.scalar(absent))
  const target = b.mul(b.softmax(scaled(labels)), mask)
  const crossEntropy = b.reduceSum(b.mul(target, b.logSoftmax(scaled(scores))), [1])
  return b.neg(b.sumAll(b.mul(crossEntropy, weights)))
}

/** The loss on flat scores [B, 1]: lays them out as [Q, K] with the feeds of `encodeLists`. */
export function listLoss(b: GraphBuilder, scores: Value, temperature: number): Value {
  const labels = b.input('labels', b.float, ['Q', 'K'])
  const mask = b.input('list_mask', b.float, ['Q', 'K'])
  const weights = b.input('list_weights', b.float, ['Q'])
  const toSlots: RowMap = { tables: [b.input('slot_candidate', 'int32', ['Q*K', 1])], order: null }
  const toCandidates: RowMap = { tables: [b.input('candidate_slot', 'int32', [scores.shape[0]!, 1])], order: null }
  const laidOut = b.reshape(b.gatherSum(scores, toSlots, toCandidates), ['Q', 'K'])
  return listNetLoss(b, { scores: laidOut, labels, mask, weights }, temperature)
}

/**
 * Feeds of `listLoss` for lists whose candidates lie one after another in `total` flat scores. A list counts 1 / (number of lists that
 * have candidates); an empty one counts 0. A missing label is 0.
 */
export function encodeLists(labels: readonly (readonly (number | undefined)[])[], total: number): NamedTensors {
  const [q, k] = [Math.max(1, labels.length), Math.max(1, ...labels.map((l) => l.length))]
  const feeds = {
    labels: float32([q, k]),
    list_mask: float32([q, k]),
    list_weights: float32([q]),
    slot_candidate: int32([q * k, 1], new Array(q * k).fill(total)),
    candidate_slot: int32([total, 1], new Array(total).fill(q * k)),
  }
  const counting = labels.filter((l) => l.length > 0).length
  let candidate = 0
  labels.forEach((list, i) => {
    if (list.length > 0) feeds.list_weights.data[i] = 1 / counting
    list.forEach((label, j) => {
      feeds.labels.data[i * k + j] = label ?? 0
      feeds.list_mask.data[i * k + j] = 1
      feeds.slot_candidate.data[i * k + j] = candidate
      feeds.candidate_slot.data[candidate++] = i * k + j
    })
  })
  return feeds
}
