import type { Client } from '../../postgres/sql.js'
import { sha256 } from '../../util/hash.js'
import type { Problem } from '../../util/problem.js'
import type { EdgeLabel, NodeKind, Properties } from '../../vocabulary.js'
import type { EdgeFact, Fact, NodeFact, Provenance } from '../fact.js'
import { FactsDigest, jsonOfProperties } from '../facts-digest.js'
import { nodeId } from '../identity.js'
import { mergeStatements, type Statement } from '../resolve/merge.js'
import { partsOfId, rangesOfRemoval, type Scope } from '../resolve/scope.js'
import { StagedBatches, type StagedEdge, type StagedNode } from './batch-store.js'
import type { Origin } from './copy-text.js'
import type { ContentSums } from './fresh-questions.js'
import { NotFresh, topKinds } from './fresh-rows.js'
import type { FreshBatches } from './fresh-store.js'
import { edgeFault, encodeContent, idPrefix, isPlainEdge, isPlainNode, nodeFault, storable } from './staged-row.js'

/** Facts as they come; a function gives them from the start again when a transaction must be repeated. */
export type FactStream = readonly Fact[] | (() => Iterable<Fact> | AsyncIterable<Fact>)

/** Keys of the files that facts were read from, each asked for once. */
class FileKeys {
  private readonly known = new Map<string, number>()
  /** facts of one file come in a row */
  private last = { dialect: '', file: '', key: null as number | null }
  constructor(private readonly client: Client) {}

  /** Null where it must be asked for first. */
  knownKeyOf({ dialect, file }: Provenance): number | null {
    const { last } = this
    if (last.file !== file || last.dialect !== dialect) this.last = { dialect, file, key: this.known.get(`${dialect}\0${file}`) ?? null }
    return this.last.key
  }

  async ask({ dialect, file }: Provenance): Promise<void> {
    const { rows } = await this.client.query<{ key: number }>(
      `insert into source_file (dialect, file) values ($1, $2)
       on conflict (dialect, file) do update set file = excluded.file returning key`,
      [storable(dialect), storable(file)],
    )
    this.known.set(`${dialect}\0${file}`, rows[0]!.key)
    this.last = { dialect, file, key: rows[0]!.key }
  }
}

const noOrigin: Origin = { file: null, location: null, stated_at: null }

export class Staging {
  readonly problems: Problem[] = []
  readonly digest = new FactsDigest()
  private ordinal = 0
  private readonly batches: StagedBatches
  private readonly files: FileKeys
  private lastPlace: Provenance | null = null
  private lastOrigin: Origin = noOrigin
  private readonly prefixes = new Map<NodeKind, string | null>()

  constructor(
    private readonly client: Client,
    private readonly scope: Scope,
    /** where the system is unknown: takes what need not be staged */
    private readonly fresh: FreshBatches | null = null,
  ) {
    this.batches = new StagedBatches(client)
    this.files = new FileKeys(client)
  }

  /** Stages a snapshot: streamed, removals applied, containers added, repeated statements merged. Returns its content hash. */
  async stage(facts: FactStream, isComplete: boolean): Promise<string> {
    try {
      await this.load(facts)
      await this.fresh?.close()
    } finally {
      // what is under way would go on behind a rollback
      await Promise.allSettled([this.fresh?.end(), this.batches.idle()])
    }
    await this.applyRemovals()
    await this.addContainers()
    await this.merge()
    return this.contentHash(isComplete)
  }

  /** Streams the facts into the staging tables; only two batches are in memory at a time. */
  private async load(facts: FactStream): Promise<void> {
    await this.batches.open()
    await this.fresh?.open()
    const stream = typeof facts === 'function' ? facts() : facts
    // one wait for each of a million facts would cost as much as the rest
    if (Symbol.iterator in stream)
      for (const fact of stream) {
        if (!this.isReadyFor(fact)) await this.prepareFor(fact)
        this.add(fact)
      }
    else
      for await (const fact of stream) {
        if (!this.isReadyFor(fact)) await this.prepareFor(fact)
        this.add(fact)
      }
    await this.fresh?.idle()
    await this.batches.settle()
    await this.client.query('analyze stage_node; analyze stage_edge')
  }

  private isReadyFor(fact: Fact): boolean {
    return !this.batches.wantsTurn && !this.fresh?.wantsTurn && (fact.fact === 'removal' || this.files.knownKeyOf(fact.provenance) !== null)
  }

