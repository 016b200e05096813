import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AdaptiveHistogram } from '../../../../src/datasets/statistics/adaptive-histogram.js'
import { HyperLogLog } from '../../../../src/datasets/statistics/hyper-log-log.js'
import { CoMoments, Moments } from '../../../../src/datasets/statistics/moments.js'
import { QuantileSketch, quantileRankError } from '../../../../src/datasets/statistics/quantile-sketch.js'
import { ValueCounts } from '../../../../src/datasets/statistics/value-counts.js'
import { pearson } from '../../../../src/statistics/correlation.js'
import { quantile, summarize } from '../../../../src/statistics/summary.js'
import { hash53, hashNumber53 } from '../../../../src/util/hash53.js'
import { seeded } from '../../../../src/util/random.js'

const numbers = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 60 })

describe('hash53', () => {
  it('tells two hundred thousand texts apart, and fills all its bits', () => {
    const seen = new Set<number>()
    const ones = new Array<number>(53).fill(0)
    for (let i = 0; i < 200_000; i++) {
      const hash = hash53(`row ${i}`)
      if (!Number.isSafeInteger(hash) || hash < 0) throw new Error(`row ${i} has the hash ${hash}`)
      seen.add(hash)
      if (i < 2000) for (let bit = 0; bit < 53; bit++) ones[bit]! += Math.floor(hash / 2 ** bit) % 2
    }
    expect(seen.size).toBe(200_000)
    // 2,000 tosses a bit: five standard deviations
    for (const count of ones) expect(Math.abs(count - 1000)).toBeLessThan(112)
  })

  it('tells texts apart by their length, their order and the seed', () => {
    const texts = ['', '\0', '\0\0', '\0\0\0', 'ab', 'ba', 'abc', 'abcd', 'abdc']
    expect(new Set(texts.map((text) => hash53(text))).size).toBe(texts.length)
    expect(hash53('a', 1)).not.toBe(hash53('a', 2))
  })
})

describe('hashNumber53', () => {
  it('tells numbers apart by their bits, but for the sign of 0', () => {
    const seen = new Set<number>()
    for (let i = 0; i < 100_000; i++) seen.add(hashNumber53(i / 7)).add(hashNumber53(-i - 1))
    expect(seen.size).toBe(200_000)
    expect([...seen].every((hash) => Number.isSafeInteger(hash) && hash >= 0)).toBe(true)
    expect(hashNumber53(-0)).toBe(hashNumber53(0))
    expect(hashNumber53(1, 1)).not.toBe(hashNumber53(1, 2))
  })

  it('fills all its bits', () => {
    const sketch = new HyperLogLog()
    for (let i = 0; i < 100_000; i++) sketch.add(hashNumber53(i * 0.01))
    expect(Math.abs(sketch.estimate() - 100_000)).toBeLessThan(4 * HyperLogLog.standardError * 100_000)
  })
})

describe('moments', () => {
  it('are those of the numbers in memory', () =>
    fc.assert(
      fc.property(numbers, (values) => {
        const moments = new Moments()
        for (const value of values) moments.add(value)
        const { mean, stdev, min, max } = summarize(values)
        expect([moments.min, moments.max]).toEqual([min, max])
        expect(moments.mean).toBeCloseTo(mean!, 6)
        if (stdev === null) expect(moments.std).toBeNull()
        else expect(moments.std).toBeCloseTo(stdev, 6)
      }),
    ))

  it('correlate as in memory, and not at all where nothing varies', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: -99, max: 99 })), { maxLength: 30 }), (pairs) => {
        const moments = new CoMoments()
        for (const [a, b] of pairs) moments.add(a, b)
        const expected = pearson(
          pairs.map(([a]) => a),
          pairs.map(([, b]) => b),
        ).value
        if (expected === null) expect(moments.correlation).toBeNull()
        else expect(moments.correlation).toBeCloseTo(expected, 10)
      }),
    )
    const constant = new CoMoments()
    for (let i = 0; i < 9; i++) constant.add(0.1, i)
    expect(constant.correlation).toBeNull()
  })
})

