import { expect, it } from 'vitest'
import { indexEstate } from '../../../src/datasets/links/estate.js'
import { buildLinkLists } from '../../../src/datasets/links/lists.js'
import { candidateTargets } from '../../../src/datasets/links/recall.js'
import { rankingBaselines } from '../../../src/evaluation/baselines.js'
import { compareRankings } from '../../../src/evaluation/compare.js'
import { evaluateLeaveOneOut, type TrainRanker } from '../../../src/evaluation/leave-one-out.js'
import { evaluateScorer, type RankingReport } from '../../../src/evaluation/ranking.js'
import type { RankingList } from '../../../src/models/rankings/ranking-list.js'
import { seeded } from '../../../src/util/random.js'
import { describeIf, sharedData } from '../../support/need.js'
import { spiderEstate } from '../../support/spider-estate.js'

const dot = (w: Float64Array, x: ArrayLike<number>) => w.reduce((sum, v, i) => sum + v * x[i]!, 0)

/** A linear ranker on the candidate's own row (ListNet loss, plain gradient descent): the least that the features must be good for. */
const trainLinear: TrainRanker = (train) => {
  const rowOf = (list: RankingList, c: number) => list.candidates[c]!.nodeFeatures[1]!
  const w = new Float64Array(rowOf(train[0]!, 0).length)
  for (let epoch = 0; epoch < 40; epoch++) {
    const gradient = new Float64Array(w.length)
    for (const list of train) {
      const scores = list.candidates.map((_, c) => Math.exp(dot(w, rowOf(list, c))))
      const [sum, labels] = [scores.reduce((a, b) => a + b, 0), list.candidates.reduce((a, c) => a + c.label!, 0)]
      list.candidates.forEach((candidate, c) => {
        const error = scores[c]! / sum - candidate.label! / labels
        for (let i = 0; i < w.length; i++) gradient[i]! += error * rowOf(list, c)[i]!
      })
    }
    for (let i = 0; i < w.length; i++) w[i]! -= (4 / train.length) * gradient[i]!
  }
  return (list) => list.candidates.map((_, c) => dot(w, rowOf(list, c)))
}

describeIf(sharedData, 'the shared data folder is absent', 'foreign keys of 83 public schemas (Spider)', () => {
  it.each(['others', 'none'] as const)(
    'even a linear ranker does no worse than the best rule on schemas it never saw (known keys: %s)',
    { timeout: 120_000 },
    async (knownLinks) => {
      const estate = await spiderEstate(sharedData!)
      const { lists, problems } = buildLinkLists(estate, { candidates: 12, features: { knownLinks } }, seeded(1))
      expect(problems).toEqual([])
      expect(lists).toHaveLength(394)
      const options = { rng: seeded(1), unit: 'group', resamples: 500 } as const
      const reports: Record<string, RankingReport> = {}
      for (const [name, scorer] of Object.entries(rankingBaselines(estate, { knownLinks })))
        reports[name] = evaluateScorer(lists, scorer, options)
      const linear = (reports['linear'] = await evaluateLeaveOneOut(lists, trainLinear, { ...options, folds: 5 }))
      const rule = knownLinks === 'others' ? 'links + key + type + name' : 'key + type + name'
      const against = compareRankings(linear, reports[rule]!, 'mrr', options)
      expect(reports['fuzzy name']!.mrr.low).toBeGreaterThan(reports['random']!.mrr.high)
      expect(against.value).toBeGreaterThan(0)
    },
  )

  it('the candidates chosen at serving hold nearly every true target', async () => {
    const estate = await spiderEstate(sharedData!)
    const references = indexEstate(estate).edgesOf('REFERENCES', ['Column'])
    const found = references.filter((e) => candidateTargets(estate, e.sourceId, { limit: 16, includeKnown: true }).includes(e.targetId))
    expect(found.length / references.length).toBeGreaterThan(0.98)
  })
})
