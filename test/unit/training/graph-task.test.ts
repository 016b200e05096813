import { describe, expect, it } from 'vitest'
import { judgeLabels } from '../../../src/evaluation/answers.js'
import { answerOf } from '../../../src/models/graphs/graph-answer.js'
import type { GraphExample } from '../../../src/models/graphs/graph-example.js'
import { graphTasks } from '../../../src/training/jobs/graph-task.js'

const graph = (change: Partial<GraphExample> = {}): GraphExample => ({
  id: 'g',
  nodeFeatures: [
    [1, 0],
    [0, 1],
  ],
  edges: [[0, 1]],
  edgeTypes: [2],
  ...change,
})

describe('what the data decides', () => {
  it('widths and edge types, for every kind', () => {
    expect(graphTasks.node.optionsOf([graph({ query: [1, 2, 3] })])).toEqual({ features: 2, queryFeatures: 3, edgeTypes: 3 })
  })
  it('labels in a fixed order, whatever the order of the examples', () => {
    const examples = ['b', 'a', 'c', 'a'].map((target) => graph({ target }))
    expect(graphTasks.graph.optionsOf(examples)).toMatchObject({ labels: ['a', 'b', 'c'] })
    expect(graphTasks.graph.optionsOf([...examples].reverse())).toEqual(graphTasks.graph.optionsOf(examples))
  })
  it('room for the longest sequence and its end; nodes where there are no labels', () => {
    expect(graphTasks.sequence.optionsOf([graph({ target: [0] }), graph({ target: [0, 1, 0] })])).toMatchObject({
      labels: [],
      maxOutputs: 4,
    })
    expect(graphTasks.sequence.optionsOf([graph({ target: ['n', 'e'] })])).toMatchObject({ labels: ['e', 'n'], maxOutputs: 3 })
  })
})

describe('accuracy', () => {
  it('of nodes', () => {
    const examples = [graph({ target: 0 }), graph({ target: 1 }), graph({ target: 1 }), graph()]
    const scores = [
      [2, 1],
      [2, 1],
      [1, 2],
      [1, 2],
    ]
    expect(graphTasks.node.judge(examples, scores, {})).toEqual({ accuracy: 2 / 3 })
  })
  it('of labels, in the order of the model', () => {
    const judged = graphTasks.graph.judge(
      [graph({ target: 'a' }), graph({ target: 'b' })],
      [
        [0, 1],
        [0, 1],
      ],
      { labels: ['b', 'a'] },
    )
    expect(judged).toEqual({ accuracy: 0.5, precision: 0.25, recall: 0.5, f1_score: 1 / 3 })
  })
  it('of labels, averaged as scikit-learn averages them', () => {
    // the example of sklearn.metrics.precision_recall_fscore_support, average="macro"
    const [expected, found] = [
      [0, 1, 2, 0, 1, 2],
      [0, 2, 1, 0, 0, 1],
    ]
    const judged = judgeLabels(expected!.map((label, i) => ({ expected: String(label), found: String(found![i]) })))
    expect(judged['precision']).toBeCloseTo(0.2222222, 6)
    expect(judged['recall']).toBeCloseTo(0.3333333, 6)
    expect(judged['f1_score']).toBeCloseTo(0.2666667, 6)
    expect(judgeLabels([{ expected: 'a', found: null }])).toEqual({ precision: 0, recall: 0, f1_score: 0 })
  })
  it('of sequences: right as a whole, end and all', () => {
    const examples = [graph({ target: [1] }), graph({ target: [1, 0] }), graph({ target: [] })]
    const oneThenEnd = [0, 9, 0, 0, 0, 9, 9, 0, 0]
    expect(graphTasks.sequence.judge(examples, [oneThenEnd, oneThenEnd, oneThenEnd], { labels: [] })).toEqual({ accuracy: 1 / 3 })
    expect(answerOf('sequence', examples[0]!, oneThenEnd, { labels: [] })).toEqual([1])
    expect(answerOf('sequence', examples[0]!, oneThenEnd, { labels: ['x', 'y'] })).toEqual(['y'])
  })
  it('what could not be encoded is wrong; without targets there is nothing to judge', () => {
    expect(graphTasks.node.judge([graph({ target: 0 })], [[]], {})).toEqual({ accuracy: 0 })
    expect(graphTasks.node.judge([graph()], [[1, 2]], {})).toEqual({})
  })
})

it('a digest tells examples apart, by all that a model sees', () => {
  const { digestOf } = graphTasks.sequence
  const changes: Partial<GraphExample>[] = [
    {
      nodeFeatures: [
        [1, 0],
        [0, 2],
      ],
    },
    { edges: [[1, 0]] },
    { edgeTypes: [1] },
    { edgeDirections: [0] },
    { query: [1] },
    { target: [1] },
    { target: ['1'] },
    {
      annotations: [
        [
          [0, 1],
          [1, 0],
        ],
      ],
    },
  ]
  const digests = [graph(), ...changes.map(graph)].map(digestOf)
  expect(new Set(digests).size).toBe(digests.length)
  expect(digestOf(graph({ nodeFeatures: [new Float32Array([1, 0]), new Float32Array([0, 1])] }))).toBe(digestOf(graph()))
})
