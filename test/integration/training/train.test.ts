import { beforeAll, describe, expect, it } from 'vitest'
import { ggnn } from '../../../src/models/ggnn.js'
import type { RankingList } from '../../../src/models/rankings/ranking-list.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import type { NamedTensors } from '../../../src/tensor/tensor.js'
import type { TrainingEvent } from '../../../src/training/events.js'
import { rankingTask } from '../../../src/training/jobs/learning-task.js'
import type { TrainingRequest } from '../../../src/training/plan.js'
import { train } from '../../../src/training/train.js'
import { EspalierError } from '../../../src/util/error.js'
import { seeded } from '../../../src/util/random.js'
import { toyLists } from '../../support/toy-lists.js'

const request = (over: Partial<TrainingRequest<RankingList>> = {}): TrainingRequest<RankingList> => ({
  model: ggnn,
  task: rankingTask,
  training: toyLists(60),
  validation: toyLists(24, { seed: 2 }),
  executor: ortExecutor,
  ...over,
  modelOptions: { hidden: 8, steps: 2, ...over.modelOptions },
  options: { epochs: 4, learningRate: 0.01, batchExamples: 8, checkpointEverySteps: 3, reportEverySteps: 1, threads: 1, ...over.options },
})

async function collect(events: AsyncIterable<TrainingEvent>): Promise<TrainingEvent[]> {
  const all: TrainingEvent[] = []
  for await (const event of events) all.push(event)
  return all
}
const finishedOf = (events: readonly TrainingEvent[]) => {
  const last = events.at(-1)
  if (last?.type !== 'finished') throw new Error(`ended with ${last?.type}`)
  return last
}
const bitsOf = (tensors: NamedTensors) =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, t]) => [name, Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength).toString('hex')]),
  )
/** Metrics that the clock has no part in. */
const timeless = (events: readonly TrainingEvent[]) =>
  events.flatMap((e) =>
    e.type === 'metric' && !/^(graphs_per_second|eta_seconds|cpu_|memory_|gpu_|total_epochs)/.test(e.name)
      ? [`${e.step} ${e.name} ${e.value}`]
      : [],
  )

