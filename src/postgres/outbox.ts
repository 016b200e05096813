import type { GraphChange } from '../vocabulary.js'
import type { Sql } from './sql.js'
import { inTransaction } from './transaction.js'

/** Notified after every append that commits. */
export const outboxChannel = 'espalier_outbox'
const chunk = 5_000

/** Any number, the same in every process. */
const appendLock = 5_340_211_880

/**
 * Holds back all other appends until this transaction ends. A writer that reads what it is about to append takes this first: of two that
 * tell of one thing (its facts, people's words of it), the later then sees what the earlier one wrote.
 */
export async function lockOutbox(client: Sql): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [appendLock])
}

/** Told when the transaction commits, once however often it is called. */
export const notifyOutbox = (client: Sql): Promise<unknown> => client.query(`SELECT pg_notify('${outboxChannel}', '')`)

/**
 * Appends changes of the graph projection; call it in the transaction that makes them true in the ledger, as late as possible: from here to
 * its commit no other transaction can append. Without that lock, ids drawn earlier could appear after later ones, and a reader that has
 * passed them would never see them (ordering by transaction id does not help: ids and transaction ids are drawn in different orders).
 */
export async function appendGraphChanges(sql: Sql, changes: readonly GraphChange[]): Promise<void> {
  if (changes.length === 0) return
  await inTransaction(sql, async (client) => {
    await lockOutbox(client)
    for (let start = 0; start < changes.length; start += chunk)
      // One json array per chunk: identity values are drawn in the order of its elements.
      await client.query(
        `INSERT INTO graph_outbox (change) SELECT value FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY ORDER BY ordinality`,
        [JSON.stringify(changes.slice(start, start + chunk))],
      )
    await notifyOutbox(client)
  })
}

/** The next rows after id `after`, in order, until they stand for at least `limit` changes. Whoever reads on from the last id misses nothing. */
export async function readGraphChanges<Change = GraphChange>(
  sql: Sql,
  after: number,
  limit: number,
): Promise<{ id: number; change: Change }[]> {
  const { rows } = await sql.query<{ id: number; change: Change }>(
    `SELECT o.id, o.change FROM (
       SELECT id, sum(weight) OVER (ORDER BY id) - weight AS before FROM (SELECT id, weight FROM graph_outbox WHERE id > $1 ORDER BY id LIMIT $2) next
     ) counted JOIN graph_outbox o ON o.id = counted.id WHERE before < $2 ORDER BY o.id`,
    [after, limit],
  )
  return rows
}

/** How many changes come after id `after`. */
export async function countGraphChanges(sql: Sql, after: number): Promise<number> {
  const { rows } = await sql.query<{ n: number }>('SELECT coalesce(sum(weight), 0)::bigint AS n FROM graph_outbox WHERE id > $1', [after])
  return rows[0]?.n ?? 0
}

/** The last id committed so far; 0 when nothing was ever appended. Once applied up to it, all before now is applied. */
export async function outboxHead(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ head: number }>('SELECT coalesce(max(id), 0) AS head FROM graph_outbox')
  return rows[0]?.head ?? 0
}

/**
 * Whose outbox this is: its own id and that of the database, for a copy of a database (a template's, a backup's) goes its own way from
 * then on.
 */
export async function outboxLedger(sql: Sql): Promise<string> {
  const { rows } = await sql.query<{ id: string }>(
    `SELECT l.id || '/' || d.oid AS id FROM outbox_ledger l, pg_database d WHERE d.datname = current_database()`,
  )
  return rows[0]!.id
}

/** Forgets the changes up to and including `upTo`, except the last one, which keeps the head. Returns how many went. */
export async function trimOutbox(sql: Sql, upTo: number): Promise<number> {
  const { rowCount } = await sql.query('DELETE FROM graph_outbox WHERE id <= $1 AND id < (SELECT max(id) FROM graph_outbox)', [upTo])
  return rowCount ?? 0
}
