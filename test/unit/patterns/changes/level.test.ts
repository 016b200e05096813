import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { atLevel } from '../../../../src/patterns/changes/forecast.js'
import { Level } from '../../../../src/patterns/changes/level.js'
import { buildPanel, dayMs, gridDays, units } from '../../../../src/patterns/changes/panel.js'
import { eventsUpTo, historyOf } from '../../../../src/patterns/changes/snapshots.js'
import { gridOf, walk } from '../../../../src/patterns/changes/walk.js'
import { histories } from './random-histories.js'

/** Walks over shares of months as a forecast of `horizonDays` does. */
function levels(months: readonly number[], horizonDays = 90): number[] {
  const level = new Level(horizonDays, 1460)
  const at = (month: number) => month * gridDays * dayMs
  return months.map((_, d) => {
    if (d >= 1) level.learnMonth(at(d - 1), months[d - 1]!)
    return level.forecast(at(d))
  })
}

describe('how many will change', () => {
  it('is what forecasts moved together give in the mean, however they differ', () => {
    const score = fc.double({ min: -30, max: 30, noNaN: true })
    fc.assert(
      fc.property(fc.array(score, { minLength: 1, maxLength: 50 }), fc.double({ min: 1e-4, max: 0.97, noNaN: true }), (scores, level) => {
        const p = atLevel(scores, level)
        expect(p.reduce((a, b) => a + b, 0) / p.length).toBeCloseTo(level, 5)
        for (const [i, z] of scores.entries())
          for (const [j, other] of scores.entries()) if (z > other) expect(p[i]!).toBeGreaterThanOrEqual(p[j]!)
      }),
    )
    expect(atLevel([], 0.1)).toHaveLength(0)
  })

  it('is a probability, whatever came', () => {
    const share = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }))
    fc.assert(
      fc.property(fc.array(share, { minLength: 1, maxLength: 40 }), fc.constantFrom(1, 30, 90, 3650), (months, horizonDays) => {
        for (const p of levels(months, horizonDays)) {
          expect(p).toBeGreaterThan(0)
          expect(p).toBeLessThan(1)
        }
      }),
    )
  })

  it('comes down to "nothing" in long quiet, and sees a burst in the month after it', () => {
    const quiet = Array<number>(60).fill(0)
    expect(levels(quiet).at(-1)).toBeLessThan(0.01)
    const burst = [...quiet, 0.5, 0]
    const [before, after] = levels(burst).slice(-2)
    expect(after! / before!).toBeGreaterThan(1.5)
  })

  it('comes down within months from what years have told', () => {
    const lively = Array<number>(48).fill(0.1)
    const [first, last] = [levels([...lively, 0]).at(-1)!, levels([...lively, ...Array<number>(10).fill(0)]).at(-1)!]
    expect(last / first).toBeLessThan(0.35)
  })

  it('goes by how often something changes of late, and by years of releases for how much: a release is no sign that the next is as large', () => {
    const small = Array.from({ length: 60 }, (_, month) => (month % 6 === 0 ? 0.02 : 0))
    const after = (share: number) => levels([...small, share, 0]).at(-1)!
    expect(after(0.6) / after(0.02)).toBeLessThan(4)
  })

  it('stays near what always comes', () => {
    const last = levels(Array<number>(60).fill(0.1)).at(-1)!
    expect(last).toBeGreaterThan(0.25)
    expect(last).toBeLessThan(0.35)
  })

  it('is the same at a date whatever comes after it', () => {
    fc.assert(
      fc.property(histories, fc.constantFrom(20, 90), fc.nat(), (snapshots, horizonDays, pick) => {
        const history = historyOf(snapshots)
        const end = Math.max(...history.observedAt.map(Number))
        const dates = snapshots.length === 0 ? [] : gridOf(history, end)
        if (dates.length === 0) return
        const at = dates[pick % dates.length]!
        for (const unit of units) {
          const forecastAt = (known: typeof history) => {
            const panel = buildPanel(
              known,
              dates.filter((date) => date <= (known === history ? end : at)),
            )
            const { series } = walk(panel, unit, horizonDays)
            return series.forecasts[series.dates.indexOf(at)]?.steady
          }
          expect(forecastAt(eventsUpTo(history, at))).toEqual(forecastAt(history))
        }
      }),
    )
  })
})
