import { createHash } from 'node:crypto'
import type { TypedGraph } from './typed-graph.js'

/** A label, a node, or a sequence of labels or of nodes: what the read-outs `graph`, `node` and `sequence` answer. */
export type GraphTarget = number | string | readonly number[] | readonly string[]

/** One graph with a question about it: what a GGNN with the read-out `node`, `graph` or `sequence` learns from and is asked. */
export interface GraphExample extends TypedGraph {
  /** how messages name it; not seen by the model */
  id: string
  /** examples of one group are held out together; each its own group when absent */
  group?: string
  /** query vector that conditions the read-out; absent = none */
  query?: readonly number[] | Float32Array
  /** `node`: the index of a node; `graph`: a label; `sequence`: node indices, or labels; absent when serving */
  target?: GraphTarget
  /**
   * `sequence`: the node features that later outputs start from, [outputs after the first][nodes][features], where they are known
   * (X^(2), X^(3), … of the paper); the model learns to predict them. Absent = latent.
   */
  annotations?: readonly (readonly (readonly number[])[])[]
}

const bytesOf = (row: readonly number[] | Float32Array): Uint8Array => new Uint8Array(Float32Array.from(row).buffer)

/** SHA-256 of a graph example as a model sees it (features as float32), its name and its target. */
export function digestGraphExample(example: GraphExample): string {
  const { id, query, nodeFeatures, edges, edgeTypes, edgeDirections, target, annotations } = example
  const hash = createHash('sha256')
  const widths = nodeFeatures.map((row) => row.length)
  hash.update(JSON.stringify([id, query?.length ?? null, widths, edges, edgeTypes ?? null, edgeDirections ?? null, target ?? null]))
  hash.update(JSON.stringify(annotations ?? null))
  if (query) hash.update(bytesOf(query))
  for (const row of nodeFeatures) hash.update(bytesOf(row))
  return hash.digest('hex')
}
