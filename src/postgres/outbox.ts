import type { GraphChange } from '../vocabulary.js'
import type { Sql } from './sql.js'

/** Notified after every append that commits. */
export const outboxChannel = 'espalier_outbox'
const chunk = 5_000

/** Appends changes of the graph projection; call it inside the transaction that makes them true in the ledger. */
export async function appendGraphChanges(client: Sql, changes: readonly GraphChange[]): Promise<void> {
  if (changes.length === 0) return
  for (let start = 0; start < changes.length; start += chunk) {
    // One json array per chunk: jsonb_array_elements keeps its order, and identity values are drawn in that order.
    await client.query(
      `INSERT INTO graph_outbox (change) SELECT value FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY ORDER BY ordinality`,
      [JSON.stringify(changes.slice(start, start + chunk))],
    )
  }
  await client.query(`SELECT pg_notify('${outboxChannel}', '')`)
}

/**
 * The next changes after id `after`, in order. Ids are drawn before commit, so a transaction that is still open may yet publish lower
 * ids than others already have: reading stops at the oldest open writer, and nothing is ever skipped.
 */
export async function readGraphChanges(sql: Sql, after: number, limit: number): Promise<{ id: number; change: GraphChange }[]> {
  const { rows } = await sql.query<{ id: number; change: GraphChange }>(
    `SELECT id, change FROM graph_outbox
     WHERE id > $1 AND transaction_id < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY id LIMIT $2`,
    [after, limit],
  )
  return rows
}

/** The last id committed so far, readable yet or not; 0 when nothing was ever appended. Once applied up to it, all before now is applied. */
export async function outboxHead(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ head: number }>('SELECT coalesce(max(id), 0) AS head FROM graph_outbox')
  return rows[0]?.head ?? 0
}

/** The last id that `readGraphChanges` would give now; 0 when there is none. */
export async function readableOutboxHead(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ head: number }>(
    'SELECT coalesce(max(id), 0) AS head FROM graph_outbox WHERE transaction_id < pg_snapshot_xmin(pg_current_snapshot())',
  )
  return rows[0]?.head ?? 0
}

/** Forgets the changes up to and including `upTo`, except the last one, which keeps the head. Returns how many went. */
export async function trimOutbox(sql: Sql, upTo: number): Promise<number> {
  const { rowCount } = await sql.query('DELETE FROM graph_outbox WHERE id <= $1 AND id < (SELECT max(id) FROM graph_outbox)', [upTo])
  return rowCount ?? 0
}
