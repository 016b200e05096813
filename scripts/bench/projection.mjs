/**
 * Projection of an estate from the ledger into the graph: what a first load leaves in the outbox, drained as the server does it, then a
 * rebuild, then one column in a hundred changed. Beside it the engine alone with the same changes, made beforehand. Into Grafeo, and into
 * Neo4j where $NEO4J_URI is set (`node scripts/neo4j/start.mjs -- npm run bench -- projection`). $BENCH_COLUMNS (default 50,000) columns.
 */

import { ingestFacts } from '../../dist/catalog/ingest.js'
import { drainOutbox } from '../../dist/catalog/projection/drain.js'
import { catalogGraph } from '../../dist/catalog/projection/graph-store.js'
import { rebuildGraph } from '../../dist/catalog/projection/rebuild.js'
import { openGrafeo } from '../../dist/graph/grafeo.js'
import { openNeo4j } from '../../dist/graph/neo4j.js'
import { loadNow, log, openLedger, timed } from './support/ledger.mjs'
import { estateFacts } from './support/synthetic-estate.mjs'

const columns = Number(process.env.BENCH_COLUMNS ?? 50_000)
export const title = `projection of ${columns.toLocaleString('en')} columns into the graph`

const { NEO4J_URI: uri, NEO4J_USERNAME: username = 'neo4j', NEO4J_PASSWORD: password = '', NEO4J_DATABASE: name } = process.env
const engines = {
  grafeo: () => openGrafeo({ folder: null, log }),
  ...(uri ? { neo4j: () => openNeo4j({ uri, username, password, ...(name ? { database: name } : {}) }) } : {}),
}

const day = (n) => new Date(Date.UTC(2025, 0, n))
const load = (database, n, options = {}) =>
  ingestFacts(database, {
    ...{ projectId: 'bench', systemId: 'warehouse', complete: true, observedAt: day(n), now: day(n) },
    ...{ facts: () => estateFacts({ columns, ...options }), sources: [{ dialect: 'hive-ddl', file: 'estate.sql' }] },
  })

async function measure(engineName) {
  const { database, close } = await openLedger()
  const engine = await engines[engineName]()
  const rows = []
  const add = (what, changes, seconds) =>
    rows.push({
      engine: engineName,
      what,
      changes: changes.toLocaleString('en'),
      s: seconds.toFixed(2),
      'changes/s': Math.round(changes / seconds).toLocaleString('en'),
    })
  try {
    await engine.clear()
    await engine.prepare()
    await load(database, 1)
    const all = []
    let alone = 0
    for await (const page of catalogGraph(database)) all.push(...page)
    const apply = async (changes) => {
      for (let i = 0; i < changes.length; i += 5_000) await engine.apply(changes.slice(i, i + 5_000), 0)
    }
    // A Java server gets faster as it goes on: nobody is to be measured cold.
    for (let i = 0; i < 3; i++) await apply(all)
    await engine.clear()
    for (const side of ['node', 'edge']) {
      const changes = all.filter((change) => change.op === `upsert-${side}`)
      const [, seconds] = await timed(() => apply(changes))
      add(`the engine alone, ${side}s`, changes.length, seconds)
      alone += seconds
    }
    await engine.clear()
    const [, drained] = await timed(() => drainOutbox(database, engine))
    add('drain of a first load', all.length, drained)
    const [{ rows: counted }] = [await engine.read({ text: 'MATCH (n:Node) RETURN count(n)' })]
    add('rebuild', all.length, (await timed(() => rebuildGraph({ database, engine })))[1])
    const { changes } = await load(database, 2, { changed: 0.01 })
    add('drain of 1 % changed', changes, (await timed(() => drainOutbox(database, engine)))[1])
    return { rows, nodes: counted[0][0], ratio: alone / drained }
  } finally {
    await engine.close()
    await close()
  }
}

export async function run() {
  const rows = []
  const notes = []
  for (const engine of Object.keys(engines)) {
    const measured = await measure(engine)
    rows.push(...measured.rows)
    notes.push(
      `${engine}: the drain has ${Math.round(100 * measured.ratio)} % of the speed of the engine alone; ${measured.nodes.toLocaleString('en')} nodes after it`,
    )
  }
  return { rows, notes: [...notes, uri ? loadNow() : `Neo4j: NEO4J_URI is not set; ${loadNow()}`] }
}
