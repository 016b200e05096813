import fs from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changePoints } from '../../../src/statistics/change-points.js'
import { communities } from '../../../src/statistics/communities.js'
import { pearson, spearman } from '../../../src/statistics/correlation.js'
import { learningRate } from '../../../src/statistics/learning-rate.js'
import { fitLogistic, logisticScore } from '../../../src/statistics/logistic.js'
import { kendallTau } from '../../../src/statistics/rank-correlation.js'
import { hazardByAge, kaplanMeier } from '../../../src/statistics/survival.js'
import { theilSen } from '../../../src/statistics/trend.js'
import { seeded } from '../../../src/util/random.js'

/** scipy and numpy (versions in the file), written by fixtures/make-dependence.py. */
const oracle = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'fixtures/dependence.json'), 'utf8'))

describe('against scipy', () => {
  it('correlations', () => {
    for (const { x, y, ...expected } of oracle.correlation) {
      expect(pearson(x, y).value).toBeCloseTo(expected.pearson, 12)
      expect(spearman(x, y).value).toBeCloseTo(expected.spearman, 12)
    }
  })

  it('trends', () => {
    for (const { x, y, slope, intercept, kendall } of oracle.trend) {
      expect(theilSen(x, y)).toMatchObject({ slope: expect.closeTo(slope, 12), intercept: expect.closeTo(intercept, 10) })
      expect(kendallTau(x, y)).toBeCloseTo(kendall, 12)
    }
  })

  it('survival with its interval', () => {
    for (const { days, ended, times, survival, low, high } of oracle.survival) {
      const { points } = kaplanMeier(days.map((d: number, i: number) => ({ days: d, ended: ended[i] })))
      expect(points.map((point) => point.days)).toEqual(times)
      points.forEach((point, i) => {
        expect(point.survival).toBeCloseTo(survival[i], 12)
        // scipy leaves the interval of 0 undefined
        if (low[i] !== null) expect(point.low).toBeCloseTo(low[i], 8)
        if (high[i] !== null) expect(point.high).toBeCloseTo(high[i], 8)
      })
    }
  })

  it('logistic regression with a ridge', () => {
    for (const { x, y, w, ridge, intercept, coefficients } of oracle.logistic) {
      const rows = {
        x: Float64Array.from(x as number[]),
        width: 3,
        y: Uint8Array.from(y as number[]),
        weights: Float64Array.from(w as number[]),
      }
      const fit = fitLogistic(rows, { ridge })
      expect(fit.intercept).toBeCloseTo(intercept, 4)
      for (const [c, b] of fit.coefficients.entries()) expect(b).toBeCloseTo(coefficients[c], 4)
    }
  })
})

describe('correlations that are not defined', () => {
  it('say why', () => {
    expect(pearson([1, 2], [1, 2])).toEqual({ value: null, n: 2, reason: '2 pairs of values: at least 3 are needed' })
    expect(pearson([0.1, 0.1, 0.1], [1, 2, 3]).reason).toBe('the first series never varies')
    expect(spearman([1, 2, 3], [4, 4, 4]).reason).toBe('the second series never varies')
    expect(pearson([1, Number.NaN, 3], [1, 2, 3]).reason).toBe('a value is not finite')
  })
})

describe('logistic regression', () => {
  it('stays finite for one class, constant columns and nothing', () => {
    const one = fitLogistic({ x: new Float64Array([1, 1, 1]), width: 1, y: new Uint8Array([0, 0, 0]) })
    expect(logisticScore(one, [1])).toBeCloseTo(Math.log(0.5 / 3.5), 6)
    expect(logisticScore(fitLogistic({ x: new Float64Array(), width: 2, y: new Uint8Array() }), [3, 4])).toBeCloseTo(0, 9)
  })
})