describe('how many different values', () => {
  it.each([0, 1, 100, 1000, 20_000, 300_000])('%i, within four standard errors', (n) => {
    const sketch = new HyperLogLog()
    for (let i = 0; i < n; i++) {
      sketch.add(hash53(`value ${i}`))
      if (i % 3 === 0) sketch.add(hash53(`value ${i}`))
    }
    expect(Math.abs(sketch.estimate() - n)).toBeLessThanOrEqual(4 * HyperLogLog.standardError * n + 1e-9)
  })

  it('exactly up to a bound, with the most frequent ones', () => {
    const counts = new ValueCounts()
    for (const value of ['a', 'b', 'a', 1, '1', true, 'b', 'a']) counts.add(value)
    expect([counts.distinct, counts.exact]).toEqual([5, true])
    expect(counts.mode).toEqual({ value: 'a', count: 3, atMost: 3 })
    expect(counts.top(2).map((v) => v.value)).toEqual(['a', 'b'])
  })

  it('finds frequent values among very many, with bounds that hold', () =>
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const rng = seeded(seed)
        const counts = new ValueCounts(200)
        const truth = new Map<string, number>()
        for (let i = 0; i < 5000; i++) {
          const value = rng.next() < 0.2 ? 'often' : rng.next() < 0.1 ? 'sometimes' : `rare ${rng.integer(4000)}`
          truth.set(value, (truth.get(value) ?? 0) + 1)
          counts.add(value)
        }
        expect(counts.exact).toBe(false)
        expect(Math.abs(counts.distinct - truth.size) / truth.size).toBeLessThan(0.04)
        expect(counts.mode?.value).toBe('often')
        for (const { value, count, atMost } of counts.top(50)) {
          expect(truth.get(String(value))).toBeGreaterThanOrEqual(count)
          expect(truth.get(String(value))).toBeLessThanOrEqual(atMost)
        }
      }),
      { numRuns: 10 },
    ))

  it('names no mode where each value came once', () => {
    const counts = new ValueCounts(100)
    for (let i = 0; i < 1000; i++) counts.add(`id ${i}`)
    expect(counts.mode).toBeNull()
  })

  it('tells long texts apart that begin alike', () => {
    const counts = new ValueCounts()
    for (let i = 0; i < 10; i++) counts.add(`${'x'.repeat(200)}${i % 5}`)
    expect(counts.distinct).toBe(5)
    expect(String(counts.mode!.value)).toHaveLength(101)
  })
})

describe('quantiles', () => {
  it('are exact up to the bound', () =>
    fc.assert(
      fc.property(numbers, fc.double({ min: 0, max: 1, noNaN: true }), (values, p) => {
        const sketch = new QuantileSketch()
        for (const value of values) sketch.add(value)
        expect(sketch.exact).toBe(true)
        expect(sketch.quantile(p)).toBe(quantile(values, p))
      }),
    ))

  it.each(['ascending', 'descending', 'random', 'zigzag'])('are near in rank beyond it, for numbers that come %s', (order) => {
    const n = 200_000
    const rng = seeded(5)
    const sketch = new QuantileSketch()
    const at = {
      ascending: (i: number) => i,
      descending: (i: number) => n - 1 - i,
      zigzag: (i: number) => (i % 2 ? n - 1 - (i >> 1) : i >> 1),
    }
    const random = order === 'random' ? rng.shuffle(Array.from({ length: n }, (_, i) => i)) : null
    for (let i = 0; i < n; i++) sketch.add(random ? random[i]! : at[order as keyof typeof at](i))
    expect(sketch.exact).toBe(false)
    for (const p of [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
      expect(Math.abs(sketch.quantile(p)! / n - p)).toBeLessThan(2 * quantileRankError)
    expect([sketch.quantile(0), sketch.quantile(1)]).toEqual([0, n - 1])
  })

  it('have none of nothing', () => expect(new QuantileSketch().quantile(0.5)).toBeNull())
})

describe('a histogram', () => {
  it('counts every value where it lies, in at most as many bins as allowed, whatever the order', () =>
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 40 }),
        fc.integer(),
        (values, seed) => {
          const build = (from: readonly number[]) => {
            const histogram = new AdaptiveHistogram(16)
            for (const value of from) histogram.add(value)
            return histogram.toBins()
          }
          const bins = build(values)
          expect(bins.length).toBeLessThanOrEqual(16)
          expect(build(seeded(seed).shuffle(values))).toEqual(bins)
          expect(bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(values.length)
          if (bins.length === 1 && bins[0]!.from === bins[0]!.to) return
          for (const { from, to, count } of bins)
            expect(values.filter((v) => v >= from && (v < to || v === Number.MAX_VALUE) && v <= to)).toHaveLength(count)
        },
      ),
    ))

  it('has edges that people can read', () => {
    const histogram = new AdaptiveHistogram(8)
    for (let i = 0; i < 100; i++) histogram.add(i)
    expect(histogram.toBins().map((bin) => [bin.from, bin.count])).toEqual([
      [0, 16],
      [16, 16],
      [32, 16],
      [48, 16],
      [64, 16],
      [80, 16],
      [96, 4],
    ])
  })
})
