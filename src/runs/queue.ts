import { randomBytes } from 'node:crypto'
import os from 'node:os'
import type { Database } from '../postgres/sql.js'
import { messageOf } from '../util/error.js'
import type { Logger } from '../util/log.js'
import { type RunKind, runKinds } from '../vocabulary.js'
import { type Attempt, type Handler, startAttempt } from './attempt.js'
import { claimNext, restoreTickets, takeOverLapsed } from './lease-store.js'
import { controlChannel } from './store.js'
import { prepareQueue, queueChannel } from './tickets.js'

export { prepareQueue } from './tickets.js'

export interface WorkOptions {
  /** kinds of run to claim (default all) */
  kinds?: readonly RunKind[]
  /** runs this worker works on at once (default 5) */
  concurrency?: number
  /** runs under way at once in all workers (default: no cap) */
  maxRunning?: number
  /** default host, process id and a random part */
  workerId?: string
  /** seconds without a heartbeat after which another worker takes over (default 30) */
  leaseSeconds?: number
  /** milliseconds between looks at the queue without a wake-up (default 1,000): how late a delayed retry may start */
  pollMs?: number
  /** seconds before the first retry, doubled for each further one (default 5) */
  retryDelaySeconds?: number
}

export interface QueueWorker {
  readonly id: string
  /** ids of the runs under way here */
  active(): string[]
  /**
   * Claims no more, asks every handler to checkpoint and hand its run back, and waits up to `timeoutMs` (default 15,000) before handing back
   * what is left by itself.
   */
  stop(timeoutMs?: number): Promise<void>
}

export interface Queue {
  work(options: WorkOptions, handler: Handler): Promise<QueueWorker>
}

/** Prepares the queue's tables and returns the door for workers. (`createRun` needs no queue object, only the prepared tables.) */
export async function openQueue(database: Database, { log }: { log?: Logger } = {}): Promise<Queue> {
  await prepareQueue(database)
  return { work: (options, handler) => startWork(database, options, handler, log) }
}

const newWorkerId = () => `${os.hostname()}:${process.pid}:${randomBytes(3).toString('hex')}`

async function startWork(database: Database, options: WorkOptions, handler: Handler, log?: Logger): Promise<QueueWorker> {
  const {
    kinds = runKinds,
    concurrency = 5,
    workerId = newWorkerId(),
    leaseSeconds = 30,
    pollMs = 1_000,
    maxRunning,
    retryDelaySeconds,
  } = options
  const claimOptions = { leaseSeconds, ...(maxRunning === undefined ? {} : { maxRunning }) }
  const attemptOptions = { ...(log ? { log } : {}), ...(retryDelaySeconds === undefined ? {} : { retryDelaySeconds }) }
  const attempts = new Map<string, Attempt>()
  let isStopping = false
  let filling: Promise<void> | null = null
  let isAskedAgain = false

  const begin = (attempt: Attempt) => {
    const { id } = attempt.lease.run
    attempts.set(id, attempt)
    attempt.ended.then(() => {
      attempts.delete(id)
      look()
    })
  }

  async function fill(): Promise<void> {
    do {
      isAskedAgain = false
      while (!isStopping && attempts.size < concurrency) {
        const lease = await claimNext(database, kinds, workerId, claimOptions)
        if (!lease) break
        begin(startAttempt(database, lease, handler, attemptOptions))
      }
    } while (isAskedAgain && !isStopping)
  }

  /** Fills the free places; asked again meanwhile, it looks once more, since the first look may have been too early. */
  function look(): void {
    isAskedAgain = true
    if (isStopping || filling) return
    filling = fill()
      .catch((error) => log?.warn({ reason: messageOf(error) }, 'runs: could not look for work, will try again'))
      .finally(() => {
        filling = null
      })
  }

  const sweep = () =>
    takeOverLapsed(database)
      .then(() => restoreTickets(database))
      .catch((error) => log?.warn({ reason: messageOf(error) }, 'runs: could not look for lapsed leases, will try again'))

  const unlisten = [
    await database.listen(queueChannel, look),
    await database.listen(controlChannel, (runId) => {
      for (const attempt of runId === '' ? attempts.values() : [attempts.get(runId)]) attempt?.check()
    }),
  ]
  const timers = [setInterval(look, pollMs), setInterval(sweep, (leaseSeconds * 1_000) / 2)]
  await sweep()
  look()

  let stopping: Promise<void> | undefined
  async function stop(timeoutMs: number): Promise<void> {
    isStopping = true
    for (const timer of timers) clearInterval(timer)
    await Promise.all(unlisten.map((forget) => forget()))
    await filling
    const under = [...attempts.values()]
    for (const attempt of under) attempt.drain()
    const patience = setTimeout(() => {
      for (const attempt of under) attempt.abandon()
    }, timeoutMs)
    await Promise.all(under.map((attempt) => attempt.ended))
    clearTimeout(patience)
  }
  return { id: workerId, active: () => [...attempts.keys()], stop: (timeoutMs = 15_000) => (stopping ??= stop(timeoutMs)) }
}
