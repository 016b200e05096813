import type { Client } from '../../postgres/sql.js'
import type { EdgeFact, NodeFact } from '../fact.js'
import type { DerivedContent } from './derived-content.js'
import type { Hint } from './open-store.js'
import { openDerivedScopes, type ProjectScopes } from './scope-store.js'

/** What an open edge makes for a while. */
export interface DerivedPart extends DerivedContent, Hint {
  /** the open edge */
  origin: number
  /** of the system whose text it is */
  scope: number
  /** the node that contains a derived node */
  parentId: string
  fact: NodeFact | EdgeFact
  from: number
  to: number
}

/** Keys of facts. */
export interface FactKeys {
  nodes: number[]
  edges: number[]
}

async function keysOf(client: Client, facts: readonly number[]): Promise<FactKeys> {
  const { rows } = await client.query<{ key: number }>('select key from node_key where key = any($1)', [facts])
  const nodes = new Set(rows.map((row) => row.key))
  return { nodes: [...nodes], edges: facts.filter((fact) => !nodes.has(fact)) }
}

/** Takes back what open edges made so far. */
export async function takeParts(client: Client, origins: Iterable<number>): Promise<FactKeys> {
  const { rows } = await client.query<{ fact: number }>('delete from derivation where origin = any($1) returning fact', [[...origins]])
  return keysOf(client, [...new Set(rows.map((row) => row.fact))])
}

const timestamp = (milliseconds: number): string => (Number.isFinite(milliseconds) ? new Date(milliseconds).toISOString() : 'infinity')
const pageSize = 10_000

/** Saves what open edges make, with keys and contents that are new; returns the keys of the facts. */
export async function saveParts(client: Client, scopes: ProjectScopes, all: readonly DerivedPart[]): Promise<FactKeys> {
  const derived = await openDerivedScopes(client, [...new Set(all.map((part) => part.scope))])
  for (const key of derived.values()) if (!scopes.derived.includes(key)) scopes.derived.push(key)
  const made: FactKeys = { nodes: [], edges: [] }
  const nodes = all.filter((part) => part.fact.fact === 'node')
  const edges = all.filter((part) => part.fact.fact === 'edge')
  for (const [list, keys, save] of [
    [nodes, made.nodes, saveNodeKeys],
    [edges, made.edges, saveEdgeKeys],
  ] as const)
    for (let start = 0; start < list.length; start += pageSize) {
      const page = list.slice(start, start + pageSize)
      await saveContents(client, page)
      const found = await save(client, page, derived)
      for (const key of new Set(found)) keys.push(key)
      await insertParts(client, page, found, derived)
    }
  return { nodes: [...new Set(made.nodes)], edges: [...new Set(made.edges)] }
}

export async function saveContents(client: Client, contents: readonly DerivedContent[]): Promise<void> {
  const rows = [...new Map(contents.map((content) => [content.version, content])).values()]
  await client.query(
    `insert into fact_version (hash, name, qualified_name, properties, canonical)
     select * from unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::text[]) on conflict (hash) do nothing`,
    (['version', 'name', 'qualifiedName', 'json', 'canonical'] as const).map((name) => rows.map((row) => row[name])),
  )
}

/** The keys of the parts' nodes, in their order. */
async function saveNodeKeys(client: Client, parts: readonly DerivedPart[]): Promise<number[]> {
  const facts = parts.map((part) => part.fact as NodeFact)
  const values = [facts.map((fact) => fact.id), facts.map((fact) => fact.kind), parts.map((part) => part.parentId)]
  const given = 'unnest($1::text[], $2::text[], $3::text[]) as t(id, kind, parent)'
  await client.query(
    `insert into node_key (id, kind, parent) select distinct on (t.id) t.id, t.kind, p.key from ${given} join node_key p on p.id = t.parent
     order by t.id on conflict (id) do nothing`,
    values,
  )
  await client.query(
    `update node_key k set parent = p.key from ${given} join node_key p on p.id = t.parent where k.id = t.id and k.parent is null`,
    values,
  )
  const { rows } = await client.query<{ id: string; key: number }>('select id, key from node_key where id = any($1)', [values[0]])
  const keys = new Map(rows.map((row) => [row.id, row.key]))
  return facts.map((fact) => keys.get(fact.id)!)
}

/** The keys of the parts' edges, in their order. */
async function saveEdgeKeys(client: Client, parts: readonly DerivedPart[], derived: ReadonlyMap<number, number>): Promise<number[]> {
  const facts = parts.map((part) => part.fact as EdgeFact)
  return openEdgeKeys(
    client,
    facts.map((fact, i) => ({ ...fact, scope: derived.get(parts[i]!.scope)! })),
  )
}

