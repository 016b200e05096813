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

/**
 * What is believed of a column before anything was seen: a change of type in a hundred years, as firmly as if every column that is there
 * had been watched for one. These two numbers and the next were chosen on the first two thirds of two real histories (scripts/bench/type-evolution.mjs):
 * changes come in bursts, so that a level is believed slowly. Levels as strong as five column-years cost a third more log-loss on one of them.
 */
const usualRate = 0.01 / 365
const usualDays = 365
/** Changes that the level above counts for: with so many expected, a level's own rate weighs as much as its parent's. */
const priorChanges = 20
/** Pseudo-transitions that the global distribution of targets counts for. */
const priorTransitions = 2
const dayMs = 86_400_000

/** Exposure up to `asOf`, of closed spells and of those still open then. */
const exposureOf = ({ changes, days, open, begun }: OpenExposure, asOf: number): Exposure => ({
  changes,
  days: days + Math.max(0, (open * asOf) / dayMs - begun),
})

/** The rate of a part as a multiple of its parent's: Gamma posterior mean of the relative risk, 1 where nothing was seen. */
const relativeRisk = ({ changes, days }: Exposure, parent: number) => (changes + priorChanges) / (days * parent + priorChanges)

const evolutionFrom = (learning: ColumnTypeLearning | TypeEvolution): TypeEvolution =>
  'columns' in learning ? evolutionOf(learning) : learning

/** Chance of at least one type change within the horizon: a rate for all columns, times the relative risks of type, table and name. */
export function changeProbability(
  learning: ColumnTypeLearning | TypeEvolution,
  currentType: string,
  { column, table, horizonDays = 90, asOf }: EvolutionContext = {},
): number {
  const { overall, byType, byTable, byToken, lastEventAt } = evolutionFrom(learning)
  const at = asOf?.getTime() ?? lastEventAt ?? 0
  const all = exposureOf(overall, at)
  const before = usualDays * Math.max(1, overall.open)
  let rate = (all.changes + before * usualRate) / (all.days + before)
  const levels: [Record<string, OpenExposure>, string | undefined][] = [
    [byType, parseTypeName(currentType).base],
    [byTable, table],
    [byToken, column === undefined ? undefined : nameTokens(column).at(-1)],
  ]
  for (const [rows, key] of levels) {
    const row = key === undefined ? undefined : ownMember(rows, key)
    if (row) rate *= relativeRisk(exposureOf(row, at), rate)
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

/** Where no change was seen yet: the types of other columns, by how many there are. */
function otherTypes({ byType }: TypeEvolution, current: string): Map<string, number> {
  const { base } = parseTypeName(current)
  return new Map(Object.entries(byType).flatMap(([type, { open }]) => (open > 0 && type !== base ? [[type, open] as const] : [])))
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
  const seen = targetDistribution(learning, current)
  const weights = seen.size > 0 ? seen : otherTypes(evolutionFrom(learning), current)
  const sum = [...weights.values()].reduce((a, b) => a + b, 0)
  // without any other type there is nothing that it could change to
  const change = sum > 0 ? changeProbability(learning, currentType, context) : 0
  return [
    { type: current, change: false, probability: 1 - change },
    ...[...weights].map(([type, weight]) => ({ type, change: true, probability: (change * weight) / sum })),
  ].sort((a, b) => b.probability - a.probability || (a.type < b.type ? -1 : 1))
}
