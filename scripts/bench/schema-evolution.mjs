/**
 * The back-test of change forecasts on real schema histories: at each cut (every 30 days, from the first snapshot on) everything is learned
 * from what had happened by then, and scored on the 90 and 180 days that follow. The level, the pool and every numeric option were chosen on
 * windows that closed in the first two thirds of each history. The last third is not blind: earlier forms were printed on it while they were
 * built, and the form that stands twice: before and after its pool was made to forget faster, which the first two thirds asked for and the
 * last does not feel. Other histories are the clean test: SCHEMA_HISTORIES=<folder>. BACK_TEST=first prints what was chosen on, alone.
 */
import { backTest, baselines, compare, cutsFrom, targets } from '../../dist/patterns/changes/back-test.js'
import { doubts, experts } from '../../dist/patterns/changes/forecast.js'
import { historyOf } from '../../dist/patterns/changes/snapshots.js'
import { seeded } from '../../dist/util/random.js'
import { historiesFolder, readHistories } from './support/schema-histories.mjs'

export const title = 'which columns and tables change in the next 90 and 180 days: back-test on real histories'

const horizonsDays = [90, 180]
const digits = (value, n = 4) => (value === null || value === undefined ? '-' : value.toFixed(n))
const thousandths = (e) => (e ? `${digits(e.value * 1000, 1)} [${digits(e.low * 1000, 1)}, ${digits(e.high * 1000, 1)}]` : '-')
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0)

/** Every project with its test; of the development part nothing later is read. */
function tested({ project, snapshots }, isFirst) {
  const [first, last] = [snapshots[0].at.getTime(), snapshots.at(-1).at.getTime()]
  const split = first + ((last - first) * 2) / 3
  const known = isFirst ? snapshots.filter(({ at }) => at.getTime() <= split) : snapshots
  const history = historyOf(known)
  if (isFirst) history.observedAt.push(new Date(split))
  return { project, split, tests: backTest(history, { horizonsDays, from: first }) }
}

/** What is served, and what it is less each baseline, in thousandths. */
function row(project, part, tests) {
  const cuts = tests.flatMap((test) => test.cuts.pool)
  const [loss, area] = ['logLoss', 'prAuc'].map((measure) => compare(tests, 'pool', measure, seeded(6)))
  const less = (name, { against }) => Object.fromEntries(baselines.map((b) => [`${name} less ${b}`, thousandths(against[b])]))
  return {
    ...{ what: tests[0].target, days: tests[0].horizonDays, project, part, cuts: cuts.length },
    share: digits(sum(cuts.map((cut) => cut.positives)) / Math.max(1, sum(cuts.map((cut) => cut.n)))),
    ...{ 'log-loss': digits(loss.value), ...less('log-loss', loss), 'PR-AUC': digits(area.value), ...less('PR-AUC', area) },
  }
}

/** Means of every forecaster over all cuts of all projects. */
function means(tests) {
  const { target, horizonDays } = tests[0]
  return experts.map((expert) => {
    const of = (measure) => digits(compare(tests, expert, measure, seeded(6)).value)
    const error = digits(sum(tests.map((test) => test.calibration[expert].error ?? 0)) / tests.length)
    const name = `${target} ${horizonDays} d ${expert}:`.padEnd(25)
    return `${name} log-loss ${of('logLoss')}  Brier ${of('brier')}  PR-AUC ${of('prAuc')}  hits@10 ${of('hits10')}  ECE ${error}`
  })
}

const curve = (project, { target, horizonDays, calibration }) =>
  `${project} ${target} ${horizonDays} d: ${calibration.pool.bins.map((bin) => `${digits(bin.forecast, 2)}->${digits(bin.observed, 2)} (${bin.n})`).join('  ')}`

export async function run() {
  const start = performance.now()
  const histories = await readHistories()
  if (histories.length === 0) return { rows: [], notes: [`no histories at ${historiesFolder}`] }
  const isFirst = process.env.BACK_TEST === 'first'
  const projects = histories.map((history) => tested(history, isFirst))
  const seconds = ((performance.now() - start) / 1000).toFixed(0)
  const asked = targets.flatMap((target) => horizonsDays.map((days) => ({ target, days })))
  const of = (list, { target, days }, isLast = false) =>
    list.map(({ tests, split }) => {
      const test = tests.find((one) => one.target === target && one.horizonDays === days)
      return isLast ? cutsFrom(test, split) : test
    })
  const groups = [...projects.map((one) => [one.project, [one]]), ...(projects.length > 1 ? [['all', projects]] : [])]
  const parts = isFirst ? ['first 2/3'] : ['all', 'last 1/3']
  return {
    rows: asked.flatMap((ask) =>
      groups.flatMap(([name, list]) => parts.map((part) => row(name, part, of(list, ask, part === 'last 1/3')))),
    ),
    notes: [
      `log-loss, and PR-AUC where anything happened, of the served forecast (pool): means over cuts; less a baseline in thousandths (log-loss: below 0 is better; PR-AUC: above), 95 % by bootstrap over blocks of cuts as long as a window; ${seconds} s`,
      `"nothing" gives a change the chance, of ${doubts.join(', ')}, that would have served it best until then`,
      'means over these cuts, all projects:',
      ...asked.flatMap((ask) => means(of(projects, ask))),
      'calibration of the served forecast, forecast->observed (n):',
      ...projects.flatMap((one) => asked.filter(({ target }) => target !== 'changes').map((ask) => curve(one.project, of([one], ask)[0]))),
    ],
  }
}
