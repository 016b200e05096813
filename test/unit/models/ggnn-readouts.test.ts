import ort from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { exportForward } from '../../../src/models/export.js'
import { ggnnGraph } from '../../../src/models/ggnn/ggnn-graph.js'
import { ggnnNode } from '../../../src/models/ggnn/ggnn-node.js'
import { decodeSequence, ggnnSequence } from '../../../src/models/ggnn/ggnn-sequence.js'
import type { GraphExample } from '../../../src/models/graphs/graph-example.js'
import type { Model } from '../../../src/models/model.js'
import { initializeParameters } from '../../../src/models/parameters.js'
import { GraphBuilder } from '../../../src/tensor/builder.js'
import { compileForward } from '../../../src/tensor/compile.js'
import { differentiate } from '../../../src/tensor/differentiate.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { type NamedTensors, numbersOf, tensor } from '../../../src/tensor/tensor.js'
import { type Rng, seeded } from '../../../src/util/random.js'

// biome-ignore lint/suspicious/noExplicitAny: models of different options, each parsed by its own schema
type AnyReadout = Model<any, GraphExample>
type Options = Record<string, unknown>

const labels = ['a', 'b', 'c']
const layouts = ['dense', 'sparse'] as const

/** A random graph with a question about it, as each read-out asks it. */
function randomExample(rng: Rng, id: string, most = 7): GraphExample {
  const n = 2 + rng.integer(most - 1)
  const edges = Array.from({ length: rng.integer(2 * n) }, () => [rng.integer(n), rng.integer(n)] as const)
  return {
    id,
    query: [rng.normal(), rng.normal()],
    nodeFeatures: Array.from({ length: n }, () => Array.from({ length: 3 }, () => rng.next())),
    edges,
    edgeTypes: edges.map(() => rng.integer(2)),
  }
}
const targets: Record<string, (rng: Rng, n: number) => GraphExample['target']> = {
  node: (rng, n) => rng.integer(n),
  graph: (rng) => labels[rng.integer(3)]!,
  nodes: (rng, n) => Array.from({ length: rng.integer(4) }, () => rng.integer(n)),
  labels: (rng) => Array.from({ length: rng.integer(4) }, () => labels[rng.integer(3)]!),
}
function randomExamples(seed: number, asked: string, count = 5): GraphExample[] {
  const rng = seeded(seed)
  return Array.from({ length: count }, (_, i) => {
    const example = randomExample(rng, `${i}`)
    const target = targets[asked]!(rng, example.nodeFeatures.length)!
    const annotations = Array.from({ length: rng.integer(3) }, () => example.nodeFeatures.map(() => [0, 0, 0].map(() => rng.integer(2))))
    return { ...example, target, ...(Array.isArray(target) ? { annotations } : {}) }
  })
}

const base = { features: 3, queryFeatures: 2, edgeTypes: 2, hidden: 4, steps: 2 }
const cases: { name: string; model: AnyReadout; options: Options; asked: string }[] = [
  { name: 'node', model: ggnnNode, options: base, asked: 'node' },
  { name: 'graph', model: ggnnGraph, options: { ...base, labels }, asked: 'graph' },
  { name: 'graph, max, no biases', model: ggnnGraph, options: { ...base, labels, pooling: 'max', bias: false }, asked: 'graph' },
  { name: 'sequence of nodes', model: ggnnSequence, options: { ...base, maxOutputs: 4 }, asked: 'nodes' },
  {
    name: 'sequence of labels, two propagation models',
    model: ggnnSequence,
    options: { ...base, labels, maxOutputs: 4, sharedPropagation: false },
    asked: 'labels',
  },
  {
    name: 'sequence of nodes, observed annotations',
    model: ggnnSequence,
    options: { ...base, maxOutputs: 4, annotations: 'observed' },
    asked: 'nodes',
  },
]

interface Evaluated {
  loss: number
  scores: number[][]
  gradients: Record<string, number[]>
  codes: string[]
  counts: readonly number[]
}

