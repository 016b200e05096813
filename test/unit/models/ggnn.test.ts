import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { type GgnnOptions, ggnn } from '../../../src/models/ggnn.js'
import { groupFor, widestFor, widthsUpTo } from '../../../src/models/graphs/graph-layout.js'
import { initializeParameters } from '../../../src/models/parameters.js'
import type { CandidateGraph, RankingList } from '../../../src/models/rankings/ranking-list.js'
import { GraphBuilder } from '../../../src/tensor/builder.js'
import { compileForward } from '../../../src/tensor/compile.js'
import { differentiate } from '../../../src/tensor/differentiate.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { float32, type NamedTensors, numbersOf } from '../../../src/tensor/tensor.js'
import { type Rng, seeded } from '../../../src/util/random.js'

interface TorchCase {
  name: string
  options: GgnnOptions
  lists: RankingList[]
  loss: number
  scores: number[][]
  gradients: Record<string, number[]>
}
const fixture = path.join(import.meta.dirname, 'fixtures/ggnn-torch.json')
const { cases }: { cases: TorchCase[] } = JSON.parse(fs.readFileSync(fixture, 'utf8'))
const layouts = ['dense', 'sparse'] as const

/** Loss, scores and gradients of one batch. */
async function evaluate(options: GgnnOptions, lists: readonly RankingList[], parameters: NamedTensors, layout?: string, training = false) {
  const { batch, problems } = ggnn.encode(lists, options, layout)
  const b = new GraphBuilder('float32', training)
  const specs = ggnn.parameters(options)
  const values = Object.fromEntries(specs.map(({ name, shape }) => [name, b.input(name, 'float32', shape)]))
  const outputs = ggnn.forward(b, values, batch.layout, options)
  const loss = ggnn.loss(b, outputs, batch.layout, options)
  const wrt = differentiate(b, loss, Object.values(values))
  const gradients = Object.fromEntries(specs.map(({ name }, i) => [`d.${name}`, wrt[i]!]))
  const program = await ortExecutor.load(compileForward({ ...outputs, loss, ...gradients }))
  const results = await program.run({ ...batch.feeds, ...parameters })
  await program.release()
  return {
    problems,
    loss: numbersOf(results['loss']!)[0]!,
    scores: ggnn.decode(results, batch),
    gradients: Object.fromEntries(specs.map(({ name }) => [name, numbersOf(results[`d.${name}`]!)])),
  }
}

/** Tensor j, flat element k: 0.5 sin(k + 1 + j), as the fixture's script has it. */
const sines = (options: GgnnOptions): NamedTensors =>
  Object.fromEntries(
    ggnn.parameters(options).map(({ name, shape }, j) => {
      const count = shape.reduce((a, b) => a * b, 1)
      return [
        name,
        float32(
          shape,
          Array.from({ length: count }, (_, k) => 0.5 * Math.sin(k + 1 + j)),
        ),
      ]
    }),
  )

const difference = (a: readonly number[], b: readonly number[]) => {
  expect(a.length).toBe(b.length)
  return Math.max(0, ...a.map((x, i) => Math.abs(x - b[i]!) / Math.max(1, Math.abs(b[i]!))))
}

function randomGraph(rng: Rng, o: GgnnOptions, most = 9): CandidateGraph {
  const n = 1 + rng.integer(most)
  const edges = Array.from({ length: rng.integer(3 * n) }, () => [rng.integer(n), rng.integer(n)] as const)
  return {
    nodeFeatures: Array.from({ length: n }, () => Array.from({ length: o.features }, () => rng.normal())),
    edges,
    edgeTypes: edges.map(() => rng.integer(o.edgeTypes)),
    label: rng.next(),
  }
}
const randomLists = (seed: number, o: GgnnOptions, count = 4): RankingList[] => {
  const rng = seeded(seed)
  return Array.from({ length: count }, (_, q) => ({
    queryId: `${q}`,
    query: Array.from({ length: o.queryFeatures }, () => rng.normal()),
    candidates: Array.from({ length: 1 + rng.integer(5) }, () => randomGraph(rng, o)),
  }))
}
const variants: Record<string, GgnnOptions> = Object.fromEntries(
  Object.entries({
    plain: {},
    rich: { edgeTypes: 3, queryFeatures: 2, normalize: 'mean', residual: true, layerNorm: true },
    max: { pooling: 'max', weights: 'per-step' },
  }).map(([name, change]) => [name, ggnn.options.parse({ features: 3, hidden: 6, steps: 2, ...change })]),
)

