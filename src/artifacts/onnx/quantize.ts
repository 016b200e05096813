import onnxProto from 'onnx-proto'
import { foldConstants } from './fold.js'

const { onnx } = onnxProto
type Node = onnxProto.onnx.INodeProto
type Tensor = onnxProto.onnx.ITensorProto

/**
 * Weights go up to +-64 of the +-127 that int8 holds: 255 * 64 * 2 still fits the 16-bit sums of processors without VNNI, which saturate
 * in silence beyond. So a file answers the same on every processor, for half a bit of precision.
 */
export const weightLimit = 64

export interface Quantization {
  bytes: Uint8Array
  /** products that run in int8, by the name of their weights */
  quantized: string[]
}

/** A product with constant weights as the rewrite sees it: x [.., K] W [K, N] + addend. */
interface Product {
  node: Node
  weights: Tensor
  /** weights are stored [N, K] */
  isTransposed: boolean
  addend: string | null
}

const floatType = onnx.TensorProto.DataType.FLOAT
const attributeOf = (node: Node, name: string) => node.attribute?.find((a) => a.name === name)
const flag = (node: Node, name: string) => Number(attributeOf(node, name)?.i ?? 0) !== 0
const factor = (node: Node, name: string) => attributeOf(node, name)?.f ?? 1

const floatsOf = ({ rawData, floatData }: Tensor): Float32Array =>
  rawData?.length ? new Float32Array(Uint8Array.from(rawData).buffer) : Float32Array.from(floatData ?? [])

/** What can run in int8: MatMul, FusedMatMul and Gemm whose second factor is a constant matrix of two columns or more. */
function asProduct(node: Node, initializers: ReadonlyMap<string, Tensor>): Product | null {
  const [, b, c] = node.input ?? []
  const weights = initializers.get(b ?? '')
  if (weights?.dims?.length !== 2 || weights.dataType !== floatType) return null
  if (flag(node, 'transA') || factor(node, 'alpha') !== 1 || factor(node, 'beta') !== 1) return null
  const isTransposed = flag(node, 'transB')
  // one number a row, such as a score, is little work, and where rounding hurts most
  if (Number(weights.dims[isTransposed ? 0 : 1]) < 2) return null
  if (node.opType === 'Gemm') return { node, weights, isTransposed, addend: c || null }
  return node.opType === 'MatMul' || node.opType === 'FusedMatMul' ? { node, weights, isTransposed, addend: null } : null
}

export interface QuantizedWeights {
  /** [K, N] */
  values: Int8Array
  /** [N]; a weight is its value times the scale of its column */
  scales: Float32Array
  rows: number
  columns: number
}

/** Symmetric int8 weights with a scale per output channel; `stored` is [K, N], or [N, K] when transposed. */
export function quantizeWeights(stored: Float32Array, dims: readonly number[], isTransposed: boolean): QuantizedWeights {
  const [rows, columns] = isTransposed ? [dims[1]!, dims[0]!] : [dims[0]!, dims[1]!]
  const at = (k: number, n: number) => stored[isTransposed ? n * rows + k : k * columns + n]!
  const values = new Int8Array(rows * columns)
  const scales = new Float32Array(columns)
  for (let n = 0; n < columns; n++) {
    let most = 0
    for (let k = 0; k < rows; k++) most = Math.max(most, Math.abs(at(k, n)))
    const scale = Math.fround(most / weightLimit) || 1
    scales[n] = scale
    for (let k = 0; k < rows; k++) values[k * columns + n] = Math.max(-weightLimit, Math.min(weightLimit, Math.round(at(k, n) / scale)))
  }
  return { values, scales, rows, columns }
}

const bytesOf = (data: Int8Array | Float32Array) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** Collects the nodes and constants of the int8 graph; activations and weights are quantized once, whoever uses them. */
class Rewriter {
  readonly nodes: Node[] = []
  readonly initializers: Tensor[] = []
  readonly #activations = new Map<string, [string, string, string]>()
  readonly #weights = new Map<string, [string, string]>()
  #count = 0

