import { randomUUID } from 'node:crypto'
import { appendGraphChanges } from '../../postgres/outbox.js'
import type { Client, Database } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import { storable, storableJson } from '../../util/storable.js'
import { inherited, tablesOf, versionChanges } from '../lineage.js'
import { type Alongside, findDatasetVersion, readDatasetVersion, type SavedVersion, touchDataset } from '../store.js'
import type { DatasetVersion } from '../version.js'
import { shapeChanges } from './shape.js'

export interface Restoration {
  versionId: string
  /** of the new version (default: which one was restored) */
  description?: string
  createdBy?: string
  alongside?: Alongside<SavedVersion> | undefined
}

/**
 * Makes an old version the latest again: a new version with the very rows of the old one. The rows are not copied, both versions share
 * their chunks. The latest itself is answered as it is (`isNew` false).
 */
export async function restoreVersion(
  database: Database,
  { versionId, description, createdBy = 'system', alongside }: Restoration,
  now: Date,
): Promise<SavedVersion> {
  const old = await readDatasetVersion(database, versionId)
  return database.transaction(async (client) => {
    // as every writer of versions does: numbers follow each other
    const { rows } = await client.query('SELECT id FROM dataset WHERE id = $1 FOR UPDATE', [old.datasetId])
    if (rows.length === 0) throw new EspalierError('NOT_FOUND', `dataset "${old.datasetName}" is gone`)
    const latest = await findDatasetVersion(client, old.datasetId, 'latest')
    const saved =
      latest.hash === old.hash
        ? { version: latest, isNew: false }
        : { version: await insertCopy(client, old, latest, { description, createdBy }, now), isNew: true }
    await alongside?.(client, saved)
    return saved
  })
}

async function insertCopy(
  client: Client,
  old: DatasetVersion,
  latest: DatasetVersion,
  { description = `${old.number} restored`, createdBy }: { description: string | undefined; createdBy: string },
  now: Date,
): Promise<DatasetVersion> {
  const isMajor = old.shape === null || latest.shape === null || shapeChanges(latest.shape, old.shape).length > 0
  const [major, minor] = isMajor ? [latest.major + 1, 0] : [latest.major, latest.minor + 1]
  const id = randomUUID()
  const tables = tablesOf(old)
  const provenance = storableJson({ ...inherited(old), ...(tables.length > 0 && { derived_from: tables }), restored: old.id })
  await client.query(
    `INSERT INTO dataset_version (id, dataset_id, major, minor, hash, row_count, bytes, parent_id, description, provenance, quality_score,
       validation_passed, created_by, created_at, shape)
     SELECT $1, dataset_id, $3, $4, hash, row_count, bytes, $5, $6, $7, quality_score, validation_passed, $8, $9, shape
     FROM dataset_version WHERE id = $2`,
    [id, old.id, major, minor, latest.id, storable(description), provenance, createdBy, now],
  )
  await client.query(
    `INSERT INTO dataset_chunk (version_id, ordinal, blob, row_count, rows_hash)
     SELECT $1, ordinal, blob, row_count, rows_hash FROM dataset_chunk WHERE version_id = $2`,
    [id, old.id],
  )
  await touchDataset(client, old.datasetId, now)
  const version = await readDatasetVersion(client, id)
  await appendGraphChanges(client, versionChanges(version, tables, now))
  return version
}
