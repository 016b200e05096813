import { setImmediate as nextTurn } from 'node:timers/promises'
import { buildIndexes, type Index, takeIndexes } from '../../postgres/bulk-load.js'
import type { Client, Connection, Sql } from '../../postgres/sql.js'
import type { EdgeFact } from '../fact.js'
import type { CameKeys } from '../projection/graph-store.js'
import type { Scope } from '../resolve/scope.js'
import type { StagedNode } from './batch-store.js'
import type { Origin } from './copy-text.js'
import { assertNoHomes, bringHome, planHomes } from './fresh-join-store.js'
import { batchTables, type ContentSums, edgeColumns, FreshQuestions, nodeColumns, noteWords } from './fresh-questions.js'
import { FreshRows } from './fresh-rows.js'
import type { KeyPool } from './key-pool.js'
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

/**
 * Rows of a batch: a few where the connection waits for work; where it is behind, as many as come meanwhile, so that round trips do not
 * count, and two batches are small in memory.
 */
const fewestRows = 4_000
const mostRows = 32_000
/** Rows between looks at the connection: many small steps of it are under way while rows are encoded. */
const turnRows = 200
/** New words are given out when so many have come together. */
const wordsAtOnce = 5_000

const tables = `${batchTables('fresh_node_batch', 'fresh_edge_batch')}
create temp table fresh_node (node bigint, before uuid, after uuid, parent bigint, canonical text collate "C", kind text collate "C",
  scope integer, file integer, location text, stated_at timestamptz, is_worded boolean) on commit drop;
create temp table fresh_edge (edge bigint, before uuid, after uuid, source bigint, target bigint, label text collate "C", scope integer) on commit drop;
create temp table fresh_home (node bigint, parent bigint) on commit drop;
create temp table fresh_type (owner bigint, canonical text collate "C", n integer) on commit drop;
create temp table fresh_word (word text collate "C") on commit drop;
create temp table fresh_content (hash uuid, name text, qualified_name text, properties text, canonical text collate "C") on commit drop;`

const contentColumns = ['hash', 'name', 'qualified_name', 'properties', 'canonical']

const keepUnknown = `
insert into fact_version (hash, name, qualified_name, properties, canonical)
select c.hash, c.name, c.qualified_name, c.properties::jsonb, c.canonical from fresh_content c
left join lateral (select true as found from fact_version f where f.hash = c.hash limit 1) f on true where f.found is null
on conflict (hash) do nothing`

/** A batch goes where it belongs. Of a home its history tells all there is (home-store.ts). */
const keepBatch = (at: string, scope: number, stream: number) => `
insert into assertion (stream, fact, from_position, to_position, version)
select ${stream}, fact, '${startOfPositions}'::uuid, '${endOfPositions}'::uuid, after
from (select node as fact, after from fresh_node_batch where not is_home union all select edge, after from fresh_edge_batch) f;
insert into node_key (key, id, kind, scope, parent) select node, id, kind, scope, parent from fresh_node_batch;
insert into node_history (node, valid_from, version, scope, kind, begins, file, location, stated_at, is_home)
select node, ${at}, after, scope, kind, true, file, location, stated_at, is_home from fresh_node_batch;
insert into edge_key (key, source, label, target, discriminator, scope)
select edge, source, label, target, discriminator, ${scope} from fresh_edge_batch;
insert into edge_history (edge, valid_from, version, is_visible, scope, label, begins, file, location, stated_at)
select edge, ${at}, after, true, ${scope}, label, true, file, location, stated_at from fresh_edge_batch;
insert into fresh_node select node, null, after, parent, canonical, kind, scope, file, location, stated_at, is_worded from fresh_node_batch where not (is_home and is_worded);
insert into fresh_edge select edge, null, after, source, target, label, ${scope} from fresh_edge_batch where label <> 'HAS_COLUMN';
truncate fresh_node_batch, fresh_edge_batch`

/** Those at some places, which are in order: neighbours in one piece. */
function piecesOf({ rows, ends }: Contents, places: readonly number[]): Buffer[] {
  const text = rows[0]!
  const pieces: Buffer[] = []
  for (let i = 0; i < places.length; ) {
    const first = places[i]!
    let last = first
    while (places[++i] === last + 1) last++
    pieces.push(text.subarray(first === 0 ? 0 : ends[first - 1]!, ends[last]!))
  }
  return pieces
}

const ledgerTables = ['node_key', 'edge_key', 'assertion', 'node_history', 'edge_history']

