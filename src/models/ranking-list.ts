/**
 * One query with its candidate graphs: what a ranking GGNN learns from and is asked. The same shape as a line of ranking JSONL, in
 * our own case; node features are rows of equal length over all candidates.
 */
export interface CandidateGraph {
  /** what the candidate stands for (a catalog node id, a JSONL line); not seen by the model */
  id?: string
  /** [nodes][features] */
  nodeFeatures: readonly (readonly number[])[] | readonly Float32Array[]
  /** pairs [from, to] of node indices: a message goes from `from` to `to` */
  edges: readonly (readonly [number, number])[]
  /** per edge, 0 … edgeTypes-1; all 0 when absent */
  edgeTypes?: readonly number[]
  /** per edge, 0 where the pair runs along its relation, 1 where it runs against it; when absent each pair speaks both ways */
  edgeDirections?: readonly (0 | 1)[]
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
