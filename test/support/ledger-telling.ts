import { ingestFacts } from '../../src/catalog/ingest.js'
import type { Database } from '../../src/postgres/sql.js'
import type { WorldSnapshot } from './ledger-world.js'

export const at = (day: number) => new Date(Date.UTC(2024, 0, 1 + day))

export async function clear(database: Database): Promise<void> {
  await database.query(
    `truncate catalog_scope, stream, snapshot, snapshot_problem, snapshot_removal, node_key, edge_key, fact_version, source_file, assertion,
     node_history, edge_history, change_detail, open_end, derivation, metric, graph_outbox restart identity cascade`,
  )
}

export const load = (database: Database, { system, complete, day, file, facts }: WorldSnapshot) =>
  ingestFacts(database, {
    ...{ projectId: 'p', systemId: system, complete, observedAt: at(day), now: at(9), facts },
    sources: [{ dialect: 'test', file }],
  })

/** Everything the ledger tells, by ids: what must depend on nothing but the set of snapshots. */
export async function tell(database: Database) {
  const ask = async (text: string) => (await database.query(text)).rows as Record<string, unknown>[]
  return {
    nodes:
      await ask(`select k.id, h.kind, h.valid_from, h.valid_to, v.name, v.qualified_name, v.properties, v.canonical, v.is_partial, s.system_id
      from node_history h join node_key k on k.key = h.node join fact_version v on v.hash = h.version join catalog_scope s on s.key = h.scope
      order by k.id, h.valid_from`),
    edges:
      await ask(`select a.id as source, h.label, b.id as target, h.discriminator, h.valid_from, h.valid_to, v.properties, h.is_visible, s.system_id
      from edge_row h join node_key a on a.key = h.source join node_key b on b.key = h.target
      join fact_version v on v.hash = h.version join catalog_scope s on s.key = h.scope
      order by a.id, h.label, b.id, h.discriminator, s.system_id, h.valid_from, v.properties::text`),
    changes:
      await ask(`select coalesce(n.id, a.id || ' ' || e.label || ' ' || b.id ) as fact, e.discriminator, c.at, c.kind, c.property, c.before, c.after,
        c.confidence, o.id as owner, c.is_node, s.system_id
      from change c join catalog_scope s on s.key = c.scope left join node_key n on n.key = c.fact left join edge_ends e on e.key = c.fact
      left join node_key a on a.key = e.source left join node_key b on b.key = e.target left join node_key o on o.key = c.owner
      order by 1, 2, 3, 4, 5, 6, 7, 11`),
    metrics: await ask(`select k.id, m.name, m.observed_at, m.value from metric m join node_key k on k.key = m.node order by 1, 2, 3`),
    snapshots: await ask(`select id, position, observed_at, system_id, content_hash, is_complete from snapshot order by position`),
  }
}
export type Told = Awaited<ReturnType<typeof tell>>

/** What lies under it: what each snapshot asserts, and every id and content that is known at all. */
export async function tellStored(database: Database) {
  const ask = async (text: string) => (await database.query(text)).rows as Record<string, unknown>[]
  return {
    assertions: await ask(`select s.id as snapshot, coalesce(n.id, x.id || ' ' || e.label || ' ' || y.id) as fact, a.version
      from snapshot s join assertion_row a on a.stream = s.stream and a.from_position <= s.position and a.to_position > s.position
      left join node_key n on n.key = a.fact left join edge_ends e on e.key = a.fact
      left join node_key x on x.key = e.source left join node_key y on y.key = e.target order by 1, 2, 3`),
    ids: await ask(`select k.id, k.kind, s.system_id from node_key k left join catalog_scope s on s.key = k.scope order by 1`),
    edges: await ask(`select x.id as source, e.label, y.id as target, s.system_id from edge_ends e join node_key x on x.key = e.source
      join node_key y on y.key = e.target join catalog_scope s on s.key = e.scope order by 1, 2, 3, 4`),
    contents: await ask('select hash, is_partial from fact_version order by hash'),
    streams: await ask(
      'select s.project_id, s.system_id, t.name from catalog_scope s left join stream t on t.scope = s.key where s.derived_of is null order by 1, 2, 3',
    ),
  }
}
