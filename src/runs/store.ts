import { randomUUID } from 'node:crypto'
import { appendGraphChanges } from '../postgres/outbox.js'
import type { Sql } from '../postgres/sql.js'
import { inTransaction } from '../postgres/transaction.js'
import { didYouMean } from '../util/closest.js'
import { EspalierError } from '../util/error.js'
import { storable, storableJson } from '../util/storable.js'
import { type Properties, type Run, type RunKind, type RunState, runKinds } from '../vocabulary.js'
import { appendStateEvent } from './event-store.js'
import { isRunId, nodeOf, type RunRow, rowColumns, runColumns, runOf } from './run-row.js'
import { assertMove, illegalMove, isTerminal } from './states.js'
import { addTicket, dropTicket, wakeWorkers } from './tickets.js'

/** Notified when a run is asked to pause or cancel; payload: its id. */
export const controlChannel = 'espalier_control'

export interface RunRequest {
  kind: RunKind
  /** validated by the caller, every default filled in; what the run does is fully told by it */
  options: Properties
  /** for people; default the kind and the beginning of the id */
  name?: string
  projectId?: string | null
  parentId?: string | null
  /** 1 to 10, 10 is most urgent (default 5) */
  priority?: number
  /** failed or vanished attempts that are tried again (default 2) */
  retryLimit?: number
  /** seconds one attempt may take (default: no limit) */
  timeoutSeconds?: number | null
}

/** A timer cannot wait longer: 2^31 milliseconds. */
const longestTimeout = 2_147_483

function assertRequest({ kind, priority = 5, timeoutSeconds = null, retryLimit = 2 }: RunRequest): void {
  if (!runKinds.includes(kind))
    throw new EspalierError('BAD_INPUT', `run kind: found "${kind}", expected one of ${runKinds.join(', ')}`, {
      remedy: didYouMean(kind, runKinds) ?? 'Name one of these kinds.',
    })
  if (!Number.isInteger(priority) || priority < 1 || priority > 10)
    throw new EspalierError('BAD_INPUT', `run priority: found ${priority}, expected a whole number from 1 to 10 (10 is most urgent)`)
  const isWhole = (value: number, least: number, most: number) => Number.isInteger(value) && value >= least && value <= most
  if (timeoutSeconds !== null && !isWhole(timeoutSeconds, 1, longestTimeout))
    throw new EspalierError('BAD_INPUT', `run timeoutSeconds: found ${timeoutSeconds}, expected a whole number from 1 to ${longestTimeout}`)
  if (!isWhole(retryLimit, 0, 100))
    throw new EspalierError('BAD_INPUT', `run retryLimit: found ${retryLimit}, expected a whole number from 0 to 100`)
}

/** Creates a pending run with its ticket, state event and graph node, all in one transaction (the caller's, if it gave its client). */
export function createRun(sql: Sql, request: RunRequest): Promise<Run> {
  assertRequest(request)
  const id = randomUUID()
  const { kind, options, name, projectId, parentId, priority = 5, retryLimit = 2, timeoutSeconds } = request
  const values = [id, kind, storable(name ?? `${kind} ${id.slice(0, 8)}`), projectId ?? null, parentId ?? null, storableJson(options)]
  return inTransaction(sql, async (client) => {
    const { rows } = await client.query<RunRow>(
      `INSERT INTO run (id, kind, name, project_id, parent_id, options, priority, retry_limit, timeout_seconds, available_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now()) RETURNING ${rowColumns}`,
      [...values, priority, retryLimit, timeoutSeconds ?? null],
    )
    const row = rows[0]!
    await addTicket(client, row)
    await appendGraphChanges(client, [nodeOf(row)])
    return runOf(row)
  })
}

export function noSuchRun(runId: string): EspalierError {
  return new EspalierError('NOT_FOUND', `There is no run "${runId.slice(0, 80)}"`, { remedy: 'List runs to find its id.' })
}

/** The run's row, locked until the transaction ends; other text than a run id is NOT_FOUND too. */
export async function lockRun(client: Sql, runId: string): Promise<RunRow> {
  const { rows } = isRunId(runId)
    ? await client.query<RunRow>(`SELECT ${rowColumns} FROM run WHERE id = $1 FOR NO KEY UPDATE`, [runId])
    : { rows: [] }
  if (!rows[0]) throw noSuchRun(runId)
  return rows[0]
}

export interface TransitionDetails {
  /** for people, kept in the state event */
  reason?: string
  /** the attempt that speaks; refused with CONFLICT once a newer one has begun */
  attempt?: number
  result?: Properties | null
  error?: Run['error']
  /** of a move to pending: seconds until it may be claimed (default 0) */
  delaySeconds?: number
  /** counts as a failed attempt */
  isFailure?: boolean
  /** of a worker's claim */
  lease?: { workerId: string; seconds: number }
}

