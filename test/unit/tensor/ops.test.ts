import { describe, expect, it } from 'vitest'
import type { GraphBuilder } from '../../../src/tensor/builder.js'
import type { Value } from '../../../src/tensor/graph.js'
import type { RowMap } from '../../../src/tensor/ops/indexed.js'
import { type OpName, opNames } from '../../../src/tensor/ops/names.js'
import { ops } from '../../../src/tensor/ops.js'
import { int32, type NamedTensors } from '../../../src/tensor/tensor.js'
import { checkGradient, type GradientCase } from './gradient-check.js'

type Build = (b: GraphBuilder, x: readonly Value[]) => Value
const m = [2, 3]
const unary = (build: (b: GraphBuilder, x: Value) => Value, range?: [number, number]): GradientCase => ({
  shapes: [[2, 3]],
  build: (b, [x]) => build(b, x!),
  range,
})
const binary = (build: Build, range?: [number, number]): GradientCase[] => [
  { shapes: [m, m], build, range },
  { shapes: [m, [3]], build, range },
  { shapes: [[2, 1], m], build, range },
  {
    shapes: [
      [3, 1, 2],
      [2, 1],
    ],
    build,
    range,
  },
  { shapes: [m, []], build, range },
]
const products: [boolean, boolean][] = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
]
const flip = ([r, c]: readonly [number, number], yes: boolean) => (yes ? [c, r] : [r, c])

