import { appendAudit, saveProject } from './access/store.js'
import type { BlobStore } from './blobs/blob-store.js'
import { type EnhancementResult, enhanceVersion, type VersionEnhancement } from './datasets/enhancement/enhance-version.js'
import { type DatasetChanges, deleteDataset, findDatasetByName, readDataset, updateDataset } from './datasets/exchange/dataset-store.js'
import { type Export, type ExportOptions, exportVersion } from './datasets/exchange/export.js'
import { type ImportReport, type ImportRequest, importDataset } from './datasets/exchange/import.js'
import { addCounts, type Count, observed } from './datasets/exchange/metric-store.js'
import { rules, siteRules } from './datasets/rules/index.js'
import type { DatasetSplit } from './datasets/splits/split-store.js'
import { splitDatasetVersion } from './datasets/splits/split-version.js'
import { type NewDataset, readDatasetVersion, saveDataset, tagDatasetVersion } from './datasets/store.js'
import type { ValidationReport } from './datasets/validation/validate.js'
import { type VersionValidation, validateVersion } from './datasets/validation/validate-version.js'
import type { Dataset, DatasetVersion } from './datasets/version.js'
import { createVersionFrom, type Derivation } from './datasets/versions/derive.js'
import { type EditReport, type ExampleEdits, editExamples } from './datasets/versions/edit.js'
import { restoreVersion } from './datasets/versions/restore-store.js'
import type { Database, Sql } from './postgres/sql.js'
import { EspalierError } from './util/error.js'
import type { Properties } from './vocabulary.js'

/** What deeds on training data need, whoever asks: a request of the API, or a run. */
export interface Parts {
  database: Database
  blobs: BlobStore
  /** for the audit */
  actor: string
}

/** What is written to the audit log of training data. */
export type Deed = 'created' | 'uploaded' | 'modified' | 'validated' | 'enhanced' | 'exported' | 'deleted' | 'denied'

export const auditDeed = (sql: Sql, actor: string, deed: Deed, subject: string, details: Properties = {}): Promise<void> =>
  appendAudit(sql, { actor, action: `dataset-${deed}`, subject, details })

/** Runs `work` and counts how long it took; a failure counts as one where `failures` names a counter. */
export async function timed<T>(
  sql: Sql,
  metric: string,
  work: () => Promise<T>,
  counts: (result: T) => Count[] = () => [],
  failures?: string,
): Promise<T> {
  const began = performance.now()
  try {
    const result = await work()
    await addCounts(sql, [...observed(metric, (performance.now() - began) / 1000), ...counts(result)])
    return result
  } catch (error) {
    if (failures) await addCounts(sql, [{ name: failures, value: 1 }])
    throw error
  }
}

/** A new dataset without a version; CONFLICT when the project has one of this name. */
export async function createDataset({ database, actor }: Parts, input: NewDataset, now: Date): Promise<Dataset> {
  assertName(input.name)
  await saveProject(database, { id: input.projectId })
  return database.transaction(async (client) => {
    if (await findDatasetByName(client, input.projectId, input.name))
      throw new EspalierError('CONFLICT', `project "${input.projectId}" has a dataset "${input.name}" already`, {
        remedy: 'Choose another name, or import rows into that one.',
      })
    const dataset = await saveDataset(client, { ...input, createdBy: actor }, now)
    await auditDeed(client, actor, 'created', dataset.id, { project: dataset.projectId, name: dataset.name, kind: dataset.kind })
    return dataset
  })
}

function assertName(name: string): void {
  if (name.trim() !== '' && name.length <= 200) return
  throw new EspalierError('BAD_INPUT', `name of a dataset: found ${JSON.stringify(name.slice(0, 60))}, expected 1 to 200 characters`)
}

/** A file into a dataset, as its next version. */
export async function importFile({ database, blobs, actor }: Parts, request: ImportRequest): Promise<ImportReport> {
  const { projectId, name } = request.dataset
  assertName(name)
  await saveProject(database, { id: projectId })
  const isNew = (await findDatasetByName(database, projectId, name)) === null
  const report = await timed(database, 'import_duration_seconds', () => importDataset(database, blobs, { ...request, createdBy: actor }))
  const { version } = report
  if (isNew) await auditDeed(database, actor, 'created', version.datasetId, { project: projectId, name, kind: version.kind })
  await auditDeed(database, actor, 'uploaded', version.datasetId, {
    version: version.number,
    rows: version.rowCount,
    format: report.format,
    file: request.file ?? '',
    is_new: report.isNew,
  })
  return report
}

/** A version as a file: its bytes are written as they are read, and the time of it is counted at its end. */
export async function exportFile({ database, blobs, actor }: Parts, version: DatasetVersion, options: ExportOptions): Promise<Export> {
  const made = exportVersion(database, blobs, version, options)
  await auditDeed(database, actor, 'exported', version.datasetId, { version: version.number, format: made.format.name })
  const { bytes, format } = made
  async function* counted() {
    const began = performance.now()
    yield* bytes
    await addCounts(database, observed('format_conversion_duration_seconds', (performance.now() - began) / 1000, { format: format.name }))
  }
  return { ...made, bytes: counted() }
}