  private async prepareFor(fact: Fact): Promise<void> {
    await this.turn()
    if (fact.fact === 'removal' || this.files.knownKeyOf(fact.provenance) !== null) return
    await this.fresh?.idle()
    await this.batches.settle()
    await this.files.ask(fact.provenance)
  }

  /** One connection: what is staged waits for what is not. */
  private async turn(): Promise<void> {
    if (!this.fresh) return this.batches.turn()
    if (this.batches.wantsTurn) {
      await this.fresh.idle()
      await this.batches.turn()
      await this.batches.idle()
    }
    await this.fresh.turn()
  }

  private add(fact: Fact): void {
    this.ordinal++
    const json = jsonOfProperties(fact)
    this.digest.add(fact, json)
    if (fact.fact === 'node') this.addNode(fact, json)
    else if (fact.fact === 'removal') this.addRemoval(fact.id)
    else this.addEdge(fact, json)
  }

  private originOf({ provenance, observedAt }: NodeFact | EdgeFact): Origin {
    // many facts are read at one place, and told so by one object
    if (provenance === this.lastPlace && observedAt === undefined) return this.lastOrigin
    const origin = { file: this.files.knownKeyOf(provenance), location: storable(provenance.location), stated_at: observedAt ?? null }
    if (observedAt === undefined) [this.lastPlace, this.lastOrigin] = [provenance, origin]
    return origin
  }

  private addRemoval(id: string): void {
    const parts = partsOfId(id)
    if (parts?.projectId !== this.scope.projectId || parts.systemId !== this.scope.systemId) return
    if (this.fresh) throw new NotFresh(id)
    for (const { low, high } of rangesOfRemoval(storable(id))) this.batches.addRemoval(this.ordinal, storable(id), low, high)
  }

  private faultOf(fact: NodeFact): Problem | null {
    let prefix = this.prefixes.get(fact.kind)
    if (prefix === undefined) {
      prefix = idPrefix(this.scope, fact.kind)
      this.prefixes.set(fact.kind, prefix)
    }
    return isPlainNode(fact.id, prefix) ? null : nodeFault(fact, this.scope)
  }

  private addNode(fact: NodeFact, canonical: string): void {
    const fault = this.faultOf(fact)
    if (fault) return void this.problems.push(fault)
    const { kind, properties, partial: isPartial = false } = fact
    const content = { name: storable(fact.name), qualifiedName: storable(fact.qualifiedName), properties }
    const node = { id: storable(fact.id), kind, content, canonical, isPartial, scope: this.scope.key }
    if (this.fresh) this.fresh.addNode(node, this.originOf(fact))
    else this.pushNode(node, this.originOf(fact))
  }

  private pushNode(node: Omit<StagedNode, 'ordinal'>, origin: Origin): void {
    this.batches.addNode({ ordinal: this.ordinal, ...node }, origin)
  }

  private addEdge(fact: EdgeFact, canonical: string): void {
    if (this.fresh && isPlainEdge(fact) && this.fresh.addEdge(fact, this.originOf(fact), canonical)) return
    const fault = edgeFault(fact, this.scope)
    if (fault) return void this.problems.push(fault)
    const { label, properties, discriminator = '' } = fact
    const ends = { sourceId: storable(fact.sourceId), targetId: storable(fact.targetId), discriminator: storable(discriminator) }
    this.pushEdge({ ...ends, label, properties, canonical }, this.originOf(fact))
  }

  private pushEdge(edge: Omit<StagedEdge, 'ordinal'>, origin: Origin): void {
    this.batches.addEdge({ ordinal: this.ordinal, ...edge }, origin)
  }

  /** What was said before a removal in the same ingest is taken back (CREATE, then DROP); what comes after it stays. */
  private async applyRemovals(): Promise<void> {
    const { rows } = await this.client.query('select 1 from stage_removal limit 1')
    if (rows.length === 0) return
    await this.client.query(`
      create index on stage_node (id);
      create index on stage_edge (source_id);
      create index on stage_edge (target_id);
      delete from stage_edge e using stage_removal r where e.ordinal < r.ordinal and e.source_id >= r.low and e.source_id < r.high;
      delete from stage_edge e using stage_removal r where e.ordinal < r.ordinal and e.target_id >= r.low and e.target_id < r.high;
      delete from stage_node n using stage_removal r where n.ordinal < r.ordinal and n.id >= r.low and n.id < r.high;
      delete from stage_removal a using stage_removal b where a.low = b.low and a.ordinal < b.ordinal;
      analyze stage_removal`)
  }

