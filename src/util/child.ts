import { type ErrorCode, EspalierError, messageOf } from './error.js'
import type { Problem } from './problem.js'

/**
 * How a parent starts a part of Espalier as a process of its own and hears of it: the parent sends `start`, the child answers `ready`
 * or `failed`, and ends on `stop`, on SIGTERM, or when its parent is gone. Ctrl-C reaches the whole process group, so a child leaves
 * SIGINT to its parent, which ends the parts in order.
 */
export type ToChild = { type: 'start'; options: unknown } | { type: 'stop' }
export type ToParent =
  | { type: 'ready'; answer: unknown }
  | { type: 'failed'; code: ErrorCode; message: string; remedy?: string; problems: readonly Problem[] }

export interface Part {
  /** what the parent is told once the part works (a URL) */
  answer: unknown
  stop(): Promise<void>
}

/** An error as plain values, to cross a process boundary. */
function failure(thrown: unknown): ToParent {
  const known = thrown instanceof EspalierError ? thrown : undefined
  return {
    type: 'failed',
    code: known?.code ?? 'INTERNAL',
    message: known ? known.message : `${messageOf(thrown)}${thrown instanceof Error && thrown.stack ? `\n${thrown.stack}` : ''}`,
    ...(known?.remedy ? { remedy: known.remedy } : {}),
    problems: known?.problems ?? [],
  }
}

/** Makes this process a part: `begin` is called with the parent's options. Exit status 0 when stopped, 1 when it failed. */
export function runAsChild<Options>(begin: (options: Options) => Promise<Part>): void {
  const send = (message: ToParent) => {
    if (process.connected) process.send?.(message)
  }
  let part: Promise<Part> | undefined
  let ending = false
  const end = async (status: number) => {
    if (ending) return
    ending = true
    try {
      await (await part)?.stop()
    } catch {
      status = 1
    }
    process.exit(status)
  }
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => void end(0))
  process.on('disconnect', () => void end(0))
  process.on('message', (message: ToChild) => {
    if (message.type === 'stop') return void end(0)
    part = begin(message.options as Options)
    part.then(
      ({ answer }) => send({ type: 'ready', answer }),
      (thrown) => {
        send(failure(thrown))
        part = undefined
        setImmediate(() => void end(1))
      },
    )
  })
}
