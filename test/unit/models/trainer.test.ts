import { afterEach, describe, expect, it } from 'vitest'
import { ggnn } from '../../../src/models/ggnn.js'
import type { GraphExample } from '../../../src/models/graphs/graph-example.js'
import type { TypedGraph } from '../../../src/models/graphs/typed-graph.js'
import type { ExampleKind } from '../../../src/models/model.js'
import type { RankingList } from '../../../src/models/rankings/ranking-list.js'
import { models } from '../../../src/models/registry.js'
import { createTrainer, decodeTrainerState, encodeTrainerState, type Trainer, type TrainerOptions } from '../../../src/models/trainer.js'
import { optimizers } from '../../../src/tensor/optimizers.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import type { NamedTensors } from '../../../src/tensor/tensor.js'
import { seeded } from '../../../src/util/random.js'

const options = { features: 4, hidden: 12, steps: 2 }
const parsed = ggnn.options.parse(options)

/** The right candidate is the one with a cycle through a marked node. */
function learnable(seed: number, count: number): RankingList[] {
  const rng = seeded(seed)
  return Array.from({ length: count }, (_, q) => ({
    queryId: `${q}`,
    candidates: Array.from({ length: 4 }, (_, k) => {
      const n = 3 + rng.integer(4)
      const good = k === q % 4
      return {
        nodeFeatures: Array.from({ length: n }, (_, v) => [v === 0 ? 1 : 0, rng.next(), rng.next(), 1]),
        edges: Array.from({ length: n - 1 }, (_, v) => (good && v === 0 ? ([0, 0] as const) : ([v, v + 1] as const))),
        label: good ? 1 : 0,
      }
    }),
  }))
}
const batches = [1, 2, 3].map((seed) => ggnn.encode(learnable(seed, 6), parsed, seed === 2 ? 'sparse' : 'dense').batch)

const open: Trainer[] = []
const trainer = (change: Partial<TrainerOptions<unknown>> = {}) => {
  const made = createTrainer({ model: ggnn, options, executor: ortExecutor, seed: 5, ...change } as TrainerOptions<typeof parsed>)
  open.push(made)
  return made
}
afterEach(async () => {
  for (const t of open.splice(0)) await t.close()
})
const bits = (named: NamedTensors) =>
  Object.fromEntries(
    Object.entries(named).map(([name, t]) => [name, Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength).toString('hex')]),
  )

async function train(t: Trainer, from: number, to: number, learningRate = 0.01) {
  const losses = []
  for (let i = from; i < to; i++) losses.push(await t.step(batches[i % batches.length]!, { learningRate }))
  return losses
}

describe('training the GGNN', () => {
  it('lowers the loss and finds the right candidates of lists it has not seen', async () => {
    const t = trainer()
    const unseen = ggnn.encode(learnable(99, 20), parsed).batch
    const before = await t.evaluate(unseen)
    await train(t, 0, 90)
    const after = await t.evaluate(unseen)
    // ListNet's least value is the entropy of its target, softmax of [1, 0, 0, 0]
    const target = [1, 0, 0, 0].map((y) => Math.exp(y) / (Math.E + 3))
    const least = -target.reduce((sum, p) => sum + p * Math.log(p), 0)
    expect(before.loss - least).toBeGreaterThan(0.1)
    expect(after.loss - least).toBeLessThan(0.02)
    const hits = after.scores.filter((scores, q) => scores.indexOf(Math.max(...scores)) === q % 4).length
    expect(hits).toBeGreaterThan(15)
  })

  for (const name of Object.keys(optimizers))
    it(`lowers the loss with ${name}`, async () => {
      const t = trainer({ optimizer: { name } })
      const rate = name === 'sgd' ? 0.05 : 0.003
      const start = (await t.evaluate(batches[0]!)).loss
      for (let i = 0; i < 15; i++) await t.step(batches[0]!, { learningRate: rate })
      expect((await t.evaluate(batches[0]!)).loss).toBeLessThan(start - 0.005)
    })

  it('reports the loss of the parameters before the update, as evaluate does', async () => {
    const t = trainer()
    for (const batch of batches) {
      const { loss } = await t.evaluate(batch)
      expect((await t.step(batch, { learningRate: 0.01 })).loss).toBeCloseTo(loss, 5)
    }
  })

  it('gives the same bits for the same seed and threads, and others for another seed', async () => {
    const [a, b, c] = [trainer(), trainer(), trainer({ seed: 6 })]
    const [losses, again] = [await train(a, 0, 8), await train(b, 0, 8)]
    expect(again).toEqual(losses)
    expect(bits(b.parameters())).toEqual(bits(a.parameters()))
    expect(bits(c.parameters())).not.toEqual(bits(trainer().parameters()))
  })

  it('resumes to the same bits through bytes, for every optimizer', async () => {
    for (const name of Object.keys(optimizers)) {
      const through = trainer({ optimizer: { name }, clipNorm: 0.5 })
      await train(through, 0, 4)
      const bytes = encodeTrainerState(through.state())
      await train(through, 4, 9)
      const resumed = trainer({ optimizer: { name }, clipNorm: 0.5, seed: 77 })
      resumed.restore(decodeTrainerState(bytes))
      await train(resumed, 4, 9)
      expect(bits(resumed.parameters()), name).toEqual(bits(through.parameters()))
      expect(Buffer.compare(encodeTrainerState(resumed.state()), encodeTrainerState(through.state())), name).toBe(0)
    }
  })

  it('drops in training only, other nodes each step, and resumes to the same bits', async () => {
    const dropping = { options: { ...options, dropout: 0.5 }, optimizer: { name: 'sgd', momentum: 0 } }
    const [free, t] = [trainer({ optimizer: dropping.optimizer }), trainer(dropping)]
    const batch = batches[0]!
    expect(await t.evaluate(batch)).toEqual(await free.evaluate(batch))
    const losses: number[] = []
    for (let i = 0; i < 4; i++) losses.push((await t.step(batch, { learningRate: 0 })).loss)
    expect(new Set(losses).size).toBe(4)
    const state = decodeTrainerState(encodeTrainerState(t.state()))
    const resumed = trainer(dropping)
    resumed.restore(state)
    expect(await train(resumed, 4, 8)).toEqual(await train(t, 4, 8))
    expect(bits(resumed.parameters())).toEqual(bits(t.parameters()))
  })

  it('hands out copies', async () => {
    const t = trainer()
    const taken = t.parameters()
    const before = bits(taken)
    await train(t, 0, 2)
    expect(bits(taken)).toEqual(before)
    for (const p of Object.values(taken)) p.data.fill(0 as never)
    expect((await t.evaluate(batches[0]!)).scores.flat().some((s) => s !== 0)).toBe(true)
  })

  it('clips: the first SGD step of a clipped gradient is the unclipped one scaled', async () => {
    const sgd = { optimizer: { name: 'sgd', momentum: 0 } }
    const [free, clipped] = [trainer(sgd), trainer({ ...sgd, clipNorm: 0.01 })]
    const start = free.parameters()
    const { gradientNorm } = await free.step(batches[0]!, { learningRate: 1 })
    expect((await clipped.step(batches[0]!, { learningRate: 1 })).gradientNorm).toBeCloseTo(gradientNorm, 6)
    expect(gradientNorm).toBeGreaterThan(0.01)
    const scale = 0.01 / (gradientNorm + 1e-6)
    const [a, b] = [free.parameters(), clipped.parameters()]
    for (const [name, { data }] of Object.entries(start) as [string, { data: Float32Array }][])
      data.forEach((w, i) => {
        expect(Number(b[name]!.data[i]) - w).toBeCloseTo((Number(a[name]!.data[i]) - w) * scale, 5)
      })
  })
})

