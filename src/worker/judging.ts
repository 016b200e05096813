import { type Artifact, readArtifact } from '../artifacts/store.js'
import type { DatasetSplit } from '../datasets/splits/split-store.js'
import { readDatasetVersion } from '../datasets/store.js'
import type { DatasetVersion } from '../datasets/version.js'
import type { Model } from '../models/model.js'
import { models } from '../models/registry.js'
import { createTrainer } from '../models/trainer.js'
import type { Claim } from '../runs/attempt.js'
import { readRun } from '../runs/store.js'
import { type AnyExample, openSession } from '../serving/session.js'
import type { EvaluateOptions } from '../training/jobs/evaluate-job.js'
import type { LearningTask } from '../training/jobs/learning-task.js'
import { train } from '../training/train.js'
import { EspalierError } from '../util/error.js'
import type { Properties } from '../vocabulary.js'
import { recordTraining } from './record-training.js'
import type { TaskContext } from './task.js'

type Context = TaskContext<EvaluateOptions>

/** Ends an evaluation when its run is to stop: it keeps no state worth resuming, it begins again. */
export class Interrupted extends Error {
  constructor(readonly state: 'paused' | 'cancelled' | 'drained') {
    super(state)
  }
}

const states = { pause: 'paused', cancel: 'cancelled', drain: 'drained' } as const

/** Throws Interrupted where the run is to stop. */
export function assertWanted(claim: Pick<Claim, 'wanted' | 'signal'>): void {
  claim.signal.throwIfAborted()
  const asked = claim.wanted()
  if (asked) throw new Interrupted(states[asked])
}

/** Scores examples, in the order that they come in; none for one that cannot be encoded. */
export interface Answering<Example> {
  score(examples: readonly Example[]): Promise<number[][]>
  modelOptions: Record<string, unknown>
  close(): Promise<void>
}

export interface FoldRequest<Example> {
  // biome-ignore lint/suspicious/noExplicitAny: the options of each were parsed by its own schema
  model: Model<any, Example>
  modelOptions: Record<string, unknown>
  task: LearningTask<Example>
  training: readonly Example[]
  validation: readonly Example[]
}

/** Metrics of a fold's training go under its own names, so that the curves of the folds lie side by side. */
function inFold<T extends Context>(context: T, fold: string): T {
  const { claim } = context
  const record: typeof claim.record = (body) => claim.record(body.type === 'metric' ? { ...body, name: `${fold}.${body.name}` } : body)
  return { ...context, claim: { ...claim, record } }
}

async function* withoutCheckpoints<T extends { type: string }>(events: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const event of events) if (event.type !== 'checkpoint') yield event
}

/** Trains on what is not held out and answers with the weights that would ship; throws Interrupted. Close it. */
export async function trainFold<Example>(context: Context, fold: string, request: FoldRequest<Example>): Promise<Answering<Example>> {
  const { platform, claim, options } = context
  const { training: how } = options
  const executor = await platform.executorFor(how.executor)
  const events = train<Example>({ ...request, options: how, executor, control: claim.wanted })
  const end = await recordTraining(inFold(context, fold), withoutCheckpoints(events), how.maxCheckpoints)
  if (end.state !== 'finished') throw new Interrupted(end.state)
  const { model } = request
  const { modelOptions, parameters } = end.result
  const trainer = createTrainer({ model, options: modelOptions, executor, seed: 0, threads: how.threads })
  trainer.restore({ ...trainer.state(), parameters })
  return {
    modelOptions,
    score: async (examples) => (await trainer.evaluate(model.encode(examples, modelOptions).batch)).scores,
    close: () => trainer.close(),
  }
}

/** A published artifact, verified, as it ships. */
export interface Published<Example> extends Answering<Example> {
  artifact: Artifact
  featureSpec: unknown
}

/** Opens the artifact that is judged. Close it. */
export async function openPublished<Example extends AnyExample>(
  { platform, claim, options }: Context,
  artifactId: string,
): Promise<Published<Example>> {
  const { database, blobs } = platform
  const artifact = await readArtifact(database, artifactId)
  const session = await openSession(artifact, { blobs, models, threads: options.training.threads })
  await claim.record({ type: 'log', level: 'info', message: `judges ${artifact.id} as it is: nothing is trained` })
  return {
    artifact,
    featureSpec: session.featureSpec,
    modelOptions: artifact.manifest.model.options,
    async score(examples) {
      const scores = await session.score(examples, 'fp32')
      // what cannot be encoded is not answered, as in training
      return scores.map((each) => (each instanceof EspalierError ? [] : each))
    },
    close: () => session.close(),
  }
}

/** Whether both made their lists from the catalog of one project, whatever datasets they kept them in. */
function shareCatalog(then: Properties, now: EvaluateOptions): boolean {
  if (then['datasetVersionId'] !== undefined || now.datasetVersionId !== undefined) return false
  const projects = new Set(Array.isArray(then['projectIds']) ? then['projectIds'] : [])
  return (now.projectIds ?? []).some((id) => projects.has(id))
}

/**
 * What a result tells of an artifact: its id, and whether it may have learned from what it is judged on (a version of the same dataset, or
 * the catalog of the same project, unless it is judged on the test of the very split that it was trained by), which is said in the log too.
 */
export async function toldOfLearning(
  { platform, claim, options }: Context,
  { id, runId, manifest }: Artifact,
  version: DatasetVersion,
  split: DatasetSplit | null,
): Promise<{ artifact: string; mayHaveLearned: boolean }> {
  const run = runId ? await readRun(platform.database, runId) : null
  const used = (run?.result?.['dataset'] as { split?: { membershipHash?: string } } | undefined)?.split?.membershipHash
  const isApart = split !== null && used === split.membershipHash && split.options.parts.includes('test')
  const own = manifest.dataset && (await readDatasetVersion(platform.database, manifest.dataset.version_id).catch(() => null))
  const isOfSameData = manifest.dataset?.hash === version.hash || own?.datasetId === version.datasetId
  const mayHaveLearned = !isApart && (isOfSameData || (run !== null && shareCatalog(run.options, options)))
  if (mayHaveLearned) {
    const message = `${id} learned from this dataset: what it is judged on here is no unseen data. Name the split that it was trained by, or other data.`
    await claim.record({ type: 'log', level: 'warn', message })
  }
  return { artifact: id, mayHaveLearned }
}
