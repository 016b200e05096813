import type { Sql } from '../postgres/sql.js'

/** Of these digests, those that a run's checkpoints or files have, or that the documents of an ingest or a pipeline which is not over have: what a collector of blobs must keep. */
export async function readRunBlobs(sql: Sql, digests: readonly string[]): Promise<string[]> {
  const { rows } = await sql.query<{ blob: string }>(
    `SELECT blob FROM run_checkpoint WHERE blob = any($1) UNION SELECT blob FROM run_file WHERE blob = any($1)
     UNION SELECT s ->> 'blob' FROM run, jsonb_array_elements(options -> 'sources') AS s
     WHERE kind IN ('ingest', 'pipeline') AND state IN ('pending', 'running', 'paused') AND s ->> 'blob' = any($1)
     UNION SELECT options ->> 'blob' FROM run
     WHERE kind = 'dataset' AND state IN ('pending', 'running', 'paused') AND options ->> 'blob' = any($1)`,
    [digests],
  )
  return rows.map((row) => row.blob)
}
