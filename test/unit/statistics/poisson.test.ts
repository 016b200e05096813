import { describe, expect, it } from 'vitest'
import { poissonRate } from '../../../src/statistics/poisson.js'

/** Exact limits chi2.ppf(.025, 2 n) / 2 and chi2.ppf(.975, 2 n + 2) / 2 of scipy. */
const exact: [events: number, low: number, high: number][] = [
  [2, 0.24221, 7.22469],
  [5, 1.62349, 11.66833],
  [10, 4.79539, 18.39036],
  [50, 37.11096, 65.91877],
  [1000, 938.97302, 1063.95214],
]

describe('a rate of events', () => {
  it.each(exact)('%d events: its limits are within 1.5 %% of the exact ones', (events, low, high) => {
    const rate = poissonRate(events, 1)!
    expect(Math.abs(rate.low / low - 1)).toBeLessThan(events === 2 ? 0.12 : 0.015)
    expect(Math.abs(rate.high / high - 1)).toBeLessThan(0.015)
    expect(rate).toMatchObject({ value: events, n: events })
  })

  it('scales with the exposure; nothing seen has no lower limit, nothing watched no rate', () => {
    expect(poissonRate(10, 4)!.high).toBeCloseTo(poissonRate(10, 1)!.high / 4, 12)
    expect(poissonRate(0, 2)).toMatchObject({ value: 0, low: 0, n: 0 })
    expect(poissonRate(0, 1)!.high).toBeCloseTo(3.69, 1)
    expect(poissonRate(3, 0)).toBeNull()
    expect(() => poissonRate(-1, 1)).toThrow('-1 events')
  })
})
