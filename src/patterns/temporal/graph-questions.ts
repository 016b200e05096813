import { randomUUID } from 'node:crypto'
import type { Database } from '../../postgres/sql.js'
import { type ErrorCode, EspalierError, errorCodes, messageOf } from '../../util/error.js'
import type { Logger } from '../../util/log.js'
import { type GraphReader, readGraphTimes } from './graph-reading.js'
import { answerChannel, answerNext, questionChannel, readAnswer, removeQuestion, saveQuestion } from './question-store.js'
import type { GraphTimes } from './sources.js'

const pollMs = 2_000

/** Answers what workers ask of the graph, until it is stopped: the server alone holds it. A question that fails is answered with its failure. */
export async function startGraphAnswers({
  database,
  graph,
  log,
  settle = async () => {},
}: {
  database: Database
  graph: GraphReader
  log: Logger
  /** lets the graph catch up with the ledger first, as far as it can */
  settle?: () => Promise<unknown>
}): Promise<{ stop(): Promise<void> }> {
  let isStopped = false
  let isAsked = false
  let working: Promise<void> | null = null
  const answer = async () => {
    do {
      isAsked = false
      while (
        !isStopped &&
        (await answerNext(database, async ({ projectId }) => {
          try {
            await settle().catch((error) => log.warn({ err: error }, 'the graph is asked before it has caught up with the ledger'))
            return { answer: await readGraphTimes(graph, projectId) }
          } catch (thrown) {
            const known = thrown instanceof EspalierError ? thrown : null
            return { failure: { code: known?.code ?? 'INTERNAL', message: messageOf(thrown), remedy: known?.remedy ?? null } }
          }
        }))
      );
    } while (isAsked && !isStopped)
  }
  const look = () => {
    if (isStopped) return
    isAsked = true
    working ??= answer()
      .catch((error) => log.warn({ err: error }, 'a question about the graph could not be answered'))
      .finally(() => {
        working = null
        if (isAsked) look()
      })
  }
  const unlisten = await database.listen(questionChannel, look)
  const timer = setInterval(look, 5 * pollMs)
  look()
  return {
    async stop() {
      isStopped = true
      clearInterval(timer)
      await unlisten()
      await working
    },
  }
}

/** Asks the server, which holds the graph, when a project's nodes became as they are. UNAVAILABLE where none answers in time (default 20 s). */
export async function askGraphTimes(
  database: Database,
  projectId: string,
  { timeoutMs = 20_000, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<GraphTimes> {
  const id = randomUUID()
  let wake = () => {}
  const unlisten = await database.listen(answerChannel, () => wake())
  const onAbort = () => wake()
  signal?.addEventListener('abort', onAbort)
  try {
    await saveQuestion(database, id, { kind: 'times', projectId })
    const deadline = performance.now() + timeoutMs
    for (;;) {
      let timer: NodeJS.Timeout | undefined
      const told = new Promise<void>((resolve) => {
        wake = resolve
        timer = setTimeout(resolve, Math.min(pollMs, Math.max(1, deadline - performance.now())))
      })
      try {
        const found = await readAnswer(database, id)
        if (found) return answerOf(found)
        signal?.throwIfAborted()
        if (performance.now() >= deadline)
          throw new EspalierError('UNAVAILABLE', `graph: no server answered within ${timeoutMs / 1000} s`, {
            remedy: 'Run a server of this version beside the workers: it alone holds the graph.',
          })
        await told
      } finally {
        clearTimeout(timer)
      }
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    await unlisten()
    await removeQuestion(database, id)
  }
}

function answerOf({ answer, failure }: NonNullable<Awaited<ReturnType<typeof readAnswer>>>): GraphTimes {
  if (!failure) return answer as GraphTimes
  const code = Object.hasOwn(errorCodes, failure.code) ? (failure.code as ErrorCode) : 'INTERNAL'
  throw new EspalierError(code, failure.message, failure.remedy ? { remedy: failure.remedy } : {})
}
