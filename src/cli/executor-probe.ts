/**
 * A process of its own that tries one executor, because a broken native library takes its process with it:
 * `executor-probe.js <name> [tfjs folder]` prints one line of JSON.
 */
import { GraphBuilder } from '../tensor/builder.js'
import { differentiate } from '../tensor/differentiate.js'
import { type ExecutorName, openExecutor } from '../tensor/executors.js'
import { closeGraph } from '../tensor/graph.js'
import { float32, numbersOf } from '../tensor/tensor.js'
import { EspalierError, messageOf } from '../util/error.js'

/** d/dx sum((x W)^2) = 2 x W W^T, for x [1, 2] and W [[1, 2], [0, 1]]. */
async function compute(name: ExecutorName, folder: string | undefined): Promise<string> {
  const executor = await openExecutor(name, { tfjsFolder: folder })
  const b = new GraphBuilder()
  const [x, w] = [b.input('x', 'float32', ['N', 2]), b.input('w', 'float32', [2, 2])]
  const y = b.matmul(x, w)
  const [dx] = differentiate(b, b.sumAll(b.mul(y, y)), [x])
  const program = await executor.load(closeGraph({ dx: dx! }))
  const result = numbersOf((await program.run({ x: float32([1, 2], [1, 1]), w: float32([2, 2], [1, 2, 0, 1]) }))['dx']!)
  await program.release()
  if (String(result) !== '14,6') throw new Error(`it computes ${result} where 14,6 is right`)
  return name.startsWith('ort') ? `onnxruntime-node ${executor.version}` : executor.version
}

/** The first line, without the place in onnxruntime's source. */
const brief = (message: string) => message.split('\n')[0]!.replace(/\/onnxruntime_src\/.* was false\. /, '')

const [name, folder] = process.argv.slice(2)
const answer = await compute(name as ExecutorName, folder || undefined).then(
  (version) => ({ version }),
  (error) => ({
    failure: [brief(messageOf(error)), error instanceof EspalierError ? error.remedy : undefined].filter(Boolean).join('. '),
  }),
)
process.stdout.write(`${JSON.stringify(answer)}\n`)
