import type { GraphEngine } from '../../graph/engine.js'
import { countGraphChanges, outboxChannel, outboxHead, readGraphChanges, trimOutbox } from '../../postgres/outbox.js'
import type { Database, Sql } from '../../postgres/sql.js'
import { EspalierError, messageOf } from '../../util/error.js'
import type { Logger } from '../../util/log.js'
import type { GraphChange, GraphRefresh } from '../../vocabulary.js'
import { catalogGraph, readOutboxChanges } from './graph-store.js'

/** Any number, the same in every process: one writer of the graph at a time per database. */
const lockKey = 7_302_002

/** What a room has in the graph now, in pages, nodes before the edges that need them: read by a rebuild. */
export type GraphReader = (sql: Sql) => AsyncIterable<readonly GraphChange[]>

export interface Projected {
  database: Database
  engine: GraphEngine
}

/** Applies one batch of the outbox, in order; returns how many of its rows. Another process that is at it makes this wait its turn. */
async function drainBatch({ database, engine }: Projected, batch: number): Promise<number> {
  return database.transaction(async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [lockKey])
    const rows = await readGraphChanges<GraphChange | GraphRefresh>(client, await engine.position(), batch)
    if (rows.length === 0) return 0
    const changes = await readOutboxChanges(
      client,
      rows.map((row) => row.change),
    )
    await engine.apply(changes, rows.at(-1)!.id)
    return rows.length
  })
}

/** Brings the graph up to the outbox, `batch` changes (default 2,000) at a time; returns how many were applied. */
export async function drainOutbox(database: Database, engine: GraphEngine, { batch = 2_000 } = {}): Promise<number> {
  let total = 0
  for (;;) {
    const applied = await drainBatch({ database, engine }, batch)
    total += applied
    if (applied === 0) return total
  }
}

export interface RebuildOptions extends Projected {
  /** of every room that has things in the graph besides the catalog (runs, datasets, artifacts) */
  readers?: readonly GraphReader[]
  /** changes per write (default 2,000) */
  batch?: number
}

/**
 * Empties the graph and writes it anew from the ledgers; returns how many changes that took. Its position is set only at the end, so a
 * rebuild that was cut short is found out and made again.
 */
export async function rebuildGraph({ database, engine, readers = [], batch = 2_000 }: RebuildOptions): Promise<number> {
  return database.transaction(
    async (client) => {
      await client.query('select pg_advisory_xact_lock($1)', [lockKey])
      await engine.clear()
      await engine.prepare()
      const head = await outboxHead(client)
      let total = 0
      for (const reader of [catalogGraph, ...readers])
        for await (const page of reader(client))
          for (let start = 0; start < page.length; start += batch) {
            await engine.apply(page.slice(start, start + batch), 0)
            total += Math.min(batch, page.length - start)
          }
      await engine.apply([], head)
      return total
    },
    { isolation: 'repeatable read' },
  )
}

/**
 * Whether only a rebuild helps: changes that the engine has not seen were trimmed away, or it is ahead of this ledger, because it
 * holds another one's graph (or the ledger came back from a backup).
 */
async function needsRebuild({ database, engine }: Projected): Promise<boolean> {
  const position = await engine.position()
  const { rows } = await database.query<{ trimmed_to: number }>('select trimmed_to from outbox_floor')
  return (rows[0]?.trimmed_to ?? 0) > position || position > (await outboxHead(database))
}

/** Forgets applied changes but the last `keep`, and notes how far. */
async function trim({ database, engine }: Projected, keep: number): Promise<void> {
  const upTo = (await engine.position()) - keep
  if (upTo <= 0) return
  await database.transaction(async (client) => {
    await client.query(
      `insert into outbox_floor (trimmed_to) values ($1)
       on conflict (is_single) do update set trimmed_to = greatest(outbox_floor.trimmed_to, excluded.trimmed_to)`,
      [upTo],
    )
    await trimOutbox(client, upTo)
  })
}

/** How many changes the graph is behind the ledger; 0 when it is up to date. */
export const projectionLag = async (database: Sql, engine: Pick<GraphEngine, 'position'>): Promise<number> =>
  countGraphChanges(database, await engine.position())

const delay = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

/** Waits until the graph shows all that is committed now. TIMEOUT after `timeoutMs` (default 30,000). */
export async function awaitProjection(
  database: Sql,
  engine: Pick<GraphEngine, 'position'>,
  { timeoutMs = 30_000 }: { timeoutMs?: number } = {},
): Promise<void> {
  const goal = await outboxHead(database)
  const deadline = performance.now() + timeoutMs
  for (let pause = 5; ; pause = Math.min(pause * 2, 200)) {
    const position = await engine.position()
    if (position >= goal) return
    if (performance.now() > deadline)
      throw new EspalierError('TIMEOUT', `projection: the graph is at change ${position} of ${goal} after ${timeoutMs} ms`, {
        remedy: 'Check that the server runs (it alone writes the graph) and its log; or wait longer.',
      })
    await delay(pause)
  }
}

export interface ProjectionOptions extends RebuildOptions {
  log: Logger
  /** milliseconds between looks when no notification comes (default 2,000) */
  pollMs?: number
  /** applied changes that are kept when older ones are trimmed (default 100,000); nothing is trimmed without `readers` */
  keep?: number
}

export interface Projection {
  stop(): Promise<void>
  lag(): Promise<number>
  /** why the graph can't be written at the moment; null while all is well */
  readonly failure: string | null
}

const longestBackOff = 30_000

/** A rest that can be ended early. */
class Rest {
  private end = () => {}
  private isOver = false

  /** Returns after the time, or when `wake` is (or, since the last rest, was) called. */
  take(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.end(), milliseconds)
      this.end = () => {
        clearTimeout(timer)
        this.end = () => {}
        this.isOver = false
        resolve()
      }
      if (this.isOver) this.end()
    })
  }

  wake(): void {
    this.isOver = true
    this.end()
  }
}

/**
 * Keeps the graph up to date: on every notification, and now and then in case one was lost. An engine that is down is tried again,
 * after 100 ms, doubling to 30 s (notifications do not hurry it); one that has missed trimmed changes (a new one, a lost file) is
 * rebuilt first.
 */
export async function startProjection({ log, pollMs = 2_000, keep = 100_000, ...options }: ProjectionOptions): Promise<Projection> {
  const { database, engine, readers, batch } = options
  const [idle, backingOff] = [new Rest(), new Rest()]
  let failure: string | null = null
  let isStopped = false

  async function work(): Promise<void> {
    if (readers && (await needsRebuild(options))) log.info({ changes: await rebuildGraph(options) }, 'graph: rebuilt')
    const applied = await drainOutbox(database, engine, batch === undefined ? {} : { batch })
    if (readers && applied > 0) await trim(options, keep)
  }
  async function run(): Promise<void> {
    for (let backOff = 100; !isStopped; ) {
      try {
        await work()
        if (failure) log.info('graph: can be written again')
        failure = null
        backOff = 100
        await idle.take(pollMs)
      } catch (error) {
        if (isStopped) return
        failure = messageOf(error)
        log.warn({ reason: failure, retryMs: backOff }, 'graph: cannot be written')
        await backingOff.take(backOff)
        backOff = Math.min(backOff * 2, longestBackOff)
      }
    }
  }

  const unlisten = await database.listen(outboxChannel, () => idle.wake())
  const running = run()
  return {
    get failure() {
      return failure
    },
    lag: () => projectionLag(database, engine),
    async stop() {
      isStopped = true
      idle.wake()
      backingOff.wake()
      await unlisten()
      await running
    },
  }
}
