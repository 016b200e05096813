import { readFileSync } from 'node:fs'
import { mkdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { EspalierError } from '../util/error.js'

/** A process told apart from a later one with the same id: `started` is Linux's start time in clock ticks, '' elsewhere. */
export interface ProcessIdentity {
  pid: number
  started: string
}

/** Whether a process with this id runs (under any user). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A zombie has ended; its parent has only not asked yet.
    return !statOf(pid)?.startsWith('Z')
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM'
  }
}

/** Everything after the name in /proc/<pid>/stat (state, parent, …), or null where there is no /proc. */
function statOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2)
  } catch {
    return null
  }
}

/** The program's name as Linux tells it, or null where it does not. */
export function programOf(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return null
  }
}

// Field 22 of proc(5) stat, counted from the state, which is field 3.
const startedAt = (pid: number): string => statOf(pid)?.split(' ')[19] ?? ''
const identityOf = (pid: number): ProcessIdentity => ({ pid, started: startedAt(pid) })
const isSame = ({ pid, started }: ProcessIdentity): boolean => isAlive(pid) && (started === '' || startedAt(pid) === started)

async function readHolder(file: string): Promise<ProcessIdentity | null> {
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text === null) return null
  const [pid, started = ''] = text.trim().split(' ')
  return Number(pid) > 0 ? { pid: Number(pid), started } : { pid: 0, started: '' }
}

/** The live process that holds the lock file, or null. */
export async function holderOf(file: string): Promise<ProcessIdentity | null> {
  const holder = await readHolder(file)
  return holder && holder.pid > 0 && isSame(holder) ? holder : null
}

const guardLimit = 5_000
const delay = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Runs `work` while no other process does: making a folder succeeds for one. A guard that a crash left behind counts for five seconds. */
async function guarded<T>(guard: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      await mkdir(guard)
      break
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error
      const age = Date.now() - (await stat(guard).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs
      if (age > guardLimit) await rmdir(guard).catch(() => undefined)
      else await delay(10)
    }
  }
  try {
    return await work()
  } finally {
    await rmdir(guard).catch(() => undefined)
  }
}

/** Takes the lock file for this process, over a dead holder's if need be; a live holder is a LOCKED error that names it. */
export function takeOwnership(file: string, what: string): Promise<{ release(): Promise<void> }> {
  const { pid, started } = identityOf(process.pid)
  return guarded(`${file}.guard`, async () => {
    const holder = await holderOf(file)
    if (holder) throw lockedBy(what, holder.pid)
    await writeFile(`${file}.new`, `${pid} ${started}\n`)
    await rename(`${file}.new`, file)
    return { release: () => rm(file, { force: true }) }
  })
}

export function lockedBy(what: string, pid: number): EspalierError {
  return new EspalierError('LOCKED', `${what} is in use by process ${pid}`, {
    remedy: `Stop that process (kill ${pid}), or give this one a folder of its own, or point both to one server with DATABASE_URL.`,
  })
}
