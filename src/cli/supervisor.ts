import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Config } from '../config.js'
import { openDatabase } from '../postgres/database.js'
import { startEmbeddedPostgres } from '../postgres/embedded.js'
import { migrate } from '../postgres/migrate.js'
import { endLeasesOf } from '../runs/lease-store.js'
import { prepareQueue } from '../runs/queue.js'
import { forgetWorker } from '../runs/worker-store.js'
import type { ToChild, ToParent } from '../util/child.js'
import { EspalierError } from '../util/error.js'
import type { Logger } from '../util/log.js'
import { holdHome } from './home.js'

const stopWithinMs = 20_000

/** A part of Espalier that runs as a process of its own. */
interface ChildPart {
  answer: unknown
  process: ChildProcess
  stop(): Promise<void>
}

/**
 * Parts compute with onnxruntime, whose activations lie in large blocks: glibc is told to ask for huge pages for those (a variable that
 * other C libraries ignore, and that yields to one already set). Measured on a sparse graph of 10,000 nodes: a training step 7 % faster,
 * inference 13 %.
 */
const partEnvironment = (): NodeJS.ProcessEnv => ({ GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1', ...process.env })

/** Starts `module` as a child, waits until it is ready, and hands on its failure. */
function startPart(module: 'server' | 'worker/main', options: unknown): Promise<ChildPart> {
  const child = fork(fileURLToPath(new URL(`../${module}.js`, import.meta.url)), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: partEnvironment(),
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    if (child.connected) child.send({ type: 'stop' } satisfies ToChild)
    const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
    await ended
    clearTimeout(timer)
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (status, signal) =>
      reject(new EspalierError('UNAVAILABLE', `the ${module} process ended before it was ready (${signal ?? `status ${status}`})`)),
    )
    child.on('message', (message: ToParent) => {
      if (message.type === 'ready') return resolve({ answer: message.answer, process: child, stop })
      const { code, message: text, problems, remedy } = message
      reject(new EspalierError(code, text, { problems, ...(remedy ? { remedy } : {}) }))
    })
    child.send({ type: 'start', options } satisfies ToChild)
  })
}

export interface Espalier {
  /** the GraphQL endpoint */
  url: string
  /** opens this server to its owner, keys or not */
  ownerKey: string
  /** resolves with the reason when a part that cannot be replaced has ended */
  failed: Promise<EspalierError>
  /** ends workers (which hand their runs back), server, Postgres, in this order */
  stop(): Promise<void>
}

/** What a worker that ended by itself had under way is free for others at once, not when its leases lapse. */
async function buryWorker(databaseUrl: string, { workerId }: { workerId: string }): Promise<void> {
  const database = await openDatabase(databaseUrl)
  try {
    await endLeasesOf(database, workerId)
    await forgetWorker(database, workerId)
  } finally {
    await database.close()
  }
}

/** Keeps one worker alive: one that ends by itself is started again after a pause that doubles up to half a minute. */
export async function keepWorker(config: Config & { databaseUrl: string }, log: Logger): Promise<() => Promise<void>> {
  let current = await startPart('worker/main', config)
  let stopping = false
  let pause = 500
  const watch = () => {
    const began = Date.now()
    current.process.once('exit', (status, signal) => {
      if (stopping) return
      pause = Date.now() - began > 60_000 ? 500 : Math.min(pause * 2, 30_000)
      log.warn({ status, signal, restartInMs: pause }, 'a worker ended; it is started again')
      buryWorker(config.databaseUrl, current.answer as { workerId: string })
        .catch((error) => log.warn({ error }, 'what a worker had under way waits for its leases to lapse'))
        .finally(() => setTimeout(restart, pause))
    })
  }
  const restart = async () => {
    if (stopping) return
    try {
      current = await startPart('worker/main', config)
      watch()
    } catch (error) {
      log.error({ error }, 'a worker could not be started again')
      setTimeout(restart, (pause = Math.min(pause * 2, 30_000)))
    }
  }
  watch()
  return async () => {
    stopping = true
    await current.stop()
  }
}

/**
 * Starts everything on one home folder: Postgres (embedded unless `databaseUrl` is set), migrations, the server, the workers. Either
 * all of it runs, or nothing is left behind. A second start on the same folder is a LOCKED error that names the holder.
 */
export async function startEspalier(config: Config, log: Logger): Promise<Espalier> {
  const undo: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step().catch((error: unknown) => log.error({ error }, 'a part did not stop cleanly'))
  }
  try {
    const home = holdHome(config.home)
    undo.push(async () => home.release())
    let databaseUrl = config.databaseUrl
    if (databaseUrl === undefined) {
      const postgres = await startEmbeddedPostgres({ folder: `${config.home}/postgres`, log })
      undo.push(() => postgres.stop())
      databaseUrl = postgres.url
    }
    await prepareDatabase(databaseUrl)
    const settled = { ...config, databaseUrl }
    const ownerKey = randomBytes(32).toString('base64url')
    const server = await startPart('server', { ...settled, ownerKey })
    undo.push(() => server.stop())
    const { url } = server.answer as { url: string }
    const failed = new Promise<EspalierError>((resolve) =>
      server.process.once('exit', (status, signal) =>
        resolve(new EspalierError('UNAVAILABLE', `the server process ended (${signal ?? `status ${status}`})`)),
      ),
    )
    const workers = await Promise.all(Array.from({ length: config.workers }, () => keepWorker(settled, log)))
    undo.push(async () => void (await Promise.all(workers.map((stopWorker) => stopWorker()))))
    home.announce({ url, databaseUrl, ownerKey })
    return { url, ownerKey, failed, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

export async function prepareDatabase(url: string): Promise<void> {
  const database = await openDatabase(url)
  try {
    await migrate(database)
    await prepareQueue(database)
  } finally {
    await database.close()
  }
}
