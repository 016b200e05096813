import { EspalierError } from '../util/error.js'
import { broadcast, type Dimension, isStatic, multiplyDimensions, type Shape, sameShape, sizeOf } from './dimension.js'
import { type Attributes, producer, scalarOf, type Value } from './graph.js'
import type { RowMap } from './ops/indexed.js'
import { type OpName, ops } from './ops.js'
import { type ElementType, type HostTensor, tensor } from './tensor.js'
import { uniformPrefix } from './uniform.js'

type Transposes = { transA?: boolean; transB?: boolean }
type Binary = 'Add' | 'Sub' | 'Mul' | 'Div' | 'Pow' | 'Less' | 'LessOrEqual' | 'Greater' | 'GreaterOrEqual' | 'Equal'

/**
 * Builds values of a graph. Equal computations become one (hash-consing), and what is trivially nothing (x + 0, a reshape to the same
 * shape) is never built. Every method throws BAD_INPUT when shapes or types do not fit.
 */
export class GraphBuilder {
  #next = 0
  #streams = 0
  readonly #known = new Map<string, readonly Value[]>()
  readonly #inputs = new Map<string, Value>()

  /**
   * `float`: the element type of what models compute with; float64 is for checking gradients. `training`: whether dropout drops, and a
   * model may be put together for a quick way back.
   */
  constructor(
    readonly float: 'float32' | 'float64' = 'float32',
    readonly training = false,
  ) {}

