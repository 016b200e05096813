import { readArtifact } from '../../artifacts/store.js'
import { chooseTransport, gleanHowTo } from '../../catalog/glean/open.js'
import { readLedgerPosition } from '../../catalog/reads/position-store.js'
import { countFacts, readSnapshots } from '../../catalog/reads/read-store.js'
import { readDatasetVersion } from '../../datasets/store.js'
import { parseSetId, readLearning } from '../../patterns/store.js'
import type { PipelineOptions } from '../../pipeline-options.js'
import { EspalierError } from '../../util/error.js'
import { canonicalJson } from '../../util/hash.js'
import { describeProblem, type Problem } from '../../util/problem.js'
import type { Properties, Run, RunKind } from '../../vocabulary.js'
import type { TaskContext } from '../task.js'

export const pipelineSteps = ['ingest', 'glean', 'learn', 'temporal', 'dataset', 'train', 'evaluate', 'export'] as const
export type StepName = (typeof pipelineSteps)[number]

/** What is known when a step is planned. */
export interface Progress {
  context: TaskContext<PipelineOptions>
  /** the runs of the steps before */
  done: Partial<Record<StepName, Run>>
  /** step -> why the pipeline goes without it */
  without: Partial<Record<StepName, string>>
}

interface Plan {
  kind: RunKind
  options: Properties
  /** what the output depends on; null: on something outside (Glean), so that the step is always done */
  inputs: unknown
  /** attempts that are tried again (default 2) */
  retryLimit?: number
}

interface Step {
  plan(progress: Progress): Plan | Promise<Plan>
  /** why the pipeline does not take this step, or null */
  skip?(progress: Progress): string | null
  /** the pipeline goes on without it where it fails */
  isOptional?: boolean
  /** why an output that is there says nothing to go on with, or null */
  refuse?(progress: Progress, run: Run): Promise<string | null>
  /** whether the output of an earlier run is still there and true */
  isReusable?(progress: Progress, run: Run): Promise<boolean>
}

export const asProperties = (value: unknown): Properties => JSON.parse(canonicalJson(value)) as Properties

const position = ({ context: { platform, options } }: Progress): Promise<string> => readLedgerPosition(platform.database, options.projectId)
const resultOf = ({ done }: Progress, step: StepName): Properties => done[step]?.result ?? {}

/** What tells histories from Glean apart; null without one. */
const contentOf = (progress: Progress) => resultOf(progress, 'glean')['content'] ?? null
const setOf = (result: Properties | null): string => String(((result?.['patternSets'] ?? []) as Properties[])[0]?.['patternSetId'])
const patternSetOf = (progress: Progress): string => setOf(resultOf(progress, 'learn'))
export const problemsOf = (result: Properties | null) => (result?.['problems'] ?? []) as unknown as Problem[]

/** Whether what is read is there: NOT_FOUND is an answer, anything else a failure. */
const isThere = (reading: Promise<unknown>): Promise<boolean> =>
  reading.then(
    () => true,
    (thrown) => {
      if (thrown instanceof EspalierError && thrown.code === 'NOT_FOUND') return false
      throw thrown
    },
  )

/** A moment that was asked for is a part of what goes in; now is not: the same documents tell the same a minute later. */
const momentOf = ({ observedAt }: PipelineOptions) => (observedAt ? { observedAt } : {})

/** Why there is no Glean for this pipeline; null: it is there to be asked. */
function withoutGlean({ context: { platform, options } }: Progress): string | null {
  if (!options.enableGlean) return 'it was asked to go without'
  const { transport, notes } = chooseTransport(platform.config.glean)
  return transport ? null : `Glean is not configured${notes.length > 0 ? ` (${notes.join('; ')})` : ''}. ${gleanHowTo}`
}

