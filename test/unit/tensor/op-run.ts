import { GraphBuilder } from '../../../src/tensor/builder.js'
import { differentiate } from '../../../src/tensor/differentiate.js'
import type { TensorExecutor } from '../../../src/tensor/executor.js'
import { closeGraph, type Graph, type Value } from '../../../src/tensor/graph.js'
import { ops } from '../../../src/tensor/ops.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { elementCount, type NamedTensors, numbersOf, tensor } from '../../../src/tensor/tensor.js'
import type { Rng } from '../../../src/util/random.js'
import type { OpCase } from './op-cases.js'

type Float = 'float32' | 'float64'

function build(c: OpCase, float: Float) {
  const b = new GraphBuilder(float)
  const inputs = c.shapes.map((dims, i) => b.input(`x${i}`, float, c.symbolic?.[i] ?? dims))
  const result = c.build(b, inputs)
  const loss = b.sumAll(b.mul(result, b.input('weights', float, result.shape)))
  return { result, loss, gradients: differentiate(b, loss, inputs) }
}

const numbered = (values: readonly Value[]) => Object.fromEntries(values.map((g, i) => [`g${i}`, g]))

/** The result, the scalar sum(result * weights), and its gradients g0, g1, …; each as a graph of inputs x0, x1, … and weights. */
export function graphsOf(c: OpCase, float: Float): { result: Graph; forward: Graph; gradients: Graph } {
  const { result, loss, gradients } = build(c, float)
  return { result: closeGraph({ result }), forward: closeGraph({ loss }), gradients: closeGraph(numbered(gradients)) }
}

/**
 * Inputs drawn from the case's range, and weights that fit its result. No two inputs come near each other: where a maximum or a
 * comparison turns, central differences are of no use.
 */
export async function drawFeeds(c: OpCase, float: Float, rng: Rng): Promise<NamedTensors> {
  const [low, high] = c.range ?? [-2, 2]
  const total = c.shapes.reduce((sum, dims) => sum + elementCount(dims), 0)
  const places = rng.shuffle(Array.from({ length: total }, (_, i) => i))
  const feeds: NamedTensors = { ...c.extra }
  c.shapes.forEach((dims, i) => {
    const drawn = places.splice(0, elementCount(dims)).map((place) => low + ((high - low) * (place + 0.25 + rng.next() / 2)) / total)
    feeds[`x${i}`] = tensor(float, dims, drawn)
  })
  const probe = await ortExecutor.load(graphsOf(c, float).result)
  const { dims } = (await probe.run(feeds))['result']!
  await probe.release()
  const weights = Array.from({ length: elementCount(dims) }, () => rng.next() * 4 - 2)
  return { ...feeds, weights: tensor(float, dims, weights) }
}

/** How far results of a graph may lie apart between executors: what its loosest op may. */
export const toleranceOf = (graph: Graph): number => graph.nodes.reduce((most, node) => Math.max(most, ops[node.op].tolerance), 0)

/** What an executor makes of a case: `result` and g0, g1, …, as plain numbers. */
export async function runCase(executor: TensorExecutor, c: OpCase, float: Float, feeds: NamedTensors): Promise<Record<string, number[]>> {
  const { result, gradients } = graphsOf(c, float)
  const numbers: Record<string, number[]> = {}
  for (const graph of [result, gradients]) {
    const program = await executor.load(graph)
    for (const [name, t] of Object.entries(await program.run(feeds))) numbers[name] = numbersOf(t)
    await program.release()
  }
  return numbers
}

/** The largest |a - b| / max(1, |b|) over all elements; infinite where counts differ or one of two is not a number. */
export function worstDifference(actual: readonly number[], expected: readonly number[]): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY
  return actual.reduce((worst, a, i) => {
    const b = expected[i]!
    if (Object.is(a, b) || a === b) return worst
    const difference = Math.abs(a - b) / Math.max(1, Math.abs(b))
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference)
  }, 0)
}
