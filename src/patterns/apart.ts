import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type ErrorCode, EspalierError } from '../util/error.js'

const threadMiB = 1024
let last: Promise<unknown> = Promise.resolve()

/**
 * Seconds of arithmetic that somebody waits for, in a thread of its own (a compiled file that answers with one message): a server goes on
 * answering others. One at a time: many at once would take every core of it. Run from TypeScript, where there is no such file, it is
 * `here` that does the work.
 */
export function apart<Work, Answer>(threadFile: URL, work: Work, here: (work: Work) => Answer | Promise<Answer>): Promise<Answer> {
  const run = async () => (existsSync(fileURLToPath(threadFile)) ? inThread<Answer>(threadFile, work) : here(work))
  const turn = last.then(run, run)
  last = turn.catch(() => undefined)
  return turn
}

/** What a thread posts: its answer, or the refusal that it met. */
export type Posted<Answer> = { answer: Answer } | { refused: { code: ErrorCode; message: string; remedy: string | undefined } }

/** The refusal among what was thrown, as a thread posts it; anything else is thrown on. */
export function refusalOf(thrown: unknown): Posted<never> {
  if (!(thrown instanceof EspalierError)) throw thrown
  const { code, message, remedy } = thrown
  return { refused: { code, message, remedy } }
}

async function inThread<Answer>(threadFile: URL, workerData: unknown): Promise<Answer> {
  const thread = new Worker(threadFile, { workerData, resourceLimits: { maxOldGenerationSizeMb: threadMiB } })
  try {
    const posted = await new Promise<Posted<Answer>>((resolve, reject) => {
      thread.once('message', resolve)
      thread.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooLarge(error) : error))
      thread.once('exit', () => reject(new EspalierError('INTERNAL', 'the thread ended without an answer')))
    })
    if ('answer' in posted) return posted.answer
    const { code, message, remedy } = posted.refused
    throw new EspalierError(code, message, remedy === undefined ? {} : { remedy })
  } finally {
    await thread.terminate()
  }
}

const tooLarge = (cause: unknown) =>
  new EspalierError('BAD_INPUT', `that is more than can be learned from while somebody waits (${threadMiB} MiB)`, {
    cause,
    remedy: 'Ingest it, and learn its patterns as a run.',
  })
