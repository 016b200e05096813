import type { Database } from '../../postgres/sql.js'
import type { RowBlobs } from '../chunks.js'
import { inherited, tablesOf } from '../lineage.js'
import { type Alongside, readDatasetRows, readDatasetVersion, type SavedVersion, saveDatasetVersion } from '../store.js'
import type { DatasetVersion } from '../version.js'
import { type EnhancementReport, passesOf, planEnhancement } from './enhance.js'
import { type EnhancementOptionsInput, parseEnhancementOptions } from './options.js'

export interface VersionEnhancement {
  versionId: string
  options: EnhancementOptionsInput
  /** say what would be done, and save nothing (default false) */
  dryRun?: boolean
  description?: string
  createdBy?: string
  /** not of a dry run */
  alongside?: Alongside<EnhancementResult & SavedVersion> | undefined
  /** called every 10,000 rows that are read, of as many as all passes over them have; a throw stops the enhancement, and nothing is saved */
  onProgress?: (rows: number, of: number) => void
}

export interface EnhancementResult {
  report: EnhancementReport
  /** null of a dry run */
  version: DatasetVersion | null
  /** false of a dry run, and where nothing was changed */
  isNew: boolean
}

const progressEvery = 10_000

/** A version made better by the steps that are asked for, as a new version; the steps are in its provenance. */
export async function enhanceVersion(
  database: Database,
  blobs: RowBlobs,
  { versionId, options: given, dryRun = false, description, createdBy, onProgress, alongside }: VersionEnhancement,
  now: Date,
): Promise<EnhancementResult> {
  const options = parseEnhancementOptions(given)
  const source = await readDatasetVersion(database, versionId)
  const total = source.rowCount * passesOf(source.kind, options)
  let read = 0
  async function* rows() {
    for await (const row of readDatasetRows(database, blobs, source.id)) {
      if (++read % progressEvery === 0) onProgress?.(read, total)
      yield row
    }
  }
  const plan = await planEnhancement(source.kind, rows, options)
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
      alongside: async (client, made) => alongside?.(client, { report: plan.report(), ...made }),
    },
    now,
  )
  return { report: plan.report(), ...saved }
}
