/**
 * One training step of the GGNN (forward, backward, gradient norm, Adam), ours against PyTorch's on the same numbers: rounds of the two
 * take turns, so that a busy machine hurts both. PyTorch runs where `python3` (or $PYTHON) has torch. The limit is what the step's
 * matrix products alone would take at the speed this machine multiplies matrices of the step's own shape, measured in the same run.
 */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import readline from 'node:readline'
import { ggnn } from '../../dist/models/ggnn.js'
import { createTrainer } from '../../dist/models/trainer.js'
import { GraphBuilder } from '../../dist/tensor/builder.js'
import { compileForward } from '../../dist/tensor/compile.js'
import { ortExecutor } from '../../dist/tensor/ort.js'
import { float32 } from '../../dist/tensor/tensor.js'
import { seeded } from '../../dist/util/random.js'

const size = { lists: 8, candidates: 8, nodes: 32, edges: 64, features: 64, hidden: 128, steps: 4, threads: 2 }
const rounds = 8
const perRound = 10

export const title = `GGNN training step, ${size.lists * size.candidates} graphs x ${size.nodes} nodes, hidden ${size.hidden}, ${size.steps} steps, ${size.threads} threads`

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]
const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.floor(values.length * q)]

function makeLists() {
  const rng = seeded(1)
  const numbers = (n) => Array.from({ length: n }, () => rng.next() * 2 - 1)
  return Array.from({ length: size.lists }, (_, q) => ({
    queryId: `${q}`,
    candidates: Array.from({ length: size.candidates }, (_, k) => ({
      nodeFeatures: Array.from({ length: size.nodes }, () => numbers(size.features)),
      edges: Array.from({ length: size.edges }, () => [rng.integer(size.nodes), rng.integer(size.nodes)]),
      label: k === q % size.candidates ? 1 : 0,
    })),
  }))
}

/** Tensors for the peer: one JSON line of names and shapes, then the float32 data in that order. */
function writeTensors(file, tensors) {
  const header = JSON.stringify(Object.entries(tensors).map(([name, t]) => [name, t.dims]))
  const data = Object.values(tensors).map((t) => Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength))
  fs.writeFileSync(file, Buffer.concat([Buffer.from(`${header}\n`), ...data]))
}

async function startPeer(file) {
  const script = path.join(import.meta.dirname, 'ggnn-training-step.py')
  const child = spawn(process.env.PYTHON ?? 'python3', [script, file, JSON.stringify(size)], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk) => (said += chunk))
  child.on('error', (error) => (said += error.message))
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const first = await lines.next()
  if (first.done) return { absent: said.trim().split('\n').at(-1) }
  return {
    ...JSON.parse(first.value),
    async time(count) {
      child.stdin.write(`${count}\n`)
      return JSON.parse((await lines.next()).value)
    },
    stop: () => child.kill(),
  }
}

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
      Array.from({ length: dims[0] * dims[1] }, () => rng.next() - 0.5),
    )
  const feeds = { x: random([rows, h]) }
  for (let i = 0; i < count; i++) feeds[`w${i}`] = random([3 * h, h])
  return {
    async time() {
      const start = performance.now()
      await program.run(feeds)
      return (2 * rows * h * 3 * h * count) / (performance.now() - start) / 1e6
    },
    release: () => program.release(),
  }
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
  const options = { features: size.features, hidden: size.hidden, steps: size.steps }
  const { batch } = ggnn.encode(makeLists(), ggnn.options.parse(options), 'dense')
  const trainer = createTrainer({ model: ggnn, options, executor: ortExecutor, seed: 1, threads: size.threads })
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-'))
  const file = path.join(folder, 'tensors')
  writeTensors(file, {
    ...trainer.parameters(),
    node_features: batch.feeds.node_features,
    adjacency: batch.feeds.adjacency,
    labels: batch.feeds.labels,
  })
  const peer = await startPeer(file)
  const products = await multiplySpeed()

  const first = await trainer.step(batch, { learningRate: 1e-3 })
  for (let i = 0; i < 5; i++) await trainer.step(batch, { learningRate: 1e-3 })
  for (let i = 0; i < 3; i++) await products.time()
  const [ours, theirs, speeds] = [[], [], []]
  for (let round = 0; round < rounds; round++) {
    await trainer.step(batch, { learningRate: 1e-3 })
    for (let i = 0; i < perRound; i++) {
      const start = performance.now()
      await trainer.step(batch, { learningRate: 1e-3 })
      ours.push(performance.now() - start)
    }
    speeds.push(await products.time(), await products.time())
    if (!peer.absent) theirs.push(...(await peer.time(perRound)))
  }
  peer.stop?.()
  await trainer.close()
  await products.release()
  fs.rmSync(folder, { recursive: true })

  const limit = productWork() / (median(speeds) * 1e6)
  const line = (name, times) => ({
    what: name,
    'median ms': median(times).toFixed(2),
    'p10 ms': quantile(times, 0.1).toFixed(2),
    'p90 ms': quantile(times, 0.9).toFixed(2),
    'x limit': (median(times) / limit).toFixed(2),
  })
  const notes = [
    `limit: ${(productWork() / 1e9).toFixed(2)} GFLOP of matrix products at ${median(speeds).toFixed(0)} GFLOP/s take ${limit.toFixed(2)} ms`,
    peer.absent
      ? `PyTorch is absent here (${peer.absent}); point $PYTHON at an interpreter that has it`
      : `ours is ${(median(theirs) / median(ours)).toFixed(2)} times as fast as PyTorch ${peer.version} (eager)`,
  ]
  if (!peer.absent)
    notes.push(
      `same arithmetic: first loss ${first.loss.toFixed(6)} against ${peer.loss.toFixed(6)}, gradient norm ${first.gradientNorm.toFixed(6)} against ${peer.norm.toFixed(6)}`,
    )
  return { rows: [line('espalier (onnxruntime)', ours), ...(theirs.length > 0 ? [line(`torch ${peer.version}`, theirs)] : [])], notes }
}