describe('change points', () => {
  it('are where the mean jumps, and nowhere in noise or in a constant', () => {
    const rng = seeded(1)
    const noise = (_: number) => rng.next()
    const series = Array.from({ length: 60 }, (_, i) => (i < 20 ? 0 : i < 45 ? 10 : 4) + noise(i))
    expect(changePoints(series).map((point) => point.index)).toEqual([20, 45])
    expect(changePoints(Array.from({ length: 60 }, (_, i) => noise(i)))).toEqual([])
    expect(changePoints(Array(30).fill(3))).toEqual([])
    expect(changePoints([1, 2])).toEqual([])
  })

  it('divide at the least cost of all divisions', () => {
    const cost = (values: number[]) => {
      const mean = values.reduce((a, b) => a + b, 0) / values.length
      return values.reduce((sum, v) => sum + (v - mean) ** 2, 0)
    }
    const best = (values: number[], penalty: number): number => {
      const whole = cost(values)
      const cuts = Array.from({ length: Math.max(0, values.length - 3) }, (_, i) => i + 2)
      return cuts.reduce((least, cut) => Math.min(least, cost(values.slice(0, cut)) + penalty + best(values.slice(cut), penalty)), whole)
    }
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 4, maxLength: 10 }), (values) => {
        const differences = values
          .slice(1)
          .map((v, i) => Math.abs(v - values[i]!))
          .sort((a, b) => a - b)
        const middle = differences[Math.floor((differences.length - 1) / 2)]!
        fc.pre(middle > 0)
        const penalty = 5 * ((1.4826 * middle) / Math.SQRT2) ** 2
        const edges = [0, ...changePoints(values, { penalty: 5 }).map((point) => point.index), values.length]
        const total = edges.slice(1).reduce((sum, end, i) => sum + cost(values.slice(edges[i]!, end)), 0) + (edges.length - 2) * penalty
        expect(total).toBeCloseTo(best(values, penalty), 6)
      }),
    )
  })
})

describe('survival', () => {
  it('answers nothing watched, and counts hazards by age', () => {
    expect(kaplanMeier([])).toEqual({ n: 0, events: 0, days: 0, hazardPerDay: null, medianDays: null, points: [] })
    const spells = [
      { days: 10, ended: true },
      { days: 40, ended: false },
    ]
    expect(hazardByAge(spells, [0, 30])).toEqual([
      { from: 0, to: 30, events: 1, days: 40, perDay: 1 / 40 },
      { from: 30, to: 1e9, events: 0, days: 10, perDay: 0 },
    ])
    expect(kaplanMeier(spells)).toMatchObject({ medianDays: 10, hazardPerDay: 1 / 50 })
  })
})

describe('communities', () => {
  it('find cliques tied by one thread, in any order', () => {
    const clique = (names: string[]) => names.flatMap((a, i) => names.slice(i + 1).map((b) => ({ a, b, weight: 1 })))
    const pairs = [...clique(['a', 'b', 'c', 'd']), ...clique(['x', 'y', 'z']), { a: 'd', b: 'x', weight: 0.5 }]
    const expected = [
      ['a', 'b', 'c', 'd'],
      ['x', 'y', 'z'],
    ]
    expect(communities(pairs)).toEqual(expected)
    expect(communities(pairs.map(({ a, b, weight }) => ({ a: b, b: a, weight })).reverse())).toEqual(expected)
    expect(communities([])).toEqual([])
  })
})

describe('learning rate', () => {
  it('has the values of its definition', () => {
    const rate = learningRate([2, 5, 6, 6])
    expect(rate).toMatchObject({ epochs: 4, patternsPerEpoch: 4.75, hasDisjointWindows: false })
    expect(rate.convergenceRate).toBeCloseTo(0.7647, 4)
    expect(rate.adaptationRate).toBeCloseTo(1.4, 12)
  })

  it('answers few epochs and zeros', () => {
    expect(learningRate([])).toEqual({
      epochs: 0,
      patternsPerEpoch: null,
      convergenceRate: null,
      hasDisjointWindows: false,
      adaptationRate: null,
    })
    expect(learningRate([0, 0, 0])).toMatchObject({ patternsPerEpoch: 0, convergenceRate: 1, adaptationRate: 1 })
    expect(learningRate([0, 3]).adaptationRate).toBe(2)
  })
})
