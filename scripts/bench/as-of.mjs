/**
 * Reads as of an earlier moment beside reads of what is now, on a ledger with a history: twelve snapshots, each of which changed one
 * column in twenty. $BENCH_COLUMNS (default 100,000) says how many columns. Reads of the two kinds take turns.
 */
import { ingestFacts } from '../../dist/catalog/ingest.js'
import { readColumnsOf, readEdgesOf, readNodes, readNodesById } from '../../dist/catalog/reads/read-store.js'
import { seeded } from '../../dist/util/random.js'
import { loadNow, median, openLedger } from './support/ledger.mjs'
import { estateFacts } from './support/synthetic-estate.mjs'

const columns = Number(process.env.BENCH_COLUMNS ?? 100_000)
const snapshots = 12
const rounds = 300
const tables = Math.ceil(columns / 30)

export const title = `reads as of an earlier moment against reads of now: ${columns.toLocaleString('en')} columns, ${snapshots} snapshots`

const day = (n) => new Date(Date.UTC(2025, 0, n))

/** State n of the estate: one column in twenty has another type than before. */
function* stateFacts(n) {
  let ordinal = 0
  for (const fact of estateFacts({ columns })) {
    if (fact.kind !== 'Column') yield fact
    else yield (ordinal++ % 20) % snapshots < n ? { ...fact, properties: { ...fact.properties, comment: `state ${n}` } } : fact
  }
}

export async function run() {
  const { database, close } = await openLedger()
  try {
    for (let n = 1; n <= snapshots; n++)
      await ingestFacts(database, {
        ...{ projectId: 'bench', systemId: 'warehouse', complete: true, observedAt: day(n), now: day(n), facts: () => stateFacts(n) },
        sources: [{ dialect: 'hive-ddl', file: 'estate.sql' }],
      })
    await database.query('analyze')
    const rng = seeded(1)
    const tableId = () => {
      const t = rng.integer(tables)
      return `bench/warehouse/table:db_${Math.floor(t / 100)}.table_${t}`
    }
    const columnId = () => `${tableId().replace('/table:', '/column:')}.column_${rng.integer(30)}`
    const reads = {
      'one node': (moment) => readNodesById(database, [columnId()], moment),
      '100 nodes by id': (moment) => readNodesById(database, Array.from({ length: 100 }, columnId), moment),
      'columns of a table': (moment) => readColumnsOf(database, [tableId()], moment),
      'edges out of a table': (moment) => readEdgesOf(database, [tableId()], 'out', moment),
      'a page of 50 tables': (moment) => readNodes(database, { projectId: 'bench', kinds: ['Table'], ...moment }, { limit: 50 }),
      'a page of 50 columns': (moment) =>
        readNodes(database, { projectId: 'bench', kinds: ['Column'], ...moment }, { limit: 50, after: tables }),
    }
    const rows = []
    for (const [what, read] of Object.entries(reads)) {
      const times = { now: [], earlier: [] }
      for (let i = 0; i < rounds; i++)
        for (const kind of ['now', 'earlier']) {
          const start = performance.now()
          await read(kind === 'now' ? {} : { asOf: day(2 + (i % (snapshots - 2))) })
          times[kind].push(performance.now() - start)
        }
      const [now, earlier] = [median(times.now), median(times.earlier)]
      rows.push({ what, 'now ms': now.toFixed(2), 'as of ms': earlier.toFixed(2), ratio: (earlier / now).toFixed(2) })
    }
    return { rows, notes: [`goal: at most 2; ${loadNow()}`] }
  } finally {
    await close()
  }
}
