import { type ChangePoint, changePoints } from '../../statistics/change-points.js'
import { type Summary, summarize } from '../../statistics/summary.js'
import { mannKendall, theilSen } from '../../statistics/trend.js'

const dayMs = 86_400_000

/** How far apart moments lie, in days. */
export function cadenceOf(moments: readonly Date[]): { moments: number; first: string | null; last: string | null; daysBetween: Summary } {
  const times = [...new Set(moments.map((moment) => moment.getTime()))].sort((a, b) => a - b)
  const gaps = times.slice(1).map((time, i) => (time - times[i]!) / dayMs)
  const iso = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString())
  return { moments: times.length, first: iso(times[0]), last: iso(times.at(-1)), daysBetween: summarize(gaps) }
}

export interface MonthlyTrend {
  /** change of the monthly number, a month */
  perMonth: number
  pValue: number | null
  direction: 'increasing' | 'decreasing' | 'none'
}

export interface Rhythm {
  /** months without any included */
  months: { month: string; count: number }[]
  /** null below two months */
  trend: MonthlyTrend | null
  /** where the level of the monthly numbers breaks */
  breaks: (Omit<ChangePoint, 'index'> & { month: string })[]
  /** share of each day of the week (UTC), Monday first; null where nothing happened */
  weekdays: number[] | null
}

/** Counts by day as months: their trend and breaks. Days between the first and `until` without a count are zeros. */
export function rhythmOf(days: readonly { day: string; count: number }[], from: Date | null, until: Date | null): Rhythm {
  const months = monthsBetween(from, until)
  const counts = new Map(months.map((month) => [month, 0]))
  const weekdays = new Array<number>(7).fill(0)
  let total = 0
  for (const { day, count } of days) {
    const month = day.slice(0, 7)
    counts.set(month, (counts.get(month) ?? 0) + count)
    weekdays[(new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7]! += count
    total += count
  }
  const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([month, count]) => ({ month, count }))
  const [x, y] = [rows.map((_, i) => i), rows.map(({ count }) => count)]
  const slope = theilSen(x, y)
  const test = mannKendall(x, y)
  return {
    months: rows,
    trend: slope && { perMonth: slope.slope, pValue: test?.pValue ?? null, direction: test?.trend ?? 'none' },
    breaks: changePoints(y).map(({ index, before, after }) => ({ month: rows[index]!.month, before, after })),
    weekdays: total === 0 ? null : weekdays.map((count) => count / total),
  }
}

/** Theil-Sen looks at all pairs: a hundred years are enough. */
const mostMonths = 1_200

function monthsBetween(from: Date | null, until: Date | null): string[] {
  if (!from || !until) return []
  const months: string[] = []
  const month = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth(), 1))
  for (; month <= until && months.length < mostMonths; month.setUTCMonth(month.getUTCMonth() + 1))
    months.push(month.toISOString().slice(0, 7))
  return months
}
