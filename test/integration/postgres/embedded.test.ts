import { type ChildProcess, fork } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../src/postgres/database.js'
import { type EmbeddedOptions, type EmbeddedPostgres, findEmbeddedPostgres, startEmbeddedPostgres } from '../../../src/postgres/embedded.js'
import { isAlive } from '../../../src/postgres/ownership.js'
import { createLogger } from '../../../src/util/log.js'

const log = createLogger('silent')
const root = path.resolve(import.meta.dirname, '../../..')
const scratch = path.join(root, 'node_modules/.cache', `embedded-test-${process.pid}`)
const settings = { fsync: 'off', shared_buffers: '1MB' }
const folders: string[] = []
const running: EmbeddedPostgres[] = []

function newFolder(mode = 0o755): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-embedded-'))
  fs.chmodSync(folder, mode)
  folders.push(folder)
  return folder
}

async function start(options: Partial<EmbeddedOptions> & { folder: string }): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ log, settings, ...options })
  running.push(server)
  return server
}

const postmasterOf = (folder: string) => Number(fs.readFileSync(path.join(folder, 'data/postmaster.pid'), 'utf8').split('\n')[0])

async function query(url: string, text: string): Promise<unknown[]> {
  const database = await openDatabase(url, { maxConnections: 1 })
  try {
    return (await database.query(text)).rows
  } finally {
    await database.close()
  }
}

/** A process of its own that runs the server on `folder` until it is killed. */
async function startOwner(folder: string): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(path.join(scratch, 'owner.mjs'), [folder], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve(message as string))
    child.once('exit', (code) => reject(new Error(`the owner ended with ${code}`)))
  })
  return { child, url }
}

async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false)
}

beforeAll(() =>
  build({
    stdin: {
      contents: `import { startEmbeddedPostgres } from './src/postgres/embedded.ts'
        import { createLogger } from './src/util/log.ts'
        const server = await startEmbeddedPostgres({ folder: process.argv[2], log: createLogger('silent'), settings: ${JSON.stringify(settings)} })
        process.send(server.url)
        process.on('message', () => process.exit(0))`,
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outfile: path.join(scratch, 'owner.mjs'),
  }),
)
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})
// Where the launcher "copied" keeps programs and data: what was not there before goes again.
const copies = ['/var/lib', '/var/tmp', '/tmp'].map((place) => path.join(place, 'espalier-postgres'))
const entries = () =>
  copies.filter((base) => fs.existsSync(base)).flatMap((base) => fs.readdirSync(base).map((name) => path.join(base, name)))
const before = new Set([...entries(), ...copies.filter((base) => fs.existsSync(base))])
afterAll(() => {
  for (const entry of [...entries(), ...copies]) if (!before.has(entry)) fs.rmSync(entry, { recursive: true, force: true })
  for (const folder of [...folders, scratch]) fs.rmSync(folder, { recursive: true, force: true })
})

const isRoot = process.getuid?.() === 0
describe.each(isRoot ? (['postgres-user', 'user-namespace', 'copied'] as const) : (['as-is'] as const))('run %s', (launcher) => {
  it('starts a server again that was killed, on its port and with its data; clients go on', async () => {
    const folder = newFolder()
    const server = await start({ folder, settings: { shared_buffers: '1MB' } })
    const database = await openDatabase(server.url)
    await database.query('CREATE TABLE kept AS SELECT 42 AS n')
    const before = postmasterOf(folder)
    await kill(before)
    const rows = () =>
      database.query('SELECT n FROM kept').then(
        (answer) => answer.rows,
        () => null,
      )
    await expect.poll(rows, { timeout: 30_000 }).toEqual([{ n: 42 }])
    expect(postmasterOf(folder)).not.toBe(before)
    await database.close()
    const after = postmasterOf(folder)
    await server.stop()
    expect(isAlive(after)).toBe(false)
  })

  it('keeps data, password and port from start to start', async () => {
    const folder = newFolder()
    const first = await start({ folder, launchers: [launcher] })
    expect(first).toMatchObject({ launcher, isAdopted: false })
    await query(first.url, 'CREATE TABLE kept AS SELECT 7 AS n')
    await first.stop()
    await expect(query(first.url, 'SELECT 1')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    const second = await start({ folder, launchers: [launcher] })
    expect(second.url).toBe(first.url)
    expect(await query(second.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }])
    expect(fs.statSync(path.join(folder, 'password')).mode & 0o777).toBe(0o600)
    const rows = await query(second.url, `SELECT inet_server_addr()::text AS address, current_setting('server_encoding') AS encoding`)
    expect(rows).toEqual([{ address: '127.0.0.1/32', encoding: 'UTF8' }])
  })
})

