import { describe, expect, it } from 'vitest'
import { directionOf, judgeGates } from '../../../src/training/judging/gates.js'
import { assertJudgeable, measuredMetrics } from '../../../src/training/judging/judgeable.js'
import { gatesOf, parseTrainingOptions } from '../../../src/training/options.js'

const judge = (readout: string, over: object, hasOwn = false) => assertJudgeable(readout, parseTrainingOptions(over), hasOwn)

describe('what can be judged', () => {
  it('a threshold needs something held out', () => {
    const gated = { gates: [{ metric: 'mrr', threshold: 0.5 }], validationSplit: 0 }
    expect(() => judge('rank', gated)).toThrow(/mrr cannot be judged without validation/)
    expect(() => judge('rank', { metricThreshold: 1, validationSplit: 0 })).toThrow(/validation_loss cannot be judged/)
    expect(() => judge('rank', gated, true)).not.toThrow()
    expect(() => judge('rank', { ...gated, validationSplit: 0.1 })).not.toThrow()
    expect(() => judge('rank', { validationSplit: 0 })).not.toThrow()
  })
  it('only what the read-out measures can be monitored or gated', () => {
    expect(() => judge('node', { monitor: 'mrr' })).toThrow(/training.monitor: found mrr, expected one of validation_loss, accuracy/)
    expect(() => judge('rank', { gates: [{ metric: 'accuracy', threshold: 1 }] })).toThrow(/training.gates: found accuracy/)
    expect(() => judge('graph', { monitor: 'f1_score', metricThreshold: 0.9 })).not.toThrow()
    expect(() => judge('sequence', { gates: [{ metric: 'training_loss', threshold: 1 }] })).toThrow(/training_loss/)
  })
  it('a schedule that follows the validation loss needs something held out as well', () => {
    const plateau = { schedule: { name: 'plateau' } }
    expect(() => judge('rank', { ...plateau, validationSplit: 0 })).toThrow(/plateau, which follows the validation loss/)
    expect(() => judge('rank', { ...plateau, validationSplit: 0 }, true)).not.toThrow()
    expect(() => judge('node', plateau)).not.toThrow()
  })
  it('every metric of every read-out has a direction', () => {
    for (const metrics of Object.values(measuredMetrics)) for (const metric of metrics) expect(directionOf(metric)).toMatch(/higher|lower/)
  })
})

describe('metricThreshold', () => {
  it('is a gate on the monitored metric, in its own direction', () => {
    const gates = (over: object) => gatesOf(parseTrainingOptions(over))
    expect(gates({})).toEqual([])
    const loss = gates({ metricThreshold: 0.5, gates: [{ metric: 'mrr', threshold: 0.1 }] })
    expect(loss).toEqual([
      { metric: 'mrr', threshold: 0.1 },
      { metric: 'validation_loss', threshold: 0.5 },
    ])
    expect(judgeGates(loss, { mrr: 0.1, validation_loss: 0.6 }).map((gate) => gate.passed)).toEqual([true, false])
    expect(judgeGates(gates({ monitor: 'mrr', metricThreshold: 0.5 }), { mrr: 0.6 })[0]!.passed).toBe(true)
  })
})
