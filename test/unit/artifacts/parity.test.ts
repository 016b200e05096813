import { describe, expect, it } from 'vitest'
import { readEnvironment } from '../../../src/artifacts/environment.js'
import { largestDifference, rankAgreement } from '../../../src/artifacts/parity/compare.js'
import { measureParity } from '../../../src/artifacts/parity/fp32.js'
import { type GridCase, parityGrid, widthsOf } from '../../../src/artifacts/parity/grid.js'
import { int8Failure, measureInt8, publishesInt8, relativeDrop } from '../../../src/artifacts/parity/int8.js'
import { encodeSampleTensor, parseSamples } from '../../../src/artifacts/parity/samples.js'
import { scoreAll } from '../../../src/artifacts/parity/scorer.js'
import { ggnn } from '../../../src/models/ggnn.js'
import type { GraphExample } from '../../../src/models/graphs/graph-example.js'
import type { RankingList } from '../../../src/models/rankings/ranking-list.js'
import { models } from '../../../src/models/registry.js'
import { float32 } from '../../../src/tensor/tensor.js'
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

const options = ggnn.options.parse({ features: 4, hidden: 4, steps: 1 })
const grid = parityGrid('ranking', 4, 0) as GridCase<RankingList>[]
const environment = readEnvironment()
/** a scorer that answers each candidate's place, `off` by a little for one list */
const scorer = (off: (list: number) => number) => ({
  layouts: ['dense'],
  encode: (lists: readonly RankingList[], layout?: string) => ggnn.encode(lists, options, layout ?? 'dense'),
  score: async (batch: ReturnType<typeof ggnn.encode>['batch']) =>
    batch.counts.map((n, q) => Array.from({ length: n }, (_, c) => c + off(q))),
})
const places = (lists: readonly RankingList[]) => lists.map((list) => list.candidates.map((_, c) => c))

describe('measureParity', () => {
  const reference = async (lists: readonly RankingList[]) => places(lists)
  const lists = toyLists(20)
  const measure = async (off: (list: number) => number) => {
    const tested = scorer(off)
    const exported = await scoreAll(tested, lists)
    return measureParity({ exported, expected: places(lists), grid, scorer: tested, reference, environment })
  }

  it('passes within 1e-5 and fails beyond, or where a score is not finite', async () => {
    expect(await measure(() => 0.9e-5)).toMatchObject({ passed: true, lists: 20, candidates: 80 })
    expect(await measure((q) => (q === 3 ? 1.1e-5 : 0))).toMatchObject({ passed: false, kendall_tau: 1 })
    expect(await measure(() => Number.NaN)).toMatchObject({ passed: false, max_abs_diff: null, kendall_tau: null })
  })

  it('a list that cannot be encoded is refused, not skipped', async () => {
    const wrong = [{ queryId: 'w', candidates: [{ nodeFeatures: [[1]], edges: [] }] }]
    await expect(
      scoreAll(
        scorer(() => 0),
        wrong,
      ),
    ).rejects.toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('w') })
  })

  it('the environment names its tools and its processor', () => {
    expect(environment.producer['espalier']).toMatch(/^\d/)
    expect(environment.producer['onnxruntime-node']).toMatch(/^1\.\d+/)
    expect(environment.cpu.length).toBeGreaterThan(0)
  })
})

describe('the grid', () => {
  it('fits every model and any widths, in every layout that it is exported in', () => {
    for (const model of Object.values(models))
      for (const [features, query] of [
        [1, 0],
        [4, 2],
        [3, 9],
      ] as const) {
        if (model.name === 'ggnn-classic' && query > 0) continue
        const given = model.name === 'ggnn-classic' ? { features } : { features, queryFeatures: query }
        const parsed = model.options.parse(given)
        for (const layout of model.exportLayouts?.(parsed) ?? ['dense'])
          for (const { case: name, examples } of parityGrid(model.examples, features, query)) {
            const { batch, problems } = model.encode(examples as never, parsed, layout)
            expect(
              problems.filter((p) => p.severity === 'error'),
              `${model.name}, ${name}`,
            ).toEqual([])
            expect(batch.layout).toBe(layout)
          }
      }
  })

  it('numbers survive float32 and JSON', () => {
    for (const { examples } of parityGrid('graph', 5, 3) as GridCase<GraphExample>[])
      for (const { nodeFeatures } of examples)
        for (const row of nodeFeatures) for (const x of row) expect(Math.fround(x)).toBe(JSON.parse(JSON.stringify(x)))
  })

  it('widths are read off whatever example has a node', () => {
    expect(widthsOf([{ queryId: 'e', candidates: [] }, toyLists(1)[0]])).toEqual({ features: 4, query: 0 })
    expect(widthsOf([{ id: 'g', nodeFeatures: [[1, 2]], edges: [], query: [1] }])).toEqual({ features: 2, query: 1 })
    expect(widthsOf([{ queryId: 'e', candidates: [] }])).toBeNull()
  })
})

