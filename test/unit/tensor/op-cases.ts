import type { GraphBuilder } from '../../../src/tensor/builder.js'
import type { Value } from '../../../src/tensor/graph.js'
import type { RowMap } from '../../../src/tensor/ops/indexed.js'
import type { OpName } from '../../../src/tensor/ops/names.js'
import { float32, int32, type NamedTensors, tensor } from '../../../src/tensor/tensor.js'
import { uniformNumbers } from '../../../src/tensor/uniform.js'

/** One use of one op: what every check of the op table goes over (central differences, PyTorch, executor against executor). */
export interface OpCase {
  /** shapes of the inputs that are differentiated */
  shapes: readonly (readonly number[])[]
  build(b: GraphBuilder, inputs: readonly Value[]): Value
  /** values are drawn from [low, high); default [-2, 2) */
  range?: readonly [number, number] | undefined
  /** float32 for ops without a double kernel, checked with a larger step and tolerance */
  float?: 'float32' | 'float64'
  /** symbols in place of the sizes of input axes: `{ 0: ['N', 3] }` */
  symbolic?: Record<number, readonly (string | number)[]>
  /** more inputs, not differentiated */
  extra?: NamedTensors
}

type Build = OpCase['build']
const m = [2, 3]
const unary = (build: (b: GraphBuilder, x: Value) => Value, range?: readonly [number, number]): OpCase => ({
  shapes: [m],
  build: (b, [x]) => build(b, x!),
  range,
})
const pairs: (readonly [readonly number[], readonly number[]])[] = [
  [m, m],
  [m, [3]],
  [[2, 1], m],
  [
    [3, 1, 2],
    [2, 1],
  ],
  [m, []],
]
const binary = (build: Build, range?: readonly [number, number]): OpCase[] => pairs.map((shapes) => ({ shapes, build, range }))
/** a comparison decides what is kept: x where it holds, 0 elsewhere */
const choosing = (compare: Build): OpCase[] => binary((b, x) => b.where(compare(b, x), b.mul(x[0]!, x[0]!), x[1]!))

/** The four transpositions, op(A) op(B), for A [2, 3] and B [3, 4]. */
export const products: (readonly [boolean, boolean])[] = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
]
const flip = ([r, c]: readonly [number, number], yes: boolean) => (yes ? [c, r] : [r, c])
const product = (leadA: readonly number[], leadB: readonly number[], transA: boolean, transB: boolean): OpCase => ({
  shapes: [
    [...leadA, ...flip([2, 3], transA)],
    [...leadB, ...flip([3, 4], transB)],
  ],
  build: (b, [x, y]) => b.matmul(x!, y!, { transA, transB }),
})

/** Destination rows from source rows [0, 2], [], [2], [1, 0, 2], and back. */
export const maps: NamedTensors = {
  one: int32([1, 1], [2]),
  three: int32([2, 3], [0, 2, 3, 1, 0, 2]),
  order: int32([4], [1, 3, 0, 2]),
  back: int32([3, 3], [0, 3, 4, 3, 4, 4, 0, 2, 3]),
}
const mapInputs = (b: GraphBuilder): [RowMap, RowMap] => [
  { tables: [b.input('one', 'int32', [1, 1]), b.input('three', 'int32', [2, 3])], order: b.input('order', 'int32', [4]) },
  { tables: [b.input('back', 'int32', [3, 3])], order: null },
]
/** Rows 0, 2 | 1, 3: every source row in one destination. */
export const parts: NamedTensors = { members: int32([2, 2], [0, 2, 1, 3]), owner: int32([4, 1], [0, 1, 0, 1]) }
const partInputs = (b: GraphBuilder): [RowMap, RowMap] => [
  { tables: [b.input('members', 'int32', [2, 2])], order: null },
  { tables: [b.input('owner', 'int32', [4, 1])], order: null },
]
const three = [2, 3, 4]

