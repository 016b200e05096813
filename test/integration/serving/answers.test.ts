import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { promote } from '../../../src/artifacts/promotion.js'
import { publish } from '../../../src/artifacts/publish.js'
import type { Artifact } from '../../../src/artifacts/store.js'
import { probabilitiesOf } from '../../../src/models/graphs/graph-answer.js'
import type { GraphExample, GraphTarget } from '../../../src/models/graphs/graph-example.js'
import { initializeParameters } from '../../../src/models/parameters.js'
import { type AnyModel, modelNamed, models } from '../../../src/models/registry.js'
import { createTrainer } from '../../../src/models/trainer.js'
import { openServing, type Serving } from '../../../src/serving/serving.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { createLogger } from '../../../src/util/log.js'
import { freshDatabase } from '../../support/database.js'
import { publishToy, temporaryBlobs } from '../../support/published.js'
import { toyLists } from '../../support/toy-lists.js'

const { database } = await freshDatabase()
const { blobs, remove } = await temporaryBlobs()
const tools = { database, blobs, models, log: createLogger('silent'), threads: 1 }
const shape = { features: 2, queryFeatures: 1, edgeTypes: 2, hidden: 8, steps: 2 }
const kinds: Record<string, { component: string; options: Record<string, unknown>; target: GraphTarget }> = {
  'ggnn-node': { component: 'node-selector', options: shape, target: 0 },
  'ggnn-graph': { component: 'graph-classifier', options: { ...shape, labels: ['red', 'green', 'blue'] }, target: 'red' },
  'ggnn-sequence': { component: 'sequence-writer', options: { ...shape, labels: [], maxOutputs: 3 }, target: [0] },
}
/** Chains, one with a node alone, and one whose edges are a loop, doubled, or go nowhere else. */
const graphs: GraphExample[] = [1, 2, 5, 9].map((nodes) => ({
  id: `g${nodes}`,
  query: [nodes / 10],
  nodeFeatures: Array.from({ length: nodes }, (_, v) => [v / 5, v === 1 ? 1 : 0]),
  edges: [...Array.from({ length: nodes - 1 }, (_, v) => [v, v + 1] as [number, number]), [0, 0], [0, 0]],
  edgeTypes: [...Array.from({ length: nodes - 1 }, (_, v) => v % 2), 1, 1],
}))

/** The scores of training's own graphs. */
async function trainerScores(model: AnyModel, given: unknown): Promise<number[][]> {
  const options = model.options.parse(given)
  const trainer = createTrainer({ model, options, executor: ortExecutor, seed: 4, threads: 1 })
  trainer.restore({ ...trainer.state(), parameters: initializeParameters(model.parameters(options), 4) })
  const { scores } = await trainer.evaluate(model.encode(graphs, options).batch)
  await trainer.close()
  return scores
}

let serving: Serving
const artifacts: Record<string, Artifact> = {}
beforeAll(async () => {
  for (const [name, { component, options, target }] of Object.entries(kinds)) {
    const model = modelNamed(name)
    const modelOptions = model.options.parse(options)
    artifacts[name] = await publish<GraphExample>(
      { database, blobs, executor: ortExecutor },
      {
        ...{ component, model, modelOptions, metrics: {}, gates: [], now: new Date() },
        parameters: initializeParameters(model.parameters(modelOptions), 4),
        validation: graphs.map((graph) => ({ ...graph, target })),
        int8: { mode: 'required', maxDrop: 1 },
        judge: () => ({ accuracy: 1 }),
      },
    )
    await promote(database, 'production', artifacts[name].id, { now: new Date() })
  }
  await promote(database, 'production', (await publishToy(tools)).id, { now: new Date() })
  serving = await openServing(tools)
})
afterAll(async () => {
  await serving?.close()
  await remove()
})

