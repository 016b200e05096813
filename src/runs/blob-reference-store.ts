import type { Sql } from '../postgres/sql.js'

/** Of these digests, those that a run's checkpoints or files have: what a collector of blobs must keep. */
export async function readRunBlobs(sql: Sql, digests: readonly string[]): Promise<string[]> {
  const { rows } = await sql.query<{ blob: string }>(
    'SELECT blob FROM run_checkpoint WHERE blob = any($1) UNION SELECT blob FROM run_file WHERE blob = any($1)',
    [digests],
  )
  return rows.map((row) => row.blob)
}
