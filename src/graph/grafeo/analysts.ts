import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { EspalierError } from '../../util/error.js'
import { interrupted, tookTooLong, tookTooMuch } from '../query-errors.js'
import type { Statement } from '../statements.js'
import type { HostRequest, HostRows } from './messages.js'
import { type AnalystJob, type Ending, Replica, removeQuietly, type Write } from './replica.js'

export interface AnalystOptions {
  /** where copies of the graph lie; emptied at first, gone after close */
  folder: string
  /** writes a copy of the graph as it is now to this file; answers how many writes were fed before that moment */
  copy(file: string): Promise<number>
  /** bytes that queries may add to a process's memory */
  memory: number
  /** queries at once in one process */
  concurrency: number
  log?: { warn(message: string): void }
}

interface Snapshot {
  file: string
  number: number
  /** what the graph has taken since */
  writes: Write[]
  rows: number
}

type Place = 'front' | 'quarantine'

/** So many ghosts (queries past their time that cannot be stopped), or one for so long, and their process is replaced. */
const mostGhosts = 3
const ghostMs = 1_000
/** Without a sign of life for so long a process is ended. */
const stuckMs = 3_000
/** A suspect's first turn in the quarantine while others wait for it; each further one is twice as long. */
const turnMs = 500
/** No query takes memory faster (2 GB a second were measured): what has run for less than the cap needs cannot be the culprit. */
const mostBytesPerMs = 4_000_000
/** Rows of writes that are kept since the snapshot; beyond, a new snapshot is cheaper. */
const mostRows = 20_000
const idleMs = 120_000
const openingMs = 60_000
const lookMs = 250
const retryMs = 200

/**
 * Where people's own Cypher runs on the embedded engine: in processes with copies of the graph, so that whatever it does hurts neither
 * the platform's reads nor its writes.
 *
 * Why copies: Grafeo can neither cancel a query nor bound its memory, so the process must end; and its file can be open in one process
 * only. A copy of 200 k nodes and 200 k edges is 22 MB, opens in 0.35 s and takes 140 MB (measured): it is made when the first query comes, fed
 * with the same writes as the graph, and closed when idle. A query waits until its copy shows what was committed when it came: never stale.
 *
 * Why processes are replaced rather than killed at once: with eight queries past their limits one after the other, killing at each time
 * limit would interrupt everybody eight times. Instead a query past its limit is answered and left behind as a ghost; with three ghosts
 * a fresh process takes over new queries, and the old one ends when the rest in it is done, or its place is needed. What is
 * interrupted all the same is begun anew while its own time lasts.
 *
 * Memory and huge answers are the exception: then the process ends at once. Which query it was cannot be seen, so those in flight become
 * suspects: each runs again alone in a process of its own (the quarantine), those first that had run the shortest, in turns that get
 * longer while others wait; and the one that brings it down is the culprit.
 */
export class GrafeoAnalysts {
  private fed = 0
  private snapshot: Snapshot | null = null
  private front: Replica | null = null
  /** on its way out: its queries may end */
  private back: Replica | null = null
  private quarantine: Replica | null = null
  private readonly opening = new Map<Place, Promise<void>>()
  /** what replicas that are being opened, or are open, have still to take */
  private readonly feeds = new Map<Write[], Replica | null>()
  private waiting: AnalystJob[] = []
  /** counts the resets */
  private age = 0
  private isClosed = false
  private readonly clock: NodeJS.Timeout

  constructor(private readonly options: AnalystOptions) {
    removeQuietly(options.folder)
    this.clock = setInterval(() => this.look(), lookMs)
    this.clock.unref()
  }

  /** writes fed so far */
  get count(): number {
    return this.fed
  }

