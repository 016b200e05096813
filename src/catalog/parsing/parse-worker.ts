/**
 * A thread that parses one text after the other (parse-pool.ts). Facts go out part by part, a few ahead of what the other side has taken,
 * so that they pile up in neither.
 */
import { parentPort } from 'node:worker_threads'
import { EspalierError } from '../../util/error.js'
import { type ParseJob, parseText } from './parse-job.js'
import { encodeFacts, headOfParsed, type ParsedHead } from './parsed-facts.js'

/** What a thread says of a text. */
export type WorkerMessage =
  | { type: 'part'; bytes: Uint8Array }
  | { type: 'done'; head: ParsedHead }
  | { type: 'refused'; code: string; message: string; remedy?: string }

/** Parts on their way that were not taken yet. */
const mostAhead = 4

let ahead = 0
let wake: (() => void) | null = null

async function send(part: Uint8Array): Promise<void> {
  while (ahead >= mostAhead)
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  ahead++
  // handed over, not copied; but small buffers share a pool and must be
  const bytes = Uint8Array.from(part)
  parentPort!.postMessage({ type: 'part', bytes } satisfies WorkerMessage, [bytes.buffer])
}

async function work(job: ParseJob): Promise<WorkerMessage> {
  try {
    const parsed = await parseText(job)
    for (const part of encodeFacts(parsed.facts)) await send(part)
    return { type: 'done', head: { ...headOfParsed(parsed), ...(parsed.isFailed ? { isFailed: true } : {}) } }
  } catch (thrown) {
    if (!(thrown instanceof EspalierError)) throw thrown
    const { code, message, remedy } = thrown
    return { type: 'refused', code, message, ...(remedy ? { remedy } : {}) }
  }
}

parentPort?.on('message', async (message: ParseJob | 'taken') => {
  if (message === 'taken') {
    ahead--
    wake?.()
  } else parentPort!.postMessage(await work(message))
})
