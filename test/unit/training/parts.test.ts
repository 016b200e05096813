import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestExamples, rankingTask } from '../../../src/training/jobs/learning-task.js'
import { isExhausted, observeValidation, type Stopping } from '../../../src/training/judging/early-stopping.js'
import { directionOf, judgeGates } from '../../../src/training/judging/gates.js'
import { decisiveOptions, parseTrainingOptions } from '../../../src/training/options.js'
import { openResourceMeter } from '../../../src/training/resources.js'
import { planBatches } from '../../../src/training/sampling/batches.js'
import { epochOrder } from '../../../src/training/sampling/sampler.js'
import { toyLists } from '../../support/toy-lists.js'

describe('epochOrder', () => {
  it('is a permutation, the same for the same seed and epoch, another for another', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(1000), fc.integer({ min: 0, max: 60 }), (seed, epoch, n) => {
        const order = epochOrder(seed, epoch, n)
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i))
        expect(epochOrder(seed, epoch, n)).toEqual(order)
      }),
    )
    expect(epochOrder(1, 0, 30)).not.toEqual(epochOrder(1, 1, 30))
    expect(epochOrder(1, 0, 30)).not.toEqual(epochOrder(2, 0, 30))
  })
})

describe('planBatches', () => {
  it('keeps every example once and in order, within the budget unless alone, and no two neighbours would fit in one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 8 }),
        (sizes, nodes, examples) => {
          const batches = planBatches([...sizes.keys()], (i) => sizes[i]!, { nodes, examples })
          expect(batches.flat()).toEqual([...sizes.keys()])
          const total = (batch: number[]) => batch.reduce((sum, i) => sum + sizes[i]!, 0)
          for (const [i, batch] of batches.entries()) {
            expect(batch.length).toBeGreaterThan(0)
            expect(batch.length).toBeLessThanOrEqual(examples)
            if (batch.length > 1) expect(total(batch)).toBeLessThanOrEqual(nodes)
            const next = batches[i + 1]
            if (next) expect(batch.length === examples || total(batch) + sizes[next[0]!]! > nodes).toBe(true)
          }
        },
      ),
    )
  })
})

describe('early stopping', () => {
  const run = (values: number[], direction: 'higher' | 'lower', minImprovement = 0) =>
    values.reduce<Stopping>(
      (s, value, i) => observeValidation(s, { step: i, epoch: i + 1, value, metrics: {} }, direction, minImprovement),
      { best: null, sinceBest: 0 },
    )

  it('keeps the first of equals, counts what does not improve enough, and never takes NaN', () => {
    expect(run([3, 2, 2, 2.5], 'lower')).toMatchObject({ best: { value: 2, epoch: 2 }, sinceBest: 2 })
    expect(run([0.5, 0.55, 0.61], 'higher', 0.1)).toMatchObject({ best: { value: 0.61, epoch: 3 }, sinceBest: 0 })
    expect(run([0.5, 0.55, 0.6], 'higher', 0.1)).toMatchObject({ best: { epoch: 1 }, sinceBest: 2 })
    expect(run([Number.NaN, 1, Number.NaN], 'lower')).toMatchObject({ best: { value: 1 }, sinceBest: 1 })
  })

  it('is exhausted after `patience` validations, never with null', () => {
    expect(isExhausted(run([1, 2, 2], 'lower'), 2)).toBe(true)
    expect(isExhausted(run([1, 2], 'lower'), 2)).toBe(false)
    expect(isExhausted(run([1, 2, 2, 2, 2, 2], 'lower'), null)).toBe(false)
  })
})

describe('gates', () => {
  it('a score has a floor, a loss a ceiling; exactly on it passes; absent and NaN fail', () => {
    const judged = judgeGates(
      [
        { metric: 'mrr', threshold: 0.5 },
        { metric: 'validation_loss', threshold: 0.5 },
        { metric: 'hits_at_1', threshold: 0.5 },
        { metric: 'ndcg_at_10', threshold: 0 },
      ],
      { mrr: 0.5, validation_loss: 0.51, ndcg_at_10: Number.NaN },
    )
    expect(judged.map((g) => g.passed)).toEqual([true, false, false, false])
    expect(judged.map((g) => g.value)).toEqual([0.5, 0.51, null, null])
  })

  it('refuses a metric whose direction it does not know', () => {
    expect(() => directionOf('mrrr')).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }))
    expect(() => parseTrainingOptions({ gates: [{ metric: 'mrrr', threshold: 1 }] })).toThrow(
      expect.objectContaining({ code: 'BAD_INPUT' }),
    )
  })
})

describe('training options', () => {
  it('fills in every default, refuses what it does not know, and names what decides the weights', () => {
    const options = parseTrainingOptions({})
    expect(options).toMatchObject({ epochs: 20, optimizer: { name: 'adam' }, schedule: { name: 'constant' }, maxCheckpoints: 5 })
    expect(() => parseTrainingOptions({ epoch: 3 })).toThrow(expect.objectContaining({ message: expect.stringContaining('epoch') }))
    expect(decisiveOptions(options)).not.toHaveProperty('reportEverySteps')
    expect(decisiveOptions(options)).toHaveProperty('threads')
  })
})

describe('digestExamples', () => {
  it('changes with any feature, edge, label, order or split; not with the kind of array', () => {
    const lists = toyLists(3)
    const digest = digestExamples(rankingTask, lists)
    const change = (edit: (copy: typeof lists) => void) => {
      const copy = structuredClone(lists)
      edit(copy)
      return digestExamples(rankingTask, copy)
    }
    type Writable = { nodeFeatures: (number[] | Float32Array)[]; edges: [number, number][]; label: number }
    const first = (copy: typeof lists) => copy[0]!.candidates[0]! as unknown as Writable
    const floats = change((copy) => {
      first(copy).nodeFeatures = first(copy).nodeFeatures.map((row) => Float32Array.from(row))
    })
    expect(floats).toBe(digest)
    const others = [
      change((copy) => copy.reverse()),
      change((copy) => {
        first(copy).nodeFeatures[0]![2]! += 1
      }),
      change((copy) => {
        first(copy).edges = []
      }),
      change((copy) => {
        first(copy).label = 0.5
      }),
      digestExamples(rankingTask, lists.slice(0, 1), lists.slice(1)),
    ]
    expect(new Set([digest, ...others]).size).toBe(6)
  })
})

describe('resource meter', () => {
  it('reads shares between 0 and 1 and bytes of memory', async () => {
    const meter = openResourceMeter()
    let sum = 0
    for (let i = 0; i < 2e6; i++) sum += Math.sqrt(i)
    expect(sum).toBeGreaterThan(0)
    const reading = await meter.read()
    expect(reading.cpu_usage).toBeGreaterThan(0)
    expect(reading.cpu_usage).toBeLessThanOrEqual(1)
    expect(reading.memory_usage).toBeLessThan(reading.memory_total)
  })
})
