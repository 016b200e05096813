import fs from 'node:fs'
import path from 'node:path'
import { EspalierError } from '../../util/error.js'
import { endedTheEngine, interrupted, noPlace, tookTooLong, tookTooMuch } from '../query-errors.js'
import { GrafeoChild, type Outcome } from './child.js'
import type { HostRequest, HostRows } from './messages.js'

export interface HostOptions {
  /** where the graph's file lies (made if absent) */
  folder: string
  /** bytes that reads may add to the process's memory (default 2 GiB) */
  memory?: number
  /** reads at once (default 12); others wait */
  concurrency?: number
  /** hears when the process was ended or died */
  log?: { warn(message: string): void }
  /** the folder goes when this process dies without closing (default false) */
  temporary?: boolean
}

interface Job {
  request: HostRequest
  timeoutMs: number
  attempts: number
  /** run while no other is: the process died unexpectedly while this and others ran */
  alone: boolean
  resolve(rows: HostRows | undefined): void
  reject(error: Error): void
  timer: NodeJS.Timeout
  isSent: boolean
}

type Why = 'timeout' | 'memory'

/** A read that was interrupted by others is begun anew as long as its own time lasts; one that is in flight at a crash, this often. */
const mostCrashes = 2
/** Others in flight are given this long to end before the process is, so that few have to be repeated. */
const graceMs = 250

/**
 * The process that owns the graph's file: it takes the writes, and the reads that the platform itself generates. Past its limit a read
 * ends the process (there is no other way to stop it); the file is opened again, other reads in flight are repeated, writes fail with
 * UNAVAILABLE and come again from the outbox. What people write themselves runs elsewhere (analysts.ts).
 */
export class GrafeoProcess {
  private child: GrafeoChild | null = null
  private opening: Promise<void> | null = null
  private readonly waiting: Job[] = []
  private readonly running = new Set<Job>()
  private closed = false
  private paused = false
  /** why the process is being ended by us, if it is */
  private ending: Why | null = null

  constructor(private readonly options: HostOptions) {}

  get file(): string {
    return path.join(this.options.folder, 'graph.grafeo')
  }

  /** Starts the process; fails with LOCKED where another one has the folder. */
  open(): Promise<void> {
    this.opening ??= this.start().finally(() => {
      this.opening = null
    })
    return this.opening
  }