/** At least one case per op; the fixture of PyTorch numbers has the same ones in the same order. */
export const opCases: Record<OpName, OpCase[]> = {
  Add: binary((b, [x, y]) => b.add(x!, y!)),
  Sub: binary((b, [x, y]) => b.sub(x!, y!)),
  Mul: binary((b, [x, y]) => b.mul(x!, y!)),
  Div: binary((b, [x, y]) => b.div(x!, y!), [0.5, 2]),
  Pow: [
    ...binary((b, [x, y]) => b.pow(x!, y!), [0.5, 2]),
    unary((b, x) => b.pow(x, b.scalar(2))),
    unary((b, x) => b.pow(x, b.scalar(3))),
    unary((b, x) => b.pow(b.mul(x, b.scalar(0)), b.scalar(0))),
  ],
  Less: choosing((b, [x, y]) => b.less(x!, y!)),
  LessOrEqual: choosing((b, [x, y]) => b.lessOrEqual(x!, y!)),
  Greater: choosing((b, [x, y]) => b.greater(x!, y!)),
  GreaterOrEqual: choosing((b, [x, y]) => b.greaterOrEqual(x!, y!)),
  Equal: [
    unary((b, x) => b.where(b.equal(x, b.neg(b.neg(x))), b.mul(x, x), x)),
    unary((b, x) => b.where(b.equal(x, b.exp(x)), x, b.mul(x, x))),
  ],

  Neg: [unary((b, x) => b.neg(x))],
  Exp: [unary((b, x) => b.exp(x))],
  Log: [unary((b, x) => b.log(x), [0.5, 3])],
  Sqrt: [unary((b, x) => b.sqrt(x), [0.5, 3])],
  Sigmoid: [unary((b, x) => b.sigmoid(x))],
  Tanh: [unary((b, x) => b.tanh(x))],
  Relu: [unary((b, x) => b.relu(x), [0.1, 2]), unary((b, x) => b.relu(x), [-2, -0.1])],
  Erf: [{ ...unary((b, x) => b.erf(x)), float: 'float32' }],
  Gelu: [{ ...unary((b, x) => b.gelu(x)), float: 'float32' }],
  Not: choosing((b, [x, y]) => b.not(b.less(x!, y!))),
  And: choosing((b, [x, y]) => b.and(b.less(x!, y!), b.less(b.scalar(-1), y!))),
  Or: choosing((b, [x, y]) => b.or(b.less(x!, y!), b.less(b.scalar(1), y!))),
  Where: binary((b, [x, y]) => b.where(b.less(x!, y!), b.mul(x!, x!), y!)),
  Cast: [
    unary((b, x) => b.mul(b.cast(b.cast(x, 'int32'), b.float), x)),
    unary((b, x) => b.mul(b.cast(b.cast(b.relu(x), 'bool'), b.float), x)),
    unary((b, x) => b.mul(b.cast(b.cast(x, 'int64'), b.float), x)),
  ],
  Dropout: [
    {
      shapes: [[8, 5]],
      build: (b, [x]) => b.apply('Dropout', [x!, b.input('uniform.0', 'float32', [8, 5])], { rate: 0.4 })[0]!,
      extra: { 'uniform.0': float32([8, 5], uniformNumbers(7, 3, 0, 40)) },
    },
  ],

  MatMul: products.flatMap(([transA, transB]) => [
    product([], [], transA, transB),
    product([2], [2], transA, transB),
    product([2], [], transA, transB),
    { ...product([], [3], transA, transB), float: 'float32' },
    product([2, 1], [3], transA, transB),
  ]),
  Gemm: products.flatMap(([transA, transB]) =>
    [[2, 4], [4], [2, 1]].map(
      (c): OpCase => ({
        shapes: [flip([2, 3], transA), flip([3, 4], transB), c],
        build: (b, [x, y, z]) => b.gemm(x!, y!, z!, { transA, transB }),
      }),
    ),
  ),

  ReduceSum: [[0], [1], [0, 2], [0, 1, 2]].flatMap((axes) =>
    [true, false].map((keep): OpCase => ({ shapes: [three], build: (b, [x]) => b.reduceSum(x!, axes, keep) })),
  ),
  ReduceMean: [
    ...[[0], [-1], [0, 2]].map((axes): OpCase => ({ shapes: [three], build: (b, [x]) => b.reduceMean(x!, axes) })),
    { shapes: [[4, 3]], symbolic: { 0: ['N', 3] }, build: (b, [x]) => b.reduceMean(b.mul(x!, x!), [0]) },
  ],
  ReduceMax: [[0], [1], [0, 2]].map((axes): OpCase => ({ shapes: [three], build: (b, [x]) => b.reduceMax(x!, axes) })),
  Softmax: [0, -1].map((axis): OpCase => ({ shapes: [[3, 4]], build: (b, [x]) => b.softmax(x!, axis) })),
  LogSoftmax: [0, -1].map((axis): OpCase => ({ shapes: [[3, 4]], build: (b, [x]) => b.logSoftmax(x!, axis) })),

  Reshape: [
    { shapes: [[2, 6]], build: (b, [x]) => b.reshape(b.mul(x!, x!), [4, 3]) },
    { shapes: [three], symbolic: { 0: ['B', 'n', 4] }, build: (b, [x]) => b.reshape(b.mul(x!, x!), ['B*n', 4]) },
    { shapes: [three], symbolic: { 0: ['B', 'n', 4] }, build: (b, [x]) => b.reshape(b.mul(x!, x!), ['n', 2, '2*B']) },
  ],
  Transpose: [{ shapes: [three], build: (b, [x]) => b.transpose(b.mul(x!, x!), [2, 0, 1]) }],
  Expand: [
    { shapes: [[2, 1, 3]], build: (b, [x]) => b.expand(x!, [4, 2, 5, 3]) },
    {
      shapes: [
        [1, 3],
        [4, 3],
      ],
      symbolic: { 1: ['N', 3] },
      build: (b, [x, y]) => b.concat([b.expand(x!, ['N', 3]), y!], 1),
    },
  ],
  Concat: [
    {
      shapes: [
        [2, 3],
        [2, 1],
      ],
      build: (b, x) => b.concat(x, 1),
    },
    {
      shapes: [
        [2, 3],
        [4, 3],
      ],
      symbolic: { 0: ['A', 3], 1: ['B', 3] },
      build: (b, x) =>
        b.concat(
          x.map((v) => b.mul(v, v)),
          0,
        ),
    },
  ],
  Split: [
    { shapes: [[6, 2]], build: (b, [x]) => b.mul(b.split(x!, 0, [2, 2, 2])[0]!, b.split(x!, 0, [2, 2, 2])[2]!) },
    { shapes: [[2, 5]], build: (b, [x]) => b.split(x!, 1, [3, 2])[1]! },
  ],
  Slice: [
    { shapes: [[2, 6]], build: (b, [x]) => b.slice(x!, 1, 2, 5) },
    { shapes: [[4]], build: (b, [x]) => b.slice(x!, 0, 0, 3) },
  ],
  Size: [{ shapes: [[4, 3]], symbolic: { 0: ['N', 3] }, build: (b, [x]) => b.mul(x!, b.sizeScalar(['N', 3], b.float)) }],

  Gather: [
    { shapes: [[4, 3]], build: (b, [x]) => b.gather(x!, b.constant(int32([5], [2, 0, 2, 3, 2]))) },
    { shapes: [three], build: (b, [x]) => b.gather(x!, b.constant(int32([2, 2], [1, 1, 0, 2])), 1) },
    { shapes: [three], build: (b, [x]) => b.gather(x!, b.constant(tensor('int64', [], [3])), 2) },
    {
      shapes: [[4, 3]],
      symbolic: { 0: ['N', 3] },
      build: (b, [x]) => b.gather(b.mul(x!, x!), b.constant(int32([3], [1, 1, 3]))),
    },
  ],
  ScatterSum: [
    { shapes: [[5, 2]], build: (b, [x]) => b.scatterSum(b.mul(x!, x!), b.constant(int32([5], [1, 3, 1, 0, 1])), 4) },
    { shapes: [[3, 2]], build: (b, [x]) => b.scatterSum(x!, b.constant(tensor('int64', [3], [2, 0, 2])), 3) },
  ],
  GatherSum: [{ shapes: [[3, 2]], extra: maps, build: (b, [x]) => b.gatherSum(x!, ...mapInputs(b)) }],
  SegmentMean: [
    { shapes: [[3, 2]], extra: maps, build: (b, [x]) => b.segmentMean(b.mul(x!, x!), ...mapInputs(b)) },
    { shapes: [[4, 3]], extra: parts, build: (b, [x]) => b.segmentMean(x!, ...partInputs(b)) },
  ],
  SegmentMax: [{ shapes: [[4, 3]], extra: parts, build: (b, [x]) => b.segmentMax(x!, ...partInputs(b)) }],

  GruGate: [{ shapes: Array.from({ length: 5 }, () => m), build: (b, x) => b.gruGate(x[0]!, x[1]!, x[2]!, x[3]!, x[4]!) }],
  LayerNorm: (['float64', 'float32'] as const).map((float) => ({
    float,
    shapes: [[3, 5], [5], [5]],
    build: (b, [x, gamma, beta]) => b.layerNorm(x!, gamma!, beta!),
  })),
  After: [
    {
      shapes: [
        [4, 3],
        [2, 2],
      ],
      symbolic: { 0: ['N', 3] },
      build: (b, [x, y]) => b.after(b.mul(x!, x!), [b.mul(y!, y!)]),
    },
    { shapes: [[3, 2], [2], [4, 1]], build: (b, [x, y, z]) => b.mul(b.after(x!, [y!, z!]), b.add(x!, y!)) },
  ],
}

/** `Op/0`, `Op/1`, … with their op. */
export const namedCases: readonly { name: string; op: OpName; case: OpCase }[] = Object.entries(opCases).flatMap(([op, list]) =>
  list.map((c, i) => ({ name: `${op}/${i}`, op: op as OpName, case: c })),
)
