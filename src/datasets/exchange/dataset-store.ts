import { appendGraphChanges } from '../../postgres/outbox.js'
import type { Client, Sql } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import { datasetVersionNodeId } from '../../util/node-ids.js'
import { storable, storableJson } from '../../util/storable.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import { type Chunk, type RowBlobs, readChunkRows } from '../chunks.js'
import { expectedRows, readDatasetVersionsById, readVersionChunks } from '../store.js'
import type { Dataset, DatasetKind, DatasetVersion } from '../version.js'

const columns = `d.id, d.project_id AS "projectId", d.name, d.kind, d.description, d.tags, d.created_by AS "createdBy",
  d.created_at AS "createdAt", d.updated_at AS "updatedAt", d.source, d.provenance`

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

/** The dataset with this id, or null. */
export async function findDataset(sql: Sql, id: string): Promise<Dataset | null> {
  if (!uuid.test(id)) return null
  return (await sql.query<Dataset>(`SELECT ${columns} FROM dataset d WHERE d.id = $1`, [id])).rows[0] ?? null
}

/** The same; NOT_FOUND otherwise. */
export async function readDataset(sql: Sql, id: string): Promise<Dataset> {
  const found = await findDataset(sql, id)
  if (found) return found
  throw new EspalierError('NOT_FOUND', `there is no dataset "${id.slice(0, 80)}"`, { remedy: 'List the datasets to see their ids.' })
}

/** The dataset of this name in a project, or null. */
export async function findDatasetByName(sql: Sql, projectId: string, name: string): Promise<Dataset | null> {
  const { rows } = await sql.query<Dataset>(`SELECT ${columns} FROM dataset d WHERE d.project_id = $1 AND d.name = $2`, [projectId, name])
  return rows[0] ?? null
}

export interface DatasetFilter {
  projectId?: string
  kind?: DatasetKind
}

const filtered = `($1::text IS NULL OR d.project_id = $1) AND ($2::text IS NULL OR d.kind = $2)`
const filterValues = ({ projectId, kind }: DatasetFilter) => [projectId ?? null, kind ?? null]

/** Datasets by project and name, from after the one that `after` names, or after `offset` of them. */
export async function readDatasetPage(
  sql: Sql,
  filter: DatasetFilter & { first: number; after?: { projectId: string; name: string }; offset?: number },
): Promise<Dataset[]> {
  const { rows } = await sql.query<Dataset>(
    `SELECT ${columns} FROM dataset d WHERE ${filtered} AND ($3::text IS NULL OR (d.project_id, d.name) > ($3, $4::text))
     ORDER BY d.project_id, d.name LIMIT $5 OFFSET $6`,
    [...filterValues(filter), filter.after?.projectId ?? null, filter.after?.name ?? null, filter.first, filter.offset ?? 0],
  )
  return rows
}

export async function countDatasets(sql: Sql, filter: DatasetFilter): Promise<number> {
  const { rows } = await sql.query<{ n: number }>(`SELECT count(*) AS n FROM dataset d WHERE ${filtered}`, filterValues(filter))
  return rows[0]!.n
}

export interface DatasetChanges {
  name?: string
  description?: string
  tags?: readonly string[]
  source?: string
  provenance?: Properties
}

/** Changes what is said of a dataset; its kind and project stay. CONFLICT when its new name is another's. */
export async function updateDataset(sql: Sql, id: string, changes: DatasetChanges, now: Date): Promise<Dataset> {
  const { name, description, tags, source, provenance } = changes
  const known = await readDataset(sql, id)
  if (name !== undefined && name !== known.name && (await findDatasetByName(sql, known.projectId, name)))
    throw new EspalierError('CONFLICT', `project "${known.projectId}" has a dataset "${name}" already`, { remedy: 'Choose another name.' })
  await sql.query(
    `UPDATE dataset SET name = coalesce($2, name), description = coalesce($3, description), tags = coalesce($4::text[], tags),
       source = coalesce($5, source), provenance = coalesce($6::jsonb, provenance), updated_at = $7 WHERE id = $1`,
    [
      ...[id, name ?? null, description === undefined ? null : storable(description), tags?.map(storable) ?? null],
      ...[source === undefined ? null : storable(source), provenance ? storableJson(provenance) : null, now],
    ],
  )
  return readDataset(sql, id)
}

/** Takes a dataset out with all its versions, and their nodes out of the graph. Models that learned from it stay, and say from which rows. */
export async function deleteDataset(client: Client, id: string): Promise<{ dataset: Dataset; versions: number }> {
  const dataset = await readDataset(client, id)
  const { rows } = await client.query<{ id: string }>('SELECT id FROM dataset_version WHERE dataset_id = $1 FOR UPDATE', [id])
  const { rowCount } = await client.query('DELETE FROM dataset WHERE id = $1', [id])
  if (rowCount === 0) throw new EspalierError('NOT_FOUND', `there is no dataset "${id.slice(0, 80)}"`)
  await appendGraphChanges(
    client,
    rows.map((version) => ({ op: 'delete-node', id: datasetVersionNodeId(version.id), kind: 'DatasetVersion' })),
  )
  return { dataset, versions: rows.length }
}

/** Versions of a dataset, newest first, from after the one numbered `after`. */
export async function readVersionPage(
  sql: Sql,
  datasetId: string,
  { first, after }: { first: number; after?: { major: number; minor: number } },
): Promise<DatasetVersion[]> {
  const { rows } = await sql.query<{ id: string }>(
    `SELECT id FROM dataset_version WHERE dataset_id = $1 AND ($2::int IS NULL OR (major, minor) < ($2, $3))
     ORDER BY major DESC, minor DESC LIMIT $4`,
    [datasetId, after?.major ?? null, after?.minor ?? null, first],
  )
  const ids = rows.map((row) => row.id)
  const found = new Map((await readDatasetVersionsById(sql, ids)).map((version) => [version.id, version]))
  return ids.flatMap((id) => found.get(id) ?? [])
}

export async function countVersions(sql: Sql, datasetId: string): Promise<number> {
  const { rows } = await sql.query<{ n: number }>('SELECT count(*)::int AS n FROM dataset_version WHERE dataset_id = $1', [datasetId])
  return rows[0]!.n
}

/** Tags of a dataset and the versions that they name, by tag. */
export async function readTags(sql: Sql, datasetId: string): Promise<{ tag: string; versionId: string }[]> {
  const { rows } = await sql.query<{ tag: string; versionId: string }>(
    'SELECT tag, version_id AS "versionId" FROM dataset_tag WHERE dataset_id = $1 ORDER BY tag',
    [datasetId],
  )
  return rows
}

/** Rows of a version from `offset` on, at most `limit`, each chunk that they lie in verified; only those chunks are read. */
export async function readRowPage(
  sql: Sql,
  blobs: RowBlobs,
  version: DatasetVersion,
  { offset, limit }: { offset: number; limit: number },
): Promise<JsonValue[]> {
  const wanted: Chunk[] = []
  let [before, skip] = [0, 0]
  for (const chunk of await readVersionChunks(sql, version.id)) {
    if (before >= offset + limit) break
    if (before + chunk.rowCount > offset) {
      if (wanted.length === 0) skip = offset - before
      wanted.push(chunk)
    }
    before += chunk.rowCount
  }
  const rows: JsonValue[] = []
  for await (const row of readChunkRows(blobs, wanted, { ...expectedRows(version), hash: null })) {
    if (skip-- > 0) continue
    if (rows.push(row) === limit) break
  }
  return rows
}