describe('misuse is refused with a reason', () => {
  it.each([
    [{ optimizer: { name: 'adamm' } }, 'optimizer "adamm" is not one of adam, adamw, sgd, rmsprop'],
    [{ optimizer: { name: 'adam', beta1: 2 } }, 'options of optimizer adam'],
    [{ options: { hiden: 3 } }, 'hiden'],
    [{ clipNorm: 0 }, 'clipNorm 0 came'],
  ])('%j', (change, message) => {
    expect(() => trainer(change as never)).toThrow(message)
  })
  it('a state of other options or of another optimizer', () => {
    const state = trainer().state()
    expect(() => trainer({ options: { ...options, hidden: 13 } }).restore(state)).toThrow(
      'parameter "input.weight" is float32[12,4], expected float32[13,4]',
    )
    expect(() => trainer({ optimizer: { name: 'sgd' } }).restore(state)).toThrow('optimizer adam, the trainer has sgd')
  })
  it('a batch of other options', async () => {
    const other = ggnn.encode([], ggnn.options.parse({ features: 9 })).batch
    await expect(trainer().step(other, { learningRate: 0.1 })).rejects.toThrow(
      'input "node_features": float32[1, 4, 9] came, float32[B, n, 4] was expected',
    )
  })
})

describe('every model of the registry', () => {
  for (const model of Object.values(models))
    it(`${model.name}: has documented options with defaults and a step that trains`, async () => {
      const defaults = model.options.parse({})
      const shape = (model.options as unknown as { shape: Record<string, { description?: string }> }).shape
      for (const [name, option] of Object.entries(shape)) expect(option.description, name).toBeTruthy()
      const rng = seeded(1)
      const graph = (): TypedGraph => ({
        nodeFeatures: [1, 2, 3].map(() => Array.from({ length: defaults.features }, () => rng.normal())),
        edges: [[0, 1]],
      })
      const asked: Record<ExampleKind, () => RankingList | GraphExample> = {
        ranking: () => ({ queryId: 'q', candidates: [1, 0].map((label) => ({ ...graph(), label })) }),
        node: () => ({ id: 'q', ...graph(), target: 1 }),
        graph: () => ({ id: 'q', ...graph(), target: 'true' }),
        sequence: () => ({ id: 'q', ...graph(), target: [2, 0] }),
      }
      const t = trainer({ model, options: {} } as never)
      const { batch, problems } = model.encode([asked[model.examples]()], defaults)
      expect(problems).toEqual([])
      const first = await t.step(batch, { learningRate: 0.01 })
      for (let i = 0; i < 10; i++) await t.step(batch, { learningRate: 0.01 })
      expect((await t.evaluate(batch)).loss).toBeLessThan(first.loss)
    })
})
