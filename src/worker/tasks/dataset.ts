import type { DatasetJobOptions } from '../../datasets/exchange/job-options.js'
import { readDatasetVersion } from '../../datasets/store.js'
import type { Outcome } from '../../runs/attempt.js'
import { saveRunFile } from '../../runs/file-store.js'
import { enhanceDataset, exportFile, importFile, type Parts, validateDataset } from '../../training-data.js'
import { EspalierError } from '../../util/error.js'
import { canonicalJson } from '../../util/hash.js'
import type { Properties } from '../../vocabulary.js'
import type { Task, TaskContext } from '../task.js'
import { heeding } from './ingest.js'

type Of<Operation extends DatasetJobOptions['operation']> = Extract<DatasetJobOptions, { operation: Operation }>
type Context<Options> = TaskContext<Options> & { parts: Parts; signal: AbortSignal }

/** Says how far it is, as the metric `progress` (0 to 1), twice a second at most. */
function progressOf({ claim }: Pick<TaskContext<unknown>, 'claim'>): (done: number, total: number) => void {
  let [step, told] = [0, Number.NEGATIVE_INFINITY]
  return (done, total) => {
    if (performance.now() - told < 500) return
    told = performance.now()
    // if it cannot be written, the next thing that is awaited says so
    claim
      .record({ type: 'metric', name: 'progress', step: ++step, value: total > 0 ? Math.min(1, done / total) : 0 })
      .catch(() => undefined)
  }
}

/** Bytes as they pass; stops when the run is told to. */
async function* watched(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  passed: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const piece of source) {
    signal.throwIfAborted()
    passed((bytes += piece.length))
    yield piece
  }
}

/** What came out, as a file of the run. */
async function keep(
  { platform, claim }: TaskContext<unknown>,
  name: string,
  content: AsyncIterable<Uint8Array> | Uint8Array,
  summary: Properties,
) {
  const blob = await platform.blobs.put(content)
  const bytes = (await platform.blobs.stat(blob))!.bytes
  await saveRunFile(platform.database, { runId: claim.run.id, attempt: claim.run.attempt, name, blob, bytes, summary })
  return { name, bytes, sha256: blob }
}

async function runImport(context: Context<Of<'import'>>): Promise<Properties> {
  const { platform, options, parts, signal } = context
  const { projectId, name, kind, description, blob, file, versionDescription, format, mapping, spans, keepUnknown, append } = options
  const total = (await platform.blobs.stat(blob))?.bytes ?? 0
  const tell = progressOf(context)
  const { version, isNew, problemCount, ...report } = await importFile(parts, {
    dataset: { projectId, name, kind, ...(description !== undefined && { description }) },
    source: watched(platform.blobs.read(blob), signal, (bytes) => tell(bytes, total)),
    file,
    keepUnknown,
    append,
    ...(format !== undefined && { format }),
    ...(mapping && { mapping }),
    ...(spans && { spans }),
    ...(versionDescription !== undefined && { description: versionDescription }),
    now: new Date(),
  })
  const { format: read, mapping: mapped, requiredLabels } = report
  return {
    versionId: version.id,
    datasetId: version.datasetId,
    number: version.number,
    hash: version.hash,
    rows: version.rowCount,
    isNew,
    format: read,
    mapping: mapped,
    requiredLabels,
    problemCount,
  }
}

async function runExport(context: Context<Of<'export'>>): Promise<Properties> {
  const { platform, options, parts, signal } = context
  const version = await readDatasetVersion(platform.database, options.versionId)
  const { bytes, fileName, mediaType, loses } = await exportFile(parts, version, options)
  const tell = progressOf(context)
  const file = await keep(
    context,
    fileName,
    watched(bytes, signal, (done) => tell(done, version.bytes)),
    { mediaType },
  )
  return { versionId: version.id, format: options.format, loses, file }
}

async function runValidation(context: Context<Of<'validate'>>): Promise<Properties> {
  const { options, parts, platform, signal } = context
  const version = await readDatasetVersion(platform.database, options.versionId)
  const tell = progressOf(context)
  const { report, cached } = await validateDataset(parts, version, {
    options: options.options,
    fresh: options.fresh,
    onProgress: (rows) => {
      signal.throwIfAborted()
      tell(rows, version.rowCount)
    },
  })
  const { passed, total, valid, invalid, qualityScore, errors, warnings } = report
  const file = await keep(context, 'validation.json', new TextEncoder().encode(JSON.stringify(report)), { passed })
  return { versionId: version.id, passed, total, valid, invalid, qualityScore, errors, warnings, cached, file }
}

async function runEnhancement(context: Context<Of<'enhance'>>): Promise<Properties> {
  const { options, parts, platform, signal } = context
  const { versionId, steps, dryRun, description } = options
  const source = await readDatasetVersion(platform.database, versionId)
  const tell = progressOf(context)
  const { report, version, isNew } = await enhanceDataset(parts, source, {
    options: steps,
    dryRun,
    onProgress: (rows, total) => {
      signal.throwIfAborted()
      tell(rows, total)
    },
    ...(description !== undefined && { description }),
  })
  const { rowsBefore, rowsAfter } = report
  const file = await keep(context, 'enhancement.json', new TextEncoder().encode(JSON.stringify(report)), { rowsBefore, rowsAfter })
  const made = version && { versionId: version.id, number: version.number, hash: version.hash }
  return { rowsBefore, rowsAfter, isNew, steps: report.steps.map((step) => ({ ...step })), version: made, file }
}

const operations: { [Operation in DatasetJobOptions['operation']]: (context: Context<Of<Operation>>) => Promise<Properties> } = {
  import: runImport,
  export: runExport,
  validate: runValidation,
  enhance: runEnhancement,
}

/**
 * Imports, exports, validates or enhances. Versions appear whole or not at all, and equal rows are the version there is: an attempt that was cut
 * short is simply made again. What is wrong with a file is kept as `problems.json`.
 */
export const datasetTask: Task<DatasetJobOptions> = (context) =>
  heeding(context.claim, async (signal): Promise<Outcome> => {
    const { platform, claim, options } = context
    const parts: Parts = { database: platform.database, blobs: platform.blobs, actor: options.createdBy }
    try {
      const operate = operations[options.operation] as (context: Context<DatasetJobOptions>) => Promise<Properties>
      const result = await operate({ ...context, parts, signal })
      return { state: 'completed', result: JSON.parse(canonicalJson(result)) as Properties }
    } catch (thrown) {
      if (thrown instanceof EspalierError && thrown.problems.length > 0) {
        await keep(context, 'problems.json', new TextEncoder().encode(JSON.stringify(thrown.problems)), {
          problems: thrown.problems.length,
        })
        await claim.record({
          type: 'log',
          level: 'error',
          message: `${thrown.problems.length} problem(s), the first at ${thrown.problems[0]!.where}`,
        })
      }
      throw thrown
    }
  })
