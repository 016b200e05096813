import { type GraphEngine, unfinished } from '../../graph/engine.js'
import { outboxHead, outboxLedger } from '../../postgres/outbox.js'
import type { Client, Sql } from '../../postgres/sql.js'
import type { GraphChange } from '../../vocabulary.js'
import { lockGraph, type Projected } from './drain.js'
import { catalogGraph } from './graph-store.js'

/** What a room has in the graph now, in pages, nodes before the edges that need them: read by a rebuild. */
export type GraphReader = (sql: Sql) => AsyncIterable<readonly GraphChange[]>

export interface RebuildOptions extends Projected {
  /** of every room that has things in the graph besides the catalog (runs, datasets, artifacts) */
  readers?: readonly GraphReader[]
  /** changes per write (default 5,000) */
  batch?: number
}

/**
 * Why only writing the whole graph helps; null where it can be brought up by the outbox. A graph is this ledger's where it says so, and it
 * says so only when it was written to the end; it must not be ahead either (the ledger came back from a backup), nor need what is trimmed.
 */
export async function whyRebuild({ database, engine }: Projected): Promise<string | null> {
  const [found, position, own] = [await engine.ledger(), await engine.position(), await outboxLedger(database)]
  if (found === null && position === 0) return 'it is new'
  if (found === unfinished) return 'it was not written to its end'
  if (found !== own) return "it is another ledger's"
  const { rows } = await database.query<{ trimmed_to: number }>('select trimmed_to from outbox_floor')
  if (position > (await outboxHead(database))) return 'it is ahead of the ledger'
  if ((rows[0]?.trimmed_to ?? 0) > position) return 'changes that it lacks are no longer kept'
  return null
}

/**
 * Empties the graph and writes it anew from the ledgers; returns how many changes that took. Until the end it is marked as unfinished, so
 * that a rebuild which was cut short is found out and made again.
 */
export const rebuildGraph = ({ database, ...options }: RebuildOptions): Promise<number> =>
  database.transaction(
    async (client) => {
      await lockGraph(client)
      await options.engine.clear()
      await options.engine.prepare()
      return fillGraph(client, options)
    },
    { isolation: 'repeatable read' },
  )

/** As rebuildGraph, for a graph that was never written: there is nothing to empty. */
export const fillNewGraph = ({ database, ...options }: RebuildOptions): Promise<number> =>
  database.transaction(
    async (client) => {
      await lockGraph(client)
      // An engine that died while it was emptied is a new one too, and has lost its indexes.
      await options.engine.prepare()
      return fillGraph(client, options)
    },
    { isolation: 'repeatable read' },
  )

async function fillGraph(client: Client, { engine, readers = [], batch = 5_000 }: Omit<RebuildOptions, 'database'>): Promise<number> {
  const [head, ledger] = [await outboxHead(client), await outboxLedger(client)]
  await engine.apply([], 0, unfinished)
  let total = 0
  // A page is read while the engine is at the one before.
  let applied: Promise<unknown> = Promise.resolve()
  try {
    for (const reader of [catalogGraph, ...readers])
      for await (const page of reader(client)) {
        await applied
        applied = applyPage(engine, page, batch)
        applied.catch(() => {})
        total += page.length
      }
  } finally {
    // Whatever happens, no write may go on when the lock is gone.
    await Promise.allSettled([applied])
  }
  await applied
  await engine.apply([], head, ledger)
  return total
}

async function applyPage(engine: GraphEngine, page: readonly GraphChange[], batch: number): Promise<void> {
  for (let start = 0; start < page.length; start += batch) await engine.apply(page.slice(start, start + batch), 0, unfinished)
}
