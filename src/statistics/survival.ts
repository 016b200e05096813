import { EspalierError } from '../util/error.js'
import { normalQuantile } from './normal.js'

/** How long something was watched, and whether it ended then or was only no longer watched. */
export interface Spell {
  days: number
  ended: boolean
}

export interface SurvivalPoint {
  days: number
  atRisk: number
  events: number
  /** share that lives longer than `days`, with its interval (Greenwood's variance on the log-log scale) */
  survival: number
  low: number
  high: number
}

export interface SurvivalCurve {
  n: number
  events: number
  /** sum of all spells */
  days: number
  /** events per day watched; null where nothing was watched */
  hazardPerDay: number | null
  /** first time by which half are gone; null while more than half live on */
  medianDays: number | null
  /** one a distinct time of an event */
  points: SurvivalPoint[]
}

/** Product-limit estimate of survival from spells, open ones included (Kaplan & Meier 1958). Nothing watched gives a curve without points. */
export function kaplanMeier(spells: readonly Spell[], confidence = 0.95): SurvivalCurve {
  for (const { days } of spells)
    if (!(days >= 0 && Number.isFinite(days)))
      throw new EspalierError('BAD_INPUT', `kaplanMeier: a spell of ${days} days, expected 0 or more`)
  const ordered = [...spells].sort((a, b) => a.days - b.days)
  const z = normalQuantile(1 - (1 - confidence) / 2)
  const points: SurvivalPoint[] = []
  let [survival, greenwood] = [1, 0]
  for (let i = 0; i < ordered.length; ) {
    let [next, events] = [i, 0]
    while (next < ordered.length && ordered[next]!.days === ordered[i]!.days) events += Number(ordered[next++]!.ended)
    const atRisk = ordered.length - i
    if (events > 0) {
      survival *= 1 - events / atRisk
      greenwood += atRisk > events ? events / (atRisk * (atRisk - events)) : 0
      points.push({ days: ordered[i]!.days, atRisk, events, survival, ...logLogInterval(survival, greenwood, z) })
    }
    i = next
  }
  const days = spells.reduce((sum, spell) => sum + spell.days, 0)
  const events = points.reduce((sum, point) => sum + point.events, 0)
  const medianDays = points.find((point) => point.survival <= 0.5 + 1e-12)?.days ?? null
  return { n: spells.length, events, days, hazardPerDay: days > 0 ? events / days : null, medianDays, points }
}

/** S^exp(±z se), se of ln(-ln S) (Kalbfleisch & Prentice 1980); a curve that reached 0 has no width. */
function logLogInterval(survival: number, greenwood: number, z: number): { low: number; high: number } {
  if (survival <= 0 || survival >= 1) return { low: survival, high: survival }
  const spread = Math.exp((z * Math.sqrt(greenwood)) / Math.abs(Math.log(survival)))
  return { low: survival ** spread, high: survival ** (1 / spread) }
}

export interface HazardBin {
  /** [from, to) days of age */
  from: number
  to: number
  events: number
  /** days watched at this age */
  days: number
  /** events per day; null where nothing was watched at this age */
  perDay: number | null
}

/** Events over exposure by age (piecewise constant hazard): edges in days, rising; the last bin is open. */
export function hazardByAge(spells: readonly Spell[], edges: readonly number[] = [0, 30, 90, 180, 365, 730, 1460]): HazardBin[] {
  return edges.map((from, i) => {
    const to = edges[i + 1] ?? Number.POSITIVE_INFINITY
    const days = spells.reduce((sum, spell) => sum + Math.max(0, Math.min(spell.days, to) - from), 0)
    const events = spells.filter((spell) => spell.ended && spell.days >= from && spell.days < to).length
    return { from, to: Number.isFinite(to) ? to : 1e9, events, days, perDay: days > 0 ? events / days : null }
  })
}