const asFloat = (float: 'float32' | 'float64', named: NamedTensors): NamedTensors =>
  Object.fromEntries(
    Object.entries(named).map(([name, t]) => [name, t.type === 'float32' ? tensor(float, t.dims, numbersOf(t)) : t]),
  ) as NamedTensors

/** Loss, scores and gradients of a batch; `training` forces annotations where they are given. */
async function evaluate(
  model: AnyReadout,
  given: Options,
  examples: readonly GraphExample[],
  parameters: NamedTensors,
  { layout = 'dense', training = false, float = 'float32' as 'float32' | 'float64', withGradients = true } = {},
): Promise<Evaluated> {
  const options = model.options.parse(given)
  const { batch, problems } = model.encode(examples, options, layout)
  const b = new GraphBuilder(float, training)
  const specs = model.parameters(options)
  const values = Object.fromEntries(specs.map(({ name, shape }) => [name, b.input(name, float, shape)]))
  const outputs = model.forward(b, values, batch.layout, options)
  const loss = model.loss(b, outputs, batch.layout, options)
  const wrt = withGradients ? differentiate(b, loss, Object.values(values)) : []
  const gradients = Object.fromEntries(wrt.map((g, i) => [`d.${specs[i]!.name}`, g]))
  const program = await ortExecutor.load(compileForward({ ...outputs, loss, ...gradients }), { threads: 1 })
  const results = await program.run(asFloat(float, { ...batch.feeds, ...parameters }))
  await program.release()
  return {
    loss: numbersOf(results['loss']!)[0]!,
    scores: model.decode(results, batch),
    gradients: Object.fromEntries(wrt.map((_, i) => [specs[i]!.name, numbersOf(results[`d.${specs[i]!.name}`]!)])),
    codes: problems.map((p) => p.code),
    counts: batch.counts,
  }
}

const start = (model: AnyReadout, options: Options, seed = 7) => initializeParameters(model.parameters(model.options.parse(options)), seed)

const difference = (a: readonly number[], b: readonly number[]) => {
  expect(a.length).toBe(b.length)
  return Math.max(0, ...a.map((x, i) => Math.abs(x - b[i]!) / Math.max(1, Math.abs(b[i]!))))
}

/** The graph with its nodes and edges in another order; nodes that are answers follow. */
function permuted(example: GraphExample, rng: Rng): { example: GraphExample; place: number[] } {
  const order = rng.shuffle([...example.nodeFeatures.keys()])
  const place = order.map((_, old) => order.indexOf(old))
  const edges = rng.shuffle([...example.edges.keys()])
  const { target } = example
  const moved =
    typeof target === 'number'
      ? place[target]!
      : Array.isArray(target) && typeof target[0] === 'number'
        ? target.map((v) => place[v]!)
        : target!
  return {
    place,
    example: {
      ...example,
      nodeFeatures: order.map((v) => example.nodeFeatures[v]! as number[]),
      edges: edges.map((e) => [place[example.edges[e]![0]]!, place[example.edges[e]![1]]!] as const),
      edgeTypes: edges.map((e) => example.edgeTypes![e]!),
      target: moved,
      ...(example.annotations && { annotations: example.annotations.map((rows) => order.map((v) => rows[v]!)) }),
    },
  }
}

