import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterEach, describe, expect, it } from 'vitest'
import { ggnn } from '../../../src/models/ggnn.js'
import type { Batch } from '../../../src/models/model.js'
import type { RankingList } from '../../../src/models/rankings/ranking-list.js'
import { createTrainer, decodeTrainerState, encodeTrainerState, type Trainer, type TrainerOptions } from '../../../src/models/trainer.js'
import { optimizers } from '../../../src/tensor/optimizers.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import type { NamedTensors } from '../../../src/tensor/tensor.js'
import type { TrainingEvent } from '../../../src/training/events.js'
import { rankingTask } from '../../../src/training/jobs/learning-task.js'
import type { TrainingRequest } from '../../../src/training/plan.js'
import { train } from '../../../src/training/train.js'
import { toyLists } from '../../support/toy-lists.js'

const dist = path.resolve(import.meta.dirname, '../../../dist')
const options = { features: 4, hidden: 24, steps: 2 }
const parsed = ggnn.options.parse(options)
const lists = toyLists(24, { nodes: [3, 9] })
const encode = (from: number, to: number, layout = 'dense') => ggnn.encode(lists.slice(from, to), parsed, layout).batch
const whole = encode(0, 24)
/** The same lists in parts of unequal size and of both layouts. */
const parts = [encode(0, 5), encode(5, 12, 'sparse'), encode(12, 13), encode(13, 20), encode(20, 24)]

const open: Trainer[] = []
type Change = Partial<TrainerOptions<typeof parsed>>
const trainer = (change: Change = {}): Trainer => {
  const made = createTrainer({ model: ggnn, options, executor: ortExecutor, seed: 5, ...change })
  open.push(made)
  return made
}
afterEach(async () => {
  for (const t of open.splice(0)) await t.close()
})

const bitsOf = (named: NamedTensors) =>
  Object.fromEntries(
    Object.entries(named).map(([name, t]) => [name, Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength).toString('hex')]),
  )
async function steps(t: Trainer, batch: Batch | readonly Batch[], count: number, learningRate = 0.01) {
  const results = []
  for (let i = 0; i < count; i++) results.push(await t.step(batch, { learningRate }))
  return results
}
/** |a - b| / max(1, |b|) at most, over all parameters. */
const distance = (a: NamedTensors, b: NamedTensors) => {
  const far = Object.entries(b).flatMap(([name, t]) =>
    Array.from(t.data as Float32Array, (x, i) => Math.abs(Number(a[name]!.data[i]) - x) / Math.max(1, Math.abs(x))),
  )
  return Math.max(...far)
}

describe('parts of a batch', () => {
  for (const workers of [0, 1, 2, 3])
    it(`${workers} workers: give the gradient of the whole batch`, async () => {
      // plain descent: the parameters after one step are the start minus the gradient
      const sgd: Change = { optimizer: { name: 'sgd', momentum: 0 }, threads: Math.max(1, workers) }
      const [one, many] = [trainer(sgd), trainer({ ...sgd, workers })]
      const [a] = await steps(one, whole, 1, 1)
      const [b] = await steps(many, parts, 1, 1)
      expect(b!.loss).toBeCloseTo(a!.loss, 5)
      expect(b!.gradientNorm).toBeCloseTo(a!.gradientNorm, 5)
      expect(distance(many.parameters(), one.parameters())).toBeLessThan(1e-5)
    })

  it('count by their examples: a list without candidates counts nothing', async () => {
    const empty = ggnn.encode([{ queryId: 'empty', candidates: [] }], parsed).batch
    const [one, many] = [trainer(), trainer({ workers: 2 })]
    const [a] = await steps(one, whole, 1)
    const [b] = await steps(many, [...parts, empty], 1)
    expect(b!.loss).toBeCloseTo(a!.loss, 5)
    expect(distance(many.parameters(), one.parameters())).toBeLessThan(1e-5)
    expect((await steps(many, [empty, empty], 1))[0]!.loss).toBe(0)
  })

  for (const name of Object.keys(optimizers))
    it(`${name}, clipped: five steps of two workers as of one session`, async () => {
      const change = { optimizer: { name }, clipNorm: 0.05 }
      const [one, many] = [trainer(change), trainer({ ...change, workers: 2 })]
      const [a, b] = [await steps(one, whole, 5), await steps(many, parts, 5)]
      for (const [i, { loss, gradientNorm }] of b.entries()) {
        expect(loss).toBeCloseTo(a[i]!.loss, 4)
        expect(gradientNorm).toBeCloseTo(a[i]!.gradientNorm, 4)
      }
      expect(distance(many.parameters(), one.parameters())).toBeLessThan(1e-4)
    })

  it('weights decay where they should, in every slice', async () => {
    const decaying = { optimizer: { name: 'adamw', weightDecay: 0.5 } }
    const [one, many] = [trainer(decaying), trainer({ ...decaying, workers: 3 })]
    await steps(one, whole, 3, 0.1)
    await steps(many, parts, 3, 0.1)
    expect(distance(many.parameters(), one.parameters())).toBeLessThan(1e-4)
  })
})

