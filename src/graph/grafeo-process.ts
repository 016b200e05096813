import { type ChildProcess, fork } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { EspalierError } from '../util/error.js'
import type { HostReply, HostRequest, HostRows } from './grafeo-messages.js'

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
  id: number
  request: HostRequest
  timeoutMs: number
  attempts: number
  /** run while no other is: the process died unexpectedly while this and others ran */
  alone: boolean
  resolve(rows: HostRows | undefined): void
  reject(error: Error): void
  timer: NodeJS.Timeout
  sent: boolean
}

/** Reads are begun at most this often: what dies with another query's process is repeated once. */
const mostAttempts = 2

/** Compiled beside this file; under a runner of TypeScript sources the built one is used (Node cannot fork a .ts file). */
const hostFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/graph/grafeo-host.js' : './grafeo-host.js', import.meta.url),
)

/**
 * Keeps one grafeo-host process, sends it requests and sees to their time limits. Past its limit a read ends the process (there is no
 * other way to stop it); the file is opened again, other reads in flight are repeated once, writes fail with UNAVAILABLE and come again
 * from the outbox.
 */
export class GrafeoProcess {
  private child: ChildProcess | null = null
  private opening: Promise<void> | null = null
  private readonly waiting: Job[] = []
  private readonly running = new Map<number, Job>()
  private lastId = 0
  private closed = false
  private paused = false
  /** why the process is being ended by us, if it is */
  private ending: 'timeout' | 'memory' | null = null

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
      const id = ++this.lastId
      const timer = setTimeout(() => this.expire(job), timeoutMs)
      const job: Job = { id, request, timeoutMs, attempts: 0, alone: false, resolve, reject, timer, sent: false }
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
      for (const entry of fs.readdirSync(this.options.folder))
        if (entry.startsWith('graph.grafeo')) fs.rmSync(path.join(this.options.folder, entry), { recursive: true, force: true })
    } finally {
      this.paused = false
    }
    await this.open()
  }

  /** The process closes its file and ends when its channel does; it is given 10 s. */
  private async end(): Promise<void> {
    await this.opening?.catch(() => {})
    const child = this.child
    if (!child) return
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    if (child.connected) child.disconnect()
    await gone
    clearTimeout(timer)
  }

  private async start(): Promise<void> {
    const { folder, memory = 2 * 2 ** 30, concurrency = 12, temporary = false } = this.options
    fs.mkdirSync(folder, { recursive: true })
    if (!fs.existsSync(hostFile)) throw new EspalierError('INTERNAL', `${hostFile} is absent`, { remedy: 'Build first: npm run build' })
    await new Promise<void>((resolve, reject) => {
      const child = fork(hostFile, [this.file, String(memory), String(process.pid), temporary ? 'temporary' : 'kept'], {
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        execArgv: [],
        // Queries occupy libuv's threads while they run; some stay free for the host itself.
        env: { UV_THREADPOOL_SIZE: String(concurrency + 4) },
      })
      child.on('message', (reply: HostReply) => {
        if (reply.kind === 'opened') {
          this.child = child
          resolve()
          this.pump()
        } else if (reply.kind === 'not-opened') reject(this.notOpened(reply.locked, reply.message))
        else this.receive(child, reply)
      })
      child.once('error', reject)
      child.once('exit', (status, signal) => {
        reject(new EspalierError('UNAVAILABLE', `the graph engine ended while it opened ${this.file} (${signal ?? `status ${status}`})`))
        if (this.child === child) this.ended(`${signal ?? `status ${status}`}`)
      })
    })
  }

  private get ownerFile(): string {
    return path.join(this.options.folder, 'owner')
  }

  private notOpened(locked: boolean, message: string): EspalierError {
    if (!locked)
      return new EspalierError('CORRUPT', `the graph's file ${this.file} could not be opened: ${message.split('\n')[0]}`, {
        remedy: 'Remove the folder and run: espalier graph rebuild',
      })
    const holder = fs.existsSync(this.ownerFile) ? fs.readFileSync(this.ownerFile, 'utf8') : 'unknown'
    return new EspalierError('LOCKED', `the graph in ${this.options.folder} is open in another process (pid ${holder})`, {
      remedy: 'Talk to the server that has it (ESPALIER_URL), or stop that process',
    })
  }

  /** Sends what may be sent now. */
  private pump(): void {
    if (this.closed || this.paused) return
    if (!this.child) {
      if (!this.opening && !this.ending) this.open().catch((error) => this.failAll(error))
      return
    }
    const { concurrency = 12 } = this.options
    while (this.waiting.length > 0) {
      const next = this.waiting[0]!
      const busyReads = [...this.running.values()].filter((j) => j.request.kind === 'read').length
      const blocked = [...this.running.values()].some((j) => j.alone) || (next.alone && this.running.size > 0)
      if (blocked || (next.request.kind === 'read' && busyReads >= concurrency)) return
      this.waiting.shift()
      this.send(next)
    }
  }

  private send(job: Job): void {
    job.attempts++
    job.sent = true
    // The time limit counts from now: waiting behind others is not the query's fault.
    clearTimeout(job.timer)
    job.timer = setTimeout(() => this.expire(job), job.timeoutMs)
    this.running.set(job.id, job)
    this.child!.send({ id: job.id, request: job.request }, (error) => {
      if (error && this.running.delete(job.id))
        this.settle(job, () => job.reject(new EspalierError('BAD_INPUT', `a value cannot be sent to the graph engine: ${error.message}`)))
    })
  }

  private settle(job: Job, how: () => void): void {
    clearTimeout(job.timer)
    how()
  }

  private receive(child: ChildProcess, reply: Exclude<HostReply, { kind: 'opened' | 'not-opened' }>): void {
    if (reply.kind === 'out-of-memory') {
      if (this.child === child && !this.ending) this.kill('memory')
      return
    }
    const job = this.running.get(reply.id)
    if (!job) return
    this.running.delete(reply.id)
    this.settle(job, () => (reply.kind === 'done' ? job.resolve(reply.rows) : job.reject(failure(reply.message, reply.wrote))))
    this.pump()
  }

  private expire(job: Job): void {
    if (!job.sent) {
      const at = this.waiting.indexOf(job)
      if (at >= 0) this.waiting.splice(at, 1)
      job.reject(
        new EspalierError('OVERLOADED', `no place for the query within ${job.timeoutMs} ms: others are running`, {
          remedy: 'Try again later',
        }),
      )
      return
    }
    if (!this.running.delete(job.id)) return
    job.reject(
      new EspalierError('TIMEOUT', `the query took longer than ${job.timeoutMs} ms and was ended`, {
        remedy: 'Narrow the pattern (labels, ids, fewer hops) or raise timeoutMs',
      }),
    )
    if (!this.ending) this.kill('timeout')
  }

  private kill(why: 'timeout' | 'memory'): void {
    this.ending = why
    this.options.log?.warn(
      `graph engine: ending its process (${why === 'timeout' ? 'a query past its time limit' : 'a query past its memory limit'})`,
    )
    this.child?.kill('SIGKILL')
  }

  /** The process is gone: opens the file again and repeats reads. */
  private ended(how: string): void {
    const why = this.ending
    this.child = null
    this.ending = null
    if (!why && !this.closed && !this.paused) this.options.log?.warn(`graph engine: its process ended (${how})`)
    const lost = [...this.running.values()]
    this.running.clear()
    const suspects = lost.filter((j) => j.request.kind === 'read').length
    const again = lost.filter((job) => !this.lose(job, why, suspects))
    this.waiting.unshift(...again)
    if (this.waiting.length > 0) this.pump()
  }

  /** Fails a job whose process is gone, or answers false: it is to be repeated. */
  private lose(job: Job, why: 'timeout' | 'memory' | null, suspects: number): boolean {
    const { kind } = job.request
    const fail = (error: EspalierError) => {
      this.settle(job, () => job.reject(error))
      return true
    }
    if (kind !== 'read') return fail(new EspalierError('UNAVAILABLE', 'the graph engine ended during a write; nothing of it was kept'))
    const guilty = why !== 'timeout' && (suspects === 1 || job.alone)
    if (guilty && why === 'memory')
      return fail(
        new EspalierError('CYPHER_FAILED', 'the query took too much memory and was ended', {
          remedy: 'Narrow the pattern, or aggregate earlier',
        }),
      )
    if (guilty && job.attempts >= mostAttempts)
      return fail(new EspalierError('CYPHER_FAILED', 'the graph engine ended twice while it ran the query'))
    if (job.attempts >= mostAttempts && !(why !== 'timeout' && !job.alone))
      return fail(new EspalierError('UNAVAILABLE', 'the query was interrupted twice by others that were ended', { remedy: 'Try again' }))
    job.alone ||= why !== 'timeout'
    job.sent = false
    clearTimeout(job.timer)
    job.timer = setTimeout(() => this.expire(job), job.timeoutMs)
    return false
  }

  private failAll(error: Error): void {
    for (const job of this.waiting.splice(0)) this.settle(job, () => job.reject(error))
    for (const job of this.running.values()) this.settle(job, () => job.reject(error))
    this.running.clear()
  }
}

/** The engine's message without its code frame; never its internals. */
function failure(message: string, wrote: boolean): EspalierError {
  if (wrote) return new EspalierError('CYPHER_REFUSED', message, { remedy: 'The graph is read-only for queries: facts enter by ingest' })
  const [line = message] = message.replace(/^.*?GRAFEO-\w+: /s, '').split('\n')
  return new EspalierError('CYPHER_FAILED', line)
}
