import { GraphBuilder } from './builder.js'
import { closeGraph, type Graph, type Node, producer, type Value } from './graph.js'

type Rebuild = (b: GraphBuilder, inputs: readonly Value[], node: Node, uses: (v: Value) => number) => readonly Value[] | undefined

/** A product of two matrices that nothing else reads: it can take an addend in the same pass. */
const isOpenProduct = (v: Value, uses: number) => uses === 1 && producer(v)?.op === 'MatMul' && v.shape.length === 2

function forwardOnly(op: 'GatherSum' | 'SegmentMean' | 'SegmentMax'): Rebuild {
  return (b, inputs, { attributes }) => {
    const kept = inputs.slice(0, 1 + (attributes['forward'] as number) + Number(attributes['forwardOrdered']))
    return b.apply(op, kept, { ...attributes, backward: 0, backwardOrdered: false })
  }
}

/** Rewrites that pay (measured; decisions.md), by op. Each gives the new outputs, or undefined to leave the node alone. */
const rewrites: Partial<Record<Node['op'], Rebuild>> = {
  // X W + C is one Gemm: gradients that add up over steps, biases and gated sums need no pass of their own.
  Add: (b, inputs, node, uses) => {
    for (const [product, addend] of [
      [1, 0],
      [0, 1],
    ] as const) {
      if (!isOpenProduct(node.inputs[product]!, uses(node.inputs[product]!))) continue
      const { inputs: factors, attributes } = producer(inputs[product]!)!
      const c = inputs[addend]!
      const [rows, columns] = inputs[product]!.shape
      const fits = c.shape.length <= 2 && [columns, 1].includes(c.shape.at(-1) ?? 1) && [rows, 1].includes(c.shape.at(-2) ?? 1)
      if (fits) return [b.gemm(factors[0]!, factors[1]!, c, attributes)]
    }
    return undefined
  },
  // Column sums as a product with ones: onnxruntime's ReduceSum over rows is slower than its Gemm.
  ReduceSum: (b, [x], { attributes }) => {
    const columns = x!.shape.length === 2 && x!.type === 'float32' && String(attributes['axes']) === '0'
    if (!columns) return undefined
    const sums = b.matmul(b.filled(1, x!.type, [1, x!.shape[0]!]), x!)
    return [attributes['keep'] ? sums : b.reshape(sums, [x!.shape[1]!])]
  },

  // The way back is for gradients; once they are made, its tables need not be fed.
  GatherSum: forwardOnly('GatherSum'),
  SegmentMean: forwardOnly('SegmentMean'),
  SegmentMax: forwardOnly('SegmentMax'),
}

/** The same computation with the rewrites applied; names of inputs and outputs stay. */
export function simplify(graph: Graph): Graph {
  const b = new GraphBuilder()
  const counts = new Map<Value, number>()
  const count = (v: Value) => counts.set(v, (counts.get(v) ?? 0) + 1)
  for (const node of graph.nodes) node.inputs.forEach(count)
  Object.values(graph.outputs).forEach(count)
  const uses = (v: Value) => counts.get(v) ?? 0

  const rebuilt = new Map<Value, Value>()
  for (const { name, value } of graph.inputs) rebuilt.set(value, b.input(name, value.type, value.shape))
  const renewed = (v: Value) => {
    if (v.source.kind === 'constant' && !rebuilt.has(v)) rebuilt.set(v, b.constant(v.source.tensor, v.source.name))
    return rebuilt.get(v)!
  }
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(renewed)
    const outputs = rewrites[node.op]?.(b, inputs, node, uses) ?? b.apply(node.op, inputs, node.attributes)
    for (const [i, old] of node.outputs.entries()) rebuilt.set(old, outputs[i]!)
  }
  return closeGraph(Object.fromEntries(Object.entries(graph.outputs).map(([name, v]) => [name, renewed(v)])))
}