describe.each(cases)('read-out: $name', ({ model, options, asked }) => {
  const examples = randomExamples(11, asked)
  const parameters = start(model, options)
  const choosesNodes = asked === 'node' || asked === 'nodes'

  it('both layouts agree in loss, scores and gradients', async () => {
    const [dense, sparse] = [
      await evaluate(model, options, examples, parameters),
      await evaluate(model, options, examples, parameters, { layout: 'sparse' }),
    ]
    expect(dense.codes).toEqual([])
    expect(Math.abs(dense.loss - sparse.loss)).toBeLessThan(1e-5)
    expect(difference(dense.scores.flat(), sparse.scores.flat())).toBeLessThan(1e-5)
    for (const name of Object.keys(dense.gradients))
      expect(difference(dense.gradients[name]!, sparse.gradients[name]!), name).toBeLessThan(1e-5)
  })

  for (const layout of layouts) {
    it(`${layout}: alone or in a batch of larger graphs, the scores are the same`, async () => {
      const large = { ...randomExample(seeded(5), 'large', 30), target: examples[0]!.target! }
      const how = { layout, withGradients: false }
      const together = await evaluate(model, options, [...examples, large], parameters, how)
      for (const [i, example] of examples.entries()) {
        const alone = await evaluate(model, options, [example], parameters, how)
        expect(difference(together.scores[i]!, alone.scores[0]!)).toBeLessThan(1e-5)
      }
    })

    it(`${layout}: the order of nodes and edges does not matter`, async () => {
      const rng = seeded(3)
      const moved = examples.map((example) => permuted(example, rng))
      const how = { layout, withGradients: false }
      const before = await evaluate(model, options, examples, parameters, how)
      const after = await evaluate(
        model,
        options,
        moved.map((m) => m.example),
        parameters,
        how,
      )
      expect(Math.abs(after.loss - before.loss)).toBeLessThan(1e-5)
      for (const [i, scores] of before.scores.entries()) {
        // among nodes each score goes where its node went; the end and labels stay
        const width = before.counts[i]!
        const place = (at: number) => moved[i]!.place[at] ?? at
        const back = scores.map((_, j) => {
          const [step, at] = [Math.floor(j / width), j % width]
          return after.scores[i]![step * width + (choosesNodes ? place(at) : at)]!
        })
        expect(difference(back, scores)).toBeLessThan(1e-5)
      }
    })
  }

  for (const training of [false, true])
    it(`gradients are those of finite differences${training ? ', annotations forced' : ''}`, async () => {
      const few = examples.slice(0, 3)
      const { gradients } = await evaluate(model, options, few, parameters, { float: 'float64', training })
      const parsed = model.options.parse(options)
      const { batch } = model.encode(few, parsed, 'dense')
      const b = new GraphBuilder('float64', training)
      const values = Object.fromEntries(model.parameters(parsed).map(({ name, shape }) => [name, b.input(name, 'float64', shape)]))
      const outputs = model.forward(b, values, 'dense', parsed)
      const program = await ortExecutor.load(compileForward({ loss: model.loss(b, outputs, 'dense', parsed) }), { threads: 1 })
      const feeds = asFloat('float64', { ...batch.feeds, ...parameters })
      const lossAt = async () => numbersOf((await program.run(feeds))['loss']!)[0]!
      const rng = seeded(2)
      for (const [name, gradient] of Object.entries(gradients)) {
        const data = feeds[name]!.data as Float64Array
        for (const k of new Set([rng.integer(data.length), rng.integer(data.length), rng.integer(data.length)])) {
          const value = data[k]!
          data[k] = value + 1e-5
          const above = await lossAt()
          data[k] = value - 1e-5
          const below = await lossAt()
          data[k] = value
          expect(Math.abs((above - below) / 2e-5 - gradient[k]!), `${name}[${k}]`).toBeLessThan(1e-7)
        }
      }
      await program.release()
    })

  it('an example that cannot be used counts nothing, and says why', async () => {
    const bad: GraphExample[] = [
      { ...examples[0]!, id: 'wide', nodeFeatures: [[1]], edges: [], edgeTypes: [] },
      { ...examples[0]!, id: 'empty', nodeFeatures: [], edges: [], edgeTypes: [] },
      { ...examples[0]!, id: 'target', target: asked === 'graph' ? 'd' : asked === 'node' ? 99 : [99] },
      { ...examples[0]!, id: 'no query', query: [1] },
    ]
    const alone = await evaluate(model, options, examples, parameters, { withGradients: false })
    const mixed = await evaluate(model, options, [...bad, ...examples], parameters, { withGradients: false })
    for (const code of ['feature-width', 'no-nodes', 'target', 'query-width']) expect(mixed.codes).toContain(code)
    expect(mixed.counts.slice(0, bad.length)).toEqual(bad.map(() => 0))
    expect(mixed.scores.slice(0, bad.length)).toEqual(bad.map(() => []))
    expect(Math.abs(mixed.loss - alone.loss)).toBeLessThan(1e-5)
    const none = await evaluate(model, options, bad, parameters)
    expect(Math.abs(none.loss)).toBe(0)
    expect(
      Object.values(none.gradients)
        .flat()
        .every((g) => g === 0),
    ).toBe(true)
  })

  // The sparse file has a table for every degree there may be, which takes seconds to open: one kind of each is enough.
  for (const layout of asked === 'labels' || options['bias'] === false || options['annotations'] ? layouts.slice(0, 1) : layouts)
    it(`${layout}: exported, plain onnxruntime gives the same scores`, async () => {
      const parsed = model.options.parse(options)
      const exported = model.exportLayouts!(parsed).find((each) => each.startsWith(layout))!
      const bytes = exportForward(model, options, parameters, { layout: exported })
      const session = await ort.InferenceSession.create(bytes)
      const { batch } = model.encode(
        examples.map(({ target: _, annotations: __, ...asked }) => asked),
        parsed,
        exported,
      )
      const feeds = Object.fromEntries(
        session.inputNames.map((name) => [
          name,
          new ort.Tensor(batch.feeds[name]!.type as 'float32', batch.feeds[name]!.data as Float32Array, batch.feeds[name]!.dims),
        ]),
      )
      const outputs = await session.run(feeds)
      const scores = { type: 'float32' as const, dims: outputs['scores']!.dims, data: outputs['scores']!.data as Float32Array }
      const expected = await evaluate(model, options, examples, parameters, { layout, withGradients: false })
      expect(difference(model.decode({ scores }, batch).flat(), expected.scores.flat())).toBeLessThan(1e-5)
      await session.release()
    })
})

