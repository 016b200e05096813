import { it } from 'vitest'
import type { Fact } from '../../../src/catalog/fact.js'
import { ingestFacts } from '../../../src/catalog/ingest.js'
import { freshDatabase } from '../../support/database.js'

const N = Number(process.env['TABLES'] ?? 1000)
const p = { dialect: 'hive-ddl', file: 'a.sql', location: 'line 1' }
function* facts(variant: number): Generator<Fact> {
  const dbs = Math.ceil(N / 500)
  for (let d = 0; d < dbs; d++) yield { fact: 'node', id: `b/h/database:db${d}`, kind: 'Database', name: `db${d}`, qualifiedName: `db${d}`, properties: {}, provenance: p }
  for (let t = 0; t < N; t++) {
    const q = `db${t % dbs}.some_table_name_${t}`
    yield { fact: 'node', id: `b/h/table:${q}`, kind: 'Table', name: `some_table_name_${t}`, qualifiedName: q, properties: { comment: 'x', format: 'orc' }, provenance: p }
    yield { fact: 'edge', sourceId: `b/h/database:db${t % dbs}`, label: 'CONTAINS', targetId: `b/h/table:${q}`, properties: {}, provenance: p }
    for (let c = 0; c < 20; c++) {
      const id = `b/h/column:${q}.column_name_${c}`
      yield { fact: 'node', id, kind: 'Column', name: `column_name_${c}`, qualifiedName: `${q}.column_name_${c}`, properties: { data_type: t % 1000 === variant ? 'bigint' : 'string', type_tree: { name: t % 1000 === variant ? 'bigint' : 'string' }, nullable: true, ordinal: c + 1, comment: `comment of column ${c}` }, provenance: p }
      yield { fact: 'edge', sourceId: `b/h/table:${q}`, label: 'HAS_COLUMN', targetId: id, properties: {}, provenance: p }
    }
  }
}
it('bench', async () => {
  const { database } = await freshDatabase()
  const orig = database.transaction.bind(database)
  database.transaction = ((work: any, o: any) => orig((client: any) => {
    const q = client.query
    const wrapped = { ...client, copyFrom: client.copyFrom, copyTo: client.copyTo, query: async (t: string, v: any) => { const s = performance.now(); const r = await q(t, v); const ms = performance.now() - s; if (ms > Number(process.env['SLOW'] ?? 300)) console.log(ms.toFixed(0), t.trim().slice(0, 110).replace(/\s+/g, ' ')); return r } }
    return work(wrapped)
  }, o)) as any
  for (const [name, day, variant, complete] of [['initial', 1, 0, true], ['same', 2, 0, true], ['changed 1/1000', 3, 1, true]] as const) {
    const s = performance.now()
    const r = await ingestFacts(database, { projectId: 'b', systemId: 'h', complete, observedAt: new Date(Date.UTC(2024, 0, day)), now: new Date(), facts: () => facts(variant), sources: [{ dialect: 'hive-ddl', file: 'a.sql' }] })
    console.log('=====', name, ((performance.now() - s) / 1000).toFixed(1), 's', JSON.stringify(r.nodes), JSON.stringify(r.edges), 'rss', (process.memoryUsage().rss / 1e6).toFixed(0), 'MB heap', (process.memoryUsage().heapUsed / 1e6).toFixed(0))
  }
  const s = performance.now()
  await ingestFacts(database, { projectId: 'b', systemId: 'h', observedAt: new Date(Date.UTC(2024, 0, 9)), now: new Date(), facts: [...facts(1)].slice(-42), sources: [{ dialect: 'hive-ddl', file: 'b.sql' }] })
  console.log('===== small partial', (performance.now() - s).toFixed(0), 'ms')
  const s2 = performance.now()
  await ingestFacts(database, { projectId: 'b', systemId: 'h', observedAt: new Date(Date.UTC(2024, 0, 4)), now: new Date(), facts: [...facts(2)].slice(-42), sources: [{ dialect: 'hive-ddl', file: 'b.sql' }] })
  console.log('===== small late partial', (performance.now() - s2).toFixed(0), 'ms')
  console.log((await database.query('select pg_size_pretty(pg_database_size(current_database())) s')).rows)
}, 900_000)
