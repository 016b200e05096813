import { appendAudit, assertId, saveProject } from './access/store.js'
import type { BlobStore } from './blobs/blob-store.js'
import { type EnhancementResult, enhanceVersion, type VersionEnhancement } from './datasets/enhancement/enhance-version.js'
import { type DatasetChanges, deleteDataset, findDatasetByName, updateDataset } from './datasets/exchange/dataset-store.js'
import { type Export, type ExportOptions, exportVersion } from './datasets/exchange/export.js'
import { type ImportReport, type ImportRequest, importDataset } from './datasets/exchange/import.js'
import { addCounts, type Count, observed } from './datasets/exchange/metric-store.js'
import { type FitRequest, fitDatasetOperations, type OperateRequest, operateDatasetVersion } from './datasets/operations/operate-version.js'
import type { DatasetOperations } from './datasets/operations/operations-store.js'
import { rules, siteRules } from './datasets/rules/index.js'
import type { DatasetSplit } from './datasets/splits/split-store.js'
import { splitDatasetVersion } from './datasets/splits/split-version.js'
import { type Alongside, type NewDataset, readDatasetVersion, type SavedVersion, saveDataset, tagDatasetVersion } from './datasets/store.js'
import type { ValidationReport } from './datasets/validation/validate.js'
import { type VersionValidation, validateVersion } from './datasets/validation/validate-version.js'
import type { Dataset, DatasetVersion } from './datasets/version.js'
import { createVersionFrom, type Derivation } from './datasets/versions/derive.js'
import { type EditReport, type ExampleEdits, editExamples } from './datasets/versions/edit.js'
import { type Restoration, restoreVersion } from './datasets/versions/restore-store.js'
import type { Database, Sql } from './postgres/sql.js'
import { EspalierError } from './util/error.js'
import { storable } from './util/storable.js'
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
  return database.transaction(async (client) => {
    await saveProject(client, { id: input.projectId })
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
  if (name.trim() !== '' && name.length <= 200 && storable(name) === name) return
  throw new EspalierError(
    'BAD_INPUT',
    `name of a dataset: found ${JSON.stringify(name.slice(0, 60))}, expected 1 to 200 characters of text`,
  )
}

/** A file into a dataset, as its next version. */
export async function importFile({ database, blobs, actor }: Parts, request: ImportRequest): Promise<ImportReport> {
  const { projectId, name } = request.dataset
  assertName(name)
  assertId('project', projectId)
  // only with a version: an import that fails leaves no project behind either
  const first = (client: Sql) => saveProject(client, { id: projectId })
  const alongside: ImportRequest['alongside'] = async (client, { version, isNewDataset, format, isNew }) => {
    const { datasetId, kind, number, rowCount: rows } = version
    if (isNewDataset) await auditDeed(client, actor, 'created', datasetId, { project: projectId, name, kind })
    await auditDeed(client, actor, 'uploaded', datasetId, { version: number, rows, format, file: request.file ?? '', is_new: isNew })
  }
  return timed(database, 'import_duration_seconds', () =>
    importDataset(database, blobs, { ...request, createdBy: actor, first, alongside }),
  )
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
  const alongside: VersionValidation['alongside'] = (client, { report }) => {
    const { passed, total, errors, warnings, qualityScore: quality_score } = report
    return auditDeed(client, actor, 'validated', version.datasetId, {
      ...{ version: version.number, passed, total, errors, warnings, quality_score },
    })
  }
  return timed(
    database,
    'validation_duration_seconds',
    () => validateVersion(database, blobs, { ...request, versionId: version.id, alongside }, new Date()),
    ({ report, cached }) => (cached ? [] : errorCounts(report)),
  )
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
  const alongside: VersionEnhancement['alongside'] = (client, { report, version: made }) =>
    auditDeed(client, actor, 'enhanced', version.datasetId, {
      version: version.number,
      became: made.number,
      rows_before: report.rowsBefore,
      rows_after: report.rowsAfter,
      steps: report.steps.map((step) => step.name),
    })
  return timed(
    database,
    'enhancement_duration_seconds',
    () => enhanceVersion(database, blobs, { ...request, versionId: version.id, createdBy: actor, alongside }, new Date()),
    () => [],
    'enhancement_failures_total',
  )
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
  return database.transaction(async (client) => {
    const { dataset, versions } = await deleteDataset(client, id)
    await auditDeed(client, actor, 'deleted', id, { project: dataset.projectId, name: dataset.name, versions })
    return { dataset, versions }
  })
}

/** Rows added, changed and removed from the latest version, as a new one. */
export async function editDataset(
  { database, blobs, actor }: Parts,
  edits: Omit<ExampleEdits, 'createdBy'>,
  now: Date,
): Promise<EditReport> {
  const alongside: ExampleEdits['alongside'] = (client, { version, added, changed, removed }) =>
    auditDeed(client, actor, 'modified', version.datasetId, { version: version.number, added, changed, removed })
  return editExamples(database, blobs, { ...edits, createdBy: actor, alongside }, now)
}

/** A version made of another one by modifications. */
export async function deriveVersion(
  { database, blobs, actor }: Parts,
  derivation: Omit<Derivation, 'createdBy'>,
  now: Date,
): Promise<SavedVersion> {
  const alongside: Derivation['alongside'] = (client, { version }) =>
    auditDeed(client, actor, 'modified', version.datasetId, { version: version.number, made_from: derivation.sourceId })
  return createVersionFrom(database, blobs, { ...derivation, createdBy: actor, alongside }, now)
}

/** The rows of an old version as those of a new one. */
export async function restoreDataset(
  { database, actor }: Parts,
  request: { versionId: string; description?: string },
  now: Date,
): Promise<SavedVersion> {
  const alongside: Restoration['alongside'] = (client, { version }) =>
    auditDeed(client, actor, 'modified', version.datasetId, { version: version.number, restored: request.versionId })
  return restoreVersion(database, { ...request, createdBy: actor, alongside }, now)
}

/** Names a version; a tag that there is moves to it. */
export async function tagVersion({ database, actor }: Parts, versionId: string, tag: string): Promise<DatasetVersion> {
  return database.transaction(async (client) => {
    await tagDatasetVersion(client, versionId, tag)
    const version = await readDatasetVersion(client, versionId)
    await auditDeed(client, actor, 'modified', version.datasetId, { version: version.number, tag })
    return version
  })
}

/** Splits a version and keeps the split. */
export async function splitVersion(
  { database, blobs, actor }: Parts,
  request: { versionId: string; name: string; options: unknown },
  now: Date,
): Promise<DatasetSplit> {
  const alongside = audited(actor, request.versionId, { split: request.name })
  return (await splitDatasetVersion(database, blobs, { ...request, createdBy: actor, alongside }, now)).split
}

/** Fits steps on a version and keeps them. */
export async function fitOperations({ database, blobs, actor }: Parts, request: FitRequest, now: Date): Promise<DatasetOperations> {
  const alongside = audited(actor, request.versionId, { operations: request.name ?? 'default' })
  return (await fitDatasetOperations(database, blobs, { ...request, createdBy: actor }, now, alongside)).operations
}

/** Fits steps likewise, and saves the rows that they give. */
export function operateVersion({ database, blobs, actor }: Parts, request: OperateRequest, now: Date) {
  const details = { made_from: request.versionId, operations: request.name ?? 'default' }
  const alongside: Alongside<SavedVersion> = (client, { version, isNew }) => audited(actor, version.id, details)(client, { isNew })
  return operateDatasetVersion(database, blobs, { ...request, createdBy: actor }, now, alongside)
}

/** Notes that something was added to a version, unless it was there. */
const audited =
  (actor: string, versionId: string, details: Properties): Alongside<{ isNew: boolean }> =>
  async (client, { isNew }) => {
    if (!isNew) return
    const { datasetId, number } = await readDatasetVersion(client, versionId)
    await auditDeed(client, actor, 'modified', datasetId, { version: number, ...details })
  }
