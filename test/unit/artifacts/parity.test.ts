import { describe, expect, it } from 'vitest'
import { readEnvironment } from '../../../src/artifacts/environment.js'
import { largestDifference, measureParity, parityGrid, rankAgreement } from '../../../src/artifacts/parity.js'
import { ggnn } from '../../../src/models/ggnn.js'
import type { RankingList } from '../../../src/models/ranking-list.js'
import { toyLists } from '../../support/toy-lists.js'

describe('largestDifference', () => {
  it('is the largest over all, and null when something cannot be compared', () => {
    expect(largestDifference([[1, 2], [3]], [[1, 2.5], [2.75]])).toBe(0.5)
    expect(largestDifference([], [])).toBe(0)
    expect(largestDifference([[1]], [[1, 2]])).toBeNull()
    expect(largestDifference([[1]], [])).toBeNull()
    expect(largestDifference([[Number.NaN]], [[Number.NaN]])).toBeNull()
    expect(largestDifference([[Number.POSITIVE_INFINITY]], [[1]])).toBeNull()
  })
})

describe('rankAgreement', () => {
  it('averages tau and counts equal best candidates; lists without candidates say nothing', () => {
    expect(rankAgreement([[1, 2, 3], [3, 2], []], [[1, 2, 3], [2, 3], []])).toEqual({ kendall_tau: 0, top1_agreement: 0.5 })
    expect(rankAgreement([[1]], [[7]])).toEqual({ kendall_tau: null, top1_agreement: 1 })
    expect(rankAgreement([], [])).toEqual({ kendall_tau: null, top1_agreement: null })
  })
})

describe('measureParity', () => {
  const options = ggnn.options.parse({ features: 4, hidden: 4, steps: 1 })
  const grid = parityGrid(4, 0)
  const environment = readEnvironment()
  /** a scorer that answers the sum of a candidate's features, `off` by a little for one list */
  const scorer = (off: (queryId: number) => number) => ({
    layouts: ['dense'],
    encode: (lists: Parameters<typeof ggnn.encode>[0], layout?: string) => ggnn.encode(lists, options, layout ?? 'dense'),
    score: async (batch: ReturnType<typeof ggnn.encode>['batch']) =>
      batch.candidates.map((n, q) => Array.from({ length: n }, (_, c) => c + off(q))),
  })
  const reference = async (lists: readonly RankingList[]) => lists.map((list) => list.candidates.map((_, c) => c))
  const measure = (off: (queryId: number) => number) =>
    measureParity({ lists: toyLists(20), grid, scorer: scorer(off), reference, environment })

  it('passes within 1e-5 and fails beyond, or where a score is not finite', async () => {
    expect(await measure(() => 0.9e-5)).toMatchObject({ passed: true, lists: 20, candidates: 80 })
    expect(await measure((q) => (q === 3 ? 1.1e-5 : 0))).toMatchObject({ passed: false, kendall_tau: 1 })
    expect(await measure(() => Number.NaN)).toMatchObject({ passed: false, max_abs_diff: null, kendall_tau: null })
  })

  it('a list that cannot be encoded is refused, not skipped', async () => {
    const wrong = [{ queryId: 'w', candidates: [{ nodeFeatures: [[1]], edges: [] }] }]
    await expect(measureParity({ lists: wrong, grid, scorer: scorer(() => 0), reference, environment })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('w'),
    })
  })

  it('the grid fits any widths', () => {
    for (const [features, query] of [
      [1, 0],
      [4, 2],
      [3, 9],
    ] as const)
      for (const { list } of parityGrid(features, query)) {
        const { problems } = ggnn.encode([list], { ...options, features, queryFeatures: query })
        expect(problems.filter((p) => p.severity === 'error')).toEqual([])
      }
  })

  it('the environment names its tools and its processor', () => {
    expect(environment.producer['espalier']).toMatch(/^\d/)
    expect(environment.producer['onnxruntime-node']).toMatch(/^1\.\d+/)
    expect(environment.cpu.length).toBeGreaterThan(0)
  })
})
