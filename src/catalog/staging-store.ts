import { type CopyValue, copyRows } from '../postgres/copy.js'
import type { Client } from '../postgres/sql.js'
import { sha256 } from '../util/hash.js'
import type { Problem } from '../util/problem.js'
import type { EdgeLabel, NodeKind, Properties } from '../vocabulary.js'
import type { FactContent } from './change.js'
import type { EdgeFact, Fact, NodeFact, Provenance } from './fact.js'
import { nodeId } from './identity.js'
import { mergeStatements, type Statement } from './merge.js'
import {
  candidatesOf,
  closeTarget,
  expandStar,
  type KnownColumn,
  openTargetOf,
  resolveEdge,
  tablesNamed,
  unknownStar,
  unresolvedOf,
} from './resolve.js'
import { KnownFacts } from './resolve-store.js'
import { partsOfId, rangesOfRemoval, type Scope } from './scope.js'
import { canonicalOf, edgeFault, encodeContent, nodeFault, storable } from './staged-row.js'

/** Facts as they come; a function gives them from the start again when a transaction must be repeated. */
export type FactStream = readonly Fact[] | (() => Iterable<Fact> | AsyncIterable<Fact>)

const batchSize = 10_000

/** Temporary tables of one ingest, all gone at its end. `incoming_*` hold what the snapshot asserts, merged and by key. */
const stagingTables = `
create temp table stage_node (ordinal bigint, id text collate "C", kind text collate "C", name text, qualified_name text,
  properties text, version uuid, canonical text collate "C", is_partial boolean,
  file integer, location text, stated_at timestamptz, scope integer) on commit drop;
create temp table stage_edge (ordinal bigint, source_id text collate "C", label text collate "C", target_id text collate "C",
  discriminator text collate "C", properties text, version uuid, file integer, location text, stated_at timestamptz) on commit drop;
create temp table stage_removal (ordinal bigint, root text collate "C", low text collate "C", high text collate "C") on commit drop;`

const nodeColumns = [
  ...[
    'ordinal',
    'id',
    'kind',
    'name',
    'qualified_name',
    'properties',
    'version',
    'canonical',
    'is_partial',
    'file',
    'location',
    'stated_at',
    'scope',
  ],
]
const edgeColumns = [
  'ordinal',
  'source_id',
  'label',
  'target_id',
  'discriminator',
  'properties',
  'version',
  'file',
  'location',
  'stated_at',
]

/** Keys of the files that facts were read from, each asked for once. */
class FileKeys {
  private readonly known = new Map<string, number>()
  constructor(private readonly client: Client) {}

  async keyOf({ dialect, file }: Provenance): Promise<number> {
    const name = `${dialect}\0${file}`
    const known = this.known.get(name)
    if (known !== undefined) return known
    const { rows } = await this.client.query<{ key: number }>(
      `insert into source_file (dialect, file) values ($1, $2)
       on conflict (dialect, file) do update set file = excluded.file returning key`,
      [storable(dialect), storable(file)],
    )
    this.known.set(name, rows[0]!.key)
    return rows[0]!.key
  }
}

interface Origin {
  file: number | null
  location: string | null
  /** when the text itself says that it was true */
  stated_at: Date | null
}
const noOrigin: Origin = { file: null, location: null, stated_at: null }

interface StagedNode {
  id: string
  kind: NodeKind
  content: FactContent
  isPartial: boolean
  scope: number
}
type StagedEdge = Pick<EdgeFact, 'sourceId' | 'label' | 'targetId' | 'properties'> & { discriminator: string }

export class Staging {
  readonly problems: Problem[] = []
  private ordinal = 0
  private nodes: CopyValue[][] = []
  private edges: CopyValue[][] = []
  private removals: CopyValue[][] = []
  private readonly unresolved: EdgeFact[] = []
  private readonly openTargets: EdgeFact[] = []
  private readonly files: FileKeys
  private readonly known: KnownFacts

