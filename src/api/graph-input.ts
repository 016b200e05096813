import type { TypedGraph } from '../models/graphs/typed-graph.js'
import { EspalierError } from '../util/error.js'
import { present } from './present.js'

/** A graph as it comes over the wire. */
export interface WireGraph {
  nodeFeatures: number[][]
  edges: number[][]
  edgeTypes?: number[] | null
  edgeDirections?: number[] | null
}

/** The wire's lists of numbers as the model's pairs; what is out of bounds the model itself says. `place` begins the message. */
export function graphOf({ nodeFeatures, edges, edgeTypes, edgeDirections }: WireGraph, place: string): TypedGraph {
  const odd = edges.find((edge) => edge.length !== 2)
  if (odd) throw new EspalierError('BAD_INPUT', `${place}: found the edge [${odd}], expected a pair [from, to]`)
  return {
    nodeFeatures,
    edges: edges as [number, number][],
    ...present({ edgeTypes, edgeDirections: edgeDirections as (0 | 1)[] | null | undefined }),
  }
}