describe('bits', () => {
  const rich: Change = { options: { ...options, dropout: 0.3 }, clipNorm: 0.5, workers: 2 }

  for (const clipNorm of [0.5, null])
    it(`are the same where steps are asked for before those before them are done (clipNorm ${clipNorm})`, async () => {
      const [a, b] = [trainer({ ...rich, clipNorm }), trainer({ ...rich, clipNorm })]
      const [first, ...later] = await steps(a, parts, 6)
      expect(await steps(b, parts, 1)).toEqual([first])
      expect(await Promise.all(later.map(() => b.step(parts, { learningRate: 0.01 })))).toEqual(later)
      expect(bitsOf(b.parameters())).toEqual(bitsOf(a.parameters()))
      expect(b.state().step).toBe(6)
    })

  it('are the same run to run, whatever the timing, and after a restore through bytes', async () => {
    const [a, b] = [trainer(rich), trainer(rich)]
    const losses = await steps(a, parts, 8)
    const again = []
    for (let i = 0; i < 4; i++) {
      again.push(...(await steps(b, parts, 1)))
      await new Promise((resolve) => setTimeout(resolve, i * 7))
    }
    const bytes = encodeTrainerState(b.state())
    const c = trainer({ ...rich, seed: 5 })
    c.restore(decodeTrainerState(bytes))
    again.push(...(await steps(c, parts, 4)))
    expect(again).toEqual(losses)
    expect(bitsOf(c.parameters())).toEqual(bitsOf(a.parameters()))
    expect(Buffer.compare(encodeTrainerState(c.state()), encodeTrainerState(a.state()))).toBe(0)
  })

  it('are refused to continue with other counts, unless that is accepted', async () => {
    const two = trainer(rich)
    await steps(two, parts, 1)
    const state = two.state()
    expect(state).toMatchObject({ threads: 2, workers: 2 })
    const three = trainer({ ...rich, workers: 3 })
    expect(() => three.restore(state)).toThrow('made with 2 threads and 2 workers, the trainer has 2 threads and 3 workers')
    three.restore(state, { anyCounts: true })
    expect(bitsOf(three.parameters())).toEqual(bitsOf(two.parameters()))
  })

  it('dropout drops other nodes in each part and step, and none in evaluation', async () => {
    const free = trainer({ workers: 2 })
    const t = trainer({ ...rich, optimizer: { name: 'sgd', momentum: 0 } })
    expect((await t.evaluate(whole)).scores).toEqual((await free.evaluate(whole)).scores)
    const same = [encode(0, 6), encode(0, 6)]
    const one = await steps(t, same[0]!, 1, 0)
    const both = await steps(t, same, 2, 0)
    expect(new Set([...one, ...both].map((r) => r.loss)).size).toBe(3)
  })
})

