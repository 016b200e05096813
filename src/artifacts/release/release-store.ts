import type { Sql } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import { parseReleaseManifest, type ReleaseManifest } from './manifest.js'

export interface Release {
  /** `release:<version>` */
  id: string
  version: string
  manifest: ReleaseManifest
  manifestDigest: string
  createdAt: Date
  createdBy: string | null
}

const columns = `id, version, manifest, manifest_digest AS "manifestDigest", created_at AS "createdAt", created_by AS "createdBy"`
const toRelease = (row: Release): Release => ({ ...row, manifest: parseReleaseManifest(row.manifest) })

/** Writes a release; a version that exists is a CONFLICT. */
export async function saveRelease(sql: Sql, { id, version, manifest, manifestDigest, createdAt, createdBy }: Release): Promise<void> {
  const { rowCount } = await sql.query(
    `INSERT INTO artifact_release (id, version, manifest, manifest_digest, created_at, created_by)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
    [id, version, JSON.stringify(manifest), manifestDigest, createdAt, createdBy],
  )
  if (rowCount === 0)
    throw new EspalierError('CONFLICT', `${id}: this version exists, and versions never change`, {
      remedy: 'Export under another version, or leave the version out to get a new one.',
    })
  await sql.query(
    `INSERT INTO artifact_release_component (release_id, component, artifact_id)
     SELECT $1, component, artifact_id FROM unnest($2::text[], $3::text[]) AS c (component, artifact_id)`,
    [id, manifest.components.map((c) => c.component), manifest.components.map((c) => c.artifact_id)],
  )
}

/** One release, or NOT_FOUND. */
export async function readRelease(sql: Sql, id: string): Promise<Release> {
  const { rows } = await sql.query<Release>(`SELECT ${columns} FROM artifact_release WHERE id = $1`, [id])
  if (rows[0]) return toRelease(rows[0])
  throw new EspalierError('NOT_FOUND', `release "${id}": there is none of this id`, { remedy: 'List the releases to see their ids.' })
}

export interface ReleaseFilter {
  /** only those with this component */
  component?: string
  /** rows at most (default 50) */
  first?: number
  /** the id of the last release of the page before */
  after?: string
}

/** Releases, newest first. */
export async function readReleases(sql: Sql, { component, first = 50, after }: ReleaseFilter = {}): Promise<Release[]> {
  const { rows } = await sql.query<Release>(
    `SELECT ${columns} FROM artifact_release r
     WHERE ($1::text IS NULL OR EXISTS (SELECT 1 FROM artifact_release_component c WHERE c.release_id = r.id AND c.component = $1))
       AND ($2::text IS NULL OR (r.created_at, r.id) < (SELECT created_at, id FROM artifact_release WHERE id = $2))
     ORDER BY r.created_at DESC, r.id DESC LIMIT $3`,
    [component ?? null, after ?? null, first],
  )
  return rows.map(toRelease)
}

export async function countReleases(sql: Sql, { component }: Pick<ReleaseFilter, 'component'> = {}): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM artifact_release r
     WHERE $1::text IS NULL OR EXISTS (SELECT 1 FROM artifact_release_component c WHERE c.release_id = r.id AND c.component = $1)`,
    [component ?? null],
  )
  return rows[0]?.count ?? 0
}

/** The projects that the artifacts of a release belong to; null among them for one that belongs to none. */
export async function readReleaseProjects(sql: Sql, id: string): Promise<(string | null)[]> {
  const { rows } = await sql.query<{ project: string | null }>(
    `SELECT DISTINCT a.project_id AS project FROM artifact_release_component c JOIN artifact a ON a.id = c.artifact_id WHERE c.release_id = $1`,
    [id],
  )
  return rows.map((row) => row.project)
}

export interface Package {
  subjectId: string
  digest: string
  size: number
}

/** The package that was made of an artifact or a release, if one was. Its blob may be gone. */
export async function readPackage(sql: Sql, subjectId: string): Promise<Package | null> {
  const { rows } = await sql.query<Package>(
    `SELECT subject_id AS "subjectId", digest, size::float8 AS size FROM artifact_package WHERE subject_id = $1`,
    [subjectId],
  )
  return rows[0] ?? null
}

export async function savePackage(sql: Sql, { subjectId, digest, size }: Package, now: Date): Promise<void> {
  await sql.query(
    `INSERT INTO artifact_package (subject_id, digest, size, made_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (subject_id) DO UPDATE SET digest = excluded.digest, size = excluded.size, made_at = excluded.made_at`,
    [subjectId, digest, size, now],
  )
}
