import type { GraphEngine } from '../../graph/engine.js'
import { outboxLedger, readGraphChanges } from '../../postgres/outbox.js'
import type { Client, Database, Sql } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import type { GraphChange, GraphRefresh } from '../../vocabulary.js'
import { readOutboxChanges } from './graph-store.js'

/** Any number, the same in every process: one writer of the graph at a time per database. */
const lockKey = 7_302_002

export interface Projected {
  database: Database
  engine: GraphEngine
}

/** Whoever writes the graph holds this until his transaction ends. */
export const lockGraph = (client: Sql): Promise<unknown> => client.query('select pg_advisory_xact_lock($1)', [lockKey])

interface Batch {
  changes: GraphChange[]
  /** the outbox id that they reach */
  position: number
  /** of the outbox */
  rows: number
}

async function readBatch(client: Sql, after: number, batch: number): Promise<Batch> {
  const rows = await readGraphChanges<GraphChange | GraphRefresh>(client, after, batch)
  const changes = await readOutboxChanges(
    client,
    rows.map((row) => row.change),
  )
  return { changes, position: rows.at(-1)?.id ?? after, rows: rows.length }
}

/** Batches of one transaction at most; then another process may have its turn. */
const mostBatches = 50

/**
 * Applies batches in order, each read while the engine is at the one before. What is read so early may already be newer than what is being
 * applied; then a later row of the outbox tells of it again, and nothing older ever follows something newer.
 */
async function applyBatches(client: Client, engine: GraphEngine, ledger: string, batch: number): Promise<number> {
  let total = 0
  let next = await readBatch(client, await engine.position(), batch)
  for (let i = 0; i < mostBatches && next.rows > 0; i++) {
    const { changes, position, rows } = next
    // Whatever becomes of the one, the other ends before the transaction, and with it the lock, does.
    const [applied, read] = await Promise.allSettled([engine.apply(changes, position, ledger), readBatch(client, position, batch)])
    if (applied.status === 'rejected') throw applied.reason
    total += rows
    if (read.status === 'rejected') throw read.reason
    next = read.value
  }
  return total
}

/**
 * Brings the graph up to the outbox, about `batch` changes (default 5,000) at a time; returns how many of its rows were applied. Another
 * process that is at it makes this wait its turn. A graph that another ledger has filled is a CONFLICT.
 */
export async function drainOutbox(database: Database, engine: GraphEngine, { batch = 5_000 } = {}): Promise<number> {
  let total = 0
  for (;;) {
    const applied = await database.transaction(async (client) => {
      await lockGraph(client)
      const ledger = await outboxLedger(client)
      const found = await engine.ledger()
      if (found !== null && found !== ledger) throw foreignGraph()
      return applyBatches(client, engine, ledger, batch)
    })
    total += applied
    if (applied === 0) return total
  }
}

const foreignGraph = () =>
  new EspalierError('CONFLICT', 'the graph is not of this ledger, or was not written to its end', { remedy: 'Run: espalier graph rebuild' })