  constructor(
    private readonly client: Client,
    private readonly scope: Scope,
    observedAt: Date,
  ) {
    this.files = new FileKeys(client)
    this.known = new KnownFacts(client, scope.projectId, observedAt)
  }

  /** Stages a snapshot: streamed, removals applied, names resolved, containers added, repeated statements merged. Returns its content hash. */
  async stage(facts: FactStream, isComplete: boolean): Promise<string> {
    await this.load(facts)
    await this.applyRemovals()
    await this.resolve()
    await this.addContainers()
    await this.merge()
    return this.contentHash(isComplete)
  }

  /** Streams the facts into the staging tables; only one batch is in memory at a time. */
  private async load(facts: FactStream): Promise<void> {
    await this.client.query(stagingTables)
    for await (const fact of typeof facts === 'function' ? facts() : facts) {
      await this.add(fact)
      if (this.nodes.length + this.edges.length >= batchSize) await this.flush()
    }
    await this.flush()
    await this.client.query('analyze stage_node; analyze stage_edge')
  }

  private async add(fact: Fact): Promise<void> {
    this.ordinal++
    if (fact.fact === 'node') return this.addNode(fact)
    if (fact.fact === 'removal') {
      const parts = partsOfId(fact.id)
      if (parts?.projectId === this.scope.projectId && parts.systemId === this.scope.systemId)
        for (const { low, high } of rangesOfRemoval(storable(fact.id))) this.removals.push([this.ordinal, storable(fact.id), low, high])
      return
    }
    if (openTargetOf(fact)) this.openTargets.push(fact)
    else if (unresolvedOf(fact)) this.unresolved.push(fact)
    else await this.addEdge(fact)
  }

  private async addNode(fact: NodeFact): Promise<void> {
    const fault = nodeFault(fact, this.scope)
    if (fault) return void this.problems.push(fault)
    const { kind, properties, partial: isPartial = false } = fact
    const origin = await this.originOf(fact)
    const content = { name: storable(fact.name), qualifiedName: storable(fact.qualifiedName), properties }
    this.pushNode({ id: storable(fact.id), kind, content, isPartial, scope: this.scope.key }, origin)
  }

  private async originOf({ provenance, observedAt }: NodeFact | EdgeFact): Promise<Origin> {
    return { file: await this.files.keyOf(provenance), location: storable(provenance.location), stated_at: observedAt ?? null }
  }

  private pushNode({ id, kind, content, isPartial, scope }: StagedNode, { file, location, stated_at }: Origin): void {
    const { json, version } = encodeContent(content, isPartial)
    const canonical = canonicalOf(kind, content.properties)
    const names = [content.name, content.qualifiedName]
    this.nodes.push([this.ordinal, id, kind, ...names, json, version, canonical, isPartial, file, location, stated_at, scope])
  }

  private async addEdge(fact: EdgeFact): Promise<void> {
    const fault = edgeFault(fact, this.scope)
    if (fault) return void this.problems.push(fault)
    const { label, properties, discriminator = '' } = fact
    const ends = { sourceId: storable(fact.sourceId), targetId: storable(fact.targetId), discriminator: storable(discriminator) }
    const origin = await this.originOf(fact)
    this.pushEdge({ ...ends, label, properties }, origin)
  }

  private pushEdge({ sourceId, label, targetId, discriminator, properties }: StagedEdge, { file, location, stated_at }: Origin): void {
    const { json, version } = encodeContent({ name: null, qualifiedName: null, properties })
    this.edges.push([this.ordinal, sourceId, label, targetId, discriminator, json, version, file, location, stated_at])
  }

