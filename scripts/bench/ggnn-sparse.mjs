/**
 * A large sparse graph: rounds of messages over 10,000 nodes and 50,000 edges, trained (mean square of the states, Adam) and inferred, beside
 * PyTorch Geometric's GatedGraphConv on the same graph and parameters: messages along the edges, a message matrix per round, one GRU.
 */

import { gatedRound } from '../../dist/models/ggnn/ggnn-propagation.js'
import { encodeSparse } from '../../dist/models/graphs/graph-encode.js'
import { layoutFor } from '../../dist/models/graphs/graph-layout.js'
import { buildForward, createTrainer } from '../../dist/models/trainer.js'
import { ortExecutor } from '../../dist/tensor/ort.js'
import { float32, int32 } from '../../dist/tensor/tensor.js'
import { seeded } from '../../dist/util/random.js'
import { answer, race, report, startOurs, startPython, writeTensors } from './support/peers.mjs'

const size = { nodes: 10_000, edges: 50_000, hidden: 64, steps: 5, threads: 2 }

export const title = `GGNN on one sparse graph, ${size.nodes} nodes, ${size.edges} edges, hidden ${size.hidden}, ${size.steps} steps, ${size.threads} threads`

const [h, channels] = [size.hidden, 1]
const plain = { normalize: 'none', residual: false, layerNorm: false }

/** Built of the GGNN's own rounds: states start as the node features, and the loss is their mean square. */
const model = {
  name: 'gated-graph-conv',
  options: { safeParse: (data) => ({ success: true, data }) },
  parameters: () => [
    ...Array.from({ length: size.steps }, (_, t) => ({ name: `message.weight.${t}`, shape: [h, h], init: 'fan-in', decay: true })),
    { name: 'gru.weight_ih', shape: [3 * h, h], init: 'fan-in', decay: true },
    { name: 'gru.weight_hh', shape: [3 * h, h], init: 'fan-in', decay: true },
    { name: 'gru.bias_ih', shape: [3 * h], init: 'fan-in', fanIn: h, decay: false },
    { name: 'gru.bias_hh', shape: [3 * h], init: 'fan-in', fanIn: h, decay: false },
  ],
  encode: (graphs) => {
    const { layout, feeds } = encodeSparse(graphs, h, channels, undefined, 'along')
    return { batch: { layout, feeds, size: 1, counts: [1], graphs: 1, nodes: size.nodes }, problems: [] }
  },
  forward(b, p, name) {
    const layout = layoutFor(b, name, h, channels)
    let states = layout.features
    for (let t = 0; t < size.steps; t++)
      states = gatedRound(b, layout, states, plain, (key) => p[key === 'message.weight' ? `${key}.${t}` : key])
    return { states }
  },
  loss: (b, { states }) => b.mul(b.sumAll(b.mul(states, states)), b.scalar(1 / (size.nodes * h))),
  decode: () => [],
}

function makeGraph() {
  const rng = seeded(1)
  return {
    nodeFeatures: Array.from({ length: size.nodes }, () => Float32Array.from({ length: h }, () => rng.next() * 2 - 1)),
    edges: Array.from({ length: size.edges }, () => [rng.integer(size.nodes), rng.integer(size.nodes)]),
  }
}

const openTrainer = () => createTrainer({ model, options: {}, executor: ortExecutor, seed: 1, threads: size.threads })

async function servePeer({ mode }) {
  const { batch } = model.encode([makeGraph()])
  const trainer = openTrainer()
  if (mode === 'train') {
    const step = () => trainer.step(batch, { learningRate: 1e-3 })
    const { loss } = await step()
    for (let i = 0; i < 3; i++) await step()
    return answer({ loss }, step)
  }
  const program = await ortExecutor.load(buildForward(model, {}, batch.layout, false), { threads: size.threads })
  const states = float32([size.nodes, h])
  const feeds = { ...batch.feeds, ...trainer.parameters() }
  const step = () => program.run(feeds, { states })
  for (let i = 0; i < 3; i++) await step()
  await answer({ first: states.data[0] }, step)
}

async function raceIn(mode, file) {
  const peers = {
    [`espalier, ${mode}`]: await startOurs(import.meta.filename, { mode }),
    [`PyG, ${mode}`]: await startPython('ggnn-sparse.py', file, JSON.stringify(size), mode, 'eager'),
    [`PyG compiled, ${mode}`]: await startPython('ggnn-sparse.py', file, JSON.stringify(size), mode, 'compile'),
  }
  const results = await race(peers, { rounds: 8, perRound: 5 })
  return { peers, ...report(peers, results, `espalier, ${mode}`) }
}

export async function run() {
  const graph = makeGraph()
  const trainer = openTrainer()
  const file = writeTensors({
    ...trainer.parameters(),
    x: float32([size.nodes, h], Float32Array.from(graph.nodeFeatures.flatMap((row) => [...row]))),
    edges: int32([size.edges, 2], graph.edges.flat()),
  })
  await trainer.close()
  const trained = await raceIn('train', file)
  const inferred = await raceIn('infer', file)
  const { 'espalier, train': ours, 'PyG, train': theirs } = trained.peers
  const notes = [...trained.notes, ...inferred.notes]
  if (!theirs.absent)
    notes.unshift(
      `PyTorch ${theirs.version}, PyG ${theirs.pyg}; same arithmetic: first loss ${ours.loss.toFixed(6)} against ${theirs.loss.toFixed(6)}, ` +
        `first number inferred ${inferred.peers['espalier, infer'].first.toFixed(6)} against ${theirs.first.toFixed(6)}`,
    )
  return { rows: [...trained.rows, ...inferred.rows], notes }
}

if (process.argv[1] === import.meta.filename) await servePeer(JSON.parse(process.argv[2]))