interface Batch {
  contents: Contents
  nodes: Buffer[]
  edges: Buffer[]
  homes: Buffer[]
  entries: Buffer[]
}

/** Rows of fact_version as COPY text, with their hashes and where they end. */
interface Contents {
  rows: Buffer[]
  hashes: string[]
  ends: number[]
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
  private nextTurnAt = turnRows
  private taken: Index[] = []
  private takenContents: Index[] = []
  private underWay: Promise<unknown> = Promise.resolve()
  private isIdle = true
  private plannedHomes = false
  private readonly at: string
  private aside: FreshQuestions | null = null
  private own: FreshQuestions | null = null

  constructor(
    private readonly client: Client,
    private readonly scope: Scope,
    /** the stream of the snapshot, its first */
    private readonly stream: number,
    observedAt: Date,
    /** opens a connection beside `client` (FreshQuestions) */
    private readonly connect: () => Promise<Connection>,
  ) {
    this.at = `'${observedAt.toISOString()}'::timestamptz`
  }

  async open(): Promise<void> {
    // what is found known must be there when the transaction names it: to its end nobody sweeps contents away (deletion-store.ts)
    await this.client.query('lock table fact_version in row exclusive mode')
    const aside = FreshQuestions.beside(this.connect)
    try {
      await this.client.query(tables)
      this.taken = await takeIndexes(this.client, ledgerTables)
      this.takenContents = await takeIndexes(this.client, ['fact_version'])
    } finally {
      this.aside = await aside
    }
    if (this.aside) await this.client.query(noteWords)
    await this.drawKeys()
  }

  /** Beside what goes on here; where that fails, once this has come to its end. */
  private async ask<T>(question: (questions: FreshQuestions) => Promise<T>, goesOn?: Promise<unknown>): Promise<T> {
    const { aside } = this
    if (aside)
      try {
        return await question(aside)
      } catch {
        await this.leaveAside()
      }
    await goesOn
    return question((this.own ??= FreshQuestions.within(this.client)))
  }

  private async leaveAside(): Promise<void> {
    const { aside } = this
    this.aside = null
    await aside?.idle()
    await aside?.close()
  }

  private get pools(): readonly KeyPool[] {
    const { nodeKeys, columnKeys, edgeKeys } = this.rows
    return [nodeKeys, columnKeys, edgeKeys]
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
    if (this.rows.count >= (this.isIdle ? fewestRows : mostRows)) await this.send()
    if (this.pools.some((pool) => pool.left <= turnRows)) await this.drawKeys(this.underWay)
  }

  /** Returns when nothing is under way. */
  async idle(): Promise<void> {
    await this.underWay
  }

  /** Nothing more comes: after `close`, or because something failed. */
  async end(): Promise<void> {
    await Promise.allSettled([this.underWay])
    await this.leaveAside()
  }

  private async send({ isLast = false } = {}): Promise<void> {
    await this.underWay
    const { rows } = this
    const batch: Batch = {
      contents: { rows: rows.contents.take(), hashes: rows.hashes, ends: rows.contentEnds },
      nodes: [...rows.nodes.take(), ...rows.columns.take()],
      edges: rows.edges.take(),
      homes: rows.homes.take(),
      entries: [...rows.nodeEntries.take(), ...rows.columnEntries.take()],
    }
    rows.restart()
    this.nextTurnAt = turnRows
    this.isIdle = false
    this.underWay = this.write(batch, isLast).finally(() => {
      this.isIdle = true
    })
    // awaited before the next batch goes
    this.underWay.catch(() => undefined)
  }

  private async write(batch: Batch, isLast: boolean): Promise<void> {
    const keeping = this.keep(batch)
    const telling = this.tell(batch, keeping).then(() => (isLast ? undefined : this.drawKeys(keeping)))
    const [kept, told] = await Promise.allSettled([keeping, telling])
    if (kept.status === 'rejected') throw kept.reason
    if (told.status === 'rejected') throw told.reason
    // nobody waits for that
    this.aside?.placeWords().catch(() => undefined)
  }

  private async tell({ nodes, edges }: Batch, keeping: Promise<void>): Promise<void> {
    for (const { side, n, a, b } of await this.ask((questions) => questions.sumsOf(nodes, edges), keeping)) {
      const sums = side === 0 ? this.sums.nodes : this.sums.edges
      sums.n += n
      sums.a += BigInt(a)
      sums.b += BigInt(b)
    }
  }

  private drawKeys(goesOn?: Promise<unknown>): Promise<void> {
    return this.ask((questions) => questions.drawKeys(this.pools, fewestRows), goesOn)
  }