describe('train', () => {
  let whole: TrainingEvent[]
  beforeAll(async () => {
    whole = await collect(train(request()))
  })

  it('tells of every example that cannot be used, learned from or held out, once in all epochs', async () => {
    const broken = (id: string): RankingList => ({ queryId: id, group: id, candidates: [{ nodeFeatures: [[1]], edges: [], label: 1 }] })
    const events = await collect(
      train(request({ training: [...toyLists(20), broken('bad one')], validation: [...toyLists(8), broken('bad two')] })),
    )
    const told = events.flatMap((e) => (e.type === 'log' && e.level === 'warn' ? [e.message] : []))
    expect(told).toHaveLength(2)
    expect(told.sort()).toEqual([expect.stringContaining('list bad one'), expect.stringContaining('list bad two')])
  })

  it('is not begun in earnest where no example can be used', async () => {
    const edges: [number, number][] = [[0, 9]]
    const training = toyLists(10).map((list) => ({ ...list, candidates: list.candidates.map((c) => ({ ...c, edges })) }))
    await expect(collect(train(request({ training })))).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('none of the 10'),
    })
  })

  it('learns: loss falls and the ranking gets better than chance', async () => {
    const events = await collect(
      train(request({ modelOptions: { temperature: 0.25 }, options: { epochs: 25, learningRate: 0.02, patience: null } })),
    )
    const losses = events.flatMap((e) => (e.type === 'metric' && e.name === 'validation_loss' ? [e.value] : []))
    expect(losses).toHaveLength(25)
    expect(finishedOf(events).metrics['validation_loss']).toBeLessThan(losses[0]! * 0.6)
    expect(finishedOf(events).metrics['mrr']).toBeGreaterThan(0.85)
  })

  it('says what it settled, and reports under the names of runs', () => {
    expect(whole[0]).toMatchObject({
      type: 'started',
      modelOptions: { features: 4, hidden: 8, edgeTypes: 1, queryFeatures: 0 },
      counts: { trainingExamples: 60, validationExamples: 24, batchesPerEpoch: 8 },
      resumedFrom: null,
    })
    const names = new Set(whole.flatMap((e) => (e.type === 'metric' ? [e.name] : [])))
    for (const name of [
      'epoch',
      'total_epochs',
      'progress',
      'training_loss',
      'validation_loss',
      'best_loss',
      'best_epoch',
      'learning_rate',
      'gradient_norm',
      'mrr',
      'hits_at_1',
      'hits_at_3',
      'hits_at_10',
      'ndcg_at_10',
      'graphs_per_second',
      'memory_usage',
      'memory_total',
      'cpu_usage',
    ])
      expect(names).toContain(name)
    const progress = whole.flatMap((e) => (e.type === 'metric' && e.name === 'progress' ? [e.value] : []))
    expect(progress).toEqual([...progress].sort((a, b) => a - b))
    expect(progress.at(-1)).toBe(1)
  })

  it('gives the same bits again', async () => {
    const again = await collect(train(request()))
    expect(bitsOf(finishedOf(again).parameters)).toEqual(bitsOf(finishedOf(whole).parameters))
    expect(timeless(again)).toEqual(timeless(whole))
  })

  it('resumed from any checkpoint = never interrupted, bit for bit, metrics included', async () => {
    const checkpoints = whole.flatMap((e) => (e.type === 'checkpoint' ? [e] : []))
    expect(checkpoints.length).toBeGreaterThanOrEqual(10)
    const expected = bitsOf(finishedOf(whole).parameters)
    const told = timeless(whole)
    for (const { bytes, step } of checkpoints) {
      const rest = await collect(train(request({ resume: bytes })))
      expect(rest[0]).toMatchObject({ type: 'started', resumedFrom: { step } })
      expect(bitsOf(finishedOf(rest).parameters), `from step ${step}`).toEqual(expected)
      const tail = timeless(rest)
      expect(tail.length === 0 ? [] : told.slice(-tail.length)).toEqual(tail)
    }
  })

  it.each(['dense', 'sparse'])(
    'interrupted at random steps, again and again = uninterrupted (%s; two threads, plateau, warm-up, momentum)',
    async (layout) => {
      const modelOptions = { hidden: 32, layout }
      const options = {
        epochs: 5,
        threads: 2,
        // half the loss must go before the rate stays: it falls again and again
        schedule: { name: 'plateau', patience: 0, factor: 0.5, threshold: 0.5 },
        warmUpSteps: 5,
        optimizer: { name: 'sgd', momentum: 0.9 },
        clipNorm: 0.5,
      } as const
      const straight = finishedOf(await collect(train(request({ modelOptions, options }))))
      for (const seed of [1, 2, 3]) {
        const rng = seeded(seed)
        let resume: Uint8Array | undefined
        let last: TrainingEvent | undefined
        let attempts = 0
        while (last?.type !== 'finished') {
          let left = 1 + rng.integer(12)
          const reason = rng.next() < 0.5 ? 'pause' : 'drain'
          const control = () => (--left <= 0 ? reason : null)
          const events = await collect(train(request({ modelOptions, options, control, ...(resume ? { resume } : {}) })))
          last = events.at(-1)!
          attempts++
          if (last.type === 'finished') break
          expect(last).toMatchObject({ type: 'paused', reason })
          const checkpoint = events.at(-2)!
          if (checkpoint.type !== 'checkpoint') throw new Error('no checkpoint before the pause')
          resume = checkpoint.bytes
        }
        expect(attempts, `seed ${seed}`).toBeGreaterThan(2)
        expect(bitsOf(last.parameters), `seed ${seed}`).toEqual(bitsOf(straight.parameters))
        expect(last.metrics).toEqual(straight.metrics)
      }
    },
  )

  it('a longer run begins as a shorter one: resumed with more epochs and patience = straight, bit for bit', async () => {
    const straight = finishedOf(await collect(train(request({ options: { epochs: 7, patience: 9 } }))))
    const last = whole.findLast((e) => e.type === 'checkpoint')!
    const rest = finishedOf(await collect(train(request({ options: { epochs: 7, patience: 9 + 3 }, resume: last.bytes }))))
    expect(bitsOf(rest.parameters)).toEqual(bitsOf(straight.parameters))
    expect(rest.metrics).toEqual(straight.metrics)
    const cosine = { schedule: { name: 'cosine' } } as const
    const bent = (await collect(train(request({ options: cosine })))).findLast((e) => e.type === 'checkpoint')!
    await expect(train(request({ options: { ...cosine, epochs: 7 }, resume: bent.bytes })).next()).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('epochs: found 4 in the checkpoint, 7 now'),
    })
  })

  it('two worker threads, interrupted at random steps = uninterrupted, bit for bit; their count is part of the promise', async () => {
    const modelOptions = { hidden: 16, dropout: 0.2 }
    const options = { epochs: 3, threads: 2, workers: 2, optimizer: { name: 'adamw' } } as const
    const straight = finishedOf(await collect(train(request({ modelOptions, options }))))
    const rng = seeded(11)
    let resume: Uint8Array | undefined
    let events: TrainingEvent[] = []
    for (let attempt = 1; events.at(-1)?.type !== 'finished'; attempt++) {
      let left = 1 + rng.integer(9)
      const control = () => (--left <= 0 && attempt < 6 ? 'drain' : null)
      events = await collect(train(request({ modelOptions, options, control, ...(resume ? { resume } : {}) })))
      resume = events.findLast((e) => e.type === 'checkpoint')!.bytes
    }
    expect(events[0]).toMatchObject({ runtime: { workers: 2 }, resumedFrom: { step: expect.any(Number) } })
    const { parameters, metrics } = finishedOf(events)
    expect(bitsOf(parameters)).toEqual(bitsOf(straight.parameters))
    expect(metrics).toEqual(straight.metrics)
    await expect(train(request({ modelOptions, options: { ...options, workers: 0 }, resume: resume! })).next()).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('workers: found 2 in the checkpoint, 0 now'),
    })
  })

  it.each([0, 2])('a trace of some steps changes no bit (%i worker threads)', async (workers) => {
    const options = { profileSteps: 3, threads: 2, workers }
    const traced = await collect(train(request({ options })))
    const plain = await collect(train(request({ options: { ...options, profileSteps: 0 } })))
    const [profile, ...more] = traced.flatMap((e) => (e.type === 'profile' ? [e] : []))
    expect(more).toEqual([])
    expect(profile!.summary).toMatchObject({ steps: 3, firstStep: 3, phases: { step: { count: 3 }, encode: { count: 3 } } })
    // what runs in worker threads is seen from outside alone
    expect(profile!.summary.phases.run?.count ?? 0).toBe(workers > 0 ? 0 : 3)
    const { step, run } = profile!.summary.phases
    if (run) expect(run.total).toBeLessThanOrEqual(step!.total)
    expect(bitsOf(finishedOf(traced).parameters)).toEqual(bitsOf(finishedOf(plain).parameters))
  })

  it('patience counts on across interruptions', async () => {
    // nothing after the first validation improves enough
    const options = { epochs: 10, patience: 3, minImprovement: 10, reportEverySteps: 100 }
    const straight = finishedOf(await collect(train(request({ options }))))
    expect(straight).toMatchObject({ epochs: 4, bestEpoch: 1, stoppedEarly: true })
    let resume: Uint8Array | undefined
    for (const stopAt of [12, 20, 28]) {
      let step: number = resume ? stopAt - 8 : 0
      const control = () => (++step === stopAt ? 'pause' : null)
      const events = await collect(train(request({ options, control, ...(resume ? { resume } : {}) })))
      const checkpoint = events.at(-2)
      if (checkpoint?.type !== 'checkpoint' || checkpoint.step !== stopAt) throw new Error(`not paused at ${stopAt}`)
      resume = checkpoint.bytes
    }
    const { type: _, ...end } = finishedOf(await collect(train(request({ options, resume: resume! }))))
    expect(end).toMatchObject({ epochs: 4, bestEpoch: 1, stoppedEarly: true, metrics: straight.metrics })
    expect(bitsOf(end.parameters)).toEqual(bitsOf(straight.parameters))
  })

  it('a consumer that stops listening ends the training', async () => {
    let steps = 0
    for await (const event of train(request())) if (event.type === 'metric' && event.name === 'step_loss' && ++steps === 3) break
    expect(steps).toBe(3)
  })

  it('cancels at the next step, without a checkpoint', async () => {
    const events = await collect(train(request({ control: () => 'cancel' })))
    expect(events.at(-1)).toEqual({ type: 'cancelled', step: 1 })
    expect(events.some((e) => e.type === 'checkpoint')).toBe(false)
  })

  it('stops early and ships the best weights with the metrics they had', async () => {
    // a rate this high wanders off after the first epochs
    const options = { epochs: 40, learningRate: 0.3, patience: 3 }
    const done = finishedOf(await collect(train(request({ options }))))
    expect(done.stoppedEarly).toBe(true)
    expect(done.epochs).toBe(done.bestEpoch + 3)
    const upToBest = finishedOf(await collect(train(request({ options: { ...options, epochs: done.bestEpoch, patience: null } }))))
    expect(upToBest.bestEpoch).toBe(done.bestEpoch)
    expect(bitsOf(upToBest.parameters)).toEqual(bitsOf(done.parameters))
    expect(upToBest.metrics).toEqual(done.metrics)
  })

  it('judges gates on the weights that ship, each in its own direction', async () => {
    const gates = [
      { metric: 'mrr', threshold: 0 },
      { metric: 'validation_loss', threshold: 100 },
      { metric: 'validation_loss', threshold: 1e-9 },
    ]
    const done = finishedOf(await collect(train(request({ options: { gates } }))))
    expect(done.gates.map((g) => g.passed)).toEqual([true, true, false])
    expect(done.gates[0]!.value).toBe(done.metrics['mrr'])
    expect(done.passed).toBe(false)
  })

  it('refuses a gate without validation examples before it starts', async () => {
    const events = train(request({ validation: [], options: { gates: [{ metric: 'mrr', threshold: 0.5 }] } }))
    await expect(events.next()).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('without validation') })
  })

  it('ships the last weights where nothing is held out', async () => {
    const done = finishedOf(await collect(train(request({ validation: [], options: { epochs: 2 } }))))
    expect(done).toMatchObject({ metrics: {}, step: 16, epochs: 2, stoppedEarly: false, passed: true })
  })

  it('holds whole groups out when it splits by itself', async () => {
    const events = train(
      request({ training: toyLists(70), ...{ validation: undefined as never }, options: { validationSplit: 0.3, epochs: 1 } }),
    )
    const { value } = await events.next()
    // 2 of 7 groups of 10
    expect(value).toMatchObject({ counts: { trainingExamples: 50, validationExamples: 20 } })
    await events.return()
  })

  it('refuses a checkpoint of other options or other data, and says which', async () => {
    const { bytes } = whole.find((e) => e.type === 'checkpoint')!
    const resumed = (over: Partial<TrainingRequest<RankingList>>) => train(request({ resume: bytes, ...over })).next()
    await expect(resumed({ options: { learningRate: 0.02 } })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/learningRate: found 0\.01 in the checkpoint, 0\.02 now/),
    })
    await expect(resumed({ training: toyLists(61) })).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('data') })
    await expect(resumed({ modelOptions: { hidden: 16 } })).rejects.toMatchObject({ code: 'CONFLICT' })
    // what does not touch the weights may change
    await expect(resumed({ options: { checkpointEverySteps: 50 } })).resolves.toMatchObject({ done: false })
  })

  it('ends with DIVERGED and the batch when a loss is not finite', async () => {
    const training = toyLists(16)
    const spoilt = training.map((list, i) =>
      i === 5
        ? {
            ...list,
            candidates: list.candidates.map((c) => ({ ...c, nodeFeatures: c.nodeFeatures.map((row) => Array.from(row, () => 3e38)) })),
          }
        : list,
    )
    const error = await collect(train(request({ training: spoilt, options: { batchExamples: 4 } }))).catch((e) => e)
    expect(error).toBeInstanceOf(EspalierError)
    expect(error.code).toBe('DIVERGED')
    expect(error.message).toMatch(/\bq5\b/)
    expect(error.message.match(/\bq\d+\b/g)!.length).toBeLessThanOrEqual(4)
  })

  it('tells of examples that cannot be encoded, and trains on the others', async () => {
    const training = toyLists(16)
    const broken = { ...training[3]!, candidates: training[3]!.candidates.map((c) => ({ ...c, edges: [[0, 99]] as const })) }
    const events = await collect(train(request({ training: training.with(3, broken), options: { epochs: 1 } })))
    const logs = events.flatMap((e) => (e.type === 'log' ? [e.message] : []))
    expect(logs.some((m) => m.includes('q3') && m.includes('99'))).toBe(true)
    expect(finishedOf(events).step).toBeGreaterThan(0)
  })
})
