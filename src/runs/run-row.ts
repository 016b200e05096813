import { runNodeId } from '../util/node-ids.js'
import type { GraphChange, Run } from '../vocabulary.js'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** Whether the text can be a run's id; Postgres refuses to compare other text with one. */
export const isRunId = (text: string): boolean => uuid.test(text)

/** The columns of a Run, under its own names. */
export const runColumns = `run.id, run.kind, run.project_id AS "projectId", run.options, run.state, run.attempt, run.priority,
  run.parent_id AS "parentId", run.result, run.error, run.control, run.created_at AS "createdAt", run.started_at AS "startedAt",
  run.ended_at AS "endedAt", run.heartbeat_at AS "heartbeatAt"`

/** What scheduling needs beside the Run. */
export interface RunRow extends Run {
  name: string
  retryLimit: number
  failures: number
  timeoutSeconds: number | null
  workerId: string | null
}
export const rowColumns = `${runColumns}, run.name, run.retry_limit AS "retryLimit", run.failures,
  run.timeout_seconds AS "timeoutSeconds", run.worker_id AS "workerId"`

export const runOf = ({ name: _, retryLimit: __, failures: ___, timeoutSeconds: ____, workerId: _____, ...run }: RunRow): Run => run

/** The run as a node of the graph, `run:<id>`. */
export const nodeOf = (row: RunRow): GraphChange => ({
  op: 'upsert-node',
  id: runNodeId(row.id),
  kind: 'Run',
  properties: {
    id: runNodeId(row.id),
    run_id: row.id,
    name: row.name,
    kind: row.kind,
    state: row.state,
    attempt: row.attempt,
    project_id: row.projectId,
    created_at: row.createdAt.toISOString(),
    ended_at: row.endedAt?.toISOString() ?? null,
    updated_at: (row.endedAt ?? row.heartbeatAt ?? row.startedAt ?? row.createdAt).toISOString(),
  },
})
