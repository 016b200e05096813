import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answerOf, probabilitiesOf, readAnswer } from '../../../src/models/graphs/graph-answer.js'
import type { GraphExample } from '../../../src/models/graphs/graph-example.js'

const graph = (nodes: number): GraphExample => ({ id: 'g', nodeFeatures: Array.from({ length: nodes }, () => [1]), edges: [] })
const logs = (...shares: number[]) => shares.map(Math.log)

describe('probabilities', () => {
  it('are the softmax, which no size of score overflows', () => {
    expect(probabilitiesOf(logs(0.2, 0.3, 0.5)).map((p) => Number(p.toFixed(12)))).toEqual([0.2, 0.3, 0.5])
    expect(probabilitiesOf([3e38, 3e38])).toEqual([0.5, 0.5])
    expect(probabilitiesOf([-3e38, 3e38])).toEqual([0, 1])
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
        fc.double({ min: -50, max: 50, noNaN: true }),
        (scores, shift) => {
          const some = scores.map((score) => score % 100)
          const [plain, shifted] = [probabilitiesOf(some), probabilitiesOf(some.map((score) => score + shift))]
          expect(plain.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9)
          for (const [i, p] of plain.entries()) expect(shifted[i]).toBeCloseTo(p, 9)
        },
      ),
    )
  })
})

describe('an answer', () => {
  it('is a node, with every node by its probability', () => {
    expect(readAnswer('node', graph(3), logs(0.25, 0.5, 0.25), {})).toEqual({
      answer: 1,
      probability: expect.closeTo(0.5, 12),
      outputs: [[1, 0, 2].map((value, i) => ({ value, probability: expect.closeTo([0.5, 0.25, 0.25][i]!, 12) }))],
    })
  })
  it('is a label, also of a graph that has as many nodes as there are labels', () => {
    const { answer, outputs } = readAnswer('graph', graph(2), logs(0.1, 0.9), { labels: ['a', 'b'] })
    expect(answer).toBe('b')
    expect(outputs[0]!.map(({ value }) => value)).toEqual(['b', 'a'])
  })
  it('is a sequence up to its end, as likely as its outputs together', () => {
    const scores = [...logs(0.1, 0.8, 0.1), ...logs(0.25, 0.25, 0.5), ...logs(0.98, 0.01, 0.01)]
    const nodes = readAnswer('sequence', graph(2), scores, { labels: [] })
    expect([nodes.answer, nodes.outputs.length]).toEqual([[1], 2])
    expect(nodes.probability).toBeCloseTo(0.4, 12)
    expect(nodes.outputs[1]![0]).toEqual({ value: null, probability: expect.closeTo(0.5, 12) })
    expect(readAnswer('sequence', graph(7), scores, { labels: ['n', 'e'] }).answer).toEqual(['e'])
    expect(readAnswer('sequence', graph(7), logs(0.1, 0.1, 0.8), { labels: ['n', 'e'] })).toMatchObject({
      answer: [],
      outputs: [[{ value: null }, {}, {}]],
    })
  })
  it('comes of graphs with more nodes than a call has arguments', () => {
    const scores = Array.from({ length: 300_000 }, (_, i) => (i === 200_000 ? 1 : 0))
    expect(answerOf('node', graph(1), scores, {})).toBe(200_000)
    expect(readAnswer('node', { ...graph(1), nodeFeatures: scores.map(() => [0]) }, scores, {}).outputs[0]![0]!.value).toBe(200_000)
  })
})
