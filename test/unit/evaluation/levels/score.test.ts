import { describe, expect, it } from 'vitest'
import type { Level, TestCase } from '../../../../src/datasets/cases/case.js'
import { printLevels, scoreLevels } from '../../../../src/evaluation/levels/score.js'

const cases = (level: Level, n: number): TestCase[] =>
  Array.from({ length: n }, (_, i) => ({
    ...{ id: `${level}-${i}`, level, group: 'g', from: 'x', majority: i % 4 === 0 ? 'right' : 'wrong', choices: 4 },
    question: { ask: 'column-type', columnId: `c${i}`, column: 'c', tableId: 't', ordinal: null },
    expected: 'right',
  }))
/** Answers that get so many of each level right, and leave the others wrong or out. */
const answers = (all: readonly TestCase[], right: Partial<Record<Level, number>>, other: string | null) =>
  Object.fromEntries(all.map(({ id, level }) => [id, Number(id.split('-')[1]) < (right[level] ?? 0) ? 'right' : other]))
const all = ([1, 2, 3, 4, 5] as const).flatMap((level) => cases(level, 20))

describe('scores of the five levels', () => {
  it('a predictor that answers nothing scores 0 everywhere, whatever it is asked', () => {
    for (const nothing of [{}, answers(all, {}, null)]) {
      const report = scoreLevels(all, nothing)
      expect(report.intelligenceLevel).toBe(0)
      expect(report.domainExpertise).toBe(0)
      for (const { asked, answered, correct, score } of report.levels)
        expect([asked, answered, correct, score!.value]).toEqual([20, 0, 0, 0])
    }
  })

  it('one that always answers wrongly never reaches a level, but has answered', () => {
    const report = scoreLevels(all, answers(all, {}, 'wrong'))
    expect(report.intelligenceLevel).toBe(0)
    expect(report.levels.map(({ answered, correct }) => [answered, correct])).toEqual(Array(5).fill([20, 0]))
  })

  it('a level counts from .7 on, and only if every lower one does', () => {
    const level = (right: Partial<Record<Level, number>>) => scoreLevels(all, answers(all, right, 'wrong')).intelligenceLevel
    expect(level({ 1: 13 })).toBe(0)
    expect(level({ 1: 14 })).toBe(1)
    expect(level({ 1: 14, 2: 14, 3: 14, 4: 14, 5: 14 })).toBe(5)
    expect(level({ 1: 20, 2: 13, 3: 20, 4: 20, 5: 20 })).toBe(1)
    expect(level({ 1: 0, 2: 20, 3: 20, 4: 20, 5: 20 })).toBe(0)
  })

  it('tells size, interval and two baselines of each, and weighs them', () => {
    const report = scoreLevels(all, answers(all, { 1: 20, 2: 10, 3: 5 }, 'wrong'))
    expect(report.domainExpertise).toBeCloseTo(0.3 + 0.25 / 2 + 0.2 / 4, 12)
    const [first, second] = report.levels
    expect(first).toMatchObject({
      name: 'pattern recognition',
      asked: 20,
      groups: 1,
      correct: 20,
      baselines: { majority: 0.25, random: 0.25 },
      isReached: true,
    })
    // Wilson (1927): 10 of 20 at 95 %, by statsmodels.proportion_confint(10, 20, method='wilson')
    expect(second!.score!.low).toBeCloseTo(0.2993, 4)
    expect(second!.score!.high).toBeCloseTo(0.7007, 4)
    expect(printLevels(report)).toMatch(/L2 {2}generalization +20 +1 +20 +10 +0\.500 {2}0\.299\.\.0\.701 +0\.250 +0\.250 +no/)
  })

  it('what was not asked is no level, and nothing above it', () => {
    const few = all.filter(({ level }) => level !== 3)
    const report = scoreLevels(few, answers(few, { 1: 20, 2: 20, 4: 20, 5: 20 }, 'wrong'))
    expect(report.intelligenceLevel).toBe(2)
    expect(report.levels[2]).toMatchObject({ asked: 0, score: null, baselines: { majority: null, random: null }, isReached: false })
  })
})
