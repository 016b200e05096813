import type { Sql } from '../postgres/sql.js'
import { EspalierError } from '../util/error.js'
import type { Properties } from '../vocabulary.js'

export interface Project {
  /** first part of every node id, so without slashes and white space */
  id: string
  name: string
  description: string
  createdAt: Date
}

export interface System extends Project {
  projectId: string
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

function assertId(what: string, id: string): void {
  if (legalId.test(id)) return
  throw new EspalierError('BAD_INPUT', `${what} id: found "${id.slice(0, 120)}", expected 1 to 100 letters, digits, "_", "." or "-"`, {
    remedy: `Name the ${what} by a short word such as "bank".`,
  })
}

const projectColumns = `id, name, description, created_at AS "createdAt"`
const systemColumns = `project_id AS "projectId", ${projectColumns}`

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
    JSON.stringify(entry.details ?? {}),
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
