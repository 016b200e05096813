/** Search over a million columns, by the code of the server: medians per kind of question, beside a plain look-up by an index. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const dist = (file) => import(path.resolve(import.meta.dirname, '../../dist', file))
const columns = Number(process.env['ESPALIER_BENCH_COLUMNS'] ?? 1_000_000)
const perTable = 50
const repeats = 15

/** Two thousand words, and names as estates have them: keys and time stamps everywhere, the rest of two or three words. */
const estate = `
create temp table vocabulary as
select i, (array['cust','acc','ord','pay','ship','inv','prod','ven','reg','bra','con','cla','pol','ris','tax'])[1 + i % 15]
  || (array['omer','ount','er','ment','ping','oice','uct','dor','ion','nch','tract','im','icy','k','es'])[1 + (i / 15) % 15]
  || case when i >= 225 then substr(md5(i::text), 1, 3) else '' end as word from generate_series(0, 1999) i;
create temp table fact as
select t::bigint * ${perTable + 1} as key, 'Table' as kind, a.word || '_' || b.word as name, 'db' || t % 40 || '.' || a.word || '_' || b.word || '_' || t as qualified_name,
  null::text as comment, t % 20 + 1 as project, a.word as one, b.word as two
from generate_series(1, ${columns / perTable}) t join vocabulary a on a.i = (t * 7) % 2000 join vocabulary b on b.i = (t * 13 + t / 2000) % 2000;
insert into fact
select key + c, 'Column', n.name, qualified_name || '.' || n.name, case when c % 5 = 0 then 'the ' || one || ' of the ' || two end, project
from fact, generate_series(1, ${perTable}) c cross join lateral (select ('x' || substr(md5((key + c)::text), 1, 6))::bit(24)::int as h) r
cross join lateral (select case c when 1 then 'id' when 2 then 'created_at' when 3 then 'updated_at' when 4 then one || '_id' else
  (array['amount','status','code','name','date','type','flag','number','rate','owner','street','city','country','email','phone','balance','limit','score','reason','channel'])[1 + h % 20]
  || '_' || c || case when h % 3 = 0 then '_' || two else '' end end as name) n
where kind = 'Table';
insert into catalog_scope (project_id, system_id) select 'p' || p, 's' from generate_series(1, 20) p;
insert into node_key (key, id, kind, scope) select key, 'p' || project || '/s/' || lower(kind) || ':' || qualified_name, kind, project from fact;
insert into fact_version (hash, name, qualified_name, properties)
select md5(key::text)::uuid, name, qualified_name, case when comment is null then '{}' else jsonb_build_object('comment', comment) end from fact;
insert into node_history (node, valid_from, version, scope, kind, begins) select key, '2024-01-01', md5(key::text)::uuid, project, kind, true from fact;
analyze node_key; analyze fact_version; analyze node_history`

const questions = {
  'a word in 40,000 names': { text: 'id' },
  'a word of one table in 100': { text: 'customer' },
  'two words': { text: 'customer amount' },
  'three words, one a beginning': { text: 'account status inv' },
  'the beginning of a word': { text: 'cust' },
  'two letters': { text: 'co' },
  'a qualified name': { text: 'db7.customer_account' },
  'words of comments': { text: 'the customer of the account' },
  'a slip': { text: 'custmoer' },
  'two slips': { text: 'acount balence' },
  'nothing alike': { text: 'xylophone' },
  'tables alone': { text: 'payment', kinds: ['Table'] },
  'one project of 20': { text: 'customer id', projectId: 'p7' },
  'one project, columns alone': { text: 'balance', projectId: 'p7', kinds: ['Column'] },
}

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1]

async function time(work) {
  const times = []
  let answer
  for (let i = 0; i < repeats; i++) {
    const start = performance.now()
    answer = await work()
    times.push(performance.now() - start)
  }
  return { ms: median(times), worst: times.at(-1), answer }
}

export const title = `search over ${columns.toLocaleString('en')} columns`

export async function run() {
  const { startEmbeddedPostgres } = await dist('postgres/embedded.js')
  const { openDatabase } = await dist('postgres/database.js')
  const { migrate } = await dist('postgres/migrate.js')
  const { createLogger } = await dist('util/log.js')
  const { search } = await dist('catalog/search/search-store.js')
  const { indexChanged } = await dist('catalog/search/search-index-store.js')
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-bench-'))
  const server = await startEmbeddedPostgres({ folder, log: createLogger('error') })
  const database = await openDatabase(server.url)
  try {
    await migrate(database)
    let indexing = 0
    await database.transaction(async (client) => {
      await client.query(estate)
      await client.query('create temp table graph_node on commit drop as select key as node from fact; analyze graph_node')
      const start = performance.now()
      await indexChanged(client, { isLast: false })
      indexing = performance.now() - start
    })
    await database.query('vacuum analyze search_entry')
    await database.query('vacuum analyze search_word')
    const { rows: known } = await database.query('select id from node_key where key = $1', [Math.floor(columns / 2)])
    const lookup = await time(() => database.query('select * from node_key where id = $1', [known[0]?.id ?? '']))
    const rows = [
      {
        question: 'one id, by its index',
        found: 1,
        'median ms': lookup.ms.toFixed(2),
        'worst ms': lookup.worst.toFixed(2),
        'times that': 1,
      },
    ]
    for (const [question, request] of Object.entries(questions)) {
      const { ms, worst, answer } = await time(() => search(database, request))
      const found = await answer.count()
      rows.push({ question, found, 'median ms': ms.toFixed(2), 'worst ms': worst.toFixed(2), 'times that': Math.round(ms / lookup.ms) })
    }
    const { rows: sizes } = await database.query(
      `select pg_size_pretty(pg_total_relation_size('search_entry')) as entries, count(*) as words from search_word`,
    )
    const notes = [
      `indexing all of it at once: ${(indexing / 1000).toFixed(1)} s; ${sizes[0].entries} of entries and index, ${sizes[0].words} words`,
    ]
    return { rows, notes }
  } finally {
    await database.close()
    await server.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
