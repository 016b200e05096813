import type { Sql } from '../postgres/sql.js'
import { EspalierError } from '../util/error.js'
import { type Manifest, parseManifest } from './manifest.js'

export const aliases = ['latest', 'staging', 'production'] as const
export type Alias = (typeof aliases)[number]

export interface Artifact {
  /** `<component>@<version>` */
  id: string
  component: string
  version: string
  projectId: string | null
  runId: string | null
  datasetVersionId: string | null
  /** met every gate; false only when published by force */
  passed: boolean
  manifest: Manifest
  manifestDigest: string
  createdAt: Date
  aliases: Alias[]
}

export interface Promotion {
  id: number
  component: string
  alias: Alias
  artifactId: string
  previousId: string | null
  /** the promotion that this roll-back took back; null for a promotion */
  undoes: number | null
  reason: string | null
  forced: boolean
  actor: string | null
  at: Date
}

const artifactColumns = `a.id, a.component, a.version, a.project_id AS "projectId", a.run_id AS "runId", a.dataset_version_id AS "datasetVersionId",
  a.passed, a.manifest, a.manifest_digest AS "manifestDigest", a.created_at AS "createdAt",
  (SELECT coalesce(json_agg(alias ORDER BY alias), '[]') FROM artifact_alias WHERE artifact_id = a.id) AS aliases`

const promotionColumns = `id::int, component, alias, artifact_id AS "artifactId", previous_id AS "previousId", undoes::int, reason, forced, actor, at`

const toArtifact = (row: Artifact): Artifact => ({ ...row, manifest: parseManifest(row.manifest) })

