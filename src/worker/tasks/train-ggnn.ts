import { publish } from '../../artifacts/publish.js'
import { splitByGroup } from '../../datasets/splits/groups.js'
import { splitSummary } from '../../datasets/splits/split-version.js'
import { tasks } from '../../datasets/tasks/index.js'
import { rankingBaselines } from '../../evaluation/baselines.js'
import { evaluateScorer, type RankingReport } from '../../evaluation/ranking.js'
import { ggnn } from '../../models/ggnn.js'
import type { RankingList } from '../../models/rankings/ranking-list.js'
import type { Outcome } from '../../runs/attempt.js'
import { rankingTask } from '../../training/jobs/learning-task.js'
import type { TrainGgnnOptions, TrainRankerOptions } from '../../training/jobs/ranking-job.js'
import { train } from '../../training/train.js'
import { seeded } from '../../util/random.js'
import { withoutHeldOut } from '../glean-history.js'
import { publishOnce } from '../published.js'
import { type RankingData, readRankingData, shapeOf } from '../ranking-data.js'
import { recordTraining, resumePoint } from '../record-training.js'
import type { Task, TaskContext } from '../task.js'
import { trainReadout } from './train-readout.js'

/** Groups that a message names. */
const mostNamed = 20

/** What came after the split by time, or whole groups, are held out for validation; with a single group there is nothing to hold out. */
async function splitLists({ claim, options }: TaskContext<TrainRankerOptions>, { lists, older, history, parts }: RankingData) {
  if (parts) {
    const { split, training, validation } = parts
    const message = `trained on ${training.length} lists, validated on ${validation.length}, by the split ${split.name} of the dataset`
    await claim.record({ type: 'log', level: 'info', message })
    return { training: [...training, ...withoutHeldOut(history, validation, false)], validation }
  }
  const { seed, validationSplit } = options.training
  if (older !== null) {
    const message = `trained on ${older} lists, validated on ${lists.length - older} of links that came after ${options.splitAt ?? 'the split of the dataset'}`
    await claim.record({ type: 'log', level: 'info', message })
    const validation = lists.slice(older)
    return { training: [...lists.slice(0, older), ...withoutHeldOut(history, validation, false)], validation }
  }
  const { train: kept, validation } = splitByGroup(lists, { validation: validationSplit }, seeded(seed).fork('split'))
  const groups = (part: readonly RankingList[]) => {
    const names = [...new Set(part.map((list) => list.group))].sort()
    return names.length > mostNamed ? `${names.slice(0, mostNamed).join(', ')} and ${names.length - mostNamed} more` : names.join(', ')
  }
  const message = validation.length
    ? `trained on ${groups(kept)}; validated on ${groups(validation)}`
    : `trained on ${groups(kept)}; nothing is held out: ${validationSplit === 0 ? 'none was asked for' : 'all lists are of one group'}`
  await claim.record({ type: 'log', level: validation.length ? 'info' : 'warn', message })
  return { training: [...kept, ...withoutHeldOut(history, validation, true)], validation }
}

/** The baselines' MRR on the lists that the model was validated on. */
function baselineMetrics({ estate, featureSpec }: RankingData, validation: readonly RankingList[], seed: number): Record<string, number> {
  if (!estate || !featureSpec || validation.length === 0) return {}
  const measure = (name: string, report: RankingReport): [string, number] => [
    `baseline_${name.replaceAll(/\W+/g, '_')}_mrr`,
    report.mrr.value,
  ]
  return Object.fromEntries(
    Object.entries(rankingBaselines(estate, featureSpec)).map(([name, scorer]) =>
      measure(name, evaluateScorer(validation, scorer, { rng: seeded(seed).fork('baselines') })),
    ),
  )
}

async function finish(
  context: TaskContext<TrainRankerOptions>,
  data: RankingData,
  validation: readonly RankingList[],
  end: Parameters<typeof publishResult>[3],
) {
  const { claim, options } = context
  const baselines = baselineMetrics(data, validation, options.training.seed)
  for (const [name, value] of Object.entries(baselines)) await claim.record({ type: 'metric', name, step: end.step, value })
  return publishResult(context, data, validation, end, baselines)
}

async function publishResult(
  context: TaskContext<TrainRankerOptions>,
  { lists, featureSpec, version, parts }: RankingData,
  validation: readonly RankingList[],
  result: Awaited<Extract<Awaited<ReturnType<typeof recordTraining>>, { state: 'finished' }>>['result'],
  baselines: Record<string, number>,
): Promise<Outcome> {
  const { platform, claim, options } = context
  const { database, blobs, executor } = platform
  const artifact = await publishOnce(context, () =>
    publish(
      { database, blobs, executor },
      {
        component: options.component ?? tasks[options.task].component,
        projectId: claim.run.projectId,
        runId: claim.run.id,
        dataset: { versionId: version.id, hash: version.hash },
        model: ggnn,
        modelOptions: result.modelOptions,
        parameters: result.parameters,
        ...(featureSpec ? { featureSpec } : {}),
        metrics: { ...result.metrics, ...baselines },
        gates: result.gates,
        // Parity is a property of the exported file: without held-out lists those of the training do.
        validation: validation.length > 0 ? validation : lists,
        judge: (examples, scores) => rankingTask.judge(examples, scores, result.modelOptions),
        // a loss is no metric of the task: then it is the first that is, MRR
        metric: options.training.monitor,
        int8: { mode: options.export.int8, maxDrop: options.export.int8MaxDrop },
        now: new Date(),
      },
    ),
  )
  const { id, number, hash, datasetName } = version
  return {
    state: 'completed',
    result: {
      artifactId: artifact.id,
      task: options.task,
      dataset: {
        ...{ versionId: id, name: datasetName, number, hash, lists: lists.length, validationLists: validation.length },
        ...(parts ? { split: splitSummary(parts.split) } : {}),
      },
      metrics: result.metrics,
      baselines,
      ...(version.provenance['glean'] ? { glean: version.provenance['glean'] } : {}),
      ...(options.resume ? { resumedFrom: options.resume } : {}),
      bestEpoch: result.bestEpoch,
      epochs: result.epochs,
      stoppedEarly: result.stoppedEarly,
    },
  }
}

/** Catalog -> ranking lists -> GGNN -> checked ONNX artifact. Resumes from the run's newest checkpoint. */
const trainRanker: Task<TrainRankerOptions> = async (context) => {
  const { platform, claim, options } = context
  const data = await readRankingData(context)
  const { training, validation } = await splitLists(context, data)
  const resume = await resumePoint(context)
  const executor = await platform.executorFor(options.training.executor)
  await claim.record({ type: 'log', level: 'info', message: `trained by ${executor.name}: ${executor.version}` })
  const events = train({
    model: ggnn,
    modelOptions: { ...options.model, ...shapeOf(data.featureSpec, data.lists) },
    options: options.training,
    task: rankingTask,
    training,
    validation,
    executor,
    control: claim.wanted,
    ...(resume ? { resume } : {}),
  })
  const end = await recordTraining(context, events, options.training.maxCheckpoints)
  if (end.state !== 'finished') return { state: end.state }
  return finish(context, data, validation, end.result)
}

/** Trains the GGNN with the read-out that is asked for. */
export const trainGgnn: Task<TrainGgnnOptions> = (context) => {
  const { options } = context
  return options.readout === 'rank' ? trainRanker({ ...context, options }) : trainReadout({ ...context, options })
}
