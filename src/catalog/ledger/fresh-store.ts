import { setImmediate as nextTurn } from 'node:timers/promises'
import { buildIndexes, type Index, takeIndexes } from '../../postgres/bulk-load.js'
import { copyEncoded } from '../../postgres/copy.js'
import type { Client, Sql } from '../../postgres/sql.js'
import type { EdgeFact } from '../fact.js'
import type { Scope } from '../resolve/scope.js'
import type { StagedNode } from './batch-store.js'
import type { Origin } from './copy-text.js'
import { FreshRows } from './fresh-rows.js'
import type { KeySpan } from './key-pool.js'
import { nothing } from './staged-row.js'
import { endOfPositions, startOfPositions } from './temporal.js'

/** Whether nothing of the system is known, not even as the end of an edge, and the moment comes last in its project. */
export async function isFresh(sql: Sql, { projectId, systemId, key }: Scope, observedAt: Date): Promise<boolean> {
  const root = `${projectId}/${systemId}`
  // '0' follows '/' in ASCII
  const { rows } = await sql.query<{ fresh: boolean }>(
    `select not exists (select from node_key where id = $1) and not exists (select from node_key where id >= $1 || '/' and id < $1 || '0')
       and not exists (select from snapshot where scope = $2) and not exists (select from snapshot where project_id = $3 and observed_at >= $4) as fresh`,
    [root, key, projectId, observedAt],
  )
  return rows[0]!.fresh
}

/** Rows of a batch: few at first, so that the connection soon has work; then enough that a round trip does not count. */
const firstRows = 2_000
const mostRows = 12_000
/** Rows between looks at the connection: many small steps of it are under way while rows are encoded. */
const turnRows = 200
/** New words are given out when so many have come together. */
const wordsAtOnce = 5_000

const tables = `
create temp table fresh_node_batch (node bigint, id text collate "C", kind text collate "C", after uuid, canonical text collate "C",
  file integer, location text, stated_at timestamptz, scope integer, is_worded boolean, parent bigint, home bigint, parent_id text collate "C") on commit drop;
create temp table fresh_edge_batch (edge bigint, source bigint, target bigint, label text collate "C", discriminator text collate "C", after uuid,
  file integer, location text, stated_at timestamptz, said text collate "C") on commit drop;
create temp table fresh_node (node bigint, before uuid, after uuid, parent bigint, canonical text collate "C", kind text collate "C",
  scope integer, file integer, location text, stated_at timestamptz, is_worded boolean) on commit drop;
create temp table fresh_edge (edge bigint, before uuid, after uuid, source bigint, target bigint, label text collate "C", scope integer) on commit drop;
create temp table fresh_home (node bigint, parent bigint) on commit drop;
create temp table fresh_word (word text collate "C") on commit drop;
create temp table fresh_content (hash uuid, name text, qualified_name text, properties text, canonical text collate "C") on commit drop;`

const nodeColumns = [
  ...['node', 'id', 'kind', 'after', 'canonical', 'file', 'location', 'stated_at', 'scope', 'is_worded', 'parent', 'home', 'parent_id'],
]
const edgeColumns = ['edge', 'source', 'target', 'label', 'discriminator', 'after', 'file', 'location', 'stated_at', 'said']
const contentColumns = ['hash', 'name', 'qualified_name', 'properties', 'canonical']

const keepContents = `
insert into fact_version (hash, name, qualified_name, properties, canonical)
select c.hash, c.name, c.qualified_name, c.properties::jsonb, c.canonical from fresh_content c
left join lateral (select true as found from fact_version f where f.hash = c.hash limit 1) f on true where f.found is null
on conflict (hash) do nothing`

/**
 * A batch goes where it belongs, and what it adds to the content hash is told (staging-store.ts has its definition). `home` is the key of the
 * HAS_COLUMN that came with a column, and says nothing but that.
 */
