import type { Client, Sql } from '../../postgres/sql.js'
import type { EdgeLabel, Properties } from '../../vocabulary.js'
import type { EdgeFact } from '../fact.js'
import { candidatesOf, openTargetOf, unresolvedOf } from '../resolve/resolve.js'
import { rangesOfRemoval } from '../resolve/scope.js'
import type { TimedColumn, Timeline } from './evaluate.js'
import { needsOf, needsOfRelation, relationOf, relationOfColumn, reopen, tableNames } from './open-end.js'
import type { Stretch } from './timeline.js'

/** Where a statement was read: hints that are carried along. */
export interface Hint {
  file: number | null
  location: string | null
}

/** An open edge through time. */
export interface OpenEdge {
  key: number
  /** of the system whose text it is */
  scope: number
  systemId: string
  /** with '' where its ends are open; the mark is the same in all its versions */
  pieces: Stretch<{ edge: EdgeFact } & Hint>[]
  /** of its latest version */
  edge: EdgeFact
}

const pageSize = 2_000
const openIds = (column: string) => `${column} like '%/column:?%'`

interface EdgeRow extends Hint {
  key: number
  scope: number
  system_id: string
  source_id: string
  label: EdgeLabel
  target_id: string
  discriminator: string
  properties: Properties
  file_name: string | null
  dialect: string | null
}

const provenanceOf = ({ dialect, file_name, location }: EdgeRow) => ({
  dialect: dialect ?? '',
  file: file_name ?? '',
  location: location ?? '',
})

const edgeOf = (row: EdgeRow): EdgeFact =>
  reopen({
    fact: 'edge',
    sourceId: row.source_id,
    label: row.label,
    targetId: row.target_id,
    ...(row.discriminator === '' ? {} : { discriminator: row.discriminator }),
    properties: row.properties,
    provenance: provenanceOf(row),
  })

const edgeColumns = `e.key, e.scope, s.system_id, a.id as source_id, e.label, b.id as target_id, e.discriminator`
const edgeJoins = `join node_key a on a.key = e.source join node_key b on b.key = e.target join catalog_scope s on s.key = e.scope`

/** Notes what the staged open edges hang on that were never seen before. */
export async function saveNeeds(client: Client, scope: number): Promise<void> {
  const { rows } = await client.query<EdgeRow>(
    `select distinct on (e.key) ${edgeColumns}, v.properties, null::integer as file, null as location, null as file_name, null as dialect
     from stage_edge t join node_key x on x.id = t.source_id join node_key y on y.id = t.target_id
     join edge_key e on e.source = x.key and e.label = t.label and e.target = y.key and e.discriminator = t.discriminator and e.scope = $1
     ${edgeJoins} join fact_version v on v.hash = t.version
     where (${openIds('t.source_id')} or ${openIds('t.target_id')}) and not exists (select from open_end o where o.edge = e.key)`,
    [scope],
  )
  const needs = rows.flatMap((row) => needsOf(edgeOf(row)).map((need) => ({ need, edge: row.key })))
  await client.query('insert into open_end (scope, need, edge) select $1, * from unnest($2::text[], $3::bigint[]) on conflict do nothing', [
    scope,
    needs.map((n) => n.need),
    needs.map((n) => n.edge),
  ])
}

export const hasOpenEnds = async (sql: Sql, scopes: readonly number[]): Promise<boolean> =>
  (await sql.query<{ any: boolean }>('select exists (select from open_end where scope = any($1)) as any', [scopes])).rows[0]!.any

export const hasOpenEndsIn = async (sql: Sql, projectId: string): Promise<boolean> =>
  (
    await sql.query<{ any: boolean }>(
      'select exists (select from open_end where scope in (select key from catalog_scope where project_id = $1)) as any',
      [projectId],
    )
  ).rows[0]!.any

/**
 * Open edges that `node_plan` and `edge_raw` concern: their own statements, the nodes they hang on, tables whose columns or existence
 * change; `isWhole`: all there are.
 */
export async function readTouchedOpens(client: Client, scopes: readonly number[], isWhole: boolean): Promise<Set<number>> {
  const direct = await client.query<{ edge: number }>(
    isWhole
      ? 'select distinct edge from open_end where scope = any($1)'
      : `select o.edge from edge_raw r join open_end o on o.edge = r.edge where o.scope = any($1)
         union
         select o.edge from node_plan p join node_key k on k.key = p.node join open_end o on o.need = 'n:' || k.id where o.scope = any($1)`,
    [scopes],
  )
  const touched = new Set(direct.rows.map((row) => row.edge))
  if (isWhole) return touched
  for (const edge of await readByNeeds(client, scopes, (await readChangedRelations(client)).flatMap(needsOfRelation))) touched.add(edge)
  return touched
}