/** The steps in their order: what each does, and what goes into it. */
export const steps: Record<StepName, Step> = {
  ingest: {
    plan({ context: { options } }) {
      const { projectId, systemId, sources, complete, variables, defaultDatabase, observedAt, asOf } = options
      const inputs = { projectId, systemId, sources, complete, variables, ...(defaultDatabase ? { defaultDatabase } : {}) }
      return { kind: 'ingest', options: { ...inputs, observedAt: observedAt ?? asOf! }, inputs: { ...inputs, ...momentOf(options) } }
    },
    async refuse({ context: { platform, options } }, { result }) {
      const { projectId, systemId, asOf } = options
      const kinds = ['Table', 'View', 'SqlQuery', 'ControlMJob'] as const
      const { nodes } = await countFacts(platform.database, { projectId, systemId, kinds, asOf: new Date(asOf!) })
      if (nodes > 0) return null
      const [first] = problemsOf(result)
      return `nothing could be read${first ? `: ${describeProblem(first)}` : ': the documents tell of no table and no job'}`
    },
    // what came after it may have changed what it said
    async isReusable({ context: { platform, options } }, { result }) {
      const { projectId, systemId } = options
      const [newest] = await readSnapshots(platform.database, { projectId, systemId }, { limit: 1 })
      return newest !== undefined && newest.id === result?.['snapshotId']
    },
  },
  glean: {
    isOptional: true,
    skip: withoutGlean,
    plan({ context: { options } }) {
      const { projectId, systemId, gleanDaysBack } = options
      return { kind: 'glean-history', options: { projectId, systemId, daysBack: gleanDaysBack }, inputs: null, retryLimit: 0 }
    },
  },
  learn: {
    async plan(progress) {
      const { projectId, gleanDaysBack } = progress.context.options
      // what could not be read a moment ago is not asked for again
      const options = { projectIds: [projectId], gleanDaysBack, enableGlean: progress.done.glean !== undefined }
      return { kind: 'learn-patterns', options, inputs: { projectId, position: await position(progress), glean: contentOf(progress) } }
    },
    isReusable: ({ context: { platform, options } }, { result }) =>
      isThere(readLearning(platform.database, options.projectId, parseSetId(setOf(result)).version)),
  },
  temporal: {
    async plan(progress) {
      const { projectId } = progress.context.options
      const patternSetId = patternSetOf(progress)
      return { kind: 'temporal-analysis', options: { projectId, patternSetId }, inputs: { projectId, patternSetId } }
    },
  },
  dataset: {
    async plan(progress) {
      const { projectId, asOf, train } = progress.context.options
      const gleanRunId = progress.done.glean?.id
      const { task, lists, training } = train
      const inputs = {
        projectId,
        task,
        lists,
        seed: training.seed,
        position: await position(progress),
        glean: contentOf(progress),
        ...momentOf(progress.context.options),
      }
      const options = { projectId, asOf: asOf!, train: asProperties(train), ...(gleanRunId ? { gleanRunId } : {}) }
      return { kind: 'build-dataset', options, inputs }
    },
    isReusable: ({ context: { platform } }, { result }) => isThere(readDatasetVersion(platform.database, String(result?.['versionId']))),
  },
  train: {
    plan(progress) {
      const { train, projectId } = progress.context.options
      const { versionId, hash } = resultOf(progress, 'dataset')
      return { kind: 'train-ggnn', options: { ...asProperties(train), datasetVersionId: versionId! }, inputs: { projectId, train, hash } }
    },
    isReusable: ({ context: { platform } }, { result }) => isThere(readArtifact(platform.database, String(result?.['artifactId']))),
  },
  evaluate: {
    async plan(progress) {
      const { projectId, asOf, enableIntelligenceMetrics } = progress.context.options
      const patternSetId = patternSetOf(progress)
      const { train, temporal } = progress.done
      const asked = { projectId, trainRunId: train!.id, temporalRunId: temporal!.id, patternSetId, enableIntelligenceMetrics }
      const inputs = { ...asked, position: await position(progress), ...momentOf(progress.context.options) }
      return { kind: 'evaluate-training', options: { ...asked, asOf: asOf! }, inputs }
    },
  },
  export: {
    isOptional: true,
    skip: withoutGlean,
    plan({ context: { options }, done }) {
      const { projectId, systemId } = options
      return { kind: 'export-metrics', options: { projectId, systemId, evaluationRunId: done.evaluate!.id }, inputs: null, retryLimit: 0 }
    },
  },
}
