import { featureSpecHash, parseFeatureSpec } from '../../datasets/links/spec.js'
import { assertJudging } from '../../datasets/splits/split-store.js'
import { tasks } from '../../datasets/tasks/index.js'
import { rankingBaselines } from '../../evaluation/baselines.js'
import { evaluateLeaveOneOut, type RankerScore } from '../../evaluation/leave-one-out.js'
import { evaluateRanking, evaluateScorer, type RankingReport } from '../../evaluation/ranking.js'
import { printRankingReports, printStudy, summarizeRanking } from '../../evaluation/report.js'
import { studyRanking, unitFor } from '../../evaluation/study.js'
import { ggnn } from '../../models/ggnn.js'
import type { GraphExample } from '../../models/graphs/graph-example.js'
import type { RankingList } from '../../models/rankings/ranking-list.js'
import type { Outcome } from '../../runs/attempt.js'
import type { EvaluateOptions, EvaluateRankerOptions } from '../../training/jobs/evaluate-job.js'
import { rankingTask } from '../../training/jobs/learning-task.js'
import { EspalierError } from '../../util/error.js'
import { canonicalJson } from '../../util/hash.js'
import { seeded } from '../../util/random.js'
import type { Properties } from '../../vocabulary.js'
import { assertWanted, Interrupted, openPublished, type Published, toldOfLearning, trainFold } from '../judging.js'
import { type RankingData, readRankingData, shapeOf } from '../ranking-data.js'
import type { Task, TaskContext } from '../task.js'
import { evaluateReadout } from './evaluate-readout.js'

type Shape = ReturnType<typeof shapeOf>
type Context = TaskContext<EvaluateRankerOptions>

/** Trains a ranker on lists and scores with it. */
async function trainRanker(context: Context, fold: string, shape: Shape, training: RankingList[], validation: RankingList[]) {
  const modelOptions = { ...context.options.model, ...shape }
  const trained = await trainFold(context, fold, { model: ggnn, modelOptions, task: rankingTask, training, validation })
  const score: RankerScore = async (list) => (await trained.score([list]))[0]!
  return Object.assign(score, { close: () => trained.close() })
}

/** Groups that a message names. */
const mostNamed = 5

/** What a fold holds out. */
const nameOf = (groups: readonly string[]): string =>
  groups.length > mostNamed ? `${groups.slice(0, mostNamed).join(', ')} and ${groups.length - mostNamed} more` : groups.join(', ')

/** One group at a time, unless told otherwise or each list is a group of its own: then five parts, not a training for every list. */
const foldsOf = (lists: readonly RankingList[], asked: number | undefined): { folds?: number } => {
  const own = new Set(lists.map((list) => list.group)).size === lists.length && lists.length > 5 ? 5 : undefined
  const folds = asked ?? own
  return folds === undefined ? {} : { folds }
}

async function evaluateModel(context: Context, lists: readonly RankingList[], shape: Shape): Promise<RankingReport> {
  const { claim, options } = context
  const open: { close(): Promise<void> }[] = []
  try {
    return await evaluateLeaveOneOut(
      lists,
      async (training, validation, { groups }) => {
        const score = await trainRanker(
          context,
          groups.length > mostNamed ? `fold ${open.length + 1}` : groups.join('+'),
          shape,
          training,
          validation,
        )
        open.push(score)
        return score
      },
      {
        rng: seeded(options.training.seed).fork('evaluate'),
        validation: options.training.validationSplit,
        unit: unitFor(lists),
        ...foldsOf(lists, options.folds),
        onFold: ({ groups, done, of, queries }) => {
          void claim.record({
            type: 'log',
            level: 'info',
            message: `held out ${nameOf(groups)}: ${queries} queries (${done} of ${of})`,
          })
          void claim.record({ type: 'metric', name: 'progress', step: done, value: done / of })
        },
      },
    )
  } finally {
    for (const each of open) await each.close()
  }
}

/** Judges on lists that are set apart, by one scorer. */
async function evaluateOnce({ claim, options }: Context, test: readonly RankingList[], scorer: RankerScore): Promise<RankingReport> {
  const scores: ArrayLike<number>[] = []
  for (const list of test) {
    assertWanted(claim)
    scores.push(await scorer(list))
  }
  return evaluateRanking(test, scores, { rng: seeded(options.training.seed).fork('evaluate'), unit: unitFor(test) })
}

async function evaluateFold(context: Context, fold: string, shape: Shape, { training, validation, test }: Held): Promise<RankingReport> {
  const scorer = await trainRanker(context, fold, shape, training, validation)
  try {
    return await evaluateOnce(context, test, scorer)
  } finally {
    await scorer.close()
  }
}

/** What is learned from, what says when to stop, and what is judged on. */
interface Held {
  training: RankingList[]
  validation: RankingList[]
  test: RankingList[]
}

/** By the data's own split, where it has one: by time, or the stored one that the run names. */
function heldOut({ lists, older, parts }: RankingData): Held | null {
  if (older !== null) return { training: lists.slice(0, older), validation: [], test: lists.slice(older) }
  if (!parts) return null
  const { split, training, validation, test } = parts
  return assertJudging(split) === 'test' ? { training, validation, test } : { training, validation: [], test: validation }
}

