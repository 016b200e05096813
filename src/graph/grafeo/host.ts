/**
 * A process with the embedded graph engine. Grafeo's queries cannot be cancelled, so whoever asks (child.ts) ends this process
 * when one runs too long; what was committed is in the file. It ends by itself when its parent is gone.
 * Arguments: the file, how many bytes reads may add to its memory, the parent's pid (told to whoever finds the file locked), and
 * `temporary` where the folder goes with the parent.
 */
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type { GrafeoDB, QueryResult, Transaction } from '@grafeo-db/js'
import { messageOf } from '../../util/error.js'
import type { GraphValue } from '../engine.js'
import { rowTooLarge, sizeOf } from '../sizes.js'
import type { HostReply, HostRequest, HostRows } from './messages.js'
import { decodeGrafeo } from './values.js'

const [file = '', memoryText, owner = '', lifetime] = process.argv.slice(2)
const memory = Number(memoryText)
const folder = path.dirname(file)
const grafeo = createRequire(import.meta.url)('@grafeo-db/js') as typeof import('@grafeo-db/js')

const longestTurnMs = 20
let reads = 0
let writes = 0
const say = (reply: HostReply) => {
  // The parent may be gone at this moment: without a listener that would be an error of the process.
  if (process.connected) process.send?.(reply, undefined, undefined, () => {})
}

/** The parent may have closed the channel only to begin anew. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** process.exit would wait for queries on other threads. */
const end = () => process.kill(process.pid, 'SIGKILL')

function open(): GrafeoDB | null {
  try {
    const database = grafeo.GrafeoDB.create(file)
    database.setCheckpointTriggers({ walBytes: 64 * 2 ** 20 })
    fs.writeFileSync(path.join(folder, 'owner'), owner)
    say({ kind: 'opened' })
    return database
  } catch (thrown) {
    const message = messageOf(thrown)
    say({ kind: 'not-opened', locked: /cannot be locked/.test(message), message })
    return null
  }
}

const database = open()
if (database) serve(database)
else if (process.connected) process.disconnect()

function serve(db: GrafeoDB): void {
  // Ctrl-C reaches the whole process group; the parent decides when this process ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  process.on('disconnect', () => {
    if (reads + writes === 0) closeFile(db)
    if (lifetime === 'temporary' && !isAlive(Number(owner))) fs.rmSync(folder, { recursive: true, force: true })
    end()
  })
  process.on('message', ({ id, request }: { id: number; request: HostRequest }) => void answer(db, id, request))
  watchMemory()
}

function closeFile(db: GrafeoDB): void {
  try {
    db.close()
  } catch {
    // The folder is gone, as that of a copy may be; what was committed to a file that is still there is in its log.
  }
}

async function answer(db: GrafeoDB, id: number, request: HostRequest): Promise<void> {
  try {
    const rows = await perform(db, request)
    say({ kind: 'done', id, ...(rows ? { rows } : {}) })
  } catch (thrown) {
    say({ kind: 'failed', id, message: messageOf(thrown), wrote: thrown instanceof WroteError })
  }
}

async function perform(db: GrafeoDB, request: HostRequest): Promise<HostRows | undefined> {
  switch (request.kind) {
    case 'read':
      return await counted('read', () => read(db, request))
    case 'write':
      return await counted('write', () => write(db, request.statements))
    case 'schema':
      for (const statement of request.statements) await db.executeCypher(statement)
      return undefined
    case 'copy':
      // After a checkpoint the file alone is the whole graph. Measured for 200 k nodes: 150 ms and 10 ms; db.save() takes 660 ms.
      db.walCheckpoint()
      fs.copyFileSync(file, request.to, fs.constants.COPYFILE_FICLONE)
      return undefined
    case 'ping':
      return undefined
  }
}

async function counted<T>(kind: 'read' | 'write', work: () => Promise<T>): Promise<T> {
  if (kind === 'read') reads++
  else writes++
  try {
    return await work()
  } finally {
    if (kind === 'read') reads--
    else writes--
  }
}

class WroteError extends Error {}

/** Reads run in a transaction that is always rolled back: a write that got past the guard leaves nothing behind. */
async function read(db: GrafeoDB, request: Extract<HostRequest, { kind: 'read' }>): Promise<HostRows> {
  const transaction = db.beginTransaction()
  try {
    const result = await transaction.executeCypher(request.text, request.parameters)
    if (Object.values(result.counters).some((n) => n > 0)) throw new WroteError('the query would have changed the graph')
    return await collect(db, result, request)
  } finally {
    rollBack(transaction)
  }
}

/** Turns a result into values, with pauses in which others are answered. */
async function collect(
  db: GrafeoDB,
  result: QueryResult,
  { rows: most, bytes, form }: Extract<HostRequest, { kind: 'read' }>,
): Promise<HostRows> {
  const { columns } = result
  const ids = new Map<number, string>()
  const idOf = (internal: number) => {
    const known = ids.get(internal) ?? String(db.getNode(internal)?.get('id') ?? '')
    ids.set(internal, known)
    return known
  }
  const rows: (GraphValue | bigint)[][] = []
  let size = 0
  for (let i = 0, began = performance.now(); i < result.length && i < most; i++) {
    const values = result.get(i)
    const row = columns.map((column) => (form === 'answer' ? decodeGrafeo(values[column], idOf) : (values[column] as GraphValue)))
    size += sizeOf(row)
    if (size > bytes && rows.length === 0) throw new Error(rowTooLarge(bytes))
    if (size > bytes) return { columns, rows, isPartial: true }
    rows.push(row)
    if (performance.now() - began < longestTurnMs) continue
    await new Promise((resolve) => setImmediate(resolve))
    began = performance.now()
  }
  return { columns, rows, isPartial: result.length > most }
}

async function write(db: GrafeoDB, statements: readonly { text: string; parameters: Record<string, unknown> }[]): Promise<undefined> {
  const transaction = db.beginTransaction()
  try {
    for (const { text, parameters } of statements) await transaction.executeCypher(text, parameters)
    transaction.commit()
  } catch (thrown) {
    rollBack(transaction)
    throw thrown
  }
}

function rollBack(transaction: Transaction): void {
  if (transaction.isActive) transaction.rollback()
}

/** Tells the parent, which then ends this process, when reads have taken more memory than they may: an intermediate result has no other limit. */
function watchMemory(): void {
  let idle = process.memoryUsage.rss()
  const timer = setInterval(() => {
    const now = process.memoryUsage.rss()
    if (reads === 0 || writes > 0) idle = now
    else if (now - idle > memory) say({ kind: 'out-of-memory', bytes: now - idle })
  }, 100)
  timer.unref()
}
