import { nodeFeatureWidth, queryFeatureWidth } from '../../../dist/datasets/links/features.js'
import { buildLinkLists } from '../../../dist/datasets/links/lists.js'
import { candidateEdgeTypes } from '../../../dist/datasets/links/spec.js'
import { groupFolds, leaveOneGroupOut } from '../../../dist/datasets/splits/groups.js'
import { rankingBaselines } from '../../../dist/evaluation/baselines.js'
import { evaluateRanking, evaluateScorer } from '../../../dist/evaluation/ranking.js'
import { averageReports, isBeyond, studyRanking, unitFor } from '../../../dist/evaluation/study.js'
import { ggnn } from '../../../dist/models/ggnn.js'
import { createTrainer } from '../../../dist/models/trainer.js'
import { ortExecutor as executor } from '../../../dist/tensor/ort.js'
import { rankingTask } from '../../../dist/training/jobs/learning-task.js'
import { train } from '../../../dist/training/train.js'
import { seeded } from '../../../dist/util/random.js'

const threads = 2
const meanOf = (values) => values.reduce((a, b) => a + b, 0) / values.length

/** Trains on lists; answers with a function that scores others. */
async function trainRanker(lists, shape, setting, seed) {
  const { model, training } = setting
  const options = { batchExamples: 8, checkpointEverySteps: 1e9, validationSplit: 0, seed, threads, workers: 0, ...training }
  let result
  const request = {
    model: ggnn,
    modelOptions: { ...model, ...shape },
    options,
    task: rankingTask,
    training: lists,
    validation: [],
    executor,
  }
  for await (const event of train(request)) if (event.type === 'finished') result = event
  const modelOptions = ggnn.options.parse(result.modelOptions)
  const trainer = createTrainer({ model: ggnn, options: modelOptions, executor, seed: 0, threads })
  trainer.restore({ ...trainer.state(), parameters: result.parameters })
  return {
    score: async (list) => (await trainer.evaluate(ggnn.encode([list], modelOptions).batch)).scores[0],
    close: () => trainer.close(),
  }
}

async function scoreAll(training, test, shape, setting, seed) {
  const ranker = await trainRanker(training, shape, setting, seed)
  const scores = []
  for (const list of test) scores.push(await ranker.score(list))
  await ranker.close()
  return scores
}

/** The setting with the best MRR on groups held out of the training groups: the test groups have no part in the choice. */
async function chooseSetting(settings, fold, { training, test }, shape, seed) {
  if (settings.length === 1) return settings[0]
  const held = new Set(groupFolds(fold.train, 4, seeded(seed).fork('inner'))[0].groups)
  const inner = training.filter((l) => !held.has(l.group))
  const judged = test.filter((l) => held.has(l.group))
  const scored = []
  for (const setting of settings) {
    const scores = await scoreAll(inner, judged, shape, setting, seed)
    scored.push({ setting, mrr: evaluateRanking(judged, scores, { rng: seeded(1), resamples: 1 }).mrr.value })
  }
  return scored.sort((a, b) => b.mrr - a.mrr)[0].setting
}

/**
 * Every group is the test once. Judged over all nodes of the group; trained on sampled candidates; settings chosen inside the training
 * groups of each fold. Reports of the model (mean over seeds) and of all baselines, with the differences.
 */
export async function studyLinks(estate, { features, settings, folds, seeds, candidates = 16, log = () => {} }) {
  const { lists, featureSpec } = buildLinkLists(estate, { candidates: 'all', features }, seeded(1))
  const shape = {
    features: nodeFeatureWidth(featureSpec),
    queryFeatures: queryFeatureWidth(featureSpec),
    edgeTypes: candidateEdgeTypes(featureSpec).length,
  }
  const options = { rng: seeded(1).fork('intervals'), unit: unitFor(lists) }
  const chosen = []
  const reports = []
  for (const seed of seeds) {
    const sampled = buildLinkLists(estate, { candidates, features }, seeded(seed)).lists
    const scores = new Map()
    const parts = folds === 'each' ? leaveOneGroupOut(lists) : groupFolds(lists, folds, seeded(seed).fork('folds'))
    for (const [f, fold] of parts.entries()) {
      const held = new Set(fold.groups)
      const training = sampled.filter((l) => !held.has(l.group))
      const setting = await chooseSetting(settings, fold, { training, test: fold.train }, shape, seed)
      chosen.push(setting.name)
      const got = await scoreAll(training, fold.test, shape, setting, seed)
      for (const [i, list] of fold.test.entries()) scores.set(list, got[i])
      log(`seed ${seed}, fold ${f + 1} of ${parts.length}: ${setting.name}`)
    }
    reports.push(
      evaluateRanking(
        lists,
        lists.map((l) => scores.get(l)),
        options,
      ),
    )
  }
  const model = averageReports(reports, options)
  const baselines = Object.fromEntries(
    Object.entries(rankingBaselines(estate, featureSpec)).map(([name, scorer]) => [name, evaluateScorer(lists, scorer, options)]),
  )
  const study = studyRanking(model, baselines, { rng: seeded(1).fork('differences') })
  const groups = new Set(lists.map((l) => l.group)).size
  return { model, baselines, study, chosen, groups, perSeed: reports.map((r) => r.mrr.value), queries: lists.length, unit: options.unit }
}

const estimate = ({ value, low, high }) => `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
const signed = (value) => `${value < 0 ? '' : '+'}${value.toFixed(3)}`
const difference = ({ value, low, high }) => `${signed(value)} [${signed(low)}, ${signed(high)}]`

/** A study as rows of the bench's table. */
export function rowsOf(title, { model, baselines, study }) {
  const row = (name, report, d) => ({
    [title]: name,
    MRR: estimate(report.mrr),
    'Hits@1': report.hits1.value.toFixed(3),
    'Hits@3': report.hits3.value.toFixed(3),
    'Hits@10': report.hits10.value.toFixed(3),
    'NDCG@10': estimate(report.ndcg10),
    'GGNN less it (MRR)': d ? difference(d.byGroup ?? d.byQuery) : '',
  })
  const of = (name) => study.differences.find((d) => d.baseline === name)
  return [row('GGNN', model), ...Object.entries(baselines).map(([name, report]) => row(name, report, of(name)))]
}

export function notesOf(name, { study, chosen, groups, perSeed, queries, unit, model }) {
  const names = [...new Set(chosen)]
  const how = names.length > 1 ? 'settings chosen inside the training folds' : 'setting'
  const counts = names.map((name) => `${name} ${chosen.filter((c) => c === name).length}x`)
  const tell = (d) => `${d.baseline}: ${difference(d.byQuery)} over queries${d.byGroup ? `, ${difference(d.byGroup)} over groups` : ''}`
  const verdict = (d) => (isBeyond(d) ? 'beyond the interval' : 'NOT beyond the interval')
  return [
    `${name}: ${queries} queries (${model.n} judged) of ${groups} groups, ${model.candidates.toFixed(1)} candidates on average; intervals resample ${unit === 'group' ? 'groups' : 'queries'}`,
    `  MRR by seed ${perSeed.map((m) => m.toFixed(3)).join(', ')} (mean ${meanOf(perSeed).toFixed(3)}); ${how}: ${counts.join(', ')}`,
    `  against the strongest baseline, ${verdict(study.best)}: ${tell(study.best)}`,
    `  against the rule that is one of its own numbers, ${verdict(study.givenRule)}: ${tell(study.givenRule)}`,
  ]
}