describe('the GGNN against PyTorch, edge by edge in float64', () => {
  for (const { name, options: raw, lists, loss, scores, gradients } of cases) {
    const options = ggnn.options.parse(raw)
    for (const layout of layouts)
      it(`${name}, ${layout}: loss, scores and gradients`, async () => {
        const ours = await evaluate(options, lists, sines(options), layout)
        expect(ours.problems).toEqual([])
        expect(Math.abs(ours.loss - loss)).toBeLessThan(1e-5)
        expect(difference(ours.scores.flat(), scores.flat())).toBeLessThan(1e-5)
        expect(Object.keys(ours.gradients)).toEqual(Object.keys(gradients))
        for (const [parameter, expected] of Object.entries(gradients))
          expect(difference(ours.gradients[parameter]!, expected), parameter).toBeLessThan(1e-5)
      })
  }
})

describe('messages that only go along', () => {
  const change = { features: 3, hidden: 6, steps: 3, edgeTypes: 2 }
  const along = ggnn.options.parse({ ...change, directions: 'along' })
  const both = ggnn.options.parse(change)
  const lists = randomLists(31, both).map((list) => ({
    ...list,
    candidates: list.candidates.map((c) => ({ ...c, edgeDirections: c.edges.map(() => 0 as const) })),
  }))
  /** The matrices of both directions, those against it of no effect where every pair runs along. */
  const single = initializeParameters(ggnn.parameters(along), 3)
  const message = single['message.weight']!.data as Float32Array
  const block = 6 * 6
  const double = new Float32Array(4 * block).fill(0.7)
  for (const type of [0, 1]) double.set(message.subarray(type * block, (type + 1) * block), 2 * type * block)
  const parameters = { ...single, 'message.weight': float32([24, 6], double) }

  for (const layout of layouts)
    it(`are those of both directions where every pair runs along, ${layout}`, async () => {
      const [a, b] = [await evaluate(along, lists, single, layout), await evaluate(both, lists, parameters, layout)]
      expect(difference(a.scores.flat(), b.scores.flat())).toBeLessThan(1e-5)
      for (const name of Object.keys(a.gradients).filter((name) => name !== 'message.weight'))
        expect(difference(a.gradients[name]!, b.gradients[name]!), name).toBeLessThan(1e-5)
    })

  // one channel: sums come before products
  for (const normalize of ['none', 'mean'] as const)
    it(`through one matrix, ${normalize}: as with a second edge type that never occurs, gradients included`, async () => {
      const one = ggnn.options.parse({ ...change, edgeTypes: 1, directions: 'along', normalize })
      const two = ggnn.options.parse({ ...change, edgeTypes: 2, directions: 'along', normalize })
      const own = initializeParameters(ggnn.parameters(one), 9)
      const wide = new Float32Array(2 * block).fill(-0.3)
      wide.set(own['message.weight']!.data as Float32Array)
      const untyped = lists.map((list) => ({
        ...list,
        candidates: list.candidates.map((c) => ({ ...c, edgeTypes: c.edges.map(() => 0) })),
      }))
      for (const layout of layouts) {
        const a = await evaluate(one, untyped, own, layout)
        const b = await evaluate(two, untyped, { ...own, 'message.weight': float32([12, 6], wide) }, layout)
        expect(difference(a.scores.flat(), b.scores.flat())).toBeLessThan(1e-5)
        for (const name of Object.keys(a.gradients))
          expect(difference(a.gradients[name]!, b.gradients[name]!.slice(0, a.gradients[name]!.length)), name).toBeLessThan(1e-5)
      }
    })
})

