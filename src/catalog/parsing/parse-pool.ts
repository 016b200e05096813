import { existsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type ErrorCode, EspalierError } from '../../util/error.js'
import type { Fact } from '../fact.js'
import { failedHead, type ParseJob, parseText } from './parse-job.js'
import type { WorkerMessage } from './parse-worker.js'
import { encodeFacts, headOfParsed, type ParsedHead } from './parsed-facts.js'

/** Who takes what is parsed, text by text (by its place among the jobs); the next part comes when a part is taken. */
export interface ParsedSink {
  part(index: number, part: number, bytes: Uint8Array): Promise<void>
  /** small texts, parsed in this thread: their facts as they are, and how long that took */
  facts(index: number, facts: Fact[], milliseconds: number): Promise<void>
  done(index: number, head: ParsedHead): Promise<void>
}

export interface PoolOptions {
  /** default: as many as there are cores */
  threads?: number
  /** of a thread's heap, in MiB (default: its share of half the machine's memory, 512 to 4,096) */
  heapMiB?: number
  /** bytes below which no thread is started (default 1 MB) */
  leastBytes?: number
  signal?: AbortSignal
}

/** Parsing takes about a microsecond per byte; a thread takes 0.3 s to load the parsers. */
const defaultLeastBytes = 1_000_000

// Only built code has it: from sources (unit tests) everything is parsed in this thread.
const workerFile = new URL('./parse-worker.js', import.meta.url)
const hasWorker = () => existsSync(fileURLToPath(workerFile))

/** Parses texts: a few short ones here and now, else on all cores, the longest first, so that none is left alone with it at the end. */
export async function parseTexts(jobs: readonly ParseJob[], sink: ParsedSink, options: PoolOptions = {}): Promise<void> {
  const { threads = availableParallelism(), leastBytes = defaultLeastBytes, signal } = options
  const bytes = jobs.reduce((sum, { print }) => sum + print.bytes, 0)
  if (bytes < leastBytes || !hasWorker()) {
    for (const [i, job] of jobs.entries()) {
      signal?.throwIfAborted()
      await parseHere(job, i, sink)
    }
    return
  }
  const order = [...jobs.keys()].sort((a, b) => jobs[a]!.print.bytes - jobs[b]!.print.bytes)
  const lanes = Array.from({ length: Math.min(threads, jobs.length) }, () => new Lane(options))
  try {
    await Promise.all(
      lanes.map(async (lane) => {
        for (let i = order.pop(); i !== undefined; i = order.pop()) await lane.parse(jobs[i]!, i, sink)
      }),
    )
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()))
  }
}

async function parseHere(job: ParseJob, index: number, sink: ParsedSink): Promise<void> {
  const began = performance.now()
  const parsed = await parseText(job)
  await sink.facts(index, parsed.facts, performance.now() - began)
  await sink.done(index, { ...headOfParsed(parsed), ...(parsed.isFailed ? { isFailed: true } : {}) })
}

/** One thread after the other: a text that kills its thread is told of, and the next text gets a new one. */
class Lane {
  private worker: Worker | null = null

  constructor(private readonly options: PoolOptions) {}

  async parse(job: ParseJob, index: number, sink: ParsedSink): Promise<void> {
    const { signal } = this.options
    signal?.throwIfAborted()
    this.worker ??= new Worker(workerFile, { resourceLimits: { maxOldGenerationSizeMb: this.heapMiB } })
    const { head, isAlive } = await this.ask(this.worker, job, (part, bytes) => sink.part(index, part, bytes))
    if (!isAlive) await this.close()
    await sink.done(index, head)
  }

  private get heapMiB(): number {
    const { threads = availableParallelism(), heapMiB } = this.options
    return heapMiB ?? Math.max(512, Math.min(4_096, Math.floor(totalmem() / 2 ** 21 / threads)))
  }

  async close(): Promise<void> {
    const { worker } = this
    this.worker = null
    await worker?.terminate()
  }

  /** Resolves when the text is read and its parts are taken; rejects where it was refused, or where taking a part failed. */
  private ask(
    worker: Worker,
    job: ParseJob,
    take: (part: number, bytes: Uint8Array) => Promise<void>,
  ): Promise<{ head: ParsedHead; isAlive: boolean }> {
    const { signal } = this.options
    const { file } = job.context
    return new Promise((resolve, reject) => {
      let parts = 0
      let taking: Promise<void> = Promise.resolve()
      const settle = (finish: () => void) => {
        worker.off('message', onMessage).off('error', onError).off('exit', onExit)
        signal?.removeEventListener('abort', onAbort)
        finish()
      }
      const onMessage = (message: WorkerMessage) => {
        if (message.type === 'part') {
          const part = parts++
          taking = taking.then(() => take(part, message.bytes)).then(() => worker.postMessage('taken'))
          taking.catch((error) => settle(() => reject(error)))
        } else if (message.type === 'done')
          taking.then(
            () => settle(() => resolve({ head: message.head, isAlive: true })),
            () => undefined,
          )
        else {
          const { code, message: text, remedy } = message
          settle(() => reject(new EspalierError(code as ErrorCode, text, remedy ? { remedy } : {})))
        }
      }
      const die = (found: string) => settle(() => resolve({ head: failedHead(file, found), isAlive: false }))
      const onError = (error: Error & { code?: string }) =>
        die(
          error.code === 'ERR_WORKER_OUT_OF_MEMORY'
            ? `a text of ${job.print.bytes.toLocaleString('en')} bytes, whose reading takes more than ${this.heapMiB} MiB`
            : error.message,
        )
      const onExit = (status: number) => die(`the thread that read it ended with status ${status}`)
      const onAbort = () => settle(() => reject(signal!.reason))
      worker.on('message', onMessage).on('error', onError).on('exit', onExit)
      signal?.addEventListener('abort', onAbort)
      worker.postMessage(job)
    })
  }
}

/** The parts of facts that were parsed in this thread. */
export const partsOfFacts = (facts: readonly Fact[]): Uint8Array[] => [...encodeFacts(facts)]
