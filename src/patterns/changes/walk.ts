import { defaultForecast, type ForecastOptions, type ForecastSeries, forecastSeries } from './forecast.js'
import { KindShares, type Outcome, outcomesOf } from './outcomes.js'
import { dayMs, gridDays, type Panel, type PanelRow, type Unit } from './panel.js'
import type { SchemaHistory } from './snapshots.js'

/** Dates every `gridDays` from the first look on, up to `until` (which is always the last). */
export function gridOf({ events, observedAt }: SchemaHistory, until: number): number[] {
  const first = events.reduce((least, event) => Math.min(least, event.at.getTime()), Math.min(...observedAt.map(Number)))
  const dates: number[] = []
  for (let at = first; at < until; at += gridDays * dayMs) dates.push(at)
  if (Number.isFinite(first) && until >= first) dates.push(until)
  return dates
}

/** Forecasts for columns and tables, and shares of kinds, at every date of a panel: each from what had happened by then. */
export interface Walk {
  unit: Unit
  rows: readonly PanelRow[]
  outcomes: readonly Outcome[]
  series: ForecastSeries
  /** per date, P(kind | changed) from the windows closed by then */
  kinds: readonly KindShares[]
}

export function walk(panel: Panel, unit: Unit, horizonDays: number, options: ForecastOptions = defaultForecast): Walk {
  const rows = panel.rows[unit]
  const outcomeOf = outcomesOf(panel)
  const outcomes = rows.map((row) => outcomeOf(unit, row, horizonDays))
  const changed = Uint8Array.from(outcomes, (outcome) => Number(outcome.changed))
  const changedSoon = Uint8Array.from(rows, (row) => Number(outcomeOf(unit, row, gridDays).changed))
  const series = forecastSeries({ rows, changed, changedSoon }, horizonDays, options)
  const hits = new Map<number, number>()
  rows.forEach(({ at }, i) => {
    hits.set(at, (hits.get(at) ?? 1) + changed[i]!)
  })
  const shares = new KindShares()
  let closed = 0
  const kinds = series.dates.map((at) => {
    for (; closed < rows.length && rows[closed]!.at + horizonDays * dayMs <= at; closed++)
      shares.learn(unit, rows[closed]!, outcomes[closed]!, 1 / hits.get(rows[closed]!.at)!)
    return shares.copy()
  })
  return { unit, rows, outcomes, series, kinds }
}
