import PgBoss from 'pg-boss'
import type { Database, Sql } from '../postgres/sql.js'
import { type RunKind, runKinds } from '../vocabulary.js'

/**
 * The queue: pg-boss keeps one ticket per run that waits, in one queue per kind. A ticket has its run's id, so a run never has two, and
 * is deleted by the very transaction that claims the run: a worker that dies between leaves both as they were. pg-boss is used for its
 * tables and statements alone (SKIP LOCKED, priorities, delays); it is never started, has no timers, and does no maintenance.
 */
const schema = 'pgboss'
/** Notified when a run can be claimed; payload: its kind. */
export const queueChannel = 'espalier_queue'
const queueOf = (kind: RunKind) => `espalier-${kind}`

/** pg-boss calls `executeSql`; ours has `query`. */
const dbOf = (sql: Sql): PgBoss.Db => ({ executeSql: (text, values) => sql.query(text, values) })
const noDatabase: PgBoss.Db = {
  executeSql: () => Promise.reject(new Error('tickets: every call names the connection of its transaction')),
}
const boss = new PgBoss({ db: noDatabase, schema, migrate: false, supervise: false, schedule: false })

/** Any number, the same everywhere: pg-boss makes tables and partitions without a lock that keeps rivals from a deadlock. */
const prepareLock = 5_340_211_879
const lockPreparation = (client: Sql) => client.query('SELECT pg_advisory_xact_lock($1)', [prepareLock])

/** Makes or upgrades pg-boss' schema and the queue of every kind of run. Safe to repeat, and from many processes at once. */
export async function prepareQueue(database: Database): Promise<void> {
  await database.transaction(async (client) => {
    await lockPreparation(client)
    // Its script holds a BEGIN and a COMMIT of its own; that COMMIT ends this transaction, with all done.
    const own = new PgBoss({ db: dbOf(client), schema, migrate: true, supervise: false, schedule: false })
    await own.start()
    await own.stop({ graceful: false, close: false })
  })
  await database.transaction(async (client) => {
    await lockPreparation(client)
    const own = new PgBoss({ db: dbOf(client), schema, migrate: false, supervise: false, schedule: false })
    for (const kind of runKinds) await own.createQueue(queueOf(kind), { name: queueOf(kind), policy: 'standard' })
  })
}

/** Puts the run's ticket into the queue, in the caller's transaction, and wakes up the workers unless it is for later. */
export async function addTicket(sql: Sql, run: { id: string; kind: RunKind; priority: number }, delaySeconds = 0): Promise<void> {
  const startAfter = delaySeconds > 0 ? { startAfter: delaySeconds } : {}
  await boss.send(queueOf(run.kind), { runId: run.id }, { id: run.id, priority: run.priority, ...startAfter, db: dbOf(sql) })
  if (delaySeconds === 0) await wakeWorkers(sql, run.kind)
}

export async function wakeWorkers(sql: Sql, kind: string): Promise<void> {
  await sql.query('SELECT pg_notify($1, $2)', [queueChannel, kind])
}

/** The next run id of a kind by priority, then age; null when none waits. Taken from the queue if the caller's transaction commits. */
export async function takeTicket(sql: Sql, kind: RunKind): Promise<string | null> {
  const [job] = await boss.fetch(queueOf(kind), { batchSize: 1, db: dbOf(sql) })
  if (!job) return null
  await boss.deleteJob(queueOf(kind), job.id, { db: dbOf(sql) })
  return job.id
}

export async function dropTicket(sql: Sql, run: { id: string; kind: RunKind }): Promise<void> {
  await boss.deleteJob(queueOf(run.kind), run.id, { db: dbOf(sql) })
}
