import fs from 'node:fs'
import { describe, expect, it } from 'vitest'
import { entropyBits, klDivergenceBits } from '../../../src/statistics/information.js'
import { wilsonInterval } from '../../../src/statistics/intervals.js'
import { normalCdf, normalQuantile } from '../../../src/statistics/normal.js'
import { averagePrecision, brierScore, calibration, logLoss } from '../../../src/statistics/probability-scores.js'
import { kendallTau } from '../../../src/statistics/rank-correlation.js'
import { mean, median, quantile, stdev, summarize } from '../../../src/statistics/summary.js'
import { mannKendall, theilSen } from '../../../src/statistics/trend.js'

/** scipy, scikit-learn and pymannkendall (versions in the file), written by fixtures/make-oracle.py. */
const oracle = JSON.parse(fs.readFileSync(new URL('./fixtures/oracle.json', import.meta.url), 'utf8'))

describe('against scipy and scikit-learn', () => {
  it('Kendall tau-b, with and without ties', () => {
    for (const { x, y, tau } of oracle.kendall) {
      if (tau === null) expect(kendallTau(x, y)).toBeNull()
      else expect(kendallTau(x, y)).toBeCloseTo(tau, 12)
    }
  })
  it('Theil-Sen slope and Mann-Kendall test', () => {
    for (const { x, y, slope, intercept, s, z, p } of oracle.trend) {
      expect(theilSen(x, y)!.slope).toBeCloseTo(slope, 12)
      expect(theilSen(x, y)!.intercept).toBeCloseTo(intercept, 12)
      const test = mannKendall(x, y)!
      expect(test.s).toBe(s)
      expect(test.z).toBeCloseTo(z, 12)
      expect(test.pValue).toBeCloseTo(p, 12)
    }
  })
  it('Brier, log loss, average precision, calibration curve', () => {
    for (const c of oracle.probability) {
      expect(brierScore(c.p, c.y)).toBeCloseTo(c.brier, 12)
      expect(logLoss(c.p, c.y)).toBeCloseTo(c.logLoss, 12)
      expect(averagePrecision(c.p, c.y)).toBeCloseTo(c.averagePrecision, 12)
      // scikit-learn closes its bins on the right, we on the left: compare where no forecast lies on an edge
      if (c.p.some((p: number) => Math.abs(p * 10 - Math.round(p * 10)) < 1e-9)) continue
      const curve = calibration(c.p, c.y).bins
      expect(curve).toHaveLength(c.calibration.length)
      curve.forEach((bin, b) => {
        expect(bin.forecast).toBeCloseTo(c.calibration[b][0], 12)
        expect(bin.observed).toBeCloseTo(c.calibration[b][1], 12)
      })
    }
  })
  it('Wilson interval', () => {
    for (const { k, n, confidence, low, high } of oracle.wilson) {
      const interval = wilsonInterval(k, n, confidence)!
      expect(interval.low).toBeCloseTo(low, 12)
      expect(interval.high).toBeCloseTo(high, 12)
    }
  })
  it('normal distribution and its quantiles', () => {
    for (const [z, p] of oracle.normal) expect(Math.abs(normalCdf(z) / p - 1)).toBeLessThan(1e-9)
    for (const [p, z] of oracle.normalQuantile) expect(normalQuantile(p)).toBeCloseTo(z, 8)
  })
  it('mean, median, sample deviation, quantiles', () => {
    const { values, quantiles, ...expected } = oracle.summary
    expect(mean(values)).toBeCloseTo(expected.mean, 12)
    expect(median(values)).toBeCloseTo(expected.median, 12)
    expect(stdev(values)).toBeCloseTo(expected.stdev, 12)
    for (const [q, value] of quantiles) expect(quantile(values, q)).toBeCloseTo(value, 12)
  })
  it('entropy and divergence in bits', () => {
    const { p, q, entropy, kl } = oracle.information
    expect(entropyBits(p)).toBeCloseTo(entropy, 12)
    expect(klDivergenceBits(p, q)).toBeCloseTo(kl, 12)
    expect(klDivergenceBits([1, 1], [1, 0])).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('edges', () => {
  it('nothing gives null, never NaN', () => {
    expect([mean([]), median([]), stdev([3]), brierScore([], []), logLoss([], []), averagePrecision([1], [false])]).toEqual(
      Array(6).fill(null),
    )
    expect([
      wilsonInterval(0, 0),
      kendallTau([1], [1]),
      kendallTau([1, 1], [1, 2]),
      theilSen([1, 1], [1, 2]),
      mannKendall([1, 2], [1, 2]),
    ]).toEqual(Array(5).fill(null))
    expect(summarize([])).toEqual({ n: 0, mean: null, median: null, stdev: null, min: null, max: null })
  })
  it('a trend does not depend on the order of arrival, nor on points of one moment', () => {
    const [x, y] = [
      [1, 2, 3, 4, 5, 6, 7, 8],
      [1, 3, 2, 5, 4, 7, 8, 9],
    ]
    const order = [3, 0, 7, 5, 1, 2, 6, 4]
    const pick = (values: number[]) => order.map((i) => values[i]!)
    expect(mannKendall(pick(x), pick(y))).toEqual(mannKendall(x, y))
    expect(theilSen(pick(x), pick(y))).toEqual(theilSen(x, y))
    expect(mannKendall(x, y)!.trend).toBe('increasing')
    expect(mannKendall([1, 1, 1, 1], [1, 2, 3, 4])).toMatchObject({ s: 0, z: 0, pValue: 1, trend: 'none' })
  })
  it('one sure mistake keeps log loss finite', () => {
    expect(logLoss([0, 1], [true, false])).toBeCloseTo(34.5388, 3)
  })
  it('a perfect forecaster is calibrated, an overconfident one is not', () => {
    expect(calibration([0, 0, 1, 1], [false, false, true, true]).error).toBe(0)
    expect(calibration([0.9, 0.9], [true, false])).toEqual({
      bins: [{ low: 0.9, high: 1, n: 2, forecast: 0.9, observed: 0.5 }],
      error: 0.4,
    })
  })
  it('misuse is refused with what came and what was expected', () => {
    expect(() => kendallTau([1], [1, 2])).toThrow('lists of 1 and 2 values')
    expect(() => brierScore([1.5], [true])).toThrow('forecast 0 is 1.5')
    expect(() => wilsonInterval(3, 2)).toThrow('3 successes of 2')
  })
})