const keepBatch = (at: string, scope: number, stream: number) => `
insert into assertion (stream, fact, from_position, to_position, version)
select ${stream}, fact, '${startOfPositions}'::uuid, '${endOfPositions}'::uuid, after
from (select node as fact, after from fresh_node_batch union all select edge, after from fresh_edge_batch
  union all select home, '${nothing.version}'::uuid from fresh_node_batch where home is not null) f;
insert into node_key (key, id, kind, scope, parent) select node, id, kind, scope, parent from fresh_node_batch;
insert into node_history (node, valid_from, version, scope, kind, begins, file, location, stated_at)
select node, ${at}, after, scope, kind, true, file, location, stated_at from fresh_node_batch;
insert into edge_key (key, source, label, target, discriminator, scope)
select home, parent, 'HAS_COLUMN', node, '', ${scope} from fresh_node_batch where home is not null
union all select edge, source, label, target, discriminator, ${scope} from fresh_edge_batch;
insert into edge_history (edge, valid_from, version, is_visible, scope, label, begins, file, location, stated_at)
select home, ${at}, '${nothing.version}', true, ${scope}, 'HAS_COLUMN', true, file, location, stated_at from fresh_node_batch where home is not null
union all select edge, ${at}, after, true, ${scope}, label, true, file, location, stated_at from fresh_edge_batch;
insert into fresh_node select node, null, after, parent, canonical, kind, scope, file, location, stated_at, is_worded from fresh_node_batch;
insert into fresh_edge select edge, null, after, source, target, label, ${scope} from fresh_edge_batch where label <> 'HAS_COLUMN';`
const sums = (side: number, text: string, from: string) => `
select ${side} as side, count(*) as n, coalesce(sum(hashtextextended(${text}, 0)), 0)::text as a,
  coalesce(sum(hashtextextended(${text}, 1)), 0)::text as b from ${from}`
const saidHome = `parent_id || chr(1) || 'HAS_COLUMN' || chr(1) || id || chr(1) || chr(1) || '${nothing.version}'`
const tellBatch = `
${sums(0, 'id || chr(1) || after', 'fresh_node_batch')}
union all ${sums(1, 'said', 'fresh_edge_batch')}
union all ${sums(1, saidHome, 'fresh_node_batch where home is not null')};
truncate fresh_node_batch, fresh_edge_batch`

/** Numbers of rows and sums of their hashes. */
export interface ContentSums {
  n: number
  a: bigint
  b: bigint
}

const ledgerTables = ['node_key', 'edge_key', 'assertion', 'node_history', 'edge_history']

interface SumsRow {
  /** 0 nodes, 1 edges */
  side: 0 | 1
  n: number
  a: string
  b: string
}

interface Batch {
  contents: Buffer[]
  contentCount: number
  nodes: Buffer[]
  edges: Buffer[]
  homes: Buffer[]
  entries: Buffer[]
}

/**
 * The first load of a system that the ledger knows nothing of. What its facts do needs no plan: nothing was there before them. Their keys
 * are given here, and their rows go where they belong while the next ones are encoded; comparing them with a ledger that cannot hold any
 * of them takes twice as long. Only facts that stand for themselves come this way: edges whose ends have not just been seen are staged as
 * always, and where a fact is told twice or in parts, or taken back, all of it begins again as always (`NotFresh`).
 */
export class FreshBatches {
  readonly sums: { nodes: ContentSums; edges: ContentSums } = { nodes: { n: 0, a: 0n, b: 0n }, edges: { n: 0, a: 0n, b: 0n } }
  private readonly rows = new FreshRows()
  private batchRows = firstRows
  private nextTurnAt = turnRows
  private isKnownContent = false
  private taken: Index[] = []
  private takenContents: Index[] = []
  private takenEntries: Index[] = []
  private underWay: Promise<unknown> = Promise.resolve()
  private readonly at: string

  constructor(
    private readonly client: Client,
    private readonly scope: Scope,
    /** the stream of the snapshot, its first */
    private readonly stream: number,
    observedAt: Date,
  ) {
    this.at = `'${observedAt.toISOString()}'::timestamptz`
  }

