import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FixedShare } from '../../../src/statistics/fixed-share.js'

const probability = fc.double({ min: 0.001, max: 0.999, noNaN: true })
const lossOf = (p: number, came: boolean) => -Math.log(came ? p : 1 - p)

/** What the best sequence of experts that changes exactly k times loses, for every k. */
function bestWithChanges(losses: readonly (readonly number[])[]): number[] {
  const n = losses[0]!.length
  let best = [losses[0]!.slice()]
  for (const round of losses.slice(1))
    best = Array.from({ length: best.length + 1 }, (_, k) =>
      Array.from({ length: n }, (_, e) => {
        const stay = best[k]?.[e] ?? Number.POSITIVE_INFINITY
        const come = Math.min(...(best[k - 1] ?? []).filter((_, other) => other !== e))
        return round[e]! + Math.min(stay, come)
      }),
    )
  return best.map((row) => Math.min(...row))
}

describe('fixed share', () => {
  it('loses no more than the best sequence of experts and what its changes cost', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 2, max: 4 })
          .chain((n) =>
            fc.array(fc.tuple(fc.array(probability, { minLength: n, maxLength: n }), fc.boolean()), { minLength: 1, maxLength: 40 }),
          ),
        fc.double({ min: 0.001, max: 0.9, noNaN: true }),
        (rounds, share) => {
          const n = rounds[0]![0].length
          const mixture = new FixedShare(n, share)
          let mine = 0
          const losses = rounds.map(([said, came]) => {
            const p = mixture.mix(said)
            expect(p).toBeGreaterThan(0)
            expect(p).toBeLessThan(1)
            mine += lossOf(p, came)
            const round = said.map((q) => lossOf(q, came))
            mixture.learn(round)
            return round
          })
          bestWithChanges(losses).forEach((best, k) => {
            const price = Math.log(n) + k * Math.log(n / share) - (rounds.length - 1 - k) * Math.log(1 - share + share / n)
            expect(mine).toBeLessThanOrEqual(best + price + 1e-9)
          })
        },
      ),
    )
  })

  it('keeps weights that sum to 1 and silence nobody, however wrong', () => {
    const losses = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 3, maxLength: 3 })
    fc.assert(
      fc.property(fc.array(losses, { maxLength: 30 }), fc.double({ min: 0, max: 1000, noNaN: true }), (rounds, rate) => {
        const mixture = new FixedShare(3, 0.01)
        for (const round of rounds) mixture.learn(round, rate)
        expect(mixture.weights().reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12)
        for (const weight of mixture.weights()) expect(weight).toBeGreaterThanOrEqual(0.01 / 3)
      }),
    )
  })

  it('is Bayes where nothing is shared', () => {
    const mixture = new FixedShare(2, 0)
    for (let i = 0; i < 3; i++) mixture.learn([lossOf(0.8, true), lossOf(0.4, true)])
    expect(mixture.weights()[0]).toBeCloseTo(0.8 ** 3 / (0.8 ** 3 + 0.4 ** 3), 12)
  })
})