/** Tables and views that come, go or change, or of which a column does. */
async function readChangedRelations(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ id: string; is_lone: boolean }>(
    `with changed as (select k.* from node_plan p join node_key k on k.key = p.node where k.kind in ('Table', 'View', 'Column'))
     select id, false as is_lone from changed where kind <> 'Column'
     union
     select t.id, false from (select distinct parent from changed where kind = 'Column') c join node_key t on t.key = c.parent
     union all
     select id, true from changed where kind = 'Column' and parent is null`,
  )
  const relations = rows.map(({ id, is_lone }) => (is_lone ? relationOfColumn(id) : relationOf(id)))
  return [...new Set(relations.filter((relation) => relation !== null))]
}

async function readByNeeds(sql: Sql, scopes: readonly number[], needs: readonly string[]): Promise<number[]> {
  const found: number[] = []
  for (let start = 0; start < needs.length; start += 20_000) {
    const { rows } = await sql.query<{ edge: number }>(
      'select distinct edge from unnest($2::text[]) as n(need) join open_end o on o.need = n.need where o.scope = any($1)',
      [scopes, needs.slice(start, start + 20_000)],
    )
    for (const { edge } of rows) found.push(edge)
  }
  return found
}

/** Open edges that hang on the columns of views which these open edges make the columns of. */
export async function readOpensBehind(sql: Sql, scopes: readonly number[], edges: readonly number[]): Promise<number[]> {
  const views = await sql.query<{ id: string }>(
    `select b.id from edge_key e join node_key b on b.key = e.target
     where e.key in (select edge from open_end where edge = any($1) and need like 'r:%')
     union select t.id from derivation d join node_key k on k.key = d.fact join node_key t on t.key = k.parent where d.origin = any($1)`,
    [edges],
  )
  const ids = views.rows.map((row) => row.id)
  const columns = ids.flatMap((id) => rangesOfRemoval(id).slice(1))
  const { rows } = await sql.query<{ edge: number }>(
    `select distinct o.edge from unnest($2::text[], $3::text[]) as r(low, high) join open_end o on o.need >= r.low and o.need < r.high
     where o.scope = any($1)`,
    [scopes, columns.map(({ low }) => `n:${low}`), columns.map(({ high }) => `n:${high}`)],
  )
  const needs = ids.flatMap((id) => needsOfRelation(relationOf(id)!))
  return [...rows.map((row) => row.edge), ...(await readByNeeds(sql, scopes, needs))]
}

/** Open edges with all they ever were; those that no snapshot states any more have no pieces. */
export async function readOpens(sql: Sql, keys: Iterable<number>): Promise<OpenEdge[]> {
  const opens = new Map<number, OpenEdge>()
  const all = [...keys]
  for (let start = 0; start < all.length; start += pageSize) {
    const { rows } = await sql.query<EdgeRow & { valid_from: Date; valid_to: Date }>(
      `select ${edgeColumns}, v.properties, h.file, h.location, h.valid_from, h.valid_to, f.file as file_name, f.dialect
       from edge_key e ${edgeJoins} join edge_history h on h.edge = e.key join fact_version v on v.hash = h.version
       left join source_file f on f.key = h.file where e.key = any($1) order by a.id, b.id, e.label, e.discriminator, s.system_id, h.valid_from`,
      [all.slice(start, start + pageSize)],
    )
    for (const row of rows) {
      const edge = edgeOf(row)
      const open: OpenEdge = opens.get(row.key) ?? { key: row.key, scope: row.scope, systemId: row.system_id, pieces: [], edge }
      open.edge = edge
      // 'infinity' arrives as the number
      open.pieces.push({
        from: Number(row.valid_from),
        to: Number(row.valid_to),
        value: { edge, file: row.file, location: row.location },
      })
      opens.set(row.key, open)
    }
  }
  return [...opens.values()]
}

interface Spanned {
  id: string
  valid_from: Date
  valid_to: Date
}
const spanOf = ({ valid_from, valid_to }: Spanned) => ({ from: Number(valid_from), to: Number(valid_to) })

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}

/** A timeline that more can be put on. */
export class OpenTimeline implements Timeline {
  readonly nodes = new Map<string, Stretch<null>[]>()
  readonly tables = new Map<string, Stretch<string>[]>()
  readonly columns = new Map<string, Stretch<TimedColumn>[]>()
  readonly names = new Map<string, Stretch<string>[]>()
}

