import fc from 'fast-check'
import { it } from 'vitest'
import type { GraphBuilder } from '../../../src/tensor/builder.js'
import type { TensorExecutor } from '../../../src/tensor/executor.js'
import type { Value } from '../../../src/tensor/graph.js'
import type { RowMap } from '../../../src/tensor/ops/indexed.js'
import { elementCount, float32, int32, type NamedTensors } from '../../../src/tensor/tensor.js'
import { uniformNumbers } from '../../../src/tensor/uniform.js'
import { seeded } from '../../../src/util/random.js'
import { expectAgreement } from './executor-contract.js'
import { checkGradient } from './gradient-check.js'
import type { OpCase } from './op-cases.js'
import { drawFeeds } from './op-run.js'

type Shape = readonly number[]
type Build = OpCase['build']

const positive = fc.integer({ min: 1, max: 4 })
/** now and then nothing at all */
const size = fc.oneof({ arbitrary: positive, weight: 9 }, { arbitrary: fc.constant(0), weight: 1 })
const shape = (least: number, most: number, of = size): fc.Arbitrary<number[]> => fc.array(of, { minLength: least, maxLength: most })

/** A shape that broadcasts to `full`: some axes are 1, some leading ones are left out. */
const broadcastable = (full: Shape): fc.Arbitrary<number[]> =>
  fc
    .tuple(fc.integer({ min: 0, max: full.length }), fc.array(fc.boolean(), { minLength: full.length, maxLength: full.length }))
    .map(([dropped, ones]) => full.map((d, i) => (ones[i] ? 1 : d)).slice(dropped))
const axisOf = (s: Shape) => fc.integer({ min: 0, max: s.length - 1 })

const unaries: Record<string, readonly [(b: GraphBuilder, x: Value) => Value, (readonly [number, number])?, 'float32'?]> = {
  neg: [(b, x) => b.neg(x)],
  exp: [(b, x) => b.exp(x)],
  log: [(b, x) => b.log(x), [0.3, 3]],
  sqrt: [(b, x) => b.sqrt(x), [0.3, 3]],
  sigmoid: [(b, x) => b.sigmoid(x), [-8, 8]],
  tanh: [(b, x) => b.tanh(x), [-4, 4]],
  relu: [(b, x) => b.relu(x)],
  erf: [(b, x) => b.erf(x), undefined, 'float32'],
  gelu: [(b, x) => b.gelu(x), undefined, 'float32'],
}
const binaries: Record<string, readonly [Build, (readonly [number, number])?]> = {
  add: [(b, [x, y]) => b.add(x!, y!)],
  sub: [(b, [x, y]) => b.sub(x!, y!)],
  mul: [(b, [x, y]) => b.mul(x!, y!)],
  div: [(b, [x, y]) => b.div(x!, y!), [0.5, 2]],
  pow: [(b, [x, y]) => b.pow(x!, y!), [0.5, 2]],
  where: [(b, [x, y]) => b.where(b.lessOrEqual(x!, y!), b.mul(x!, x!), y!)],
  logic: [
    (b, [x, y]) => b.where(b.or(b.not(b.greater(x!, y!)), b.and(b.less(x!, b.scalar(1)), b.greaterOrEqual(y!, b.scalar(0)))), x!, y!),
  ],
}

