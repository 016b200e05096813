import { countFacts, readEstate } from '../../catalog/reads/read-store.js'
import { askCases, type DomainTestCases } from '../../datasets/cases/case.js'
import { createDomainTestCases, joinEstates } from '../../datasets/cases/cases.js'
import { estatePredictor } from '../../datasets/cases/predictor.js'
import type { Estate } from '../../datasets/links/estate.js'
import { printLevels } from '../../evaluation/levels/score.js'
import { type Coverage, evaluateTrainingResults, type JudgedCheckpoint, type TrainingContext } from '../../evaluation/training-results.js'
import { type PatternSet, readLearning } from '../../patterns/store.js'
import type { EvaluateTrainingOptions } from '../../pipeline-options.js'
import { interrupted } from '../../runs/attempt.js'
import { readCheckpoints } from '../../runs/checkpoint-store.js'
import { latestMetrics, metricSeries } from '../../runs/metric-store.js'
import { readRun } from '../../runs/store.js'
import { EspalierError } from '../../util/error.js'
import { canonicalJson } from '../../util/hash.js'
import { seeded } from '../../util/random.js'
import type { Properties, Run } from '../../vocabulary.js'
import type { Task, TaskContext } from '../task.js'
import { baselinesOf } from './baselines.js'
import type { ForecastScore } from './temporal-analysis.js'

type Context = TaskContext<EvaluateTrainingOptions>

async function trainingRun({ platform, options }: Context): Promise<Run> {
  const run = await readRun(platform.database, options.trainRunId)
  if (run?.kind === 'train-ggnn' && run.state === 'completed') return run
  throw new EspalierError(
    'BAD_INPUT',
    `trainRunId: run ${options.trainRunId} is ${run ? `a ${run.kind}, ${run.state}` : 'unknown'}, expected a completed training`,
    {
      remedy: 'List the runs of kind train-ggnn.',
    },
  )
}

/** The pattern set that is named, or the newest; null where nothing was learned yet. */
async function patternsOf({ platform, options }: Context): Promise<PatternSet | null> {
  const { projectId, patternSetId } = options
  const version = patternSetId === undefined ? undefined : Number(patternSetId.split('@').at(-1))
  return readLearning(platform.database, projectId, version).catch((error) => {
    if (error instanceof EspalierError && error.code === 'NOT_FOUND' && patternSetId === undefined) return null
    throw error
  })
}

/** After each epoch: held-out queries whose answer came first. */
async function patternCounts({ platform }: Context, run: Run, heldOut: number): Promise<number[] | null> {
  const points = await metricSeries(platform.database, run.id, 'hits_at_1', { buckets: 10_000 })
  return points.length > 0 ? points.map(({ last }) => (Number.isFinite(last) ? last * heldOut : 0)) : null
}

/** What of the catalog the patterns say something of, as of when they were learned; nothing learned covers nothing that is known. */
function coverageOf(set: PatternSet | null): Record<string, Coverage> {
  if (!set) return {}
  const { columnPatterns, relationshipPatterns, temporalPatterns } = set.patterns
  const { columns, typeDistribution } = columnPatterns
  const { edges, dangling } = relationshipPatterns
  const sources = temporalPatterns?.combinedInsights.dataSources ?? []
  return {
    column_types: { covered: columns - (typeDistribution['unknown'] ?? 0), of: columns },
    relationships: { covered: edges, of: edges + dangling },
    temporal_sources: { covered: sources.filter(({ state }) => state === 'read').length, of: sources.length },
  }
}

/** Nodes of a catalog that cases are made of, at most: all of it is held in memory for that. */
const mostNodes = 500_000

/** The cases of the project, and of those beside it; null, with a warning, where it is too large to make any. */
async function makeCases({ platform, claim, options }: Context, set: PatternSet | null): Promise<DomainTestCases | null> {
  const filters = [...new Set([options.projectId, ...options.besideProjectIds])].map((projectId) => ({
    projectId,
    asOf: new Date(options.asOf!),
  }))
  let nodes = 0
  for (const filter of filters) nodes += (await countFacts(platform.database, filter)).nodes
  if (nodes > mostNodes) {
    const message = `${nodes} nodes are more than test cases are made of (${mostNodes}): nothing is measured on held-out facts`
    await claim.record({ type: 'log', level: 'warn', message })
    return null
  }
  const estates: Estate[] = []
  for (const filter of filters) estates.push(await readEstate(platform.database, filter))
  return createDomainTestCases(joinEstates(estates), set, { rng: seeded(options.seed).fork('cases') })
}

