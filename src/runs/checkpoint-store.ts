import type { Sql } from '../postgres/sql.js'
import { inTransaction } from '../postgres/transaction.js'
import { EspalierError } from '../util/error.js'
import type { RunKind, RunState } from '../vocabulary.js'
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

/** How people name a checkpoint: `<run id>@<step>`. */
export const checkpointName = ({ runId, step }: Pick<Checkpoint, 'runId' | 'step'>): string => `${runId}@${step}`

/** Parses `<run id>`, its newest checkpoint, or `<run id>@<step>`; null for other text. */
export function parseCheckpointName(text: string): { runId: string; step: number | null } | null {
  const [, runId = '', step] = /^([^@]+)(?:@(\d{1,15}))?$/.exec(text.trim()) ?? []
  return isRunId(runId) ? { runId: runId.toLowerCase(), step: step === undefined ? null : Number(step) } : null
}

/** A run with checkpoints, as a new run may go on from it. */
export interface ResumableRun {
  id: string
  state: RunState
  options: Record<string, unknown>
}

/** Runs of a kind that have a checkpoint, newest first. */
export async function readResumableRuns(sql: Sql, kind: RunKind, first = 200): Promise<ResumableRun[]> {
  const { rows } = await sql.query<ResumableRun>(
    `SELECT id, state, options FROM run WHERE kind = $1 AND EXISTS (SELECT FROM run_checkpoint WHERE run_id = run.id)
     ORDER BY created_at DESC, id DESC LIMIT $2`,
    [kind, first],
  )
  return rows
}

/**
 * The checkpoint that a name means: of a step, or the newest of its run. NOT_FOUND names the steps there are.
 */
export async function findCheckpoint(sql: Sql, runId: string, step: number | null): Promise<SavedCheckpoint> {
  const kept = await readCheckpoints(sql, runId)
  const found = step === null ? kept[0] : kept.find((checkpoint) => checkpoint.step === step)
  if (found) return found
  throw new EspalierError('NOT_FOUND', `run ${runId} has no checkpoint${step === null ? '' : ` of step ${step}`}`, {
    remedy: kept.length > 0 ? `It keeps those of steps ${kept.map((c) => c.step).join(', ')}.` : 'Start a new run without it.',
  })
}

/**
 * Gives a new run the checkpoint of an earlier one to begin from, and the dataset versions that one worked on. In the transaction that
 * creates the run: the earlier one's lock holds off its pruning meanwhile. NOT_FOUND when the checkpoint was pruned since it was found.
 */
export async function inheritCheckpoint(client: Sql, runId: string, from: SavedCheckpoint): Promise<void> {
  await lockRun(client, from.runId)
  const { rowCount } = await client.query(
    `INSERT INTO run_checkpoint (run_id, attempt, step, blob, bytes, best)
     SELECT $1, 0, step, blob, bytes, best FROM run_checkpoint WHERE run_id = $2 AND blob = $3 ORDER BY id DESC LIMIT 1`,
    [runId, from.runId, from.blob],
  )
  if (rowCount === 0)
    throw new EspalierError('NOT_FOUND', `the checkpoint ${checkpointName(from)} is no longer kept`, { remedy: 'Name a newer one.' })
  await client.query('INSERT INTO run_use SELECT $1, dataset_version_id FROM run_use WHERE run_id = $2', [runId, from.runId])
}