describe('every option has an effect', () => {
  const changes: Options[] = [
    { hidden: 5 },
    { steps: 3 },
    { weights: 'per-step' },
    { normalize: 'mean' },
    { residual: true },
    { layerNorm: true },
    { bias: false },
    { queryFeatures: 0 },
  ]
  const own: Record<string, Options[]> = {
    graph: [{ pooling: 'max' }, { labels: ['c', 'b', 'a'] }],
    nodes: [{ pooling: 'max' }, { sharedPropagation: false }, { annotations: 'observed' }],
    labels: [{ labels: ['c', 'b', 'a'] }],
  }
  for (const { name, model, options, asked } of [cases[0]!, cases[1]!, cases[3]!, cases[4]!])
    it.each([...changes, ...(own[asked] ?? [])])(`${name}: %j`, async (change) => {
      const examples = randomExamples(17, asked, 8)
      const changed = { ...options, ...change }
      const how = { training: true, withGradients: false }
      const before = await evaluate(model, options, examples, start(model, options, 1), how)
      const after = await evaluate(model, changed, examples, start(model, changed, 1), how)
      expect(Math.abs(before.loss - after.loss)).toBeGreaterThan(1e-5)
    })

  it('dropout zeroes states in training alone', async () => {
    const parsed = ggnnNode.options.parse({ ...base, dropout: 0.5 })
    const build = (training: boolean) => {
      const b = new GraphBuilder('float32', training)
      const values = Object.fromEntries(ggnnNode.parameters(parsed).map(({ name, shape }) => [name, b.input(name, 'float32', shape)]))
      return compileForward(ggnnNode.forward(b, values, 'dense', parsed)).inputs.map((input) => input.name)
    }
    expect(build(true).filter((name) => name.startsWith('uniform.'))).toHaveLength(1)
    expect(build(false).filter((name) => name.startsWith('uniform.'))).toHaveLength(0)
  })

  it('without biases, nodes that nothing has reached are alike, whatever their neighbours', async () => {
    const options = { ...base, queryFeatures: 0, bias: false }
    const blank = {
      id: 'x',
      nodeFeatures: [
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
      ],
      edges: [[0, 1]] as const,
      edgeTypes: [0],
      target: 0,
    }
    const scoresWith = async (bias: boolean) =>
      (await evaluate(ggnnNode, { ...options, bias }, [blank], start(ggnnNode, { ...options, bias }), { withGradients: false })).scores[0]!
    const [a, b, c] = await scoresWith(false)
    expect([b, c]).toEqual([a, a])
    const [x, , z] = await scoresWith(true)
    expect(Math.abs(x! - z!)).toBeGreaterThan(1e-4)
  })
})

