import type { Client, Connection } from '../../postgres/sql.js'
import { uuidArray } from '../../postgres/uuid-array.js'
import type { KeyPool } from './key-pool.js'
import { nothing } from './staged-row.js'

/** Numbers of rows and sums of their hashes. */
export interface ContentSums {
  n: number
  a: bigint
  b: bigint
}

export interface SumsRow {
  /** 0 nodes, 1 edges */
  side: 0 | 1
  n: number
  a: string
  b: string
}

/** Rows of a first load as they come: of a batch, or of what is told of it. */
export const batchTables = (node: string, edge: string) => `
create temp table ${node} (node bigint, id text collate "C", kind text collate "C", after uuid, canonical text collate "C",
  file integer, location text, stated_at timestamptz, scope integer, is_worded boolean, parent bigint, is_home boolean, parent_id text collate "C") on commit drop;
create temp table ${edge} (edge bigint, source bigint, target bigint, label text collate "C", discriminator text collate "C", after uuid,
  file integer, location text, stated_at timestamptz, said text collate "C") on commit drop;`
export const nodeColumns = [
  ...['node', 'id', 'kind', 'after', 'canonical', 'file', 'location', 'stated_at', 'scope', 'is_worded', 'parent', 'is_home', 'parent_id'],
]
export const edgeColumns = ['edge', 'source', 'target', 'label', 'discriminator', 'after', 'file', 'location', 'stated_at', 'said']

const sums = (side: number, text: string, from: string) => `
select ${side} as side, count(*) as n, coalesce(sum(hashtextextended(${text}, 0)), 0)::text as a,
  coalesce(sum(hashtextextended(${text}, 1)), 0)::text as b from ${from}`
const saidHome = `parent_id || chr(1) || 'HAS_COLUMN' || chr(1) || id || chr(1) || chr(1) || '${nothing.version}'`
/** What a batch adds to the content hash (staging-store.ts has its definition). */
const tellBatch = `
${sums(0, 'id || chr(1) || after', 'told_node')}
union all ${sums(1, 'said', 'told_edge')}
union all ${sums(1, saidHome, 'told_node where is_home')};
truncate told_node, told_edge`

const tables = batchTables('told_node', 'told_edge')

/** From here on many words may wait in the search index's list: somebody else puts them in their places (`placeWords`), or nobody does. */
export const noteWords = `set local gin_pending_list_limit = '64MB'`
const placeOwnWords = 'set local gin_pending_list_limit to default;'

/**
 * What a first load asks while its rows go where they belong. The answers rest on nothing that its transaction did: they can be found on a
 * connection beside it, so that both are at work (measured: a load beside other systems takes 0.85 of the time). One question at a time.
 */
export class FreshQuestions {
  private last: Promise<unknown>

  private constructor(
    private readonly client: Client,
    readonly close: () => Promise<void>,
    settings = '',
  ) {
    this.last = client.query(settings + tables)
    this.last.catch(() => undefined)
  }

  /** In the load's own transaction. */
  static within = (client: Client): FreshQuestions => new FreshQuestions(client, async () => undefined, placeOwnWords)

  /** In a transaction of its own, which nothing becomes of; null where there is no connection for it. */
  static async beside(connect: () => Promise<Connection>): Promise<FreshQuestions | null> {
    const connection = await connect().catch(() => null)
    if (!connection) return null
    const close = () => connection.close().catch(() => undefined)
    try {
      await connection.query('begin')
      return new FreshQuestions(connection, close)
    } catch {
      await close()
      return null
    }
  }

  /** Enough keys for another batch as large as one whose keys were taken, at least `fewest`. */
  drawKeys(pools: readonly KeyPool[], fewest: number): Promise<void> {
    return this.ask(async () => {
      for (const pool of pools) {
        const wanted = Math.max(fewest, 2 * pool.takenLately)
        if (pool.left < wanted) await pool.draw(this.client, wanted - pool.left)
      }
    })
  }

  /** The places in a list of hashes of those that no content has yet; the lateral makes it one look-up each. */
  findUnknown(hashes: readonly string[]): Promise<number[]> {
    return this.ask(async () => {
      const { rows } = await this.client.query<{ place: number }>(
        `select t.place::integer - 1 as place from unnest($1::uuid[]) with ordinality as t(hash, place)
         left join lateral (select true as found from fact_version f where f.hash = t.hash limit 1) f on true where f.found is null order by 1`,
        [uuidArray(hashes)],
      )
      return rows.map((row) => row.place)
    })
  }

  sumsOf(nodes: readonly Buffer[], edges: readonly Buffer[]): Promise<SumsRow[]> {
    return this.ask(async () => {
      await this.client.copyEncoded([
        { table: 'told_node', columns: nodeColumns, chunks: nodes },
        { table: 'told_edge', columns: edgeColumns, chunks: edges },
      ])
      // of several statements pg answers all results
      const [told] = (await this.client.query(tellBatch)) as unknown as [{ rows: SumsRow[] }]
      return told.rows
    })
  }

  /**
   * Puts words that the search index has only noted so far in their places, which has nothing to do with transactions: the load need not
   * do it itself (measured: 0.92 of the time). Another load may be at it: whom this waits for there waits for nobody.
   */
  placeWords(): Promise<unknown> {
    return this.ask(() =>
      this.client.query(
        `set local lock_timeout = '10s'; select gin_clean_pending_list('search_entry_words'); set local lock_timeout = '1s'`,
      ),
    )
  }

  /** Returns when nothing is asked any more. */
  async idle(): Promise<void> {
    await this.last.catch(() => undefined)
  }

  private ask<T>(question: () => Promise<T>): Promise<T> {
    // who asks after a failure hears of that, too
    const answer = this.last.then(question)
    this.last = answer
    answer.catch(() => undefined)
    return answer
  }
}