  read(request: HostRequest, timeoutMs: number): Promise<HostRows | undefined> {
    if (this.isClosed) return Promise.reject(closed())
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.expire(job), openingMs)
      const job: AnalystJob = { request, timeoutMs, needs: this.fed, resolve, reject, timer, ...unsuspected }
      this.waiting.push(job)
      this.pump()
    })
  }

  /** The graph has taken these statements. */
  feed(statements: readonly Statement[]): void {
    const write = { number: ++this.fed, statements }
    if (this.snapshot) {
      this.snapshot.writes.push(write)
      this.snapshot.rows += rowsOf(statements)
      if (this.snapshot.rows > mostRows) this.snapshot = null
    }
    for (const [writes, replica] of this.feeds) {
      writes.push(write)
      replica?.catchUp()
    }
  }

  /** The graph was emptied: all copies are of another one. */
  reset(): void {
    this.fed++
    this.age++
    this.snapshot = null
    for (const replica of this.replicas()) replica.end('dismissed')
  }

  async close(): Promise<void> {
    this.isClosed = true
    clearInterval(this.clock)
    await Promise.all(this.opening.values())
    await Promise.all(this.replicas().map((replica) => replica.close()))
    for (const job of this.waiting.splice(0)) fail(job, closed())
    removeQuietly(this.options.folder)
  }

  private replicas(): Replica[] {
    return [this.front, this.back, this.quarantine].filter((replica) => replica !== null)
  }

  /** Sends what may be sent now, opens the processes that are needed for it, and ends those that are not. */
  private pump(): void {
    if (this.isClosed) return
    this.waiting = this.waiting.filter((job) => {
      const replica = job.isSuspect ? this.quarantine : this.front
      const mayRun = replica && replica.shows >= job.needs && !(job.isSuspect && replica.running.size > 0)
      if (mayRun) this.send(replica, job)
      return !mayRun
    })
    const suspects = this.waiting.some((job) => job.isSuspect)
    if (!this.front && this.waiting.some((job) => !job.isSuspect)) this.open('front')
    if (!this.quarantine && suspects) this.open('quarantine')
    if (this.back?.running.size === 0) this.back.end('dismissed')
    if (this.quarantine?.running.size === 0 && !suspects) this.quarantine.end('dismissed')
  }

  private send(replica: Replica, job: AnalystJob): void {
    if (job.began === null) {
      // The time limit counts from now: that a process had to be opened first is not the query's fault.
      job.began = performance.now()
      clearTimeout(job.timer)
      job.timer = setTimeout(() => this.expire(job), job.timeoutMs)
    }
    replica.send(job)
  }

  private expire(job: AnalystJob): void {
    const replica = this.replicas().find((one) => one.running.has(job))
    if (!replica) {
      this.waiting = this.waiting.filter((other) => other !== job)
      job.reject(job.began === null ? notOpened() : interrupted())
      return
    }
    replica.leave(job)
    job.reject(tookTooLong(job.timeoutMs))
    this.look()
  }

  /** Replaces processes where ghosts have gathered, finds those that answer nobody, clears suspects. */
  private look(): void {
    const now = performance.now()
    const { front, quarantine } = this
    for (const replica of this.replicas()) if (replica.running.size > 0) replica.ask(stuckMs)
    if (front && isHaunted(front, now)) this.replace(front)
    // What happens in it must be the doing of whoever is judged.
    if (quarantine && quarantine.ghosts.size > 0) quarantine.end('dismissed')
    if (quarantine && this.waiting.some((job) => job.isSuspect))
      for (const job of quarantine.running) if (now - job.sent > turnMs * 2 ** job.turns) quarantine.end('dismissed')
    if (front && front.running.size + front.ghosts.size === 0 && now - front.idleSince > idleMs) front.end('dismissed')
    this.pump()
  }

  /** The front keeps answering until the next one is open; what is still in the back gives way. */
  private replace(front: Replica): void {
    if (front.isLeaving) return
    front.isLeaving = true
    this.back?.end('dismissed')
    this.open('front')
  }

  private open(place: Place): void {
    if (!this.opening.has(place))
      this.opening.set(
        place,
        Promise.resolve().then(() => this.opened(place)),
      )
  }

  private async opened(place: Place): Promise<void> {
    const { age } = this
    try {
      const replica = await this.birth()
      if (this.isClosed || age !== this.age) await replica.close()
      else this.take(place, replica)
    } catch (thrown) {
      // The graph's own process may have ended while it made the copy: once more, within the time of those who wait.
      if (thrown instanceof EspalierError && thrown.code === 'UNAVAILABLE') await new Promise((resolve) => setTimeout(resolve, retryMs))
      else if (age === this.age) this.failPlace(place, thrown as Error)
    } finally {
      this.opening.delete(place)
      this.pump()
    }
  }

  private async birth(): Promise<Replica> {
    const { folder, memory, concurrency } = this.options
    const snapshot = this.snapshot ?? (await this.takeSnapshot())
    const writes = [...snapshot.writes]
    this.feeds.set(writes, null)
    try {
      const replica = await Replica.open(path.join(folder, randomUUID()), snapshot, writes, { memory, concurrency })
      this.feeds.set(writes, replica)
      replica.onEnd = () => this.feeds.delete(writes)
      return replica
    } catch (error) {
      this.feeds.delete(writes)
      throw error
    }
  }

  private async takeSnapshot(): Promise<Snapshot> {
    const file = path.join(this.options.folder, `snapshot-${randomUUID()}`)
    fs.mkdirSync(this.options.folder, { recursive: true })
    // The older ones may be being copied at this moment; one that is not needed for long is too small to matter.
    if (this.opening.size === 1) for (const old of this.snapshots()) removeQuietly(old)
    const { age } = this
    const snapshot = { file, number: await this.options.copy(file), writes: [], rows: 0 }
    if (age === this.age) this.snapshot = snapshot
    return snapshot
  }

  private snapshots(): string[] {
    const { folder } = this.options
    const names = fs.readdirSync(folder).filter((name) => name.startsWith('snapshot-'))
    return names.map((name) => path.join(folder, name))
  }

  private take(place: Place, replica: Replica): void {
    if (place === 'front') {
      this.back?.end('dismissed')
      this.back = this.front
    }
    this[place] = replica
    const forget = replica.onEnd
    replica.onEnd = (how) => {
      forget(how)
      this.ended(replica, how)
    }
    replica.onChange = () => this.pump()
    if (replica.isGone) replica.onEnd('crash')
    else replica.catchUp()
  }

  private failPlace(place: Place, error: Error): void {
    this.options.log?.warn(`graph engine: no process for queries could be opened (${error.message})`)
    if (this.front) this.front.isLeaving = false
    const isLost = (job: AnalystJob) => job.isSuspect === (place === 'quarantine') && !(place === 'front' && this.front)
    for (const job of this.waiting.filter(isLost)) fail(job, error)
    this.waiting = this.waiting.filter((job) => !isLost(job))
  }

  /** Judges, or queues again, what was in flight in a process that is gone. */
  private ended(replica: Replica, how: Ending): void {
    for (const place of ['front', 'back', 'quarantine'] as const) if (this[place] === replica) this[place] = null
    if (how !== 'dismissed' && !this.isClosed) this.options.log?.warn(`graph engine: a process for queries ended (${how})`)
    const lost = [...replica.running]
    // Guilty is who was alone with it; a crash may have come from outside, so it must happen twice.
    const isAlone = lost.length === 1 && replica.ghosts.size === 0
    for (const job of lost) {
      job.ran = performance.now() - job.sent
      const isSuspect = how !== 'dismissed' && !(how === 'memory' && job.ran < this.options.memory / mostBytesPerMs)
      if (how !== 'dismissed' && isAlone && (how !== 'crash' || job.isSuspect)) fail(job, verdicts[how]())
      else {
        if (job.isSuspect) job.turns++
        job.isSuspect ||= isSuspect
        this.waiting.push(job)
      }
    }
    this.waiting.sort((a, b) => Number(a.isSuspect) - Number(b.isSuspect) || (a.isSuspect ? a.turns - b.turns || a.ran - b.ran : 0))
    this.pump()
  }
}