describe('sequences', () => {
  const options = { ...base, maxOutputs: 4 }
  const parameters = start(ggnnSequence, options)
  const example = { ...randomExamples(23, 'nodes', 1)[0]!, target: [1] }
  const lossOf = async (target: number[], more: Options = {}) =>
    (await evaluate(ggnnSequence, { ...options, ...more }, [{ ...example, target }], parameters, { withGradients: false })).loss

  it('outputs after the end count nothing: room for more changes neither the loss nor the scores before', async () => {
    const [short, long] = [
      await evaluate(ggnnSequence, options, [example], parameters),
      await evaluate(ggnnSequence, { ...options, maxOutputs: 7 }, [example], parameters),
    ]
    expect(Math.abs(short.loss - long.loss)).toBeLessThan(1e-6)
    expect(difference(long.scores[0]!.slice(0, short.scores[0]!.length), short.scores[0]!)).toBeLessThan(1e-6)
  })

  it('the loss is the sum over outputs and the end, and a sequence without outputs has only the end', async () => {
    const { scores, counts } = await evaluate(ggnnSequence, options, [example], parameters)
    const width = counts[0]!
    const surprise = (step: number, choice: number) => {
      const row = scores[0]!.slice(step * width, (step + 1) * width)
      return Math.log(row.reduce((sum, s) => sum + Math.exp(s), 0)) - row[choice]!
    }
    const end = width - 1
    expect(await lossOf([1])).toBeCloseTo(surprise(0, 1) + surprise(1, end), 5)
    expect(await lossOf([])).toBeCloseTo(surprise(0, end), 5)
    expect(await lossOf([0, 1, 0])).toBeCloseTo(surprise(0, 0) + surprise(1, 1) + surprise(2, 0) + surprise(3, end), 5)
  })

  it('observed annotations steer later outputs in training, and are predicted when asked', async () => {
    const observed = { ...options, annotations: 'observed' }
    const weights = start(ggnnSequence, observed)
    const rows = (value: number) => [example.nodeFeatures.map(() => [value, value, value])]
    const scoresOf = async (value: number, training: boolean) =>
      (await evaluate(ggnnSequence, observed, [{ ...example, annotations: rows(value) }], weights, { training, withGradients: false }))
        .scores[0]!
    const [zeros, ones] = [await scoresOf(0, true), await scoresOf(1, true)]
    const width = example.nodeFeatures.length + 1
    expect(difference(zeros.slice(0, width), ones.slice(0, width))).toBe(0)
    expect(difference(zeros.slice(width, 2 * width), ones.slice(width, 2 * width))).toBeGreaterThan(1e-3)
    expect(difference(await scoresOf(0, false), await scoresOf(1, false))).toBe(0)
  })

  it('a longer sequence than there is room for, and bad annotations, are told', () => {
    const codes = (change: Partial<GraphExample>, more: Options = {}) =>
      ggnnSequence.encode([{ ...example, ...change }], ggnnSequence.options.parse({ ...options, ...more })).problems.map((p) => p.code)
    expect(codes({ target: [0, 0, 0, 0] })).toEqual(['sequence-too-long'])
    expect(codes({ target: 1 })).toEqual(['target'])
    expect(codes({ annotations: [[[1]]] })).toEqual([])
    expect(codes({ annotations: [[[1]]] }, { annotations: 'observed' })).toEqual(['annotations'])
  })

  it('reads a sequence off the scores up to the end', () => {
    expect(decodeSequence([5, 1, 0, 1, 5, 0, 0, 1, 5, 9, 0, 0], 3)).toEqual([0, 1])
    expect(decodeSequence([0, 1, 2], 3)).toEqual([])
    expect(decodeSequence([], 3)).toEqual([])
  })
})
