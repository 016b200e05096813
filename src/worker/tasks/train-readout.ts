import { publish } from '../../artifacts/publish.js'
import { splitByGroup } from '../../datasets/splits/groups.js'
import { splitSummary } from '../../datasets/splits/split-version.js'
import type { GraphExample } from '../../models/graphs/graph-example.js'
import type { Outcome } from '../../runs/attempt.js'
import type { TrainingResult } from '../../training/events.js'
import { graphTasks } from '../../training/jobs/graph-task.js'
import type { TrainReadoutOptions } from '../../training/jobs/readout-job.js'
import { train } from '../../training/train.js'
import { seeded } from '../../util/random.js'
import { readGraphData, readouts } from '../graph-data.js'
import { publishOnce } from '../published.js'
import { recordTraining, resumePoint } from '../record-training.js'
import type { TaskContext } from '../task.js'

type Context = TaskContext<TrainReadoutOptions>

function drawParts(examples: readonly GraphExample[], { readout, training: { seed, validationSplit } }: TrainReadoutOptions) {
  const grouped = examples.map((example) => ({ group: graphTasks[readout].groupOf(example), example }))
  const { train, validation } = splitByGroup(grouped, { validation: validationSplit }, seeded(seed).fork('split'))
  return { training: train.map((g) => g.example), validation: validation.map((g) => g.example) }
}

/** The examples of the version that the run names, by its stored split or by whole groups: those to learn from and those held out. */
async function readExamples(context: Context) {
  const { claim, options } = context
  const { version, examples, stored } = await readGraphData(context)
  const parts = stored ? { training: stored.parts['train']!, validation: stored.parts['validation']! } : drawParts(examples, options)
  const { datasetName, number, hash } = version
  const message = `dataset ${datasetName} ${number}: ${examples.length} examples, ${parts.validation.length} held out${stored ? ` by the split ${stored.split.name}` : ''}, hash ${hash.slice(0, 12)}`
  await claim.record({ type: 'log', level: 'info', message })
  if (parts.validation.length === 0 && options.training.validationSplit > 0)
    await claim.record({ type: 'log', level: 'warn', message: 'nothing is held out: all examples are of one group' })
  return { version, split: stored?.split ?? null, ...parts }
}

type Data = Awaited<ReturnType<typeof readExamples>>

async function publishResult(context: Context, { version, split, training, validation }: Data, result: TrainingResult): Promise<Outcome> {
  const { platform, claim, options } = context
  const { database, blobs, executor } = platform
  const task = graphTasks[options.readout]
  const artifact = await publishOnce(context, () =>
    publish<GraphExample>(
      { database, blobs, executor },
      {
        component: options.component,
        projectId: claim.run.projectId,
        runId: claim.run.id,
        dataset: { versionId: version.id, hash: version.hash },
        model: readouts[options.readout],
        modelOptions: result.modelOptions,
        parameters: result.parameters,
        metrics: result.metrics,
        gates: result.gates,
        // Parity is a property of the exported file: without held-out examples those of the training do.
        validation: validation.length > 0 ? validation : training,
        judge: (examples, scores) => task.judge(examples, scores, result.modelOptions),
        metric: 'accuracy',
        int8: { mode: options.export.int8, maxDrop: options.export.int8MaxDrop },
        now: new Date(),
      },
    ),
  )
  const { id, number, hash, datasetName } = version
  const counts = { examples: training.length + validation.length, validationExamples: validation.length }
  return {
    state: 'completed',
    result: {
      artifactId: artifact.id,
      dataset: { versionId: id, name: datasetName, number, hash, ...counts, ...(split ? { split: splitSummary(split) } : {}) },
      metrics: result.metrics,
      ...(options.resume ? { resumedFrom: options.resume } : {}),
      bestEpoch: result.bestEpoch,
      epochs: result.epochs,
      stoppedEarly: result.stoppedEarly,
    },
  }
}

/** Stored graph examples -> GGNN that selects a node, classifies, or writes a sequence -> checked ONNX artifact. Resumes as rankers do. */
export async function trainReadout(context: Context): Promise<Outcome> {
  const { platform, claim, options } = context
  const data = await readExamples(context)
  const resume = await resumePoint(context)
  const executor = await platform.executorFor(options.training.executor)
  await claim.record({ type: 'log', level: 'info', message: `trained by ${executor.name}: ${executor.version}` })
  const events = train<GraphExample>({
    model: readouts[options.readout],
    modelOptions: { ...options.model },
    options: options.training,
    task: graphTasks[options.readout],
    training: data.training,
    validation: data.validation,
    executor,
    control: claim.wanted,
    ...(resume ? { resume } : {}),
  })
  const end = await recordTraining(context, events, options.training.maxCheckpoints)
  return end.state === 'finished' ? publishResult(context, data, end.result) : { state: end.state }
}
