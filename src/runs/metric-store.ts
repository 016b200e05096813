import type { Sql } from '../postgres/sql.js'
import { isRunId } from './run-row.js'

export interface MetricPoint {
  name: string
  step: number
  /** may be NaN or infinite */
  value: number
  at: Date
}

/** What a curve shows of the steps `fromStep`..`toStep` of one metric. */
export interface MetricBucket {
  /** place on the curve's grid, from 0; empty places have no bucket */
  index: number
  fromStep: number
  toStep: number
  /** points that fell into it */
  count: number
  /** over the finite values; null when there is none */
  min: number | null
  max: number | null
  /** the value recorded last; may be NaN or infinite */
  last: number
  lastStep: number
  /** points that are NaN or infinite: a diverging run must show, not vanish */
  notFinite: number
}

export interface MetricRange {
  /** first and last step wanted, both included (default: all) */
  fromStep?: number
  toStep?: number
  /** buckets at most (default 500); with no more steps than that, each step has its own */
  buckets?: number
  /** lays the buckets over these steps instead of the curve's own: equal indices of two curves then cover the same steps */
  grid?: { fromStep: number; toStep: number }
}

/**
 * The last value of every metric, by run id, names in order. Walks the index from name to name, so its cost does not grow with the steps
 * (two inequalities, not one equality: or the planner walks the primary key backwards past every other metric).
 */
export async function latestMetricsOf(sql: Sql, runIds: readonly string[]): Promise<Map<string, MetricPoint[]>> {
  const { rows } = await sql.query<MetricPoint & { runId: string }>(
    `WITH RECURSIVE names AS (
       SELECT r.id AS run_id, (SELECT min(name) FROM run_event WHERE run_id = r.id AND type = 'metric') AS name FROM unnest($1::uuid[]) AS r (id)
       UNION ALL
       SELECT n.run_id, (SELECT min(name) FROM run_event WHERE run_id = n.run_id AND type = 'metric' AND name > n.name)
       FROM names n WHERE n.name IS NOT NULL)
     SELECT n.run_id AS "runId", n.name, e.step, e.value, e.at FROM names n
     CROSS JOIN LATERAL (SELECT step, value, at FROM run_event
       WHERE run_id = n.run_id AND name >= n.name AND name <= n.name AND type = 'metric' ORDER BY name DESC, sequence DESC LIMIT 1) e
     WHERE n.name IS NOT NULL ORDER BY n.run_id, n.name`,
    [runIds.filter(isRunId)],
  )
  const latest = new Map<string, MetricPoint[]>(runIds.map((id) => [id, []]))
  for (const { runId, ...point } of rows) latest.get(runId)?.push(point)
  return latest
}

/** The last value of every metric of the run, names in order. */
export async function latestMetrics(sql: Sql, runId: string): Promise<MetricPoint[]> {
  return (await latestMetricsOf(sql, [runId])).get(runId)!
}

/**
 * One metric's curve in at most `buckets` buckets of equal width in steps, each with its min, max and last: a million points draw in one
 * query. Steps that an interrupted attempt reached and a later one repeated count twice; `last` is the later one's.
 */
export async function metricSeries(sql: Sql, runId: string, name: string, range: MetricRange = {}): Promise<MetricBucket[]> {
  const { fromStep, toStep, buckets = 500, grid } = range
  if (!isRunId(runId)) return []
  const { rows } = await sql.query<MetricBucket>(
    `WITH points AS NOT MATERIALIZED (
       SELECT step, value, sequence FROM run_event
       WHERE run_id = $1 AND name = $2 AND type = 'metric'
         AND step BETWEEN coalesce($3::bigint, 0) AND coalesce($4::bigint, 9223372036854775807)),
     extent AS (SELECT coalesce($6::bigint, min(step)) AS low, coalesce($7::bigint, max(step)) AS high FROM points),
     ends AS MATERIALIZED (SELECT low, greatest(high - low + 1, $5::bigint) AS width FROM extent),
     grouped AS (
       SELECT (step - low) * $5::bigint / width AS index, min(step) AS "fromStep", max(step) AS "toStep", count(*) AS count, max(sequence) AS sequence,
         min(value) FILTER (WHERE abs(value) < 'Infinity') AS min, max(value) FILTER (WHERE abs(value) < 'Infinity') AS max,
         count(*) FILTER (WHERE NOT abs(value) < 'Infinity') AS "notFinite"
       FROM points, ends GROUP BY (step - low) * $5::bigint / width)
     SELECT index, "fromStep", "toStep", count, min, max, "notFinite", last.value AS last, last.step AS "lastStep"
     FROM grouped CROSS JOIN LATERAL (SELECT step, value FROM run_event WHERE run_id = $1 AND sequence = grouped.sequence LIMIT 1) last
     ORDER BY "fromStep"`,
    [runId, name, fromStep ?? null, toStep ?? null, buckets, grid?.fromStep ?? null, grid?.toStep ?? null],
  )
  return rows
}

/** One metric of several runs on one grid of steps, to be laid over each other; in the order of the runs, empty where a run has none. */
export async function comparedSeries(sql: Sql, runIds: readonly string[], name: string, buckets = 500): Promise<MetricBucket[][]> {
  const { rows } = await sql.query<{ low: number | null; high: number | null }>(
    `SELECT min(step) AS low, max(step) AS high FROM run_event WHERE run_id = ANY($1::uuid[]) AND name = $2 AND type = 'metric'`,
    [runIds.filter(isRunId), name],
  )
  const { low, high } = rows[0]!
  if (low === null || high === null) return runIds.map(() => [])
  const grid = { fromStep: low, toStep: high }
  return Promise.all(runIds.map((runId) => metricSeries(sql, runId, name, { ...grid, grid, buckets })))
}
