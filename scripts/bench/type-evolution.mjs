/**
 * The back-test of `predictSchemaEvolution` on real schema histories: every 30 days everything is learned from what had happened by then,
 * and every column that is there, and still is 90 and 180 days later, is asked what type it will have. Beside it what has learned nothing:
 * that nothing ever changes (with the doubt that would have served it best, known only afterwards), one rate for all columns, and the columns whose
 * type changed last. SCHEMA_HISTORIES=<folder> reads other histories.
 */
import { historyOf } from '../../dist/patterns/changes/snapshots.js'
import { ColumnTypeLearner } from '../../dist/patterns/column-types.js'
import { changeProbability, predictSchemaEvolution } from '../../dist/patterns/schema-evolution.js'
import { parseTypeName, printTypeName } from '../../dist/patterns/type-name.js'
import { averagePrecision, brierScore, calibration, logLoss } from '../../dist/statistics/probability-scores.js'
import { historiesFolder, readHistories } from './support/schema-histories.mjs'

export const title = 'what type a column will have in 90 and 180 days: back-test on real histories'

const dayMs = 86_400_000
const horizons = [90, 180]
const doubts = [1e-5, 1e-4, 1e-3, 1e-2]
const printed = (type) => printTypeName(parseTypeName(type))
const digits = (value, n = 4) => (value === null || value === undefined ? '-' : value.toFixed(n))

/** Columns with their types as they were at a moment, by replaying what happened until then. */
function* replayed(events, moments) {
  const columns = new Map()
  const learner = new ColumnTypeLearner()
  let next = 0
  for (const moment of moments) {
    for (; next < events.length && events[next].at.getTime() <= moment; next++) {
      const { at, columnId, column } = events[next]
      learner.learn(events[next])
      const before = columns.get(columnId)
      if (!column) columns.delete(columnId)
      else {
        const type = printed(column.type)
        const changedAt = before && before.type !== type ? at.getTime() : (before?.changedAt ?? 0)
        columns.set(columnId, { ...column, type, changedAt })
      }
    }
    yield { moment, columns: new Map(columns), evolution: () => learner.evolution() }
  }
}

/** Every forecast of one history with what came. */
function asked(snapshots, horizonDays) {
  const { events } = historyOf(snapshots)
  const [first, last] = [snapshots[0].at.getTime(), snapshots.at(-1).at.getTime()]
  const cuts = []
  for (let cut = first; cut + horizonDays * dayMs <= last; cut += 30 * dayMs) cuts.push(cut)
  const later = new Map()
  for (const { moment, columns } of replayed(
    events,
    cuts.map((cut) => cut + horizonDays * dayMs),
  ))
    later.set(moment, columns)
  const rows = []
  for (const { moment, columns, evolution } of replayed(events, cuts)) {
    const learned = evolution()
    const { changes, days, open, begun } = learned.overall
    const exposed = days + Math.max(0, (open * moment) / dayMs - begun)
    const rate = -Math.expm1((-changes / Math.max(1, exposed)) * horizonDays)
    const known = new Map()
    for (const [id, { name, type, table, changedAt }] of columns) {
      const then = later.get(moment + horizonDays * dayMs).get(id)
      if (!then) continue
      const context = { column: name, table, horizonDays, asOf: new Date(moment) }
      const key = `${type} ${name} ${table}`
      if (!known.has(key))
        known.set(key, { list: predictSchemaEvolution(learned, type, context), change: changeProbability(learned, type, context) })
      const { list } = known.get(key)
      const probability = (wanted) => list.find((one) => one.type === wanted)?.probability ?? 0
      const targets = list.filter(({ change }) => change)
      rows.push({
        hasChanged: then.type !== type,
        ofType: probability(then.type),
        change: 1 - list.find(({ change }) => !change).probability,
        isFirst: targets[0]?.type === then.type,
        rate,
        recency: changedAt,
      })
    }
  }
  return rows
}

function scores(rows) {
  const outcomes = rows.map(({ hasChanged }) => hasChanged)
  const of = (forecast) => rows.map(forecast)
  const best = Math.min(
    ...doubts.map((doubt) =>
      logLoss(
        of(() => doubt),
        outcomes,
      ),
    ),
  )
  const ours = of(({ change }) => change)
  const rates = of(({ rate }) => Math.min(1, Math.max(1e-5, rate)))
  const changed = rows.filter(({ hasChanged }) => hasChanged)
  return {
    forecasts: rows.length,
    changed: changed.length,
    'log-loss': digits(logLoss(ours, outcomes), 5),
    'nothing (best doubt)': digits(best, 5),
    'one rate': digits(logLoss(rates, outcomes), 5),
    Brier: digits(brierScore(ours, outcomes), 5),
    'PR-AUC': digits(averagePrecision(ours, outcomes)),
    'changed last': digits(
      averagePrecision(
        of(({ recency }) => recency),
        outcomes,
      ),
    ),
    chance: digits(changed.length / Math.max(1, rows.length)),
    ECE: digits(calibration(ours, outcomes, 20).error, 5),
    'right type first': changed.length > 0 ? `${changed.filter(({ isFirst }) => isFirst).length} of ${changed.length}` : '-',
    'log-loss of the type': digits(-rows.reduce((sum, { ofType }) => sum + Math.log(Math.max(1e-6, ofType)), 0) / rows.length, 5),
  }
}

export async function run() {
  const histories = await readHistories()
  if (histories.length === 0) return { rows: [], notes: [`no histories at ${historiesFolder}`] }
  const rows = histories.flatMap(({ project, snapshots }) => horizons.map((days) => ({ project, days, ...scores(asked(snapshots, days)) })))
  return {
    rows,
    notes: [
      'log-loss (also of the two baselines after it), Brier and ECE of whether the type changes; PR-AUC beside ranking by the last change and beside chance',
      'right type first: of the types that it might change to, the likeliest was right; log-loss of the type: of the very type at the end, a millionth at least',
    ],
  }
}