async function askAll({ claim }: Context, made: DomainTestCases): Promise<Record<string, string | null>> {
  const answers = await askCases(made, estatePredictor())
  await claim.record({ type: 'metric', name: 'progress', step: 2, value: 0.9 })
  return answers
}

/** Forecasts of the temporal analysis that were held against what came; null where there were none. */
async function forecastsOf({ platform, options }: Context): Promise<TrainingContext['forecasts']> {
  const run = options.temporalRunId ? await readRun(platform.database, options.temporalRunId) : null
  const forecasts = run?.result?.['forecasts'] as ForecastScore | undefined
  return forecasts && 'correct' in forecasts ? forecasts : null
}

/** The checkpoint of the weights that were published: the best one. */
async function checkpointOf({ platform }: Context, run: Run): Promise<JudgedCheckpoint | null> {
  const kept = await readCheckpoints(platform.database, run.id)
  const best = kept.find((checkpoint) => checkpoint.best) ?? kept[0]
  if (!best) return null
  const epoch = run.result?.['bestEpoch']
  return { runId: run.id, step: best.step, blob: best.blob, ...(typeof epoch === 'number' ? { epoch } : {}) }
}

/** The newest value of each metric that tells of what came of a training. */
async function modelMetrics({ platform }: Context, run: Run): Promise<Record<string, number>> {
  const points = await latestMetrics(platform.database, run.id)
  const { metrics, baselines } = (run.result ?? {}) as { metrics?: Record<string, number>; baselines?: Record<string, number> }
  // those of the weights that were published go before those of the last epoch
  const all = { ...Object.fromEntries(points.map(({ name, value }) => [name, value])), ...metrics, ...baselines }
  return Object.fromEntries(Object.entries(all).filter(([name]) => !ofMachine.test(name)))
}

async function contextOf(context: Context, run: Run, set: PatternSet | null): Promise<TrainingContext> {
  const { lists = 0, validationLists = 0 } = (run.result?.['dataset'] ?? {}) as { lists?: number; validationLists?: number }
  const counts = await patternCounts(context, run, validationLists)
  return {
    ...(counts ? { patternCounts: counts } : {}),
    coverage: coverageOf(set),
    trainingExamples: lists - validationLists,
    validationExamples: validationLists,
    forecasts: await forecastsOf(context),
  }
}

/** Judges a training by its own metrics and by held-out facts of the catalog. */
export const evaluateTraining: Task<EvaluateTrainingOptions> = async (context) => {
  const { claim, options } = context
  const wanted = claim.wanted()
  if (wanted) return interrupted[wanted]
  const run = await trainingRun(context)
  const set = await patternsOf(context)
  await claim.record({ type: 'metric', name: 'progress', step: 1, value: 0.3 })
  const made = await makeCases(context, set)
  const answers = made ? await askAll(context, made) : {}
  const enableIntelligenceMetrics = options.enableIntelligenceMetrics && made !== null
  const trained = { ...(await contextOf(context, run, set)), enableIntelligenceMetrics }
  const metrics = { ...(await baselinesOf(context.platform, run, options.projectId)), ...(await modelMetrics(context, run)) }
  const evaluation = evaluateTrainingResults(metrics, trained, await checkpointOf(context, run), answers, made?.cases)
  const { intelligence_metrics: report, recommendations } = evaluation
  const table = report ? printLevels(report) : null
  const lines = [...(table?.split('\n') ?? []), ...recommendations]
  for (const message of lines) await claim.record({ type: 'log', level: 'info', message })
  const told = { ...evaluation, trainRunId: run.id, patternSetId: set?.id ?? null, transferBetween: made?.domains ?? null, table }
  return { state: 'completed', result: JSON.parse(canonicalJson(told)) as Properties }
}

/** Metrics that tell of the machine and of how far a training is, not of what came of it. */
const ofMachine = /^(cpu_|gpu_|memory_|graphs_per_second|eta_seconds|progress|step_loss|gradient_norm|learning_rate|total_epochs)/
