import { rankingBaselines } from '../../evaluation/baselines.js'
import { compareRankings } from '../../evaluation/compare.js'
import { evaluateLeaveOneOut, type RankerScore } from '../../evaluation/leave-one-out.js'
import { evaluateScorer, type RankingReport } from '../../evaluation/ranking.js'
import { printRankingReports, summarizeRanking } from '../../evaluation/report.js'
import { ggnn } from '../../models/ggnn.js'
import type { RankingList } from '../../models/ranking-list.js'
import { createTrainer } from '../../models/trainer.js'
import type { TrainingResult } from '../../training/events.js'
import { rankingTask } from '../../training/learning-task.js'
import type { EvaluateOptions } from '../../training/ranking-job.js'
import { train } from '../../training/train.js'
import { EspalierError } from '../../util/error.js'
import { canonicalJson } from '../../util/hash.js'
import { seeded } from '../../util/random.js'
import type { Properties } from '../../vocabulary.js'
import { readRankingData, shapeOf } from '../ranking-data.js'
import { recordTraining } from '../record-training.js'
import type { Task, TaskContext } from '../task.js'

/** Ends a fold's training when the run is to stop: an evaluation keeps no state worth resuming, it begins again. */
class Interrupted extends Error {
  constructor(readonly state: 'paused' | 'cancelled' | 'drained') {
    super(state)
  }
}

/** Queries of one database resemble each other, so intervals resample databases; below ten of them that would say nothing. */
const unitFor = (lists: readonly RankingList[]): 'group' | 'query' =>
  new Set(lists.map((list) => list.group)).size >= 10 ? 'group' : 'query'

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
  shape: ReturnType<typeof shapeOf>,
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
    executor: platform.executor,
    control: claim.wanted,
  })
  const end = await recordTraining(inFold(context, fold), withoutCheckpoints(events), options.training.maxCheckpoints)
  if (end.state !== 'finished') throw new Interrupted(end.state)
  return end.result
}

/** Scores lists with trained weights. */
async function scorerOf(context: TaskContext<EvaluateOptions>, result: TrainingResult): Promise<RankerScore & { close(): Promise<void> }> {
  const options = ggnn.options.parse(result.modelOptions)
  const { executor } = context.platform
  const trainer = createTrainer({ model: ggnn, options, executor, seed: 0, threads: context.options.training.threads })
  trainer.restore({ ...trainer.state(), parameters: result.parameters })
  const score: RankerScore = async (list) => {
    const { batch } = ggnn.encode([list], options)
    return (await trainer.evaluate(batch)).scores[0]!
  }
  return Object.assign(score, { close: () => trainer.close() })
}

async function evaluateModel(
  context: TaskContext<EvaluateOptions>,
  lists: readonly RankingList[],
  shape: ReturnType<typeof shapeOf>,
): Promise<RankingReport> {
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

/** Leave-one-database-out evaluation of the ranker beside its baselines; says what came out, whatever it is. */
export const evaluate: Task<EvaluateOptions> = async (context) => {
  const { options } = context
  const { lists, featureSpec, version, estate } = await readRankingData(context)
  const groups = new Set(lists.map((list) => list.group))
  if (groups.size < 2)
    throw new EspalierError(
      'BAD_INPUT',
      `evaluate: all ${lists.length} lists are of ${[...groups].join('')}, expected at least two databases to hold out`,
      {
        remedy: 'Ingest another database with foreign keys.',
      },
    )
  try {
    const unit = unitFor(lists)
    const rng = () => seeded(options.training.seed).fork('evaluate')
    const model = await evaluateModel(context, lists, shapeOf(featureSpec))
    const scorers = Object.entries(estate ? rankingBaselines(estate, featureSpec) : {})
    const baselines = Object.fromEntries(scorers.map(([name, scorer]) => [name, evaluateScorer(lists, scorer, { rng: rng(), unit })]))
    const reports = { ggnn: model, ...baselines }
    const differences = Object.entries(baselines).map(([name, report]) => [
      name,
      compareRankings(model, report, 'mrr', { rng: rng(), unit }),
    ])
    const result = {
      dataset: { versionId: version.id, name: version.datasetName, number: version.number, hash: version.hash },
      groups: [...groups].sort(),
      reports: Object.fromEntries(Object.entries(reports).map(([name, report]) => [name, summarizeRanking(report)])),
      differences: Object.fromEntries(differences),
      intervals: `95 %, resampling ${unit === 'group' ? 'databases' : 'queries: too few databases to resample them'}`,
      table: printRankingReports(reports),
    }
    return { state: 'completed', result: JSON.parse(canonicalJson(result)) as Properties }
  } catch (thrown) {
    if (thrown instanceof Interrupted) return { state: thrown.state }
    throw thrown
  }
}
