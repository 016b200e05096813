import type { CandidateGraph, RankingList } from '../../models/rankings/ranking-list.js'
import type { JsonValue } from '../../vocabulary.js'

/** One list as the object that a line of ranking JSONL holds (see ranking-jsonl.ts), always in pairs. */
export function rankingRow(list: RankingList): JsonValue {
  return {
    query_id: list.queryId,
    ...(list.query && { query: Array.from(list.query) }),
    ...(list.group !== undefined && { group: list.group }),
    candidates: list.candidates.map(candidateRow),
  }
}

function candidateRow(candidate: CandidateGraph): JsonValue {
  const { id, nodeFeatures, edges, edgeTypes, edgeDirections, label } = candidate
  return {
    ...(id !== undefined && { id }),
    node_features: (nodeFeatures as readonly ArrayLike<number>[]).map((row) => Array.from(row)),
    edge_index: edges.map(([from, to]) => [from, to]),
    ...(edgeTypes && { edge_types: [...edgeTypes] }),
    ...(edgeDirections && { edge_directions: [...edgeDirections] }),
    ...(label !== undefined && { label }),
  }
}

/** A row as `rankingRow` makes it. */
interface Row {
  query_id: string
  query?: number[]
  group?: string
  candidates: {
    id?: string
    node_features: number[][]
    edge_index: [number, number][]
    edge_types?: number[]
    edge_directions?: (0 | 1)[]
    label?: number
  }[]
}

/** Back from a row that `rankingRow` made and whose hash was verified: nothing is checked again. Text from outside goes to the parser. */
export function parseRankingRow(row: JsonValue): RankingList {
  const { query_id: queryId, query, group, candidates } = row as unknown as Row
  return {
    queryId,
    ...(query && { query }),
    ...(group !== undefined && { group }),
    candidates: candidates.map((c) => ({
      ...(c.id !== undefined && { id: c.id }),
      nodeFeatures: c.node_features,
      edges: c.edge_index,
      ...(c.edge_types && { edgeTypes: c.edge_types }),
      ...(c.edge_directions && { edgeDirections: c.edge_directions }),
      ...(c.label !== undefined && { label: c.label }),
    })),
  }
}

/** Lists as ranking JSONL, a line each. */
export function* printRankingLines(lists: Iterable<RankingList>): Generator<string> {
  for (const list of lists) yield `${JSON.stringify(rankingRow(list))}\n`
}

/** The same as one text. */
export const printRankingJsonl = (lists: Iterable<RankingList>): string => [...printRankingLines(lists)].join('')