  request(request: HostRequest, timeoutMs: number): Promise<HostRows | undefined> {
    if (this.closed) return Promise.reject(new EspalierError('UNAVAILABLE', 'the embedded graph is closed'))
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.expire(job), timeoutMs)
      const job: Job = { request, timeoutMs, attempts: 0, alone: false, resolve, reject, timer, isSent: false }
      this.waiting.push(job)
      this.pump()
    })
  }

  /** Ends the process; what still runs fails. */
  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    await this.end()
    this.failAll(new EspalierError('UNAVAILABLE', 'the embedded graph was closed'))
  }

  /** Takes the file away and begins with an empty one; reads that come meanwhile wait. */
  async reset(): Promise<void> {
    this.paused = true
    try {
      await this.end()
      removeGraph(this.options.folder)
    } finally {
      this.paused = false
    }
    await this.open()
  }

  private async end(): Promise<void> {
    await this.opening?.catch(() => {})
    await this.child?.close()
  }

  private async start(): Promise<void> {
    const { memory = 2 * 2 ** 30, concurrency = 12, temporary = false } = this.options
    const child = await GrafeoChild.open({ file: this.file, memory, concurrency, temporary })
    child.onEnd = (how) => this.ended(how)
    child.onMemory = () => {
      if (!this.ending) this.kill('memory')
    }
    this.child = child
    this.pump()
  }

  /** Sends what may be sent now. */
  private pump(): void {
    if (this.closed || this.paused || this.ending) return
    if (!this.child) {
      if (!this.opening) this.open().catch((error) => this.failAll(error))
      return
    }
    const { concurrency = 12 } = this.options
    for (const next of [...this.waiting]) {
      if ([...this.running].some((job) => job.alone) || (next.alone && this.running.size > 0)) return
      // Writes and the platform's own small reads pass by what waits for a place.
      if (isLong(next) && [...this.running].filter(isLong).length >= concurrency) continue
      this.waiting.splice(this.waiting.indexOf(next), 1)
      this.send(this.child, next)
    }
  }

  private send(child: GrafeoChild, job: Job): void {
    job.attempts++
    if (!job.isSent) {
      // The time limit counts from the first sending: waiting behind others is not the query's fault.
      job.isSent = true
      clearTimeout(job.timer)
      job.timer = setTimeout(() => this.expire(job), job.timeoutMs)
    }
    this.running.add(job)
    child.call(job.request, (outcome) => this.finish(job, outcome))
  }

  private finish(job: Job, outcome: Outcome): void {
    // The answer of a job that has expired meanwhile: nobody waits for it, but it ended by itself.
    if (!this.running.delete(job)) return
    clearTimeout(job.timer)
    if ('rows' in outcome) job.resolve(outcome.rows)
    else job.reject(outcome.error)
    if (this.running.size === 0 && this.ending) this.child?.kill()
    this.pump()
  }

  private expire(job: Job): void {
    const at = this.waiting.indexOf(job)
    if (at >= 0) {
      this.waiting.splice(at, 1)
      job.reject(job.isSent ? interrupted() : noPlace(job.timeoutMs))
    } else if (this.running.delete(job)) {
      job.reject(tookTooLong(job.timeoutMs))
      if (!this.ending) this.kill('timeout')
    }
  }

  private kill(why: Why): void {
    this.ending = why
    this.options.log?.warn(
      `graph engine: ending its process (${why === 'timeout' ? 'a query past its time limit' : 'a query past its memory limit'})`,
    )
    const { child } = this
    if (why === 'memory' || this.running.size === 0) child?.kill()
    else setTimeout(() => child?.kill(), graceMs)
  }

  /** The process is gone: opens the file again and repeats reads. */
  private ended(how: string): void {
    const why = this.ending
    this.child = null
    this.ending = null
    if (!why && !this.closed && !this.paused) this.options.log?.warn(`graph engine: its process ended (${how})`)
    const lost = [...this.running]
    this.running.clear()
    const suspects = lost.filter((j) => j.request.kind === 'read').length
    this.waiting.unshift(...lost.filter((job) => !this.lose(job, why, suspects)))
    if (this.waiting.length > 0) this.pump()
  }

  /** Fails a job whose process is gone, or answers false: it is to be repeated. */
  private lose(job: Job, why: Why | null, suspects: number): boolean {
    const fail = (error: EspalierError) => {
      clearTimeout(job.timer)
      job.reject(error)
      return true
    }
    if (job.request.kind !== 'read')
      return fail(new EspalierError('UNAVAILABLE', 'the graph engine ended during a write: all of it was kept, or nothing'))
    if (why === 'timeout') return false
    const isGuilty = suspects === 1 || job.alone
    if (isGuilty && why === 'memory') return fail(tookTooMuch())
    if (isGuilty && job.attempts >= mostCrashes) return fail(endedTheEngine())
    job.alone = true
    return false
  }

  private failAll(error: Error): void {
    for (const job of [...this.waiting.splice(0), ...this.running]) {
      clearTimeout(job.timer)
      job.reject(error)
    }
    this.running.clear()
  }
}

/**
 * Takes away the log, then the file: a file without its log is the graph of an earlier moment, but a log (or a part of one) without its
 * file would be parts of a graph. Each goes by one renaming, so that a process that dies here leaves the one or the other.
 */
function removeGraph(folder: string): void {
  const byLength = fs.readdirSync(folder).sort((a, b) => b.length - a.length)
  for (const entry of byLength.filter((name) => name.startsWith('graph.grafeo')))
    fs.renameSync(path.join(folder, entry), path.join(folder, `gone-${entry}`))
  for (const entry of fs.readdirSync(folder).filter((name) => name.startsWith('gone-')))
    fs.rmSync(path.join(folder, entry), { recursive: true, force: true })
}

/** A read that somebody's request has brought about. */
const isLong = ({ request }: Job) => request.kind === 'read' && request.form === 'records'