describe.each(Object.entries(kinds))('%s', (name, { component, options }) => {
  const width = (graph: GraphExample) =>
    name === 'ggnn-graph' ? 3 : name === 'ggnn-node' ? graph.nodeFeatures.length : graph.nodeFeatures.length + 1
  it('answers with the probabilities of the trainer, alone and in company, in both layouts of a batch', async () => {
    const expected = await trainerScores(modelNamed(name), options)
    const answered = await serving.answer(graphs, { component })
    for (const [i, graph] of graphs.entries()) {
      const { id, artifactId, precision, outputs, probability } = answered[i]!
      expect({ id, artifactId, precision }).toEqual({ id: graph.id, artifactId: artifacts[name]!.id, precision: 'fp32' })
      for (const [k, choices] of outputs.entries()) {
        const best = probabilitiesOf(expected[i]!.slice(k * width(graph), (k + 1) * width(graph))).sort((a, b) => b - a)
        for (const [c, choice] of choices.entries()) expect(choice.probability).toBeCloseTo(best[c]!, 5)
        expect(choices.reduce((sum, choice) => sum + choice.probability, 0)).toBeCloseTo(1, 9)
      }
      expect(probability).toBeCloseTo(
        outputs.reduce((product, [first]) => product * first!.probability, 1),
        12,
      )
      const [alone] = await serving.answer([{ ...graph, id: 'alone' }], { component })
      expect(alone!.answer).toEqual(answered[i]!.answer)
    }
  })
  it('does not look at answers that come along, not even at impossible ones', async () => {
    const told = graphs.map((graph): GraphExample => ({ ...graph, target: 'no such label', annotations: [[[7]]] }))
    expect(await serving.answer(told, { component })).toEqual(await serving.answer(graphs, { component }))
  })
  it('answers in int8 where asked', async () => {
    const [answer] = await serving.answer(graphs.slice(0, 1), { component, precision: 'int8' })
    expect(answer!.precision).toBe('int8')
  })
})

describe('the cache', () => {
  it('keeps answers, but not those about huge graphs', async () => {
    const chain = (nodes: number): GraphExample => ({
      id: `chain of ${nodes}`,
      query: [0],
      nodeFeatures: Array.from({ length: nodes }, () => [0, 1]),
      edges: Array.from({ length: nodes - 1 }, (_, v) => [v, v + 1]),
    })
    const kept = async (nodes: number) => {
      const before = serving.statistics().cache.hits
      const [first, again] = [1, 2].map(() => () => serving.answer([chain(nodes)], { component: 'node-selector' }))
      expect(await first!()).toEqual(await again!())
      return serving.statistics().cache.hits - before
    }
    expect([await kept(4096), await kept(4097)]).toEqual([1, 0])
  })
})

describe('what cannot be answered is refused, and says why', () => {
  const [, , five] = graphs as [GraphExample, GraphExample, GraphExample]
  const refused = (change: Partial<GraphExample>) =>
    expect(serving.answer([{ ...five, ...change }], { component: 'node-selector' })).rejects
  it('an unknown edge type, another width, no query, a graph without nodes, an edge to nowhere', async () => {
    await refused({ edgeTypes: [0, 1, 2, 0, 0, 0] }).toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/example g5.*edge type 2.*0 to 1/),
    })
    await refused({ nodeFeatures: [[1], [2], [3], [4], [5]] }).toMatchObject({ message: expect.stringContaining('2 features per node') })
    await refused({ query: [] }).toMatchObject({ message: expect.stringContaining('a query of 0 numbers') })
    await refused({ nodeFeatures: [], edges: [], edgeTypes: [] }).toMatchObject({ message: expect.stringContaining('without nodes') })
    await refused({ edges: [[0, 5]], edgeTypes: [0] }).toMatchObject({ message: expect.stringContaining('node indices from 0 to 4') })
  })
  it('numbers that float32 does not hold, and features that overflow on the way', async () => {
    const rows = (value: number) => five.nodeFeatures.map(() => [value, 0])
    await refused({ nodeFeatures: rows(1e39) }).toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('beyond float32') })
    const huge = serving.answer([{ ...five, nodeFeatures: rows(3e38), edges: [...five.edges] }], { component: 'node-selector' })
    const outcome = await huge.then(
      ([answer]) => answer!.outputs[0]!.every(({ probability }) => Number.isFinite(probability)),
      (error) => error.code === 'BAD_INPUT' && error.message.includes('not finite'),
    )
    expect(outcome).toBe(true)
  })
  it('a question of another kind', async () => {
    await expect(serving.answer(graphs, { component: 'ranker' })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      remedy: expect.stringContaining('ask it to rank'),
    })
    await expect(serving.rank(toyLists(1), { component: 'node-selector' })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('not rankings'),
    })
    await expect(serving.answer(graphs, { component: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