  /** Contents last: which of them are known is found out meanwhile. */
  private async keep({ contents, nodes, edges, homes, entries }: Batch): Promise<void> {
    const isAsked = this.takenContents.length === 0 && contents.hashes.length > 0
    const asked = isAsked ? this.aside?.findUnknown(contents.hashes).catch(() => null) : undefined
    await this.client.copyEncoded([
      { table: 'fresh_node_batch', columns: nodeColumns, chunks: nodes },
      { table: 'fresh_edge_batch', columns: edgeColumns, chunks: edges },
      { table: 'fresh_home', columns: ['node', 'parent'], chunks: homes },
      { table: 'search_entry', columns: ['node', 'words'], chunks: entries },
    ])
    if (this.rows.words.size >= wordsAtOnce) await this.keepWords()
    await this.client.query(keepBatch(this.at, this.scope.key, this.stream))
    if (contents.rows.length > 0) await this.keepContents(contents, asked)
  }

  private copy(table: string, columns: readonly string[], chunks: readonly Buffer[]): Promise<void> {
    return this.client.copyEncoded([{ table, columns, chunks }])
  }

  private async keepWords(): Promise<void> {
    const words = [...this.rows.words]
    this.rows.words = new Set()
    await this.client.query('insert into fresh_word select unnest($1::text[])', [words])
  }

  /** `asked`: the places of those that are not known. */
  private async keepContents(contents: Contents, asked: Promise<number[] | null> | undefined): Promise<void> {
    const { client } = this
    if (this.takenContents.length > 0) return this.copy('fact_version', contentColumns, contents.rows)
    const unknown = (await asked) ?? (await this.ask((questions) => questions.findUnknown(contents.hashes)))
    if (unknown.length === 0) return
    const pieces = piecesOf(contents, unknown)
    if (await this.keepNew(pieces)) return
    await this.copy('fresh_content', contentColumns, pieces)
    await client.query(`${keepUnknown}; truncate fresh_content`)
  }

  /** Straight into their table. Returns whether all of them were new after all; none of them is kept otherwise. */
  private async keepNew(contents: readonly Buffer[]): Promise<boolean> {
    const { client } = this
    await client.query('savepoint fresh_contents')
    try {
      await this.copy('fact_version', contentColumns, contents)
    } catch (error) {
      if (!isTaken(error)) throw error
      await client.query('rollback to savepoint fresh_contents')
      return false
    }
    await client.query('release savepoint fresh_contents')
    return true
  }

  /** All is in its place, and indexed: a fact that was told twice shows itself (a unique index cannot be built: 23505). */
  async close(): Promise<void> {
    this.rows.giveUpHomes()
    await this.send({ isLast: true })
    await this.underWay
    await this.keepWords()
    this.rows.giveTypeCounts()
    const types = this.rows.typeCounts.take()
    await this.copy('fresh_type', ['owner', 'canonical', 'n'], types)
    await this.buildContentIndexes()
    await buildIndexes(this.client, this.taken)
    // in an empty ledger, which is planned for by what is in it now
    if (this.taken.length > 0) await this.client.query('analyze search_entry')
    // who has a new word first holds it to the end of the transaction, and others wait: so late, and all in one order
    await this.client.query('insert into search_word select distinct word from fresh_word order by word on conflict do nothing')
    if (this.rows.hasHomes)
      await this.client.query('update catalog_scope set home_stream = $2 where key = $1', [this.scope.key, this.stream])
    if (!this.rows.hasTables) return
    await assertNoHomes(this.client, 'select node from fresh_home')
    await this.client.query(bringHome('fresh_home'))
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

  /** Nodes and edges that came and are in no plan: homes with their words, whose types are counted in `fresh_type`, and all HAS_COLUMN. */
  get untold(): { nodes: number; edges: number } {
    return { nodes: this.plannedHomes ? 0 : this.rows.homeCount, edges: this.rows.untold }
  }

  /** Puts the homes into the plan after all, for those who must look at each. */
  async planHomes(): Promise<void> {
    this.plannedHomes = true
    await this.client.query(`${planHomes(this.scope.key)}; truncate fresh_type; analyze node_plan`)
  }

  /** What came, by keys. */
  get came(): CameKeys {
    const { nodeKeys, columnKeys, edgeKeys } = this.rows
    return { nodes: nodeKeys.given, columns: columnKeys.given, edges: edgeKeys.given }
  }
}

export const isTaken = (error: unknown): boolean => (error as { code?: string }).code === '23505'
