import { randomUUID } from 'node:crypto'
import type { GraphExample } from '../models/graphs/graph-example.js'
import type { RankingList } from '../models/rankings/ranking-list.js'
import { appendGraphChanges } from '../postgres/outbox.js'
import type { Client, Database, Sql } from '../postgres/sql.js'
import { EspalierError } from '../util/error.js'
import { storable, storableJson } from '../util/storable.js'
import type { JsonValue, Properties } from '../vocabulary.js'
import { type Chunk, type RowBlobs, readChunkRows, type WrittenRows, writeRows } from './chunks.js'
import { parseGraphRow } from './formats/graph-row.js'
import { parseRankingRow, rankingRow } from './formats/ranking-row.js'
import { versionChanges } from './lineage.js'
import type { Dataset, DatasetKind, DatasetVersion } from './version.js'
import { shapeChanges } from './versions/shape.js'

export interface NewDataset {
  projectId: string
  /** unique in its project */
  name: string
  kind: DatasetKind
  description?: string
  tags?: readonly string[]
  createdBy?: string
  /** where the rows come from: a file, a system (default: as it was, or '') */
  source?: string
  provenance?: Properties
}

const datasetColumns = `d.id, d.project_id AS "projectId", d.name, d.kind, d.description, d.tags, d.created_by AS "createdBy",
  d.created_at AS "createdAt", d.updated_at AS "updatedAt", d.source, d.provenance`

/** Creates a dataset, or finds the one of this name and updates what is given; the kind of a dataset never changes. */
export const saveDataset = async (sql: Sql, dataset: NewDataset, now: Date): Promise<Dataset> =>
  (await upsertDataset(sql, dataset, now)).dataset

async function upsertDataset(sql: Sql, dataset: NewDataset, now: Date): Promise<{ dataset: Dataset; isNew: boolean }> {
  const { projectId, name, kind, description, tags, createdBy = 'system', source, provenance } = dataset
  const { rows } = await sql.query<Dataset & { isNew: boolean }>(
    `INSERT INTO dataset AS d (id, project_id, name, kind, description, tags, created_by, created_at, updated_at, source, provenance)
     VALUES ($1, $2, $3, $4, coalesce($5, ''), coalesce($6::text[], '{}'), $7, $8, $8, coalesce($9, ''), coalesce($10::jsonb, '{}'))
     ON CONFLICT (project_id, name) DO UPDATE SET description = coalesce($5, d.description), tags = coalesce($6::text[], d.tags),
       source = coalesce($9, d.source), provenance = coalesce($10::jsonb, d.provenance),
       updated_at = CASE WHEN (coalesce($5, d.description), coalesce($6::text[], d.tags), coalesce($9, d.source), coalesce($10::jsonb, d.provenance))
         IS DISTINCT FROM (d.description, d.tags, d.source, d.provenance) THEN $8 ELSE d.updated_at END
     WHERE d.kind = excluded.kind
     RETURNING ${datasetColumns}, d.xmax = 0 AS "isNew"`,
    [
      ...[randomUUID(), projectId, name, kind, storableText(description), tags?.map(storable) ?? null, createdBy, now],
      ...[storableText(source), provenance ? storableJson(provenance) : null],
    ],
  )
  if (rows[0]) {
    const { isNew, ...saved } = rows[0]
    return { dataset: saved, isNew }
  }
  throw new EspalierError('CONFLICT', `dataset "${name}" of project "${projectId}" holds rows of another kind, expected ${kind}`, {
    remedy: 'Save these rows under another name.',
  })
}

const storableText = (text: string | undefined): string | null => (text === undefined ? null : storable(text))

/** The datasets of a project (or of all), by name. */
export async function readDatasets(sql: Sql, { projectId }: { projectId?: string } = {}): Promise<Dataset[]> {
  const { rows } = await sql.query<Dataset>(
    `SELECT ${datasetColumns} FROM dataset d WHERE $1::text IS NULL OR d.project_id = $1 ORDER BY d.project_id, d.name`,
    [projectId ?? null],
  )
  return rows
}

export interface NewDatasetVersion {
  dataset: NewDataset
  rows: Iterable<JsonValue> | AsyncIterable<JsonValue>
  /** the tables that the rows were made of, and the snapshot they were read from: become DERIVED_FROM edges of the graph */
  derivedFrom?: readonly { tableId: string; snapshot: string }[]
  /** how the rows came to be: task, options, feature spec (default {}) */
  provenance?: Properties
  description?: string
  createdBy?: string
  /** `major` takes the next major number whatever the rows; else another label set or other columns decide. The first version is 1.0 */
  level?: 'minor' | 'major'
  /** the version this one was made from: refused with CONFLICT if another was saved since (default: whatever is latest) */
  parentId?: string
  /**
   * false: rows that an older version holds make a new version all the same, as an edit that goes back does; only those of the latest
   * are answered with it (default true: the version that has them is answered)
   */
  reuse?: boolean
  qualityScore?: number
  validationPassed?: boolean
  /** what must be there before the dataset can be (its project), in the same transaction */
  first?: ((client: Client) => Promise<unknown>) | undefined
  alongside?: Alongside<SavedVersion & { isNewDataset: boolean }> | undefined
}

