import { evaluateDimension, sizeOf } from './dimension.js'
import type { Graph, Node } from './graph.js'
import type { NamedTensors } from './tensor.js'

/** Multiplications and additions of one matrix product. */
function productWork({ inputs: [a], outputs: [y], attributes }: Node, numberOf: (shape: Node['outputs'][0]['shape']) => number): number {
  const inner = a!.shape.at(attributes['transA'] ? -2 : -1)!
  return 2 * numberOf([...y!.shape, inner])
}

/**
 * Floating point operations of a graph's matrix products when it is fed `feeds`: what decides how long it takes, and a number that depends
 * on nothing but shapes. Dimensions that no feed tells count 1.
 */
export function workOf(graph: Graph, feeds: Readonly<NamedTensors>): number {
  const symbols = new Map<string, number>()
  for (const { name, value } of graph.inputs)
    value.shape.forEach((d, axis) => {
      if (typeof d === 'string') symbols.set(d, feeds[name]?.dims[axis] ?? 1)
    })
  const products = graph.nodes.filter(({ op }) => op === 'MatMul' || op === 'Gemm')
  return products.reduce((sum, node) => sum + productWork(node, (shape) => evaluateDimension(sizeOf(shape), symbols)), 0)
}