export function staleAttempt(runId: string, attempt: number, current: number): EspalierError {
  return new EspalierError('CONFLICT', `Attempt ${attempt} of run ${runId} is over: attempt ${current} has taken its place`, {
    remedy: 'Stop working on it: what this attempt writes is not kept.',
  })
}

/** What entering a state does to every column, in one place. Times are the database's, so that workers' clocks don't matter. */
const move = `UPDATE run SET state = $2::text, result = $3, error = $4, control = NULL,
    attempt = attempt + ($2::text = 'running')::int,
    started_at = CASE WHEN $2::text = 'running' THEN coalesce(started_at, now()) ELSE started_at END,
    ended_at = CASE WHEN $2::text IN ('completed', 'failed', 'cancelled') THEN now() END,
    available_at = CASE WHEN $2::text = 'pending' THEN now() + $5::float8 * interval '1 s' END,
    failures = CASE WHEN $2::text = 'pending' AND state <> 'running' THEN 0 ELSE failures + $6::int END,
    worker_id = $7, lease_until = now() + $8::float8 * interval '1 s',
    heartbeat_at = CASE WHEN $2::text = 'running' THEN now() ELSE heartbeat_at END
  WHERE id = $1 RETURNING ${rowColumns}`

/** A running run that would go back to the queue first obeys what was asked of it. */
const obeyed = (row: RunRow, to: RunState): RunState =>
  to !== 'pending' || row.control === null ? to : row.control === 'cancel' ? 'cancelled' : 'paused'

/** What is left of the work of a run that failed or was cancelled: nobody waits for it. */
async function cancelChildren(client: Sql, runId: string): Promise<void> {
  for (const child of await readChildren(client, [runId])) if (!isTerminal(child.state)) await requestControl(client, child.id, 'cancel')
}

/** Moves a locked row, with its event, graph node and ticket. One that fails or is cancelled takes its children with it. */
export async function moveRun(client: Sql, row: RunRow, wanted: RunState, details: TransitionDetails = {}): Promise<RunRow> {
  const { reason, attempt, result, error, delaySeconds = 0, isFailure = false, lease } = details
  const to = obeyed(row, wanted)
  if (attempt !== undefined && attempt !== row.attempt) throw staleAttempt(row.id, attempt, row.attempt)
  assertMove(row.id, row.state, to)
  const json = [result, error].map((value) => (value ? storableJson(value) : null))
  const { rows } = await client.query<RunRow>(move, [
    ...[row.id, to, ...json, delaySeconds, isFailure ? 1 : 0],
    ...[lease?.workerId ?? null, lease?.seconds ?? null],
  ])
  const moved = rows[0]!
  await appendStateEvent(client, moved, row.state, reason)
  await appendGraphChanges(client, [nodeOf(moved)])
  if (to === 'failed' || to === 'cancelled') await cancelChildren(client, row.id)
  if (to === 'pending') await addTicket(client, moved, delaySeconds)
  else if (row.state === 'running')
    await wakeWorkers(client, moved.kind) // a place under the cap is free
  else if (!lease) await dropTicket(client, moved) // a claim has taken it already
  return moved
}

/**
 * Moves the run to another state and writes the state event and the graph node in the same transaction. An illegal move is an
 * ILLEGAL_TRANSITION error that names the legal ones. A running run asked to pause or cancel does that instead of going back to pending. Entering `running` begins a new attempt, here without a lease (a worker's claim
 * gives it one).
 */
export function transition(sql: Sql, runId: string, to: RunState, details: TransitionDetails = {}): Promise<Run> {
  return inTransaction(sql, async (client) => runOf(await moveRun(client, await lockRun(client, runId), to, details)))
}

async function setControl(client: Sql, runId: string, control: Run['control']): Promise<Run> {
  const { rows } = await client.query<Run>(`UPDATE run SET control = $2 WHERE id = $1 RETURNING ${runColumns}`, [runId, control])
  await client.query('SELECT pg_notify($1, $2)', [controlChannel, runId])
  return rows[0]!
}

/**
 * Asks a run to pause or cancel, or takes the request back (null). A running one obeys at its next step; a pending or paused one is
 * cancelled at once. Anything else is an ILLEGAL_TRANSITION error.
 */
export function requestControl(sql: Sql, runId: string, control: Run['control']): Promise<Run> {
  return inTransaction(sql, async (client) => {
    const row = await lockRun(client, runId)
    if (row.state === 'running') return setControl(client, runId, control)
    if (control === 'cancel' && !isTerminal(row.state)) {
      for (const child of await readChildren(client, [runId]))
        if (!isTerminal(child.state)) await requestControl(client, child.id, 'cancel')
      return runOf(await moveRun(client, row, 'cancelled', { reason: 'cancelled on request' }))
    }
    if (control === null || (control === 'pause' && row.state === 'paused')) return runOf(row)
    throw illegalMove(runId, row.state, control)
  })
}

