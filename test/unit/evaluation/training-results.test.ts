import { describe, expect, it } from 'vitest'
import type { TestCase } from '../../../src/datasets/cases/case.js'
import { exportedMetrics } from '../../../src/evaluation/exported-metrics.js'
import { evaluateGiven } from '../../../src/evaluation/given.js'
import { accuracyQuality, evaluateTrainingResults, lossQuality } from '../../../src/evaluation/training-results.js'

const column = (id: string, level: 1 | 2 | 4): TestCase => ({
  ...{ id, level, group: 't', from: 'x', expected: 'int', majority: 'text', choices: 4 },
  question: { ask: 'column-type', columnId: id, column: id, tableId: 't', ordinal: 1 },
})
const walk = (id: string): TestCase => ({
  ...{ id, level: 3, group: 'w', from: 'x', expected: 'A>B', majority: 'B>B', choices: 4 },
  question: { ask: 'two-hops', sourceId: 'a', sourceKind: 'A', middleId: 'b', middleKind: 'B', targetId: 'c', targetKind: 'C' },
})

describe('evaluateTrainingResults', () => {
  it.each([
    [0.0999, 'excellent'],
    [0.1, 'good'],
    [0.2999, 'good'],
    [0.3, 'fair'],
    [0.4999, 'fair'],
    [0.5, 'poor'],
  ])('a loss of %f is %s', (loss, quality) => {
    expect(lossQuality(loss)).toBe(quality)
  })

  it.each([
    [0.9001, 'excellent'],
    [0.9, 'good'],
    [0.7001, 'good'],
    [0.7, 'fair'],
    [0.5001, 'fair'],
    [0.5, 'poor'],
  ])('an accuracy of %f is %s', (accuracy, quality) => {
    expect(accuracyQuality(accuracy)).toBe(quality)
  })

  it('goes by the loss on what was held out, and by the worse of loss and accuracy', () => {
    const { training_quality: quality } = evaluateTrainingResults({ training_loss: 0.05, validation_loss: 0.2, hits_at_1: 0.6 })
    expect(quality).toEqual({
      ...{ loss: { name: 'validation_loss', value: 0.2 }, loss_quality: 'good' },
      ...{ accuracy: { name: 'hits_at_1', value: 0.6 }, accuracy_quality: 'fair', overall: 'fair' },
    })
  })

  it('measures families of patterns on held-out facts alone: transfer is not mixed in, what was not asked is null with its reason', () => {
    const cases = [column('a', 1), column('b', 2), column('c', 2), column('d', 4), walk('w')]
    const found = evaluateTrainingResults({}, {}, null, { a: 'int', b: 'int', c: 'text', d: 'text' }, cases).pattern_specific_metrics
    expect(found.column_type_accuracy).toMatchObject({ correct: 2, n: 3, baselines: { majority: 0, random: 0.25 } })
    expect(found.relationship_accuracy).toMatchObject({ correct: 0, n: 1, value: 0 })
    expect(found.temporal_accuracy).toEqual({ value: null, reason: 'no forecast could be held against what came later' })
    const withForecasts = evaluateTrainingResults({}, { forecasts: { correct: 3, asked: 4, nothingCorrect: 2 } })
    expect(withForecasts.pattern_specific_metrics.temporal_accuracy).toMatchObject({
      value: 0.75,
      correct: 3,
      baselines: { nothing_changes: 0.5 },
    })
    expect(withForecasts.pattern_specific_metrics.column_type_accuracy).toMatchObject({ value: null })
  })

  it('has intelligence levels unless they are not wanted', () => {
    expect(evaluateTrainingResults({}, {}, null, { a: 'int' }, [column('a', 1)]).intelligenceLevel).toBe(1)
    const without = evaluateTrainingResults({}, { enableIntelligenceMetrics: false }, null, { a: 'int' }, [column('a', 1)])
    expect(without).toMatchObject({ intelligence_metrics: null, intelligenceLevel: null })
  })

  it('has the learning rate of the counts of epochs: the check value of the specification', () => {
    const { learning_rate: rate } = evaluateTrainingResults({}, { patternCounts: [2, 5, 6, 6] })
    expect(rate!.patternsPerEpoch).toBe(4.75)
    expect(rate!.convergenceRate).toBeCloseTo(0.7647, 4)
    expect(rate!.adaptationRate).toBeCloseTo(1.4, 12)
    expect(rate!.hasDisjointWindows).toBe(false)
    expect(evaluateTrainingResults({}).learning_rate).toBeNull()
  })

  it('advises by what it finds, and not by what it does not', () => {
    const bad = evaluateTrainingResults(
      { training_loss: 0.2, validation_loss: 1.4, hits_at_1: 0.2 },
      { validationExamples: 12, coverage: { relationships: { covered: 1, of: 10 } } },
    ).recommendations
    expect(bad).toEqual([
      expect.stringMatching(/held-out examples \(1\.400\) is far above that of the training \(0\.200\)/),
      expect.stringMatching(/^validation_loss is 1\.400: train longer/),
      expect.stringMatching(/^hits_at_1 is 0\.200 on what was held out/),
      expect.stringMatching(/^Only 12 held-out examples/),
      expect.stringMatching(/^Patterns cover little of relationships \(10 %\)/),
      expect.stringMatching(/^Level 1 \(pattern recognition\) could not be asked/),
    ])
    const fine = evaluateTrainingResults(
      { training_loss: 0.05, validation_loss: 0.06, hits_at_1: 0.95 },
      { validationExamples: 200, enableIntelligenceMetrics: false, coverage: { relationships: { covered: 9, of: 10 } } },
    )
    expect(fine.recommendations).toEqual([])
  })

  it('says so where the model is no better than a rule', () => {
    const advice = (mrr: number) =>
      evaluateTrainingResults({ mrr, baseline_random_mrr: 0.2, baseline_exact_name_mrr: 0.6 }, { enableIntelligenceMetrics: false })
        .recommendations
    expect(advice(0.6)).toContainEqual(
      expect.stringMatching(/^The model \(MRR 0\.600\) does no better than the rule exact_name \(0\.600\)/),
    )
    expect(advice(0.61).filter((line) => line.startsWith('The model'))).toEqual([])
  })

  it('is the same for what was handed in as JSON, and says what is wrong with it', () => {
    const [modelMetrics, trainingContext, predictions, testCases] = [
      { training_loss: 0.05, accuracy: 0.8 },
      { patternCounts: [2, 5, 6, 6], forecasts: { correct: 8, asked: 10 } },
      { a: 'int', w: null },
      [column('a', 1), walk('w')],
    ]
    const handed = JSON.parse(JSON.stringify({ modelMetrics, trainingContext, predictions, testCases })) as unknown
    expect(evaluateGiven(handed)).toEqual(evaluateTrainingResults(modelMetrics, trainingContext, null, predictions, testCases))
    expect(evaluateGiven({}).intelligence_metrics).toMatchObject({ intelligenceLevel: 0, domainExpertise: 0 })
    const refusals: [unknown, RegExp][] = [
      [{ modelMetrics: { loss: 'low' } }, /expected number/],
      [{ trainingContext: { patternCounts: [-1] } }, />=0/],
      [{ testCases: [{ ...column('a', 1), level: 6 }] }, /Invalid option/],
      [{ testCases: [column('a', 1), column('a', 2)] }, /"a" is there twice/],
      [{ metrics: {} }, /Unrecognized key/],
      [[], /expected object/],
    ]
    for (const [facts, says] of refusals) expect(() => evaluateGiven(facts)).toThrow(says)
  })

  it('is JSON throughout, and exports only numbers that were measured', () => {
    const found = evaluateTrainingResults(
      { training_loss: Number.NaN, hits_at_1: 0.5 },
      { patternCounts: [2, 5, 6, 6], coverage: { columns: { covered: 0, of: 0 } } },
      { runId: 'r', step: 3 },
      { a: 'int' },
      [column('a', 1)],
    )
    expect(JSON.parse(JSON.stringify(found))).toEqual(found)
    const { metrics, details } = exportedMetrics(found)
    expect(metrics).toMatchObject({ hits_at_1: 0.5, column_type_accuracy: 1, level_1: 1, intelligence_level: 1, patterns_per_epoch: 4.75 })
    for (const absent of ['training_loss', 'coverage.columns', 'level_2', 'temporal_accuracy']) expect(metrics).not.toHaveProperty([absent])
    expect(details['checkpoint']).toEqual({ runId: 'r', step: 3 })
  })
})