function assertGroups(lists: readonly RankingList[], task: EvaluateRankerOptions['task']): string[] {
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

/** What is judged: an artifact, or models trained on what is not held out; on the lists set apart, or on all, held out in their turns. */
async function judge(context: Context, data: RankingData, published: Published<RankingList> | null) {
  const held = heldOut(data)
  const judged = held?.test ?? data.lists
  if (published) return { judged, model: await evaluateOnce(context, judged, async (list) => (await published.score([list]))[0]!) }
  const shape = shapeOf(data.featureSpec, data.lists)
  const model = held ? await evaluateFold(context, 'training', shape, held) : await evaluateModel(context, judged, shape)
  return { judged, model }
}

/** The run with lists that are made as those that the artifact learned from. BAD_INPUT where that cannot be. */
function asPublished(context: Context, { artifact, featureSpec: raw }: Published<RankingList>): Context {
  const { options } = context
  if (options.datasetVersionId) return context
  if (raw === null || raw === undefined)
    throw new EspalierError(
      'BAD_INPUT',
      `artifact ${artifact.id}: it was published without a feature spec, so no lists can be made for it`,
      {
        remedy: 'Name a dataset version to judge it on.',
      },
    )
  const { version: _, task, ...features } = parseFeatureSpec(raw)
  if (task === options.task) return { ...context, options: { ...options, lists: { ...options.lists, features } } }
  throw new EspalierError('BAD_INPUT', `task ${options.task}: the artifact ${artifact.id} was trained for ${task}`, {
    remedy: `Ask for the task ${task}, or name another artifact.`,
  })
}

/** A version whose features mean something else than those that the artifact learned from would be judged without a word. */
function assertSameFeatures({ artifact, featureSpec: raw }: Published<RankingList>, { featureSpec, version }: RankingData): void {
  if (!raw || !featureSpec || featureSpecHash(parseFeatureSpec(raw)) === featureSpecHash(featureSpec)) return
  throw new EspalierError(
    'BAD_INPUT',
    `artifact ${artifact.id}: its features are not those of the dataset ${version.datasetName} ${version.number}`,
    { remedy: 'Name a version made with the same lists.features, or judge it on the catalog.' },
  )
}

const intervalsOf = (unit: 'group' | 'query') =>
  `95 %, resampling ${unit === 'group' ? 'groups (databases, folders)' : 'queries: too few groups to resample them'}`

function howSplit(data: RankingData, judged: readonly RankingList[], published: Published<RankingList> | null): string {
  if (data.parts)
    return `by the split ${data.parts.split.name}: judged on ${judged.length} lists of its part ${assertJudging(data.parts.split)}`
  if (data.older !== null) return `by time: ${data.older} lists before, ${judged.length} after`
  return published ? 'none: judged on all lists' : 'by group'
}

async function evaluateRanker(context: Context, published: Published<RankingList> | null): Promise<Outcome> {
  const { options } = context
  const data = await readRankingData(published ? asPublished(context, published) : context)
  if (published) assertSameFeatures(published, data)
  const { version, estate, featureSpec } = data
  const isOneByOne = data.older === null && !data.parts && !published
  const groups = isOneByOne ? assertGroups(data.lists, options.task) : [...new Set(data.lists.map((l) => l.group ?? ''))].sort()
  const learned = published ? await toldOfLearning(context, published.artifact, version, data.parts?.split ?? null) : {}
  const { judged, model } = await judge(context, data, published)
  const unit = unitFor(judged)
  const rng = () => seeded(options.training.seed).fork('evaluate')
  const scorers = estate && featureSpec ? Object.entries(rankingBaselines(estate, featureSpec)) : []
  const baselines = Object.fromEntries(scorers.map(([name, scorer]) => [name, evaluateScorer(judged, scorer, { rng: rng(), unit })]))
  const reports = { ggnn: model, ...baselines }
  const study = scorers.length > 0 ? studyRanking(model, baselines, { rng: rng() }) : null
  const result = {
    task: options.task,
    ...learned,
    dataset: { versionId: version.id, name: version.datasetName, number: version.number, hash: version.hash },
    groups,
    split: howSplit(data, judged, published),
    reports: Object.fromEntries(Object.entries(reports).map(([name, report]) => [name, summarizeRanking(report)])),
    differences: Object.fromEntries((study?.differences ?? []).map((d) => [d.baseline, d.byGroup ?? d.byQuery])),
    best: study && { baseline: study.best.baseline, isBetter: study.isBetter },
    intervals: intervalsOf(unit),
    table: [printRankingReports(reports), ...(study ? [printStudy(study)] : [])].join('\n\n'),
  }
  return { state: 'completed', result: JSON.parse(canonicalJson(result)) as Properties }
}

/** Evaluation with whole groups held out, by time or by a stored split, beside the baselines; says what came out, whatever it is. */
export const evaluate: Task<EvaluateOptions> = async (context) => {
  const { options } = context
  const published = options.artifact === undefined ? null : await openPublished(context, options.artifact)
  try {
    return options.readout === 'rank'
      ? await evaluateRanker({ ...context, options }, published as Published<RankingList> | null)
      : await evaluateReadout({ ...context, options }, published as Published<GraphExample> | null)
  } catch (thrown) {
    if (thrown instanceof Interrupted) return { state: thrown.state }
    throw thrown
  } finally {
    await published?.close()
  }
}