  /** The project, the system, and the edges from them to whatever else nothing contains. */
  private async addContainers(): Promise<void> {
    const { projectId, systemId, projectKey } = this.scope
    const project = nodeId(projectId, '', 'Project', projectId)
    const system = nodeId(projectId, systemId, 'System', systemId)
    const container = (id: string, kind: NodeKind, name: string, scope: number): Omit<StagedNode, 'ordinal'> => ({
      ...{ id, kind, scope, isPartial: false },
      content: { name, qualifiedName: id, properties: {} },
    })
    this.pushNode(container(project, 'Project', projectId, projectKey), noOrigin)
    this.pushNode(container(system, 'System', systemId, this.scope.key), noOrigin)
    this.pushEdge({ sourceId: project, label: 'CONTAINS', targetId: system, discriminator: '', properties: {} }, noOrigin)
    await this.batches.settle()
    const { version } = encodeContent({ name: null, qualifiedName: null, properties: {} })
    await this.client.query(
      `insert into stage_edge (ordinal, source_id, label, target_id, discriminator, version)
       select distinct 0, $1, 'CONTAINS', n.id, '', $2::uuid from stage_node n
       where n.kind = any($3)
         and n.id not in (select target_id from stage_edge where label = 'CONTAINS')`,
      [system, version, [...topKinds]],
    )
    if (this.fresh) await this.client.query(containFresh, [system, version, this.fresh.roots])
  }

  /** Leaves one row per fact: several statements about one are merged (merge.ts). */
  private async merge(): Promise<void> {
    await this.client.query(findRepeated)
    const { rows } = await this.client.query<{ any: boolean }>(
      'select exists (select from repeated_node) or exists (select from repeated_edge) as any',
    )
    if (!rows[0]!.any) return
    await this.client.query(dropEchoes)
    await this.mergeNodes()
    await this.mergeEdges()
    await this.batches.settle()
    await this.client.query('analyze stage_node; analyze stage_edge')
  }

  private async mergeNodes(): Promise<void> {
    const { rows } = await this.client.query<NodeRow>(
      `with taken as (delete from stage_node s using repeated_node r where s.id = r.id returning s.*)
       select t.*, v.name, v.qualified_name, v.properties, coalesce(f.file, '') as file_name
       from taken t join fact_version v on v.hash = t.version left join source_file f on f.key = t.file order by t.id, t.ordinal`,
    )
    for (const group of groupsOf(rows, (row) => row.id)) {
      const last = group.at(-1)!
      const { content, isPartial, problems } = mergeStatements(last.id, group.map(statementOf))
      this.problems.push(...problems)
      this.pushNode({ id: last.id, kind: last.kind, content, isPartial, scope: last.scope }, last)
    }
  }

  private async mergeEdges(): Promise<void> {
    const { rows } = await this.client.query<EdgeRow>(
      `with taken as (delete from stage_edge s using repeated_edge r
         where s.source_id = r.source_id and s.label = r.label and s.target_id = r.target_id and s.discriminator = r.discriminator returning s.*)
       select t.*, v.properties, coalesce(f.file, '') as file_name
       from taken t join fact_version v on v.hash = t.version left join source_file f on f.key = t.file
       order by t.source_id, t.label, t.target_id, t.discriminator, t.ordinal`,
    )
    const nameOf = (row: EdgeRow) => `${row.source_id} -[${row.label}]-> ${row.target_id} ${row.discriminator}`
    for (const group of groupsOf(rows, nameOf)) {
      const last = group.at(-1)!
      const { content, problems } = mergeStatements(nameOf(last).trim(), group.map(statementOf))
      this.problems.push(...problems)
      const { source_id: sourceId, label, target_id: targetId, discriminator } = last
      this.pushEdge({ sourceId, label, targetId, discriminator, properties: content.properties }, last)
    }
  }

