import { type Problem, problem } from '../../util/problem.js'

/** A graph as models hear it: rows of node features, and edges of several types. */
export interface TypedGraph {
  /** [nodes][features] */
  nodeFeatures: readonly (readonly number[])[] | readonly Float32Array[]
  /** pairs [from, to] of node indices: a message goes from `from` to `to` */
  edges: readonly (readonly [number, number])[]
  /** per edge, 0 … edgeTypes-1; all 0 when absent */
  edgeTypes?: readonly number[]
  /** per edge, 0 where the pair runs along its relation, 1 where it runs against it; when absent each pair speaks both ways */
  edgeDirections?: readonly (0 | 1)[]
}

/** What a model reads of its examples: widths that every one must have. */
export interface ExampleWidths {
  features: number
  queryFeatures: number
  edgeTypes: number
}

/** Whether messages go both ways with a matrix each, or only along the pairs, through the one matrix of their type. */
export type Directions = 'both' | 'along'

/** The ways in which a node can hear another. */
export const channelsOf = (edgeTypes: number, directions: Directions): number => (directions === 'both' ? 2 : 1) * edgeTypes

/** One message: node `to` hears node `from` over edge type and direction `channel` = 2 type + direction (only type where there is one). */
export interface Message {
  from: number
  to: number
  channel: number
}

/**
 * A pair [from, to] is a message from `from` to `to`. Its direction says which matrix it goes through: 0 when the pair runs along its
 * relation, 1 when it runs against it (the conformance numbers settle this reading). Without directions each pair speaks both ways:
 * as it stands through matrix 0, and turned round through matrix 1. Where messages only go along, each pair is one message.
 */
export function messagesOf({ edges, edgeTypes, edgeDirections }: TypedGraph, directions: Directions = 'both'): Message[] {
  const messages: Message[] = []
  for (const [i, [from, to]] of edges.entries()) {
    const type = edgeTypes?.[i] ?? 0
    const direction = edgeDirections?.[i]
    if (directions === 'along') messages.push({ from, to, channel: type })
    else if (direction !== undefined) messages.push({ from, to, channel: 2 * type + direction })
    else messages.push({ from, to, channel: 2 * type }, { from: to, to: from, channel: 2 * type + 1 })
  }
  return messages
}

/** A number that float32 can hold: 1e39 is finite here, and Infinity to a model. */
export const isFloat32 = (value: number): boolean => Number.isFinite(Math.fround(value))
const isAllFinite = (values: ArrayLike<number>) => {
  for (let i = 0; i < values.length; i++) if (!isFloat32(values[i]!)) return false
  return true
}
const finite = 'finite numbers that float32 can hold'

/** What keeps a graph from being encoded. */
export function validateGraph(graph: TypedGraph, where: string, { features, edgeTypes }: ExampleWidths): Problem[] {
  const problems: Problem[] = []
  const add = (code: string, found: string, expected: string) => problems.push(problem({ code, where, found, expected }))
  const n = graph.nodeFeatures.length
  const odd = graph.nodeFeatures.findIndex((row) => row.length !== features)
  if (odd >= 0) add('feature-width', `${graph.nodeFeatures[odd]!.length} features at node ${odd}`, `${features} features per node`)
  const infinite = graph.nodeFeatures.findIndex((row) => !isAllFinite(row))
  if (infinite >= 0) add('not-finite', `NaN, Infinity or a number beyond float32 in the features of node ${infinite}`, finite)
  const out = graph.edges.find((edge) => edge.some((v) => !Number.isInteger(v) || v < 0 || v >= n))
  if (out) add('edge-bounds', `edge [${out}]`, n === 0 ? 'no edge, as there is no node' : `node indices from 0 to ${n - 1}`)
  const { edgeTypes: types, edgeDirections: directions, edges } = graph
  if (types && types.length !== edges.length) add('edge-types', `${types.length} edge types`, `one per edge (${edges.length})`)
  const type = types?.find((t) => !Number.isInteger(t) || t < 0 || t >= edgeTypes)
  if (type !== undefined) add('edge-type', `edge type ${type}`, `0 to ${edgeTypes - 1} (the option edgeTypes is ${edgeTypes})`)
  if (directions && directions.length !== edges.length)
    add('edge-directions', `${directions.length} edge directions`, `one per edge (${edges.length})`)
  const direction = directions?.find((d) => d !== 0 && d !== 1)
  if (direction !== undefined)
    add('edge-direction', `edge direction ${direction}`, '0 (the pair runs along its relation) or 1 (against it)')
  return problems
}

/** What keeps a query vector from being encoded: its width where the model reads one, and numbers that are not finite. */
export function validateQuery(query: ArrayLike<number> | undefined, where: string, { queryFeatures }: ExampleWidths): Problem[] {
  const given = query ?? []
  const problems: Problem[] = []
  if (queryFeatures > 0 && given.length !== queryFeatures)
    problems.push(
      problem({
        code: 'query-width',
        where,
        found: `a query of ${given.length} numbers`,
        expected: `${queryFeatures} (the option queryFeatures)`,
      }),
    )
  if (!isAllFinite(given))
    problems.push(problem({ code: 'not-finite', where, found: 'NaN, Infinity or a number beyond float32 in the query', expected: finite }))
  return problems
}
