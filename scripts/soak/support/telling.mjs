/** What a ledger and a graph say, in forms that can be compared. */
import assert from 'node:assert/strict'
import { catalogGraph } from '../../../dist/catalog/projection/graph-store.js'
import { encodeProperties } from '../../../dist/graph/properties.js'
import { graphReaders } from '../../../dist/platform.js'
import { canonicalJson, sha256 } from '../../../dist/util/hash.js'

const told = {
  nodes: `select k.id, h.kind, h.valid_from, h.valid_to, v.name, v.qualified_name, v.properties, s.system_id from node_history h
    join node_key k on k.key = h.node join fact_version v on v.hash = h.version join catalog_scope s on s.key = h.scope order by 1, 3`,
  edges: `select a.id as source, h.label, b.id as target, h.discriminator, h.valid_from, h.valid_to, v.properties, h.is_visible, s.system_id
    from edge_row h join node_key a on a.key = h.source join node_key b on b.key = h.target
    join fact_version v on v.hash = h.version join catalog_scope s on s.key = h.scope order by 1, 2, 3, 4, 9, 5`,
  changes: `select coalesce(n.id, a.id || ' ' || e.label || ' ' || b.id || ' ' || e.discriminator) as fact, c.at, c.kind, c.property, c.before,
      c.after, c.confidence from change c left join node_key n on c.is_node and n.key = c.fact left join edge_ends e on not c.is_node and e.key = c.fact
    left join node_key a on a.key = e.source left join node_key b on b.key = e.target order by 1, 2, 3, 4, 5, 6`,
  metrics: `select k.id, m.name, m.observed_at, m.value from metric m join node_key k on k.key = m.node order by 1, 2, 3`,
  snapshots: `select observed_at, content_hash, is_complete from snapshot order by position`,
  assertions: `select s.observed_at, coalesce(n.id, x.id || ' ' || e.label || ' ' || y.id || ' ' || e.discriminator) as fact, a.version
    from snapshot s join assertion_row a on a.stream = s.stream and a.from_position <= s.position and a.to_position > s.position
    left join node_key n on n.key = a.fact left join edge_ends e on e.key = a.fact
    left join node_key x on x.key = e.source left join node_key y on y.key = e.target order by 1, 2, 3`,
}

/** One hash for each thing that a ledger tells, by ids: the same for the same snapshots, however they came. */
export async function tellLedger(database) {
  const hashes = {}
  for (const [what, text] of Object.entries(told)) hashes[what] = sha256(JSON.stringify((await database.query(text)).rows))
  return hashes
}

/** Each finds what must be there once only, and is there again. */
const doubles = {
  snapshots: `select scope, observed_at, content_hash from snapshot group by 1, 2, 3 having count(*) > 1`,
  'node ids': 'select id from node_key group by 1 having count(*) > 1',
  'edge ids': 'select source, label, target, discriminator, scope from edge_ends group by 1, 2, 3, 4, 5 having count(*) > 1',
  'current nodes': `select node from node_history where valid_to = 'infinity' group by 1 having count(*) > 1`,
  'current edges': `select edge from edge_row where valid_to = 'infinity' group by 1 having count(*) > 1`,
  changes: 'select fact, at, kind, property, before, after from change group by 1, 2, 3, 4, 5, 6 having count(*) > 1',
  'overlapping versions': `select a.node from node_history a join node_history b on b.node = a.node and b.valid_from > a.valid_from and b.valid_from < a.valid_to`,
}

/** Nothing is there twice, and no snapshot in parts. */
export async function assertNoDoubles(database) {
  for (const [what, text] of Object.entries(doubles)) {
    const { rows } = await database.query(`${text} limit 3`)
    assert.deepEqual(rows, [], `${what} that are there twice`)
  }
}

