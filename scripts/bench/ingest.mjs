/**
 * Columns per second from parsed facts into the ledger, beside what Postgres itself does with the same columns in the same run: COPY into
 * a bare table, and upserts by UNNEST. $BENCH_COLUMNS (default 200,000) says how many.
 */
import { ingestFacts } from '../../dist/catalog/ingest.js'
import { copyRows } from '../../dist/postgres/copy.js'
import { loadNow, openLedger, peakMemory, timed } from './support/ledger.mjs'
import { estateFacts } from './support/synthetic-estate.mjs'

const columns = Number(process.env.BENCH_COLUMNS ?? 200_000)
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

export async function run() {
  const { database, close } = await openLedger()
  const rows = []
  const measure = async (what, work) => {
    const [[result, seconds], peak] = await peakMemory(() => timed(work))
    rows.push({
      what,
      s: seconds.toFixed(2),
      'columns/s': Math.round(columns / seconds).toLocaleString('en'),
      'memory +MiB': peak.toFixed(0),
    })
    if (process.env.BENCH_VERBOSE) console.log(rows.at(-1))
    return result
  }
  const day = (n) => new Date(Date.UTC(2025, 0, n))
  const ingestAt = (n, options) =>
    ingestFacts(database, {
      ...{ projectId: 'bench', systemId: 'warehouse', complete: true, observedAt: day(n), now: day(n) },
      ...{ facts: () => estateFacts({ columns, ...options }), sources: [{ dialect: 'hive-ddl', file: 'estate.sql' }] },
    })
  try {
    if (!process.env.BENCH_NO_RAW) {
      await measure('raw COPY', () => rawCopy(database))
      await measure('raw UNNEST upsert, new', () => rawUpsert(database))
      await measure('raw UNNEST upsert, again', () => rawUpsert(database))
    }
    await measure('ingest, new', () => ingestAt(1))
    const again = await measure('ingest, the same again', () => ingestAt(2))
    const changed = await measure('ingest, 1 % changed', () => ingestAt(3, { changed: 0.01 }))
    const notes = [loadNow(), `changes: ${again.changes} in the second, ${changed.changes} in the third`]
    return { rows, notes }
  } finally {
    await close()
  }
}
