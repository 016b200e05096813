import { isRetryable } from '../postgres/retryable.js'
import type { Database } from '../postgres/sql.js'
import type { RunEvent } from '../vocabulary.js'
import { lastSequence, readCoalesced, readEvents, runChannel } from './event-store.js'
import { isTerminal } from './states.js'
import { noSuchRun, readRun } from './store.js'

export interface FollowOptions {
  /** events read at a time, and so held in memory at most (default 500) */
  page?: number
  /** milliseconds after which to look again without a hint (default 5,000) */
  pollMs?: number
  /** milliseconds to wait for a database that went away (default 60,000) */
  patienceMs?: number
  /**
   * events that may come, after the following began, and wait for their reader (default: any number). Beyond, metrics are coalesced: of
   * each name the newest is given, and gap marks stand for the others. Nothing else is ever left out, nor what was there before.
   */
  lag?: number
}

/** Stands for metrics that a slow reader does not get: those numbered `from` to `sequence`. */
export interface RunGap {
  type: 'gap'
  runId: string
  /** of the last event that is left out: a reader that begins again after it misses nothing more */
  sequence: number
  attempt: number
  at: Date
  /** of the first event that is left out */
  from: number
  /** how many are */
  events: number
}
export type LiveEvent = RunEvent | RunGap

/** Kept events with marks where some are missing between them and after `last`. */
export function markGaps(events: readonly RunEvent[], last: number): LiveEvent[] {
  return events.flatMap((event, i) => {
    const from = (events[i - 1]?.sequence ?? last) + 1
    const { runId, sequence, attempt, at } = event
    if (sequence === from) return [event]
    return [{ type: 'gap' as const, runId, sequence: sequence - 1, attempt, at, from, events: sequence - from }, event]
  })
}

const done: IteratorResult<LiveEvent> = { value: undefined, done: true }

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
export function followEvents(
  database: Database,
  runId: string,
  after: number | undefined,
  options: FollowOptions & { lag: number },
): AsyncIterableIterator<LiveEvent>
export function followEvents(database: Database, runId: string, after?: number, options?: FollowOptions): AsyncIterableIterator<RunEvent>
export function followEvents(database: Database, runId: string, after = 0, options: FollowOptions = {}): AsyncIterableIterator<LiveEvent> {
  const { page = 500, pollMs = 5_000, patienceMs = 60_000, lag = Number.POSITIVE_INFINITY } = options
  const bell = openBell()
  let buffer: LiveEvent[] = []
  let last = after
  /** what was there when the following began is given whole; null before that is known */
  let wholeUpTo: number | null = null
  let isBehind = false
  let isEnded = false
  let opened: Promise<() => Promise<void>> | null = null
  let turn: Promise<unknown> = Promise.resolve()

  const listen = () => database.listen(runChannel, (payload) => (payload === '' || payload === runId) && bell.ring())
  // A LISTEN that failed is forgotten: kept, it would fail every later try as well.
  const open = () =>
    (opened ??= listen().catch((error) => {
      opened = null
      throw error
    }))

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

  /** Up to where metrics are to be coalesced; null while the reader keeps up. */
  async function overrun(): Promise<number | null> {
    if (lag === Number.POSITIVE_INFINITY || (wholeUpTo !== null && (!isBehind || last < wholeUpTo))) return null
    const head = await lastSequence(database, runId)
    wholeUpTo ??= head
    return last >= wholeUpTo && head - last > lag ? head : null
  }

  async function read(): Promise<LiveEvent[]> {
    const upTo = await overrun()
    const events =
      upTo === null
        ? await readEvents(database, runId, { after: last, limit: page })
        : await readCoalesced(database, runId, { after: last, upTo, limit: page })
    // a page that is not full has all there was: who reads it keeps up
    isBehind = upTo !== null || events.length >= page
    return upTo === null ? events : markGaps(events, last)
  }

  async function refill(): Promise<boolean> {
    buffer = await patiently(read)
    return buffer.length > 0
  }

  /** Whether nothing more will come. State and state event are committed together, so a look at the events after it settles the question. */
  async function isOver(): Promise<boolean> {
    const run = await patiently(() => readRun(database, runId))
    if (!run) throw noSuchRun(runId)
    return isTerminal(run.state) && !(await refill())
  }

  async function advance(): Promise<IteratorResult<LiveEvent>> {
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
