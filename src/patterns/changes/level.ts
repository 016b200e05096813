import { dayMs, gridDays } from './panel.js'

/**
 * How many will change. Schemas change in bursts with long quiet between: whether anything changes goes on for months, how much a release
 * changes is told by years of releases and by nothing nearer. So the level is the mean over a long past, times how often something changed
 * of late against how often it used to: seen month by month, as what a long window will tell is known while it is open.
 * Not the mean of the near past: what it has seen of a burst it forecasts again, and it had forgotten the last one when the next came.
 */
export class Level {
  readonly #horizonDays: number
  readonly #longMs: number
  readonly #months: { at: number; share: number }[] = []

  /** `halfLifeDays`: in which what is long past loses half its weight */
  constructor(horizonDays: number, halfLifeDays: number) {
    this.#horizonDays = horizonDays
    this.#longMs = halfLifeDays * dayMs
  }

  /** the share of units that changed in the `gridDays` after `at`, once they have passed */
  learnMonth(at: number, share: number): void {
    this.#months.push({ at, share })
  }

  /** the share that will change within the horizon after `at`: between 0 and 1, neither of them */
  forecast(at: number): number {
    const inWindow = (share: number) => Math.min(1, (share * this.#horizonDays) / gridDays)
    const mean = { sum: firstMonths * inWindow(firstShare), weight: firstMonths }
    const often = { sum: firstActivity, weight: 1 }
    const late = { sum: 0, weight: 0 }
    for (const month of this.#months) {
      const ago = at - month.at - gridDays * dayMs
      const [long, near] = [0.5 ** (ago / this.#longMs), 0.5 ** (ago / nearMs)]
      const isActive = Number(month.share > 0)
      mean.sum += long * inWindow(month.share)
      mean.weight += long
      often.sum += long * isActive
      often.weight += long
      late.sum += near * isActive
      late.weight += near
    }
    const usual = often.sum / often.weight
    const now = (usualMonths * usual + late.sum) / (usualMonths + late.weight)
    return Math.min(Math.max(((mean.sum / mean.weight) * now) / usual, least), most)
  }
}

/** Believed before anything was seen, and worth as much as a quarter: that one in a hundred changes a month, and something in three months of ten. */
const [firstShare, firstMonths, firstActivity] = [0.01, 3, 0.3]
/** half-life of how often something changed "of late", which is held by what is usual as by so many months */
const [nearMs, usualMonths] = [3 * gridDays * dayMs, 2]
const [least, most] = [1e-4, 0.97]
