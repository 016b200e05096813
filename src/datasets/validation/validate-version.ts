import type { Database } from '../../postgres/sql.js'
import type { RowBlobs } from '../chunks.js'
import { type Alongside, readDatasetRows, readDatasetVersion } from '../store.js'
import type { DatasetVersion } from '../version.js'
import { parseValidationOptions, type ValidationOptions, type ValidationOptionsInput } from './options.js'
import { readReport, saveReport, saveVerdict } from './report-store.js'
import type { RowToValidate, ValidationExtras, ValidationReport } from './validate.js'
import { validateRows } from './validate.js'

export interface VersionValidation {
  versionId: string
  options?: ValidationOptionsInput
  /** judge anew, whatever was found before (default false) */
  fresh?: boolean
  extras?: ValidationExtras
  alongside?: Alongside<{ report: ValidationReport; cached: boolean }> | undefined
  /** called every 10,000 rows; a throw stops the validation */
  onProgress?: (rows: number) => void | Promise<void>
}

/**
 * The report on a version: what was found before for equal rows and options, else its rows are judged as they stream by. The version
 * then tells its score and whether it passed.
 */
export async function validateVersion(
  database: Database,
  blobs: RowBlobs,
  { versionId, options: given, fresh = false, extras = {}, onProgress, alongside }: VersionValidation,
  now: Date,
): Promise<{ report: ValidationReport; cached: boolean }> {
  const version = await readDatasetVersion(database, versionId)
  const options = withImported(parseValidationOptions(given), version)
  const asked = { ...options, extras: namesOf(extras) }
  const known = fresh ? null : await readReport<ValidationReport>(database, version, 'validation', asked)
  const rows = () => numbered(readDatasetRows(database, blobs, version.id), onProgress)
  const report = known ?? (await validateRows(rows(), version.kind, options, extras))
  const done = { report, cached: known !== null }
  await database.transaction(async (client) => {
    if (!known) await saveReport(client, version, 'validation', asked, report, now)
    await saveVerdict(client, version.id, report)
    await alongside?.(client, done)
  })
  return done
}

/** An import that mapped fields has said which labels there are. */
function withImported(options: ValidationOptions, { provenance }: DatasetVersion): ValidationOptions {
  const imported = provenance['required_labels']
  if (options.requiredLabels || !Array.isArray(imported)) return options
  return { ...options, requiredLabels: imported.filter((set) => typeof set === 'string') }
}

const namesOf = ({ rules = [], metrics = [] }: ValidationExtras) => [
  ...rules.map((rule) => rule.name),
  ...metrics.map(({ metric, weight }) => `${metric.name} ${weight}`),
]

const progressEvery = 10_000

async function* numbered(rows: AsyncIterable<unknown>, onProgress: VersionValidation['onProgress']): AsyncGenerator<RowToValidate> {
  let count = 0
  for await (const row of rows) {
    if (++count % progressEvery === 0) await onProgress?.(count)
    yield { row }
  }
}
