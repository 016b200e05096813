/** The training step of a ranking GGNN, in the real training loop, beside PyTorch eager and torch.compile. */
import { ggnn } from '../../../dist/models/ggnn.js'
import { createTrainer } from '../../../dist/models/trainer.js'
import { ortExecutor } from '../../../dist/tensor/ort.js'
import { rankingTask } from '../../../dist/training/jobs/learning-task.js'
import { train } from '../../../dist/training/train.js'
import { answer, race, report, startOurs, startPython, writeTensors } from './peers.mjs'
import { makeLists } from './ranking-lists.mjs'

const modelOptionsOf = ({ features, hidden, steps }) => ({ features, hidden, steps })

/** One batch of `lists` lists, and the parameters that seed 1 gives. */
function firstBatch(size) {
  const options = ggnn.options.parse(modelOptionsOf(size))
  const { batch } = ggnn.encode(makeLists(size, size.lists), options, 'dense')
  const trainer = createTrainer({ model: ggnn, options, executor: ortExecutor, seed: 1, threads: size.threads })
  return { batch, trainer }
}

/**
 * This process as a peer: `train()` as runs use it (sampler, loader, events, checkpoints) over eight batches' worth of lists; a step is
 * what lies between two reports of a step's loss.
 */
export async function servePeer({ size, workers }) {
  const { batch, trainer } = firstBatch(size)
  const { loss, gradientNorm } = await trainer.step(batch, { learningRate: 1e-3 })
  await trainer.close()
  const events = train({
    model: ggnn,
    modelOptions: modelOptionsOf(size),
    options: {
      epochs: 1_000_000,
      learningRate: 1e-3,
      clipNorm: null,
      seed: 1,
      validationSplit: 0,
      batchExamples: size.lists,
      batchNodes: size.lists * size.candidates * size.nodes,
      reportEverySteps: 1,
      threads: size.threads,
      workers,
    },
    task: rankingTask,
    training: makeLists(size, 8 * size.lists),
    executor: ortExecutor,
  })
  let runtime
  const step = async () => {
    for (;;) {
      const { value } = await events.next()
      if (value.type === 'started') runtime = value.runtime
      if (value.type === 'metric' && value.name === 'step_loss') return
    }
  }
  for (let i = 0; i < size.warmUp; i++) await step()
  await answer({ loss, norm: gradientNorm, runtime }, step)
}

export async function raceTorch(file, size, { rounds, perRound, workers, digits }) {
  const { batch, trainer } = firstBatch(size)
  const { node_features, adjacency, labels } = batch.feeds
  const tensors = writeTensors({ ...trainer.parameters(), node_features, adjacency, labels })
  await trainer.close()
  const torch = (mode) => startPython('ggnn-training-step.py', tensors, JSON.stringify(size), mode)
  const ours = Object.entries(workers).map(async ([name, count]) => [name, await startOurs(file, { size, workers: count })])
  const peers = {
    ...Object.fromEntries(await Promise.all(ours)),
    'torch eager': await torch('eager'),
    'torch.compile': await torch('compile'),
  }
  const [name] = Object.keys(workers)
  const results = await race(peers, { rounds, perRound })
  const { rows, notes } = report(peers, results, name, digits)
  const eager = peers['torch eager']
  const { threads, workers: chosen } = peers[name].runtime
  notes.unshift(`ours: ${threads} threads, ${chosen} workers, chosen by the size of a step`)
  if (!eager.absent) {
    const pair = (key) => `${peers[name][key].toFixed(6)} against ${eager[key].toFixed(6)}`
    notes.unshift(`PyTorch ${eager.version}; same arithmetic: first loss ${pair('loss')}, gradient norm ${pair('norm')}`)
  }
  return { rows, notes, results }
}