  private async flush(): Promise<void> {
    if (this.nodes.length > 0) await copyRows(this.client, 'stage_node', nodeColumns, this.nodes)
    if (this.edges.length > 0) await copyRows(this.client, 'stage_edge', edgeColumns, this.edges)
    if (this.removals.length > 0) await copyRows(this.client, 'stage_removal', ['ordinal', 'root', 'low', 'high'], this.removals)
    this.nodes = []
    this.edges = []
    this.removals = []
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

  /** Settles open ends by the incoming facts and the ledger as of the observation. Views of `*` first: others may read their columns. */
  private async resolve(): Promise<void> {
    const isStar = (edge: EdgeFact) => 'star' in unresolvedOf(edge)!
    for (const edge of this.unresolved.filter(isStar)) await this.resolveStar(edge)
    const isNamed = (edge: EdgeFact) => 'table_name' in unresolvedOf(edge)!
    const tables = this.openTargets.length > 0 || this.unresolved.some(isNamed) ? await this.known.tables() : new Map<string, string[]>()
    await this.resolveTargets(tables)
    const others = this.unresolved.filter((edge) => !isStar(edge))
    for (let start = 0; start < others.length; start += 1_000) {
      const edges = others.slice(start, start + 1_000)
      const nodes = await this.known.existing([...new Set(edges.flatMap((edge) => candidatesOf(unresolvedOf(edge)!)))])
      for (const edge of edges) {
        const resolved = resolveEdge(edge, this.scope, { nodes, tables })
        if ('fact' in resolved) await this.addEdge(resolved)
        else this.problems.push(resolved)
      }
    }
    await this.flush()
  }

  /** Settles targets of INSERT … SELECT. A table that is not there is told of the query's WRITES, not once more for every column. */
  private async resolveTargets(tables: ReadonlyMap<string, readonly string[]>): Promise<void> {
    const columns = new Map<string, KnownColumn[]>()
    const told = new Set<string>()
    for (const edge of this.openTargets) {
      const [table, second] = tablesNamed(openTargetOf(edge)!.table_name, this.scope, { tables })
      if (table === undefined || second !== undefined) continue
      if (!columns.has(table)) columns.set(table, await this.known.columnsOf(table))
      const closed = closeTarget(edge, columns.get(table)!)
      if (!('fact' in closed)) {
        if (!told.has(closed.found)) this.problems.push(closed)
        told.add(closed.found)
      } else if (unresolvedOf(closed)) this.unresolved.push(closed)
      else await this.addEdge(closed)
    }
  }

  private async resolveStar(edge: EdgeFact): Promise<void> {
    const { candidates } = unresolvedOf(edge) as { candidates: string[] }
    const found: KnownColumn[] = []
    for (const table of candidates) {
      const columns = await this.known.columnsOf(table)
      if (columns.length === 0) this.problems.push(unknownStar(edge, table))
      found.push(...columns)
    }
    const targets = new Set((await this.known.columnsOf(edge.targetId)).map(({ id }) => id))
    const { rows } = await this.client.query<{ name: string }>('select qualified_name as name from stage_node where id = $1', [
      edge.targetId,
    ])
    const relation = rows[0]?.name ?? partsOfId(edge.targetId)?.qualifiedName ?? ''
    for (const fact of expandStar(edge, found, targets, relation)) await (fact.fact === 'node' ? this.addNode(fact) : this.addEdge(fact))
    await this.flush()
  }

  /** The project, the system, and the edges from them to whatever else nothing contains. */
  private async addContainers(): Promise<void> {
    const { projectId, systemId, projectKey } = this.scope
    const project = nodeId(projectId, '', 'Project', projectId)
    const system = nodeId(projectId, systemId, 'System', systemId)
    const container = (id: string, kind: NodeKind, name: string, scope: number): StagedNode => ({
      ...{ id, kind, scope, isPartial: false },
      content: { name, qualifiedName: id, properties: {} },
    })
    this.pushNode(container(project, 'Project', projectId, projectKey), noOrigin)
    this.pushNode(container(system, 'System', systemId, this.scope.key), noOrigin)
    this.pushEdge({ sourceId: project, label: 'CONTAINS', targetId: system, discriminator: '', properties: {} }, noOrigin)
    await this.flush()
    const { version } = encodeContent({ name: null, qualifiedName: null, properties: {} })
    await this.client.query(
      `insert into stage_edge (ordinal, source_id, label, target_id, discriminator, properties, version)
       select distinct 0, $1, 'CONTAINS', n.id, '', '{}', $2::uuid from stage_node n
       where n.kind in ('InformationSystem', 'Database', 'Table', 'View', 'ControlMFolder', 'PetriNet')
         and not exists (select from stage_edge e where e.target_id = n.id and e.label = 'CONTAINS')`,
      [system, version],
    )
  }

  /** Leaves one row per fact: several statements about one are merged (merge.ts). */
  private async merge(): Promise<void> {
    await this.client.query(dropEchoes)
    await this.mergeNodes()
    await this.mergeEdges()
    await this.flush()
    await this.client.query('analyze stage_node; analyze stage_edge')
  }

  private async mergeNodes(): Promise<void> {
    const { rows } = await this.client.query<NodeRow>(
      `with taken as (delete from stage_node s using repeated_node r where s.id = r.id returning s.*)
       select t.*, coalesce(f.file, '') as file_name from taken t left join source_file f on f.key = t.file order by t.id, t.ordinal`,
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
       select t.*, coalesce(f.file, '') as file_name from taken t left join source_file f on f.key = t.file
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

  /** A hash of all that the snapshot says, the same for every order of its facts and files. */
  private async contentHash(isComplete: boolean): Promise<string> {
    const sums = (from: string, text: string) => `select count(*) as n,
      coalesce(sum(('x' || left(md5(${text}), 15))::bit(60)::bigint), 0)::text as a,
      coalesce(sum(('x' || right(md5(${text}), 15))::bit(60)::bigint), 0)::text as b from ${from}`
    const { rows } = await this.client.query<Record<string, unknown>>(
      `${sums('stage_node', `concat_ws(chr(1), id, version)`)}
       union all ${sums('stage_edge', `concat_ws(chr(1), source_id, label, target_id, discriminator, version)`)}
       union all ${sums('stage_removal', 'concat_ws(chr(1), low, high)')}`,
    )
    const { projectId, systemId } = this.scope
    return sha256(JSON.stringify([projectId, systemId, isComplete, rows.map(({ n, a, b }) => [n, a, b])]))
  }
}

interface StagedRow extends Origin {
  ordinal: number
  properties: string
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
  content: { name: row.name ?? null, qualifiedName: row.qualified_name ?? null, properties: JSON.parse(row.properties) as Properties },
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

/** Of statements that say the same only the last is kept; the ids that still have several go into `repeated_*`. */
const dropEchoes = `
create temp table repeated_node on commit drop as select id from stage_node group by id having count(*) > 1;
create temp table repeated_edge on commit drop as select ${edgeId} from stage_edge group by ${edgeId} having count(*) > 1;
delete from stage_node where ctid in (select ctid from (
  select s.ctid, row_number() over (partition by id, version order by ordinal desc) as rank from stage_node s join repeated_node using (id)
) ranked where rank > 1);
delete from stage_edge where ctid in (select ctid from (
  select s.ctid, row_number() over (partition by ${edgeId}, version order by ordinal desc) as rank
  from stage_edge s join repeated_edge using (${edgeId})
) ranked where rank > 1);
delete from repeated_node where id in (select id from stage_node group by id having count(*) = 1);
delete from repeated_edge where (${edgeId}) in (select ${edgeId} from stage_edge group by ${edgeId} having count(*) = 1);`

/** Makes room for another snapshot in the same transaction: all its temporary tables go. */
export const dropStaging = (client: Client): Promise<unknown> =>
  client.query(`do $$ declare name text; begin
    for name in select c.oid::regclass from pg_class c where c.relnamespace = pg_my_temp_schema() and c.relkind = 'r' loop
      execute 'drop table ' || name;
    end loop;
  end $$`)
