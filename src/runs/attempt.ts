import type { Database } from '../postgres/sql.js'
import { EspalierError, errorCodes, messageOf } from '../util/error.js'
import type { Logger } from '../util/log.js'
import type { Properties, Run, RunEventBody } from '../vocabulary.js'
import { type Lease, renewLease } from './lease-store.js'
import { openRecorder, type Recorder } from './recorder.js'
import { type TransitionDetails, transition } from './store.js'

/** What a handler is asked to do at its next step: checkpoint and return `paused`, return `cancelled`, or checkpoint and return `drained`. */
export type Wanted = 'pause' | 'cancel' | 'drain'

/** A claimed run, as its handler sees it. */
export interface Claim {
  run: Run
  workerId: string
  /** what is asked for now, or null; look at every step */
  wanted(): Wanted | null
  /** aborts with an EspalierError as reason when working on is pointless: time-out, lease lost, or a drain that lasted too long */
  signal: AbortSignal
  record(body: RunEventBody): Promise<void>
  /** resolves when everything recorded is committed */
  flush(): Promise<void>
}

export type Outcome =
  | { state: 'completed'; result?: Properties | null }
  | { state: 'paused' }
  | { state: 'cancelled' }
  /** failed for good: what failed was tried again already */
  | { state: 'failed'; error: NonNullable<Run['error']> }
  /** checkpointed because the worker stops: another one goes on */
  | { state: 'drained' }

/** How an attempt, or a step of it, ends that does what it is asked for and nothing more. */
export const interrupted = {
  pause: { state: 'paused' },
  cancel: { state: 'cancelled' },
  drain: { state: 'drained' },
} as const satisfies Record<Wanted, Outcome>

/** Does the work of one attempt. A throw fails the attempt; it is tried again when the error's code is retryable or unknown. */
export type Handler = (claim: Claim) => Promise<Outcome>

/** One attempt under way. */
export interface Attempt {
  lease: Lease
  /** asks the handler to checkpoint and hand back */
  drain(): void
  /** gives up waiting for the handler: its signal aborts and the run is handed back */
  abandon(): void
  /** looks for a control request now instead of at the next heartbeat */
  check(): void
  /** resolves when the end of the attempt is written down; never rejects */
  ended: Promise<void>
}

export interface AttemptOptions {
  /** seconds before the first retry, doubled for each further one (default 5), 15 minutes at most */
  retryDelaySeconds?: number
  log?: Logger
}

const longestRetryDelay = 900

const lost = (runId: string) => new EspalierError('CONFLICT', `The lease of run ${runId} is lost: another worker may have taken over`)
const tooLong = (run: Run, seconds: number) =>
  new EspalierError('TIMEOUT', `Run ${run.id} was stopped after its time limit of ${seconds} s`, {
    remedy: 'Raise the time limit, or make the work smaller.',
  })
const drained = (runId: string) => new EspalierError('UNAVAILABLE', `The worker stops; run ${runId} goes back to the queue`)

/** A code of our own decides; an unknown error (a crash, a broken connection) may pass, so it is tried again. */
const mayRetry = (error: unknown): boolean => !(error instanceof EspalierError) || errorCodes[error.code].retryable

const describe = (error: unknown): NonNullable<Run['error']> => ({
  code: error instanceof EspalierError ? error.code : 'INTERNAL',
  message: messageOf(error),
  ...(error instanceof EspalierError && error.remedy ? { remedy: error.remedy } : {}),
})

/** Renews the lease three times per term; past the term without an answer it counts as lost, by this process' own clock. */
function keepLease(database: Database, lease: Lease, on: { control(control: Run['control']): void; lost(): void }) {
  const term = lease.leaseSeconds * 1_000
  let lastRenewed = performance.now()
  let isStopped = false
  let inFlight: Promise<void> | null = null
  const beat = async () => {
    const asked = performance.now()
    try {
      const answer = await renewLease(database, lease)
      if (isStopped) return
      if (!answer) return on.lost()
      lastRenewed = asked
      on.control(answer.control)
    } catch {
      if (!isStopped && performance.now() - lastRenewed > term) on.lost()
    }
  }
  const check = () => {
    inFlight ??= beat().finally(() => {
      inFlight = null
    })
  }
  const timer = setInterval(() => {
    if (performance.now() - lastRenewed > term) on.lost()
    else check()
  }, term / 3)
  return {
    check,
    async stop() {
      isStopped = true
      clearInterval(timer)
      await inFlight
    },
  }
}

