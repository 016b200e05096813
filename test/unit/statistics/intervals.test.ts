import { describe, expect, it } from 'vitest'
import { bootstrapMean, bootstrapMeans } from '../../../src/statistics/intervals.js'
import { seeded } from '../../../src/util/random.js'

describe('bootstrap', () => {
  it('is reproducible from its seed and contains the mean', () => {
    const values = Array.from({ length: 40 }, (_, i) => (i * 7) % 11)
    const one = bootstrapMean(values, seeded(1))!
    expect(bootstrapMean(values, seeded(1))).toEqual(one)
    expect(one.low).toBeLessThan(one.value)
    expect(one.high).toBeGreaterThan(one.value)
    expect(one.n).toBe(40)
  })

  it('has the width that theory gives the mean of many values', () => {
    const rng = seeded(3)
    const values = Array.from({ length: 2000 }, () => rng.normal())
    const { low, high } = bootstrapMean(values, rng)!
    const expected = (2 * 1.96) / Math.sqrt(2000)
    expect((high - low) / expected).toBeGreaterThan(0.9)
    expect((high - low) / expected).toBeLessThan(1.1)
  })

  it('covers the true mean about as often as it says (200 trials of 30 values: 93 % +- 4 standard errors)', () => {
    const rng = seeded(5)
    let covered = 0
    for (let trial = 0; trial < 200; trial++) {
      const { low, high } = bootstrapMean(
        Array.from({ length: 30 }, () => rng.normal()),
        rng,
        { resamples: 300 },
      )!
      if (low <= 0 && high >= 0) covered++
    }
    expect(covered / 200).toBeGreaterThan(0.86)
  })

  it('is wider when values come in clusters that agree', () => {
    const clusters = Array.from({ length: 10 }, (_, i) => Array<number>(20).fill(i % 2))
    const clustered = bootstrapMeans(
      clusters.map((c) => c.map((v) => [v])),
      seeded(1),
    )![0]!
    const independent = bootstrapMean(clusters.flat(), seeded(1))!
    expect(clustered.value).toBe(independent.value)
    expect(clustered.high - clustered.low).toBeGreaterThan(3 * (independent.high - independent.low))
  })

  it('gives every column what it would get alone', () => {
    const rows = Array.from({ length: 20 }, (_, i) => [i % 3, i])
    const both = bootstrapMeans(
      rows.map((row) => [row]),
      seeded(2),
    )!
    expect(both).toEqual(
      [0, 1].map((c) =>
        bootstrapMean(
          rows.map((row) => row[c]!),
          seeded(2),
        ),
      ),
    )
  })

  it('has nothing to say of nothing, and no width for one value', () => {
    expect(bootstrapMean([], seeded(1))).toBeNull()
    expect(bootstrapMean([0.5], seeded(1))).toEqual({ value: 0.5, low: 0.5, high: 0.5, n: 1 })
    expect(() => bootstrapMean([1], seeded(1), { confidence: 95 })).toThrow('confidence was 95')
  })
})