  async open(): Promise<void> {
    await this.client.query(tables)
    this.taken = await takeIndexes(this.client, ledgerTables)
    this.takenContents = await takeIndexes(this.client, ['fact_version'])
    this.takenEntries = await takeIndexes(this.client, ['search_entry'])
    await this.drawKeys()
  }

  private async drawKeys(): Promise<void> {
    // two batches are in hand: the one that is sent, and the one that is made meanwhile
    const most = 2 * (mostRows + turnRows)
    const { nodeKeys, columnKeys, edgeKeys } = this.rows
    for (const pool of [nodeKeys, columnKeys, edgeKeys]) if (pool.left < most) await pool.draw(this.client, most - pool.left)
  }

  addNode(node: Omit<StagedNode, 'ordinal'>, origin: Origin): void {
    this.rows.addNode(node, origin)
  }

  /** Whether the edge was taken. */
  addEdge(edge: EdgeFact, origin: Origin, canonical: string): boolean {
    return this.rows.addEdge(edge, origin, canonical)
  }

  get wantsTurn(): boolean {
    return this.rows.count >= this.nextTurnAt
  }

  async turn(): Promise<void> {
    // what was written only leaves while nothing else is done
    await nextTurn()
    this.nextTurnAt = this.rows.count + turnRows
    if (this.rows.count >= this.batchRows) await this.send()
  }

  /** Returns when nothing is under way. */
  async idle(): Promise<void> {
    await this.underWay
  }

  private async send(): Promise<void> {
    await this.underWay
    const { rows } = this
    const batch: Batch = {
      contents: rows.contents.take(),
      contentCount: rows.contentCount,
      nodes: rows.nodes.take(),
      edges: rows.edges.take(),
      homes: rows.homes.take(),
      entries: rows.entries.take(),
    }
    rows.restart()
    this.nextTurnAt = turnRows
    this.batchRows = Math.min(mostRows, this.batchRows * 2)
    this.underWay = this.write(batch)
    // awaited before the next batch goes
    this.underWay.catch(() => undefined)
  }

  private async write({ contents, contentCount, nodes, edges, homes, entries }: Batch): Promise<void> {
    const { client } = this
    await this.writeContents(contents, contentCount)
    await copyEncoded(client, 'fresh_node_batch', nodeColumns, nodes)
    await copyEncoded(client, 'fresh_edge_batch', edgeColumns, edges)
    if (homes.length > 0) await copyEncoded(client, 'fresh_home', ['node', 'parent'], homes)
    await copyEncoded(client, 'search_entry', ['node', 'words'], entries)
    if (this.rows.words.size >= wordsAtOnce) await this.keepWords()
    // of several statements pg answers all results
    const results = (await client.query(keepBatch(this.at, this.scope.key, this.stream) + tellBatch)) as unknown as { rows: SumsRow[] }[]
    const { rows } = results.at(-2)!
    await this.drawKeys()
    for (const { side, n, a, b } of rows) {
      const sums = side === 0 ? this.sums.nodes : this.sums.edges
      sums.n += n
      sums.a += BigInt(a)
      sums.b += BigInt(b)
    }
  }

  private async keepWords(): Promise<void> {
    const words = [...this.rows.words]
    this.rows.words = new Set()
    await this.client.query('insert into fresh_word select unnest($1::text[])', [words])
  }

  /** Straight into their table while none of them is known; a batch of which some are is looked up. */
  private async writeContents(contents: Buffer[], count: number): Promise<void> {
    const { client } = this
    if (this.takenContents.length > 0) return copyEncoded(client, 'fact_version', contentColumns, contents)
    if (!this.isKnownContent) {
      await client.query('savepoint fresh_contents')
      try {
        await copyEncoded(client, 'fact_version', contentColumns, contents)
        await client.query('release savepoint fresh_contents')
        return
      } catch (error) {
        if (!isTaken(error)) throw error
        await client.query('rollback to savepoint fresh_contents')
        this.isKnownContent = true
      }
    }
    await copyEncoded(client, 'fresh_content', contentColumns, contents)
    const { rowCount } = await client.query(keepContents)
    await client.query('truncate fresh_content')
    this.isKnownContent = rowCount !== count
  }

