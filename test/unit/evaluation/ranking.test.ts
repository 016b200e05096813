import { describe, expect, it } from 'vitest'
import { buildLinkLists } from '../../../src/datasets/links/lists.js'
import { baselineRules, rankingBaselines } from '../../../src/evaluation/baselines.js'
import { compareRankings } from '../../../src/evaluation/compare.js'
import { evaluateLeaveOneOut } from '../../../src/evaluation/leave-one-out.js'
import { evaluateRanking, evaluateScorer, type Scorer } from '../../../src/evaluation/ranking.js'
import { printRankingReports, summarizeRanking } from '../../../src/evaluation/report.js'
import type { RankingList } from '../../../src/models/rankings/ranking-list.js'
import { seeded } from '../../../src/util/random.js'
import { columnId, smallEstate } from '../../support/small-estate.js'

const list = (queryId: string, labels: number[], group = 'g'): RankingList => ({
  queryId,
  group,
  candidates: labels.map((label, c) => ({ id: `${queryId}-${c}`, nodeFeatures: [[c]], edges: [], label })),
})
const options = () => ({ rng: seeded(1), resamples: 500 })

describe('evaluateRanking', () => {
  it('means of each measure, worked out by hand', () => {
    const report = evaluateRanking(
      [list('a', [0, 1, 0]), list('b', [1, 0, 0.5])],
      [
        [3, 2, 1],
        [3, 2, 1],
      ],
      options(),
    )
    expect(report).toMatchObject({ n: 2, skipped: 0, candidates: 3 })
    expect(report.mrr.value).toBeCloseTo((1 / 2 + 1) / 2, 12)
    expect(report.hits1.value).toBe(0.5)
    expect(report.hits3.value).toBe(1)
    const ndcg = [1 / Math.log2(3), (1 + 0.5 / 2) / (1 + 0.5 / Math.log2(3))]
    expect(report.ndcg10.value).toBeCloseTo((ndcg[0]! + ndcg[1]!) / 2, 12)
    expect(report.perQuery.map((q) => [q.queryId, q.mrr])).toEqual([
      ['a', 0.5],
      ['b', 1],
    ])
  })

  it('leaves out what orders nothing, and says how many', () => {
    const report = evaluateRanking(
      [list('a', [1, 0]), list('none', [0, 0]), list('same', [1, 1])],
      [
        [1, 0],
        [1, 0],
        [1, 0],
      ],
      options(),
    )
    expect(report).toMatchObject({ n: 1, skipped: 2 })
    expect(() => evaluateRanking([list('none', [0, 0])], [[1, 0]], options())).toThrow('no query can be measured')
  })

  it('does not depend on the order of candidates', () => {
    const labels = [0, 1, 0, 0.5]
    const scores = [0.3, 0.2, 0.2, 0.9]
    const order = [2, 0, 3, 1]
    const [one, two] = [
      evaluateRanking([list('a', labels)], [scores], options()),
      evaluateRanking(
        [
          list(
            'a',
            order.map((i) => labels[i]!),
          ),
        ],
        [order.map((i) => scores[i]!)],
        options(),
      ),
    ]
    expect(two).toEqual(one)
  })

  it('resamples whole groups when asked, which is wider where a group agrees', () => {
    const lists = Array.from({ length: 60 }, (_, i) => list(`q${i}`, [1, 0], `db${i % 6}`))
    const scores = lists.map((_, i) => (i % 6 < 3 ? [1, 0] : [0, 1]))
    const byQuery = evaluateRanking(lists, scores, options())
    const byGroup = evaluateRanking(lists, scores, { ...options(), unit: 'group' })
    expect(byGroup.mrr.value).toBe(byQuery.mrr.value)
    expect(byGroup.mrr.high - byGroup.mrr.low).toBeGreaterThan(1.5 * (byQuery.mrr.high - byQuery.mrr.low))
  })

  it('refuses what does not fit, with the query', () => {
    expect(() => evaluateRanking([list('a', [1, 0])], [[1]], options())).toThrow('query "a": 1 scores for 2 candidates')
    expect(() => evaluateRanking([list('a', [1, 0])], [], options())).toThrow('0 score lists for 1 queries')
    expect(() => evaluateRanking([{ queryId: 'a', candidates: [{ nodeFeatures: [], edges: [] }] }], [[1]], options())).toThrow(
      'has no label',
    )
  })
})

