import { describe, expect, it } from 'vitest'
import { encodeLists, listLoss, listNetLoss } from '../../../src/models/rankings/list-net.js'
import { GraphBuilder } from '../../../src/tensor/builder.js'
import { compileForward } from '../../../src/tensor/compile.js'
import { differentiate } from '../../../src/tensor/differentiate.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { float32, numbersOf } from '../../../src/tensor/tensor.js'

/** Loss and its gradient by score, of lists of scores and labels. */
async function lossOf(scores: number[][], labels: number[][], temperature = 1) {
  const b = new GraphBuilder()
  const flat = b.input('scores', 'float32', ['B', 1])
  const loss = listLoss(b, flat, temperature)
  const [gradient] = differentiate(b, loss, [flat])
  const program = await ortExecutor.load(compileForward({ loss, gradient: gradient! }))
  const all = scores.flat()
  const results = await program.run({ scores: float32([all.length, 1], all), ...encodeLists(labels, all.length) })
  await program.release()
  return { loss: numbersOf(results['loss']!)[0]!, gradient: numbersOf(results['gradient']!) }
}
/** The formula, in plain doubles. */
function reference(s: number[], y: number[], t: number): number {
  const softmax = (x: number[]) => x.map((v) => Math.exp(v / t) / x.reduce((sum, u) => sum + Math.exp(u / t), 0))
  const q = softmax(s)
  return -softmax(y).reduce((sum, p, i) => sum + p * Math.log(q[i]!), 0)
}

describe('ListNet', () => {
  const known: [string, number[], number[], number, number][] = [
    ['in order', [1, 0.5], [1, 0.1], 1, 0.6186022329],
    ['swapped', [0.5, 1], [1, 0.1], 1, 0.8295517355],
    ['at its least: the entropy of the target', [1, 0.1], [1, 0.1], 1, 0.6012993224],
    ['with a temperature', [2, 0.5, -1], [1, 0, 0], 0.5, 1.0095085738],
  ]
  for (const [name, s, y, t, expected] of known)
    it(name, async () => {
      expect(reference(s, y, t)).toBeCloseTo(expected, 9)
      expect(Math.abs((await lossOf([s], [y], t)).loss - expected)).toBeLessThan(1e-6)
    })

  it('changes, loss and gradient, when the labels change places', async () => {
    const [a, b] = [await lossOf([[2, 0.5, -1]], [[1, 0.5, 0]]), await lossOf([[2, 0.5, -1]], [[0, 0.5, 1]])]
    expect(Math.abs(a.loss - b.loss)).toBeGreaterThan(0.1)
    expect(Math.max(...a.gradient.map((g, i) => Math.abs(g - b.gradient[i]!)))).toBeGreaterThan(0.1)
  })

  it('masks lists of different lengths: the mean of each alone, no gradient across', async () => {
    const scores = [[1, 0.5], [], [3, -2, 0.25, 1], [0.7]]
    const labels = [[1, 0.1], [], [0, 1, 2, 0], [1]]
    const together = await lossOf(scores, labels)
    const each = scores.flatMap((s, i) => (s.length > 0 ? [reference(s, labels[i]!, 1)] : []))
    expect(together.loss).toBeCloseTo(each.reduce((a, b) => a + b) / each.length, 6)
    const parts: number[] = []
    for (const [i, s] of scores.entries())
      if (s.length > 0) parts.push(...(await lossOf([s], [labels[i]!])).gradient.map((g) => g / each.length))
    together.gradient.forEach((g, i) => {
      expect(g).toBeCloseTo(parts[i]!, 6)
    })
  })

  it('keeps probabilities apart at large scores', async () => {
    const { loss, gradient } = await lossOf([[500, -500]], [[0, 1]])
    const wrong = 1 / (1 + Math.exp(-1))
    expect(loss / (1000 * wrong)).toBeCloseTo(1, 6)
    expect(gradient.every(Number.isFinite)).toBe(true)
  })

  it('refuses shapes that do not agree, naming them', () => {
    const b = new GraphBuilder()
    const input = (name: string, ...shape: number[]) => b.input(name, 'float32', shape)
    expect(() =>
      listNetLoss(b, { scores: input('s', 2, 3), labels: input('y', 3, 2), mask: input('m', 2, 3), weights: input('w', 2) }, 1),
    ).toThrow('scores [2,3], labels [3,2]')
  })
})
