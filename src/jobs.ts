import { z } from 'zod'
import { resolveArtifact } from './artifacts/store.js'
import { type DeletionOptions, deletionOptions } from './catalog/deletion/deletion-options.js'
import { readProjectsWithEdges } from './catalog/deletion/project-store.js'
import { ingestOptions } from './catalog/ingest-options.js'
import { readSnapshotsById } from './catalog/reads/read-store.js'
import { datasetJobOptions } from './datasets/exchange/job-options.js'
import { resolveDatasetVersion } from './datasets/reference.js'
import { assertJudging, assertTrainable, findSplit } from './datasets/splits/split-store.js'
import { assertKind } from './datasets/store.js'
import { tasks } from './datasets/tasks/index.js'
import { modelNamed } from './models/registry.js'
import { learnPatternsOptions } from './patterns/learn-options.js'
import {
  type BuildDatasetOptions,
  buildDatasetOptions,
  type EvaluateTrainingOptions,
  evaluateTrainingOptions,
  exportMetricsOptions,
  gleanStepOptions,
  pipelineOptions,
  temporalOptions,
} from './pipeline-options.js'
import type { Client, Database, Sql } from './postgres/sql.js'
import {
  checkpointName,
  findCheckpoint,
  inheritCheckpoint,
  parseCheckpointName,
  type ResumableRun,
  readResumableRuns,
  type SavedCheckpoint,
} from './runs/checkpoint-store.js'
import { createRun, readRunsById } from './runs/store.js'
import {
  type EvaluateOptions,
  type EvaluateRankerOptions,
  type EvaluateReadoutOptions,
  evaluateOptions,
} from './training/jobs/evaluate-job.js'
import { type TrainGgnnOptions, type TrainRankerOptions, trainGgnnOptions } from './training/jobs/ranking-job.js'
import type { TrainReadoutOptions } from './training/jobs/readout-job.js'
import { assertJudgeable } from './training/judging/judgeable.js'
import { disagreements, overlayOptions } from './training/resume.js'
import { didYouMean } from './util/closest.js'
import { EspalierError } from './util/error.js'
import { canonicalJson } from './util/hash.js'
import { problemsOfOptions } from './util/option-problems.js'
import type { EdgeLabel, Properties, Run, RunKind } from './vocabulary.js'

interface Job<Schema extends z.ZodType> {
  options: Schema
  /** Decides what was left open (which projects, as of when) before the run is queued, so that its options tell all that it does. */
  settle(sql: Sql, options: z.output<Schema>, now: Date): Promise<z.output<Schema>>
}

const job = <Schema extends z.ZodType>(options: Schema, settle: Job<Schema>['settle'] = async (_, given) => given): Job<Schema> => ({
  options,
  settle,
})

async function projectsWith(sql: Sql, label: EdgeLabel | null, remedy: string): Promise<string[]> {
  const projectIds = await readProjectsWithEdges(sql, label)
  if (projectIds.length > 0) return projectIds
  throw new EspalierError('BAD_INPUT', `found no project with ${label ?? 'any'} edges, expected at least one`, { remedy })
}

/** Which projects, as of when, and what a model may know: all that the options leave to the task. */
async function settleRanking<T extends TrainRankerOptions | EvaluateRankerOptions>(
  sql: Sql,
  given: T,
  now: Date,
  settleSplit: SettleSplit,
): Promise<T> {
  const task = tasks[given.task]
  const { features } = given.lists
  const lists = { ...given.lists, features: { ...features, knownLinks: features.knownLinks ?? task.knownByDefault } }
  const options = { ...given, lists }
  if (options.datasetVersionId) {
    const { id, projectId, provenance } = await resolveDatasetVersion(sql, options.datasetVersionId)
    const isSplitByTime = typeof provenance['older'] === 'number'
    const split = await settleSplit(sql, id, options.split, isSplitByTime)
    assertJudgeable('rank', options.training, isSplitByTime || split)
    await assertKind(sql, id, ['ranking'])
    return { ...options, datasetVersionId: id, projectIds: [projectId] }
  }
  await settleSplit(sql, null, options.split)
  assertJudgeable('rank', options.training, options.splitAt !== undefined)
  return {
    ...options,
    projectIds: options.projectIds ?? (await projectsWith(sql, task.label, task.remedy)),
    asOf: options.asOf ?? now.toISOString(),
  }
}

