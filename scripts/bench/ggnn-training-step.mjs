/**
 * One training step of the GGNN (loader, forward, backward, gradient norm, Adam, events) beside PyTorch's bare step on the same numbers and
 * as many threads. The limit is what the step's matrix products alone would take at the speed this machine multiplies matrices of the
 * step's own shape, measured in the same run.
 */
import { GraphBuilder } from '../../dist/tensor/builder.js'
import { compileForward } from '../../dist/tensor/compile.js'
import { ortExecutor } from '../../dist/tensor/ort.js'
import { float32 } from '../../dist/tensor/tensor.js'
import { seeded } from '../../dist/util/random.js'
import { raceTorch, servePeer } from './support/ggnn-race.mjs'
import { median } from './support/peers.mjs'

const size = { lists: 8, candidates: 8, nodes: 32, edges: 64, features: 64, hidden: 128, steps: 4, threads: 2, warmUp: 10 }

export const title = `GGNN training step, ${size.lists * size.candidates} graphs x ${size.nodes} nodes, hidden ${size.hidden}, ${size.steps} steps, ${size.threads} threads`

/** GFLOP/s of products of the step's commonest shape: all rows, hidden -> 3 hidden. */
async function multiplySpeed() {
  const b = new GraphBuilder()
  const [rows, h, count] = [size.lists * size.candidates * size.nodes, size.hidden, 16]
  const x = b.input('x', 'float32', [rows, h])
  const products = Array.from({ length: count }, (_, i) => b.linear(x, b.input(`w${i}`, 'float32', [3 * h, h])))
  const outputs = Object.fromEntries(products.map((p, i) => [`y${i}`, b.slice(p, 0, 0, 1)]))
  const program = await ortExecutor.load(compileForward(outputs), { threads: size.threads })
  const rng = seeded(2)
  const random = (dims) =>
    float32(
      dims,
      Float32Array.from({ length: dims[0] * dims[1] }, () => rng.next() - 0.5),
    )
  const feeds = { x: random([rows, h]) }
  for (let i = 0; i < count; i++) feeds[`w${i}`] = random([3 * h, h])
  const speeds = []
  for (let i = 0; i < 13; i++) {
    const start = performance.now()
    await program.run(feeds)
    speeds.push((2 * rows * h * 3 * h * count) / (performance.now() - start) / 1e6)
  }
  await program.release()
  return median(speeds.slice(3))
}

/** Floating point operations of the matrix products of one step: forward, and twice as many backward (inputs need no gradient). */
function productWork() {
  const { lists, candidates, nodes, features: f, hidden: h, steps } = size
  const rows = lists * candidates * nodes
  const round = rows * (2 * h * h + 2 * nodes * h + 6 * h * h)
  const readout = rows * 2 * h * (h + f)
  return 2 * (3 * steps * round + 3 * readout - rows * 2 * h * f + 2 * rows * h * f)
}

export async function run() {
  const speed = await multiplySpeed()
  const { rows, notes } = await raceTorch(import.meta.filename, size, {
    rounds: 8,
    perRound: 10,
    workers: { espalier: null, 'espalier, one session': 0 },
  })
  const limit = productWork() / (speed * 1e6)
  notes.unshift(
    `limit: ${(productWork() / 1e9).toFixed(2)} GFLOP of matrix products at ${speed.toFixed(0)} GFLOP/s take ${limit.toFixed(2)} ms`,
  )
  return { rows, notes }
}

if (process.argv[1] === import.meta.filename) await servePeer(JSON.parse(process.argv[2]))
