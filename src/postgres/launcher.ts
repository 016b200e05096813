import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { EspalierError } from '../util/error.js'
import { sha256 } from '../util/hash.js'
import { binariesIn, type PostgresBinaries } from './binaries.js'

/** Who runs Postgres, from where, over which data: it refuses to run as root, which is what containers and CI often are. */
export interface Launcher {
  readonly name: LauncherName
  readonly binaries: PostgresBinaries
  /** the folder that holds `data`; another one than asked for only where no one but root can enter that one */
  readonly home: string
  /** user id (as this process sees it) that must own the data */
  readonly owner: { uid: number; gid: number } | null
  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess
}

export const launcherNames = ['as-is', 'postgres-user', 'user-namespace', 'copied'] as const
export type LauncherName = (typeof launcherNames)[number]

interface Account {
  name: string
  uid: number
  gid: number
}

/** Accounts of /etc/passwd that are not root; initdb refuses an id without a name. */
function accounts(): Account[] {
  const lines = fs.existsSync('/etc/passwd') ? fs.readFileSync('/etc/passwd', 'utf8').split('\n') : []
  return lines.flatMap((line) => {
    const [name, , uid, gid] = line.split(':')
    return name && Number(uid) > 0 ? [{ name, uid: Number(uid), gid: Number(gid) }] : []
  })
}
const accountNamed = (name: string): Account | undefined => accounts().find((account) => account.name === name)

/** Whether this user can run the server and enter the folder: tried, not computed (modes, ACLs and mounts all have a say). */
function canUse(account: Account, binaries: PostgresBinaries, folder: string): boolean {
  const as = { uid: account.uid, gid: account.gid, cwd: '/', stdio: 'ignore' as const, timeout: 10_000 }
  return spawnSync(binaries.postgres, ['--version'], as).status === 0 && spawnSync('/bin/sh', ['-c', 'cd "$0"', folder], as).status === 0
}

function asUser(name: LauncherName, account: Account, binaries: PostgresBinaries, home: string): Launcher {
  const { uid, gid } = account
  return { name, binaries, home, owner: { uid, gid }, spawn: (program, args, options) => spawn(program, args, { ...options, uid, gid }) }
}

/** In its own user namespace root's files belong to the mapped user, so that even a 0700 home can be entered. */
function namespaced(binaries: PostgresBinaries, home: string): Launcher | null {
  const account = accountNamed('postgres') ?? accounts()[0]
  if (!account) return null
  const prefix = ['--user', `--map-user=${account.uid}`, '--']
  const probe = spawnSync('unshare', [...prefix, binaries.postgres, '--version'], { cwd: '/', stdio: 'ignore', timeout: 10_000 })
  if (probe.status !== 0) return null
  return {
    name: 'user-namespace',
    binaries,
    home,
    owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    spawn: (program, args, options) => spawn('unshare', [...prefix, program, ...args], options),
  }
}

const openPlaces = ['/var/lib', '/var/tmp', '/tmp']

/** Copies the programs (60 MB, once per version) and keeps the data where an unprivileged user can enter; the folder's path names the copy. */
function copied(binaries: PostgresBinaries, folder: string): Launcher | null {
  const account = accountNamed('postgres') ?? accountNamed('nobody')
  if (!account) return null
  for (const place of openPlaces) {
    const base = path.join(place, 'espalier-postgres')
    const home = path.join(base, `data-${sha256(folder).slice(0, 16)}`)
    const root = path.join(base, `native-${sha256(`${binaries.root}:${fs.statSync(binaries.postgres).mtimeMs}`).slice(0, 16)}`)
    try {
      fs.mkdirSync(home, { recursive: true, mode: 0o755 })
      if (!fs.existsSync(root)) {
        const draft = `${root}.${process.pid}`
        fs.cpSync(binaries.root, draft, { recursive: true, verbatimSymlinks: true })
        fs.renameSync(draft, root)
      }
    } catch {
      continue
    }
    if (canUse(account, binariesIn(root), home)) return asUser('copied', account, binariesIn(root), home)
  }
  return null
}

const isRoot = () => process.getuid?.() === 0

/** Tried in this order; null means "not here". */
const launchers: Record<LauncherName, (binaries: PostgresBinaries, folder: string) => Launcher | null> = {
  'as-is': (binaries, home) => (isRoot() ? null : { name: 'as-is', binaries, home, owner: null, spawn }),
  'postgres-user': (binaries, home) => {
    const account = accountNamed('postgres')
    return account && canUse(account, binaries, home) ? asUser('postgres-user', account, binaries, home) : null
  },
  'user-namespace': namespaced,
  copied,
}

/** The first way of `names` (default: all) that works on this machine for this folder. */
export function chooseLauncher(binaries: PostgresBinaries, folder: string, names: readonly LauncherName[] = launcherNames): Launcher {
  for (const name of names) {
    const launcher = launchers[name](binaries, folder)
    if (launcher) return launcher
  }
  throw new EspalierError(
    'UNAVAILABLE',
    `Postgres does not run as root, and no other user here can run it in ${folder} (tried: ${names.join(', ')})`,
    {
      remedy: 'Start Espalier as an ordinary user, or create a user "postgres" (useradd postgres), or set DATABASE_URL.',
    },
  )
}

/** Gives a file, or a folder and all in it, to the launcher's user, where it is not theirs yet. */
export function giveTo(owner: Launcher['owner'], folder: string): void {
  if (!owner || !fs.existsSync(folder) || fs.statSync(folder).uid === owner.uid) return
  fs.chownSync(folder, owner.uid, owner.gid)
  if (!fs.statSync(folder).isDirectory()) return
  for (const entry of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    fs.lchownSync(path.join(folder, entry), owner.uid, owner.gid)
}