  /** All is in its place, and indexed: a fact that was told twice shows itself (a unique index cannot be built: 23505). */
  async close(): Promise<void> {
    this.rows.giveUpHomes()
    await this.send()
    await this.underWay
    await this.keepWords()
    await this.buildContentIndexes()
    await buildIndexes(this.client, [...this.taken, ...this.takenEntries])
    // who has a new word first holds it to the end of the transaction, and others wait: so late, and all in one order
    await this.client.query('insert into search_word select distinct word from fresh_word order by word on conflict do nothing')
    if (this.rows.hasHomes) await this.client.query(bringHome('fresh_home'))
  }

  /** Two facts may say the same. */
  private async buildContentIndexes(): Promise<void> {
    const { client, takenContents } = this
    if (takenContents.length === 0) return
    await client.query('savepoint fresh_contents')
    try {
      await buildIndexes(client, takenContents, { analyzed: false })
    } catch (error) {
      if (!isTaken(error)) throw error
      await client.query('rollback to savepoint fresh_contents')
      await client.query(`delete from fact_version where ctid in (
        select ctid from (select ctid, row_number() over (partition by hash) as rank from fact_version) v where rank > 1)`)
      await buildIndexes(client, takenContents)
    }
    await client.query('release savepoint fresh_contents')
  }

  /** What nothing contains, of what came this way, as far as it tells itself. */
  get roots(): readonly string[] {
    return [...this.rows.uncontained]
  }

  /** Edges that are in no plan. */
  get untold(): number {
    return this.rows.untold
  }

  /** What came, by keys. */
  get came(): { nodes: readonly KeySpan[]; edges: readonly KeySpan[] } {
    const { nodeKeys, columnKeys, edgeKeys } = this.rows
    return { nodes: [...nodeKeys.given, ...columnKeys.given], edges: edgeKeys.given }
  }
}

export const isTaken = (error: unknown): boolean => (error as { code?: string }).code === '23505'

/** Tables of columns that their rows did not know yet: the first that was told of. */
const bringHome = (homes: string) => `
with told as (select h.node, min(h.parent) as parent from ${homes} h group by 1),
brought as (update node_key k set parent = least(k.parent, t.parent) from told t where k.key = t.node and k.kind = 'Column' returning k.key, k.parent)
update fresh_node f set parent = b.parent from brought b where f.node = b.key`

/** For edges that were staged: their columns came this way, their tables may have. */
export const bringStagedHome = (client: Client): Promise<unknown> =>
  client.query(
    bringHome(
      `(select target as node, source as parent from incoming_edge where label = 'HAS_COLUMN' and lost_source is null and source is not null)`,
    ),
  )

/** Joins what came this way with what was staged, applied and planned beside it: from here on it is as if all had been. */
export async function joinFresh(client: Client): Promise<void> {
  await client.query(`
    insert into fresh_node (node, before, after, parent, canonical, kind, scope, file, location, stated_at)
    select node, before, after, parent, canonical, kind, scope, file, location, stated_at from node_plan;
    drop table node_plan;
    alter table fresh_node rename to node_plan;
    insert into incoming_node (key, is_new, kind, parent, state, version, canonical, scope, file, location, stated_at)
    select node, true, kind, parent, after, after, canonical, scope, file, location, stated_at from node_plan p
    where kind <> 'Column' and before is null and not exists (select from incoming_node i where i.key = p.node);
    insert into edge_raw (edge, source, target, new_version, label, scope)
    select edge, source, target, after, label, scope from fresh_edge where label <> 'CONTAINS';
    insert into fresh_edge (edge, before, after, source, target, label, scope)
    select edge, before, after, source, target, label, scope from edge_plan;
    drop table edge_plan;
    alter table fresh_edge rename to edge_plan`)
}
