import type { TypedGraph } from '../graphs/typed-graph.js'

/**
 * One query with its candidate graphs: what a ranking GGNN learns from and is asked. The same shape as a line of ranking JSONL, in
 * our own case; node features are rows of equal length over all candidates.
 */
export interface CandidateGraph extends TypedGraph {
  /** what the candidate stands for (a catalog node id, a JSONL line); not seen by the model */
  id?: string
  /** relevance, higher is better; absent when serving */
  label?: number
}

export interface RankingList {
  queryId: string
  /** query vector that conditions the read-out; absent = none */
  query?: readonly number[] | Float32Array
  /** what lists are held out together by: a database, a project */
  group?: string
  candidates: readonly CandidateGraph[]
}
