import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decisiveOptions, mayGrow, parseTrainingOptions } from '../../../src/training/options.js'
import { disagreements, overlayOptions } from '../../../src/training/resume.js'

const earlier = {
  task: 'foreign-key',
  projectIds: ['bank'],
  asOf: '2024-01-01T00:00:00.000Z',
  model: { hidden: 16, steps: 2 },
  training: { epochs: 10, patience: 5, learningRate: 1e-3, schedule: { name: 'step', stepSize: 3, gamma: 0.1 }, workers: null },
}

describe('overlayOptions', () => {
  it('puts what is given over what was, member by member', () => {
    expect(overlayOptions(earlier, { training: { epochs: 20 }, model: { hidden: 8 } })).toEqual({
      ...earlier,
      training: { ...earlier.training, epochs: 20 },
      model: { hidden: 8, steps: 2 },
    })
    expect(overlayOptions(earlier, { projectIds: ['a', 'b'] })).toEqual({ ...earlier, projectIds: ['a', 'b'] })
  })
  it('replaces a schedule of another kind whole, and changes one of the same kind', () => {
    const over = (schedule: unknown) =>
      (overlayOptions(earlier, { training: { schedule } })['training'] as typeof earlier.training).schedule
    expect(over({ name: 'cosine' })).toEqual({ name: 'cosine' })
    expect(over({ gamma: 0.5 })).toEqual({ name: 'step', stepSize: 3, gamma: 0.5 })
    expect(over({ name: 'step', stepSize: 4 })).toEqual({ name: 'step', stepSize: 4, gamma: 0.1 })
  })
  it('given nothing changes nothing; given all of another gives the other', () => {
    const options = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(fc.nat(3), fc.dictionary(fc.constantFrom('x', 'y'), fc.nat(3))))
    fc.assert(
      fc.property(options, options, (was, now) => {
        expect(overlayOptions(was, {})).toEqual(was)
        expect(disagreements(overlayOptions(was, now), now)).toEqual([])
      }),
    )
  })
})

describe('disagreements', () => {
  it('names each option that was another, and says nothing of those not given', () => {
    expect(disagreements(earlier, {})).toEqual([])
    expect(disagreements(earlier, { model: { hidden: 16 }, projectIds: ['bank'] })).toEqual([])
    expect(disagreements(earlier, { model: { hidden: 32, steps: 2 }, training: { learningRate: 1 }, task: 'lineage' })).toEqual([
      'model.hidden',
      'training.learningRate',
      'task',
    ])
  })
  it('leaves what may change to the checkpoint', () => {
    expect(disagreements(earlier, { component: 'x', training: { epochs: 99, patience: null, workers: 2, maxCheckpoints: 9 } })).toEqual([])
  })
})

describe('what a resumed run may have otherwise', () => {
  const options = (over: object) => ({ ...parseTrainingOptions(over) }) as Record<string, unknown>
  it('more epochs, unless the schedule spans them', () => {
    const grows = (then: object, now: object) => mayGrow['epochs']!(options(then), options(now))
    expect(grows({ epochs: 5 }, { epochs: 9 })).toBe(true)
    expect(grows({ epochs: 5 }, { epochs: 4 })).toBe(false)
    for (const name of ['linear', 'cosine', 'polynomial', 'one-cycle']) {
      expect(grows({ epochs: 5, schedule: { name } }, { epochs: 9, schedule: { name } })).toBe(false)
      const fixed = { name, totalSteps: 100 }
      expect(grows({ epochs: 5, schedule: fixed }, { epochs: 9, schedule: fixed })).toBe(true)
    }
  })
  it('more patience, never less', () => {
    const grows = (then: number | null, now: number | null) => mayGrow['patience']!({ patience: then }, { patience: now })
    expect([grows(3, 4), grows(3, null), grows(3, 2), grows(null, 3), grows(null, null)]).toEqual([true, true, false, false, true])
  })
  it('what is told, kept and judged', () => {
    const names = Object.keys(decisiveOptions(parseTrainingOptions({})))
    for (const name of ['gates', 'metricThreshold', 'profileSteps', 'maxCheckpoints', 'workers']) expect(names).not.toContain(name)
    for (const name of ['seed', 'learningRate', 'threads', 'monitor', 'minImprovement', 'accumulate']) expect(names).toContain(name)
  })
})
