import { type NamedTensors, numbersOf } from '../../tensor/tensor.js'
import type { Problem } from '../../util/problem.js'
import type { EncodedGraphs } from '../graphs/graph-encode.js'
import type { ExampleWidths } from '../graphs/typed-graph.js'
import type { Batch } from '../model.js'
import { encodeLists } from './list-net.js'
import { validateList } from './ranking-encode.js'
import type { CandidateGraph, RankingList } from './ranking-list.js'

/** Graphs of all candidates as tensors; `total` is how many graphs the tensors hold (a stand-in counts, where there is none). */
export type EncodeGraphs = (graphs: readonly CandidateGraph[], lists: readonly RankingList[]) => EncodedGraphs

/** Lists as a batch: what a model cannot use becomes an empty list and a problem; labels and their places come along. */
export function encodeRanking(
  lists: readonly RankingList[],
  widths: ExampleWidths,
  encodeGraphs: EncodeGraphs,
): { batch: Batch; problems: Problem[] } {
  const problems: Problem[] = []
  const usable = lists.map((list) => {
    const found = validateList(list, widths)
    problems.push(...found)
    return found.some((p) => p.severity === 'error') ? { ...list, candidates: [] } : list
  })
  const graphs = usable.flatMap((list) => list.candidates)
  const { layout, feeds, total } = encodeGraphs(graphs, usable)
  const labels = usable.map((list) => list.candidates.map((c) => c.label))
  const batch: Batch = {
    layout,
    feeds: { ...feeds, ...encodeLists(labels, total) },
    size: lists.length,
    counts: labels.map((l) => l.length),
    graphs: graphs.length,
    nodes: graphs.reduce((sum, g) => sum + g.nodeFeatures.length, 0),
  }
  return { batch, problems }
}

/** Flat scores cut back into lists. */
export function decodeScores(outputs: Readonly<NamedTensors>, batch: Batch): number[][] {
  const scores = numbersOf(outputs['scores']!)
  let at = 0
  return batch.counts.map((count) => scores.slice(at, (at += count)))
}
