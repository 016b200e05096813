import type { Shape } from './dimension.js'
import type { OpName } from './ops/names.js'
import type { ElementType, HostTensor } from './tensor.js'

export type AttributeValue = number | string | boolean | readonly number[] | readonly (number | string)[]
export type Attributes = Readonly<Record<string, AttributeValue>>

export type Source =
  | { kind: 'input'; name: string }
  /** a name is kept in what is exported: a trained parameter */
  | { kind: 'constant'; tensor: HostTensor; name?: string }
  | { kind: 'node'; node: Node; output: number }

/** A typed tensor of the graph: an input, a constant, or an output of a node. */
export interface Value {
  readonly id: number
  readonly type: ElementType
  readonly shape: Shape
  readonly source: Source
}

export interface Node {
  readonly op: OpName
  readonly inputs: readonly Value[]
  readonly attributes: Attributes
  readonly outputs: readonly Value[]
}

export interface GraphInput {
  name: string
  value: Value
}

/** A computation: nodes in an order in which each comes after what it needs; only what the outputs need. */
export interface Graph {
  readonly inputs: readonly GraphInput[]
  readonly nodes: readonly Node[]
  readonly outputs: Readonly<Record<string, Value>>
}

/** The node that makes a value, if a node does. */
export const producer = (value: Value): Node | undefined => (value.source.kind === 'node' ? value.source.node : undefined)

/** The one number of a scalar constant, if it is one. */
export function scalarOf(value: Value): number | undefined {
  if (value.source.kind !== 'constant' || value.source.tensor.data.length !== 1) return undefined
  return Number(value.source.tensor.data[0])
}

/** Every value the outputs need, in topological order (a node's values once all of its inputs are listed). */
function visit(outputs: readonly Value[]): { nodes: Node[]; inputs: Value[] } {
  const seen = new Set<Node | Value>()
  const nodes: Node[] = []
  const inputs: Value[] = []
  const stack: { node: Node; next: number }[] = []
  const enter = (value: Value) => {
    if (value.source.kind === 'input' && !seen.has(value)) {
      seen.add(value)
      inputs.push(value)
    }
    const node = producer(value)
    if (!node || seen.has(node)) return
    seen.add(node)
    stack.push({ node, next: 0 })
  }
  for (const output of outputs) {
    enter(output)
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      if (top.next < top.node.inputs.length) enter(top.node.inputs[top.next++]!)
      else {
        nodes.push(top.node)
        stack.pop()
      }
    }
  }
  return { nodes, inputs }
}

/** Closes a graph over its named outputs: dead nodes and unused inputs fall away. Nodes keep the order of their creation. */
export function closeGraph(outputs: Readonly<Record<string, Value>>): Graph {
  const { nodes, inputs } = visit(Object.values(outputs))
  return {
    nodes: nodes.sort((a, b) => a.outputs[0]!.id - b.outputs[0]!.id),
    inputs: inputs.sort((a, b) => a.id - b.id).map((value) => ({ name: (value.source as { kind: 'input'; name: string }).name, value })),
    outputs: { ...outputs },
  }
}
