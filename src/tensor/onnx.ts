import onnxProto from 'onnx-proto'
import { EspalierError } from '../util/error.js'
import { type Dimension, dimensionTerms, isStatic, type Shape } from './dimension.js'
import type { Graph, Value } from './graph.js'
import { onnxTypes } from './ops/elementwise.js'
import type { OnnxAttribute, OnnxEmitter } from './ops/row.js'
import { ops } from './ops.js'
import { type ElementType, type HostTensor, tensor } from './tensor.js'

const { onnx } = onnxProto

export const opset = 18

export interface OnnxOptions {
  /** the graph's name */
  name?: string
  /** goes into metadata_props */
  metadata?: Readonly<Record<string, string>>
}

const attribute = (name: string, value: OnnxAttribute): onnxProto.onnx.IAttributeProto => {
  const type = onnx.AttributeProto.AttributeType
  if (typeof value === 'number') return { name, type: type.INT, i: value }
  if (typeof value === 'string') return { name, type: type.STRING, s: new TextEncoder().encode(value) }
  if ('float' in value) return { name, type: type.FLOAT, f: value.float }
  return { name, type: type.INTS, ints: [...value] }
}

const valueInfo = (name: string, { type, shape }: { type: ElementType; shape: Shape }): onnxProto.onnx.IValueInfoProto => ({
  name,
  type: {
    tensorType: {
      elemType: onnxTypes[type],
      shape: { dim: shape.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d })) },
    },
  },
})

const bytesOf = ({ data }: HostTensor) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** Collects the nodes and constants of one graph. */
class Writer implements OnnxEmitter {
  readonly nodes: onnxProto.onnx.INodeProto[] = []
  readonly constants: onnxProto.onnx.ITensorProto[] = []
  readonly domains = new Set<string>([''])
  readonly #names = new Map<Value, string>()
  readonly #shared = new Map<string, string>()
  /** symbol -> where a run finds its number: an input and its axis */
  readonly #symbols = new Map<string, { input: string; axis: number }>()
  #count = 0

  constructor(graph: Graph) {
    for (const { name, value } of graph.inputs) {
      this.#names.set(value, name)
      value.shape.forEach((d, axis) => {
        if (typeof d === 'string' && !this.#symbols.has(d)) this.#symbols.set(d, { input: name, axis })
      })
    }
    for (const [name, value] of Object.entries(graph.outputs))
      if (value.source.kind === 'node' && !this.#names.has(value)) this.#names.set(value, name)
  }

  fresh(): string {
    return `v${this.#count++}`
  }

  of = (value: Value): string => {
    const known = this.#names.get(value)
    if (known) return known
    const { source } = value
    const name = source.kind === 'constant' ? this.#named(source.tensor, source.name) : this.fresh()
    this.#names.set(value, name)
    return name
  }

  op(
    type: string,
    inputs: readonly string[],
    attributes: Record<string, OnnxAttribute> = {},
    outputs: readonly string[] = [this.fresh()],
    domain = '',
  ): string {
    this.domains.add(domain)
    this.nodes.push({
      opType: type,
      domain,
      name: `${type}_${this.nodes.length}`,
      input: [...inputs],
      output: [...outputs],
      attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    })
    return outputs[0]!
  }

  constant = (t: HostTensor): string =>
    t.data.length > 64
      ? this.#named(t)
      : this.#once(`constant ${t.type}[${t.dims}]${Buffer.from(bytesOf(t)).toString('base64')}`, () => this.#named(t))

  #named(t: HostTensor, name = this.fresh()): string {
    this.constants.push({ name, dims: [...t.dims], dataType: onnxTypes[t.type], rawData: bytesOf(t) })
    return name
  }

  scalar = (type: ElementType, value: number): string => this.constant(tensor(type, [], [value]))

  int64s = (values: readonly number[]): string => this.constant(tensor('int64', [values.length], values))

  shape = (shape: Shape): string => {
    if (isStatic(shape)) return this.int64s(shape)
    const parts = shape.map((d) => this.#dimension(d))
    return parts.length === 1 ? parts[0]! : this.#once(`shape ${parts}`, () => this.op('Concat', parts, { axis: 0 }))
  }

  /** A dimension as an int64 vector of one element. */
  #dimension(d: Dimension): string {
    if (typeof d === 'number') return this.int64s([d])
    const terms = dimensionTerms(d).map(({ coefficient, symbols }) => {
      const factors = symbols.map((s) => this.#symbol(s))
      if (coefficient !== 1 || factors.length === 0) factors.push(this.int64s([coefficient]))
      return factors.reduce((a, f) => this.#once(`product ${a} ${f}`, () => this.op('Mul', [a, f])))
    })
    return terms.reduce((a, t) => this.#once(`sum ${a} ${t}`, () => this.op('Add', [a, t])))
  }

  #symbol(symbol: string): string {
    const place = this.#symbols.get(symbol)
    if (!place)
      throw new EspalierError('INTERNAL', `dimension "${symbol}" is needed at run time and no input of the graph has it as an axis`)
    const { input, axis } = place
    return this.#once(`symbol ${symbol}`, () => this.op('Shape', [input], { start: axis, end: axis + 1 }))
  }

  #once(key: string, make: () => string): string {
    const known = this.#shared.get(key)
    if (known !== undefined) return known
    const made = make()
    this.#shared.set(key, made)
    return made
  }
}

/** Serialises a graph as an ONNX model (opset 18): named inputs and outputs, symbols as dynamic axes. */
export function encodeOnnx(graph: Graph, { name = 'graph', metadata = {} }: OnnxOptions = {}): Uint8Array {
  const writer = new Writer(graph)
  for (const node of graph.nodes) ops[node.op].onnx(writer, node)
  for (const [output, value] of Object.entries(graph.outputs)) {
    const written = writer.of(value)
    if (written !== output) writer.op('Identity', [written], {}, [output])
  }
  const versions: Record<string, number> = { '': opset, 'com.microsoft': 1 }
  return onnx.ModelProto.encode({
    irVersion: 8,
    producerName: 'espalier',
    opsetImport: [...writer.domains].map((domain) => ({ domain, version: versions[domain]! })),
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name,
      node: writer.nodes,
      initializer: writer.constants,
      input: graph.inputs.map(({ name, value }) => valueInfo(name, value)),
      output: Object.entries(graph.outputs).map(([name, value]) => valueInfo(name, value)),
    },
  }).finish()
}
