import type { Sql } from '../postgres/sql.js'

/** Seconds after which a worker that says nothing counts as gone. */
const silence = 30

/** Says that a worker is alive; forgets those that have been silent for a day. */
export async function seeWorker(sql: Sql, id: string): Promise<void> {
  await sql.query('INSERT INTO worker (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET seen_at = now()', [id])
  await sql.query(`DELETE FROM worker WHERE seen_at < now() - interval '1 day'`)
}

export async function forgetWorker(sql: Sql, id: string): Promise<void> {
  await sql.query('DELETE FROM worker WHERE id = $1', [id])
}

/** How many workers were seen lately. */
export async function countWorkers(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ n: number }>('SELECT count(*) AS n FROM worker WHERE seen_at > now() - make_interval(secs => $1)', [
    silence,
  ])
  return rows[0]!.n
}
