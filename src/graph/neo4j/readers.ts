import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type ErrorCode, EspalierError, messageOf } from '../../util/error.js'
import type { CypherAnswer } from '../engine.js'
import { tookTooLong } from '../query-errors.js'

export interface ReaderSettings {
  uri: string
  username: string
  password: string
  database: string
}

export interface ReaderOrder {
  text: string
  parameters: Readonly<Record<string, unknown>>
  limit: number
  bytes: number
  timeoutMs: number
}

type Rows = Omit<CypherAnswer, 'elapsedMs'>
export type ReaderReply = { rows: Rows } | { error: { code: ErrorCode; message: string; remedy?: string } }

/** Compiled beside this file; under a runner of TypeScript sources the built one is used. */
const threadFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../../dist/graph/neo4j/reader.js' : './reader.js', import.meta.url),
)
/** Of one thread's heap: an answer of 16 MiB takes a few times its size while it is read. */
const heapMb = 256
/** What the server is given to end a query at its time limit by itself, and to say so. */
const graceMs = 3_000
const idleMs = 60_000

/** Runs people's queries on Neo4j, one a thread; threads are kept for a minute. */
export class Neo4jReaders {
  private readonly idle: { worker: Worker; timer: NodeJS.Timeout }[] = []
  private readonly busy = new Set<Worker>()

  constructor(
    private readonly settings: ReaderSettings,
    private readonly log?: { warn(message: string): void },
  ) {}

  /**
   * `answer` comes within the time limit and 3 s; `ended` when the server has ended the query too, which may be much later: it cannot stop
   * one in the middle of an expression. Until then its thread and connection wait.
   */
  read(order: ReaderOrder): { answer: Promise<Rows>; ended: Promise<void> } {
    const worker = this.take()
    const reply = this.reply(worker)
    try {
      worker.postMessage(order)
    } catch (thrown) {
      reply.catch(() => {})
      const error = new EspalierError('BAD_INPUT', `a value cannot be sent to Neo4j: ${messageOf(thrown)}`)
      return { answer: Promise.reject(error), ended: this.drop(worker) }
    }
    const ended = reply.then(
      () => this.leave(worker),
      () => this.drop(worker),
    )
    return { answer: this.inTime(reply, order.timeoutMs), ended }
  }

  private inTime(reply: Promise<ReaderReply>, timeoutMs: number): Promise<Rows> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.log?.warn('graph: Neo4j goes on with a query past its time limit, and cannot stop it')
        reject(tookTooLong(timeoutMs))
      }, timeoutMs + graceMs)
      reply
        .then((answer) => {
          if ('rows' in answer) return resolve(answer.rows)
          const { code, message, remedy } = answer.error
          reject(new EspalierError(code, message, remedy ? { remedy } : {}))
        }, reject)
        .finally(() => clearTimeout(timer))
    })
  }

  async close(): Promise<void> {
    const idle = this.idle.splice(0)
    for (const { timer } of idle) clearTimeout(timer)
    await Promise.all([...idle.map(({ worker }) => dismiss(worker)), ...[...this.busy].map((worker) => worker.terminate())])
  }

  private take(): Worker {
    const kept = this.idle.pop()
    clearTimeout(kept?.timer)
    const worker = kept?.worker ?? this.begin()
    this.busy.add(worker)
    return worker
  }

  private begin(): Worker {
    const worker = new Worker(threadFile, { workerData: this.settings, resourceLimits: { maxOldGenerationSizeMb: heapMb }, execArgv: [] })
    worker.on('error', () => {})
    worker.once('exit', () => {
      const at = this.idle.findIndex((entry) => entry.worker === worker)
      if (at >= 0) clearTimeout(this.idle.splice(at, 1)[0]!.timer)
    })
    return worker
  }

  private leave(worker: Worker): void {
    this.busy.delete(worker)
    const entry = {
      worker,
      timer: setTimeout(() => {
        this.idle.splice(this.idle.indexOf(entry), 1)
        void dismiss(worker)
      }, idleMs).unref(),
    }
    this.idle.push(entry)
  }

  private async drop(worker: Worker): Promise<void> {
    this.busy.delete(worker)
    await worker.terminate()
  }

  private reply(worker: Worker): Promise<ReaderReply> {
    return new Promise<ReaderReply>((resolve, reject) => {
      const end = (how: () => void) => {
        worker.off('message', replied).off('error', failed).off('exit', exited)
        how()
      }
      const replied = (reply: ReaderReply) => end(() => resolve(reply))
      const failed = (error: NodeJS.ErrnoException) => end(() => reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooLarge() : error))
      const exited = () => end(() => reject(closed()))
      worker.on('message', replied).on('error', failed).on('exit', exited)
    })
  }
}

async function dismiss(worker: Worker): Promise<void> {
  worker.postMessage('close')
  const timer = setTimeout(() => void worker.terminate(), 5_000)
  await once(worker, 'exit').catch(() => {})
  clearTimeout(timer)
}

const closed = () => new EspalierError('UNAVAILABLE', 'the connection for queries was closed', { remedy: 'Try again' })
const tooLarge = () =>
  new EspalierError('CYPHER_FAILED', 'the answer is too large', {
    remedy: 'Return fewer or smaller values: aggregate, or page with SKIP and LIMIT',
  })
