import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  countSeries,
  countsAt,
  defaultIdeal,
  distributionOf,
  emptyCounts,
  normalizeIdeal,
  type TypeCounts,
  typeMetrics,
} from '../../../src/catalog/quality/metrics.js'
import { assessQuality, columnScore, entropyScore, klScore, qualityLevels } from '../../../src/catalog/quality/quality.js'

const counts = (some: Partial<TypeCounts>): TypeCounts => ({ ...emptyCounts(), ...some })

describe('metrics of types', () => {
  it('are those worked out by hand', () => {
    // p = (1/2, 1/4, 1/4): H = .5*1 + 2*.25*2 = 1.5; KL = .5 log2(.5/.4) + .25 log2(.25/.4) + .25 log2(.25/.1)
    const metrics = typeMetrics(counts({ string: 4, number: 2, boolean: 2 }))
    expect(metrics.metadata_entropy).toBeCloseTo(1.5, 12)
    expect(metrics.kl_divergence).toBeCloseTo(0.160964 - 0.169518 + 0.330482, 5)
    expect(metrics.column_count).toBe(8)
  })

  it('leave unclassified columns out of the distribution, and report them', () => {
    const metrics = typeMetrics(counts({ string: 3, unclassified: 1 }))
    expect(metrics).toMatchObject({ metadata_entropy: 0, column_count: 4, unclassified_ratio: 0.25 })
    expect(metrics.kl_divergence).toBeCloseTo(Math.log2(1 / 0.4), 12)
    expect(distributionOf(counts({ string: 3, unclassified: 1 })).string).toBe(1)
  })

  it('are 0 for nothing, log2 6 for an even spread, and 0 divergence at the ideal', () => {
    expect(typeMetrics(emptyCounts())).toEqual({ metadata_entropy: 0, kl_divergence: 0, column_count: 0, unclassified_ratio: 0 })
    expect(typeMetrics(counts({ string: 1, number: 1, boolean: 1, date: 1, array: 1, object: 1 })).metadata_entropy).toBeCloseTo(
      Math.log2(6),
      12,
    )
    expect(typeMetrics(counts({ string: 40, number: 40, boolean: 10, date: 5, array: 3, object: 2 })).kl_divergence).toBeCloseTo(0, 12)
  })

  it('stay finite for every ideal', () => {
    fc.assert(
      fc.property(
        fc.record({ string: fc.nat(5), number: fc.nat(5), object: fc.nat(5), unclassified: fc.nat(5) }),
        fc.record({ string: fc.double({ min: 0, max: 1, noNaN: true }), array: fc.double({ min: 0, max: 1, noNaN: true }) }),
        (some, ideal) => {
          const normal = normalizeIdeal(ideal)
          expect(Object.values(normal).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9)
          for (const value of Object.values(typeMetrics(counts(some), normal))) expect(Number.isFinite(value) && value >= 0).toBe(true)
        },
      ),
    )
    expect(normalizeIdeal(defaultIdeal)).toEqual(normalizeIdeal())
  })

  it('count over time as a running sum, leaving out moments where nothing changed', () => {
    const series = countSeries(
      [
        { at: 1, key: 'a', delta: 2 },
        { at: 2, key: 'a', delta: -1 },
        { at: 2, key: 'b', delta: 1 },
        { at: 3, key: 'a', delta: 1 },
        { at: 3, key: 'a', delta: -1 },
      ],
      { a: 0, b: 0 },
    )
    expect(series).toEqual([
      { at: 1, counts: { a: 2, b: 0 } },
      { at: 2, counts: { a: 1, b: 1 } },
    ])
    expect(countsAt(series, 0, { a: 0, b: 0 })).toEqual({ a: 0, b: 0 })
    expect(countsAt(series, 9, { a: 0, b: 0 })).toEqual({ a: 1, b: 1 })
  })
})

describe('quality', () => {
  it('scores its parts by the rules', () => {
    expect([0, 0.5, 0.999, 1, 2.58].map(entropyScore)).toEqual([0, 0.25, 0.4995, 1, 1])
    expect([0, 0.5, 0.75, 1, 1.001].map(klScore)).toEqual([1, 1, 0.75, 0.5, 0])
    expect([0, 1, 5, 500].map(columnScore)).toEqual([0, 0.2, 1, 1])
  })

  it('weighs them .4, .4, .2 and names the level', () => {
    const of = (metadata_entropy: number, kl_divergence: number, column_count: number) =>
      assessQuality({ metadata_entropy, kl_divergence, column_count, unclassified_ratio: 0 })
    expect(of(1.5, 0.2, 10)).toMatchObject({
      score: 1,
      level: 'excellent',
      processingStrategy: 'standard',
      issues: [],
      recommendations: [],
    })
    // .4 * .25 + .4 * .75 + .2 * .4
    expect(of(0.5, 0.75, 2).score).toBeCloseTo(0.48, 12)
    expect(of(0.5, 0.75, 2)).toMatchObject({ level: 'poor', processingStrategy: 'simplified' })
    expect(of(0, 2, 0)).toMatchObject({ score: 0, level: 'critical', processingStrategy: 'skip' })
    expect(of(1.2, 0.9, 5)).toMatchObject({ level: 'good' })
    expect(of(0.2, 0.6, 5)).toMatchObject({ level: 'fair', processingStrategy: 'enhanced' })
    expect(of(0.5, 0.75, 2).issues.length).toBe(of(0.5, 0.75, 2).recommendations.length)
  })

  it('never falls when a part gets better', () => {
    const value = fc.double({ min: 0, max: 2.5, noNaN: true })
    fc.assert(
      fc.property(value, value, value, fc.nat(9), (h, less, more, n) => {
        const [low, high] = [Math.min(less, more), Math.max(less, more)]
        const score = (entropy: number, kl: number) =>
          assessQuality({ metadata_entropy: entropy, kl_divergence: kl, column_count: n, unclassified_ratio: 0 }).score
        expect(score(high, h)).toBeGreaterThanOrEqual(score(low, h))
        expect(score(h, low)).toBeGreaterThanOrEqual(score(h, high))
        expect(qualityLevels).toContain(
          assessQuality({ metadata_entropy: h, kl_divergence: less, column_count: n, unclassified_ratio: 0 }).level,
        )
      }),
    )
  })
})
