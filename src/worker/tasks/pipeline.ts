import { startRun } from '../../jobs.js'
import type { PipelineOptions } from '../../pipeline-options.js'
import type { Outcome } from '../../runs/attempt.js'
import { runStep, type StepEnd } from '../../runs/pipeline.js'
import { readPipelineStep } from '../../runs/pipeline-store.js'
import { contentHash } from '../../util/hash.js'
import { describeProblem } from '../../util/problem.js'
import type { Properties, Run } from '../../vocabulary.js'
import { asProperties, type Progress, pipelineSteps, problemsOf, type StepName, steps } from '../pipeline/steps.js'
import type { Task } from '../task.js'

/** Says that a step is not taken, and why; of what was wanted it is a warning. */
async function goWithout({ context, without }: Progress, step: StepName, reason: string): Promise<null> {
  without[step] = reason
  const isWanted = context.options.enableGlean
  await context.claim.record({ type: 'log', level: isWanted ? 'warn' : 'info', message: `without step ${step}: ${reason}` })
  return null
}

/** Why an optional step stays undone: it failed or was not taken, and a later one has begun that was made without it. */
async function wasGoneWithout({ context: { platform, claim } }: Progress, step: StepName): Promise<string | null> {
  const next = pipelineSteps[pipelineSteps.indexOf(step) + 1]
  if (!steps[step].isOptional || !next || !(await readPipelineStep(platform.database, claim.run.id, next))) return null
  const known = await readPipelineStep(platform.database, claim.run.id, step)
  if (!known) return 'it could not be taken when the steps after it began'
  return known.run.state === 'failed' ? known.run.error!.message : null
}

/** Does the step's run, of this pipeline or an earlier one, to its end. */
async function doStep(progress: Progress, step: StepName): Promise<StepEnd> {
  const { platform, claim, perform } = progress.context
  const index = pipelineSteps.indexOf(step)
  const tell = (fraction: number) => tellProgress(progress, (index + fraction) / pipelineSteps.length)
  await tell(0)
  const { kind, options, inputs, retryLimit } = await steps[step].plan(progress)
  const { id: parentId, priority } = claim.run
  const name = `${kind} of pipeline ${parentId.slice(0, 8)}`
  const request = { kind, options, name, parentId, priority, ...(retryLimit === undefined ? {} : { retryLimit }) }
  return runStep(
    { database: platform.database, claim, perform, log: platform.log },
    {
      step,
      inputHash: inputs === null ? null : contentHash({ kind, inputs }),
      create: (alongside) => startRun(platform.database, request, new Date(), alongside),
      isReusable: async (run) => (await steps[step].isReusable?.(progress, run)) ?? true,
      onProgress: tell,
    },
  )
}

/** Takes one step; null: it is done or gone without, and the next one may begin. */
async function take(progress: Progress, step: StepName): Promise<Outcome | null> {
  const failed = (error: NonNullable<Run['error']>): Outcome => ({
    state: 'failed',
    error: { ...error, message: `step ${step}: ${error.message}` },
  })
  const reason = steps[step].skip?.(progress) ?? (await wasGoneWithout(progress, step))
  if (reason !== null) return goWithout(progress, step, reason)
  const end = await doStep(progress, step)
  if (end.state !== 'ended') return { state: end.state }
  const { run } = end
  if (run.state !== 'completed') {
    const error = run.error ?? { code: 'CONFLICT', message: `run ${run.id} was cancelled` }
    return steps[step].isOptional && run.state === 'failed' ? goWithout(progress, step, error.message) : failed(error)
  }
  const refusal = await steps[step].refuse?.(progress, run)
  if (refusal) return failed({ code: 'BAD_INPUT', message: refusal })
  progress.done[step] = run
  await progress.context.claim.record({ type: 'log', level: 'info', message: `step ${step} is done` })
  return null
}

const tellProgress = ({ context: { claim } }: Progress, value: number): Promise<void> =>
  claim.record({ type: 'metric', name: 'progress', step: Math.round(value * 10_000), value })

/** What a pipeline came to: its steps with their runs and results, and what it went without. */
function summarize({ context, done, without }: Progress): Properties {
  const { claim } = context
  const told = pipelineSteps.map((step) => {
    const run = done[step]
    if (!run) return { step, state: 'left out', reason: without[step] ?? null }
    return { step, state: 'completed', runId: run.id, isReused: run.parentId !== claim.run.id }
  })
  const evaluation = done.evaluate?.result ?? {}
  const broken = problemsOf(done.ingest?.result ?? null).filter(({ severity }) => severity === 'error')
  const degraded = [
    ...(context.options.enableGlean ? Object.entries(without).map(([step, reason]) => `without ${step}: ${reason}`) : []),
    ...(broken.length > 0
      ? [`${broken.length} part(s) of the documents could not be read, the first: ${describeProblem(broken[0]!)}`]
      : []),
  ]
  return asProperties({
    steps: told,
    isDegraded: degraded.length > 0,
    degraded,
    without,
    snapshotId: done.ingest?.result?.['snapshotId'] ?? null,
    patternSets: done.learn?.result?.['patternSets'] ?? [],
    dataset: done.dataset?.result ?? null,
    artifactId: done.train?.result?.['artifactId'] ?? null,
    metrics: done.train?.result?.['metrics'] ?? null,
    evaluation,
    export: done.export?.result ?? null,
  })
}

/** From documents to an evaluated, exported model: one run, each step a child run, done within this attempt and its place. */
export const pipeline: Task<PipelineOptions> = async (context) => {
  const progress: Progress = { context, done: {}, without: {} }
  for (const step of pipelineSteps) {
    const outcome = await take(progress, step)
    if (outcome) return outcome
  }
  await tellProgress(progress, 1)
  return { state: 'completed', result: summarize(progress) }
}
