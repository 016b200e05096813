import type { Client } from '../../postgres/sql.js'
import type { NodeKind, Properties } from '../../vocabulary.js'
import type { FactContent } from '../change.js'
import { overlayContent } from '../resolve/merge.js'
import { inForce, type NewSnapshot } from './snapshot-store.js'
import { canonicalOf, encodeContent } from './staged-row.js'
import type { Overlay } from './temporal.js'

/** Contents that no source said in one piece: a state with partial statements laid over it. */
class Contents {
  private readonly made = new Map<string, [name: string | null, qualifiedName: string | null, json: string, canonical: string | null]>()

  /** The version of a full content, to be saved. */
  add(kind: NodeKind, content: FactContent): string {
    const { json, version } = encodeContent(content)
    this.made.set(version, [content.name, content.qualifiedName, json, canonicalOf(kind, content.properties)])
    return version
  }

  async save(client: Client): Promise<void> {
    const rows = [...this.made]
    if (rows.length === 0) return
    await client.query(
      `insert into fact_version (hash, name, qualified_name, properties, canonical)
       select * from unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::text[]) on conflict (hash) do nothing`,
      [rows.map(([hash]) => hash), ...([0, 1, 2, 3] as const).map((i) => rows.map(([, row]) => row[i]))],
    )
  }
}

const contentOf = (row: { name: string; qualified_name: string; properties: Properties }): FactContent => ({
  name: row.name,
  qualifiedName: row.qualified_name,
  properties: row.properties,
})

/** Decides what the partial statements of the snapshot make of the nodes in force: `incoming_node.state`. */
export async function settlePartials(client: Client, snapshot: NewSnapshot): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{
      key: number
      kind: NodeKind
      said: { name: string; qualified_name: string; properties: Properties }
      before: { name: string; qualified_name: string; properties: Properties } | null
    }>(
      `select i.key, i.kind, to_jsonb(p) as said, to_jsonb(b) as before from incoming_node i
       join fact_version p on p.hash = i.version
       left join (node_history h join catalog_scope s on s.key = h.scope and s.derived_of is null)
         on h.node = i.key and ${inForce('h', snapshot)}
       left join fact_version b on b.hash = h.version
       where i.state is null limit 5000`,
    )
    if (rows.length === 0) return
    const contents = new Contents()
    const states = rows.map(({ kind, said, before }) => {
      const content = before ? overlayContent(contentOf(before), contentOf(said)) : contentOf(said)
      return { version: contents.add(kind, content), canonical: canonicalOf(kind, content.properties) }
    })
    await contents.save(client)
    await client.query(
      `update incoming_node i set state = t.state, canonical = t.canonical
       from unnest($1::bigint[], $2::uuid[], $3::text[]) as t(key, state, canonical) where t.key = i.key`,
      [rows.map((row) => row.key), states.map(({ version }) => version), states.map(({ canonical }) => canonical)],
    )
  }
}

/** Prepares laying partial versions over others for these nodes; `save` writes the contents that this made. */
export async function openOverlay(
  client: Client,
  keys: readonly number[],
): Promise<{ overlayFor(key: number): Overlay; save(): Promise<void> }> {
  const { rows } = await client.query<{
    key: number
    kind: NodeKind
    hash: string
    is_partial: boolean
    name: string
    qualified_name: string
    properties: Properties
  }>(
    `select distinct k.key, k.kind, v.* from node_key k join assertion a on a.fact = k.key join fact_version v on v.hash = a.version
     where k.key in (select p.fact from assertion p join fact_version w on w.hash = p.version and w.is_partial where p.fact = any($1))`,
    [keys],
  )
  const contents = new Contents()
  const known = new Map(rows.map((row) => [row.hash, { content: contentOf(row), isPartial: row.is_partial }]))
  const kinds = new Map(rows.map((row) => [row.key, row.kind]))
  const overlayFor =
    (key: number): Overlay =>
    (before, version) => {
      const said = known.get(version)
      if (!said?.isPartial) return version
      const content = before === null ? said.content : overlayContent(known.get(before)!.content, said.content)
      const made = contents.add(kinds.get(key)!, content)
      known.set(made, { content, isPartial: false })
      return made
    }
  return { overlayFor, save: () => contents.save(client) }
}
