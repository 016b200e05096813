import fs from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hitsAt, ndcgAt, type RankedItems, reciprocalRank } from '../../../src/statistics/ranking-scores.js'

const oracle = JSON.parse(fs.readFileSync(new URL('./fixtures/oracle.json', import.meta.url), 'utf8'))

/** Every order of tied items, spelled out: the definition that the closed forms must equal. */
function averageOverOrders(items: RankedItems, measure: (labelsInOrder: number[]) => number): number {
  const order = Array.from(items.scores, (_, i) => i).sort((i, j) => items.scores[j]! - items.scores[i]!)
  const groups: number[][] = []
  for (const i of order) {
    const last = groups.at(-1)
    if (last && items.scores[last[0]!] === items.scores[i]) last.push(i)
    else groups.push([i])
  }
  let orders: number[][] = [[]]
  for (const group of groups) orders = orders.flatMap((head) => permutations(group).map((tail) => [...head, ...tail]))
  const values = orders.map((o) => measure(o.map((i) => items.labels[i]!)))
  return values.reduce((a, b) => a + b, 0) / values.length
}
const permutations = (items: number[]): number[][] =>
  items.length < 2 ? [items] : items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]))

const lists = fc.integer({ min: 1, max: 6 }).chain((n) =>
  fc.record({
    scores: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: n, maxLength: n }),
    labels: fc.array(fc.constantFrom(0, 0, 0.5, 1), { minLength: n, maxLength: n }),
  }),
)

describe('ranking scores', () => {
  it('NDCG@k equals scikit-learn, ties included', () => {
    for (const { scores, labels, ndcg } of oracle.ranking)
      for (const [k, value] of Object.entries(ndcg)) expect(ndcgAt(Number(k), { scores, labels })).toBeCloseTo(value as number, 12)
  })

  it('reciprocal rank, hits and NDCG are the mean over every order of the tied items', () => {
    fc.assert(
      fc.property(lists, fc.integer({ min: 1, max: 4 }), (items, k) => {
        const best = Math.max(...items.labels)
        const relevant = (label: number) => best > 0 && label === best
        const rank = (labels: number[]) => labels.findIndex(relevant)
        const dcg = (labels: number[]) => labels.slice(0, k).reduce((sum, l, i) => sum + l / Math.log2(i + 2), 0)
        const ideal = dcg([...items.labels].sort((a, b) => b - a))
        expect(reciprocalRank(items)).toBeCloseTo(
          averageOverOrders(items, (l) => (rank(l) < 0 ? 0 : 1 / (rank(l) + 1))),
          10,
        )
        expect(hitsAt(k, items)).toBeCloseTo(
          averageOverOrders(items, (l) => Number(rank(l) >= 0 && rank(l) < k)),
          10,
        )
        expect(ndcgAt(k, items)).toBeCloseTo(ideal === 0 ? 0 : averageOverOrders(items, (l) => dcg(l) / ideal), 10)
      }),
      { numRuns: 300 },
    )
  })

  it('a constant scorer gains nothing by its ties', () => {
    const labels = [1, 0, 0, 0]
    expect(reciprocalRank({ scores: [0, 0, 0, 0], labels })).toBeCloseTo((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4, 12)
    expect(hitsAt(1, { scores: [0, 0, 0, 0], labels })).toBe(0.25)
    expect(hitsAt(3, { scores: [0, 0, 0, 0], labels })).toBeCloseTo(0.75, 12)
  })

  it('only the best label is relevant, unless a threshold says otherwise', () => {
    const items = { scores: [3, 2, 1], labels: [0.5, 1, 0] }
    expect(reciprocalRank(items)).toBe(0.5)
    expect(reciprocalRank({ ...items, relevantFrom: 0.5 })).toBe(1)
    expect(reciprocalRank({ scores: [1, 2], labels: [0, 0] })).toBe(0)
  })

  it('exponential gain prefers the high grades', () => {
    const items = { scores: [2, 1], labels: [1, 3] }
    expect(ndcgAt(10, items, 'exponential')).toBeCloseTo((1 + 7 / Math.log2(3)) / (7 + 1 / Math.log2(3)), 12)
  })

  it('a score that is not a number cannot be ranked', () => {
    expect(() => reciprocalRank({ scores: [Number.NaN], labels: [1] })).toThrow('score 0 is NaN')
    expect(() => hitsAt(1, { scores: [1], labels: [1, 0] })).toThrow('1 scores for 2 labels')
  })
})