  #op(opType: string, input: string[], outputs = 1, given?: string, attribute: onnxProto.onnx.IAttributeProto[] = []): string[] {
    const output = given ? [given] : Array.from({ length: outputs }, () => `q${this.#count++}`)
    this.nodes.push({ opType, name: `${opType}_q${this.nodes.length}`, domain: '', input, output, attribute })
    return output
  }

  /** value, scale and zero point of an activation */
  #activation(name: string): [string, string, string] {
    const known = this.#activations.get(name)
    if (known) return known
    const made = this.#op('DynamicQuantizeLinear', [name], 3) as [string, string, string]
    this.#activations.set(name, made)
    return made
  }

  #weight(weights: Tensor, isTransposed: boolean): [string, string] {
    const key = `${weights.name}${isTransposed ? '.T' : ''}`
    const known = this.#weights.get(key)
    if (known) return known
    const { values, scales, rows, columns } = quantizeWeights(floatsOf(weights), (weights.dims ?? []).map(Number), isTransposed)
    const names: [string, string] = [`${key}.int8`, `${key}.scale`]
    this.initializers.push(
      { name: names[0], dims: [rows, columns], dataType: onnx.TensorProto.DataType.INT8, rawData: bytesOf(values) },
      { name: names[1], dims: [columns], dataType: floatType, rawData: bytesOf(scales) },
    )
    this.#weights.set(key, names)
    return names
  }

  /** x W + c as Cast(x8 W8) * (scale of x * scales of W) + c: the form that onnxruntime runs as one kernel. The addend stays fp32. */
  product({ node, weights, isTransposed, addend }: Product): void {
    const [x, scale, zero] = this.#activation(node.input![0]!)
    const [w, scales] = this.#weight(weights, isTransposed)
    const target = node.output![0]!
    const [sums] = this.#op('MatMulInteger', [x, w, zero])
    const to = { name: 'to', type: onnx.AttributeProto.AttributeType.INT, i: floatType }
    const [floats] = this.#op('Cast', [sums!], 1, undefined, [to])
    const [both] = this.#op('Mul', [scale, scales])
    const [scaled] = this.#op('Mul', [floats!, both!], 1, addend ? undefined : target)
    if (addend) this.#op('Add', [scaled!, addend], 1, target)
  }
}

/**
 * The int8 form of an fp32 ONNX model: each product with constant weights becomes DynamicQuantizeLinear and MatMulInteger (activations
 * uint8 with the range of the moment, weights int8 with a scale per output channel, sums int32); biases, gates and everything else stay
 * fp32, names and shapes of inputs and outputs too. (Jacob et al. 2018, arXiv 1712.05877; ONNX operators of these names.)
 */
export async function quantizeOnnx(bytes: Uint8Array): Promise<Quantization> {
  const model = await foldConstants(onnx.ModelProto.decode(bytes))
  const graph = model.graph!
  const initializers = new Map((graph.initializer ?? []).map((t) => [t.name!, t]))
  const rewriter = new Rewriter()
  const quantized: string[] = []
  for (const node of graph.node ?? []) {
    const product = asProduct(node, initializers)
    if (product) {
      rewriter.product(product)
      quantized.push(product.weights.name!)
    } else rewriter.nodes.push(node)
  }
  const used = new Set(rewriter.nodes.flatMap((node) => node.input ?? []))
  const kept = [...initializers.values()].filter((t) => used.has(t.name!))
  const props = model.metadataProps.filter((p) => p.key !== 'precision')
  const out = onnx.ModelProto.encode({
    ...model,
    metadataProps: [...props, { key: 'precision', value: 'int8' }],
    graph: { ...graph, node: rewriter.nodes, initializer: [...kept, ...rewriter.initializers] },
  }).finish()
  return { bytes: out, quantized: [...new Set(quantized)] }
}
