import fs from 'node:fs'
import path from 'node:path'
import { EspalierError } from '../util/error.js'

/** What `<home>/server.json` says of the server that runs on this folder; readable by its owner alone (it names the database). */
export interface ServerRecord {
  pid: number
  url?: string
  databaseUrl?: string
  /** lets whoever can read this file in, keys or not */
  ownerKey?: string
}

const recordFile = (home: string) => path.join(home, 'server.json')

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The record of the server that runs on `home` now, or null; a record whose process is gone counts as none. */
export function readServerRecord(home: string): ServerRecord | null {
  try {
    const record = JSON.parse(fs.readFileSync(recordFile(home), 'utf8')) as ServerRecord
    return isAlive(record.pid) ? record : null
  } catch {
    return null
  }
}

/** Takes `home` for this process (made if absent) until `release`; LOCKED when another living process holds it. */
export function holdHome(home: string) {
  fs.mkdirSync(home, { recursive: true, mode: 0o755 })
  const file = recordFile(home)
  const mine = `${file}.${process.pid}`
  const write = (record: ServerRecord) => fs.writeFileSync(mine, JSON.stringify(record), { mode: 0o600 })
  const release = () => {
    fs.rmSync(mine, { force: true })
    if (readServerRecord(home)?.pid === process.pid) fs.rmSync(file, { force: true })
  }
  write({ pid: process.pid })
  for (let attempt = 0; ; attempt++) {
    try {
      // link() fails where the name exists: of two processes that start at once, one wins.
      fs.linkSync(mine, file)
      fs.rmSync(mine)
      break
    } catch (error) {
      const holder = readServerRecord(home)
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || holder || attempt > 3) {
        fs.rmSync(mine, { force: true })
        if (!holder) throw error
        throw new EspalierError('LOCKED', `${home} is in use by process ${holder.pid}${holder.url ? `, which serves ${holder.url}` : ''}`, {
          remedy: 'Talk to that server, stop it, or choose another folder with ESPALIER_HOME.',
        })
      }
      fs.rmSync(file, { force: true })
    }
  }
  return {
    announce: (record: Omit<ServerRecord, 'pid'>) => {
      write({ pid: process.pid, ...record })
      fs.renameSync(mine, file)
    },
    release,
  }
}
