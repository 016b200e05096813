import { GraphBuilder } from '../../../src/tensor/builder.js'
import { differentiate } from '../../../src/tensor/differentiate.js'
import { closeGraph, type Value } from '../../../src/tensor/graph.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { type HostTensor, type NamedTensors, numbersOf, tensor } from '../../../src/tensor/tensor.js'
import { seeded } from '../../../src/util/random.js'

export interface GradientCase {
  /** shapes of the inputs that are differentiated */
  shapes: readonly (readonly number[])[]
  build(b: GraphBuilder, inputs: readonly Value[]): Value
  /** values are drawn from [low, high); default [-2, 2) */
  range?: readonly [number, number]
  /** float32 for ops without a double kernel, checked with a larger step and tolerance */
  float?: 'float32' | 'float64'
  /** symbols in place of the sizes of input axes: `{ 0: ['N', 3] }` */
  symbolic?: Record<number, readonly (string | number)[]>
  /** more inputs, not differentiated */
  extra?: NamedTensors
}

const settings = { float64: { step: 1e-5, tolerance: 1e-7 }, float32: { step: 1e-2, tolerance: 2e-3 } }

/**
 * Reverse-mode gradients against central differences of a scalar: the sum of the result weighted with fixed random numbers. Gives the
 * largest difference over max(1, |gradient|), and the tolerance it should be under.
 */
export async function checkGradient(c: GradientCase, seed = 1): Promise<{ worst: number; tolerance: number; elements: number }> {
  const float = c.float ?? 'float64'
  const { step, tolerance } = settings[float]
  const rng = seeded(seed)
  const [low, high] = c.range ?? [-2, 2]
  const draw = (dims: readonly number[]) =>
    tensor(
      float,
      dims,
      Array.from({ length: dims.reduce((a, d) => a * d, 1) }, () => low + (high - low) * rng.next()),
    )
  const feeds: NamedTensors = { ...c.extra }
  c.shapes.forEach((dims, i) => {
    feeds[`x${i}`] = draw(dims)
  })

  const b = new GraphBuilder(float)
  const inputs = c.shapes.map((dims, i) => b.input(`x${i}`, float, c.symbolic?.[i] ?? dims))
  const result = c.build(b, inputs)
  const weights = b.input('weights', float, result.shape)
  const loss = b.sumAll(b.mul(result, weights))
  const gradients = differentiate(b, loss, inputs)
  const probe = await ortExecutor.load(closeGraph({ result }))
  feeds['weights'] = draw((await probe.run(feeds))['result']!.dims)
  await probe.release()

  const forward = await ortExecutor.load(closeGraph({ loss }))
  const backward = await ortExecutor.load(closeGraph(Object.fromEntries(gradients.map((g, i) => [`g${i}`, g]))))
  const analytic = await backward.run(feeds)
  let worst = 0
  let elements = 0
  for (let i = 0; i < c.shapes.length; i++) {
    const x = feeds[`x${i}`] as HostTensor<'float64'>
    const expected = numbersOf(analytic[`g${i}`]!)
    if (expected.length !== x.data.length) throw new Error(`gradient ${i} has ${expected.length} elements, its input ${x.data.length}`)
    for (let k = 0; k < x.data.length; k++, elements++) {
      const at = async (value: number) => {
        const data = x.data.slice()
        data[k] = value
        return numbersOf((await forward.run({ ...feeds, [`x${i}`]: { ...x, data } }))['loss']!)[0]!
      }
      const numeric = ((await at(x.data[k]! + step)) - (await at(x.data[k]! - step))) / (2 * step)
      worst = Math.max(worst, Math.abs(numeric - expected[k]!) / Math.max(1, Math.abs(numeric)))
    }
  }
  await forward.release()
  await backward.release()
  return { worst, tolerance, elements }
}
