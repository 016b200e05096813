import { backOff, isRetryable } from '../postgres/retryable.js'
import type { Sql } from '../postgres/sql.js'
import type { RunEventBody } from '../vocabulary.js'
import { appendEvents, type NumberedEvent } from './event-store.js'

export interface RecorderOptions {
  runId: string
  attempt: number
  /** the number of the run's last event; ours begin after it */
  lastSequence: number
  /** milliseconds an event waits for company at most (default 200) */
  flushMs?: number
  /** events per batch (default 1,000) */
  batch?: number
  now?: () => Date
}

export interface Recorder {
  /**
   * Numbers and keeps the event for the next batch. Resolves at once, except when ten batches wait: then when they are written, so that a
   * fast trainer waits for a slow database and memory stays bounded. Rejects once writing has failed for good.
   */
  record(body: RunEventBody): Promise<void>
  /** Resolves when everything recorded so far is committed. */
  flush(): Promise<void>
  /** Flushes and stops; the last sequence is then final. */
  close(): Promise<void>
}

const tries = 8
const delay = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Sends a batch until it is in: appends are idempotent, so a commit whose answer was lost is simply repeated. */
async function send(sql: Sql, runId: string, attempt: number, events: readonly NumberedEvent[]): Promise<void> {
  for (let attempted = 1; ; attempted++) {
    try {
      return await appendEvents(sql, runId, attempt, events)
    } catch (error) {
      if (!isRetryable(error) || attempted >= tries) throw error
      await delay(backOff(attempted, Math.random()) * 4)
    }
  }
}

/** Batches the events of one attempt and writes them in order, one batch at a time. */
export function openRecorder(sql: Sql, options: RecorderOptions): Recorder {
  const { runId, attempt, flushMs = 200, batch = 1_000, now = () => new Date() } = options
  let sequence = options.lastSequence
  let waiting: NumberedEvent[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | null = null
  let failure: unknown
  let isClosed = false

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const next = waiting.slice(0, batch)
      await send(sql, runId, attempt, next)
      waiting = waiting.slice(next.length)
    }
  }

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    if (failure !== undefined) return Promise.reject(failure)
    writing ??= drain()
      .catch((error) => {
        failure = error
        throw error
      })
      .finally(() => {
        writing = null
      })
    return writing
  }

  return {
    record(body) {
      if (isClosed) return Promise.reject(new Error(`the recorder of run ${runId} is closed`))
      if (failure !== undefined) return Promise.reject(failure)
      waiting.push({ sequence: ++sequence, body, at: now() })
      if (waiting.length >= batch * 10) return flush()
      // The failure of a write in the background is kept, and thrown by the next record, flush or close.
      if (waiting.length >= batch) flush().catch(() => undefined)
      else timer ??= setTimeout(() => flush().catch(() => undefined), flushMs)
      return Promise.resolve()
    },
    flush,
    async close() {
      isClosed = true
      await flush()
    },
  }
}
