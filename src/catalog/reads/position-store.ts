import type { Sql } from '../../postgres/sql.js'

/**
 * Where the ledger of a project stands: another text as soon as a snapshot came or was deleted, whenever it was observed. A read of the
 * project that was made at the same position gives the same facts. One indexed read of the project's snapshots.
 */
export async function readLedgerPosition(sql: Sql, projectId: string): Promise<string> {
  const { rows } = await sql.query<{ position: string }>(
    `select count(*) || ':' || coalesce(sum(hashtextextended(id::text, 0)::numeric), 0) as position from snapshot where project_id = $1`,
    [projectId],
  )
  return rows[0]!.position
}
