import { setImmediate as nextTurn } from 'node:timers/promises'
import { escapeCopyText } from '../../postgres/copy.js'
import type { Client } from '../../postgres/sql.js'
import type { NodeKind, Properties } from '../../vocabulary.js'
import type { FactContent } from '../change.js'
import { CopyText, nullable, type Origin, originText } from './copy-text.js'
import { canonicalOf, encodeContent, encodeEdge } from './staged-row.js'

/** Rows of a batch: enough that a round trip does not count, few enough that two batches are small in memory. */
const batchRows = 16_000
/** Rows between looks at the connection: what was written only leaves while nothing else is done. */
const turnRows = 1_000
/** Contents of edges that are remembered as saved (most say nothing: `{}`). */
const mostKnown = 10_000

/**
 * Temporary tables of one ingest, all gone at its end. Contents go to fact_version at once: a batch of them while the next is encoded. A
 * look at 9,000 rows of these tables plans as well as one at 30,000 and takes a third; joins by merging are what is chosen where the planner
 * knows nothing of rows of this very transaction, and the sorting for them takes longer than hashing ever did.
 */
export const stagingTables = `
set local work_mem = '64MB';
set local jit = off;
set local default_statistics_target = 30;
set local enable_mergejoin = off;
create temp table stage_batch (ordinal bigint, id text collate "C", kind text collate "C", name text, qualified_name text,
  properties text, version uuid, canonical text collate "C", is_partial boolean,
  file integer, location text, stated_at timestamptz, scope integer) on commit drop;
create temp table stage_node (ordinal bigint, id text collate "C", kind text collate "C", version uuid, canonical text collate "C", is_partial boolean,
  file integer, location text, stated_at timestamptz, scope integer) on commit drop;
create temp table stage_edge (ordinal bigint, source_id text collate "C", label text collate "C", target_id text collate "C",
  discriminator text collate "C", version uuid, file integer, location text, stated_at timestamptz) on commit drop;
create temp table stage_removal (ordinal bigint, root text collate "C", low text collate "C", high text collate "C") on commit drop;`

const origin = ['file', 'location', 'stated_at']
const nodeColumns = [
  ...['ordinal', 'id', 'kind', 'name', 'qualified_name', 'properties', 'version', 'canonical', 'is_partial', ...origin, 'scope'],
]
const edgeColumns = ['ordinal', 'source_id', 'label', 'target_id', 'discriminator', 'version', ...origin]
const removalColumns = ['ordinal', 'root', 'low', 'high']

/**
 * Contents that are looked for first need not be parsed where they are known; the lateral makes that one look-up per row, whatever the
 * planner believes of tables that grow in this very transaction. After a batch of which nothing was known the next is not looked for.
 */
const keepContents = (isLookedFor: boolean) => `
insert into fact_version (hash, name, qualified_name, properties, canonical, is_partial)
select b.version, b.name, b.qualified_name, b.properties::jsonb, b.canonical, b.is_partial from stage_batch b
${isLookedFor ? 'left join lateral (select true as found from fact_version f where f.hash = b.version limit 1) f on true where f.found is null' : ''}
on conflict (hash) do nothing`
const keepBatch = `
insert into stage_node select ordinal, id, kind, version, canonical, is_partial, file, location, stated_at, scope from stage_batch;
truncate stage_batch`

export interface StagedNode {
  ordinal: number
  id: string
  kind: NodeKind
  content: FactContent
  /** its properties as canonical JSON, where that is known already */
  canonical?: string | undefined
  isPartial: boolean
  scope: number
}

export interface StagedEdge {
  ordinal: number
  sourceId: string
  label: string
  targetId: string
  discriminator: string
  properties: Properties
  /** as of a node */
  canonical?: string | undefined
}

/** What one ingest stages, by batches: while Postgres takes one in, the next is encoded. Ids and names must be storable text. */
export class StagedBatches {
  private readonly nodes = new CopyText()
  private readonly edges = new CopyText()
  private readonly removals = new CopyText()
  private contents = new Map<string, string>()
  private readonly knownContents = new Set<string>()
  private rows = 0
  private nodeCount = 0
  /** whether the batch before held contents that were known */
  private knowsSome = true
  private nextTurnAt = turnRows
  private underWay: Promise<unknown> = Promise.resolve()

