import { ortExecutor } from '../../../src/tensor/ort.js'
import type { HostTensor } from '../../../src/tensor/tensor.js'
import { seeded } from '../../../src/util/random.js'
import type { OpCase } from './op-cases.js'
import { drawFeeds, graphsOf } from './op-run.js'

const settings = { float64: { step: 1e-5, tolerance: 1e-7 }, float32: { step: 1e-2, tolerance: 2e-3 } }

/**
 * Reverse-mode gradients against central differences of a scalar: the sum of the result weighted with fixed random numbers. Gives the
 * largest difference over max(1, |gradient|), and the tolerance it should be under.
 */
export async function checkGradient(c: OpCase, seed = 1): Promise<{ worst: number; tolerance: number; elements: number }> {
  const float = c.float ?? 'float64'
  const { step, tolerance } = settings[float]
  const { forward, gradients } = graphsOf(c, float)
  const feeds = await drawFeeds(c, float, seeded(seed))
  const lossOf = await ortExecutor.load(forward)
  const backward = await ortExecutor.load(gradients)
  const analytic = await backward.run(feeds)
  let worst = 0
  let elements = 0
  for (let i = 0; i < c.shapes.length; i++) {
    const x = feeds[`x${i}`] as HostTensor<'float64'>
    const expected = analytic[`g${i}`]!.data as Float64Array
    if (expected.length !== x.data.length) throw new Error(`gradient ${i} has ${expected.length} elements, its input ${x.data.length}`)
    for (let k = 0; k < x.data.length; k++, elements++) {
      const at = async (value: number) => {
        const data = x.data.slice()
        data[k] = value
        return (await lossOf.run({ ...feeds, [`x${i}`]: { ...x, data } }))['loss']!.data[0] as number
      }
      const numeric = ((await at(x.data[k]! + step)) - (await at(x.data[k]! - step))) / (2 * step)
      worst = Math.max(worst, Math.abs(numeric - expected[k]!) / Math.max(1, Math.abs(numeric)))
    }
  }
  await lossOf.release()
  await backward.release()
  return { worst, tolerance, elements }
}