describe('measureInt8', () => {
  const examples = toyLists(10)
  const measure = (int8: number[][], value: (scores: readonly (readonly number[])[]) => Record<string, number>) =>
    measureInt8({
      examples,
      fp32: places(examples),
      int8,
      scorers: { fp32: scorer(() => 0), int8: scorer(() => 0.125) },
      sizes: { fp32: 1000, int8: 280 },
      grid,
      judge: (_, scores) => value(scores),
      maxDrop: 0.01,
      environment,
    })
  const shifted = places(examples).map((row) => row.map((x) => x + 0.25))
  /** the metric of fp32 is 0.5, of whatever else `other` */
  const judged = (other: number) => (scores: readonly (readonly number[])[]) => ({ mrr: scores[0]![0] === 0 ? 0.5 : other })

  it('judges by the relative drop of the metric: at the limit it passes, beyond it does not, better always passes', async () => {
    expect(await measure(shifted, judged(0.495))).toMatchObject({ passed: true, metric: { name: 'mrr', limit: 0.01, passed: true } })
    const worse = await measure(shifted, judged(0.4949))
    expect(worse).toMatchObject({ passed: false, metric: { passed: false } })
    expect(int8Failure(worse)).toBe('mrr drops by 1.02 % (0.5000 to 0.4949), 1.00 % at most')
    expect((await measure(shifted, judged(0.6))).metric!.drop).toBeCloseTo(-0.2)
    expect(relativeDrop(0, 0)).toBe(0)
  })

  it('tells agreement, size, speed and the grid', async () => {
    const reversed = places(examples).map((row) => [...row].reverse())
    const report = await measure(reversed, judged(0.5))
    expect(report).toMatchObject({ kendall_tau: -1, top1_agreement: 0, max_abs_diff: 3, size: { ratio: 0.28 } })
    expect(report.grid).toHaveLength(grid.length)
    expect(report.grid.every((g) => g.passed && (g.case.endsWith('no edges') ? g.max_abs_diff === 0.125 : true))).toBe(true)
    expect(report.speed).toMatchObject({ examples: 10, graphs: 40, rounds: expect.any(Number) })
    expect(report.speed.ratio).toBeCloseTo(report.speed.fp32_ms / report.speed.int8_ms)
  })

  it('does not pass without a metric, or with a score that is no number', async () => {
    const unjudged = await measure(shifted, () => ({}))
    expect(unjudged).toMatchObject({ passed: false, metric: null })
    expect(int8Failure(unjudged)).toContain('nothing to judge')
    const broken = await measure([[Number.NaN], ...shifted.slice(1)], judged(0.5))
    expect(broken).toMatchObject({ passed: false, max_abs_diff: null })
    expect(int8Failure(broken)).toContain('not a finite number')
  })

  it('is published when it passed, or when it was required and forced', () => {
    expect([publishesInt8('if-passed', true), publishesInt8('if-passed', false)]).toEqual([true, false])
    expect([publishesInt8('required', true), publishesInt8('required', false)]).toEqual([true, true])
    expect([publishesInt8('off', true), publishesInt8('off', false)]).toEqual([false, false])
  })
})

describe('parity samples', () => {
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
  it('float32 comes back from JSON bit for bit', () => {
    const values = Float32Array.of(0.1, 1 / 3, -1e30, 1.401298464324817e-45, 3.4028234663852886e38)
    const { data } = JSON.parse(JSON.stringify(encodeSampleTensor(float32([5], values)))) as { data: number[] }
    expect(Float32Array.from(data)).toEqual(values)
  })
  it('reads samples from before there were tensors, and refuses what is something else', () => {
    expect(parseSamples(bytes({ tolerance: 1e-5, lists: [1], scores: [[2]] }))).toEqual({
      tolerance: 1e-5,
      examples: [1],
      scores: [[2]],
      graphs: [],
    })
    expect(() => parseSamples(bytes({ tolerance: 1 }))).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
  })
})