/** Keys of edges in scopes, made where they are new; both ends must have keys. */
export async function openEdgeKeys(
  client: Client,
  edges: readonly (Pick<EdgeFact, 'sourceId' | 'label' | 'targetId' | 'discriminator'> & { scope: number })[],
): Promise<number[]> {
  const values = [
    ...(['sourceId', 'label', 'targetId'] as const).map((name) => edges.map((edge) => edge[name])),
    edges.map((edge) => edge.discriminator ?? ''),
    edges.map((edge) => edge.scope),
  ]
  const given = `unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[]) with ordinality as t(source, label, target, discriminator, scope, place)
    join node_key a on a.id = t.source join node_key b on b.id = t.target`
  await client.query(
    `insert into edge_key (source, label, target, discriminator, scope)
     select distinct a.key, t.label, b.key, t.discriminator, t.scope from ${given} on conflict do nothing`,
    values,
  )
  const { rows } = await client.query<{ key: number }>(
    `select e.key from ${given} join edge_key e on e.source = a.key and e.label = t.label and e.target = b.key
       and e.discriminator = t.discriminator and e.scope = t.scope order by t.place`,
    values,
  )
  return rows.map((row) => row.key)
}

async function insertParts(
  client: Client,
  parts: readonly DerivedPart[],
  keys: readonly number[],
  derived: ReadonlyMap<number, number>,
): Promise<void> {
  await client.query(
    `insert into derivation (scope, origin, fact, valid_from, valid_to, version, file, location)
     select * from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::uuid[], $7::integer[], $8::text[])`,
    [
      parts.map((part) => derived.get(part.scope)!),
      parts.map((part) => part.origin),
      keys,
      parts.map((part) => timestamp(part.from)),
      parts.map((part) => timestamp(part.to)),
      parts.map((part) => part.version),
      parts.map((part) => part.file),
      parts.map((part) => part.location),
    ],
  )
}

/** Nodes that statements come to make, or cease to, and that follow from others too. */
export async function readRetakenNodes(client: Client, derived: readonly number[]): Promise<number[]> {
  const { rows } = await client.query<{ node: number }>(
    'select distinct p.node from node_plan p join derivation d on d.fact = p.node where d.scope = any($1)',
    [derived],
  )
  return rows.map((row) => row.node)
}

/** Derived edges at nodes that come, go or change (or are among `nodes`), and those that statements make, or cease to make, themselves. */
export async function readAdjacentEdges(client: Client, derived: readonly number[], nodes: readonly number[]): Promise<number[]> {
  await client.query('drop table if exists derived_moved')
  await client.query('create temp table derived_moved (node bigint primary key) on commit drop')
  await client.query('insert into derived_moved select node from node_plan union select unnest($1::bigint[]) on conflict do nothing', [
    nodes,
  ])
  await client.query('analyze derived_moved')
  const { rows: counts } = await client.query<{ moved: number; made: number }>(
    'select (select count(*) from derived_moved) as moved, (select count(*) from derivation where scope = any($1)) as made',
    [derived],
  )
  // from the side that is smaller: a million columns that come meet few edges that follow, and the other way round. The laterals keep
  // it to look-ups, whatever the planner believes of tables that have just grown.
  const isFew = counts[0]!.moved < counts[0]!.made
  const atEnd = (end: string) =>
    isFew
      ? `select e.key from derived_moved m cross join lateral (select key, scope from edge_key k where k.${end} = m.node offset 0) e where e.scope = any($1)`
      : `select e.key from derivation d cross join lateral (select * from edge_key k where k.key = d.fact offset 0) e
         join derived_moved m on m.node = e.${end} where d.scope = any($1)`
  const { rows } = await client.query<{ key: number }>(
    `${atEnd('source')} union ${atEnd('target')}
     union
     select e.key from edge_raw r cross join lateral (select * from edge_key k where k.key = r.edge offset 0) t
     cross join lateral (select key, scope from edge_key k where k.source = t.source and k.label = t.label and k.target = t.target
       and k.discriminator = t.discriminator offset 0) e where e.scope = any($1)`,
    [derived],
  )
  return rows.map((row) => row.key)
}

/** Forgets keys of derived facts that are no fact any more, of those in `derived_touched`; what goes must be noted in the outbox before. */
export async function sweepDerivedKeys(client: Client): Promise<void> {
  await client.query(
    `delete from edge_key e using derived_touched t, catalog_scope s
     where t.is_edge and e.key = t.key and s.key = e.scope and s.derived_of is not null and ${isUnfounded('edge', 'e')}`,
  )
  await client.query(
    `delete from node_key k using derived_touched t where not t.is_edge and k.key = t.key and k.scope is null and ${isUnfounded('node', 'k')}
       and not exists (select from assertion a where a.fact = k.key)
       and not exists (select from edge_key e where e.source = k.key) and not exists (select from edge_key e where e.target = k.key)`,
  )
}

/** The condition that a fact neither was at any time nor follows from anything. */
export const isUnfounded = (side: 'node' | 'edge', alias: string): string =>
  `not exists (select from ${side}_history h where h.${side} = ${alias}.key) and not exists (select from derivation d where d.fact = ${alias}.key)`