/** A version that was made, or found to be there (`isNew` false). */
export interface SavedVersion {
  version: DatasetVersion
  isNew: boolean
}

/** What else belongs into the transaction that saves something (who did it, for the audit); what it throws undoes the save. */
export type Alongside<Saved> = (client: Client, saved: Saved) => Promise<void>

/**
 * Saves rows as a new version of a dataset, which is created when it is new. Equal rows give the equal hash, and the version that
 * already holds them is answered instead (`isNew` false). Rows are streamed to the blobs first; version, graph node and lineage edges
 * then appear in one transaction.
 */
export async function saveDatasetVersion(database: Database, blobs: RowBlobs, input: NewDatasetVersion, now: Date): Promise<SavedVersion> {
  const written = await writeRows(blobs, input.rows, input.dataset.kind)
  return database.transaction(async (client) => {
    await input.first?.(client)
    // This locks the dataset's row. One writer at a time: numbers follow each other, and equal rows are seen to be equal.
    const { dataset, isNew: isNewDataset } = await upsertDataset(client, input.dataset, now)
    const saved = await saveWritten(client, dataset, input, written, now)
    await input.alongside?.(client, { ...saved, isNewDataset })
    return saved
  })
}

async function saveWritten(client: Client, dataset: Dataset, input: NewDatasetVersion, written: WrittenRows, now: Date) {
  const latest = await selectVersion(client, `v.dataset_id = $1 ${newestFirst}`, [dataset.id])
  const known = await knownVersion(client, dataset, written.hash, latest, input.reuse)
  if (known) return { version: known, isNew: false }
  assertParent(input, latest)
  const version = await insertVersion(client, dataset, input, written, latest, now)
  await touchDataset(client, dataset.id, now)
  await appendGraphChanges(client, versionChanges(version, input.derivedFrom ?? [], now))
  return { version, isNew: true }
}

/** A dataset was last changed when its newest version was made, or when something else was said of it. */
export async function touchDataset(sql: Sql, id: string, now: Date): Promise<void> {
  await sql.query('UPDATE dataset SET updated_at = greatest(updated_at, $2) WHERE id = $1', [id, now])
}

function knownVersion(client: Client, dataset: Dataset, hash: string, latest: DatasetVersion | null, reuse = true) {
  if (!reuse) return latest?.hash === hash ? latest : null
  return selectVersion(client, 'v.dataset_id = $1 AND v.hash = $2 ORDER BY v.major, v.minor LIMIT 1', [dataset.id, hash])
}

/** Ranking lists as a version: each list is a row, in the shape of ranking JSONL. */
export const saveRankingVersion = (
  database: Database,
  blobs: RowBlobs,
  {
    lists,
    dataset,
    ...rest
  }: Omit<NewDatasetVersion, 'rows' | 'dataset'> & { lists: Iterable<RankingList>; dataset: Omit<NewDataset, 'kind'> },
  now: Date,
): Promise<SavedVersion> =>
  saveDatasetVersion(database, blobs, { ...rest, dataset: { ...dataset, kind: 'ranking' }, rows: rankingRows(lists) }, now)

function* rankingRows(lists: Iterable<RankingList>): Generator<JsonValue> {
  for (const list of lists) yield rankingRow(list)
}

const newestFirst = 'ORDER BY v.major DESC, v.minor DESC LIMIT 1'

function assertParent({ parentId, dataset }: NewDatasetVersion, latest: DatasetVersion | null): void {
  if (parentId === undefined || parentId === latest?.id) return
  throw new EspalierError(
    'CONFLICT',
    `dataset "${dataset.name}": the new version was made from ${parentId}, but the latest is ${latest ? `${latest.number} (${latest.id})` : 'none'}`,
    { remedy: 'Someone saved a version in between: read the latest one, apply your change to it, and save again.' },
  )
}

