import { groupFolds, splitByGroup } from '../../datasets/splits/groups.js'
import { assertJudging, type DatasetSplit } from '../../datasets/splits/split-store.js'
import { type AnswerBaselines, baselineAnswers, type Judged, judgeAnswers, reportAnswers, studyAnswers } from '../../evaluation/answers.js'
import { printAnswers } from '../../evaluation/report.js'
import { unitFor } from '../../evaluation/study.js'
import type { GraphExample } from '../../models/graphs/graph-example.js'
import type { Outcome } from '../../runs/attempt.js'
import type { EvaluateReadoutOptions } from '../../training/jobs/evaluate-job.js'
import { graphTasks } from '../../training/jobs/graph-task.js'
import { EspalierError } from '../../util/error.js'
import { canonicalJson } from '../../util/hash.js'
import { seeded } from '../../util/random.js'
import type { Properties } from '../../vocabulary.js'
import { type GraphData, readGraphData, readouts } from '../graph-data.js'
import { type Answering, assertWanted, type Published, toldOfLearning, trainFold } from '../judging.js'
import type { TaskContext } from '../task.js'

type Context = TaskContext<EvaluateReadoutOptions>

/** What is learned from, what says when to stop, and what is judged on. */
interface Fold {
  name: string
  training: GraphExample[]
  validation: GraphExample[]
  test: GraphExample[]
}

/** Examples scored at once. */
const chunk = 64

/** The stored split as one fold, or as many as are asked for, each with whole groups held out. */
function planFolds({ options }: Context, { examples, stored }: GraphData): Fold[] {
  if (stored) {
    const { split, parts } = stored
    const part = assertJudging(split)
    const validation = part === 'test' ? (parts['validation'] ?? []) : []
    return [{ name: 'training', training: parts['train']!, validation, test: parts[part]! }]
  }
  const rng = seeded(options.training.seed).fork('evaluate')
  const task = graphTasks[options.readout]
  const grouped = examples.map((example) => ({ group: task.groupOf(example), example }))
  const groups = new Set(grouped.map(({ group }) => group)).size
  if (groups < 2)
    throw new EspalierError('BAD_INPUT', `evaluate: all ${examples.length} examples are of one group, expected at least two to hold out`, {
      remedy: 'Give examples groups of their own, or name a stored split.',
    })
  const bare = (of: readonly { example: GraphExample }[]) => of.map(({ example }) => example)
  return groupFolds(grouped, options.folds ?? Math.min(5, groups), rng.fork('folds')).map((fold, i) => {
    const { train, validation } = splitByGroup(fold.train, { validation: options.training.validationSplit }, rng.fork(`fold ${i}`))
    return { name: `fold ${i + 1}`, training: bare(train), validation: bare(validation), test: bare(fold.test) }
  })
}

/** Questions without their answers: what is judged must not depend on whether the model knows the label that is expected. */
const asked = ({ target: _, annotations: __, ...question }: GraphExample): GraphExample => question

async function answerAll({ claim, options }: Context, examples: readonly GraphExample[], answering: Answering<GraphExample>) {
  const judged: Judged[][] = []
  for (let start = 0; start < examples.length; start += chunk) {
    assertWanted(claim)
    const some = examples.slice(start, start + chunk)
    judged.push(judgeAnswers(options.readout, some, await answering.score(some.map(asked)), answering.modelOptions))
  }
  return judged.flat()
}

async function judgeFold(context: Context, fold: Fold) {
  const { options } = context
  const { training, validation } = fold
  const request = { model: readouts[options.readout], modelOptions: { ...options.model }, task: graphTasks[options.readout] }
  const answering = await trainFold<GraphExample>(context, fold.name, { ...request, training, validation })
  try {
    return await answerAll(context, fold.test, answering)
  } finally {
    await answering.close()
  }
}

const withTarget = (examples: readonly GraphExample[]) => examples.filter(({ target }) => target !== undefined)

/** Examples with what was answered, and what the baselines make of them. */
interface JudgedPart {
  examples: GraphExample[]
  judged: Judged[]
  baselines: AnswerBaselines
}

async function judgePublished(
  context: Context,
  { stored, examples: all }: GraphData,
  published: Published<GraphExample>,
): Promise<JudgedPart> {
  const examples = withTarget(stored ? stored.parts[assertJudging(stored.split)]! : all)
  // what it learned from is not known here: the baseline may look at the training part, or where there is none at what is judged
  const baselines = baselineAnswers(context.options.readout, examples, stored?.parts['train'] ?? examples)
  return { examples, judged: await answerAll(context, examples, published), baselines }
}

/** Fold after fold, as one. */
async function judgeFolds(context: Context, data: GraphData): Promise<JudgedPart> {
  const { claim, options } = context
  const parts: JudgedPart[] = []
  const folds = planFolds(context, data)
  for (const [f, fold] of folds.entries()) {
    const examples = withTarget(fold.test)
    const judged = await judgeFold(context, { ...fold, test: examples })
    parts.push({ examples, judged, baselines: baselineAnswers(options.readout, examples, fold.training) })
    const message = `${fold.name}: ${examples.length} examples judged (${f + 1} of ${folds.length})`
    await claim.record({ type: 'log', level: 'info', message })
    await claim.record({ type: 'metric', name: 'progress', step: f + 1, value: (f + 1) / folds.length })
  }
  const all = (name: keyof AnswerBaselines) => parts.flatMap(({ baselines }) => baselines[name])
  return {
    examples: parts.flatMap(({ examples }) => examples),
    judged: parts.flatMap(({ judged }) => judged),
    baselines: { random: all('random'), commonest: all('commonest') },
  }
}

const howSplit = (split: DatasetSplit | undefined, examples: readonly GraphExample[], published: boolean): string =>
  split
    ? `by the split ${split.name}: judged on ${examples.length} examples of its part ${assertJudging(split)}`
    : published
      ? 'none: judged on all examples'
      : 'folds of whole groups, each held out once'

/** A model that selects nodes, classifies graphs or writes sequences, judged on graphs that it has not seen, beside baselines. */
export async function evaluateReadout(context: Context, published: Published<GraphExample> | null): Promise<Outcome> {
  const { options } = context
  const data = await readGraphData(context)
  const { version, stored } = data
  const learned = published ? await toldOfLearning(context, published.artifact, version, stored?.split ?? null) : {}
  const { examples, judged, baselines } = published ? await judgePublished(context, data, published) : await judgeFolds(context, data)
  const groups = examples.map(({ group }) => group)
  const unit = unitFor(examples)
  const how = (name: string) => ({ rng: seeded(options.training.seed).fork(`evaluate ${name}`), unit, groups })
  const { perExample, ...report } = reportAnswers(options.readout, judged, how('model'))
  const study = studyAnswers({ ...report, perExample }, baselines, how('baselines'))
  const name = readouts[options.readout].name
  const result = {
    readout: options.readout,
    ...learned,
    dataset: { versionId: version.id, name: version.datasetName, number: version.number, hash: version.hash },
    split: howSplit(stored?.split, examples, published !== null),
    examples: examples.length,
    report,
    baselines: study.baselines,
    differences: study.differences,
    best: { baseline: study.best, isBetter: study.isBetter },
    intervals: `95 %, resampling ${unit === 'group' ? 'groups' : 'examples'}`,
    table: printAnswers(name, report, study),
  }
  return { state: 'completed', result: JSON.parse(canonicalJson(result)) as Properties }
}
