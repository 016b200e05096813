import { ownMember } from '../util/record.js'
import { nameTokens } from '../util/words.js'
import { type ColumnTypeLearning, type Exposure } from './column-types.js'
import { parseTypeName, printTypeName } from './type-name.js'

export interface EvolutionContext {
  /** name of the column; its last word is used */
  column?: string
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

/** Closed spells and those still open at `asOf`, for the columns that `matches`. */
function exposureOf(
  learning: ColumnTypeLearning,
  closed: Exposure,
  asOf: number,
  matches: (name: string, base: string) => boolean,
): Exposure {
  let { days } = closed
  for (const column of Object.values(learning.columns))
    if (matches(column.name, parseTypeName(column.type).base)) days += Math.max(0, asOf - column.since) / dayMs
  return { changes: closed.changes, days }
}

/** Posterior mean of a Poisson rate under a Gamma prior centred on the parent's rate (changes per column-day). */
const smoothed = ({ changes, days }: Exposure, parent: number) => (changes + priorDays * parent) / (days + priorDays)

/** Chance of at least one type change within the horizon, from rates smoothed context -> type -> all columns. 0 without any history. */
export function changeProbability(learning: ColumnTypeLearning, currentType: string, context: EvolutionContext = {}): number {
  const asOf = context.asOf?.getTime() ?? learning.lastEventAt ?? 0
  const none = { changes: 0, days: 0 }
  const all = exposureOf(learning, learning.overall, asOf, () => true)
  if (all.days <= 0) return 0
  const { base } = parseTypeName(currentType)
  // Half a change is added to the estate as a whole, so that "never seen" is small and not impossible.
  let rate = (all.changes + 0.5) / (all.days + 1)
  rate = smoothed(
    exposureOf(learning, ownMember(learning.byType, base) ?? none, asOf, (_, other) => other === base),
    rate,
  )
  const token = context.column === undefined ? undefined : nameTokens(context.column).at(-1)
  if (token !== undefined)
    rate = smoothed(
      exposureOf(learning, ownMember(learning.byToken, token) ?? none, asOf, (name) => nameTokens(name).at(-1) === token),
      rate,
    )
  return 1 - Math.exp(-rate * (context.horizonDays ?? 90))
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
  learning: ColumnTypeLearning,
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