describe('the first round, made from the features where they are few', () => {
  // zeros beside the features: the same sums, and too many features for the short way
  const [few, many] = [10, 40]
  const columns = (t: NamedTensors[string], filler: number) => {
    const [rows] = t.dims as [number]
    const wide = new Float32Array(rows * many).fill(filler)
    for (let r = 0; r < rows; r++) wide.set((t.data as Float32Array).subarray(r * few, (r + 1) * few), r * many)
    return float32([rows, many], wide)
  }
  const changes: Record<string, Partial<GgnnOptions>> = {
    plain: {},
    'one channel, mean': { directions: 'along', normalize: 'mean' },
    'two types, no biases': { edgeTypes: 2, bias: false },
    'weights per step, mean, norm': { weights: 'per-step', normalize: 'mean', layerNorm: true, residual: true },
  }
  for (const [name, change] of Object.entries(changes))
    for (const layout of layouts)
      it(`${name}, ${layout}: scores and gradients are those of the long way`, async () => {
        const short = ggnn.options.parse({ features: few, hidden: 40, steps: 2, ...change })
        const long = ggnn.options.parse({ ...short, features: many })
        const lists = randomLists(17, short)
        const padded = lists.map((list) => ({
          ...list,
          candidates: list.candidates.map((c) => ({
            ...c,
            nodeFeatures: c.nodeFeatures.map((row) => [...row, ...new Array<number>(many - few).fill(0)]),
          })),
        }))
        const rng = seeded(23)
        const own = Object.fromEntries(
          Object.entries(initializeParameters(ggnn.parameters(short), 5)).map(([key, t]) => [
            key,
            key.includes('bias')
              ? float32(
                  t.dims,
                  Float32Array.from(t.data as Float32Array, () => rng.normal() / 4),
                )
              : t,
          ]),
        )
        const wide = Object.fromEntries(Object.entries(own).map(([key, t]) => [key, t.dims[1] === few ? columns(t, 0.3) : t]))
        const [a, b] = [await evaluate(short, lists, own, layout, true), await evaluate(long, padded, wide, layout, true)]
        expect(difference(a.scores.flat(), b.scores.flat())).toBeLessThan(1e-5)
        for (const [key, gradient] of Object.entries(a.gradients)) {
          const [rows, width] = own[key]!.dims as [number, number]
          const expected = b.gradients[key]!
          const kept =
            width === few ? Array.from({ length: rows * few }, (_, i) => expected[Math.floor(i / few) * many + (i % few)]!) : expected
          expect(difference(gradient, kept), key).toBeLessThan(1e-5)
        }
      })
})

describe('what must not change a result', () => {
  for (const [name, options] of Object.entries(variants)) {
    const parameters = initializeParameters(ggnn.parameters(options), 7)
    const lists = randomLists(11, options)

    it(`${name}: the layout`, async () => {
      const [dense, sparse] = [await evaluate(options, lists, parameters, 'dense'), await evaluate(options, lists, parameters, 'sparse')]
      expect(Math.abs(dense.loss - sparse.loss)).toBeLessThan(1e-5)
      expect(difference(dense.scores.flat(), sparse.scores.flat())).toBeLessThan(1e-5)
      for (const parameter of Object.keys(dense.gradients))
        expect(difference(dense.gradients[parameter]!, sparse.gradients[parameter]!), parameter).toBeLessThan(1e-5)
    })

    for (const layout of layouts) {
      it(`${name}, ${layout}: company in the batch (padding)`, async () => {
        const large: RankingList = { ...lists[0]!, queryId: 'large', candidates: [randomGraph(seeded(5), options, 40)] }
        const together = await evaluate(options, [...lists, large], parameters, layout)
        for (const [i, list] of lists.entries()) {
          const alone = await evaluate(options, [list], parameters, layout)
          expect(difference(together.scores[i]!, alone.scores[0]!)).toBeLessThan(1e-5)
        }
      })

      it(`${name}, ${layout}: the order of edges and of nodes`, async () => {
        const rng = seeded(3)
        const shuffled = lists.map((list) => ({ ...list, candidates: list.candidates.map((c) => permuted(c, rng)) }))
        const [before, after] = [await evaluate(options, lists, parameters, layout), await evaluate(options, shuffled, parameters, layout)]
        expect(difference(after.scores.flat(), before.scores.flat())).toBeLessThan(1e-5)
      })
    }
  }

  function permuted(graph: CandidateGraph, rng: Rng): CandidateGraph {
    const nodes = rng.shuffle([...graph.nodeFeatures.keys()])
    const place = new Map(nodes.map((old, now) => [old, now]))
    const edges = rng.shuffle([...graph.edges.keys()])
    return {
      ...graph,
      nodeFeatures: nodes.map((v) => graph.nodeFeatures[v]! as number[]),
      edges: edges.map((e) => [place.get(graph.edges[e]![0])!, place.get(graph.edges[e]![1])!] as const),
      edgeTypes: edges.map((e) => graph.edgeTypes![e]!),
    }
  }
})

