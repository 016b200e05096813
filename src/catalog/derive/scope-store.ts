import type { Client, Sql } from '../../postgres/sql.js'

/** The keys of a project's scopes: of what texts state, and of what follows from it. */
export interface ProjectScopes {
  stated: number[]
  derived: number[]
}

export async function readScopes(sql: Sql, projectId: string): Promise<ProjectScopes> {
  const { rows } = await sql.query<{ key: number; is_derived: boolean }>(
    'select key, derived_of is not null as is_derived from catalog_scope where project_id = $1 order by key',
    [projectId],
  )
  const keys = (isDerived: boolean) => rows.filter((row) => row.is_derived === isDerived).map((row) => row.key)
  return { stated: keys(false), derived: keys(true) }
}

/** The scopes of what follows from the statements of these, made where they are new. */
export async function openDerivedScopes(client: Client, stated: readonly number[]): Promise<Map<number, number>> {
  await client.query(
    `insert into catalog_scope (project_id, system_id, derived_of) select project_id, system_id, key from catalog_scope s
     where key = any($1) and not exists (select from catalog_scope d where d.derived_of = s.key)`,
    [stated],
  )
  const { rows } = await client.query<{ key: number; derived_of: number }>(
    'select key, derived_of from catalog_scope where derived_of = any($1)',
    [stated],
  )
  return new Map(rows.map((row) => [row.derived_of, row.key]))
}
