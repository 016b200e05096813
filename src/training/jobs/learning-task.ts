import { createHash } from 'node:crypto'
import { type RankingMeasure, rankingMeasures, scoreQuery } from '../../evaluation/ranking.js'
import type { RankingList } from '../../models/rankings/ranking-list.js'
import { digestRankingList } from '../../models/rankings/ranking-list-digest.js'

/** What training has to know of one kind of example, besides what the model knows. */
export interface LearningTask<Example> {
  /** how messages name an example */
  nameOf(example: Example): string
  /** what counts against a batch's node budget */
  sizeOf(example: Example): number
  /** examples of one group are held out together */
  groupOf(example: Example): string
  /** model options that the data decides: widths, counts of types; what the request says goes before them */
  optionsOf(examples: readonly Example[]): Record<string, unknown>
  /** of all a model learns from, so that a run only resumes on the data it began with */
  digestOf(example: Example): string
  /** the task's metrics, under the names of runs (mrr, accuracy, …); none where the examples cannot be judged */
  judge(
    examples: readonly Example[],
    scores: readonly (readonly number[])[],
    modelOptions: Readonly<Record<string, unknown>>,
  ): Record<string, number>
}

const metricNames: Record<RankingMeasure, string> = {
  mrr: 'mrr',
  hits1: 'hits_at_1',
  hits3: 'hits_at_3',
  hits10: 'hits_at_10',
  ndcg10: 'ndcg_at_10',
}

/** Ranking lists: sized by nodes, grouped by `group` (each list its own where there is none), judged by MRR, Hits@k and NDCG@10. */
export const rankingTask: LearningTask<RankingList> = {
  nameOf: ({ queryId }) => queryId,
  sizeOf: ({ candidates }) => candidates.reduce((sum, c) => sum + c.nodeFeatures.length, 0),
  groupOf: ({ group, queryId }) => group ?? queryId,
  digestOf: digestRankingList,
  optionsOf(lists) {
    const candidates = lists.flatMap((list) => list.candidates)
    const types = candidates.reduce((most, c) => (c.edgeTypes ?? []).reduce((m, type) => Math.max(m, type + 1), most), 1)
    return {
      features: candidates.find((c) => c.nodeFeatures.length > 0)?.nodeFeatures[0]?.length ?? 1,
      queryFeatures: lists.find((list) => list.query)?.query?.length ?? 0,
      edgeTypes: types,
    }
  },
  judge(lists, scores) {
    // a list that could not be encoded has no scores; its problem is told where it is encoded
    const scored = lists.flatMap((list, i) => (scores[i]!.length === list.candidates.length ? [{ list, scores: scores[i]! }] : []))
    const measured = scored.map((s) => scoreQuery(s.list, s.scores)).filter((query) => query !== null)
    if (measured.length === 0) return {}
    const mean = (measure: RankingMeasure) => measured.reduce((sum, query) => sum + query[measure], 0) / measured.length
    return Object.fromEntries(rankingMeasures.map((measure) => [metricNames[measure], mean(measure)]))
  },
}

/** SHA-256 over the training and the validation examples, in order. */
export function digestExamples<Example>(task: LearningTask<Example>, ...sets: readonly (readonly Example[])[]): string {
  const hash = createHash('sha256')
  for (const examples of sets) {
    hash.update(`${examples.length};`)
    for (const example of examples) hash.update(task.digestOf(example))
  }
  return hash.digest('hex')
}
