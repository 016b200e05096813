import type { Sql } from '../postgres/sql.js'
import { EspalierError } from '../util/error.js'
import { storable, storableJson } from '../util/storable.js'
import type { Run, RunEvent, RunEventBody, RunState } from '../vocabulary.js'
import { isRunId } from './run-row.js'

/** Notified when a run has new events; payload: its id. */
export const runChannel = 'espalier_run'

export interface NumberedEvent {
  /** 1, 2, 3, … within the run, across its attempts */
  sequence: number
  body: RunEventBody
  /** default: the database's clock at insertion */
  at?: Date
}

/** Columns of the events, one array each: metrics in columns of their own, everything else as JSON. */
function columnsOf(events: readonly NumberedEvent[]): unknown[] {
  const metrics = events.map(({ body }) => (body.type === 'metric' ? body : null))
  return [
    events.map(({ sequence }) => sequence),
    events.map(({ at }) => at ?? null),
    events.map(({ body }) => body.type),
    metrics.map((metric) => metric && storable(metric.name)),
    metrics.map((metric) => metric?.step),
    metrics.map((metric) => metric?.value),
    events.map(({ body }) => (body.type === 'metric' ? null : storableJson({ ...body, type: undefined }))),
  ]
}

/**
 * One statement: the row lock orders appends of one run and holds off a take-over while they happen; an older attempt finds no row;
 * a batch that would leave a gap inserts nothing; what is there already is left as it is.
 */
const append = `
  WITH owner AS (SELECT id FROM run WHERE id = $1 AND attempt = $2 FOR NO KEY UPDATE),
  last AS (SELECT coalesce(max(sequence), 0) AS sequence FROM run_event WHERE run_id = $1),
  added AS (
    INSERT INTO run_event (run_id, sequence, attempt, at, type, name, step, value, body)
    SELECT $1, e.sequence, $2, coalesce(e.at, now()), e.type, e.name, e.step, e.value, e.body
    FROM owner, last, unnest($3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::bigint[], $8::float8[], $9::jsonb[])
      AS e (sequence, at, type, name, step, value, body)
    WHERE $10::bigint <= last.sequence + 1 ORDER BY e.sequence
    ON CONFLICT (run_id, sequence) DO NOTHING RETURNING 1)
  SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM owner) AS owners, (SELECT sequence FROM last) AS last`

function assertSequences(runId: string, events: readonly NumberedEvent[]): void {
  events.forEach(({ sequence }, i) => {
    const expected = events[0]!.sequence + i
    if (sequence === expected && sequence > 0) return
    throw new EspalierError('BAD_INPUT', `Events of run ${runId}: found sequence ${sequence} at place ${i}, expected ${expected}`)
  })
}

/**
 * Appends a batch of consecutive events, idempotently: a batch sent again costs its own size and changes nothing. Refused with CONFLICT
 * when another attempt has taken over, or when the batch would leave a gap after the last event.
 */
export async function appendEvents(sql: Sql, runId: string, attempt: number, events: readonly NumberedEvent[]): Promise<void> {
  const first = events[0]
  if (!first) return
  assertSequences(runId, events)
  const { rows } = await sql.query<{ added: number; owners: number; last: number }>(append, [
    runId,
    attempt,
    ...columnsOf(events),
    first.sequence,
  ])
  const { added, owners, last } = rows[0]!
  if (owners === 0)
    throw new EspalierError('CONFLICT', `Attempt ${attempt} of run ${runId} is not its current one: its events are not kept`, {
      remedy: 'Stop working on it: another worker has taken over, or the run is gone.',
    })
  if (first.sequence > last + 1 && added === 0)
    throw new EspalierError('CONFLICT', `Events of run ${runId} end at ${last}; the batch begins at ${first.sequence}`, {
      remedy: `Send the events from ${last + 1} on first.`,
    })
  if (added > 0) await sql.query('SELECT pg_notify($1, $2)', [runChannel, runId])
}

/** Writes the event of a move, numbered after the last one; the caller holds the run's row lock. */
export async function appendStateEvent(
  client: Sql,
  run: Pick<Run, 'id' | 'attempt' | 'state'>,
  from: RunState,
  reason?: string,
): Promise<void> {
  const body = { from, to: run.state, ...(reason === undefined ? {} : { reason }) }
  await client.query(
    `INSERT INTO run_event (run_id, sequence, attempt, type, body)
     SELECT $1, coalesce(max(sequence), 0) + 1, $2, 'state', $3::jsonb FROM run_event WHERE run_id = $1`,
    [run.id, run.attempt, storableJson(body)],
  )
  await client.query('SELECT pg_notify($1, $2)', [runChannel, run.id])
}

interface EventRow {
  sequence: number
  attempt: number
  at: Date
  type: RunEventBody['type']
  name: string | null
  step: number | null
  value: number | null
  body: Record<string, unknown> | null
}

const eventOf = (runId: string, { sequence, attempt, at, type, name, step, value, body }: EventRow): RunEvent =>
  ({ runId, sequence, attempt, at, type, ...(body ?? { name, step, value }) }) as RunEvent

/** Events after sequence `after` (default 0), in order, at most `limit` (default 1,000). */
export async function readEvents(
  sql: Sql,
  runId: string,
  { after = 0, limit = 1_000 }: { after?: number; limit?: number } = {},
): Promise<RunEvent[]> {
  if (!isRunId(runId)) return []
  const { rows } = await sql.query<EventRow>(
    `SELECT sequence, attempt, at, type, name, step, value, body FROM run_event
     WHERE run_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3`,
    [runId, after, limit],
  )
  return rows.map((row) => eventOf(runId, row))
}

/**
 * Events after `after` up to `upTo`, in order, at most `limit`: of metrics only the newest of each name, everything else whole. What a
 * reader gets who has fallen behind.
 */
export async function readCoalesced(
  sql: Sql,
  runId: string,
  { after, upTo, limit }: { after: number; upTo: number; limit: number },
): Promise<RunEvent[]> {
  const { rows } = await sql.query<EventRow>(
    `SELECT sequence, attempt, at, type, name, step, value, body FROM run_event
     WHERE run_id = $1 AND sequence > $2 AND sequence <= $3 AND (type <> 'metric' OR sequence = ANY (ARRAY(
       SELECT max(sequence) FROM run_event WHERE run_id = $1 AND sequence > $2 AND sequence <= $3 AND type = 'metric' GROUP BY name)))
     ORDER BY sequence LIMIT $4`,
    [runId, after, upTo, limit],
  )
  return rows.map((row) => eventOf(runId, row))
}

/** The number of the run's last event; 0 when it has none. */
export async function lastSequence(sql: Sql, runId: string): Promise<number> {
  const { rows } = await sql.query<{ last: number }>('SELECT coalesce(max(sequence), 0) AS last FROM run_event WHERE run_id = $1', [runId])
  return rows[0]!.last
}
