import { GraphBuilder } from './builder.js'
import { closeGraph, type Graph, type Node, producer, type Value } from './graph.js'
import type { OpName } from './ops/names.js'

/** The new outputs of a node, or undefined to leave it alone. `inputs` are the new ones, `node` the old; `uses` counts readers of old values. */
type Rebuild = (b: GraphBuilder, inputs: readonly Value[], node: Node, uses: (v: Value) => number) => readonly Value[] | undefined

/** A rewrite that pays: the same numbers (but for rounding), sooner. */
export interface Rewrite {
  name: string
  ops: readonly OpName[]
  /**
   * What it saves of a GGNN's training step, measured with and without it in turns: dense (a part of 16 graphs x 32 nodes, hidden 128,
   * 4 steps, one thread), small (10 graphs x 10 nodes, hidden 8, 5 steps), sparse (10,000 nodes, 50,000 edges, hidden 64, two threads).
   */
  gain: string
  rebuild: Rebuild
}

/** A product of two matrices that nothing else reads: it can take an addend in the same pass. */
const isOpenProduct = (v: Value, uses: number) => uses === 1 && producer(v)?.op === 'MatMul' && v.shape.length === 2

/** X W + C is one Gemm: gradients that add up over steps, biases and gated sums need no pass of their own. */
const addIntoProduct: Rebuild = (b, inputs, node, uses) => {
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
}

/** Column sums (the gradients of biases) as a product with ones, which then takes an addend too. */
const sumByProduct: Rebuild = (b, [x], { attributes }) => {
  const columns = x!.shape.length === 2 && x!.type === 'float32' && String(attributes['axes']) === '0'
  if (!columns) return undefined
  const sums = b.matmul(b.filled(1, x!.type, [1, x!.shape[0]!]), x!)
  return [attributes['keep'] ? sums : b.reshape(sums, [x!.shape[1]!])]
}

/** The way back is for gradients; once they are made, its tables need not be fed. */
const forwardOnly: Rebuild = (b, inputs, { op, attributes }) => {
  const kept = inputs.slice(0, 1 + (attributes['forward'] as number) + Number(attributes['forwardOrdered']))
  return b.apply(op, kept, { ...attributes, backward: 0, backwardOrdered: false, backwardExact: 0 })
}

/**
 * The rewrites, in no order: each looks at one node. Fusions that are no rewrite lie where they belong: the GRU's gradient in the table of
 * ops, transposed products (FusedMatMul) in the emission of MatMul, the optimizer on one flat vector in `compile.ts`, sums before products
 * in the GGNN's round.
 */
export const rewrites: readonly Rewrite[] = [
  { name: 'add into product', ops: ['Add'], gain: 'dense 4 %, small 9 %', rebuild: addIntoProduct },
  { name: 'column sums by product', ops: ['ReduceSum'], gain: 'small 4 %, dense within noise', rebuild: sumByProduct },
  {
    name: 'forward only',
    ops: ['GatherSum', 'SegmentMean', 'SegmentMax'],
    gain: 'its tables are not copied to the runtime',
    rebuild: forwardOnly,
  },
]

/** The same computation with the rewrites applied; names of inputs and outputs stay. */
export function simplify(graph: Graph, rules: readonly Rewrite[] = rewrites): Graph {
  const b = new GraphBuilder()
  const counts = new Map<Value, number>()
  const count = (v: Value) => counts.set(v, (counts.get(v) ?? 0) + 1)
  for (const node of graph.nodes) node.inputs.forEach(count)
  Object.values(graph.outputs).forEach(count)
  const uses = (v: Value) => counts.get(v) ?? 0
  const byOp = new Map(rules.flatMap((rule) => rule.ops.map((op) => [op, rule.rebuild] as const)))

  const rebuilt = new Map<Value, Value>()
  for (const { name, value } of graph.inputs) rebuilt.set(value, b.input(name, value.type, value.shape))
  const renewed = (v: Value) => {
    if (v.source.kind === 'constant' && !rebuilt.has(v)) rebuilt.set(v, b.constant(v.source.tensor, v.source.name))
    return rebuilt.get(v)!
  }
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(renewed)
    const outputs = byOp.get(node.op)?.(b, inputs, node, uses) ?? b.apply(node.op, inputs, node.attributes)
    for (const [i, old] of node.outputs.entries()) rebuilt.set(old, outputs[i]!)
  }
  return closeGraph(Object.fromEntries(Object.entries(graph.outputs).map(([name, v]) => [name, renewed(v)])))
}
