import { tasks } from '../../datasets/tasks/index.js'
import { rankingBaselines } from '../../evaluation/baselines.js'
import { evaluateLeaveOneOut, type RankerScore } from '../../evaluation/leave-one-out.js'
import { evaluateRanking, evaluateScorer, type RankingReport } from '../../evaluation/ranking.js'
import { printRankingReports, printStudy, summarizeRanking } from '../../evaluation/report.js'
import { studyRanking, unitFor } from '../../evaluation/study.js'
import { ggnn } from '../../models/ggnn.js'
import type { RankingList } from '../../models/rankings/ranking-list.js'
import { createTrainer } from '../../models/trainer.js'
import type { TrainingResult } from '../../training/events.js'
import { rankingTask } from '../../training/jobs/learning-task.js'
import type { EvaluateOptions } from '../../training/jobs/ranking-job.js'
import { train } from '../../training/train.js'
import { EspalierError } from '../../util/error.js'
import { canonicalJson } from '../../util/hash.js'
import { seeded } from '../../util/random.js'
import type { Properties } from '../../vocabulary.js'
import { type RankingData, readRankingData, shapeOf } from '../ranking-data.js'
import { recordTraining } from '../record-training.js'
import type { Task, TaskContext } from '../task.js'

type Shape = ReturnType<typeof shapeOf>

/** Ends a fold's training when the run is to stop: an evaluation keeps no state worth resuming, it begins again. */
class Interrupted extends Error {
  constructor(readonly state: 'paused' | 'cancelled' | 'drained') {
    super(state)
  }
}

/** Metrics of a fold's training go under its own names, so that the curves of the folds lie side by side. */
function inFold<T extends TaskContext<EvaluateOptions>>(context: T, fold: string): T {
  const { claim } = context
  const record: typeof claim.record = (body) => claim.record(body.type === 'metric' ? { ...body, name: `${fold}.${body.name}` } : body)
  return { ...context, claim: { ...claim, record } }
}

async function* withoutCheckpoints<T extends { type: string }>(events: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const event of events) if (event.type !== 'checkpoint') yield event
}

async function trainFold(
  context: TaskContext<EvaluateOptions>,
  shape: Shape,
  fold: string,
  training: RankingList[],
  validation: RankingList[],
) {
  const { platform, claim, options } = context
  const events = train({
    model: ggnn,
    modelOptions: { ...options.model, ...shape },
    options: options.training,
    task: rankingTask,
    training,
    validation,
    executor: await platform.executorFor(options.training.executor),
    control: claim.wanted,
  })
  const end = await recordTraining(inFold(context, fold), withoutCheckpoints(events), options.training.maxCheckpoints)
  if (end.state !== 'finished') throw new Interrupted(end.state)
  return end.result
}

/** Scores lists with trained weights. */
async function scorerOf(context: TaskContext<EvaluateOptions>, result: TrainingResult): Promise<RankerScore & { close(): Promise<void> }> {
  const options = ggnn.options.parse(result.modelOptions)
  const executor = await context.platform.executorFor(context.options.training.executor)
  const trainer = createTrainer({ model: ggnn, options, executor, seed: 0, threads: context.options.training.threads })
  trainer.restore({ ...trainer.state(), parameters: result.parameters })
  const score: RankerScore = async (list) => {
    const { batch } = ggnn.encode([list], options)
    return (await trainer.evaluate(batch)).scores[0]!
  }
  return Object.assign(score, { close: () => trainer.close() })
}

async function evaluateModel(context: TaskContext<EvaluateOptions>, lists: readonly RankingList[], shape: Shape): Promise<RankingReport> {
  const { claim, options } = context
  const open: { close(): Promise<void> }[] = []
  try {
    return await evaluateLeaveOneOut(
      lists,
      async (training, validation, { groups }) => {
        const result = await trainFold(context, shape, groups.join('+'), training, validation)
        const score = await scorerOf(context, result)
        open.push(score)
        return score
      },
      {
        rng: seeded(options.training.seed).fork('evaluate'),
        validation: options.training.validationSplit,
        unit: unitFor(lists),
        ...(options.folds ? { folds: options.folds } : {}),
        onFold: ({ groups, done, of, queries }) => {
          void claim.record({ type: 'log', level: 'info', message: `held out ${groups.join(', ')}: ${queries} queries (${done} of ${of})` })
          void claim.record({ type: 'metric', name: 'progress', step: done, value: done / of })
        },
      },
    )
  } finally {
    for (const each of open) await each.close()
  }
}

