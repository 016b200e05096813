import type { EnhancementResult } from '../../datasets/enhancement/enhance-version.js'
import type { DatasetJobInput } from '../../datasets/exchange/job-options.js'
import { parseValidationOptions, type ValidationOptionsInput } from '../../datasets/validation/options.js'
import type { ValidationReport } from '../../datasets/validation/validate.js'
import { validateVersion } from '../../datasets/validation/validate-version.js'
import type { DatasetVersion } from '../../datasets/version.js'
import { startRun } from '../../jobs.js'
import type { Database } from '../../postgres/sql.js'
import { followEvents } from '../../runs/follow.js'
import { readRun } from '../../runs/store.js'
import { enhanceDataset, type Parts, validateDataset } from '../../training-data.js'
import { type ErrorCode, EspalierError, errorCodes } from '../../util/error.js'
import type { Run } from '../../vocabulary.js'
import { type Call, type Route, reach, versionOf } from './call.js'
import { versionJson } from './json.js'

/** Rows that are judged or enhanced while the caller waits; more become a run. */
export const largestDirect = 20_000
/** Bytes of a file that is imported while the caller waits. */
export const largestDirectBytes = 32 * 2 ** 20

/** Queues work on a dataset for whoever has been let through. */
export const queueDatasetWork = (database: Database, options: DatasetJobInput): Promise<Run> =>
  startRun(database, { kind: 'dataset', options }, new Date())

/** Rows that are judged in the server's own process: its near-duplicates and label noise are computed in one go, while nobody else is served. */
const largestOwn = 300
/** How long a caller is kept waiting for a worker. */
const patienceMs = 60_000

/** The run once it has ended: what made it fail is thrown, and TIMEOUT when it is still under way after a minute. */
async function endOf(database: Database, id: string): Promise<Run> {
  const events = followEvents(database, id)
  const timer = setTimeout(() => void events.return?.(), patienceMs)
  try {
    for await (const _ of events);
  } finally {
    clearTimeout(timer)
  }
  const run = (await readRun(database, id))!
  if (run.state === 'completed') return run
  const { code, message } = run.error ?? {}
  if (code !== undefined && Object.hasOwn(errorCodes, code)) throw new EspalierError(code as ErrorCode, message ?? `run ${id} failed`)
  throw new EspalierError('TIMEOUT', `run ${id} is ${run.state}, expected it to be completed within ${patienceMs / 1000} s`, {
    remedy: 'Is a worker running? Ask for the run later, or send the request again: what was judged is kept.',
  })
}

/** The report on a version, made by a worker unless it is a small one; the caller waits either way. */
export async function judge(
  parts: Parts,
  version: DatasetVersion,
  { options, fresh = false }: { options?: ValidationOptionsInput; fresh?: boolean } = {},
): Promise<{ report: ValidationReport; cached: boolean }> {
  parseValidationOptions(options)
  if (version.rowCount <= largestOwn) return validateDataset(parts, version, { ...(options && { options }), fresh })
  const { database, blobs, actor } = parts
  const { projectId, id: versionId } = version
  const job = { projectId, createdBy: actor, versionId, fresh, ...(options && { options }) }
  const { result } = await endOf(database, (await queueDatasetWork(database, { operation: 'validate', ...job })).id)
  const { report } = await validateVersion(database, blobs, { versionId, ...(options && { options }) }, new Date())
  return { report, cached: result?.['cached'] === true }
}

/** What is answered in place of a result: where to look for it. */
export function queued({ response }: Call, run: Run) {
  response.status(202).set('location', `/api/training-data/runs/${run.id}`)
  return { run_id: run.id, state: run.state }
}

type OnVersion<Job> = Job extends { versionId: string } ? Omit<Job, 'versionId' | 'projectId' | 'createdBy'> : never

/** Leaves work on a version to a run, and answers where to look for it. */
async function queueOn(call: Call, { id: versionId, projectId }: DatasetVersion, work: OnVersion<DatasetJobInput>) {
  const { parts, principal } = call
  return queued(call, await queueDatasetWork(parts.database, { ...work, projectId, createdBy: principal.name, versionId }))
}

/** Whether the caller waits: as it says, else as much as there is to do. */
export const waits = ({ parameters }: Pick<Call, 'parameters'>, isSmall: boolean): boolean => parameters.flag('wait') ?? isSmall

const reportJson = ({ qualityScore, requiredLabels, statistics, quality, ...rest }: ValidationReport) => ({
  ...rest,
  quality_score: qualityScore,
  required_labels: requiredLabels,
  statistics: {
    rows: statistics.rows,
    text_length: statistics.textLength,
    mean_confidence: statistics.meanConfidence,
    labels: statistics.labels,
    sources: statistics.sources,
    near_duplicates: statistics.nearDuplicates,
  },
  quality: { ...quality, validShare: undefined, valid_share: quality.validShare },
})

export const validate: Route = async (call) => {
  const dataset = await reach(call, 'training_data:write', 'validate a dataset')
  const version = await versionOf(call, dataset)
  const given = call.parameters.object('options') ?? {}
  const required = call.parameters.json('required_labels')
  const options = { ...given, ...(required !== undefined && { requiredLabels: required }) } as never
  const fresh = call.parameters.flag('fresh') ?? false
  const direct = waits(call, version.rowCount <= largestDirect)
  call.parameters.end()
  if (!direct) return queueOn(call, version, { operation: 'validate', options, fresh })
  const { report, cached } = await judge(call.parts, version, { options, fresh })
  return { version: versionJson(version), cached, ...reportJson(report) }
}

const enhancementJson = ({ report, version, isNew }: EnhancementResult) => ({
  rows_before: report.rowsBefore,
  rows_after: report.rowsAfter,
  steps: report.steps,
  changes: report.changes,
  dropped: report.dropped,
  is_new: isNew,
  version: version && versionJson(version),
})

export const enhance: Route = async (call) => {
  const dataset = await reach(call, 'training_data:write', 'enhance a dataset')
  const version = await versionOf(call, dataset)
  const steps = (call.parameters.json('steps') ?? { clean: {}, confidence: {}, duplicates: {} }) as never
  const dryRun = call.parameters.flag('dry_run') ?? false
  const description = call.parameters.text('description')
  const direct = waits(call, version.rowCount <= largestDirect)
  call.parameters.end()
  const more = description === undefined ? {} : { description }
  if (!direct) return queueOn(call, version, { operation: 'enhance', steps, dryRun, ...more })
  return enhancementJson(await enhanceDataset(call.parts, version, { options: steps, dryRun, ...more }))
}
