import { bootstrapMeans, type Estimate } from '../../statistics/intervals.js'
import { averagePrecision, brierScore, type CalibrationBin, calibration, logLoss } from '../../statistics/probability-scores.js'
import type { Rng } from '../../util/random.js'
import { defaultForecast, type Expert, experts, type ForecastOptions } from './forecast.js'
import { kindsOf } from './outcomes.js'
import { buildPanel, dayMs, type Panel, type Unit, units } from './panel.js'
import type { SchemaHistory } from './snapshots.js'
import { gridOf, type Walk, walk } from './walk.js'

/** Whom a forecast has to beat. */
export const baselines = ['nothing', 'global', 'recent'] as const satisfies readonly Expert[]
/** What is asked at each cut: which columns change, which tables, and what happens (every kind of change of every column and table). */
export const targets = ['columns', 'tables', 'changes'] as const
export type Target = (typeof targets)[number]

/** Scores of one forecaster at one cut; PR-AUC is null where nothing happened (nothing to find). */
export interface CutScores {
  at: number
  logLoss: number
  brier: number
  prAuc: number | null
  /** of the ten likeliest, how many came true (ties in expectation) */
  hits10: number
  n: number
  positives: number
}

export interface BackTest {
  horizonDays: number
  target: Target
  cuts: Record<Expert, CutScores[]>
  calibration: Record<Expert, { bins: CalibrationBin[]; error: number | null }>
}

export interface BackTestOptions {
  horizonsDays?: readonly number[]
  forecast?: ForecastOptions
  /** only cuts at or after this moment are scored */
  from: number
}

interface Asked {
  probabilities: Record<Expert, number[]>
  came: boolean[]
}

/**
 * Trains on what had happened by each cut (every 30 days) and scores on the window after it, for many cuts. Windows that the history does
 * not wholly cover are not scored.
 */
export function backTest(
  history: SchemaHistory,
  { horizonsDays = [90, 180], forecast = defaultForecast, from }: BackTestOptions,
): BackTest[] {
  const end = Math.max(...history.observedAt.map(Number))
  const panel = buildPanel(history, gridOf(history, end))
  return horizonsDays.flatMap((horizonDays) => {
    const walks = Object.fromEntries(units.map((unit) => [unit, walk(coveredPart(panel, end, horizonDays), unit, horizonDays, forecast)]))
    const scored = (at: number) => at >= from && at + horizonDays * dayMs <= end
    return targets.map((target) => score(target, horizonDays, walks as Record<Unit, Walk>, scored))
  })
}

const coveredPart = (panel: Panel, end: number, horizonDays: number): Panel => {
  const rows = (unit: Unit) => panel.rows[unit].filter((row) => row.at + horizonDays * dayMs <= end)
  return { ...panel, rows: { column: rows('column'), table: rows('table') } }
}

function score(target: Target, horizonDays: number, walks: Record<Unit, Walk>, scored: (at: number) => boolean): BackTest {
  const cuts = Object.fromEntries(experts.map((expert) => [expert, [] as CutScores[]])) as Record<Expert, CutScores[]>
  const everything: Asked = {
    probabilities: Object.fromEntries(experts.map((e) => [e, []])) as unknown as Asked['probabilities'],
    came: [],
  }
  walks.column.series.dates.forEach((at, d) => {
    if (!scored(at)) return
    const asked = ask(target, walks, d)
    for (const came of asked.came) everything.came.push(came)
    for (const expert of experts) {
      const p = asked.probabilities[expert]
      cuts[expert].push(cutScores(at, p, asked.came))
      for (const value of p) everything.probabilities[expert].push(value)
    }
  })
  const curves = experts.map((expert) => [expert, calibration(everything.probabilities[expert], everything.came)])
  return { horizonDays, target, cuts, calibration: Object.fromEntries(curves) }
}

