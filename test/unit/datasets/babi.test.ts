import { describe, expect, it } from 'vitest'
import { babiExamples, babiTasks, parseBabi } from '../../../src/datasets/formats/babi.js'

const text = `2 1 5
7 2 2
? 2 5 7

1 1 2
? 1 1 2
? 1 2 1
3 1 1
? 2 3 1
`

describe('bAbI graphs', () => {
  it('reads questions with their graph, which a blank line or the next edge ends', () => {
    const { questions, problems } = parseBabi(text, 1)
    expect(problems).toEqual([])
    expect(questions).toEqual([
      {
        line: 3,
        edges: [
          [2, 1, 5],
          [7, 2, 2],
        ],
        type: 2,
        arguments: [5],
        answer: [7],
      },
      { line: 6, edges: [[1, 1, 2]], type: 1, arguments: [1], answer: [2] },
      { line: 7, edges: [[1, 1, 2]], type: 1, arguments: [2], answer: [1] },
      { line: 9, edges: [[3, 1, 1]], type: 2, arguments: [3], answer: [1] },
    ])
  })

  it('turns numbers into places among the nodes that are mentioned, and arguments into annotations', () => {
    const [first] = babiExamples(parseBabi(text, 1).questions, babiTasks['4']!, 2)
    expect(first).toEqual({
      id: 'line 3',
      nodeFeatures: [
        [0, 0],
        [0, 1],
        [0, 0],
      ],
      edges: [
        [0, 1],
        [2, 0],
      ],
      edgeTypes: [0, 1],
      target: 2,
    })
  })

  it('reads labels and sequences as the task has them', () => {
    const [path] = babiExamples(parseBabi('5 1 6\n? 1 5 6 3 1', 2).questions, babiTasks['19']!, 1)
    expect(path).toMatchObject({
      target: ['3', '1'],
      nodeFeatures: [
        [1, 0],
        [0, 1],
      ],
    })
    const [walk] = babiExamples(parseBabi('5 1 6\n6 1 9\n? 1  5 9  5 6 9', 2).questions, babiTasks['sequence-4']!, 1)
    expect(walk).toMatchObject({ target: [0, 1, 2] })
    // the start and the goal; then the goal and where the walk has come to, after each output
    expect(walk!.nodeFeatures).toEqual([
      [1, 0, 0],
      [0, 0, 0],
      [0, 1, 0],
    ])
    expect(walk!.annotations!.map((rows) => rows.map((row) => row.join('')))).toEqual([
      ['001', '000', '010'],
      ['000', '001', '010'],
      ['000', '000', '011'],
    ])
    const [fits] = babiExamples(parseBabi('5 1 6\n? 1 5 6 2', 2).questions, babiTasks['18']!, 1)
    expect(fits).toMatchObject({ target: '2' })
  })

  it('reports lines that are no edge and no question', () => {
    const { questions, problems } = parseBabi('1 1\n1 x 2\n1 1 2\n? 1\n? 1 0 2\n? 1 1 2', 1, 'graphs.txt')
    expect(problems.map((p) => [p.where, p.code])).toEqual([
      ['graphs.txt:1', 'not-an-edge'],
      ['graphs.txt:2', 'not-a-number'],
      ['graphs.txt:4', 'question-too-short'],
      ['graphs.txt:5', 'not-a-number'],
    ])
    expect(questions).toHaveLength(1)
  })
})
