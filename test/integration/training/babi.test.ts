import fs from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { babiExamples, babiTasks, parseBabi } from '../../../src/datasets/formats/babi.js'
import type { GraphExample } from '../../../src/models/graphs/graph-example.js'
import { modelNamed } from '../../../src/models/registry.js'
import { createTrainer } from '../../../src/models/trainer.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import type { TrainingEvent } from '../../../src/training/events.js'
import { graphTasks } from '../../../src/training/jobs/graph-task.js'
import { train } from '../../../src/training/train.js'
import { describeIf, sharedData } from '../../support/need.js'

const folder = sharedData && path.join(sharedData, 'babi/fold-1')

function examplesOf(task: string, part: string): GraphExample[] {
  const text = fs.readFileSync(path.join(folder!, part, `${task}_graphs.txt`), 'utf8')
  const { questions, problems } = parseBabi(text, babiTasks[task]!.arguments)
  expect(problems).toEqual([])
  return babiExamples(questions, babiTasks[task]!, 1)
}

/** Test accuracy after training on the first questions of the training file, with nothing held out. */
async function accuracyOf(task: string, count: number, modelOptions: Record<string, unknown>, options: Record<string, unknown>) {
  const { readout } = babiTasks[task]!
  const model = modelNamed(`ggnn-${readout}`)
  let end: Extract<TrainingEvent, { type: 'finished' }> | undefined
  const settings = {
    ...options,
    batchExamples: 10,
    validationSplit: 0,
    threads: 1,
    reportEverySteps: 1000,
    checkpointEverySteps: 1_000_000,
  }
  const training = examplesOf(task, 'train').slice(0, count)
  for await (const event of train({ model, modelOptions, options: settings, task: graphTasks[readout], training, executor: ortExecutor }))
    if (event.type === 'finished') end = event
  const trainer = createTrainer({ model, options: end!.modelOptions, executor: ortExecutor, seed: 0, threads: 1 })
  trainer.restore({ ...trainer.state(), parameters: end!.parameters })
  const test = examplesOf(task, 'test')
  const { scores } = await trainer.evaluate(model.encode(test, end!.modelOptions).batch)
  await trainer.close()
  return graphTasks[readout].judge(test, scores, end!.modelOptions)['accuracy']!
}

// One task of each read-out, quickly; the bench case `babi` runs all of them over all folds.
describeIf(folder && fs.existsSync(folder), 'the bAbI graphs are not beside the checkout', "the paper's tasks, from 50 questions", () => {
  it('15 (select a node): every test question is right', async () => {
    expect(await accuracyOf('15', 50, { hidden: 5, steps: 5 }, { epochs: 40, learningRate: 0.01 })).toBe(1)
  })
  it('18 (classify a graph): every test question is right', async () => {
    const network = { hidden: 6, steps: 1, bias: false, pooling: 'max' }
    expect(await accuracyOf('18', 50, network, { epochs: 100, learningRate: 0.01 })).toBe(1)
  })
  it('19 (a sequence of labels), from 100: better than the 92.5 % of the paper', async () => {
    const accuracy = await accuracyOf('19', 100, { hidden: 10, steps: 3 }, { epochs: 60, learningRate: 0.01 })
    expect(accuracy).toBeGreaterThan(0.925)
  })
})