/** Destination rows from source rows [0, 2], [], [2], [1, 0, 2], and back. */
const maps: NamedTensors = {
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
const parts: NamedTensors = { members: int32([2, 2], [0, 2, 1, 3]), owner: int32([4, 1], [0, 1, 0, 1]) }
const partInputs = (b: GraphBuilder): [RowMap, RowMap] => [
  { tables: [b.input('members', 'int32', [2, 2])], order: null },
  { tables: [b.input('owner', 'int32', [4, 1])], order: null },
]

const cases: Partial<Record<OpName, GradientCase[]>> = {
  Add: binary((b, [x, y]) => b.add(x!, y!)),
  Sub: binary((b, [x, y]) => b.sub(x!, y!)),
  Mul: binary((b, [x, y]) => b.mul(x!, y!)),
  Div: binary((b, [x, y]) => b.div(x!, y!), [0.5, 2]),
  Pow: binary((b, [x, y]) => b.pow(x!, y!), [0.5, 2]),
  Neg: [unary((b, x) => b.neg(x))],
  Exp: [unary((b, x) => b.exp(x))],
  Log: [unary((b, x) => b.log(x), [0.5, 3])],
  Sqrt: [unary((b, x) => b.sqrt(x), [0.5, 3])],
  Sigmoid: [unary((b, x) => b.sigmoid(x))],
  Tanh: [unary((b, x) => b.tanh(x))],
  Relu: [unary((b, x) => b.relu(x), [0.1, 2]), unary((b, x) => b.relu(x), [-2, -0.1])],
  Erf: [
    { ...unary((b, x) => b.erf(x)), float: 'float32' },
    { ...unary((b, x) => b.gelu(x)), float: 'float32' },
  ],
  Where: binary((b, [x, y]) => b.where(b.less(x!, y!), b.mul(x!, x!), y!)),
  Cast: [{ ...unary((b, x) => b.cast(b.mul(b.cast(x, 'float64'), b.cast(x, 'float64')), 'float32')), float: 'float32' }],
  MatMul: products.flatMap(([transA, transB]) => [
    {
      shapes: [flip([2, 3], transA), flip([3, 4], transB)],
      build: (b, [x, y]) => b.matmul(x!, y!, { transA, transB }),
    } satisfies GradientCase,
    {
      shapes: [
        [2, ...flip([2, 3], transA)],
        [2, ...flip([3, 4], transB)],
      ],
      build: (b, [x, y]) => b.matmul(x!, y!, { transA, transB }),
    } satisfies GradientCase,
    {
      shapes: [[2, ...flip([2, 3], transA)], flip([3, 4], transB)],
      build: (b, [x, y]) => b.matmul(x!, y!, { transA, transB }),
    } satisfies GradientCase,
    {
      shapes: [flip([2, 3], transA), [3, ...flip([3, 4], transB)]],
      build: (b, [x, y]) => b.matmul(x!, y!, { transA, transB }),
      float: 'float32',
    } satisfies GradientCase,
  ]),
  Gemm: products.flatMap(([transA, transB]) =>
    [[2, 4], [4], [2, 1]].map(
      (c): GradientCase => ({
        shapes: [flip([2, 3], transA), flip([3, 4], transB), c],
        build: (b, [x, y, z]) => b.gemm(x!, y!, z!, { transA, transB }),
      }),
    ),
  ),
  ReduceSum: [[0], [1], [0, 2], [0, 1, 2]].flatMap((axes) =>
    [true, false].map((keep): GradientCase => ({ shapes: [[2, 3, 2]], build: (b, [x]) => b.reduceSum(x!, axes, keep) })),
  ),
  ReduceMean: [
    ...[[0], [-1], [0, 2]].map((axes): GradientCase => ({ shapes: [[2, 3, 2]], build: (b, [x]) => b.reduceMean(x!, axes) })),
    { shapes: [[4, 3]], symbolic: { 0: ['N', 3] }, build: (b, [x]) => b.reduceMean(b.mul(x!, x!), [0]) },
  ],
  ReduceMax: [[0], [1], [0, 2]].map((axes): GradientCase => ({ shapes: [[2, 3, 2]], build: (b, [x]) => b.reduceMax(x!, axes) })),
  Softmax: [0, -1].map((axis): GradientCase => ({ shapes: [[3, 4]], build: (b, [x]) => b.softmax(x!, axis) })),
  LogSoftmax: [0, -1].map((axis): GradientCase => ({ shapes: [[3, 4]], build: (b, [x]) => b.logSoftmax(x!, axis) })),
  Reshape: [
    { shapes: [[2, 6]], build: (b, [x]) => b.reshape(b.mul(x!, x!), [4, 3]) },
    { shapes: [[2, 3, 4]], symbolic: { 0: ['B', 'n', 4] }, build: (b, [x]) => b.reshape(b.mul(x!, x!), ['B*n', 4]) },
    { shapes: [[2, 3, 4]], symbolic: { 0: ['B', 'n', 4] }, build: (b, [x]) => b.reshape(b.mul(x!, x!), ['n', 2, '2*B']) },
  ],
  Transpose: [{ shapes: [[2, 3, 4]], build: (b, [x]) => b.transpose(b.mul(x!, x!), [2, 0, 1]) }],
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
  GatherSum: [{ shapes: [[3, 2]], extra: maps, build: (b, [x]) => b.gatherSum(x!, ...mapInputs(b)) }],
  SegmentMax: [{ shapes: [[4, 3]], extra: parts, build: (b, [x]) => b.segmentMax(x!, ...partInputs(b)) }],
  GruGate: [{ shapes: Array.from({ length: 5 }, () => [2, 3]), build: (b, x) => b.gruGate(x[0]!, x[1]!, x[2]!, x[3]!, x[4]!) }],
  LayerNorm: (['float64', 'float32'] as const).map((float) => ({
    float,
    shapes: [[3, 5], [5], [5]],
    build: (b, [x, gamma, beta]) => b.layerNorm(x!, gamma!, beta!),
  })),
}

describe('the op table', () => {
  it('has one row per name, with every column', () => {
    expect(Object.keys(ops).sort()).toEqual([...opNames].sort())
    for (const [name, row] of Object.entries(ops)) {
      expect(Object.keys(row).sort(), name).toEqual(['gradient', 'infer', 'onnx', 'summary'])
      if (typeof row.gradient !== 'function') expect(row.gradient.none.length, `${name} says why it has no gradient`).toBeGreaterThan(10)
    }
  })
  it('has a gradient check for every row with a gradient', () => {
    const differentiable = opNames.filter((name) => typeof ops[name].gradient === 'function')
    expect(Object.keys(cases).sort()).toEqual([...differentiable].sort())
  })
})

describe('gradients agree with central differences', () => {
  for (const [name, list] of Object.entries(cases))
    it(`${name} (${list.length})`, async () => {
      for (const [i, c] of list.entries()) {
        const { worst, tolerance, elements } = await checkGradient(c, i + 1)
        expect(elements).toBeGreaterThan(0)
        expect(worst, `case ${i}: ${JSON.stringify(c.shapes)}`).toBeLessThan(tolerance)
      }
    })
})
