import { describe, expect, it } from 'vitest'
import { encodeCandidates } from '../../../src/datasets/links/candidate-graph.js'
import type { Estate } from '../../../src/datasets/links/estate.js'
import { indexEstate } from '../../../src/datasets/links/estate.js'
import { buildLinkLists, type LinkData } from '../../../src/datasets/links/lists.js'
import { groupFolds } from '../../../src/datasets/splits/groups.js'
import { tasks } from '../../../src/datasets/tasks/index.js'
import { evaluateRanking } from '../../../src/evaluation/ranking.js'
import type { RankingList } from '../../../src/models/rankings/ranking-list.js'
import { seeded } from '../../../src/util/random.js'
import { randomFlows, randomJobs, randomKeys } from '../../support/random-links.js'
import { smallEstate } from '../../support/small-estate.js'

/** Everything about a candidate that a linear probe could use: its row, the sums of all rows, how many nodes and edges of each type. */
function probed(list: RankingList, c: number): number[] {
  const { nodeFeatures, edges, edgeTypes } = list.candidates[c]!
  const rows = nodeFeatures as readonly number[][]
  const counts = new Array<number>(10).fill(0)
  for (const type of edgeTypes!) counts[type]!++
  const sums = rows[0]!.map((_, f) => rows.reduce((sum, row) => sum + row[f]!, 0))
  return [...rows[1]!, ...sums.map((s) => s / 4), rows.length / 4, edges.length / 4, ...counts.map((n) => n / 4)]
}

/** MRR of a linear ranker on groups that it never saw, and of chance, with the interval of the former. */
function probe({ lists }: LinkData) {
  const scores = new Map<RankingList, number[]>()
  for (const fold of groupFolds(lists, 4, seeded(1))) {
    const data = fold.train.map((list) => ({ list, x: list.candidates.map((_, c) => probed(list, c)) }))
    const w = new Float64Array(data[0]!.x[0]!.length)
    const dot = (x: readonly number[]) => x.reduce((sum, v, i) => sum + v * w[i]!, 0)
    for (let epoch = 0; epoch < 20; epoch++) {
      const gradient = new Float64Array(w.length)
      for (const { list, x } of data) {
        const raw = x.map(dot)
        const most = Math.max(...raw)
        const exp = raw.map((s) => Math.exp(s - most))
        const [sum, labels] = [exp.reduce((a, b) => a + b, 0), list.candidates.reduce((a, c) => a + c.label!, 0)]
        x.forEach((row, c) => {
          const error = exp[c]! / sum - list.candidates[c]!.label! / labels
          for (let i = 0; i < w.length; i++) gradient[i]! += error * row[i]!
        })
      }
      for (let i = 0; i < w.length; i++) w[i]! -= (0.3 / data.length) * gradient[i]!
    }
    for (const list of fold.test)
      scores.set(
        list,
        list.candidates.map((_, c) => dot(probed(list, c))),
      )
  }
  const options = { rng: seeded(1), unit: 'group', confidence: 0.99, resamples: 1000 } as const
  const found = evaluateRanking(
    lists,
    lists.map((l) => scores.get(l)!),
    options,
  ).mrr
  const chance = evaluateRanking(
    lists,
    lists.map((l) => l.candidates.map(() => 0)),
    options,
  ).mrr.value
  return { ...found, chance }
}

/**
 * Of each number that the probe sees: how far the answers' lie from those of the other candidates, in standard errors. Finds what is too
 * faint for the probe to learn.
 */
function largestDeviation({ lists }: LinkData): number {
  const [sums, squares]: [number[], number[]] = [[], []]
  for (const list of lists) {
    const rows = list.candidates.map((_, c) => probed(list, c))
    const answer = rows[list.candidates.findIndex((c) => c.label === 1)]!
    answer.forEach((value, f) => {
      const surplus = value - rows.reduce((sum, row) => sum + row[f]!, 0) / rows.length
      sums[f] = (sums[f] ?? 0) + surplus
      squares[f] = (squares[f] ?? 0) + surplus ** 2
    })
  }
  return Math.max(...sums.map((sum, f) => Math.abs(sum) / Math.sqrt(squares[f]! + 1e-9)))
}

/** Folders are no targets in these estates, which is no secret of any single one of them. */
function jobsOnly({ lists, ...rest }: LinkData): LinkData {
  const isFolder = (id: string | undefined) => id?.includes('controlm-folder') === true
  return { ...rest, lists: lists.map((l) => ({ ...l, candidates: l.candidates.filter((c) => !isFolder(c.id)) })) }
}

