import type { Sql } from '../../postgres/sql.js'
import { type AnnotationField, type Annotations, noAnnotations } from './annotation.js'

/**
 * What people say of nodes, now or as they said at a moment, by id; nodes of which nothing was ever said are left out. The moment is
 * that of the saying: it has nothing to do with when facts were observed.
 */
export async function readAnnotations(sql: Sql, ids: readonly string[], { asOf }: { asOf?: Date } = {}): Promise<Map<string, Annotations>> {
  const { rows } = await sql.query<{ id: string; field: AnnotationField; items: string[]; at: Date }>(
    `select node_id as id, field, items, valid_from as at from annotation
     where node_id = any($1) and ${asOf ? 'valid_from <= $2 and valid_to > $2' : `valid_to = 'infinity' and $2::timestamptz is null`}`,
    [ids, asOf ?? null],
  )
  const found = new Map<string, Annotations>()
  for (const { id, field, items, at } of rows) {
    const known = found.get(id) ?? noAnnotations
    const annotatedAt = known.annotatedAt && known.annotatedAt > at ? known.annotatedAt : at
    found.set(id, { ...known, [field]: field === 'description' ? (items[0] ?? null) : items, annotatedAt })
  }
  return found
}

const lockClass = 7_302_005

/** Keeps projects from being deleted while something is said of their nodes (`together`), and the other way round (`alone`). */
export async function lockWords(client: Sql, projectIds: readonly string[], how: 'together' | 'alone'): Promise<void> {
  const lock = how === 'alone' ? 'pg_advisory_xact_lock' : 'pg_advisory_xact_lock_shared'
  await client.query(`select ${lock}($1, hashtext(id)) from (select unnest($2::text[]) as id) ids`, [lockClass, projectIds])
}
