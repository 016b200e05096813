import onnxProto from 'onnx-proto'
import { onnxTypes } from '../../tensor/ops/elementwise.js'
import { loadOnnx } from '../../tensor/ort.js'

const { onnx } = onnxProto
type Model = onnxProto.onnx.ModelProto
type Node = onnxProto.onnx.INodeProto

/** Nodes that compute with constants alone: at least one input, each an initializer or an output of such a node. */
function constantNodes(nodes: readonly Node[], initializers: ReadonlySet<string>): Set<Node> {
  const known = new Set(initializers)
  const found = new Set<Node>()
  // nodes of an ONNX graph come after what they need
  for (const node of nodes) {
    const inputs = (node.input ?? []).filter((name) => name !== '')
    if (inputs.length === 0 || !inputs.every((name) => known.has(name))) continue
    found.add(node)
    for (const name of node.output ?? []) known.add(name)
  }
  return found
}

/**
 * The same model with what depends on constants alone computed once: splits and sums of weights become weights. Runs the very kernels
 * that would compute it at every run, so that no bit of an answer changes.
 */
export async function foldConstants(model: Model): Promise<Model> {
  const graph = model.graph!
  const nodes = graph.node ?? []
  const initializers = new Set((graph.initializer ?? []).map((t) => t.name!))
  const constant = constantNodes(nodes, initializers)
  if (constant.size === 0) return model
  const rest = nodes.filter((node) => !constant.has(node))
  const needed = new Set([...rest.flatMap((node) => node.input ?? []), ...(graph.output ?? []).map((o) => o.name!)])
  const made = [...constant].flatMap((node) => node.output ?? []).filter((name) => needed.has(name))
  const values = await compute(model, [...constant], made)
  const kept = (graph.initializer ?? []).filter((t) => needed.has(t.name!))
  return onnx.ModelProto.create({ ...model, graph: { ...graph, node: rest, initializer: [...kept, ...values] } })
}

async function compute(model: Model, nodes: Node[], outputs: string[]): Promise<onnxProto.onnx.ITensorProto[]> {
  if (outputs.length === 0) return []
  const graph = { name: 'constants', node: nodes, initializer: model.graph!.initializer ?? [], output: outputs.map((name) => ({ name })) }
  const program = await loadOnnx(onnx.ModelProto.encode({ ...model, metadataProps: [], graph }).finish(), { threads: 1 })
  try {
    const results = await program.run({})
    return outputs.map((name) => {
      const { type, dims, data } = results[name]!
      return { name, dims: [...dims], dataType: onnxTypes[type], rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }
    })
  } finally {
    await program.release()
  }
}