/** Whether a stored split says what validation examples there are. It must be there, and have the parts that are needed. */
type SettleSplit = (sql: Sql, versionId: string | null, split: string | undefined, isSplitByTime?: boolean) => Promise<boolean>

const settleTrainingSplit: SettleSplit = async (...asked) => {
  const found = await namedSplit(...asked)
  return found !== null && assertTrainable(found)
}

/** Of an evaluation: validation is what a split has besides the part that is judged in the end. */
const settleJudgedSplit: SettleSplit = async (...asked) => {
  const found = await namedSplit(...asked)
  return found !== null && assertJudging(found) === 'test' && found.options.parts.includes('validation')
}

async function namedSplit(sql: Sql, versionId: string | null, split: string | undefined, isSplitByTime = false) {
  if (split === undefined) return null
  if (versionId !== null && !isSplitByTime) return findSplit(sql, versionId, split)
  const found = versionId === null ? 'no dataset version' : 'a dataset version that is split by time'
  throw new EspalierError('BAD_INPUT', `split: found ${found}, expected one that has the stored split "${split.slice(0, 100)}"`, {
    remedy: 'Name the dataset version that was split, or leave out the split.',
  })
}

async function settleTraining(sql: Sql, options: TrainGgnnOptions, now: Date): Promise<TrainGgnnOptions> {
  if (options.readout !== 'rank') return settleReadout(sql, options)
  const settled = await settleRanking(
    sql,
    { ...options, component: options.component ?? tasks[options.task].component },
    now,
    settleTrainingSplit,
  )
  return { ...settled, glean: settleGlean(settled) }
}

/** A dataset version decides the project, and must be of the kind that the read-out learns from. */
async function settleReadout<T extends TrainReadoutOptions | EvaluateReadoutOptions>(
  sql: Sql,
  options: T,
  settleSplit = settleTrainingSplit,
): Promise<T> {
  const { id, projectId } = await resolveDatasetVersion(sql, options.datasetVersionId)
  assertJudgeable(options.readout, options.training, await settleSplit(sql, id, options.split))
  await assertKind(sql, id, [options.readout])
  return { ...options, datasetVersionId: id, projectIds: [projectId] }
}

/** What is judged, and on what: an artifact by its id, whatever it was named by. */
async function settleEvaluation(sql: Sql, given: EvaluateOptions, now: Date): Promise<EvaluateOptions> {
  const options =
    given.readout === 'rank' ? await settleRanking(sql, given, now, settleJudgedSplit) : await settleReadout(sql, given, settleJudgedSplit)
  if (options.artifact === undefined) return options
  const artifact = await resolveArtifact(sql, options.artifact)
  const { examples } = modelNamed(artifact.manifest.model.name)
  const readout = examples === 'ranking' ? 'rank' : examples
  if (readout === options.readout) return { ...options, artifact: artifact.id }
  throw new EspalierError(
    'BAD_INPUT',
    `artifact: found ${artifact.id}, a model with the read-out ${readout}, expected ${options.readout}`,
    {
      remedy: `Ask for the read-out ${readout}, or name another artifact.`,
    },
  )
}

function settleGlean({ glean, datasetVersionId, projectIds }: TrainRankerOptions): TrainRankerOptions['glean'] {
  if (!glean.enable) return glean
  if (datasetVersionId)
    throw new EspalierError('BAD_INPUT', 'glean.enable: history is added where lists are made from the catalog, not to a stored dataset', {
      remedy: 'Leave out either the dataset or the history.',
    })
  return { ...glean, projectId: glean.projectId ?? projectIds![0]! }
}

/** A snapshot goes only with the project that it is named with: that one is what permission was asked for. */
async function settleDeletion(sql: Sql, options: DeletionOptions): Promise<DeletionOptions> {
  if (options.snapshotId === undefined) return options
  const [snapshot] = await readSnapshotsById(sql, [options.snapshotId])
  if (snapshot?.projectId === options.projectId) return options
  throw new EspalierError('NOT_FOUND', `project "${options.projectId}" has no snapshot ${options.snapshotId}`)
}