const elementwise: fc.Arbitrary<OpCase> = fc.oneof(
  fc.tuple(fc.constantFrom(...Object.keys(unaries)), shape(0, 4)).map(([name, s]): OpCase => {
    const [build, range, float] = unaries[name]!
    return { shapes: [s], build: (b, [x]) => build(b, x!), range, ...(float ? { float } : {}) }
  }),
  fc
    .tuple(fc.constantFrom(...Object.keys(binaries)), shape(0, 4))
    .chain(([name, s]) => fc.tuple(fc.constant(name), broadcastable(s), broadcastable(s)))
    .map(([name, ...shapes]): OpCase => ({ shapes, build: binaries[name]![0], range: binaries[name]![1] })),
  shape(1, 3).map((s): OpCase => {
    const drawn = float32(s, uniformNumbers(1, 2, 3, elementCount(s)))
    return {
      shapes: [s],
      build: (b, [x]) => b.apply('Dropout', [x!, b.input('uniform.0', 'float32', s)], { rate: 0.3 })[0]!,
      extra: { 'uniform.0': drawn },
    }
  }),
  shape(1, 3).map((s): OpCase => ({ shapes: [s, s, s, s, s], build: (b, x) => b.gruGate(x[0]!, x[1]!, x[2]!, x[3]!, x[4]!) })),
)

const matrices: fc.Arbitrary<OpCase> = fc.oneof(
  fc
    .oneof(
      fc.record({ lead: fc.constant([]), r: size, k: size, c: size, transA: fc.boolean(), transB: fc.boolean() }),
      // onnxruntime neither broadcasts a leading axis of length 0, nor gets the leading axes of an empty product right
      fc.record({ lead: shape(1, 2, positive), r: positive, k: size, c: positive, transA: fc.boolean(), transB: fc.boolean() }),
    )
    .chain((p) => fc.record({ p: fc.constant(p), a: broadcastable(p.lead), b: broadcastable(p.lead) }))
    .map(
      ({ p: { r, k, c, transA, transB }, a, b }): OpCase => ({
        shapes: [
          [...a, ...(transA ? [k, r] : [r, k])],
          [...b, ...(transB ? [c, k] : [k, c])],
        ],
        build: (g, [x, y]) => g.matmul(x!, y!, { transA, transB }),
      }),
    ),
  fc
    .record({ r: positive, k: positive, c: positive, transA: fc.boolean(), transB: fc.boolean() })
    .chain((p) => fc.record({ p: fc.constant(p), added: broadcastable([p.r, p.c]) }))
    .map(
      ({ p: { r, k, c, transA, transB }, added }): OpCase => ({
        shapes: [transA ? [k, r] : [r, k], transB ? [c, k] : [k, c], added],
        build: (g, [x, y, z]) => g.gemm(x!, y!, z!, { transA, transB }),
      }),
    ),
)

const reductions: fc.Arbitrary<OpCase> = fc.oneof(
  shape(1, 4, positive)
    .chain((s) =>
      fc.record({
        s: fc.constant(s),
        axes: fc.subarray([...s.keys()], { minLength: 1 }),
        keep: fc.boolean(),
        how: fc.constantFrom('reduceSum', 'reduceMean', 'reduceMax'),
      }),
    )
    .map(({ s, axes, keep, how }): OpCase => ({ shapes: [s], build: (b, [x]) => b[how](x!, axes, keep) })),
  shape(1, 3, positive)
    .chain((s) => fc.record({ s: fc.constant(s), axis: axisOf(s), how: fc.constantFrom('softmax', 'logSoftmax') }))
    .map(({ s, axis, how }): OpCase => ({ shapes: [s], build: (b, [x]) => b[how](x!, axis), range: [-6, 6] })),
  // rows of two or three numbers can be nearly equal, and then no two executors agree on how far from it they are
  fc
    .tuple(shape(0, 2), fc.integer({ min: 4, max: 8 }))
    .map(([lead, width]): OpCase => ({ shapes: [[...lead, width], [width], [width]], build: (b, x) => b.layerNorm(x[0]!, x[1]!, x[2]!) })),
)