  constructor(private readonly client: Client) {}

  async open(): Promise<void> {
    await this.client.query(stagingTables)
  }

  addNode({ ordinal, id, kind, content, canonical, isPartial, scope }: StagedNode, origin: Origin): void {
    const { json, version } = encodeContent(content, isPartial, canonical)
    const names = `${escapeCopyText(content.name ?? '')}\t${escapeCopyText(content.qualifiedName ?? '')}`
    const said = `${escapeCopyText(json)}\t${version}\t${nullable(canonicalOf(kind, content.properties))}\t${isPartial}`
    this.nodes.add(`${ordinal}\t${escapeCopyText(id)}\t${kind}\t${names}\t${said}\t${originText(origin)}\t${scope}\n`)
    this.rows++
    this.nodeCount++
  }

  addEdge({ ordinal, sourceId, label, targetId, discriminator, properties, canonical }: StagedEdge, origin: Origin): void {
    const { json, version } = encodeEdge(properties, canonical)
    if (!this.knownContents.has(version)) this.contents.set(version, json)
    const ends = `${escapeCopyText(sourceId)}\t${label}\t${escapeCopyText(targetId)}\t${escapeCopyText(discriminator)}`
    this.edges.add(`${ordinal}\t${ends}\t${version}\t${originText(origin)}\n`)
    this.rows++
  }

  addRemoval(ordinal: number, root: string, low: string, high: string): void {
    this.removals.add(`${ordinal}\t${[root, low, high].map(escapeCopyText).join('\t')}\n`)
    this.rows++
  }

  /** Whether it is time for `turn`. */
  get wantsTurn(): boolean {
    return this.rows >= this.nextTurnAt
  }

  /** Sends what there is once it is a batch, and lets the connection work. */
  async turn(): Promise<void> {
    await nextTurn()
    this.nextTurnAt = this.rows + turnRows
    if (this.rows >= batchRows) await this.send()
  }

  /** Returns when nothing is under way. */
  async idle(): Promise<void> {
    await this.underWay
  }

  /** Sends what is left, and returns when all of it is in the tables. */
  async settle(): Promise<void> {
    await this.send()
    await this.underWay
  }

  private async send(): Promise<void> {
    await this.underWay
    if (this.rows === 0) return
    const batch = {
      nodes: this.nodes.take(),
      nodeCount: this.nodeCount,
      edges: this.edges.take(),
      removals: this.removals.take(),
      contents: this.contents,
    }
    this.contents = new Map()
    this.rows = 0
    this.nodeCount = 0
    this.nextTurnAt = turnRows
    for (const version of batch.contents.keys()) if (this.knownContents.size < mostKnown) this.knownContents.add(version)
    this.underWay = this.write(batch)
    // awaited before the next batch goes
    this.underWay.catch(() => undefined)
  }

  private async write(batch: {
    nodes: Buffer[]
    nodeCount: number
    edges: Buffer[]
    removals: Buffer[]
    contents: Map<string, string>
  }): Promise<void> {
    const { client } = this
    if (batch.nodes.length > 0) {
      await client.copyEncoded([{ table: 'stage_batch', columns: nodeColumns, chunks: batch.nodes }])
      const { rowCount: kept } = await client.query(keepContents(this.knowsSome))
      this.knowsSome = kept !== batch.nodeCount
      await client.query(keepBatch)
    }
    await client.copyEncoded([
      { table: 'stage_edge', columns: edgeColumns, chunks: batch.edges },
      { table: 'stage_removal', columns: removalColumns, chunks: batch.removals },
    ])
    if (batch.contents.size > 0)
      await client.query(
        `insert into fact_version (hash, properties) select * from unnest($1::uuid[], $2::jsonb[]) on conflict do nothing`,
        [[...batch.contents.keys()], [...batch.contents.values()]],
      )
  }
}