describe('where links follow no rule, neither a probe of rows and graphs nor any single number finds them', () => {
  it.each([
    ['foreign keys, the others known', randomKeys(50, 1), { knownLinks: 'others' }],
    ['foreign keys, none known', randomKeys(50, 2), { knownLinks: 'none' }],
    ['flows between columns', randomFlows(50, 3), { task: 'lineage' }],
    ['flows between tables', randomFlows(80, 4), { task: 'lineage', level: 'table' }],
    ['dependencies, none known', randomJobs(40, 5), { task: 'dependency' }],
    ['dependencies, the others known', randomJobs(40, 6), { task: 'dependency', knownLinks: 'others' }],
  ] as const)('%s', { timeout: 60_000 }, (_, estate, features) => {
    const data = jobsOnly(buildLinkLists(estate, { candidates: 'all', features }, seeded(1)))
    expect(data.lists.length).toBeGreaterThan(250)
    // about 130 numbers: by chance alone 4 is passed once in 130 tests
    expect(largestDeviation(data)).toBeLessThan(4)
    const { low, chance } = probe(data)
    expect(low).toBeLessThan(chance)
  })

  it('but both find what there is to find', { timeout: 60_000 }, () => {
    const data = buildLinkLists(randomKeys(40, 1, true), { candidates: 'all' }, seeded(1))
    const { low, chance } = probe(data)
    expect(low).toBeGreaterThan(chance + 0.1)
    expect(largestDeviation(data)).toBeGreaterThan(10)
  })

  it('and an answer that is left in the estate', { timeout: 60_000 }, () => {
    // the keys again, as flows of data: walked over, and nothing that a foreign key hides
    const { nodes, edges } = randomKeys(40, 1)
    const twins = edges.filter((e) => e.label === 'REFERENCES').map((e) => ({ ...e, label: 'DATA_FLOW' as const }))
    const data = buildLinkLists({ nodes, edges: [...edges, ...twins] }, { candidates: 'all', features: { knownLinks: 'none' } }, seeded(1))
    const { low, chance } = probe(data)
    expect(low).toBeGreaterThan(chance + 0.1)
    expect(largestDeviation(data)).toBeGreaterThan(10)
  })
})

describe('what is hidden might as well not be there', () => {
  it.each([
    ['foreign-key', smallEstate(), {}],
    ['lineage', randomFlows(3, 7), {}],
    ['lineage', randomFlows(3, 7), { knownLinks: 'others' }],
    ['lineage', randomFlows(3, 7), { level: 'table', knownLinks: 'others' }],
    ['dependency', randomJobs(3, 8), { knownLinks: 'others' }],
  ] as const)('%s: an estate without it is encoded the same', (task, estate, features) => {
    const { lists, featureSpec } = buildLinkLists(estate, { features: { ...features, task } }, seeded(1))
    expect(lists.length).toBeGreaterThan(5)
    const index = indexEstate(estate)
    for (const list of lists) {
      const hidden = tasks[task].hidden(index, list.queryId)
      expect(hidden.size).toBeGreaterThan(0)
      const without: Estate = { nodes: estate.nodes, edges: estate.edges.filter((e) => !hidden.has(e)) }
      expectSame(list, without, featureSpec)
    }
  })

  it.each(['foreign-key', 'lineage', 'dependency'] as const)(
    '%s: with none known, an estate that knows none is encoded the same',
    (task) => {
      const estate = { 'foreign-key': smallEstate(), lineage: randomFlows(3, 9), dependency: randomJobs(3, 9) }[task]
      const { lists, featureSpec } = buildLinkLists(estate, { features: { task, knownLinks: 'none' } }, seeded(1))
      const bare: Estate = { nodes: estate.nodes, edges: estate.edges.filter((e) => !tasks[task].unknown.includes(e.label)) }
      for (const list of lists) expectSame(list, bare, featureSpec)
    },
  )

  it('queries and Petri nets, which say it once more, are in no graph', () => {
    for (const [task, estate] of [
      ['lineage', randomFlows(3, 7)],
      ['dependency', randomJobs(3, 8)],
    ] as const) {
      const { lists, featureSpec } = buildLinkLists(estate, { features: { task } }, seeded(1))
      const says = new Set(['SqlQuery', 'PetriPlace', 'PetriTransition'])
      const silent = estate.nodes.filter((n) => !says.has(n.kind))
      for (const list of lists) expectSame(list, { nodes: silent, edges: estate.edges }, featureSpec)
    }
  })
})

function expectSame(list: RankingList, estate: Estate, spec: LinkData['featureSpec']): void {
  const unlabelled = { ...list, candidates: list.candidates.map(({ label: _, ...candidate }) => candidate) }
  expect(
    encodeCandidates(
      estate,
      list.queryId,
      list.candidates.map((c) => c.id!),
      spec,
    ),
  ).toEqual(unlabelled)
}