const unsuspected = { began: null, sent: 0, isSuspect: false, ran: 0, turns: 0 }

const isHaunted = ({ ghosts }: Replica, now: number) =>
  ghosts.size >= mostGhosts || [...ghosts.values()].some((since) => now - since > ghostMs)

const rowsOf = (statements: readonly Statement[]) =>
  statements
    .flatMap(({ parameters }) => Object.values(parameters))
    .reduce<number>((rows, value) => rows + (Array.isArray(value) ? value.length : 1), 0)

function fail(job: AnalystJob, error: Error): void {
  clearTimeout(job.timer)
  job.reject(error)
}

const verdicts: Record<Exclude<Ending, 'dismissed'>, () => EspalierError> = {
  memory: tookTooMuch,
  stuck: () =>
    new EspalierError('CYPHER_FAILED', 'the answer is too large', {
      remedy: 'Return fewer or smaller values: aggregate, or page with SKIP and LIMIT',
    }),
  crash: () => new EspalierError('CYPHER_FAILED', 'the graph engine ended twice while it ran the query'),
}
const closed = () => new EspalierError('UNAVAILABLE', 'the embedded graph is closed')
const notOpened = () => new EspalierError('UNAVAILABLE', `no process for queries within ${openingMs / 1000} s`, { remedy: 'Try again' })