/** The graph as the ledger has it: line by line, ids and properties. */
async function expectedGraph(database) {
  const nodes = new Map()
  const edges = new Map()
  const line = (labels, { values, times }, own) => canonicalJson({ labels, ...values, ...times, ...own })
  for (const reader of [catalogGraph, ...graphReaders])
    for await (const page of reader(database))
      for (const change of page) {
        const properties = encodeProperties(change.properties)
        if (change.op === 'upsert-node') nodes.set(change.id, line([change.kind], properties, { id: change.id }))
        else {
          const { sourceId, label, targetId, discriminator } = change
          if (nodes.has(sourceId) && nodes.has(targetId))
            edges.set(edgeKey(sourceId, label, targetId, discriminator), line([label], properties, { discriminator }))
        }
      }
  return { nodes, edges }
}

const edgeKey = (source, label, target, discriminator) => JSON.stringify([source, label, target, discriminator])
/** Engines print moments their own way. */
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/
const plain = (properties) =>
  Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [
      key,
      typeof value === 'string' && /_at$/.test(key) && moment.test(value) ? new Date(value).toISOString() : value,
    ]),
  )

const pageSize = 2_000

/** The graph as people's Cypher shows it, whole; `read` sends a query. */
async function shownGraph(read) {
  const nodes = new Map()
  const edges = new Map()
  const ask = async (query, params) => {
    const { rows, isPartial } = await read(query, params)
    assert.equal(isPartial, false, query)
    return rows
  }
  let count = 0
  for (let after = ''; ; ) {
    const page = await ask('MATCH (n:Node) WHERE n.id > $after RETURN n ORDER BY n.id LIMIT $n', { after, n: pageSize })
    if (page.length === 0) break
    for (const [{ id, labels, properties }] of page) {
      assert.ok(!nodes.has(id), `node ${id} is in the graph twice`)
      nodes.set(id, canonicalJson({ labels, ...plain(properties) }))
    }
    const ids = page.map(([node]) => node.id)
    for (const [edge] of await ask('UNWIND $ids AS id MATCH (a:Node {id: id})-[r]->(:Node) RETURN r', { ids })) {
      const key = edgeKey(edge.start, edge.type, edge.end, edge.properties.discriminator)
      assert.ok(!edges.has(key), `edge ${key} is in the graph twice`)
      edges.set(key, canonicalJson({ labels: [edge.type], ...plain(edge.properties) }))
    }
    count += page.length
    after = ids.at(-1)
  }
  const [[nodeCount]] = await ask('MATCH (n:Node) RETURN count(n)')
  const [[edgeCount]] = await ask('MATCH ()-[r]->() RETURN count(r)')
  assert.deepEqual([nodeCount, edgeCount], [count, edges.size], 'nodes and edges that no page showed')
  return { nodes, edges }
}

function assertSame(what, shown, expected) {
  const missing = [...expected.keys()].filter((key) => !shown.has(key))
  const left = [...shown.keys()].filter((key) => !expected.has(key))
  const other = [...expected].filter(([key, value]) => shown.has(key) && shown.get(key) !== value)
  const some = (keys) => `${keys.length}${keys.length > 0 ? ` (${keys.slice(0, 3).join(' ')})` : ''}`
  const said = `${what}: ${some(missing)} missing, ${some(left)} too many, ${some(other.map(([key, value]) => `${key}: ${shown.get(key)} for ${value}`))} different`
  assert.ok(missing.length + left.length + other.length === 0, said)
}

/** Node by node and edge by edge, properties included: the graph is the ledger. Answers how many there are. */
export async function assertGraphIsLedger(database, read) {
  const expected = await expectedGraph(database)
  const shown = await shownGraph(read)
  assertSame('nodes', shown.nodes, expected.nodes)
  assertSame('edges', shown.edges, expected.edges)
  // The views of the ledger name the same facts (the catalog's; runs and the like are no facts of it).
  const { rows } = await database.query(`select (select array_agg(id) from node) as nodes, (select count(*)::int from (
    select distinct source_id, label, target_id, discriminator from edge) e) as edges`)
  for (const id of rows[0].nodes ?? []) assert.ok(shown.nodes.has(id), `${id} of the view "node" is not in the graph`)
  assert.ok(shown.edges.size >= rows[0].edges, 'edges of the view "edge" that are not in the graph')
  return { nodes: shown.nodes.size, edges: shown.edges.size }
}