/** Other runs that options name must be of the project they are named with: that one is what permission was asked for. */
async function assertOwnRuns(sql: Sql, projectId: string, runIds: Readonly<Record<string, string | undefined>>): Promise<void> {
  const named = Object.entries(runIds).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const found = await readRunsById(
    sql,
    named.map(([, id]) => id),
  )
  for (const [i, [option, id]] of named.entries())
    if (found[i]?.projectId !== projectId)
      throw new EspalierError('NOT_FOUND', `${option}: project "${projectId}" has no run ${id}`, { remedy: 'List its runs to find it.' })
}

/** What leaves its moment open is of when it is queued. */
const asOfNow = <T extends BuildDatasetOptions | EvaluateTrainingOptions>(options: T, now: Date): T => ({
  ...options,
  asOf: options.asOf ?? now.toISOString(),
})

/** Kind of run -> its options, and how they are settled. The worker has what does the work. */
export const jobs = {
  // whenever it is worked on, and however often: it tells of one time
  ingest: job(ingestOptions, async (_, options, now) => ({ ...options, observedAt: options.observedAt ?? now.toISOString() })),
  delete: job(deletionOptions, settleDeletion),
  'learn-patterns': job(learnPatternsOptions, async (sql, options) => ({
    ...options,
    projectIds: [...new Set(options.projectIds ?? (await projectsWith(sql, null, 'Ingest an estate first.')))],
  })),
  'train-ggnn': job(trainGgnnOptions, settleTraining),
  evaluate: job(evaluateOptions, settleEvaluation),
  pipeline: job(pipelineOptions, async (_, options, now) => ({
    ...options,
    asOf: options.asOf ?? options.observedAt ?? now.toISOString(),
  })),
  'glean-history': job(gleanStepOptions),
  'temporal-analysis': job(temporalOptions),
  'build-dataset': job(buildDatasetOptions, async (sql, options, now) => {
    await assertOwnRuns(sql, options.projectId, { gleanRunId: options.gleanRunId })
    return asOfNow(options, now)
  }),
  'evaluate-training': job(evaluateTrainingOptions, async (sql, options, now) => {
    await assertOwnRuns(sql, options.projectId, { trainRunId: options.trainRunId, temporalRunId: options.temporalRunId })
    return asOfNow(options, now)
  }),
  'export-metrics': job(exportMetricsOptions, async (sql, options) => {
    await assertOwnRuns(sql, options.projectId, { evaluationRunId: options.evaluationRunId })
    return options
  }),
  // who asks has been through the doors of training data: startRun itself takes this kind of admins alone
  dataset: job(datasetJobOptions),
} satisfies { [Kind in RunKind]: Job<z.ZodType> }

/** The options of a run with every default filled in; BAD_INPUT lists each problem. */
export function parseJobOptions<Kind extends RunKind>(kind: Kind, given: unknown): z.output<(typeof jobs)[Kind]['options']> {
  const schema: z.ZodType = jobs[kind].options
  const parsed = schema.safeParse(given, { reportInput: true })
  if (parsed.success) return parsed.data as z.output<(typeof jobs)[Kind]['options']>
  const problems = problemsOfOptions(kind, schema, given, parsed.error)
  throw new EspalierError(
    'BAD_INPUT',
    `options of ${kind}: ${problems.length} problem(s), the first at ${problems[0]!.where}: found ${problems[0]!.found}, expected ${problems[0]!.expected}`,
    {
      problems,
      remedy: problems[0]!.suggestion ?? (problems[0]!.found === 'nothing' ? 'Give it.' : 'Correct these options, or leave them out.'),
    },
  )
}

type Options = Readonly<Record<string, unknown>>

/** The run that a new one goes on from, and the checkpoint. */
interface Origin {
  run: ResumableRun
  checkpoint: SavedCheckpoint
}

const underWay: ReadonlySet<string> = new Set(['pending', 'running'])