/** The questions of one cut with every forecaster's answers. The baselines know only the overall shares of kinds. */
function ask(target: Target, walks: Record<Unit, Walk>, d: number): Asked {
  const asked: Asked = { probabilities: Object.fromEntries(experts.map((e) => [e, []])) as unknown as Asked['probabilities'], came: [] }
  for (const unit of units) {
    if (target !== 'changes' && target !== `${unit}s`) continue
    const { rows, outcomes, series, kinds } = walks[unit]
    for (let i = series.starts[d]!; i < series.starts[d + 1]!; i++) {
      const of = (expert: Expert) => series.forecasts[d]![expert][i - series.starts[d]!]!
      if (target !== 'changes') {
        asked.came.push(outcomes[i]!.changed)
        for (const expert of experts) asked.probabilities[expert].push(of(expert))
        continue
      }
      for (const kind of kindsOf[unit]) {
        asked.came.push(outcomes[i]!.kinds.has(kind))
        for (const expert of experts) {
          const share = learners.has(expert) ? kinds[d]!.share(unit, rows[i]!, kind) : kinds[d]!.overall(unit, kind)
          asked.probabilities[expert].push(expert === 'nothing' ? of(expert) : of(expert) * share)
        }
      }
    }
  }
  return asked
}

const learners: ReadonlySet<Expert> = new Set(['steady', 'counts', 'logistic', 'pool'])

function cutScores(at: number, p: readonly number[], came: readonly boolean[]): CutScores {
  return {
    ...{ at, n: p.length, positives: came.filter(Boolean).length },
    ...{
      logLoss: logLoss(p, came) ?? 0,
      brier: brierScore(p, came) ?? 0,
      prAuc: averagePrecision(p, came),
      hits10: hitsOfTop(10, p, came),
    },
  }
}

/** Expected number of true ones among the k highest, tied ones drawn evenly. */
export function hitsOfTop(k: number, p: readonly number[], came: readonly boolean[]): number {
  const order = p.map((_, i) => i).sort((i, j) => p[j]! - p[i]!)
  let [hits, taken] = [0, 0]
  for (let start = 0; start < order.length && taken < k; ) {
    let end = start
    while (end < order.length && p[order[end]!] === p[order[start]!]) end++
    const group = order.slice(start, end)
    const places = Math.min(k - taken, group.length)
    hits += (group.filter((i) => came[i]).length * places) / group.length
    taken += places
    start = end
  }
  return hits
}

/** The same test on later cuts only (calibration stays that of all). */
export const cutsFrom = (test: BackTest, from: number): BackTest => {
  const kept = experts.map((expert) => [expert, test.cuts[expert].filter(({ at }) => at >= from)])
  return { ...test, cuts: Object.fromEntries(kept) }
}

export interface Comparison {
  /** mean over cuts; null where no cut has it */
  value: number | null
  /** learner less baseline: negative is better for logLoss and brier, positive for prAuc and hits10 */
  against: Record<string, Estimate | null>
}

/**
 * Means over cuts, and the difference to each baseline with a bootstrap interval over cut dates. Neighbouring cuts share most of their
 * windows, so whole runs of cuts as long as a window are drawn (a block bootstrap; Künsch 1989).
 */
export function compare(
  tests: readonly BackTest[],
  expert: Expert,
  measure: 'logLoss' | 'brier' | 'prAuc' | 'hits10',
  rng: Rng,
): Comparison {
  const blocks = (other: Expert | null) =>
    tests.flatMap(({ cuts, horizonDays }) => {
      const size = Math.max(1, Math.round(horizonDays / 30))
      const rows = cuts[expert].map((cut, i) => {
        const mine = cut[measure]
        const theirs = other ? cuts[other][i]![measure] : 0
        return mine === null || theirs === null ? null : [mine - theirs]
      })
      return Array.from({ length: Math.ceil(rows.length / size) }, (_, b) =>
        rows.slice(b * size, (b + 1) * size).filter((row) => row !== null),
      )
    })
  const means = (other: Expert | null) => bootstrapMeans(blocks(other), rng.fork(`${measure} ${other}`))?.[0] ?? null
  return {
    value: means(null)?.value ?? null,
    against: Object.fromEntries(baselines.filter((b) => b !== expert).map((baseline) => [baseline, means(baseline)])),
  }
}
