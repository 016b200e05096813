import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seeded } from '../../../src/util/random.js'

describe('seeded random numbers', () => {
  it('resume from their counter', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(50), (seed, drawn) => {
        const whole = seeded(seed)
        for (let i = 0; i < drawn; i++) whole.next()
        const resumed = seeded(seed, whole.counter)
        expect([whole.next(), whole.next()]).toEqual([resumed.next(), resumed.next()])
      }),
    )
  })

  it('are uniform: the chi-squared statistic of 64 bins stays under its 99.99 % point', () => {
    const rng = seeded(7)
    const bins = new Array<number>(64).fill(0)
    for (let i = 0; i < 64_000; i++) bins[rng.integer(64)]!++
    const statistic = bins.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)
    expect(statistic).toBeLessThan(113.5)
  })

  it('shuffle to a permutation, fork without disturbing, and differ by label', () => {
    const rng = seeded(3)
    const before = rng.counter
    expect(rng.fork('a').next()).not.toBe(rng.fork('b').next())
    expect(rng.counter).toBe(before)
    expect(rng.shuffle([1, 2, 3, 4, 5]).sort()).toEqual([1, 2, 3, 4, 5])
  })

  it('have the mean and variance of a standard normal', () => {
    const rng = seeded(11)
    const draws = Array.from({ length: 20_000 }, () => rng.normal())
    const mean = draws.reduce((a, b) => a + b) / draws.length
    expect(Math.abs(mean)).toBeLessThan(0.04)
    expect(Math.abs(draws.reduce((a, b) => a + (b - mean) ** 2, 0) / draws.length - 1)).toBeLessThan(0.05)
  })
})