async function insertVersion(
  client: Client,
  dataset: Dataset,
  input: NewDatasetVersion,
  written: WrittenRows,
  latest: DatasetVersion | null,
  now: Date,
): Promise<DatasetVersion> {
  const isMajor = latest && (input.level === 'major' || (latest.shape && shapeChanges(latest.shape, written.shape).length > 0))
  const [major, minor] = !latest ? [1, 0] : isMajor ? [latest.major + 1, 0] : [latest.major, latest.minor + 1]
  const id = randomUUID()
  const provenance = {
    ...input.provenance,
    ...(input.derivedFrom?.length && { derived_from: input.derivedFrom.map((source) => ({ ...source })) }),
  }
  await client.query(
    `INSERT INTO dataset_version (id, dataset_id, major, minor, hash, row_count, bytes, parent_id, description, provenance, quality_score,
       validation_passed, created_by, created_at, shape)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      ...[
        id,
        dataset.id,
        major,
        minor,
        written.hash,
        written.rowCount,
        written.bytes,
        latest?.id ?? null,
        storable(input.description ?? ''),
      ],
      ...[storableJson(provenance), input.qualityScore ?? null, input.validationPassed ?? null, input.createdBy ?? 'system', now],
      storableJson(written.shape),
    ],
  )
  await client.query(
    `INSERT INTO dataset_chunk (version_id, ordinal, blob, row_count, rows_hash)
     SELECT $1, c.ordinal, c.blob, c."rowCount", c."rowsHash"
     FROM jsonb_to_recordset($2::jsonb) AS c (ordinal integer, blob text, "rowCount" integer, "rowsHash" text)`,
    [id, JSON.stringify(written.chunks)],
  )
  return (await selectVersion(client, 'v.id = $1', [id]))!
}

const versionColumns = `v.id, v.dataset_id AS "datasetId", d.name AS "datasetName", d.project_id AS "projectId", d.kind,
  v.major || '.' || v.minor AS number, v.major, v.minor, v.hash, v.row_count AS "rowCount", v.bytes, v.parent_id AS "parentId",
  v.description, v.provenance, v.quality_score AS "qualityScore", v.validation_passed AS "validationPassed",
  v.created_by AS "createdBy", v.created_at AS "createdAt", v.shape`
const fromVersions = 'FROM dataset_version v JOIN dataset d ON d.id = v.dataset_id'

async function selectVersion(sql: Sql, where: string, values: readonly unknown[]): Promise<DatasetVersion | null> {
  const { rows } = await sql.query<DatasetVersion>(`SELECT ${versionColumns} ${fromVersions} WHERE ${where}`, values)
  return rows[0] ?? null
}

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

/** The version with this id; NOT_FOUND otherwise. */
export async function readDatasetVersion(sql: Sql, id: string): Promise<DatasetVersion> {
  const version = uuid.test(id) ? await selectVersion(sql, 'v.id = $1', [id]) : null
  if (version) return version
  throw new EspalierError('NOT_FOUND', `There is no dataset version "${id}"`, { remedy: 'List the versions of its dataset.' })
}

/** The version that a reference means: an id, a number such as `1.2`, `latest`, or a tag; NOT_FOUND names what there is. */
export async function findDatasetVersion(sql: Sql, datasetId: string, reference: string): Promise<DatasetVersion> {
  const found = uuid.test(datasetId) ? await resolveReference(sql, datasetId, reference) : null
  if (found) return found
  const versions = uuid.test(datasetId) ? await readDatasetVersions(sql, datasetId) : []
  const known = versions.slice(0, 5).map((v) => v.number)
  throw new EspalierError('NOT_FOUND', `dataset ${datasetId} has no version "${reference}"`, {
    remedy: known.length ? `Newest versions: ${known.join(', ')}; a version id, \`latest\` or a tag also do.` : 'It has no version yet.',
  })
}

function resolveReference(sql: Sql, datasetId: string, reference: string): Promise<DatasetVersion | null> {
  const own = 'v.dataset_id = $1 AND'
  if (reference === 'latest') return selectVersion(sql, `v.dataset_id = $1 ${newestFirst}`, [datasetId])
  if (uuid.test(reference)) return selectVersion(sql, `${own} v.id = $2`, [datasetId, reference])
  if (/^\d{1,9}\.\d{1,9}$/.test(reference))
    return selectVersion(sql, `${own} v.major = $2 AND v.minor = $3`, [datasetId, ...reference.split('.').map(Number)])
  return selectVersion(sql, `${own} v.id = (SELECT version_id FROM dataset_tag WHERE dataset_id = $1 AND tag = $2)`, [datasetId, reference])
}

/** The versions of a dataset, newest first. */
export async function readDatasetVersions(sql: Sql, datasetId: string): Promise<DatasetVersion[]> {
  const { rows } = await sql.query<DatasetVersion>(
    `SELECT ${versionColumns} ${fromVersions} WHERE v.dataset_id = $1 ORDER BY v.major DESC, v.minor DESC`,
    [datasetId],
  )
  return rows
}

