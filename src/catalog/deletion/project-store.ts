import type { Sql } from '../../postgres/sql.js'
import type { EdgeLabel } from '../../vocabulary.js'
import { homeLabel, homeRows } from '../reads/edge-rows.js'

/** Projects that have edges of a label now (of any label for null), by id. */
export async function readProjectsWithEdges(sql: Sql, label: EdgeLabel | null): Promise<string[]> {
  const { rows } = await sql.query<{ projectId: string }>(
    `select s.project_id as "projectId" from catalog_scope s
     where exists (select from edge_history h where h.scope = s.key and h.valid_to = 'infinity' and h.is_visible and ($1::text is null or h.label = $1))
     union
     select s.project_id from catalog_scope s
     where s.home_stream is not null and ($1::text is null or $1 = '${homeLabel}') and exists (select from ${homeRows} and h.scope = s.key)
     order by 1`,
    [label],
  )
  return rows.map((row) => row.projectId)
}
