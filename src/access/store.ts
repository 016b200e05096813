import type { Sql } from '../postgres/sql.js'
import { didYouMean } from '../util/closest.js'
import { EspalierError } from '../util/error.js'
import { storableJson } from '../util/storable.js'
import { type CanonicalType, canonicalTypes, type Properties } from '../vocabulary.js'

/** What an ingest into the project takes where its caller says nothing else; null: the catalog's own default. */
export interface ProjectSettings {
  /** quality score, 0 to 1, below which an ingest is refused; null: never */
  rejectBelow: number | null
  /** shares of the canonical types, of any sum */
  idealDistribution: Partial<Record<CanonicalType, number>> | null
}

export interface Project extends ProjectSettings {
  /** first part of every node id, so without slashes and white space */
  id: string
  name: string
  description: string
  createdAt: Date
}

export interface System {
  projectId: string
  id: string
  name: string
  description: string
  createdAt: Date
}

export interface AuditEntry {
  id: number
  at: Date
  /** who: an API key's name, a user, or `local` */
  actor: string
  /** what was done, in kebab-case: `run-cypher`, `delete-project` */
  action: string
  /** to what: an id */
  subject: string
  details: Properties
}

export interface Page {
  /** entries at most (default 100) */
  first?: number
  /** the id of the last entry already seen */
  after?: number | null
}

/** The same rule as for the parts of a node's id. */
const legalId = /^[\p{L}\p{N}_.-]{1,100}$/u

export function assertId(what: string, id: string): void {
  if (legalId.test(id)) return
  throw new EspalierError('BAD_INPUT', `${what} id: found "${id.slice(0, 120)}", expected 1 to 100 letters, digits, "_", "." or "-"`, {
    remedy: `Name the ${what} by a short word such as "bank".`,
  })
}

const commonColumns = `id, name, description, created_at AS "createdAt"`
const projectColumns = `${commonColumns}, reject_below AS "rejectBelow", ideal_distribution AS "idealDistribution"`
const systemColumns = `project_id AS "projectId", ${commonColumns}`

/** Makes the project, or renames it; a name or description that is left out stays as it is (a new project is named by its id). */
export async function saveProject(sql: Sql, project: { id: string; name?: string; description?: string }): Promise<Project> {
  assertId('project', project.id)
  const { rows } = await sql.query<Project>(
    `INSERT INTO project (id, name, description) VALUES ($1, coalesce($2, $1), coalesce($3, ''))
     ON CONFLICT (id) DO UPDATE SET name = coalesce($2, project.name), description = coalesce($3, project.description)
     RETURNING ${projectColumns}`,
    [project.id, project.name ?? null, project.description ?? null],
  )
  return rows[0]!
}

/** Changes what ingests into a project take by default; a setting that is left out stays, null takes it back. The project must exist. */
export async function saveProjectSettings(sql: Sql, id: string, settings: Partial<ProjectSettings>): Promise<Project> {
  const { rejectBelow, idealDistribution } = settings
  if (typeof rejectBelow === 'number' && !(rejectBelow >= 0 && rejectBelow <= 1))
    throw new EspalierError('BAD_INPUT', `rejectBelow: found ${rejectBelow}, expected a quality score from 0 to 1, or null`)
  if (idealDistribution) assertDistribution(idealDistribution)
  const { rows } = await sql.query<Project>(
    `UPDATE project SET reject_below = CASE WHEN $2 THEN $3 ELSE reject_below END,
       ideal_distribution = CASE WHEN $4 THEN $5::jsonb ELSE ideal_distribution END
     WHERE id = $1 RETURNING ${projectColumns}`,
    [id, rejectBelow !== undefined, rejectBelow ?? null, idealDistribution !== undefined, idealDistribution ?? null],
  )
  return rows[0] ?? refuseProject(sql, id)
}

function assertDistribution(distribution: object): void {
  const types: readonly string[] = canonicalTypes
  for (const [type, share] of Object.entries(distribution)) {
    if (!types.includes(type))
      throw new EspalierError('BAD_INPUT', `idealDistribution: found the type "${type}", expected ${canonicalTypes.join(', ')}`, {
        remedy: didYouMean(type, types) ?? 'Types of the dialects count as one of these six.',
      })
    if (!(typeof share === 'number' && share >= 0 && Number.isFinite(share)))
      throw new EspalierError('BAD_INPUT', `idealDistribution: found ${JSON.stringify(share)} for ${type}, expected a share, 0 or more`)
  }
  if (!Object.values(distribution).some((share) => share > 0))
    throw new EspalierError('BAD_INPUT', 'idealDistribution: found no share above 0', { remedy: 'Give null for the default.' })
}