describe('every option has an effect on the scores, or (temperature) on the loss', () => {
  const base = ggnn.options.parse({ features: 3, hidden: 6, steps: 2, queryFeatures: 2, edgeTypes: 2 })
  const changes: Partial<GgnnOptions>[] = [
    { hidden: 7 },
    { steps: 3 },
    { weights: 'per-step' },
    { normalize: 'mean' },
    { residual: true },
    { layerNorm: true },
    { bias: false },
    { pooling: 'max' },
    { temperature: 2 },
    { queryFeatures: 0 },
  ]
  const lists = randomLists(17, base)
  for (const change of changes)
    it(JSON.stringify(change), async () => {
      const results = []
      for (const options of [base, { ...base, ...change }])
        results.push(await evaluate(options, lists, initializeParameters(ggnn.parameters(options), 1), 'dense'))
      expect(Math.abs(results[0]!.loss - results[1]!.loss)).toBeGreaterThan(1e-4)
    })
  it('edge types', async () => {
    const parameters = initializeParameters(ggnn.parameters(base), 1)
    const flipped = lists.map((l) => ({ ...l, candidates: l.candidates.map((c) => ({ ...c, edgeTypes: c.edgeTypes!.map((t) => 1 - t) })) }))
    const results = [await evaluate(base, lists, parameters), await evaluate(base, flipped, parameters)]
    expect(difference(results[0]!.scores.flat(), results[1]!.scores.flat())).toBeGreaterThan(1e-4)
  })
})

describe('the corners of encoding', () => {
  const options = ggnn.options.parse({ features: 2, hidden: 4, steps: 2 })
  const parameters = initializeParameters(ggnn.parameters(options), 1)
  const node = [1, -1]

  for (const layout of layouts) {
    it(`${layout}: self-loops, one node, no nodes`, async () => {
      const candidates: CandidateGraph[] = [
        { nodeFeatures: [node], edges: [[0, 0]], label: 1 },
        { nodeFeatures: [node], edges: [], label: 0 },
        { nodeFeatures: [], edges: [], label: 0 },
      ]
      const { loss, scores, problems } = await evaluate(options, [{ queryId: 'q', candidates }], parameters, layout)
      expect(problems).toEqual([])
      expect(Number.isFinite(loss)).toBe(true)
      expect(scores[0]![2]).toBe(0)
      expect(scores[0]![0]).not.toBe(scores[0]![1])
    })
    it(`${layout}: an empty list has no scores, 0 loss and a problem`, async () => {
      const empty: RankingList = { queryId: 'none', candidates: [] }
      const alone = await evaluate(options, [empty], parameters, layout)
      expect(alone.problems).toMatchObject([{ code: 'empty-list', where: 'list none' }])
      expect(alone.loss).toBeCloseTo(0, 12)
      expect(alone.scores).toEqual([[]])
      const full: RankingList = {
        queryId: 'full',
        candidates: [
          { nodeFeatures: [node], edges: [], label: 1 },
          { nodeFeatures: [node, node], edges: [[0, 1]], label: 0 },
        ],
      }
      const [mixed, without] = [
        await evaluate(options, [empty, full], parameters, layout),
        await evaluate(options, [full], parameters, layout),
      ]
      expect(mixed.loss).toBeCloseTo(without.loss, 6)
      expect(mixed.scores.map((s) => s.length)).toEqual([0, 2])
    })
  }

  it('reports what does not fit, and leaves that list out', () => {
    const bad: RankingList = {
      queryId: 'bad',
      candidates: [
        {
          id: 'c',
          nodeFeatures: [
            [1, 2, 3],
            [Number.NaN, 1],
          ],
          edges: [[0, 5]],
          edgeTypes: [4],
          edgeDirections: [0, 1],
        },
      ],
    }
    const { batch, problems } = ggnn.encode([bad], options)
    expect(problems.map((p) => p.code).sort()).toEqual(['edge-bounds', 'edge-directions', 'edge-type', 'feature-width', 'not-finite'])
    expect(problems.every((p) => p.where === 'list bad, candidate c')).toBe(true)
    expect(batch.counts).toEqual([0])
  })

  it('chooses dense for small graphs and sparse for a large one', () => {
    const graph = (n: number): CandidateGraph => ({ nodeFeatures: Array.from({ length: n }, () => node), edges: [] })
    const layoutOf = (n: number) => ggnn.encode([{ queryId: 'q', candidates: [graph(n)] }], options).batch.layout
    expect(layoutOf(20)).toBe('dense')
    expect(layoutOf(5000)).toMatch(/^sparse:/)
    const uneven = [200, ...new Array(40).fill(10)].map(graph)
    expect(ggnn.encode([{ queryId: 'q', candidates: uneven }], options).batch.layout).toMatch(/^sparse:/)
  })

  it('puts every degree into the narrowest group that holds it', () => {
    for (let degree = 1; degree < 3000; degree++) {
      const width = groupFor(degree)
      expect(width).toBeGreaterThanOrEqual(degree)
      expect(widthsUpTo(width).at(-1)).toBe(width)
      expect(widthsUpTo(width).filter((w) => w >= degree)).toEqual([width])
      expect(widthsUpTo(widestFor(degree))).toContain(width)
    }
  })
})
