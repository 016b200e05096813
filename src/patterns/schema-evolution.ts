import { ownMember } from '../util/record.js'
import { nameTokens } from '../util/words.js'
import { type ColumnTypeLearning, type Exposure, evolutionOf, type OpenExposure, type TypeEvolution } from './column-types.js'
import { parseTypeName, printTypeName } from './type-name.js'

export interface EvolutionContext {
  /** name of the column; its last word is used */
  column?: string
  /** id of its table */
  table?: string
  /** default 90 */
  horizonDays?: number
  /** until when columns were watched; default the last event */
  asOf?: Date
}

export interface TypePrediction {
  /** the printed type, or the current one for "no change" */
  type: string
  change: boolean
  probability: number
}

/** Column-days that the level above counts for: with this much exposure of its own, a level's own rate weighs as much as its parent's. */
const priorDays = 365 * 5
/** Pseudo-transitions that the global distribution of targets counts for. */
const priorTransitions = 2
const dayMs = 86_400_000

/** Exposure up to `asOf`, of closed spells and of those still open then. */
const exposureOf = ({ changes, days, open, begun }: OpenExposure, asOf: number): Exposure => ({
  changes,
  days: days + Math.max(0, (open * asOf) / dayMs - begun),
})

/** Posterior mean of a Poisson rate under a Gamma prior centred on the parent's rate (changes per column-day). */
const smoothed = ({ changes, days }: Exposure, parent: number) => (changes + priorDays * parent) / (days + priorDays)

const evolutionFrom = (learning: ColumnTypeLearning | TypeEvolution): TypeEvolution =>
  'columns' in learning ? evolutionOf(learning) : learning

/** Chance of at least one type change within the horizon, from rates smoothed column's name -> table -> type -> all. 0 without any history. */
export function changeProbability(
  learning: ColumnTypeLearning | TypeEvolution,
  currentType: string,
  { column, table, horizonDays = 90, asOf }: EvolutionContext = {},
): number {
  const { overall, byType, byTable, byToken, lastEventAt } = evolutionFrom(learning)
  const at = asOf?.getTime() ?? lastEventAt ?? 0
  const all = exposureOf(overall, at)
  if (all.days <= 0) return 0
  // Half a change in five column-years is added to the estate as a whole: "never seen" is small and not impossible, and one seen is not the rule.
  let rate = (all.changes + 0.5) / (all.days + priorDays)
  const levels: [Record<string, OpenExposure>, string | undefined][] = [
    [byType, parseTypeName(currentType).base],
    [byTable, table],
    [byToken, column === undefined ? undefined : nameTokens(column).at(-1)],
  ]
  for (const [rows, key] of levels) {
    const row = key === undefined ? undefined : ownMember(rows, key)
    if (row) rate = smoothed(exposureOf(row, at), rate)
  }
  return -Math.expm1(-rate * horizonDays)
}

/** P(to | from): counts of this very type, backed by those of its base, backed by all targets ever seen. */
export function targetDistribution(learning: Pick<ColumnTypeLearning, 'transitions'>, current: string): Map<string, number> {
  const { base } = parseTypeName(current)
  const weights = new Map<string, number>()
  const add = (to: string, weight: number) => {
    if (to !== current) weights.set(to, (weights.get(to) ?? 0) + weight)
  }
  const rows = Object.entries(learning.transitions).flatMap(([from, row]) =>
    Object.entries(row).map(([to, { count }]) => ({ from, to, count })),
  )
  const total = rows.reduce((sum, { count }) => sum + count, 0)
  const ofBase = rows.filter(({ from }) => parseTypeName(from).base === base)
  const baseTotal = ofBase.reduce((sum, { count }) => sum + count, 0)
  for (const { to, count } of rows) add(to, (priorTransitions * count) / total / (1 + baseTotal))
  for (const { to, count } of ofBase) add(to, (priorTransitions * count) / baseTotal)
  for (const { from, to, count } of rows) if (from === current) add(to, count)
  return weights
}

/**
 * What a column of `currentType` will be at the end of the horizon: probabilities that sum to 1, "no change" among them, the likeliest
 * first. P(to) = P(change within the horizon) x P(to | from).
 */
export function predictSchemaEvolution(
  learning: ColumnTypeLearning | TypeEvolution,
  currentType: string,
  context: EvolutionContext = {},
): TypePrediction[] {
  const current = printTypeName(parseTypeName(currentType))
  const weights = targetDistribution(learning, current)
  const sum = [...weights.values()].reduce((a, b) => a + b, 0)
  // Without any known target there is nothing that it could change to.
  const change = sum > 0 ? changeProbability(learning, currentType, context) : 0
  return [
    { type: current, change: false, probability: 1 - change },
    ...[...weights].map(([type, weight]) => ({ type, change: true, probability: (change * weight) / sum })),
  ].sort((a, b) => b.probability - a.probability || (a.type < b.type ? -1 : 1))
}