/** Lets a worker pick a paused run up again where it stopped; on a running one it takes a pause request back. */
export function resumeRun(sql: Sql, runId: string): Promise<Run> {
  return inTransaction(sql, async (client) => {
    const row = await lockRun(client, runId)
    if (row.state === 'running') return setControl(client, runId, null)
    if (row.state !== 'paused') throw illegalMove(runId, row.state, 'resume')
    await client.query('UPDATE run SET available_at = coalesce(available_at, now()) WHERE id = $1', [runId])
    await addTicket(client, row)
    return runOf(row)
  })
}

/** Begins a new attempt of a failed or cancelled run, its count of failures forgotten. */
export function retryRun(sql: Sql, runId: string, reason = 'retried on request'): Promise<Run> {
  return inTransaction(sql, async (client) => {
    const row = await lockRun(client, runId)
    if (row.state === 'running') throw illegalMove(runId, row.state, 'be retried')
    return runOf(await moveRun(client, row, 'pending', { reason }))
  })
}

/** The run, or null. */
export async function readRun(sql: Sql, runId: string): Promise<Run | null> {
  if (!isRunId(runId)) return null
  return (await sql.query<Run>(`SELECT ${runColumns} FROM run WHERE id = $1`, [runId])).rows[0] ?? null
}

/** The runs of these ids, in the order of the ids; null where there is none. For loaders. */
export async function readRunsById(sql: Sql, runIds: readonly string[]): Promise<(Run | null)[]> {
  const { rows } = await sql.query<Run>(`SELECT ${runColumns} FROM run WHERE id = ANY($1::uuid[])`, [runIds.filter((id) => isRunId(id))])
  const byId = new Map(rows.map((run) => [run.id, run]))
  return runIds.map((id) => byId.get(id.toLowerCase()) ?? null)
}

export interface RunFilter {
  kind?: RunKind | readonly RunKind[]
  state?: RunState | readonly RunState[]
  projectId?: string
  parentId?: string
  /** runs at most (default 50) */
  first?: number
  /** the id of the last run already seen */
  after?: string | null
}

const listOf = <T>(value: T | readonly T[] | undefined): readonly T[] | null =>
  value === undefined ? null : Array.isArray(value) ? value : [value as T]

function assertIds(ids: { [name: string]: string | null | undefined }): void {
  for (const [name, id] of Object.entries(ids))
    if (typeof id === 'string' && !isRunId(id))
      throw new EspalierError('BAD_INPUT', `${name}: found "${id.slice(0, 80)}", expected the id of a run`, {
        remedy: 'List runs to find it.',
      })
}

/** Runs, newest first. */
export async function readRuns(sql: Sql, filter: RunFilter = {}): Promise<Run[]> {
  const { kind, state, projectId, parentId, first = 50, after } = filter
  assertIds({ parentId, after })
  const { rows } = await sql.query<Run>(
    `SELECT ${runColumns} FROM run
     WHERE ($1::text[] IS NULL OR kind = ANY($1)) AND ($2::text[] IS NULL OR state = ANY($2))
       AND ($3::text IS NULL OR project_id = $3) AND ($4::uuid IS NULL OR parent_id = $4)
       AND ($5::uuid IS NULL OR (created_at, id) < (SELECT seen.created_at, seen.id FROM run seen WHERE seen.id = $5))
     ORDER BY created_at DESC, id DESC LIMIT $6`,
    [listOf(kind), listOf(state), projectId ?? null, parentId ?? null, after ?? null, first],
  )
  return rows
}

/** How many runs a filter matches, whatever its page. */
export async function countRuns(sql: Sql, { kind, state, projectId, parentId }: Omit<RunFilter, 'first' | 'after'> = {}): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    `SELECT count(*) AS count FROM run
     WHERE ($1::text[] IS NULL OR kind = ANY($1)) AND ($2::text[] IS NULL OR state = ANY($2))
       AND ($3::text IS NULL OR project_id = $3) AND ($4::uuid IS NULL OR parent_id = $4)`,
    [listOf(kind), listOf(state), projectId ?? null, parentId ?? null],
  )
  return rows[0]!.count
}

/** The child runs of these runs, oldest first: the order of a pipeline's steps. For loaders. */
export async function readChildren(sql: Sql, parentIds: readonly string[]): Promise<Run[]> {
  const { rows } = await sql.query<Run>(`SELECT ${runColumns} FROM run WHERE parent_id = ANY($1::uuid[]) ORDER BY created_at, id`, [
    parentIds.filter((id) => isRunId(id)),
  ])
  return rows
}