const shapes: fc.Arbitrary<OpCase> = fc.oneof(
  shape(1, 4)
    .chain((s) => fc.record({ s: fc.constant(s), order: fc.shuffledSubarray([...s.keys()], { minLength: s.length }) }))
    .map(({ s, order }): OpCase => ({ shapes: [s], build: (b, [x]) => b.transpose(b.mul(x!, x!), order) })),
  shape(2, 4)
    .chain((s) => fc.record({ s: fc.constant(s), at: fc.integer({ min: 0, max: s.length - 2 }) }))
    .map(({ s, at }): OpCase => {
      const merged = [...s.slice(0, at), s[at]! * s[at + 1]!, ...s.slice(at + 2)]
      return { shapes: [s], build: (b, [x]) => b.reshape(b.mul(x!, x!), merged) }
    }),
  shape(0, 4)
    .chain((s) => fc.record({ s: fc.constant(s), from: broadcastable(s) }))
    .map(({ s, from }): OpCase => ({ shapes: [from], build: (b, [x]) => b.expand(b.mul(x!, x!), s) })),
  fc
    .record({ s: shape(1, 3), pieces: fc.array(size, { minLength: 2, maxLength: 3 }) })
    .chain(({ s, pieces }) => fc.record({ s: fc.constant(s), pieces: fc.constant(pieces), axis: axisOf(s) }))
    .map(
      ({ s, pieces, axis }): OpCase => ({
        shapes: pieces.map((d) => s.with(axis, d)),
        build: (b, x) =>
          b.concat(
            x.map((v) => b.mul(v, v)),
            axis,
          ),
      }),
    ),
  fc
    .record({ s: shape(1, 3), pieces: fc.array(size, { minLength: 2, maxLength: 3 }) })
    .chain(({ s, pieces }) => fc.record({ s: fc.constant(s), pieces: fc.constant(pieces), axis: axisOf(s) }))
    .map(
      ({ s, pieces, axis }): OpCase => ({
        shapes: [
          s.with(
            axis,
            pieces.reduce((a, d) => a + d, 0),
          ),
        ],
        build: (b, [x]) => b.concat(b.split(b.mul(x!, x!), axis, pieces).toReversed(), axis),
      }),
    ),
  shape(1, 3)
    .chain((s) => fc.record({ s: fc.constant(s), axis: axisOf(s) }))
    .chain(({ s, axis }) => fc.record({ s: fc.constant(s), axis: fc.constant(axis), cut: fc.tuple(fc.nat(s[axis]!), fc.nat(s[axis]!)) }))
    .map(
      ({ s, axis, cut }): OpCase => ({
        shapes: [s],
        build: (b, [x]) => b.slice(b.mul(x!, x!), axis, Math.min(...cut), Math.max(...cut)),
      }),
    ),
)

/** Destination rows by their source rows as host tables: groups by degree and an order, or one table in order. */
function hostMap(name: string, sources: readonly (readonly number[])[], none: number, grouped: boolean) {
  const feeds: NamedTensors = {}
  const table = (rows: readonly (readonly number[])[], width: number) => {
    const key = `${name}_${width}`
    feeds[key] = int32(
      [rows.length, width],
      rows.flatMap((r) => [...r, ...new Array(width - r.length).fill(none)]),
    )
    return { key, dims: [rows.length, width] }
  }
  const widest = Math.max(1, ...sources.map((s) => s.length))
  if (!grouped) {
    const { key, dims } = table(sources, widest)
    return { feeds, map: (b: GraphBuilder): RowMap => ({ tables: [b.input(key, 'int32', dims)], order: null }) }
  }
  const members = Array.from({ length: widest }, (_, w) => sources.flatMap((s, row) => (s.length === w + 1 ? [row] : [])))
  const tables = members.map((rows, w) =>
    table(
      rows.map((row) => sources[row]!),
      w + 1,
    ),
  )
  const placed = members.flat()
  feeds[`${name}_order`] = int32(
    [sources.length],
    sources.map((_, row) => (placed.includes(row) ? placed.indexOf(row) : placed.length)),
  )
  const map = (b: GraphBuilder): RowMap => ({
    tables: tables.map(({ key, dims }) => b.input(key, 'int32', dims)),
    order: b.input(`${name}_order`, 'int32', [sources.length]),
  })
  return { feeds, map }
}