/** Trains on the links of before, judges on those that came after. */
async function evaluateByTime(
  context: TaskContext<EvaluateOptions>,
  training: RankingList[],
  test: readonly RankingList[],
  shape: Shape,
): Promise<RankingReport> {
  const scorer = await scorerOf(context, await trainFold(context, shape, 'before', training, []))
  try {
    const scores: ArrayLike<number>[] = []
    for (const list of test) scores.push(await scorer(list))
    return evaluateRanking(test, scores, { rng: seeded(context.options.training.seed).fork('evaluate'), unit: unitFor(test) })
  } finally {
    await scorer.close()
  }
}

function assertGroups(lists: readonly RankingList[], task: EvaluateOptions['task']): string[] {
  const groups = [...new Set(lists.map((list) => list.group ?? ''))].sort()
  if (groups.length >= 2) return groups
  throw new EspalierError(
    'BAD_INPUT',
    `evaluate ${task}: all ${lists.length} lists are of ${groups.join('')}, expected at least two groups to hold out`,
    {
      remedy: `Ingest another database (or folder of jobs) with ${tasks[task].label} links, or split by time with splitAt.`,
    },
  )
}

/** What is judged: the lists after the split by time, or all of them, each held out in its turn. */
async function judge(context: TaskContext<EvaluateOptions>, { lists, featureSpec, older }: RankingData) {
  const shape = shapeOf(featureSpec, lists)
  if (older === null) return { judged: lists, model: await evaluateModel(context, lists, shape) }
  const judged = lists.slice(older)
  return { judged, model: await evaluateByTime(context, lists.slice(0, older), judged, shape) }
}

const intervalsOf = (unit: 'group' | 'query') =>
  `95 %, resampling ${unit === 'group' ? 'groups (databases, folders)' : 'queries: too few groups to resample them'}`

/** Evaluation with whole groups held out, or by time, beside the baselines; says what came out, whatever it is. */
export const evaluate: Task<EvaluateOptions> = async (context) => {
  const { options } = context
  const data = await readRankingData(context)
  const { version, estate, featureSpec } = data
  const groups = data.older === null ? assertGroups(data.lists, options.task) : [...new Set(data.lists.map((l) => l.group ?? ''))].sort()
  try {
    const { judged, model } = await judge(context, data)
    const unit = unitFor(judged)
    const rng = () => seeded(options.training.seed).fork('evaluate')
    const scorers = estate && featureSpec ? Object.entries(rankingBaselines(estate, featureSpec)) : []
    const baselines = Object.fromEntries(scorers.map(([name, scorer]) => [name, evaluateScorer(judged, scorer, { rng: rng(), unit })]))
    const reports = { ggnn: model, ...baselines }
    const study = scorers.length > 0 ? studyRanking(model, baselines, { rng: rng() }) : null
    const result = {
      task: options.task,
      dataset: { versionId: version.id, name: version.datasetName, number: version.number, hash: version.hash },
      groups,
      split: data.older === null ? 'by group' : `by time: ${data.older} lists before, ${judged.length} after`,
      reports: Object.fromEntries(Object.entries(reports).map(([name, report]) => [name, summarizeRanking(report)])),
      differences: Object.fromEntries((study?.differences ?? []).map((d) => [d.baseline, d.byGroup ?? d.byQuery])),
      best: study && { baseline: study.best.baseline, isBetter: study.isBetter },
      intervals: intervalsOf(unit),
      table: [printRankingReports(reports), ...(study ? [printStudy(study)] : [])].join('\n\n'),
    }
    return { state: 'completed', result: JSON.parse(canonicalJson(result)) as Properties }
  } catch (thrown) {
    if (thrown instanceof Interrupted) return { state: thrown.state }
    throw thrown
  }
}
