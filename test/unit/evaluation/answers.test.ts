import { describe, expect, it } from 'vitest'
import { baselineAnswers, judgeAnswers, reportAnswers, studyAnswers } from '../../../src/evaluation/answers.js'
import { printAnswers } from '../../../src/evaluation/report.js'
import type { GraphExample } from '../../../src/models/graphs/graph-example.js'
import { seeded } from '../../../src/util/random.js'

const graph = (target: GraphExample['target'], nodes = 4, group?: string): GraphExample => ({
  id: 'g',
  nodeFeatures: Array.from({ length: nodes }, () => [1]),
  edges: [],
  ...(target === undefined ? {} : { target }),
  ...(group === undefined ? {} : { group }),
})
const options = (groups: readonly (string | undefined)[], unit: 'group' | 'query' = 'query') => ({
  rng: seeded(3),
  resamples: 400,
  groups,
  unit,
})

describe('what is judged', () => {
  it('are the examples with a target; one without an answer is wrong, and counted', () => {
    const judged = judgeAnswers(
      'node',
      [graph(1), graph(undefined), graph(2), graph(0)],
      [[0, 9, 0, 0], [1, 0, 0, 0], [], [0, 1, 0, 0]],
      {},
    )
    expect(judged).toEqual([
      { expected: '1', found: '1' },
      { expected: '2', found: null },
      { expected: '0', found: '1' },
    ])
    const report = reportAnswers('node', judged, options([undefined, undefined, undefined]))
    expect(report).toMatchObject({ unanswered: 1, perExample: [1, 0, 0], accuracy: { value: 1 / 3, n: 3 } })
    expect('labels' in report).toBe(false)
  })
  it('sequences item by item: two outputs are not one that is spelled like both', () => {
    const scores = [9, 0, 0, 0, 9, 0, 0, 0, 9]
    expect(judgeAnswers('sequence', [graph(['a', 'b'])], [scores], { labels: ['a', 'b'] })[0]).toEqual({
      expected: '["a","b"]',
      found: '["a","b"]',
    })
    const joined = judgeAnswers('sequence', [graph(['a,b'])], [scores], { labels: ['a', 'b'] })[0]!
    expect(joined.expected).not.toBe(joined.found)
  })
})

describe('baselines', () => {
  it('chance: one of the nodes, one of the labels, every output of a sequence and its end', () => {
    expect(baselineAnswers('node', [graph(0, 5)], []).random).toEqual([0.2])
    expect(baselineAnswers('graph', [graph('a')], [graph('a'), graph('b'), graph('c'), graph('c')]).random).toEqual([1 / 3])
    expect(baselineAnswers('sequence', [graph([0, 1], 4)], []).random).toEqual([5 ** -3])
    expect(baselineAnswers('sequence', [graph(['x'])], [graph(['x', 'y'])]).random).toEqual([3 ** -2])
  })
  it('the commonest answer of what was learned from, not of what is judged', () => {
    const asked = ['a', 'b', 'b', 'b'].map((target) => graph(target))
    expect(baselineAnswers('graph', asked, [graph('a'), graph('a'), graph('b')]).commonest).toEqual([1, 0, 0, 0])
    expect(baselineAnswers('graph', asked, [graph('b'), graph('a')]).commonest).toEqual([1, 0, 0, 0])
  })
})

describe('a study', () => {
  const examples = Array.from({ length: 200 }, (_, i) => graph(i % 4 === 0 ? 'a' : 'b', 4, `g${i % 20}`))
  const groups = examples.map(({ group }) => group)
  const answers = (isRight: (i: number) => boolean) =>
    examples.map(({ target }, i) => ({ expected: String(target), found: isRight(i) ? String(target) : target === 'a' ? 'b' : 'a' }))
  it('names the better baseline, and whether the model beats it beyond the interval of the difference', () => {
    const baselines = baselineAnswers('graph', examples, examples)
    for (const unit of ['query', 'group'] as const) {
      const good = reportAnswers(
        'graph',
        answers((i) => i % 20 !== 0),
        options(groups, unit),
      )
      const study = studyAnswers(good, baselines, options(groups, unit))
      expect(study).toMatchObject({ best: 'commonest', isBetter: true, baselines: { commonest: { value: 0.75 }, random: { value: 0.5 } } })
      expect(study.differences.commonest.value).toBeCloseTo(0.2, 12)
      expect(printAnswers('ggnn-graph', good, study)).toMatch(
        /commonest answer +200 +0\.750[^\n]+\+0\.200[\s\S]*the model beats it beyond the interval/,
      )
      const same = reportAnswers(
        'graph',
        answers((i) => i % 4 !== 0),
        options(groups, unit),
      )
      expect(studyAnswers(same, baselines, options(groups, unit)).isBetter).toBe(false)
    }
  })
  it('is refused where nothing has a target', () => {
    expect(() => reportAnswers('node', [], options([]))).toThrow('no example can be judged')
  })
})
