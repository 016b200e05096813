/** A whole Espalier as its users start it (`espalier serve`: Postgres, server, graph engine, worker as processes), to be killed in parts. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { openDatabase } from '../../../dist/postgres/database.js'

const root = path.resolve(import.meta.dirname, '../../..')
const cli = path.join(root, 'dist/cli/main.js')
const startLimit = 120_000

/** The environment of a user's shell, but for the graph that is to be used. */
function environment() {
  const env = { ...process.env }
  for (const name of Object.keys(env)) if (/^(ESPALIER_|DATABASE_URL|POSTGRES_|VITEST|NODE_ENV$)/.test(name)) delete env[name]
  return env
}

/** [pid, parent, command line] of every process */
const processes = () =>
  execFileSync('ps', ['-axo', 'pid=,ppid=,args='], { encoding: 'utf8', maxBuffer: 2 ** 26 })
    .split('\n')
    .flatMap((line) => {
      const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
      return pid ? [{ pid: Number(pid), parent: Number(parent), command }] : []
    })

const isAlive = (pid) => processes().some((one) => one.pid === pid && !one.command.includes('<defunct>'))

function postmasterOf(home) {
  try {
    return Number(fs.readFileSync(path.join(home, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0])
  } catch {
    return null
  }
}

/** Who can be killed: each answers the process ids that make it up. */
const parts = {
  supervisor: (it) => [it.child.pid],
  server: (it) => it.children('/server.js'),
  graph: (it) => it.children('/grafeo/host.js'),
  postgres: (it) => [postmasterOf(it.home)].filter(Boolean),
  everything: (it) =>
    Object.keys(parts)
      .flatMap((part) => (part === 'everything' ? [] : parts[part](it)))
      .concat(it.children('/worker/main.js')),
}

export async function startLiving(home) {
  fs.mkdirSync(home, { recursive: true })
  const child = spawn(process.execPath, [cli, 'serve', '--home', home, '--port', '0'], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not serving after ${startLimit} ms\n${log}`)), startLimit)
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        log += text
        const [, found] = /serving (http:\S+\/graphql)/.exec(log) ?? []
        if (found) resolve(found)
        if (found) clearTimeout(timer)
      })
    child.once('exit', (status, signal) => reject(new Error(`ended with ${signal ?? status} before it served\n${log}`)))
  })
  child.removeAllListeners('exit')
  const exited = once(child, 'exit')
  const record = JSON.parse(fs.readFileSync(path.join(home, 'server.json'), 'utf8'))
  const living = {
    home,
    child,
    url,
    log: () => log,
    /** process ids of its descendants whose command line says `what` */
    children(what) {
      const all = processes()
      const found = [child.pid]
      for (const pid of found) found.push(...all.filter((one) => one.parent === pid).map((one) => one.pid))
      return all.filter((one) => found.includes(one.pid) && one.command.includes(what)).map((one) => one.pid)
    },
    async request(query, variables = {}) {
      const headers = { 'content-type': 'application/json', ...(record.ownerKey ? { authorization: `Bearer ${record.ownerKey}` } : {}) }
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) })
      const answer = await response.json()
      if (answer.errors) throw new Error(answer.errors.map((error) => error.message).join('; '))
      return answer.data
    },
    /** SIGKILL to a part; answers how many processes that were */
    kill(part) {
      const pids = parts[part](living)
      for (const pid of pids) kill(pid)
      return pids.length
    },
    /** what is left of it ends, by SIGKILL too, and is gone when this returns; Postgres stays for the next start to adopt, where it still runs */
    async end() {
      const left = [...living.children('/server.js'), ...living.children('/worker/main.js'), ...living.children('/grafeo/host.js')]
      kill(child.pid)
      await exited
      // They notice by themselves that their parent is gone; who does not is an orphan that would hold the graph's file.
      const until = Date.now() + 30_000
      while (left.some(isAlive)) {
        if (Date.now() > until) throw new Error(`processes ${left.filter(isAlive).join(', ')} outlived their supervisor by 30 s`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    /** Ctrl-C */
    async stop() {
      child.kill('SIGINT')
      await exited
    },
    openLedger: () => openDatabase(record.databaseUrl),
  }
  return living
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
