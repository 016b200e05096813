/**
 * Lineage of depth 5 over 400,000 edges: 2,100 tables of 40 columns in 21 layers; every column but the first layer's comes from five
 * columns of the layer before it, near its own place. Read from the ledger (readLineage) and walked by one recursive query beside it.
 */
import { ingestFacts } from '../../dist/catalog/ingest.js'
import { readLineage } from '../../dist/catalog/reads/lineage-store.js'
import { seeded } from '../../dist/util/random.js'
import { loadNow, median, openLedger, timed } from './support/ledger.mjs'

const layers = 21
const tablesPerLayer = Number(process.env.BENCH_TABLES_PER_LAYER ?? 100)
const width = 40
const sources = 5
const rounds = 100

const columns = layers * tablesPerLayer * width
export const title = `lineage of depth 5: ${columns.toLocaleString('en')} columns, ${(sources * (columns - tablesPerLayer * width)).toLocaleString('en')} DATA_FLOW edges`

const provenance = { dialect: 'hive-ddl', file: 'lineage.sql', location: 'line 1' }
const tableOf = (layer, table) => `layer_${layer}.table_${table}`
const columnId = (layer, table, column) => `bench/warehouse/column:${tableOf(layer, table)}.c${column}`

function* facts() {
  for (let layer = 0; layer < layers; layer++)
    for (let table = 0; table < tablesPerLayer; table++) {
      const qualified = tableOf(layer, table)
      const id = `bench/warehouse/table:${qualified}`
      yield { fact: 'node', id, kind: 'Table', name: `table_${table}`, qualifiedName: qualified, properties: {}, provenance }
      for (let c = 0; c < width; c++) {
        const properties = { data_type: 'bigint', ordinal: c + 1 }
        yield {
          fact: 'node',
          id: columnId(layer, table, c),
          kind: 'Column',
          name: `c${c}`,
          qualifiedName: `${qualified}.c${c}`,
          properties,
          provenance,
        }
        yield { fact: 'edge', sourceId: id, label: 'HAS_COLUMN', targetId: columnId(layer, table, c), properties: {}, provenance }
        for (let s = 0; layer > 0 && s < sources; s++) {
          const from = columnId(layer - 1, (table + s) % tablesPerLayer, (c + s * 7) % width)
          const flow = { transformation: s === 0 ? 'copy' : 'expression' }
          yield { fact: 'edge', sourceId: from, label: 'DATA_FLOW', targetId: columnId(layer, table, c), properties: flow, provenance }
        }
      }
    }
}

const walk = `
with recursive walk (key, depth) as (
  select key, 0 from node_key where id = $1
  union
  select k.source, w.depth + 1 from walk w join edge_key k on k.target = w.key and k.label = 'DATA_FLOW'
  join edge_history h on h.edge = k.key and h.valid_to = 'infinity' and h.is_visible where w.depth < 5
)`
const recursiveKeys = `${walk} select count(distinct key) - 1 as n from walk`

/** The same with what the nodes and the edges between them say, as readLineage answers. */
const recursiveWhole = `
${walk}, visited as (select key, min(depth) as depth from walk group by key)
select (select json_agg(json_build_array(n.id, v.depth, f.name, f.properties)) from visited v join node_key n using (key)
    join node_history h on h.node = v.key and h.valid_to = 'infinity' join fact_version f on f.hash = h.version) as nodes,
  (select json_agg(json_build_array(a.id, k.label, b.id, f.properties)) from visited s join edge_key k on k.source = s.key and k.label = 'DATA_FLOW'
    join visited t on t.key = k.target join edge_history h on h.edge = k.key and h.valid_to = 'infinity' and h.is_visible
    join node_key a on a.key = k.source join node_key b on b.key = k.target join fact_version f on f.hash = h.version) as edges`

export async function run() {
  const { database, close } = await openLedger()
  try {
    const [report, seconds] = await timed(() =>
      ingestFacts(database, {
        ...{ projectId: 'bench', systemId: 'warehouse', complete: true, observedAt: new Date(), now: new Date(), facts },
        sources: [{ dialect: 'hive-ddl', file: 'lineage.sql' }],
      }),
    )
    await database.query('analyze')
    const rng = seeded(1)
    const starts = Array.from({ length: rounds }, () => columnId(10, rng.integer(tablesPerLayer), rng.integer(width)))
    const cases = {
      'readLineage upstream, depth 5': async (id) =>
        (await readLineage(database, id, { direction: 'upstream', depth: 5, nodeBudget: 10_000 })).nodes.length - 1,
      'readLineage downstream, depth 5': async (id) =>
        (await readLineage(database, id, { direction: 'downstream', depth: 5, nodeBudget: 10_000 })).nodes.length - 1,
      'a plain recursive query of the same, upstream': async (id) => (await database.query(recursiveWhole, [id])).rows[0].nodes.length - 1,
      'keys alone, upstream': async (id) => (await database.query(recursiveKeys, [id])).rows[0].n,
    }
    const rows = []
    const measured = Object.keys(cases).map((what) => ({ what, times: [], found: 0 }))
    // the cases take turns
    for (const id of starts)
      for (const one of measured) {
        const start = performance.now()
        one.found += await cases[one.what](id)
        one.times.push(performance.now() - start)
      }
    for (const { what, times, found } of measured) {
      times.sort((a, b) => a - b)
      rows.push({
        what,
        'nodes found': Math.round(found / rounds),
        'median ms': median(times).toFixed(1),
        'p95 ms': times[Math.floor(rounds * 0.95)].toFixed(1),
      })
    }
    return {
      rows,
      notes: [`ingest of ${(report.nodes.added + report.edges.added).toLocaleString('en')} facts: ${seconds.toFixed(1)} s`, loadNow()],
    }
  } finally {
    await close()
  }
}