async function refuseProject(sql: Sql, id: string): Promise<never> {
  const known = (await readProjects(sql)).map((project) => project.id)
  throw new EspalierError('NOT_FOUND', `there is no project "${id.slice(0, 120)}"`, {
    remedy: didYouMean(id, known) ?? 'Create it first: createProject, or `espalier projects create`.',
  })
}

/** A project by its id; NOT_FOUND suggests one. */
export const readProject = async (sql: Sql, id: string): Promise<Project> =>
  (await sql.query<Project>(`SELECT ${projectColumns} FROM project WHERE id = $1`, [id])).rows[0] ?? refuseProject(sql, id)

/** What ingests into a project take by default; nothing for one that is not listed (yet). */
export async function readProjectSettings(sql: Sql, id: string): Promise<ProjectSettings> {
  const { rows } = await sql.query<ProjectSettings>(
    'SELECT reject_below AS "rejectBelow", ideal_distribution AS "idealDistribution" FROM project WHERE id = $1',
    [id],
  )
  return rows[0] ?? { rejectBelow: null, idealDistribution: null }
}

/** Takes a project with its systems (or one system) from the lists; what the catalog knows of them is its own affair. */
export async function removeProject(sql: Sql, id: string): Promise<boolean> {
  return (await sql.query('DELETE FROM project WHERE id = $1', [id])).rowCount === 1
}
export async function removeSystem(sql: Sql, projectId: string, id: string): Promise<boolean> {
  return (await sql.query('DELETE FROM system WHERE project_id = $1 AND id = $2', [projectId, id])).rowCount === 1
}

/** Makes the system in its project, which must exist, or renames it. */
export async function saveSystem(
  sql: Sql,
  system: { projectId: string; id: string; name?: string; description?: string },
): Promise<System> {
  assertId('system', system.id)
  const { rows } = await sql.query<System>(
    `INSERT INTO system (project_id, id, name, description)
     SELECT id, $2, coalesce($3, $2), coalesce($4, '') FROM project WHERE id = $1
     ON CONFLICT (project_id, id) DO UPDATE SET name = coalesce($3, system.name), description = coalesce($4, system.description)
     RETURNING ${systemColumns}`,
    [system.projectId, system.id, system.name ?? null, system.description ?? null],
  )
  if (rows[0]) return rows[0]
  throw new EspalierError('NOT_FOUND', `There is no project "${system.projectId}" to hold the system "${system.id}"`, {
    remedy: 'Create the project first.',
  })
}

/** All projects, by id. */
export async function readProjects(sql: Sql): Promise<Project[]> {
  return (await sql.query<Project>(`SELECT ${projectColumns} FROM project ORDER BY id`)).rows
}

/** The systems of a project (of all projects when none is named), by project and id. */
export async function readSystems(sql: Sql, projectId?: string): Promise<System[]> {
  const { rows } = await sql.query<System>(
    `SELECT ${systemColumns} FROM system WHERE $1::text IS NULL OR project_id = $1 ORDER BY project_id, id`,
    [projectId ?? null],
  )
  return rows
}

/** Writes down who did what; in the transaction of the deed where there is one. */
export async function appendAudit(
  sql: Sql,
  entry: { actor: string; action: string; subject: string; details?: Properties },
): Promise<void> {
  await sql.query('INSERT INTO audit_log (actor, action, subject, details) VALUES ($1, $2, $3, $4)', [
    entry.actor,
    entry.action,
    entry.subject,
    storableJson(entry.details ?? {}),
  ])
}

/** The audit log, newest first, narrowed by actor, action or subject. */
export async function readAudit(
  sql: Sql,
  filter: { actor?: string; action?: string; subject?: string } & Page = {},
): Promise<AuditEntry[]> {
  const { rows } = await sql.query<AuditEntry>(
    `SELECT id, at, actor, action, subject, details FROM audit_log
     WHERE ($1::text IS NULL OR actor = $1) AND ($2::text IS NULL OR action = $2) AND ($3::text IS NULL OR subject = $3)
       AND ($4::bigint IS NULL OR id < $4)
     ORDER BY id DESC LIMIT $5`,
    [filter.actor ?? null, filter.action ?? null, filter.subject ?? null, filter.after ?? null, filter.first ?? 100],
  )
  return rows
}