const mapped = (how: 'gatherSum' | 'segmentMean' | 'segmentMax'): fc.Arbitrary<OpCase> =>
  fc
    .record({ rows: positive, width: positive, destinations: positive, grouped: fc.tuple(fc.boolean(), fc.boolean()) })
    .chain((p) =>
      fc.record({
        p: fc.constant(p),
        // a maximum has one destination for each source row at most
        owners: fc.array(
          how === 'segmentMax'
            ? fc.subarray([...Array(p.destinations).keys()], { maxLength: 1 })
            : fc.array(fc.nat(p.destinations - 1), { maxLength: 3 }),
          { minLength: p.rows, maxLength: p.rows },
        ),
      }),
    )
    .map(({ p: { rows, width, destinations, grouped }, owners }): OpCase => {
      const sources = Array.from({ length: destinations }, (_, d) => owners.flatMap((of, row) => of.filter((o) => o === d).map(() => row)))
      const forward = hostMap('forward', sources, rows, grouped[0])
      const backward = hostMap('backward', owners, destinations, grouped[1])
      return {
        shapes: [[rows, width]],
        extra: { ...forward.feeds, ...backward.feeds },
        build: (b, [x]) => b[how](x!, forward.map(b), backward.map(b)),
      }
    })

const indexed: fc.Arbitrary<OpCase> = fc.oneof(
  shape(1, 3, positive)
    .chain((s) => fc.record({ s: fc.constant(s), axis: axisOf(s), dims: shape(0, 2) }))
    .chain(({ s, axis, dims }) =>
      fc.record({
        s: fc.constant(s),
        axis: fc.constant(axis),
        dims: fc.constant(dims),
        at: fc.array(fc.nat(s[axis]! - 1), { minLength: elementCount(dims), maxLength: elementCount(dims) }),
      }),
    )
    .map(({ s, axis, dims, at }): OpCase => ({ shapes: [s], build: (b, [x]) => b.gather(x!, b.constant(int32(dims, at)), axis) })),
  fc.record({ rows: positive, width: positive, at: fc.array(fc.nat(3), { maxLength: 6 }) }).map(
    ({ rows, width, at }): OpCase => ({
      shapes: [[at.length, width]],
      build: (b, [x]) =>
        b.scatterSum(
          b.mul(x!, x!),
          b.constant(
            int32(
              [at.length],
              at.map((i) => i % rows),
            ),
          ),
          rows,
        ),
    }),
  ),
  mapped('gatherSum'),
  mapped('segmentMean'),
  mapped('segmentMax'),
)

const families = { elementwise, matrices, reductions, shapes, indexed }
const isEmpty = (c: OpCase) => c.shapes.some((s) => elementCount(s) === 0)

/** Random shapes: an executor beside onnxruntime, forward and backward. A failure prints its seed and path (fast-check). */
export function fuzzAgreement(open: () => Promise<TensorExecutor>, runs: number): void {
  for (const [name, family] of Object.entries(families))
    it(`${name} of any shape as onnxruntime has it (${runs} each)`, async () => {
      const executor = await open()
      const agrees = async (c: OpCase, seed: number) => expectAgreement(executor, c, await drawFeeds(c, 'float32', seeded(seed)))
      await fc.assert(fc.asyncProperty(family, fc.nat(), agrees), { numRuns: runs })
    })
}

/** Random shapes: gradients beside central differences. A failure prints its seed and path (fast-check). */
export function fuzzGradients(runs: number): void {
  for (const [name, family] of Object.entries(families))
    it(`${name} of any shape (${runs} each)`, async () => {
      const holds = async (c: OpCase, seed: number) => {
        if (isEmpty(c)) return
        const { worst, tolerance } = await checkGradient(c, seed)
        if (!(worst < tolerance)) throw new Error(`off by ${worst} for ${JSON.stringify(c.shapes)}`)
      }
      await fc.assert(fc.asyncProperty(family, fc.nat(), holds), { numRuns: runs })
    })
}