/** The report on a version; each error is counted by its rule. */
export async function validateDataset(
  { database, blobs, actor }: Parts,
  version: DatasetVersion,
  request: Omit<VersionValidation, 'versionId'> = {},
): Promise<{ report: ValidationReport; cached: boolean }> {
  const done = await timed(
    database,
    'validation_duration_seconds',
    () => validateVersion(database, blobs, { ...request, versionId: version.id }, new Date()),
    ({ report, cached }) => (cached ? [] : errorCounts(report)),
  )
  const { passed, total, errors, warnings, qualityScore } = done.report
  await auditDeed(database, actor, 'validated', version.datasetId, {
    version: version.number,
    passed,
    total,
    errors,
    warnings,
    quality_score: qualityScore,
  })
  return done
}

/** Errors by their rule; `types` is a row that does not fit its kind. */
function errorCounts({ counts }: ValidationReport): Count[] {
  const finders = [...rules, ...siteRules].filter((rule) => rule.severity === 'error').map((rule) => rule.name)
  return ['types', ...finders]
    .filter((rule) => (counts[rule] ?? 0) > 0)
    .map((rule) => ({ name: 'validation_errors_total', labels: { error_type: rule }, value: counts[rule]! }))
}

/** A version made better, as a new version; a dry run only tells what would be done. */
export async function enhanceDataset(
  { database, blobs, actor }: Parts,
  version: DatasetVersion,
  request: Omit<VersionEnhancement, 'versionId' | 'createdBy'>,
): Promise<EnhancementResult> {
  const done = await timed(
    database,
    'enhancement_duration_seconds',
    () => enhanceVersion(database, blobs, { ...request, versionId: version.id, createdBy: actor }, new Date()),
    () => [],
    'enhancement_failures_total',
  )
  if (done.version) {
    const { rowsBefore, rowsAfter, steps } = done.report
    await auditDeed(database, actor, 'enhanced', version.datasetId, {
      version: version.number,
      became: done.version.number,
      rows_before: rowsBefore,
      rows_after: rowsAfter,
      steps: steps.map((step) => step.name),
    })
  }
  return done
}

/** Says other things of a dataset. */
export async function changeDataset({ database, actor }: Parts, id: string, changes: DatasetChanges, now: Date): Promise<Dataset> {
  if (changes.name !== undefined) assertName(changes.name)
  return database.transaction(async (client) => {
    const changed = await updateDataset(client, id, changes, now)
    await auditDeed(client, actor, 'modified', id, { fields: Object.keys(changes) })
    return changed
  })
}

/** Takes a dataset out, with its versions. */
export async function removeDataset({ database, actor }: Parts, id: string): Promise<{ dataset: Dataset; versions: number }> {
  const dataset = await readDataset(database, id)
  const { versions } = await deleteDataset(database, id)
  await auditDeed(database, actor, 'deleted', id, { project: dataset.projectId, name: dataset.name, versions })
  return { dataset, versions }
}

/** Rows added, changed and removed from the latest version, as a new one. */
export async function editDataset(
  { database, blobs, actor }: Parts,
  edits: Omit<ExampleEdits, 'createdBy'>,
  now: Date,
): Promise<EditReport> {
  const done = await editExamples(database, blobs, { ...edits, createdBy: actor }, now)
  const { version, added, changed, removed } = done
  await auditDeed(database, actor, 'modified', version.datasetId, { version: version.number, added, changed, removed })
  return done
}

/** A version that was made, or found to be there. */
export interface Saved {
  version: DatasetVersion
  isNew: boolean
}

/** A version made of another one by modifications. */
export async function deriveVersion(
  { database, blobs, actor }: Parts,
  derivation: Omit<Derivation, 'createdBy'>,
  now: Date,
): Promise<Saved> {
  const saved = await createVersionFrom(database, blobs, { ...derivation, createdBy: actor }, now)
  await auditDeed(database, actor, 'modified', saved.version.datasetId, { version: saved.version.number, made_from: derivation.sourceId })
  return saved
}

/** The rows of an old version as those of a new one. */
export async function restoreDataset(
  { database, actor }: Parts,
  request: { versionId: string; description?: string },
  now: Date,
): Promise<Saved> {
  const saved = await restoreVersion(database, { ...request, createdBy: actor }, now)
  await auditDeed(database, actor, 'modified', saved.version.datasetId, { version: saved.version.number, restored: request.versionId })
  return saved
}

/** Names a version; a tag that there is moves to it. */
export async function tagVersion({ database, actor }: Parts, versionId: string, tag: string): Promise<DatasetVersion> {
  await tagDatasetVersion(database, versionId, tag)
  const version = await readDatasetVersion(database, versionId)
  await auditDeed(database, actor, 'modified', version.datasetId, { version: version.number, tag })
  return version
}

/** Splits a version and keeps the split. */
export async function splitVersion(
  { database, blobs, actor }: Parts,
  request: { versionId: string; name: string; options: unknown },
  now: Date,
): Promise<DatasetSplit> {
  const { split, isNew } = await splitDatasetVersion(database, blobs, { ...request, createdBy: actor }, now)
  const { datasetId, number } = await readDatasetVersion(database, request.versionId)
  if (isNew) await auditDeed(database, actor, 'modified', datasetId, { version: number, split: request.name })
  return split
}