describe('a team of workers', () => {
  it('evaluates as one session does, several batches at once', async () => {
    const [one, many] = [trainer({ threads: 1 }), trainer({ workers: 2, threads: 2 })]
    const results = await Promise.all(parts.map((part) => many.evaluate(part)))
    for (const [i, part] of parts.entries()) expect(results[i]).toEqual(await one.evaluate(part))
  })

  it('takes over memory only where it may', async () => {
    const t = trainer({ workers: 2 })
    const batch = [encode(0, 4), encode(4, 8)]
    await t.step(batch, { learningRate: 0.01 })
    expect(batch[0]!.feeds['node_features']!.data.length).toBeGreaterThan(0)
    await t.step(batch, { learningRate: 0.01, handOver: true })
    expect(batch[0]!.feeds['node_features']!.data.length).toBe(0)
  })

  it('leaves the event loop of its owner free', async () => {
    const heavy = createTrainer({ model: ggnn, options: { ...options, hidden: 256, steps: 6 }, executor: ortExecutor, seed: 1, workers: 2 })
    open.push(heavy)
    const batch = [encode(0, 12), encode(12, 24)]
    await steps(heavy, batch, 1)
    const delay = monitorEventLoopDelay({ resolution: 1 })
    const start = performance.now()
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    delay.enable()
    await steps(heavy, batch, 12)
    delay.disable()
    clearInterval(timer)
    const elapsed = performance.now() - start
    // a step takes about elapsed / 12; the loop turned many times in each
    expect(turns).toBeGreaterThan(24)
    expect(delay.percentile(50) / 1e6).toBeLessThan(elapsed / 12 / 2)
  })

  it('names the input that does not fit, and goes on', async () => {
    const t = trainer({ workers: 2 })
    const other = ggnn.encode([], ggnn.options.parse({ features: 9 })).batch
    await expect(t.step(other, { learningRate: 0.1 })).rejects.toThrow('input "node_features": float32[1, 4, 9] came')
    await expect(t.evaluate(other)).rejects.toThrow('input "node_features": float32[1, 4, 9] came')
    expect((await steps(t, parts, 1))[0]!.loss).toBeGreaterThan(0)
  })

  it('says which worker failed, then and ever after, and closes', async () => {
    const t = trainer({ workers: 2 })
    await steps(t, parts, 1)
    const spoilt = encode(0, 6)
    // an index beyond the rows: onnxruntime refuses it in the middle of the step, while the other worker waits
    spoilt.feeds['slot_candidate']!.data[0] = 1_000_000
    const failed = t.step([encode(6, 12), spoilt], { learningRate: 0.1 })
    await expect(failed).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringMatching(/training worker 1 of 2 failed: .*indices/s),
    })
    await expect(t.step(parts, { learningRate: 0.1 })).rejects.toThrow('training worker 1 of 2 failed')
    await expect(t.evaluate(whole)).rejects.toThrow('training worker 1 of 2 failed')
    await t.close()
  })

  it('close ends its threads, and twice is as good as once', async () => {
    const threads = () => process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort' || kind === 'Worker').length
    const before = threads()
    const t = trainer({ workers: 3 })
    await steps(t, parts, 1)
    await t.close()
    await t.close()
    expect(threads()).toBeLessThanOrEqual(before)
    await expect(t.step(parts, { learningRate: 0.1 })).rejects.toThrow('closed')
  })

  it('counts that make no sense are refused', () => {
    expect(() => trainer({ workers: -1 })).toThrow('workers -1')
    expect(() => trainer({ workers: 1.5 })).toThrow('workers 1.5')
    expect(() => trainer({ workers: 2, executor: { ...ortExecutor, name: 'tfjs' } })).toThrow('workers 2 came with executor tfjs')
  })
})

describe('a process that exits in the middle of a step', () => {
  it('exits with its own status, not by a crash of native code', async () => {
    const script = `
      import { ggnn } from '${dist}/models/ggnn.js'
      import { createTrainer } from '${dist}/models/trainer.js'
      import { ortExecutor } from '${dist}/tensor/ort.js'
      const options = { features: 4, hidden: 256, steps: 8 }
      const nodeFeatures = Array.from({ length: 200 }, () => [1, 2, 3, 4])
      const list = { queryId: 'q', candidates: [1, 0, 0, 0].map((label) => ({ nodeFeatures, edges: [[0, 1]], label })) }
      const { batch } = ggnn.encode([list, list], ggnn.options.parse(options))
      const trainer = createTrainer({ model: ggnn, options, executor: ortExecutor, seed: 1, workers: 2 })
      await trainer.step([batch, batch], { learningRate: 0.1 })
      const inFlight = trainer.step([batch, batch], { learningRate: 0.1 })
      setTimeout(() => process.exit(7), 3)
      await inFlight`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (chunk) => (said += chunk))
    const [code, signal] = await once(child, 'exit')
    expect({ code, signal, said }).toEqual({ code: 7, signal: null, said: '' })
  })
})