/** Points a tag at a version, moving it if it exists. `latest` and anything that reads as a number or an id is refused. */
export async function tagDatasetVersion(sql: Sql, versionId: string, tag: string): Promise<void> {
  if (tag === 'latest' || /^\d+\.\d+$/.test(tag) || uuid.test(tag) || !/^[\p{L}\p{N}_.-]{1,100}$/u.test(tag))
    throw new EspalierError(
      'BAD_INPUT',
      `tag "${tag}" cannot be used, expected letters, digits, "_", "-" or "." that read neither as \`latest\`, a number nor an id`,
    )
  const version = await readDatasetVersion(sql, versionId)
  await sql.query(
    `INSERT INTO dataset_tag (dataset_id, tag, version_id) VALUES ($1, $2, $3)
     ON CONFLICT (dataset_id, tag) DO UPDATE SET version_id = excluded.version_id`,
    [version.datasetId, tag, version.id],
  )
}

/** Streams the rows of a version in order, verified: what does not fit its hash is a CORRUPT error that names the chunk. */
export async function* readDatasetRows(sql: Sql, blobs: RowBlobs, versionId: string): AsyncGenerator<JsonValue> {
  const version = await readDatasetVersion(sql, versionId)
  yield* readChunkRows(blobs, await readVersionChunks(sql, version.id), expectedRows(version))
}

/** What `readChunkRows` checks the rows of this version against. */
export const expectedRows = (version: DatasetVersion) => ({
  name: `dataset "${version.datasetName}" ${version.number}`,
  hash: version.hash,
  kind: version.kind,
})

/** The chunks of a version, in order. */
export async function readVersionChunks(sql: Sql, versionId: string): Promise<Chunk[]> {
  const { rows } = await sql.query<Chunk>(
    `SELECT ordinal, blob, row_count AS "rowCount", rows_hash AS "rowsHash" FROM dataset_chunk WHERE version_id = $1 ORDER BY ordinal`,
    [versionId],
  )
  return rows
}

/** Throws BAD_INPUT unless the version's rows are of one of these kinds. */
export async function assertKind(sql: Sql, versionId: string, kinds: readonly DatasetKind[]): Promise<void> {
  const { kind, datasetName, number } = await readDatasetVersion(sql, versionId)
  if (kinds.includes(kind)) return
  throw new EspalierError(
    'BAD_INPUT',
    `dataset "${datasetName}" ${number} holds rows of the kind ${kind}, expected ${kinds.join(' or ')}`,
    {
      remedy: `Name a version of another dataset, or the read-out that learns from the kind ${kind}.`,
    },
  )
}

/** The graph examples of a version, in order. */
export async function readGraphExamples(sql: Sql, blobs: RowBlobs, versionId: string): Promise<GraphExample[]> {
  await assertKind(sql, versionId, ['node', 'graph', 'sequence'])
  const examples: GraphExample[] = []
  for await (const row of readDatasetRows(sql, blobs, versionId)) examples.push(parseGraphRow(row))
  return examples
}

/** The ranking lists of a version, in order. */
export async function readRankingLists(sql: Sql, blobs: RowBlobs, versionId: string): Promise<RankingList[]> {
  await assertKind(sql, versionId, ['ranking'])
  const lists: RankingList[] = []
  for await (const row of readDatasetRows(sql, blobs, versionId)) lists.push(parseRankingRow(row))
  return lists
}

/** Digests of every blob that a version needs: what a collector of unused blobs must keep. */
export async function readDatasetBlobs(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query<{ blob: string }>('SELECT DISTINCT blob FROM dataset_chunk')
  return rows.map((row) => row.blob)
}

/** The versions of these ids that exist, in no fixed order. For loaders. */
export async function readDatasetVersionsById(sql: Sql, ids: readonly string[]): Promise<DatasetVersion[]> {
  const { rows } = await sql.query<DatasetVersion>(`SELECT ${versionColumns} ${fromVersions} WHERE v.id = ANY($1::uuid[])`, [
    ids.filter((id) => uuid.test(id)),
  ])
  return rows
}

/** The versions of these datasets, newest first. For loaders. */
export async function readVersionsOfDatasets(sql: Sql, datasetIds: readonly string[]): Promise<DatasetVersion[]> {
  const { rows } = await sql.query<DatasetVersion>(
    `SELECT ${versionColumns} ${fromVersions} WHERE v.dataset_id = ANY($1::uuid[]) ORDER BY v.major DESC, v.minor DESC`,
    [datasetIds],
  )
  return rows
}
