import type { Sql } from '../postgres/sql.js'
import { inTransaction } from '../postgres/transaction.js'
import type { Run } from '../vocabulary.js'
import { claimRun, type Lease } from './lease-store.js'
import { runColumns } from './run-row.js'
import { lockRun, moveRun, resumeRun } from './store.js'
import { dropTicket } from './tickets.js'

/** A step of a pipeline, and the run that does it. */
export interface PipelineStep {
  parentId: string
  step: string
  runId: string
  /** SHA-256 of what goes in */
  inputHash: string
  /** whether the run is of an earlier pipeline, into which the same went */
  isReused: boolean
}

/** Writes down which run a step is; the first word on it stands. */
export async function savePipelineStep(sql: Sql, { parentId, step, runId, inputHash, isReused }: PipelineStep): Promise<void> {
  await sql.query(
    `INSERT INTO pipeline_step (parent_id, step, run_id, input_hash, is_reused) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
    [parentId, step, runId, inputHash, isReused],
  )
}

/** The run of a step of a pipeline, or null while it has none. */
export async function readPipelineStep(sql: Sql, parentId: string, step: string): Promise<{ run: Run; isReused: boolean } | null> {
  const { rows } = await sql.query<Run & { isReused: boolean }>(
    `SELECT ${runColumns}, s.is_reused AS "isReused" FROM pipeline_step s JOIN run ON run.id = s.run_id WHERE s.parent_id = $1 AND s.step = $2`,
    [parentId, step],
  )
  if (!rows[0]) return null
  const { isReused, ...run } = rows[0]
  return { run, isReused }
}

/** The newest completed run of this step into which the same went, whatever pipeline it was of. */
export async function findStepResult(sql: Sql, step: string, inputHash: string): Promise<Run | null> {
  const { rows } = await sql.query<Run>(
    `SELECT ${runColumns} FROM pipeline_step s JOIN run ON run.id = s.run_id
     WHERE s.step = $1 AND s.input_hash = $2 AND NOT s.is_reused AND run.state = 'completed' ORDER BY run.ended_at DESC LIMIT 1`,
    [step, inputHash],
  )
  return rows[0] ?? null
}

/** What of a step stands in its pipeline's own log: metrics `<step>.<name>` and lines `[<step>] …`. */
export async function countForwarded(sql: Sql, parentId: string, step: string): Promise<number> {
  const { rows } = await sql.query<{ n: number }>(
    `SELECT count(*) AS n FROM run_event WHERE run_id = $1
     AND (type = 'metric' AND starts_with(name, $2) OR type = 'log' AND starts_with(body ->> 'message', $3))`,
    [parentId, `${step}.`, `[${step}] `],
  )
  return rows[0]!.n
}

/** Whether a child has said what does not stand in its pipeline's log yet. */
export async function hasMoreToForward(sql: Sql, childId: string, forwarded: number): Promise<boolean> {
  const { rows } = await sql.query<{ n: number }>(`SELECT count(*) AS n FROM run_event WHERE run_id = $1 AND type IN ('metric', 'log')`, [
    childId,
  ])
  return rows[0]!.n > forwarded
}

/** Claims a child for the worker that works on its parent, past the queue: a worker's only place may be taken by the parent. */
export function claimChild(sql: Sql, runId: string, workerId: string): Promise<Lease | null> {
  return inTransaction(sql, async (client) => {
    const row = await lockRun(client, runId)
    if (row.state === 'paused') await resumeRun(client, runId)
    const lease = await claimRun(client, runId, workerId)
    if (lease) await dropTicket(client, row)
    return lease
  })
}

/** A failed or cancelled child begins again with its parent. */
export function reviveChild(sql: Sql, runId: string): Promise<void> {
  return inTransaction(sql, async (client) => {
    const row = await lockRun(client, runId)
    if (row.state === 'failed' || row.state === 'cancelled') await moveRun(client, row, 'pending', { reason: 'its pipeline goes on' })
  })
}
