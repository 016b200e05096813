import { describe, expect, it } from 'vitest'
import { binaryCrossEntropy } from '../../../src/models/ggnn/ggnn-sequence.js'
import { choiceLoss, impossible } from '../../../src/models/graphs/graph-batch.js'
import { encodeLists, listLoss } from '../../../src/models/rankings/list-net.js'
import { GraphBuilder } from '../../../src/tensor/builder.js'
import { compileForward } from '../../../src/tensor/compile.js'
import { differentiate } from '../../../src/tensor/differentiate.js'
import type { TensorExecutor } from '../../../src/tensor/executor.js'
import { openExecutor } from '../../../src/tensor/executors.js'
import type { Value } from '../../../src/tensor/graph.js'
import { float32, type NamedTensors, numbersOf } from '../../../src/tensor/tensor.js'

/** Loss and gradient by `scores` of what `build` makes of them. */
async function run(
  executor: TensorExecutor,
  dims: (number | string)[],
  scores: number[],
  build: (b: GraphBuilder, s: Value) => Value,
  feeds: NamedTensors,
) {
  const b = new GraphBuilder()
  const input = b.input('scores', 'float32', dims)
  const loss = build(b, input)
  const [gradient] = differentiate(b, loss, [input])
  const program = await executor.load(compileForward({ loss, gradient: gradient! }))
  const results = await program.run({
    scores: float32(
      dims.map((d) => (typeof d === 'number' ? d : scores.length)),
      scores,
    ),
    ...feeds,
  })
  await program.release()
  return { loss: numbersOf(results['loss']!)[0]!, gradient: numbersOf(results['gradient']!) }
}
const close = (found: number, expected: number) => expect(Math.abs(found - expected) / Math.max(1, Math.abs(expected))).toBeLessThan(2e-6)
function same(found: { loss: number; gradient: number[] }, [loss, gradient]: [number, number[]]) {
  close(found.loss, loss)
  expect(found.gradient).toHaveLength(gradient.length)
  for (const [i, g] of gradient.entries()) close(found.gradient[i]!, g)
}

// torch 2.15 in doubles: F.cross_entropy, F.binary_cross_entropy_with_logits (sum), -(softmax(y/t) * log_softmax(s/t)).sum()
const choices: [scores: number[], target: number, torch: [number, number[]]][] = [
  [[1e4, 0, -1e4], 1, [1e4, [1, -1, 0]]],
  [[-1e4, -1e4, -1e4], 0, [1.0986122886681098, [-0.6666666666666667, 0.3333333333333333, 0.3333333333333333]]],
  [[88, -88, 0], 1, [176, [1, -1, 0]]],
  [[1e-8, 0, -1e-8], 2, [1.0986122986681097, [0.3333333366666667, 0.33333333333333337, -0.66666667]]],
  [[1e30, 0, 0], 1, [1e30, [1, -1, 0]]],
  // a node that is not there: as if it had not been
  [[impossible, 2, 2], 1, [Math.log(2), [0, -0.5, 0.5]]],
]
const logits = [0, 0, 0, 1e4, -1e4, 1e4, -1e4, 90, -90, 1e-9]
const shares = [0, 1, 0.25, 1, 0, 0, 1, 0, 1, 0.5]
const binary: [number, number[]] = [20182.77258872224, [0.5, -0.5, 0.25, 0, 0, 1, -1, 1, -1, 2.5e-10]]
const rankings: [scores: number[], labels: number[], t: number, torch: [number, number[]]][] = [
  [[1e4, -1e4, 0], [0, 1, 0], 1, [13641.753271487438, [0.7880584423829146, -0.5761168847658291, -0.21194155761708547]]],
  [[3, 2, 1], [1e6, 0, 0], 1, [0.4076059644443804, [-0.3347590442251782, 0.24472847105479764, 0.09003057317038043]]],
  [[1e3, 0], [1, 0], 1e-3, [0, [0, 0]]],
  [[-1e8, -1e8], [1, 0], 1, [0.6931471805599454, [-0.2310585786300049, 0.2310585786300049]]],
  [[5], [1], 1, [0, [0]]],
]

describe.each(['ort', 'tfjs-wasm'] as const)('losses of extreme scores, by %s, as torch has them', (name) => {
  it('cross-entropy of a choice', async () => {
    const executor = await openExecutor(name)
    for (const [scores, target, torch] of choices) {
      const feeds = {
        target: float32(
          [1, 3],
          [0, 1, 2].map((i) => Number(i === target)),
        ),
        weights: float32([1], [1]),
      }
      const build = (b: GraphBuilder, s: Value) =>
        choiceLoss(b, s, b.input('target', 'float32', [1, 3]), b.input('weights', 'float32', [1]))
      same(await run(executor, [1, 3], scores, build, feeds), torch)
    }
  })
  it('binary cross-entropy, with its true gradient at a logit of 0', async () => {
    const build = (b: GraphBuilder, z: Value) => b.sumAll(binaryCrossEntropy(b, z, b.input('t', 'float32', [10])))
    same(await run(await openExecutor(name), [10], logits, build, { t: float32([10], shares) }), binary)
  })
  it('ListNet', async () => {
    const executor = await openExecutor(name)
    for (const [scores, labels, t, torch] of rankings) {
      const build = (b: GraphBuilder, s: Value) => listLoss(b, s, t)
      same(await run(executor, ['B', 1], scores, build, encodeLists([labels], scores.length)), torch)
    }
  })
})