/** How an attempt that threw goes on: tried again after a pause, or failed for good. */
export function planFailure(
  error: unknown,
  { failures, retryLimit }: Pick<Lease, 'failures' | 'retryLimit'>,
  retryDelaySeconds: number,
): { to: 'pending' | 'failed'; details: TransitionDetails } {
  const told = describe(error)
  if (!mayRetry(error) || failures >= retryLimit) return { to: 'failed', details: { reason: told.message, error: told, isFailure: true } }
  const delaySeconds = Math.min(longestRetryDelay, retryDelaySeconds * 2 ** failures)
  const reason = `attempt failed, retry ${failures + 1} of ${retryLimit} in ${delaySeconds} s: ${told.message}`
  return { to: 'pending', details: { reason, error: told, delaySeconds, isFailure: true } }
}

/** What the ledger is told of an outcome. */
function planOutcome(outcome: Outcome): { to: Run['state']; details: TransitionDetails } {
  if (outcome.state === 'drained') return { to: 'pending', details: { reason: 'drained' } }
  if (outcome.state === 'completed') return { to: 'completed', details: { result: outcome.result ?? null } }
  if (outcome.state === 'failed') return { to: 'failed', details: { reason: outcome.error.message, error: outcome.error, isFailure: true } }
  return { to: outcome.state, details: {} }
}

/** Starts the handler on a claimed run, keeps its lease, and writes down how it ended. */
export function startAttempt(database: Database, lease: Lease, handler: Handler, options: AttemptOptions = {}): Attempt {
  const { run, workerId } = lease
  const { log, retryDelaySeconds = 5 } = options
  const controller = new AbortController()
  const recorder: Recorder = openRecorder(database, { runId: run.id, attempt: run.attempt, lastSequence: lease.lastSequence })
  let control: Run['control'] = null
  let isDraining = false
  let isAbandoned = false
  let isLost = false

  const heart = keepLease(database, lease, {
    control: (asked) => {
      control = asked
    },
    lost: () => {
      isLost = true
      controller.abort(lost(run.id))
    },
  })
  const limit = lease.timeoutSeconds
  const timer = limit === null ? undefined : setTimeout(() => controller.abort(tooLong(run, limit)), limit * 1_000)

  const claim: Claim = {
    run,
    workerId,
    wanted: () => control ?? (isDraining ? 'drain' : null),
    signal: controller.signal,
    record: (body) => recorder.record(body),
    flush: () => recorder.flush(),
  }
  /** A handler that ignores its signal must not keep the run: the attempt ends here, and its later writes are refused. */
  const aborted = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => setTimeout(() => reject(controller.signal.reason), 1_000).unref())
  })

  async function settle(to: Run['state'], details: TransitionDetails): Promise<void> {
    await transition(database, run.id, to, { ...details, attempt: run.attempt })
  }

  async function work(): Promise<void> {
    try {
      const outcome = await Promise.race([handler(claim), aborted])
      await recorder.close()
      const { to, details } = planOutcome(outcome)
      await settle(to, details)
    } catch (thrown) {
      await fail(controller.signal.aborted ? controller.signal.reason : thrown)
    }
  }

  async function fail(error: unknown): Promise<void> {
    if (isLost) return void log?.warn({ runId: run.id, reason: messageOf(error) }, 'runs: attempt abandoned')
    await recorder
      .close()
      .catch((reason) => log?.warn({ runId: run.id, reason: messageOf(reason) }, 'runs: the last events were not written'))
    if (isAbandoned) return settle('pending', { reason: 'drained: the handler did not stop in time' })
    if (control === 'cancel') return settle('cancelled', { reason: messageOf(error) })
    const { to, details } = planFailure(error, lease, retryDelaySeconds)
    await settle(to, details)
  }

  const ended = work()
    .catch((error) => log?.error({ runId: run.id, reason: messageOf(error) }, 'runs: the end of an attempt could not be written'))
    .finally(async () => {
      clearTimeout(timer)
      await heart.stop()
    })
    .then(() => undefined)
  return {
    lease,
    drain() {
      isDraining = true
    },
    abandon() {
      isAbandoned = true
      controller.abort(drained(run.id))
    },
    check: heart.check,
    ended,
  }
}