  /**
   * A hash of all that the snapshot says, the same for every order of its facts and files. Sums of Postgres' own 64-bit hashes, which
   * stay the same for good (its hash partitions on disk rest on them), take a sixth of the time of sums of md5.
   */
  private async contentHash(isComplete: boolean): Promise<string> {
    const sum = (text: string, seed: number) => `coalesce(sum(hashtextextended(${text}, ${seed})), 0)::text`
    const sums = (from: string, text: string) => `select count(*) as n, ${sum(text, 0)} as a, ${sum(text, 1)} as b from ${from}`
    const { rows } = await this.client.query<{ n: number; a: string; b: string }>(
      `${sums('stage_node', `id || chr(1) || version`)}
       union all ${sums('stage_edge', `source_id || chr(1) || label || chr(1) || target_id || chr(1) || discriminator || chr(1) || version`)}
       union all ${sums('stage_removal', 'low || chr(1) || high')}`,
    )
    const { projectId, systemId } = this.scope
    const beside = [this.fresh?.sums.nodes, this.fresh?.sums.edges]
    return sha256(JSON.stringify([projectId, systemId, isComplete, rows.map((row, i) => sumOf(row, beside[i]))]))
  }
}

const sumOf = ({ n, a, b }: { n: number; a: string; b: string }, beside: ContentSums = { n: 0, a: 0n, b: 0n }) => [
  n + beside.n,
  `${BigInt(a) + beside.a}`,
  `${BigInt(b) + beside.b}`,
]

/** As for what is staged. */
const containFresh = `
insert into stage_edge (ordinal, source_id, label, target_id, discriminator, version)
select 0, $1, 'CONTAINS', id, '', $2::uuid from unnest($3::text[]) as n(id)
where id not in (select target_id from stage_edge where label = 'CONTAINS')`

interface StagedRow extends Origin {
  ordinal: number
  properties: Properties
  file_name: string
}
interface NodeRow extends StagedRow {
  id: string
  kind: NodeKind
  name: string
  qualified_name: string
  is_partial: boolean
  scope: number
}
interface EdgeRow extends StagedRow {
  source_id: string
  label: EdgeLabel
  target_id: string
  discriminator: string
}

const statementOf = (row: StagedRow & { name?: string; qualified_name?: string; is_partial?: boolean }): Statement => ({
  content: { name: row.name ?? null, qualifiedName: row.qualified_name ?? null, properties: row.properties },
  isPartial: row.is_partial ?? false,
  place: `${row.file_name}:${row.location ?? ''}`,
})

/** Runs of equal keys in sorted rows. */
function* groupsOf<T>(rows: readonly T[], keyOf: (row: T) => string): Generator<T[]> {
  for (let start = 0; start < rows.length; ) {
    const key = keyOf(rows[start]!)
    let end = start + 1
    while (end < rows.length && keyOf(rows[end]!) === key) end++
    yield rows.slice(start, end)
    start = end
  }
}

const edgeId = 'source_id, label, target_id, discriminator'

/** The ids of which there are several statements. */
const findRepeated = `
create temp table repeated_node on commit drop as select id from stage_node group by id having count(*) > 1;
create temp table repeated_edge on commit drop as select ${edgeId} from stage_edge group by ${edgeId} having count(*) > 1;
analyze repeated_node; analyze repeated_edge`

/** Of statements that say the same only the last is kept; the ids that still have several stay in `repeated_*`. */
const dropEchoes = `
delete from stage_node where ctid in (select ctid from (
  select s.ctid, row_number() over (partition by id, version order by ordinal desc) as rank from stage_node s join repeated_node using (id)
) ranked where rank > 1);
delete from stage_edge where ctid in (select ctid from (
  select s.ctid, row_number() over (partition by ${edgeId}, version order by ordinal desc) as rank
  from stage_edge s join repeated_edge using (${edgeId})
) ranked where rank > 1);
delete from repeated_node where id in (
  select id from stage_node join repeated_node using (id) group by id having count(*) = 1);
delete from repeated_edge where (${edgeId}) in (
  select ${edgeId} from stage_edge join repeated_edge using (${edgeId}) group by ${edgeId} having count(*) = 1)`

/** Makes room for another snapshot in the same transaction: all its temporary tables go. */
export const dropStaging = (client: Client): Promise<unknown> =>
  client.query(`do $$ declare name text; begin
    for name in select c.oid::regclass from pg_class c where c.relnamespace = pg_my_temp_schema() and c.relkind = 'r' loop
      execute 'drop table ' || name;
    end loop;
  end $$`)