describe('a folder that only its owner can enter', () => {
  it('is served all the same', async () => {
    const inside = path.join(newFolder(0o700), 'postgres')
    const server = await start({ folder: inside })
    expect(server.launcher).toBe(isRoot ? 'user-namespace' : 'as-is')
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })
})

describe('a folder in use', () => {
  it('is refused, naming the process that holds it, and its server can be found', async () => {
    const folder = newFolder()
    expect(await findEmbeddedPostgres(folder)).toBeNull()
    const { child, url } = await startOwner(folder)
    await expect(start({ folder })).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringContaining(`in use by process ${child.pid}`),
    })
    expect(await findEmbeddedPostgres(folder)).toBe(url)
    const postmaster = postmasterOf(folder)
    child.send('end')
    // The owner ends without stop(): its server ends with it.
    await expect.poll(() => isAlive(postmaster), { timeout: 15_000 }).toBe(false)
    expect(await findEmbeddedPostgres(folder)).toBeNull()
  })

  it('refuses a second start in the same process too', async () => {
    const folder = newFolder()
    await start({ folder })
    await expect(start({ folder })).rejects.toMatchObject({ code: 'LOCKED', message: expect.stringContaining(`process ${process.pid}`) })
  })

  it('lets exactly one of many starts through', async () => {
    const folder = newFolder()
    const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => start({ folder })))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'LOCKED' })
  })
})

describe('after kill -9', () => {
  it('of the owner: adopts the server as it runs, and can end it', async () => {
    const folder = newFolder()
    const { child, url } = await startOwner(folder)
    const client = await openDatabase(url, { maxConnections: 1 })
    await client.query('CREATE TABLE kept AS SELECT 1 AS n')
    const postmaster = postmasterOf(folder)
    await kill(child.pid!)
    const server = await start({ folder })
    expect(server).toMatchObject({ isAdopted: true, url })
    // Whoever was connected (a worker, say) has noticed nothing.
    expect((await client.query('SELECT n, pg_postmaster_start_time() < now() AS up FROM kept')).rows).toEqual([{ n: 1, up: true }])
    await client.close()
    await server.stop()
    expect(isAlive(postmaster)).toBe(false)
  })

  it('of owner and server: recovers what was committed', async () => {
    const folder = newFolder()
    const { child, url } = await startOwner(folder)
    await query(url, 'CREATE TABLE kept AS SELECT 2 AS n')
    const postmaster = postmasterOf(folder)
    await kill(child.pid!)
    await kill(postmaster)
    const server = await start({ folder })
    expect(server.isAdopted).toBe(false)
    expect(await query(server.url, 'SELECT n FROM kept')).toEqual([{ n: 2 }])
  })

  it('of a server whose number went to another program: is not fooled', async () => {
    const folder = newFolder()
    await (await start({ folder })).stop()
    // This test's own process is alive, but no Postgres.
    fs.writeFileSync(path.join(folder, 'data/postmaster.pid'), `${process.ppid}\n${folder}/data\n0\n1\n\n127.0.0.1\n\nready\n`)
    fs.writeFileSync(path.join(folder, 'owner'), `${process.ppid} 1\n`)
    const server = await start({ folder })
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })
})

it('refuses a port that is taken when that very port is wanted', async () => {
  const other = net.createServer()
  const port = await new Promise<number>((resolve) =>
    other.listen(0, '127.0.0.1', () => resolve((other.address() as net.AddressInfo).port)),
  )
  const folder = newFolder()
  await expect(start({ folder, port })).rejects.toMatchObject({ code: 'PORT_IN_USE', message: expect.stringContaining(String(port)) })
  other.close()
  // The refusal left nothing behind.
  expect(await query((await start({ folder })).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
})

it('begins anew after an initdb that was cut off', async () => {
  const folder = newFolder()
  fs.mkdirSync(path.join(folder, 'data.new/base'), { recursive: true })
  fs.writeFileSync(path.join(folder, 'data.new/PG_VERSION'), '18\n')
  expect(await query((await start({ folder })).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
})

it('refuses data of another major version', async () => {
  const folder = newFolder()
  await (await start({ folder })).stop()
  fs.writeFileSync(path.join(folder, 'data/PG_VERSION'), '16\n')
  await expect(start({ folder })).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('written by Postgres 16') })
})
