import type { Sql } from '../postgres/sql.js'
import { inTransaction } from '../postgres/transaction.js'
import { storableJson } from '../util/storable.js'
import type { Properties } from '../vocabulary.js'
import { isRunId } from './run-row.js'
import { lockRun, staleAttempt } from './store.js'

/** A file that a run left; its bytes are a blob. */
export interface RunFile {
  runId: string
  /** unique in its run; a later attempt replaces it */
  name: string
  /** SHA-256 of the bytes in the blob store */
  blob: string
  bytes: number
  /** what it says in short */
  summary: Properties | null
  createdAt: Date
}

const columns = `run_id AS "runId", name, blob, bytes, summary, created_at AS "createdAt"`

/** Records a file whose blob is already stored. An attempt that was taken over is refused (CONFLICT). */
export function saveRunFile(sql: Sql, file: Omit<RunFile, 'createdAt'> & { attempt: number }): Promise<void> {
  const { runId, attempt, name, blob, bytes, summary } = file
  return inTransaction(sql, async (client) => {
    const run = await lockRun(client, runId)
    if (run.attempt !== attempt) throw staleAttempt(runId, attempt, run.attempt)
    await client.query(
      `INSERT INTO run_file (run_id, name, blob, bytes, summary) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (run_id, name) DO UPDATE SET blob = excluded.blob, bytes = excluded.bytes, summary = excluded.summary, created_at = now()`,
      [runId, name, blob, bytes, summary === null ? null : storableJson(summary)],
    )
  })
}

/** The files of these runs, by name. */
export async function readRunFiles(sql: Sql, runIds: readonly string[]): Promise<RunFile[]> {
  const { rows } = await sql.query<RunFile>(`SELECT ${columns} FROM run_file WHERE run_id = ANY($1::uuid[]) ORDER BY run_id, name`, [
    runIds.filter(isRunId),
  ])
  return rows
}