  /** A named input; asking again for the same name gives the same value, and must agree in type and shape. */
  input(name: string, type: ElementType, dims: Shape): Value {
    const shape = dims.map((d) => multiplyDimensions(d))
    const known = this.#inputs.get(name)
    if (known) {
      if (known.type === type && sameShape(known.shape, shape)) return known
      throw new EspalierError('INTERNAL', `input "${name}" is ${known.type}[${known.shape}] and was asked for as ${type}[${shape}]`)
    }
    const value: Value = { id: this.#next++, type, shape, source: { kind: 'input', name } }
    this.#inputs.set(name, value)
    return value
  }

  /** Small equal constants become one; a named one (a trained parameter) keeps its name when exported. */
  constant(t: HostTensor, name?: string): Value {
    const make = (): [Value] => [{ id: this.#next++, type: t.type, shape: t.dims, source: { kind: 'constant', tensor: t, name } }]
    if (name !== undefined || t.data.length > 64) return make()[0]
    const numbers = Array.from(t.data as ArrayLike<number | bigint>, (x) => (Object.is(x, -0) ? '-0' : `${x}`))
    return this.#once(`${t.type}[${t.dims}]${numbers}`, make)[0]!
  }

  scalar(value: number, type: ElementType = this.float): Value {
    return this.constant(tensor(type, [], [value]))
  }

  /** Every element `value`. */
  filled(value: number, type: ElementType, shape: Shape): Value {
    return this.expand(this.scalar(value, type), shape)
  }

  zeros(type: ElementType, shape: Shape): Value {
    return this.filled(0, type, shape)
  }

  /** Any op of the table; the methods below are shorter and simplify. */
  apply(op: OpName, inputs: readonly Value[], attributes: Attributes = {}): readonly Value[] {
    const key = `${op}(${inputs.map((v) => v.id)})${JSON.stringify(attributes)}`
    return this.#once(key, () => {
      const types = ops[op].infer(inputs, attributes)
      const outputs: Value[] = []
      const node = { op, inputs, attributes, outputs }
      types.forEach(({ type, shape }, output) => {
        outputs.push({ id: this.#next++, type, shape, source: { kind: 'node', node, output } })
      })
      return outputs
    })
  }

  add(a: Value, b: Value): Value {
    if (scalarOf(b) === 0 && b.shape.length <= a.shape.length) return a
    if (scalarOf(a) === 0 && a.shape.length <= b.shape.length) return b
    return this.#binary('Add', a, b)
  }
  sub(a: Value, b: Value): Value {
    return scalarOf(b) === 0 && b.shape.length <= a.shape.length ? a : this.#binary('Sub', a, b)
  }
  mul(a: Value, b: Value): Value {
    if (scalarOf(b) === 1 && b.shape.length <= a.shape.length) return a
    if (scalarOf(a) === 1 && a.shape.length <= b.shape.length) return b
    return this.#binary('Mul', a, b)
  }
  div(a: Value, b: Value): Value {
    return scalarOf(b) === 1 && b.shape.length <= a.shape.length ? a : this.#binary('Div', a, b)
  }
  pow = (a: Value, b: Value) => this.#binary('Pow', a, b)
  less = (a: Value, b: Value) => this.#binary('Less', a, b)
  lessOrEqual = (a: Value, b: Value) => this.#binary('LessOrEqual', a, b)
  greater = (a: Value, b: Value) => this.#binary('Greater', a, b)
  greaterOrEqual = (a: Value, b: Value) => this.#binary('GreaterOrEqual', a, b)
  equal = (a: Value, b: Value) => this.#binary('Equal', a, b)

  neg(x: Value): Value {
    const node = producer(x)
    return node?.op === 'Neg' ? node.inputs[0]! : this.#one('Neg', [x])
  }
  exp = (x: Value) => this.#one('Exp', [x])
  log = (x: Value) => this.#one('Log', [x])
  sqrt = (x: Value) => this.#one('Sqrt', [x])
  sigmoid = (x: Value) => this.#one('Sigmoid', [x])
  tanh = (x: Value) => this.#one('Tanh', [x])
  relu = (x: Value) => this.#one('Relu', [x])
  erf = (x: Value) => this.#one('Erf', [x])
  not = (x: Value) => this.#one('Not', [x])
  and = (a: Value, b: Value) => this.#one('And', [a, b])
  or = (a: Value, b: Value) => this.#one('Or', [a, b])
  where = (condition: Value, a: Value, b: Value) => this.#one('Where', [condition, a, b])
  cast = (x: Value, to: ElementType) => (x.type === to ? x : this.#one('Cast', [x], { to }))
  /** x Phi(x), the exact form (Hendrycks & Gimpel 2016). */
  gelu = (x: Value) => this.#one('Gelu', [x])

  matmul(a: Value, b: Value, { transA = false, transB = false }: Transposes = {}): Value {
    return this.#one('MatMul', [a, b], { transA, transB })
  }
  gemm(a: Value, b: Value, c: Value, { transA = false, transB = false }: Transposes = {}): Value {
    return this.#one('Gemm', [a, b, c], { transA, transB })
  }
  /** x W^T (+ bias): x [rows, in], W [out, in], bias [out]. */
  linear(x: Value, weight: Value, bias?: Value): Value {
    const product = this.matmul(x, weight, { transB: true })
    return bias ? this.add(product, bias) : product
  }

  reduceSum = (x: Value, axes: readonly number[], keep = false) => this.#reduce('ReduceSum', x, axes, keep)
  reduceMean = (x: Value, axes: readonly number[], keep = false) => this.#reduce('ReduceMean', x, axes, keep)
  reduceMax = (x: Value, axes: readonly number[], keep = false) => this.#reduce('ReduceMax', x, axes, keep)
  /** The sum of all elements, a scalar. */
  sumAll = (x: Value) => this.reduceSum(x, [...x.shape.keys()])
  softmax = (x: Value, axis = -1) => this.#one('Softmax', [x], { axis: this.#axis(x, axis) })
  logSoftmax = (x: Value, axis = -1) => this.#one('LogSoftmax', [x], { axis: this.#axis(x, axis) })

  reshape(x: Value, shape: Shape): Value {
    if (sameShape(x.shape, shape)) return x
    const node = producer(x)
    return node?.op === 'Reshape' ? this.reshape(node.inputs[0]!, shape) : this.#one('Reshape', [x], { shape })
  }
  /** All elements in one row. */
  flatten = (x: Value) => this.reshape(x, [sizeOf(x.shape)])
  transpose(x: Value, permutation: readonly number[]): Value {
    return permutation.every((p, i) => p === i) && permutation.length === x.shape.length ? x : this.#one('Transpose', [x], { permutation })
  }
  expand = (x: Value, shape: Shape) => (sameShape(x.shape, shape) ? x : this.#one('Expand', [x], { shape }))
  concat(xs: readonly Value[], axis: number): Value {
    return xs.length === 1 ? xs[0]! : this.#one('Concat', xs, { axis: this.#axis(xs[0]!, axis) })
  }
  split(x: Value, axis: number, sizes: readonly Dimension[]): readonly Value[] {
    return sizes.length === 1 ? [x] : this.apply('Split', [x], { axis: this.#axis(x, axis), sizes })
  }
  slice(x: Value, axis: number, start: number, end: number): Value {
    const at = this.#axis(x, axis)
    return start === 0 && end === x.shape[at] ? x : this.#one('Slice', [x], { axis: at, start, end })
  }
  /** The product of dimensions as a scalar value. */
  sizeScalar(dims: readonly Dimension[], type: ElementType): Value {
    return isStatic(dims) ? this.scalar(multiplyDimensions(...dims) as number, type) : this.#one('Size', [], { dims, to: type })
  }
  /** Sums a gradient over the axes along which a value of `shape` was broadcast. */
  sumTo(g: Value, shape: Shape): Value {
    if (sameShape(g.shape, shape)) return g
    const lead = g.shape.length - shape.length
    const axes = [...g.shape.keys()].filter((i) => i < lead || (shape[i - lead] === 1 && g.shape[i] !== 1))
    return this.reshape(this.reduceSum(g, axes, true), shape)
  }

  gather = (x: Value, indices: Value, axis = 0) => this.#one('Gather', [x, indices], { axis: this.#axis(x, axis) })
  scatterSum = (updates: Value, indices: Value, rows: Dimension) => this.#one('ScatterSum', [updates, indices], { rows })
  gatherSum = (x: Value, forward: RowMap, backward: RowMap) => this.#mapped('GatherSum', x, forward, backward)
  segmentMean = (x: Value, forward: RowMap, backward: RowMap) => this.#mapped('SegmentMean', x, forward, backward)
  segmentMax = (x: Value, forward: RowMap, backward: RowMap) => this.#mapped('SegmentMax', x, forward, backward)

  /** x, once the others are computed: it says when, not what. */
  after = (x: Value, others: readonly Value[]) => (others.length === 0 ? x : this.#one('After', [x, ...others]))

  /** See the op table's GruGate. */
  gruGate = (az: Value, ar: Value, mc: Value, hc: Value, h: Value) => this.apply('GruGate', [az, ar, mc, hc, h])[0]!
  layerNorm = (x: Value, gamma: Value, beta: Value, epsilon = 1e-5) => this.apply('LayerNorm', [x, gamma, beta], { epsilon })[0]!

  /**
   * In training, zero with probability `rate`, else x / (1 - rate) (Srivastava et al. 2014); x itself otherwise. The random numbers are
   * an input `uniform.<stream>`, which the trainer feeds from its counters.
   */
  dropout(x: Value, rate: number): Value {
    if (!this.training || rate === 0) return x
    const uniform = this.input(`${uniformPrefix}${this.#streams++}`, 'float32', x.shape)
    return this.#one('Dropout', [x, uniform], { rate })
  }

  #axis = (x: Value, axis: number) => (axis < 0 ? axis + x.shape.length : axis)
  #one(op: OpName, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.apply(op, inputs, attributes)[0]!
  }
  #mapped(op: 'GatherSum' | 'SegmentMean' | 'SegmentMax', x: Value, forward: RowMap, backward: RowMap): Value {
    const inputs = [x, ...[forward, backward].flatMap((map) => [...map.tables, ...(map.order ? [map.order] : [])])]
    return this.#one(op, inputs, {
      forward: forward.tables.length,
      forwardOrdered: forward.order !== null,
      forwardExact: forward.exact ?? 0,
      backward: backward.tables.length,
      backwardOrdered: backward.order !== null,
      backwardExact: backward.exact ?? 0,
    })
  }
  #reduce(op: 'ReduceSum' | 'ReduceMean' | 'ReduceMax', x: Value, axes: readonly number[], keep: boolean): Value {
    const at = axes.map((axis) => this.#axis(x, axis))
    if (at.length === 0) return x
    return this.#one(op, [x], { axes: at, keep })
  }
  /** What was expanded only to meet its partner need not be: the op broadcasts by itself. */
  #binary(op: Binary, a: Value, b: Value): Value {
    const unexpanded = (v: Value, other: Value) => {
      const node = producer(v)
      const [x] = node?.op === 'Expand' ? node.inputs : []
      return x && sizeOf(other.shape) === sizeOf(v.shape) && sameShape(broadcast(x.shape, other.shape, op), other.shape) ? x : v
    }
    const left = unexpanded(a, b)
    return this.#one(op, [left, left === a ? unexpanded(b, a) : b])
  }
  #once(key: string, make: () => readonly Value[]): readonly Value[] {
    const known = this.#known.get(key)
    if (known) return known
    const made = make()
    this.#known.set(key, made)
    return made
  }
}
