import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { EspalierError, messageOf } from '../../util/error.js'
import { failureHints } from './gaps.js'
import type { HostReply, HostRequest, HostRows } from './messages.js'

export interface ChildOptions {
  /** the graph's file (its folder is made if absent) */
  file: string
  /** bytes that reads may add to the process's memory */
  memory: number
  /** requests at once, at most */
  concurrency: number
  /** the file's folder goes when this process dies without closing */
  temporary: boolean
  /** it only runs queries of people: it yields the processor to everybody else, and its memory is watched from outside too (default false) */
  isPatient?: boolean
}

export type Outcome = { rows: HostRows | undefined } | { error: EspalierError }

/** Compiled beside this file; under a runner of TypeScript sources the built one is used (Node cannot fork a .ts file). */
const hostFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../../dist/graph/grafeo/host.js' : './host.js', import.meta.url),
)

/**
 * One process with the engine and one file open in it. It sends requests and hears answers; when to end the process, and what becomes of
 * the requests that end with it, is its owner's business.
 */
export class GrafeoChild {
  /** hears once that the process is gone, and how; requests in flight hear nothing */
  onEnd: (how: string) => void = () => {}
  /** hears that reads took more memory than they may */
  onMemory: () => void = () => {}
  private readonly calls = new Map<number, (outcome: Outcome) => void>()
  private readonly memory: MemoryWatch | null
  private lastId = 0

  private constructor(
    private readonly child: ChildProcess,
    options: ChildOptions,
  ) {
    this.memory = options.isPatient ? new MemoryWatch(child.pid!, options.memory, () => this.onMemory()) : null
    child.on('message', (reply: HostReply) => this.receive(reply))
    // What cannot be sent, or killed, any more: its end is told by 'exit'.
    child.on('error', () => {})
    child.once('exit', (status, signal) => {
      this.memory?.stop()
      this.calls.clear()
      this.onEnd(signal ?? `status ${status}`)
    })
  }

  /** Starts the process; fails with LOCKED where another one has the file, CORRUPT where it cannot be read. */
  static async open(options: ChildOptions): Promise<GrafeoChild> {
    const { file, memory, temporary } = options
    fs.mkdirSync(path.dirname(file), { recursive: true })
    if (!fs.existsSync(hostFile)) throw new EspalierError('INTERNAL', `${hostFile} is absent`, { remedy: 'Build first: npm run build' })
    const child = fork(hostFile, [file, String(memory), String(process.pid), temporary ? 'temporary' : 'kept'], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [],
      // Queries occupy libuv's threads while they run; some stay free for the host itself.
      env: { UV_THREADPOOL_SIZE: String(options.concurrency + 4) },
    })
    if (options.isPatient) makePatient(child)
    const gone = once(child, 'exit').then(([status, signal]) => {
      throw new EspalierError('UNAVAILABLE', `the graph engine ended while it opened ${file} (${signal ?? `status ${status}`})`)
    })
    const [reply] = (await Promise.race([once(child, 'message'), gone])) as [HostReply]
    if (reply.kind === 'not-opened') throw notOpened(file, reply.locked, reply.message)
    return new GrafeoChild(child, options)
  }

  /** Sends a request; `done` hears its outcome unless the process ends first. */
  call(request: HostRequest, done: (outcome: Outcome) => void): void {
    const id = ++this.lastId
    this.calls.set(id, done)
    if (request.kind === 'read') this.memory?.start()
    try {
      // A broken channel is the end of the process: 'exit' tells.
      this.child.send({ id, request }, () => {})
    } catch (thrown) {
      // What cannot be cloned; the process is none the worse for it.
      const error = new EspalierError('BAD_INPUT', `a value cannot be sent to the graph engine: ${messageOf(thrown)}`)
      queueMicrotask(() => this.finish(id, { error }))
    }
  }

  /** Milliseconds that the process has worked so far; null where the system does not tell (Linux does). */
  worked(): number | null {
    try {
      const [utime, stime] = fs.readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ').slice(11, 13)
      return (Number(utime) + Number(stime)) * 10
    } catch {
      return null
    }
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }

  /** The process closes its file and ends when its channel does; it is given 10 s. */
  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = once(this.child, 'exit')
    const timer = setTimeout(() => this.kill(), 10_000)
    if (this.child.connected) this.child.disconnect()
    await gone
    clearTimeout(timer)
  }

  private receive(reply: HostReply): void {
    if (reply.kind === 'out-of-memory') this.onMemory()
    else if (reply.kind === 'done') this.finish(reply.id, { rows: reply.rows })
    else if (reply.kind === 'failed') this.finish(reply.id, { error: failure(reply.message, reply.wrote) })
  }

  private finish(id: number, outcome: Outcome): void {
    const done = this.calls.get(id)
    this.calls.delete(id)
    if (this.calls.size === 0) this.memory?.stop()
    done?.(outcome)
  }
}

function makePatient({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) os.setPriority(pid, os.constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // Where priorities may not be set the process competes like any other.
  }
}

function notOpened(file: string, locked: boolean, message: string): EspalierError {
  if (!locked)
    return new EspalierError('CORRUPT', `the graph's file ${file} could not be opened: ${message.split('\n')[0]}`, {
      remedy: 'Remove the folder and run: espalier graph rebuild',
    })
  const folder = path.dirname(file)
  const ownerFile = path.join(folder, 'owner')
  const holder = fs.existsSync(ownerFile) ? fs.readFileSync(ownerFile, 'utf8') : 'unknown'
  return new EspalierError('LOCKED', `the graph in ${folder} is open in another process (pid ${holder})`, {
    remedy: 'Talk to the server that has it (ESPALIER_URL), or stop that process',
  })
}

/** The engine's message without its code frame; never its internals. */
function failure(message: string, wrote: boolean): EspalierError {
  if (wrote) return new EspalierError('CYPHER_REFUSED', message, { remedy: 'The graph is read-only for queries: facts enter by ingest' })
  const [line = message] = message.replace(/^.*?GRAFEO-\w+: /s, '').split('\n')
  const remedy = failureHints.find(({ says }) => says.test(line))?.hint
  return new EspalierError('CYPHER_FAILED', line, remedy ? { remedy } : {})
}

/**
 * Looks at the process's memory from outside while it works, where the system tells (Linux): a query takes up to 2 GB a second (measured),
 * and while the host turns a huge answer into values it cannot look itself. Elsewhere the host's own watch remains.
 */
class MemoryWatch {
  private timer: NodeJS.Timeout | undefined
  private readonly idle: number

  constructor(
    private readonly pid: number,
    private readonly most: number,
    private readonly tell: () => void,
  ) {
    this.idle = this.resident()
  }

  start(): void {
    if (this.idle === 0) return
    this.timer ??= setInterval(() => {
      if (this.resident() - this.idle > this.most) this.tell()
    }, 50)
  }

  stop(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }

  private resident(): number {
    try {
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
    } catch {
      return 0
    }
  }
}
