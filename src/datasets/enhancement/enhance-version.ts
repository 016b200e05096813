import type { Database } from '../../postgres/sql.js'
import type { RowBlobs } from '../chunks.js'
import { inherited, tablesOf } from '../lineage.js'
import { readDatasetRows, readDatasetVersion, saveDatasetVersion } from '../store.js'
import type { DatasetVersion } from '../version.js'
import { type EnhancementReport, planEnhancement } from './enhance.js'
import { type EnhancementOptionsInput, parseEnhancementOptions } from './options.js'

export interface VersionEnhancement {
  versionId: string
  options: EnhancementOptionsInput
  /** say what would be done, and save nothing (default false) */
  dryRun?: boolean
  description?: string
  createdBy?: string
}

export interface EnhancementResult {
  report: EnhancementReport
  /** null of a dry run */
  version: DatasetVersion | null
  /** false of a dry run, and where nothing was changed */
  isNew: boolean
}

/** A version made better by the steps that are asked for, as a new version; the steps are in its provenance. */
export async function enhanceVersion(
  database: Database,
  blobs: RowBlobs,
  { versionId, options: given, dryRun = false, description, createdBy }: VersionEnhancement,
  now: Date,
): Promise<EnhancementResult> {
  const options = parseEnhancementOptions(given)
  const source = await readDatasetVersion(database, versionId)
  const plan = await planEnhancement(source.kind, () => readDatasetRows(database, blobs, source.id), options)
  if (dryRun) {
    for await (const _ of plan.rows());
    return { report: plan.report(), version: null, isNew: false }
  }
  const { projectId, datasetName: name, kind } = source
  const saved = await saveDatasetVersion(
    database,
    blobs,
    {
      dataset: { projectId, name, kind },
      rows: plan.rows(),
      reuse: false,
      description: description ?? `${source.number} enhanced`,
      derivedFrom: tablesOf(source),
      provenance: { ...inherited(source), enhanced: source.id, steps: JSON.parse(JSON.stringify(options)) },
      ...(createdBy && { createdBy }),
    },
    now,
  )
  return { report: plan.report(), ...saved }
}
