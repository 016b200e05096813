import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Level } from '../../../../src/patterns/changes/forecast.js'
import { buildPanel, dayMs, gridDays, units } from '../../../../src/patterns/changes/panel.js'
import { eventsUpTo, historyOf } from '../../../../src/patterns/changes/snapshots.js'
import { gridOf, walk } from '../../../../src/patterns/changes/walk.js'
import { histories } from './random-histories.js'

/** Walks over shares of months as a forecast of 90 days does; a window's share is that of its months together. */
function levels(months: readonly number[], overall: number, doubt: number): number[] {
  const level = new Level(90)
  const at = (month: number) => month * gridDays * dayMs
  const windowOf = (d: number) => Math.min(1, months[d]! + months[d + 1]! + months[d + 2]!)
  return months.map((_, d) => {
    if (d >= 3) level.learn(at(d - 3), windowOf(d - 3), 100)
    if (d >= 1) level.learnMonth(at(d - 1), months[d - 1]!)
    return level.forecast(at(d), overall, doubt)
  })
}

describe('how many will change', () => {
  it('is a probability, whatever came', () => {
    const share = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }))
    fc.assert(
      fc.property(
        fc.array(share, { minLength: 1, maxLength: 40 }),
        fc.double({ min: 1e-6, max: 0.999, noNaN: true }),
        (months, overall) => {
          for (const p of levels(months, overall, 0.005)) {
            expect(p).toBeGreaterThan(0)
            expect(p).toBeLessThan(1)
          }
        },
      ),
    )
  })

  it('comes down to "nothing" in long quiet, and sees a burst before a window that holds it has closed', () => {
    const quiet = Array<number>(60).fill(0)
    expect(levels(quiet, 0.08, 0.01).at(-1)).toBeCloseTo(0.01, 2)
    const burst = [...quiet, 0.5, 0]
    const [before, after] = levels(burst, 0.08, 0.01).slice(-2)
    expect(after! / before!).toBeGreaterThan(1.5)
  })

  it('stays near what always comes', () => {
    const last = levels(Array<number>(60).fill(0.1), 0.3, 0.01).at(-1)!
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