/** The newest run that has all that is given. */
function lastLike(kind: RunKind, runs: readonly ResumableRun[], given: Options): ResumableRun {
  const found = runs.find((run) => disagreements(run.options, given).length === 0)
  if (found) return found
  // an option that no run can have is told as that
  parseJobOptions(kind, runs[0] ? overlayOptions(runs[0].options, given) : given)
  const differing = runs[0] ? disagreements(runs[0].options, given) : []
  const closest = runs[0] ? `; the last one, ${runs[0].id}, had other ${differing.slice(0, 5).join(', ')}` : ''
  throw new EspalierError('NOT_FOUND', `resume latest: there is no ${kind} run with a checkpoint that has these options${closest}`, {
    remedy: runs.length > 0 ? 'Name fewer options, or the run or the checkpoint itself (run@step).' : 'Start a run without it first.',
  })
}

/** Where `resume` leads: BAD_INPUT for what names no checkpoint, NOT_FOUND, or CONFLICT for a run that is still under way. */
async function findOrigin(sql: Sql, kind: RunKind, { resume, ...given }: Options): Promise<Origin | null> {
  if (resume === undefined || resume === null) return null
  const named = typeof resume === 'string' ? parseCheckpointName(resume) : null
  if (!named && resume !== 'latest')
    throw new EspalierError('BAD_INPUT', `resume: found ${JSON.stringify(resume)}, expected latest, the id of a run, or run@step`, {
      remedy: (typeof resume === 'string' && didYouMean(resume, ['latest'])) || 'See the checkpoints of a run.',
    })
  const runs = await readResumableRuns(sql, kind)
  const run = named ? runs.find(({ id }) => id === named.runId) : lastLike(kind, runs, given)
  if (!run) throw new EspalierError('NOT_FOUND', `resume: there is no ${kind} run ${named!.runId} that has a checkpoint`)
  if (underWay.has(run.state))
    throw new EspalierError('CONFLICT', `resume: run ${run.id} is ${run.state}: it goes on from its checkpoint by itself`, {
      remedy: 'Watch it, or pause or cancel it first.',
    })
  return { run, checkpoint: await findCheckpoint(sql, run.id, named?.step ?? null) }
}

/** What is asked for; of a run that goes on from another, over what that one was asked for. */
async function withOrigin(sql: Sql, kind: RunKind, given: unknown): Promise<{ options: unknown; origin: Origin | null }> {
  if (kind !== 'train-ggnn' || typeof given !== 'object' || given === null) return { options: given, origin: null }
  const options = await resolveDataset(sql, given as Options)
  const origin = await findOrigin(sql, kind, options)
  if (!origin) return { options, origin }
  return { options: { ...overlayOptions(origin.run.options, options), resume: checkpointName(origin.checkpoint) }, origin }
}

/** Names of dataset versions mean other ones tomorrow: it is ids that runs are compared by. */
async function resolveDataset(sql: Sql, options: Options): Promise<Options> {
  const { datasetVersionId } = options
  return typeof datasetVersionId === 'string' && datasetVersionId !== ''
    ? { ...options, datasetVersionId: (await resolveDatasetVersion(sql, datasetVersionId)).id }
    : options
}

export interface StartRequest {
  kind: RunKind
  /** any part of the kind's options */
  options?: unknown
  name?: string
  priority?: number
  /** seconds that one attempt may take (default: no limit) */
  timeoutSeconds?: number
  /** failed attempts that are tried again (default 2) */
  retryLimit?: number
  /** the run that it is a part of */
  parentId?: string
}

/**
 * Validates and settles the options of a run, and queues it: what it will do is fully told by the options of the answer. `alongside`
 * runs in the transaction that queues it.
 */
export async function startRun(
  database: Database,
  { kind, options = {}, ...request }: StartRequest,
  now: Date,
  alongside: (client: Client, run: Run) => Promise<void> = async () => {},
): Promise<Run> {
  const { settle } = jobs[kind] as unknown as Job<z.ZodType>
  const { options: asked, origin } = await withOrigin(database, kind, options)
  const settled = await settle(database, parseJobOptions(kind, asked), now)
  const { projectIds, projectId } = settled as { projectIds?: string[]; projectId?: string }
  return database.transaction(async (client) => {
    const run = await createRun(client, {
      kind,
      options: JSON.parse(canonicalJson(settled)) as Properties,
      projectId: projectId ?? projectIds?.[0] ?? null,
      ...request,
    })
    if (origin) await inheritCheckpoint(client, run.id, origin.checkpoint)
    await alongside(client, run)
    return run
  })
}