describe('the training loop with workers', () => {
  const request = (over: Partial<TrainingRequest<RankingList>> = {}): TrainingRequest<RankingList> => ({
    model: ggnn,
    task: rankingTask,
    training: toyLists(40),
    validation: toyLists(16, { seed: 2 }),
    executor: ortExecutor,
    ...over,
    modelOptions: { hidden: 16, steps: 2, dropout: 0.2 },
    options: { epochs: 3, learningRate: 0.01, batchExamples: 8, reportEverySteps: 1, workers: 2, ...over.options },
  })
  const collect = async (events: AsyncIterable<TrainingEvent>) => {
    const all: TrainingEvent[] = []
    for await (const event of events) all.push(event)
    return all
  }
  const finished = (events: readonly TrainingEvent[]) => {
    const last = events.at(-1)
    if (last?.type !== 'finished') throw new Error(`ended with ${last?.type}`)
    return last
  }

  it('learns as without them, to the last digits that rounding leaves', async () => {
    const plain = { modelOptions: { hidden: 16, steps: 2 } }
    const run = (workers: number) =>
      collect(train({ ...request({ options: { workers, optimizer: { name: 'sgd' } } }), ...plain })).then(finished)
    const [none, two] = [await run(0), await run(2)]
    expect(distance(two.parameters, none.parameters)).toBeLessThan(1e-4)
    expect(two.metrics['validation_loss']).toBeCloseTo(none.metrics['validation_loss']!, 4)
  })

  it('resumes to the same bits wherever it was interrupted', async () => {
    const straight = finished(await collect(train(request())))
    let resume: Uint8Array | undefined
    let last: TrainingEvent | undefined
    for (const left of [2, 5, 1, 4, 100]) {
      let steps = left
      const control = () => (--steps <= 0 ? 'pause' : null)
      const events = await collect(train(request({ control, ...(resume ? { resume } : {}) })))
      last = events.at(-1)
      if (last?.type === 'finished') break
      const checkpoint = events.at(-2)
      if (checkpoint?.type !== 'checkpoint') throw new Error('no checkpoint before the pause')
      resume = checkpoint.bytes
    }
    if (last?.type !== 'finished') throw new Error('it never finished')
    expect(bitsOf(last.parameters)).toEqual(bitsOf(straight.parameters))
    expect(last.metrics).toEqual(straight.metrics)
  })

  it('says what it runs on, and refuses a checkpoint of other counts', async () => {
    const events = await collect(train(request({ options: { epochs: 1 } })))
    expect(events[0]).toMatchObject({ type: 'started', runtime: { executor: 'ort', threads: 2, workers: 2 } })
    const checkpoint = events.find((e) => e.type === 'checkpoint')
    if (checkpoint?.type !== 'checkpoint') throw new Error('no checkpoint')
    const resumed = train(request({ options: { epochs: 1, workers: 0 }, resume: checkpoint.bytes })).next()
    await expect(resumed).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('training workers: found 2 in the checkpoint, 0 now'),
    })
  })

  it('adds the gradients of mini-batches up to one step, as one large batch', async () => {
    const over = (options: object) =>
      request({ options: { workers: 0, epochs: 2, optimizer: { name: 'sgd', momentum: 0 }, clipNorm: null, ...options } })
    const plain = { modelOptions: { hidden: 16, steps: 2 } }
    const runs = [
      over({ batchExamples: 20 }),
      over({ batchExamples: 5, accumulate: 4 }),
      over({ batchExamples: 5, accumulate: 4, workers: 2 }),
    ]
    const [large, ...small] = await Promise.all(runs.map((r) => collect(train({ ...r, ...plain }))))
    expect(large![0]).toMatchObject({ counts: { batchesPerEpoch: 2 } })
    const lossesOf = (events: readonly TrainingEvent[]) =>
      events.flatMap((e) => (e.type === 'metric' && e.name === 'step_loss' ? [e.value] : []))
    for (const events of small) {
      expect(events[0]).toMatchObject({ counts: { batchesPerEpoch: 2 } })
      expect(finished(events).step).toBe(finished(large!).step)
      lossesOf(events).forEach((loss, i) => {
        expect(loss).toBeCloseTo(lossesOf(large!)[i]!, 5)
      })
      expect(distance(finished(events).parameters, finished(large!).parameters)).toBeLessThan(1e-5)
    }
  })
})
