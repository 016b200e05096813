import { expect, it } from 'vitest'
import { ruleOfTheTask } from '../../../src/evaluation/baselines.js'
import { evaluateRanking, type RankingReport } from '../../../src/evaluation/ranking.js'
import { printStudy } from '../../../src/evaluation/report.js'
import { averageReports, studyRanking, unitFor } from '../../../src/evaluation/study.js'
import type { RankingList } from '../../../src/models/rankings/ranking-list.js'
import { seeded } from '../../../src/util/random.js'

const lists = (count: number, groups: number): RankingList[] =>
  Array.from({ length: count }, (_, i) => ({
    queryId: `q${i}`,
    group: `g${i % groups}`,
    candidates: [1, 0, 0, 0].map((label, c) => ({ id: `${i}-${c}`, nodeFeatures: [[c]], edges: [], label })),
  }))
/** Right for the queries that `isRight` says, second otherwise. */
const report = (asked: readonly RankingList[], isRight: (i: number) => boolean): RankingReport =>
  evaluateRanking(
    asked,
    asked.map((_, i) => (isRight(i) ? [2, 1, 0, 0] : [1, 2, 0, 0])),
    { rng: seeded(1), resamples: 300 },
  )
const options = () => ({ rng: seeded(2), resamples: 500 })

it('names the strongest baseline, and whether the model beats it beyond the interval', () => {
  const asked = lists(120, 12)
  const [weak, strong, equal] = [report(asked, (i) => i % 4 === 0), report(asked, (i) => i % 2 === 0), report(asked, (i) => i % 10 !== 0)]
  const model = report(asked, (i) => i % 10 !== 0)
  const study = studyRanking(model, { weak, strong }, options())
  expect(study.best.baseline).toBe('strong')
  expect(study.isBetter).toBe(true)
  expect(study.differences.map((d) => [d.baseline, Number(d.byQuery.value.toFixed(3))])).toEqual([
    ['weak', 0.325],
    ['strong', 0.2],
  ])
  expect(study.best.byGroup).not.toBeNull()
  expect(printStudy(study)).toContain('strongest baseline: strong; the model beats it beyond the interval')
  const draw = studyRanking(model, { strong, equal }, options())
  expect([draw.best.baseline, draw.isBetter]).toEqual(['equal', false])
  expect(printStudy(draw)).toContain('does not beat it')
})

it('tells the rule that the model is given apart from the baselines that know nothing of it', () => {
  const asked = lists(120, 12)
  const model = report(asked, (i) => i % 3 !== 0)
  const baselines = { plain: report(asked, (i) => i % 2 === 0), [ruleOfTheTask]: report(asked, (i) => i % 3 !== 0) }
  const study = studyRanking(model, baselines, options())
  expect([study.best.baseline, study.givenRule?.byQuery.value]).toEqual(['plain', 0])
  const text = printStudy(study)
  expect(text).toContain('strongest baseline: plain')
  expect(text).toContain('(rule of the task): the model does not beat it')
})

it('where few groups decide, whole groups are resampled: a lead in one of them is no proof', () => {
  const asked = lists(120, 12)
  const base = report(asked, () => false)
  const model = report(asked, (i) => i % 12 === 0)
  const { best, isBetter } = studyRanking(model, { base }, options())
  expect(best.byQuery.low).toBeGreaterThan(0)
  expect(best.byGroup!.low).toBe(0)
  expect(isBetter).toBe(false)
})

it('resamples queries where there are fewer than ten groups', () => {
  expect(unitFor(lists(120, 9))).toBe('query')
  expect(unitFor(lists(120, 10))).toBe('group')
  const asked = lists(20, 2)
  expect(
    studyRanking(
      report(asked, () => true),
      { base: report(asked, () => false) },
      options(),
    ).best.byGroup,
  ).toBeNull()
})

it('averages seeds query by query, without narrowing the interval by counting them as queries', () => {
  const asked = lists(40, 4)
  const reports = [report(asked, (i) => i < 20), report(asked, (i) => i >= 20), report(asked, () => true)]
  const mean = averageReports(reports, { rng: seeded(1), resamples: 300 })
  expect(mean.n).toBe(40)
  expect(mean.mrr.value).toBeCloseTo((0.75 + 0.75 + 1) / 3, 12)
  expect(mean.perQuery.every((q) => Math.abs(q.mrr - 2.5 / 3) < 1e-12)).toBe(true)
  expect(() => averageReports([], options())).toThrow('expected some over the same queries')
  expect(() => averageReports([reports[0]!, report(lists(3, 1), () => true)], options())).toThrow('expected some over the same queries')
})

it('needs a baseline', () => {
  expect(() =>
    studyRanking(
      report(lists(4, 1), () => true),
      {},
      options(),
    ),
  ).toThrow('no baselines came')
})
