import type { Client } from '../../postgres/sql.js'
import type { JsonValue, NodeKind, Properties } from '../../vocabulary.js'
import { differencesBetween, type FactContent } from '../change.js'
import { columnNullable, columnOrdinal, columnTypeText } from '../column.js'
import { type ColumnShape, guessRenames } from '../rename.js'

const pageSize = 5_000

export interface ChangeRow {
  fact: number
  at: Date
  kind: string
  property: string
  before: JsonValue
  after: JsonValue
  confidence: number | null
}

/** Inserts change rows; scope, side and owner follow from the fact's key. */
async function insertChanges(client: Client, rows: readonly ChangeRow[]): Promise<void> {
  if (rows.length === 0) return
  const json = (value: JsonValue) => (value === null ? null : JSON.stringify(value))
  await client.query(
    `insert into change_detail (fact, at, kind, property, before, after, confidence, scope, is_node, owner)
     select t.fact, t.at, t.kind, t.property, t.before::jsonb, t.after::jsonb, t.confidence, coalesce(n.scope, e.scope, h.scope), n.key is not null,
       case when coalesce(n.kind, s.kind) in ('Table', 'View') then coalesce(n.key, s.key) else coalesce(n.parent, s.parent) end
     from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::real[])
       as t(fact, at, kind, property, before, after, confidence)
     left join node_key n on n.key = t.fact
     left join edge_key e on e.key = t.fact
     left join node_key s on s.key = e.source
     -- a derived node belongs to no scope but by its history
     left join lateral (select scope from node_history h where h.node = n.key and n.scope is null limit 1) h on true`,
    [
      rows.map((r) => r.fact),
      rows.map((r) => r.at),
      rows.map((r) => r.kind),
      rows.map((r) => r.property),
      rows.map((r) => json(r.before)),
      rows.map((r) => json(r.after)),
      rows.map((r) => r.confidence),
    ],
  )
}

interface VersionPair {
  fact: number
  at: Date
  kind: NodeKind | null
  old_name: string | null
  old_qualified: string | null
  old_properties: Properties
  new_name: string | null
  new_qualified: string | null
  new_properties: Properties
}

const contentOf = (name: string | null, qualifiedName: string | null, properties: Properties): FactContent => ({
  name,
  qualifiedName,
  properties,
})

/** Writes what differs between the two versions in each row of `changed_version` (fact, at, before, after), and empties it. */
export async function saveDifferences(client: Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<VersionPair>(
      `with page as (delete from changed_version where ctid in (select ctid from changed_version limit ${pageSize}) returning *)
       select p.fact, p.at, k.kind, a.name as old_name, a.qualified_name as old_qualified, a.properties as old_properties,
         b.name as new_name, b.qualified_name as new_qualified, b.properties as new_properties
       from page p join fact_version a on a.hash = p.before join fact_version b on b.hash = p.after left join node_key k on k.key = p.fact`,
    )
    if (rows.length === 0) return
    const changes = rows.flatMap((row) =>
      differencesBetween(
        row.kind,
        contentOf(row.old_name, row.old_qualified, row.old_properties),
        contentOf(row.new_name, row.new_qualified, row.new_properties),
      ).map((difference) => ({ ...difference, fact: row.fact, at: row.at, confidence: null })),
    )
    await insertChanges(client, changes)
  }
}

interface SiteRow {
  owner: number
  at: Date
  kind: string
  fact: number
  id: string
  name: string
  properties: Properties
}

const shapeOf = ({ id, name, properties }: SiteRow): ColumnShape => ({
  id,
  name,
  type: columnTypeText(properties),
  ordinal: columnOrdinal(properties),
  nullable: columnNullable(properties),
})

/** Guesses again which columns were renamed at each (table, time) of `rename_site`, from the added and removed rows there. */
export async function saveRenames(client: Client): Promise<void> {
  const sites = await client.query('select 1 from rename_site limit 1')
  if (sites.rows.length === 0) return
  await client.query('analyze rename_site')
  await client.query(`delete from change_detail c using rename_site s where c.owner = s.owner and c.at = s.at and c.kind = 'renamed'`)
  const { rows } = await client.query<SiteRow>(
    `select s.owner, s.at, case when h.valid_from = s.at then 'node_added' else 'node_removed' end as kind, k.key as fact, k.id, v.name, v.properties
     from rename_site s join node_key k on k.parent = s.owner and k.kind = 'Column'
     join node_history h on h.node = k.key and (h.begins and h.valid_from = s.at or h.ends and h.valid_to = s.at)
     join fact_version v on v.hash = h.version
     order by s.owner, s.at, k.id`,
  )
  const columns = new Map<string, SiteRow[]>()
  for (const row of rows) {
    const name = `${row.owner} ${row.at.getTime()}`
    columns.set(name, [...(columns.get(name) ?? []), row])
  }
  const changes = [...columns.values()].flatMap((site) => {
    const gone = site.filter((row) => row.kind === 'node_removed')
    const come = site.filter((row) => row.kind === 'node_added')
    return guessRenames(gone.map(shapeOf), come.map(shapeOf)).map(({ from, to, confidence }) => ({
      fact: come.find((row) => row.id === to)!.fact,
      at: site[0]!.at,
      kind: 'renamed',
      property: '',
      before: from,
      after: to,
      confidence,
    }))
  })
  await insertChanges(client, changes)
}
