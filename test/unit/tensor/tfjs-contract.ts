import { beforeAll, describe, expect, it } from 'vitest'
import { ggnn } from '../../../src/models/ggnn.js'
import type { RankingList } from '../../../src/models/rankings/ranking-list.js'
import { createTrainer } from '../../../src/models/trainer.js'
import { GraphBuilder } from '../../../src/tensor/builder.js'
import type { TensorExecutor } from '../../../src/tensor/executor.js'
import { closeGraph } from '../../../src/tensor/graph.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { float32, type NamedTensors, numbersOf, tensor } from '../../../src/tensor/tensor.js'
import { openTfjs } from '../../../src/tensor/tfjs.js'
import { loadTfjs, type TfjsFlavour } from '../../../src/tensor/tfjs-library.js'
import type { TrainingEvent } from '../../../src/training/events.js'
import { rankingTask } from '../../../src/training/jobs/learning-task.js'
import { train } from '../../../src/training/train.js'
import { toyLists } from '../../support/toy-lists.js'
import { describeExecutor } from './executor-contract.js'
import { fuzzAgreement } from './op-fuzz.js'
import { worstDifference } from './op-run.js'

interface Told {
  losses: number[]
  checkpoints: Uint8Array[]
  parameters: NamedTensors
}

async function tell(events: AsyncIterable<TrainingEvent>): Promise<Told> {
  const all: TrainingEvent[] = []
  for await (const event of events) all.push(event)
  const end = all.at(-1)
  if (end?.type !== 'finished') throw new Error(`ended with ${end?.type}`)
  return {
    losses: all.flatMap((e) => (e.type === 'metric' && /^(step_loss|gradient_norm|validation_loss)$/.test(e.name) ? [e.value] : [])),
    checkpoints: all.flatMap((e) => (e.type === 'checkpoint' ? [e.bytes] : [])),
    parameters: end.parameters,
  }
}

const request = (executor: TensorExecutor, modelOptions: Record<string, unknown>) => ({
  model: ggnn,
  task: rankingTask,
  training: toyLists(40),
  validation: toyLists(12, { seed: 2 }),
  executor,
  modelOptions: { hidden: 8, steps: 2, ...modelOptions },
  options: { epochs: 2, learningRate: 0.01, batchExamples: 8, reportEverySteps: 1, checkpointEverySteps: 5, threads: 1 },
})

const variants: [string, Record<string, unknown>][] = [
  ['dense, with dropout', { layout: 'dense', dropout: 0.3 }],
  ['sparse, normalised, maximum read-out', { layout: 'sparse', normalize: 'mean', layerNorm: true, residual: true, pooling: 'max' }],
]

const bitsOf = (named: NamedTensors) =>
  Object.fromEntries(
    Object.entries(named).map(([name, t]) => [name, Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength).toString('hex')]),
  )

/** The contract of the port for one flavour of tfjs, and what is its own: training end to end, memory, what it does not have. */
export function describeTfjs(flavour: TfjsFlavour, folder?: string, fuzzRuns = 25): void {
  const open = () => openTfjs({ flavour, ...(folder ? { folder } : {}) })
  describeExecutor({ name: flavour, doubles: false }, open)

  describe('every op', () => {
    fuzzAgreement(open, Number(process.env['ESPALIER_TEST_FUZZ'] ?? fuzzRuns))
  })

  describe('training the GGNN', () => {
    let executor: TensorExecutor
    beforeAll(async () => {
      executor = await open()
    }, 60_000)

    for (const [title, options] of variants)
      it(`${title}: step by step the losses and the weights of onnxruntime`, async () => {
        const mine = await tell(train<RankingList>(request(executor, options)))
        const theirs = await tell(train<RankingList>(request(ortExecutor, options)))
        expect(mine.losses.length).toBeGreaterThan(20)
        expect(worstDifference(mine.losses, theirs.losses)).toBeLessThan(1e-4)
        for (const [name, t] of Object.entries(theirs.parameters))
          expect(worstDifference(numbersOf(mine.parameters[name]!), numbersOf(t)), name).toBeLessThan(1e-3)
      })

    it('resumes bit for bit where it was left', async () => {
      const whole = await tell(train<RankingList>(request(executor, variants[0]![1])))
      const resumed = await tell(train<RankingList>({ ...request(executor, variants[0]![1]), resume: whole.checkpoints[0]! }))
      expect(bitsOf(resumed.parameters)).toEqual(bitsOf(whole.parameters))
    })

    it('leaves no tensor behind: not by a step, not by a program, not by a failure', async () => {
      const { tf } = await loadTfjs(flavour, folder)
      const before = tf.memory().numTensors
      const trainer = createTrainer({ model: ggnn, options: { features: 4, hidden: 8, steps: 2 }, executor, seed: 1 })
      const { batch } = ggnn.encode(toyLists(6), ggnn.options.parse({ features: 4, hidden: 8, steps: 2 }))
      const counts: number[] = []
      for (let i = 0; i < 4; i++) {
        await trainer.step(batch, { learningRate: 0.01 })
        await trainer.evaluate(batch)
        counts.push(tf.memory().numTensors)
      }
      expect(new Set(counts).size, `${counts}`).toBe(1)
      const { adjacency: _, ...broken } = batch.feeds
      await expect(trainer.step({ ...batch, feeds: broken }, { learningRate: 0.01 })).rejects.toThrow('input "adjacency": nothing came')
      expect(tf.memory().numTensors).toBe(counts[0])
      await trainer.close()
      expect(tf.memory().numTensors).toBe(before)
    })
  })

  describe('what tfjs does not have', () => {
    it('is refused by name: float64', async () => {
      const b = new GraphBuilder('float64')
      const graph = closeGraph({ y: b.exp(b.input('x', 'float64', [2])) })
      await expect(open().then((e) => e.load(graph))).rejects.toThrow('float64, which tfjs does not have')
    })
    it('is refused by name: whole numbers beyond 32 bits', async () => {
      const b = new GraphBuilder()
      const p = await (await open()).load(closeGraph({ y: b.cast(b.input('x', 'int64', [1]), 'float32') }))
      await expect(p.run({ x: tensor('int64', [1], [2 ** 31]) })).rejects.toThrow('input "x": 2147483648 came')
      expect(numbersOf((await p.run({ x: tensor('int64', [1], [2 ** 31 - 1]) }))['y']!)).toEqual([2 ** 31])
      await p.release()
    })
    it('is refused by name: an output that does not fit, or is not there', async () => {
      const b = new GraphBuilder()
      const p = await (await open()).load(closeGraph({ y: b.exp(b.input('x', 'float32', ['N'])) }))
      await expect(p.run({ x: float32([3]) }, { y: float32([2]) })).rejects.toThrow(
        'output "y" is float32[3] and was to be written into float32[2]',
      )
      await expect(p.run({ x: float32([3]) }, { z: null })).rejects.toThrow('output "z" was asked for, the graph has y')
      await p.release()
    })
  })
}
