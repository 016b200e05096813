import { appendGraphChanges } from '../postgres/outbox.js'
import type { Sql } from '../postgres/sql.js'
import { inTransaction } from '../postgres/transaction.js'
import { datasetVersionNodeId, runNodeId } from '../util/node-ids.js'
import type { GraphChange } from '../vocabulary.js'
import { isRunId, nodeOf, type RunRow, rowColumns } from './run-row.js'

const pageSize = 1_000

const useEdge = (runId: string, datasetVersionId: string): GraphChange => ({
  op: 'upsert-edge',
  sourceId: runNodeId(runId),
  label: 'USED',
  targetId: datasetVersionNodeId(datasetVersionId),
  discriminator: '',
  properties: {},
})

/** Writes down that a run works on a dataset version, for the graph as well; again changes nothing. */
export function recordUse(sql: Sql, runId: string, datasetVersionId: string): Promise<void> {
  return inTransaction(sql, async (client) => {
    await client.query('INSERT INTO run_use (run_id, dataset_version_id) VALUES ($1, $2) ON CONFLICT DO NOTHING', [runId, datasetVersionId])
    await appendGraphChanges(client, [useEdge(runId, datasetVersionId)])
  })
}

/** The dataset versions that each of these runs worked on, in the order of their ids. */
export async function readUses(sql: Sql, runIds: readonly string[]): Promise<Map<string, string[]>> {
  const { rows } = await sql.query<{ runId: string; id: string }>(
    'SELECT run_id AS "runId", dataset_version_id AS id FROM run_use WHERE run_id = ANY($1::uuid[]) ORDER BY 1, 2',
    [runIds.filter(isRunId)],
  )
  const uses = new Map<string, string[]>(runIds.map((id) => [id, []]))
  for (const { runId, id } of rows) uses.get(runId)?.push(id)
  return uses
}

/** What runs have in the graph now, in pages: read by a rebuild. */
export async function* runGraph(sql: Sql): AsyncGenerator<GraphChange[]> {
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const { rows } = await sql.query<RunRow>(`SELECT ${rowColumns} FROM run WHERE id > $1 ORDER BY id LIMIT ${pageSize}`, [after])
    if (rows.length === 0) return
    after = rows.at(-1)!.id
    yield rows.map(nodeOf)
    const uses = await sql.query<{ run_id: string; dataset_version_id: string }>('SELECT * FROM run_use WHERE run_id = ANY($1)', [
      rows.map((row) => row.id),
    ])
    yield uses.rows.map((use) => useEdge(use.run_id, use.dataset_version_id))
  }
}