/** Writes an artifact and its files; a version that exists is a CONFLICT. */
export async function saveArtifact(sql: Sql, artifact: Omit<Artifact, 'aliases'>): Promise<void> {
  const { id, component, version, projectId, runId, datasetVersionId, passed, manifest, manifestDigest, createdAt } = artifact
  const { rowCount } = await sql.query(
    `INSERT INTO artifact (id, component, version, project_id, run_id, dataset_version_id, passed, manifest, manifest_digest, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
    [id, component, version, projectId, runId, datasetVersionId, passed, JSON.stringify(manifest), manifestDigest, createdAt],
  )
  if (rowCount === 0)
    throw new EspalierError('CONFLICT', `artifact ${id}: this version exists, and versions never change`, {
      remedy: 'Publish under another version, or leave the version out to get a new one.',
    })
  await sql.query(
    `INSERT INTO artifact_file (artifact_id, path, digest, size)
     SELECT $1, path, digest, size FROM unnest($2::text[], $3::text[], $4::bigint[]) AS f (path, digest, size)`,
    [id, manifest.files.map((f) => f.path), manifest.files.map((f) => f.sha256), manifest.files.map((f) => f.size)],
  )
}

/** One artifact, or NOT_FOUND. */
export async function readArtifact(sql: Sql, id: string): Promise<Artifact> {
  const { rows } = await sql.query<Artifact>(`SELECT ${artifactColumns} FROM artifact a WHERE a.id = $1`, [id])
  if (rows[0]) return toArtifact(rows[0])
  throw new EspalierError('NOT_FOUND', `artifact "${id}": there is none of this id`, { remedy: 'List the artifacts to see their ids.' })
}

export interface ArtifactFilter {
  component?: string
  projectId?: string
  runId?: string
  /** only what met its gates */
  passed?: boolean
  /** rows at most (default 50) */
  first?: number
  /** the id of the last artifact of the page before */
  after?: string
}

/** Artifacts, newest first. */
export async function readArtifacts(sql: Sql, filter: ArtifactFilter = {}): Promise<Artifact[]> {
  const { component = null, projectId = null, runId = null, passed = null, first = 50, after = null } = filter
  const { rows } = await sql.query<Artifact>(
    `SELECT ${artifactColumns} FROM artifact a
     WHERE ($1::text IS NULL OR a.component = $1) AND ($2::text IS NULL OR a.project_id = $2) AND ($3::text IS NULL OR a.run_id = $3)
       AND ($4::boolean IS NULL OR a.passed = $4)
       AND ($5::text IS NULL OR (a.created_at, a.id) < (SELECT created_at, id FROM artifact WHERE id = $5))
     ORDER BY a.created_at DESC, a.id DESC LIMIT $6`,
    [component, projectId, runId, passed, after, first],
  )
  return rows.map(toArtifact)
}

/** The artifact that an alias names, or null. */
export async function readAlias(sql: Sql, component: string, alias: Alias): Promise<Artifact | null> {
  const { rows } = await sql.query<Artifact>(
    `SELECT ${artifactColumns} FROM artifact_alias l JOIN artifact a ON a.id = l.artifact_id WHERE l.component = $1 AND l.alias = $2`,
    [component, alias],
  )
  return rows[0] ? toArtifact(rows[0]) : null
}

/** What a person names: an artifact's id, or a component, whose artifact in production it then is. NOT_FOUND says what to do. */
export async function resolveArtifact(sql: Sql, name: string): Promise<Artifact> {
  if (name.includes('@')) return readArtifact(sql, name)
  const found = await readAlias(sql, name, 'production')
  if (found) return found
  throw new EspalierError('NOT_FOUND', `artifact "${name.slice(0, 200)}": production of this component names none`, {
    remedy: 'Promote one, or name one: component@version (see `espalier artifacts list`).',
  })
}

/** Takes the alias for this transaction (also while it names nothing yet) and says what it names. */
export async function lockAlias(sql: Sql, component: string, alias: Alias): Promise<string | null> {
  await sql.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [`artifact_alias ${component} ${alias}`])
  const { rows } = await sql.query<{ artifact_id: string }>(`SELECT artifact_id FROM artifact_alias WHERE component = $1 AND alias = $2`, [
    component,
    alias,
  ])
  return rows[0]?.artifact_id ?? null
}

/** Moves the alias, writes the history row and tells the listeners (`espalier_alias`); call it under `lockAlias`. */
export async function moveAlias(sql: Sql, move: Omit<Promotion, 'id'>): Promise<Promotion> {
  const { component, alias, artifactId, previousId, undoes, reason, forced, actor, at } = move
  await sql.query(
    `INSERT INTO artifact_alias (component, alias, artifact_id, moved_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (component, alias) DO UPDATE SET artifact_id = excluded.artifact_id, moved_at = excluded.moved_at`,
    [component, alias, artifactId, at],
  )
  const { rows } = await sql.query<Promotion>(
    `INSERT INTO artifact_promotion (component, alias, artifact_id, previous_id, undoes, reason, forced, actor, at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING ${promotionColumns}`,
    [component, alias, artifactId, previousId, undoes, reason, forced, actor, at],
  )
  await sql.query(`SELECT pg_notify('espalier_alias', $1)`, [JSON.stringify({ component, alias, artifactId })])
  return rows[0]!
}

/** The promotions of an alias, newest first. */
export async function readPromotions(sql: Sql, component: string, alias?: Alias, first = 50): Promise<Promotion[]> {
  const { rows } = await sql.query<Promotion>(
    `SELECT ${promotionColumns} FROM artifact_promotion WHERE component = $1 AND ($2::text IS NULL OR alias = $2) ORDER BY id DESC LIMIT $3`,
    [component, alias ?? null, first],
  )
  return rows
}

/** The newest promotion of the alias that no roll-back has taken back. */
export async function readStandingPromotion(sql: Sql, component: string, alias: Alias): Promise<Promotion | null> {
  const { rows } = await sql.query<Promotion>(
    `SELECT ${promotionColumns} FROM artifact_promotion p WHERE component = $1 AND alias = $2 AND undoes IS NULL
       AND NOT EXISTS (SELECT 1 FROM artifact_promotion u WHERE u.undoes = p.id) ORDER BY id DESC LIMIT 1`,
    [component, alias],
  )
  return rows[0] ?? null
}

/** How many artifacts a filter matches, whatever its page. */
export async function countArtifacts(sql: Sql, filter: Omit<ArtifactFilter, 'first' | 'after'> = {}): Promise<number> {
  const { component = null, projectId = null, runId = null, passed = null } = filter
  const { rows } = await sql.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM artifact a
     WHERE ($1::text IS NULL OR a.component = $1) AND ($2::text IS NULL OR a.project_id = $2) AND ($3::text IS NULL OR a.run_id = $3)
       AND ($4::boolean IS NULL OR a.passed = $4)`,
    [component, projectId, runId, passed],
  )
  return rows[0]?.count ?? 0
}

/** The artifacts of these ids that exist, in no fixed order. */
export async function readArtifactsById(sql: Sql, ids: readonly string[]): Promise<Artifact[]> {
  const { rows } = await sql.query<Artifact>(`SELECT ${artifactColumns} FROM artifact a WHERE a.id = any($1::text[])`, [ids])
  return rows.map(toArtifact)
}

/** The artifacts that these runs produced, newest first. */
export async function readArtifactsOfRuns(sql: Sql, runIds: readonly string[]): Promise<Artifact[]> {
  const { rows } = await sql.query<Artifact>(
    `SELECT ${artifactColumns} FROM artifact a WHERE a.run_id = any($1::text[]) ORDER BY a.created_at DESC, a.id DESC`,
    [runIds],
  )
  return rows.map(toArtifact)
}
