/**
 * Columns per second from parsed facts into the ledger, beside what Postgres itself does with the same columns in the same run: COPY into
 * a bare table, upserts by UNNEST, and (the floor) the ledger's own rows put into tables of the same indexes by one INSERT … SELECT each.
 * $BENCH_COLUMNS (default 100,000) says how many, $BENCH_ROUNDS (3) how often; $BENCH_LARGE (default 1,000,000; 0: none) how many for the look at
 * memory. A load of 20,000 into a ledger of its own comes first: a process's first one is compiled while it runs (measured: 0.85 of the speed of the next).
 */
import { ingestFacts } from '../../dist/catalog/ingest.js'
import { buildIndexes, takeIndexes } from '../../dist/postgres/bulk-load.js'
import { copyRows } from '../../dist/postgres/copy.js'
import { loadNow, median, openLedger, peakMemory, timed } from './support/ledger.mjs'
import { estateFacts } from './support/synthetic-estate.mjs'

const columns = Number(process.env.BENCH_COLUMNS ?? 100_000)
const large = Number(process.env.BENCH_LARGE ?? 1_000_000)
const wide = 3_000
const rounds = Number(process.env.BENCH_ROUNDS ?? 3)
export const title = `${columns.toLocaleString('en')} columns from facts into the ledger`

function* columnRows() {
  for (const f of estateFacts({ columns })) if (f.kind === 'Column') yield [f.id, f.kind, f.name, JSON.stringify(f.properties)]
}

async function rawCopy(database) {
  await database.query('create table raw_copy (id text, kind text, name text, properties jsonb)')
  return database.transaction((client) => copyRows(client, 'raw_copy', ['id', 'kind', 'name', 'properties'], columnRows()))
}

async function rawUpsert(database) {
  await database.query('create table if not exists raw_upsert (id text primary key, kind text, name text, properties jsonb)')
  await database.transaction(async (client) => {
    const save = (rows) =>
      client.query(
        `insert into raw_upsert select * from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[])
         on conflict (id) do update set kind = excluded.kind, name = excluded.name, properties = excluded.properties`,
        [0, 1, 2, 3].map((i) => rows.map((row) => row[i])),
      )
    const batch = []
    for (const row of columnRows()) {
      batch.push(row)
      if (batch.length === 1_000) await save(batch.splice(0))
    }
    if (batch.length > 0) await save(batch)
  })
}

const ledgerTables = ['fact_version', 'node_key', 'edge_key', 'assertion', 'node_history', 'edge_history', 'search_entry']

/** The rows that the ledger holds by now, once more: into tables with the same indexes, filled as they are or built at the end. */
async function floor(database, name, isBuiltAtEnd) {
  const copies = ledgerTables.map((table) => `${name}_${table}`)
  for (const [i, copy] of copies.entries()) await database.query(`create table ${copy} (like ${ledgerTables[i]} including all)`)
  return () =>
    database.transaction(async (client) => {
      const indexes = isBuiltAtEnd ? await takeIndexes(client, copies) : []
      for (const [i, copy] of copies.entries()) await client.query(`insert into ${copy} select * from ${ledgerTables[i]}`)
      await buildIndexes(client, indexes)
    })
}

const day = (n) => new Date(Date.UTC(2025, 0, n))
const ingestAt = (database, n, options = {}) =>
  ingestFacts(database, {
    ...{ projectId: options.projectId ?? 'bench', systemId: 'warehouse', complete: true, observedAt: day(n), now: day(n) },
    ...{ facts: () => estateFacts({ columns, ...options }), sources: [{ dialect: 'hive-ddl', file: 'estate.sql' }] },
  })

/** What upserts of the columns alone took, in the round before it: what all that follows is divided by. */
const peer = 'raw UNNEST upsert, new'

/** A line per case, of medians; `of`: how many columns it is about. */
function table() {
  const cases = new Map()
  let peerSeconds = Number.NaN
  return {
    async measure(what, work, of = columns) {
      const [[result, seconds], peak] = await peakMemory(() => timed(work))
      if (what === peer) peerSeconds = seconds
      const runs = cases.get(what) ?? []
      cases.set(what, [...runs, { seconds, peak, rate: of / seconds, ratio: of / seconds / (columns / peerSeconds) }])
      if (process.env.BENCH_VERBOSE) console.log(what, seconds.toFixed(2), loadNow())
      return Object.assign(result ?? {}, { seconds })
    },
    get rows() {
      return [...cases].map(([what, runs]) => ({
        what,
        s: median(runs.map((run) => run.seconds)).toFixed(2),
        'columns/s': Math.round(median(runs.map((run) => run.rate))).toLocaleString('en'),
        'of UNNEST': median(runs.map((run) => run.ratio)).toFixed(2),
        'peak RSS MiB': Math.max(...runs.map((run) => run.peak)).toFixed(0),
      }))
    },
  }
}

/** In a ledger of its own, so that each begins with an empty one. */
async function inLedger(work) {
  const { database, close } = await openLedger()
  try {
    return await work(database)
  } finally {
    await close()
  }
}

export async function run() {
  const lines = table()
  const { measure } = lines
  const notes = [loadNow()]
  await inLedger((database) => ingestAt(database, 1, { columns: 20_000 }))
  const widths = []
  for (let round = 0; round < rounds; round++) {
    await inLedger(async (database) => {
      await measure('raw COPY', () => rawCopy(database))
      await measure(peer, () => rawUpsert(database))
      await measure('raw UNNEST upsert, again', () => rawUpsert(database))
      await measure('ingest, new, into an empty ledger', () => ingestAt(database, 1))
      await measure('floor: its rows alone, indexes as they are', await floor(database, 'kept', false))
      await measure('floor: its rows alone, indexes built at the end', await floor(database, 'built', true))
      const again = await measure('ingest, the same again', () => ingestAt(database, 2))
      const changed = await measure('ingest, 1 % changed', () => ingestAt(database, 3, { changed: 0.01 }))
      await measure('ingest, new, beside as many that say the same', () => ingestAt(database, 4, { projectId: 'other' }))
      await measure('ingest, new, beside twice as many that do not', () => ingestAt(database, 5, { projectId: 'third', stem: 'order' }))
      if (round === 0) notes.push(`changes: ${again.changes} the second time, ${changed.changes} the third`)
    })
    const secondsOf = async (width) => {
      const what = `ingest, new, tables of ${width.toLocaleString('en')} columns`
      return (await inLedger((database) => measure(what, () => ingestAt(database, 1, { width })))).seconds
    }
    const atWide = await secondsOf(wide)
    const atNarrow = await secondsOf(30)
    widths.push(atWide / atNarrow)
  }
  const ratio = median(widths).toFixed(2)
  notes.push(`a column of a table of ${wide} takes ${ratio} of the time of one of 30 (median of ${rounds}; goal: at most 1)`)
  if (large > 0)
    await inLedger((database) =>
      measure(`ingest, new, ${large.toLocaleString('en')} columns`, () => ingestAt(database, 1, { columns: large }), large),
    )
  return { rows: lines.rows, notes: [...notes, `medians of ${rounds} rounds`, loadNow()] }
}
