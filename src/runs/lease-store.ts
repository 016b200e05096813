import type { Database, Sql } from '../postgres/sql.js'
import { inTransaction } from '../postgres/transaction.js'
import type { Run, RunKind } from '../vocabulary.js'
import { lastSequence } from './event-store.js'
import { type RunRow, rowColumns, runOf } from './run-row.js'
import { lockRun, moveRun } from './store.js'
import { addTicket, takeTicket } from './tickets.js'

/** A run that is this worker's for now. */
export interface Lease {
  run: Run
  workerId: string
  /** the number of the last event: this attempt's own begin after it */
  lastSequence: number
  timeoutSeconds: number | null
  /** attempts that failed before this one, of `retryLimit` that may */
  failures: number
  retryLimit: number
  leaseSeconds: number
}

export interface ClaimOptions {
  /** seconds without a heartbeat after which another worker may take over (default 30) */
  leaseSeconds?: number
  /** runs of all kinds that may be under way at once in this database (default: no cap) */
  maxRunning?: number
}

const defaultLease = 30
/** Any number, the same everywhere: claims under a cap are made one at a time, or two could take the last place. */
const capLock = 5_340_211_878

/** Takes a pending run, or a paused one that was resumed; null when it is not to be had (any more): exactly one of many claimers wins. */
export function claimRun(
  sql: Sql,
  runId: string,
  workerId: string,
  { leaseSeconds = defaultLease }: ClaimOptions = {},
): Promise<Lease | null> {
  return inTransaction(sql, async (client) => {
    const { rows } = await client.query(
      `SELECT FROM run WHERE id = $1 AND state IN ('pending', 'paused') AND available_at <= now() FOR NO KEY UPDATE`,
      [runId],
    )
    if (rows.length === 0) return null
    const lease = { workerId, seconds: leaseSeconds }
    const moved = await moveRun(client, await lockRun(client, runId), 'running', { reason: `claimed by ${workerId}`, lease })
    const { timeoutSeconds, failures, retryLimit } = moved
    const last = await lastSequence(client, runId)
    return { run: runOf(moved), workerId, lastSequence: last, timeoutSeconds, failures, retryLimit, leaseSeconds }
  })
}

async function isFull(client: Sql, maxRunning: number | undefined): Promise<boolean> {
  if (maxRunning === undefined) return false
  await client.query('SELECT pg_advisory_xact_lock($1)', [capLock])
  const { rows } = await client.query<{ running: number }>(`SELECT count(*) AS running FROM run WHERE state = 'running'`)
  return rows[0]!.running >= maxRunning
}

/** Kinds with a run to claim, the one with the most urgent run first. */
async function waitingKinds(client: Sql, kinds: readonly RunKind[]): Promise<RunKind[]> {
  const { rows } = await client.query<{ kind: RunKind }>(
    `SELECT kind FROM run WHERE available_at <= now() AND kind = ANY($1) GROUP BY kind ORDER BY max(priority) DESC, min(available_at)`,
    [kinds],
  )
  return rows.map((row) => row.kind)
}

/** Claims the most urgent waiting run of these kinds; null when there is none, or no place under the cap. */
export function claimNext(
  database: Database,
  kinds: readonly RunKind[],
  workerId: string,
  options: ClaimOptions = {},
): Promise<Lease | null> {
  return database.transaction(async (client) => {
    if (await isFull(client, options.maxRunning)) return null
    for (const kind of await waitingKinds(client, kinds))
      for (let runId = await takeTicket(client, kind); runId !== null; runId = await takeTicket(client, kind)) {
        const lease = await claimRun(client, runId, workerId, options)
        if (lease) return lease
      }
    return null
  })
}

/** Extends the lease and answers what is asked of the run; null when this attempt no longer holds it. */
export async function renewLease(sql: Sql, lease: Lease): Promise<{ control: Run['control'] } | null> {
  const { rows } = await sql.query<{ control: Run['control'] }>(
    `UPDATE run SET heartbeat_at = now(), lease_until = now() + $4::float8 * interval '1 s'
     WHERE id = $1 AND attempt = $2 AND worker_id = $3 AND state = 'running' RETURNING control`,
    [lease.run.id, lease.run.attempt, lease.workerId, lease.leaseSeconds],
  )
  return rows[0] ?? null
}

/** Ends the leases of a worker whose process is known to have ended: whoever sweeps next takes its runs over, and need not wait. */
export async function endLeasesOf(sql: Sql, workerId: string): Promise<void> {
  await sql.query(`UPDATE run SET lease_until = now() WHERE state = 'running' AND worker_id = $1`, [workerId])
}

async function takeOver(client: Sql, row: RunRow): Promise<void> {
  const reason = `no heartbeat from ${row.workerId ?? 'its worker'}`
  if (row.failures < row.retryLimit || row.control !== null) await moveRun(client, row, 'pending', { reason, isFailure: true })
  else {
    const message = `Its worker vanished, and ${row.failures} attempts had failed before`
    const error = { code: 'UNAVAILABLE', message, remedy: "Look into the workers' logs (memory?), then retry the run." }
    await moveRun(client, row, 'failed', { reason, isFailure: true, error })
  }
}

/**
 * Gives runs whose lease has lapsed to whoever claims next (a new attempt), or ends those that have used up their retries. Safe from many
 * processes at once; a run whose heartbeat comes is never touched. Returns their ids.
 */
export function takeOverLapsed(sql: Sql): Promise<string[]> {
  return inTransaction(sql, async (client) => {
    const { rows } = await client.query<RunRow>(
      `SELECT ${rowColumns} FROM run WHERE state = 'running' AND lease_until < now() ORDER BY id FOR NO KEY UPDATE SKIP LOCKED`,
    )
    for (const row of rows) await takeOver(client, row)
    return rows.map((row) => row.id)
  })
}

/** Puts back tickets that runs have waited for over a minute without (the queue's schema was dropped or restored); a run never has two. */
export async function restoreTickets(sql: Sql): Promise<void> {
  const { rows } = await sql.query<{ id: string; kind: RunKind; priority: number }>(
    `SELECT id, kind, priority FROM run WHERE available_at < now() - interval '1 minute' ORDER BY available_at LIMIT 1000`,
  )
  for (const row of rows) await addTicket(sql, row)
}