describe('baselines', () => {
  const estate = smallEstate()
  const baselines = rankingBaselines(estate)
  const { lists } = buildLinkLists(estate, { candidates: 'all' }, seeded(1))
  const score = (name: string, column: string, candidate: string) => {
    const asked = lists.find((l) => l.queryId === columnId(column))!
    return baselines[name]!(asked)[asked.candidates.findIndex((c) => c.id === columnId(candidate))]!
  }

  it('score what they say', () => {
    expect(Object.keys(baselines)).toEqual(Object.keys(baselineRules))
    expect(score('exact name', 'school.pupils.classid', 'school.classes.classid')).toBe(1)
    expect(score('exact name', 'school.pupils.classid', 'school.teachers.teacherid')).toBe(0)
    expect(score('fuzzy name', 'shop.orders.customer_id', 'shop.customers.id')).toBe(1)
    expect(score('type + name', 'shop.orders.customer_id', 'shop.customers.id')).toBe(1.5)
    expect(score('key + type + name', 'shop.orders.customer_id', 'shop.customers.id')).toBe(2)
    expect(score('links + key + type + name', 'shop.orders.customer_id', 'shop.profiles.customer_id')).toBe(1.5)
    expect(score('random', 'shop.orders.customer_id', 'shop.customers.id')).toBe(0)
  })

  it('common neighbours counts tables joined to both, the asked key hidden, and nothing for one table', () => {
    // orders is joined to lines (and to customers by the asked key); returns is joined to lines
    expect(score('common neighbours', 'shop.orders.customer_id', 'shop.returns.id')).toBe(1)
    expect(score('common neighbours', 'shop.orders.customer_id', 'shop.orders.total')).toBe(0)
    // customers' only joins are to profiles and itself once the asked key is hidden
    expect(score('common neighbours', 'shop.orders.customer_id', 'shop.customers.id')).toBe(0)
  })

  it('random scores exactly what shuffling gives on average', () => {
    const expected = evaluateScorer(lists, baselines['random']!, options())
    const rng = seeded(9)
    const shuffled: Scorer = (l) => l.candidates.map(() => rng.next())
    const means = Array.from({ length: 400 }, () => evaluateScorer(lists, shuffled, { rng: seeded(1), resamples: 1 }).mrr.value)
    const average = means.reduce((a, b) => a + b, 0) / means.length
    expect(Math.abs(average - expected.mrr.value)).toBeLessThan(0.015)
  })

  it('need the estate that the lists came from', () => {
    expect(() => baselines['fuzzy name']!(list('elsewhere', [1, 0]))).toThrow('query id elsewhere is not in the estate')
    expect(() => baselines['fuzzy name']!({ ...lists[0]!, candidates: [{ nodeFeatures: [], edges: [] }] })).toThrow('candidate id (none)')
  })
})

describe('comparison', () => {
  const lists = Array.from({ length: 80 }, (_, i) => list(`q${i}`, [1, 0, 0], `db${i % 8}`))
  const good = evaluateScorer(lists, (l) => (Number(l.queryId.slice(1)) % 4 ? [1, 0, 0] : [0, 1, 0]), options())
  const bad = evaluateScorer(lists, (l) => (Number(l.queryId.slice(1)) % 4 === 1 ? [1, 0, 0] : [0, 1, 0]), options())

  it('sees a difference that is there, and none where there is none', () => {
    const found = compareRankings(good, bad, 'mrr', options())
    expect(found).toMatchObject({ measure: 'mrr', n: 80, isSignificant: true })
    // half of the queries differ, each by 1 - (1/2 + 1/3) / 2
    expect(found.value).toBeCloseTo(0.5 * (1 - 5 / 12), 12)
    expect(compareRankings(good, good, 'mrr', options())).toMatchObject({ value: 0, low: 0, high: 0, isSignificant: false })
    expect(compareRankings(bad, good, 'mrr', options()).value).toBeCloseTo(-found.value, 12)
  })

  it('compares only what was asked of both', () => {
    expect(() => compareRankings(good, { perQuery: good.perQuery.slice(1) }, 'mrr', options())).toThrow('80 and 79 queries')
    expect(() => compareRankings(good, { perQuery: good.perQuery.toReversed() }, 'mrr', options())).toThrow(
      'query 0 is "q0" here and "q79" there',
    )
  })

  it('prints models beside each other, with intervals, n and the number of candidates', () => {
    const text = printRankingReports({ good, bad })
    expect(text.split('\n')).toHaveLength(3)
    expect(text).toMatch(/^ranker +n +candidates +MRR +Hits@1 +Hits@3 +Hits@10 +NDCG@10\n/)
    expect(text).toMatch(/\ngood +80 +3\.0 +0\.854 \[0\.\d{3}, 0\.\d{3}\]/)
    expect(JSON.parse(JSON.stringify(summarizeRanking(good)))).not.toHaveProperty('perQuery')
  })
})

describe('leave one group out', () => {
  const lists = Array.from({ length: 40 }, (_, i) => list(`q${i}`, i % 2 ? [1, 0, 0] : [0, 1, 0], `db${i % 5}`))

  it('never trains or validates on what it judges, and judges everything once', async () => {
    const seen: string[] = []
    const report = await evaluateLeaveOneOut(
      lists,
      (train, validation, { groups }) => {
        for (const l of [...train, ...validation]) expect(groups).not.toContain(l.group)
        expect(new Set(train.map((l) => l.group)).size + new Set(validation.map((l) => l.group)).size).toBe(4)
        expect(validation.length).toBeGreaterThan(0)
        return async (l) => {
          expect(groups).toContain(l.group)
          seen.push(l.queryId)
          return l.candidates.map((c) => c.label!)
        }
      },
      options(),
    )
    expect(seen.sort()).toEqual(lists.map((l) => l.queryId).sort())
    expect(report.mrr).toMatchObject({ value: 1, n: 40 })
    expect(report.perQuery.map((q) => q.queryId)).toEqual(lists.map((l) => l.queryId))
  })

  it('can hold out parts of several groups, and tells of its progress', async () => {
    const done: string[] = []
    await evaluateLeaveOneOut(lists, () => () => [0, 0, 0], {
      ...options(),
      folds: 2,
      onFold: (f) => done.push(`${f.done}/${f.of} ${f.groups.length} ${f.queries}`),
    })
    expect(done).toEqual(['1/2 3 24', '2/2 2 16'])
  })
})