/** The histories that these open edges hang on. Nodes in `without` count only as far as they are said, not derived. */
export async function readTimeline(
  sql: Sql,
  projectId: string,
  edges: readonly EdgeFact[],
  without: ReadonlySet<number>,
): Promise<OpenTimeline> {
  const timeline = new OpenTimeline()
  const [ids, names, targets] = [new Set<string>(), new Set<string>(), new Set<string>()]
  // a table and a view of one name are one
  const relations = new Map<string, string>()
  const addRelation = (id: string) => relations.set(relationOf(id) ?? '', id)
  for (const edge of edges) {
    const [mark, target] = [unresolvedOf(edge), openTargetOf(edge)]
    if (target) names.add(target.table_name.toLowerCase())
    if (mark && 'table_name' in mark) names.add(mark.table_name.toLowerCase())
    else if (mark && 'star' in mark) {
      for (const id of [...mark.candidates, edge.targetId]) addRelation(id)
      targets.add(edge.targetId)
    } else if (mark) for (const id of candidatesOf(mark)) ids.add(id)
  }
  if (names.size > 0) await readTables(sql, projectId, names, timeline)
  for (const edge of edges) {
    const target = openTargetOf(edge)
    if (target) for (const { value } of timeline.tables.get(target.table_name.toLowerCase()) ?? []) addRelation(value)
  }
  await readNodeSpans(sql, [...ids], without, timeline)
  await readColumns(sql, [...relations.values()], without, timeline)
  await readNames(sql, [...targets], timeline)
  return timeline
}

async function readTables(sql: Sql, projectId: string, names: ReadonlySet<string>, timeline: OpenTimeline): Promise<void> {
  const { rows } = await sql.query<Spanned>(
    `select k.id, h.valid_from, h.valid_to from node_history h join node_key k on k.key = h.node
     where h.scope in (select key from catalog_scope where project_id = $1) and h.kind in ('Table', 'View')`,
    [projectId],
  )
  for (const row of rows)
    for (const name of tableNames(row.id)) if (names.has(name)) push(timeline.tables, name, { ...spanOf(row), value: row.id })
}

/** Of a node that is being derived anew, what was derived of it before is left out. */
const isToRead = (row: { node: number; is_derived: boolean }, without: ReadonlySet<number>) => !row.is_derived || !without.has(row.node)

async function readNodeSpans(sql: Sql, ids: readonly string[], without: ReadonlySet<number>, timeline: OpenTimeline): Promise<void> {
  for (let start = 0; start < ids.length; start += pageSize * 5) {
    const { rows } = await sql.query<Spanned & { node: number; is_derived: boolean }>(
      `select k.id, h.node, h.valid_from, h.valid_to, s.derived_of is not null as is_derived
       from node_key k join node_history h on h.node = k.key join catalog_scope s on s.key = h.scope where k.id = any($1)`,
      [ids.slice(start, start + pageSize * 5)],
    )
    for (const row of rows) if (isToRead(row, without)) push(timeline.nodes, row.id, { ...spanOf(row), value: null })
  }
}

async function readColumns(sql: Sql, relations: readonly string[], without: ReadonlySet<number>, timeline: OpenTimeline): Promise<void> {
  for (let start = 0; start < relations.length; start += pageSize) {
    const page = relations.slice(start, start + pageSize).filter((id) => rangesOfRemoval(id)[1])
    const ranges = page.map((id) => rangesOfRemoval(id)[1]!)
    const { rows } = await sql.query<
      Spanned & { relation: string; node: number; name: string; qualified_name: string; properties: Properties; is_derived: boolean }
    >(
      `select r.relation, k.id, h.node, h.valid_from, h.valid_to, v.name, v.qualified_name, v.properties, s.derived_of is not null as is_derived
       from unnest($1::text[], $2::text[], $3::text[]) as r(relation, low, high)
       join node_key k on k.id >= r.low and k.id < r.high and k.kind = 'Column' join node_history h on h.node = k.key
       join fact_version v on v.hash = h.version join catalog_scope s on s.key = h.scope`,
      [page.map((id) => relationOf(id)!), ranges.map(({ low }) => low), ranges.map(({ high }) => high)],
    )
    for (const row of rows) {
      if (!isToRead(row, without)) continue
      const { id, name, qualified_name: qualifiedName, properties, is_derived: isDerived } = row
      push(timeline.columns, row.relation, { ...spanOf(row), value: { id, name, qualifiedName, properties, isDerived } })
    }
  }
}

async function readNames(sql: Sql, ids: readonly string[], timeline: OpenTimeline): Promise<void> {
  const { rows } = await sql.query<Spanned & { name: string }>(
    `select k.id, h.valid_from, h.valid_to, v.qualified_name as name from node_key k join node_history h on h.node = k.key
     join fact_version v on v.hash = h.version where k.id = any($1)`,
    [ids],
  )
  for (const row of rows) push(timeline.names, row.id, { ...spanOf(row), value: row.name })
}
