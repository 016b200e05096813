import type { GraphExample, GraphTarget } from '../../models/graphs/graph-example.js'
import type { JsonValue } from '../../vocabulary.js'

/** One example as the object that a line of graph JSONL holds (see graph-jsonl.ts), always in pairs. */
export function graphRow(example: GraphExample): JsonValue {
  const { id, group, query, nodeFeatures, edges, edgeTypes, edgeDirections, target, annotations } = example
  return {
    id,
    ...(group !== undefined && { group }),
    ...(query && { query: Array.from(query) }),
    node_features: (nodeFeatures as readonly ArrayLike<number>[]).map((row) => Array.from(row)),
    edge_index: edges.map(([from, to]) => [from, to]),
    ...(edgeTypes && { edge_types: [...edgeTypes] }),
    ...(edgeDirections && { edge_directions: [...edgeDirections] }),
    ...(target !== undefined && { target: typeof target === 'object' ? [...target] : target }),
    ...(annotations && { annotations: annotations.map((rows) => rows.map((row) => [...row])) }),
  }
}

/** A row as `graphRow` makes it. */
interface Row {
  id: string
  group?: string
  query?: number[]
  node_features: number[][]
  edge_index: [number, number][]
  edge_types?: number[]
  edge_directions?: (0 | 1)[]
  target?: GraphTarget
  annotations?: number[][][]
}

/** Back from a row that `graphRow` made and whose hash was verified: nothing is checked again. Text from outside goes to the parser. */
export function parseGraphRow(row: JsonValue): GraphExample {
  const { id, group, query, node_features, edge_index, edge_types, edge_directions, target, annotations } = row as unknown as Row
  return {
    id,
    ...(group !== undefined && { group }),
    ...(query && { query }),
    nodeFeatures: node_features,
    edges: edge_index,
    ...(edge_types && { edgeTypes: edge_types }),
    ...(edge_directions && { edgeDirections: edge_directions }),
    ...(target !== undefined && { target }),
    ...(annotations && { annotations }),
  }
}

/** Examples as graph JSONL, a line each. */
export function* printGraphLines(examples: Iterable<GraphExample>): Generator<string> {
  for (const example of examples) yield `${JSON.stringify(graphRow(example))}\n`
}
