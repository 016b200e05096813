import type { Sql } from '../postgres/sql.js'
import { inTransaction } from '../postgres/transaction.js'
import { isRunId } from './run-row.js'
import { lockRun, staleAttempt } from './store.js'

/** A point a run can be resumed from; its bytes are a blob. */
export interface Checkpoint {
  runId: string
  attempt: number
  step: number
  /** SHA-256 of the bytes in the blob store */
  blob: string
  bytes: number
  /** whether it was the best of its run when it was saved */
  best: boolean
}

export type SavedCheckpoint = Checkpoint & { createdAt: Date }

export interface CheckpointSaved {
  /** blobs that no checkpoint of any run points to any more: to be deleted from the blob store after commit */
  released: string[]
}

const columns = `run_id AS "runId", attempt, step, blob, bytes, best, created_at AS "createdAt"`

/** The rows beyond the newest `keep`, the last best one always among the kept. */
const prune = `
  WITH ranked AS (
    SELECT id, row_number() OVER (ORDER BY (id = best.id) DESC NULLS LAST, run_checkpoint.id DESC) AS place
    FROM run_checkpoint LEFT JOIN (SELECT max(id) AS id FROM run_checkpoint WHERE run_id = $1 AND best) best USING (id)
    WHERE run_id = $1)
  DELETE FROM run_checkpoint USING ranked WHERE run_checkpoint.id = ranked.id AND place > $2 RETURNING blob`

/**
 * Records a checkpoint whose blob is already stored, and forgets old ones: at most `keep` (default 5, at least 2) stay per run, the latest
 * and the last best always among them. An attempt that was taken over is refused (CONFLICT).
 */
export function saveCheckpoint(sql: Sql, checkpoint: Checkpoint, keep = 5): Promise<CheckpointSaved> {
  const { runId, attempt, step, blob, bytes, best } = checkpoint
  return inTransaction(sql, async (client) => {
    const run = await lockRun(client, runId)
    if (run.attempt !== attempt) throw staleAttempt(runId, attempt, run.attempt)
    await client.query('INSERT INTO run_checkpoint (run_id, attempt, step, blob, bytes, best) VALUES ($1, $2, $3, $4, $5, $6)', [
      ...[runId, attempt, step, blob, bytes, best],
    ])
    const { rows } = await client.query<{ blob: string }>(prune, [runId, Math.max(2, keep)])
    const dropped = [...new Set(rows.map((row) => row.blob))]
    if (dropped.length === 0) return { released: [] }
    const still = await client.query<{ blob: string }>('SELECT DISTINCT blob FROM run_checkpoint WHERE blob = ANY($1)', [dropped])
    const used = new Set(still.rows.map((row) => row.blob))
    return { released: dropped.filter((digest) => !used.has(digest)) }
  })
}

/** The checkpoint saved last, which a new attempt resumes from, or null. */
export async function latestCheckpoint(sql: Sql, runId: string): Promise<SavedCheckpoint | null> {
  return (await readCheckpoints(sql, runId))[0] ?? null
}

/** The checkpoints kept of a run, newest first. */
export async function readCheckpoints(sql: Sql, runId: string): Promise<SavedCheckpoint[]> {
  if (!isRunId(runId)) return []
  return (await sql.query<SavedCheckpoint>(`SELECT ${columns} FROM run_checkpoint WHERE run_id = $1 ORDER BY id DESC`, [runId])).rows
}

/** Of these digests, those that some checkpoint points to: what a collector of blobs must leave. */
export async function readCheckpointBlobs(sql: Sql): Promise<string[]> {
  return (await sql.query<{ blob: string }>('SELECT DISTINCT blob FROM run_checkpoint ORDER BY blob')).rows.map((row) => row.blob)
}
