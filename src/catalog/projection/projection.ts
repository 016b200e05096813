import type { GraphEngine } from '../../graph/engine.js'
import { countGraphChanges, outboxChannel, outboxHead, trimOutbox } from '../../postgres/outbox.js'
import type { Sql } from '../../postgres/sql.js'
import { EspalierError, messageOf } from '../../util/error.js'
import type { Logger } from '../../util/log.js'
import { drainOutbox, type Projected } from './drain.js'
import { fillNewGraph, type RebuildOptions, rebuildGraph, whyRebuild } from './rebuild.js'

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
 * rebuilt first, and so is one that another ledger has filled, or that was not written to its end.
 */
export async function startProjection({ log, pollMs = 2_000, keep = 100_000, ...options }: ProjectionOptions): Promise<Projection> {
  const { database, engine, readers, batch } = options
  const [idle, backingOff] = [new Rest(), new Rest()]
  let failure: string | null = null
  let isStopped = false

  async function rebuildIfNeeded(): Promise<void> {
    const reason = await whyRebuild(options)
    if (reason === null) return
    const isNew = reason === 'it is new'
    if (!isNew) log.warn({ reason }, 'graph: will be written anew from the ledger')
    const changes = isNew ? await fillNewGraph(options) : await rebuildGraph(options)
    if (changes > 0 || !isNew) log.info({ changes, reason }, 'graph: rebuilt')
  }
  async function work(): Promise<void> {
    if (readers) await rebuildIfNeeded()
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
