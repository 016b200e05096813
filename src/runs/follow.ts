import { isRetryable } from '../postgres/retryable.js'
import type { Database } from '../postgres/sql.js'
import type { RunEvent } from '../vocabulary.js'
import { readEvents, runChannel } from './event-store.js'
import { isTerminal } from './states.js'
import { noSuchRun, readRun } from './store.js'

export interface FollowOptions {
  /** events read at a time, and so held in memory at most (default 500) */
  page?: number
  /** milliseconds after which to look again without a hint (default 5,000) */
  pollMs?: number
  /** milliseconds to wait for a database that went away (default 60,000) */
  patienceMs?: number
}

const done: IteratorResult<RunEvent> = { value: undefined, done: true }

/** Resolves `wake()`d callers; a wake-up while nobody waits is kept for the next one. */
function openBell() {
  let isRung = false
  let ring: (() => void) | null = null
  return {
    ring() {
      isRung = true
      ring?.()
    },
    /** Forgets what rang before: call it before looking, then wait. */
    reset() {
      isRung = false
    },
    async wait(milliseconds: number): Promise<void> {
      if (isRung) return
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        ring = resolve
        timer = setTimeout(resolve, milliseconds)
      })
      clearTimeout(timer)
      ring = null
    },
  }
}

/**
 * A run's events after sequence `after` (default 0: from the beginning): what was missed, then what comes, in order, without gaps or
 * doubles; ends after the event of a terminal state (of a run that was retried: the last one). The table is the queue: a page at most is
 * held, and a slow reader simply reads later. NOTIFY is only the hint to look again, beside a slow poll.
 *
 * Not an async generator: its `return()` would wait for a pending `next()`, and so leak every subscription to a quiet run.
 */
export function followEvents(database: Database, runId: string, after = 0, options: FollowOptions = {}): AsyncIterableIterator<RunEvent> {
  const { page = 500, pollMs = 5_000, patienceMs = 60_000 } = options
  const bell = openBell()
  let buffer: RunEvent[] = []
  let last = after
  let isEnded = false
  let opened: Promise<() => Promise<void>> | null = null
  let turn: Promise<unknown> = Promise.resolve()

  const open = () => (opened ??= database.listen(runChannel, (payload) => (payload === '' || payload === runId) && bell.ring()))

  /** Runs a read, waiting out a database that restarts. */
  async function patiently<T>(read: () => Promise<T>): Promise<T> {
    for (const end = Date.now() + patienceMs; ; ) {
      try {
        return await read()
      } catch (error) {
        if (isEnded || !isRetryable(error) || Date.now() > end) throw error
        bell.reset()
        await bell.wait(Math.min(500, patienceMs))
      }
    }
  }

  async function refill(): Promise<boolean> {
    buffer = await patiently(() => readEvents(database, runId, { after: last, limit: page }))
    return buffer.length > 0
  }

  /** Whether nothing more will come. State and state event are committed together, so a look at the events after it settles the question. */
  async function isOver(): Promise<boolean> {
    const run = await patiently(() => readRun(database, runId))
    if (!run) throw noSuchRun(runId)
    return isTerminal(run.state) && !(await refill())
  }

  async function advance(): Promise<IteratorResult<RunEvent>> {
    while (!isEnded) {
      const event = buffer.shift()
      if (event) {
        last = event.sequence
        return { value: event, done: false }
      }
      await patiently(open)
      if (isEnded) break
      bell.reset()
      if (await refill()) continue
      if (await isOver()) await end()
      else if (buffer.length === 0 && !isEnded) await bell.wait(pollMs)
    }
    return done
  }

  async function end(): Promise<void> {
    if (isEnded) return
    isEnded = true
    buffer = []
    bell.ring()
    // An open() that failed was thrown to next() already.
    const close = await opened?.catch(() => null)
    await close?.()
  }

  return {
    next() {
      const mine = turn.then(advance).catch(async (error) => {
        await end()
        throw error
      })
      turn = mine.catch(() => undefined)
      return mine
    },
    async return() {
      await end()
      return done
    },
    async throw(error) {
      await end()
      throw error
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
