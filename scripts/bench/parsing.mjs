/**
 * Text to facts, printed apart per dialect: on one core, on all (threads, facts back in this one), and for texts that were read before
 * (what was kept of them in Postgres, decoded). Elements are columns; of Control-M, jobs; of JSON tables, rows.
 * BENCH_DIALECTS=hive-ddl,… picks some; BENCH_MB the size of each file (default 1), of which there are two per core.
 */
import fs from 'node:fs'
import os from 'node:os'
import { parseTexts } from '../../dist/catalog/parsing/parse-pool.js'
import { decodeFacts } from '../../dist/catalog/parsing/parsed-facts.js'
import { planReading, readTexts } from '../../dist/catalog/parsing/read-texts.js'
import { parseSource } from '../../dist/catalog/sources/index.js'
import { loadNow, openLedger, timed } from './support/ledger.mjs'

export const title = 'text to facts, per dialect: one core, all cores, unchanged text'

const bytes = Number(process.env.BENCH_MB ?? 1) * 2 ** 20
const cores = os.availableParallelism()
const files = 2 * cores

const types = ['bigint', 'varchar(40)', 'decimal(12,2)', 'date', 'boolean', 'double']
const columnsOf = (table, count, write) =>
  Array.from({ length: count }, (_, i) => write(`col_${table}_${i}`, types[(table + i) % types.length], i))

/** Statements until the text is large enough. */
function fill(statement, separator = '\n', size = bytes) {
  const parts = []
  for (let length = 0, i = 0; length < size; i++) {
    parts.push(statement(i))
    length += parts.at(-1).length + separator.length
  }
  return parts.join(separator)
}

const ddl =
  (more, { types: map = (t) => t, quote = (n) => n } = {}) =>
  (file) =>
    fill(
      (i) =>
        `CREATE TABLE ${quote(`core_${file}`)}.${quote(`table_${i}`)} (\n  ${columnsOf(i, 20, (name, type) => `${quote(name)} ${map(type)} ${more.column ?? ''}`).join(',\n  ')}\n)${more.table ?? ''};`,
    )
const jobs = (file) =>
  `<DEFTABLE>${fill(
    (i) =>
      `<FOLDER FOLDER_NAME="F${file}_${i}" DATACENTER="PROD"><JOB JOBNAME="J${i}" APPLICATION="CORE" CMDLINE="hive -e 'insert into core.t${i} select * from core.s${i}'" RUN_AS="svc" CYCLIC="0"><INCOND NAME="C${i}" ODATE="ODAT" AND_OR="A"/><OUTCOND NAME="C${i + 1}" ODATE="ODAT" SIGN="+"/><VARIABLE NAME="%%DB" VALUE="core"/></JOB></FOLDER>`,
  )}</DEFTABLE>`
const jsonJobs = (file) =>
  `{${fill(
    (i) =>
      `"F${file}_${i}": {"Type": "Folder", "ControlmServer": "PROD", "J${i}": {"Type": "Job:Command", "Command": "hive -e 'select * from core.t${i}'", "RunAs": "svc", "eventsToWaitFor": {"Type": "WaitForEvents", "Events": [{"Event": "C${i}"}]}, "eventsToAdd": {"Type": "AddEvents", "Events": [{"Event": "C${i + 1}"}]}}}`,
    ',',
  )}}`
const rows = (file) =>
  `[${fill((i) => JSON.stringify({ id: i, file, name: `somebody ${i}`, since: '2024-01-01', amount: i / 7, address: { city: 'Bern', zip: 3000 + (i % 99) }, tags: ['a', 'b'] }), ',')}]`
const schemas = (file) =>
  `[${fill(
    (i) =>
      JSON.stringify({
        db_id: `db_${file}_${i}`,
        table_names_original: ['a', 'b'],
        table_names: ['a', 'b'],
        column_names_original: [[-1, '*'], ...Array.from({ length: 20 }, (_, c) => [c % 2, `c${c}`])],
        column_names: [[-1, '*'], ...Array.from({ length: 20 }, (_, c) => [c % 2, `c ${c}`])],
        column_types: ['text', ...Array.from({ length: 20 }, (_, c) => (c % 3 ? 'text' : 'number'))],
        primary_keys: [1, 2],
        foreign_keys: [[3, 2]],
      }),
    ',',
  )}]`
const glean = (file) => {
  const facts = []
  for (let length = 0, i = 0; length < bytes; i++) {
    const table = `bench/s/table:core_${file}.t${Math.floor(i / 20)}`
    facts.push({
      key: {
        id: `bench/s/column:core_${file}.t${Math.floor(i / 20)}.c${i}`,
        kind: 'column',
        label: `c${i}`,
        project_id: 'bench',
        system_id: 's',
        exported_at: '2024-01-01T00:00:00.000Z',
        exported_at_epoch: 1704067200,
        properties_json: JSON.stringify({ data_type: 'int', qualified_name: table }),
      },
    })
    length += 300
  }
  return JSON.stringify([{ predicate: 'agenticAiETH.ETL.Node.1', facts }])
}

/** A view whose SELECT is one line of 40 kB, over and over. */
const longSelects = (file) =>
  `CREATE TABLE core.base (${columnsOf(0, 40, (_, type, i) => `c${i} ${type}`).join(', ')});\n${fill(
    (i) =>
      `CREATE VIEW mart.v_${file}_${i} AS SELECT ${fill((c) => `CASE WHEN c${c % 40} > ${c} THEN coalesce(c${(c + 1) % 40}, ${c}) ELSE c${(c + 2) % 40} END AS x${c}`, ', ', 40_000)} FROM core.base;`,
  )}`

const isColumn = (fact) => fact.fact === 'node' && fact.kind === 'Column'
const isJob = (fact) => fact.fact === 'node' && fact.kind === 'ControlMJob'
const rowCount = (fact) => (fact.fact === 'node' && fact.kind === 'Table' ? Number(fact.properties.row_count) : 0)
const backTick = (name) => `\`${name}\``
const cases = [
  { name: 'hive', dialect: 'hive-ddl', make: ddl({ column: "COMMENT 'what it is'", table: ' STORED AS ORC' }), element: isColumn },
  {
    name: 'hive, one file of 8 MB',
    dialect: 'hive-ddl',
    make: () => fill((i) => `CREATE TABLE core.t${i} (${columnsOf(i, 20, (n, t) => `${n} ${t}`).join(', ')});`, '\n', 8 * 2 ** 20),
    element: isColumn,
    files: 1,
  },
  { name: 'hive, SELECT lines of 40 kB', dialect: 'hive-ddl', make: longSelects, element: isColumn },
  {
    name: 'mysql',
    dialect: 'mysql-ddl',
    make: ddl(
      { column: "NOT NULL COMMENT 'what it is'", table: ' ENGINE=InnoDB' },
      { quote: backTick, types: (t) => (t === 'double' ? 'int unsigned' : t) },
    ),
    element: isColumn,
  },
  {
    name: 'postgres',
    dialect: 'postgres-ddl',
    make: ddl({ column: 'NOT NULL' }, { types: (t) => (t === 'double' ? 'double precision' : t) }),
    element: isColumn,
  },
  { name: 'spark', dialect: 'spark-ddl', make: ddl({ column: "COMMENT 'what it is'", table: ' USING delta' }), element: isColumn },
  {
    name: 'trino',
    dialect: 'trino-ddl',
    make: ddl({ column: "COMMENT 'what it is'", table: " WITH (format = 'ORC')" }),
    element: isColumn,
  },
  { name: 'control-m xml', dialect: 'control-m-xml', make: jobs, element: isJob },
  { name: 'control-m json', dialect: 'control-m-json', make: jsonJobs, element: isJob },
  { name: 'json tables (rows)', dialect: 'json-table', make: rows, element: rowCount },
  { name: 'schema json', dialect: 'schema-json', make: schemas, element: isColumn },
  { name: 'glean batch', dialect: 'glean-batch', make: glean, element: isColumn },
]

/** CPU seconds of this process and, of these, of this thread (where /proc tells): on a busy machine wall time says little. */
function cpu() {
  const { user, system } = process.cpuUsage()
  let own = (user + system) / 1e6
  try {
    const fields = fs.readFileSync(`/proc/self/task/${process.pid}/stat`, 'utf8').split(') ')[1].split(' ')
    own = (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    // not Linux
  }
  return { all: (user + system) / 1e6, own }
}

/** [result, seconds of the clock, CPU seconds of this thread, of the others] */
async function costed(work) {
  const before = cpu()
  const [result, seconds] = await timed(work)
  const after = cpu()
  const own = after.own - before.own
  return [result, seconds, own, after.all - before.all - own]
}

const count = (facts, element) => facts.reduce((sum, fact) => sum + Number(element(fact)), 0)
const context = { projectId: 'bench', systemId: 's' }
const perSecond = (n, seconds) => Math.round(n / seconds).toLocaleString('en')

/** Facts of all texts, back in this thread. */
async function parseOnAll(plan) {
  let facts = 0
  const take = (list) => {
    facts += list.length
  }
  await parseTexts(
    plan,
    { part: async (_, __, part) => take(decodeFacts(part)), facts: async (_, list) => take(list), done: async () => undefined },
    { leastBytes: 0 },
  )
  return facts
}

export async function run() {
  const { database, close } = await openLedger()
  const asked = process.env.BENCH_DIALECTS?.split(',')
  const table = []
  try {
    for (const { name, dialect, make, element, files: own = files } of cases.filter((c) => !asked || asked.includes(c.dialect))) {
      const inputs = Array.from({ length: own }, (_, i) => ({ dialect, file: `d/${i}.json`, text: make(i) }))
      const { jobs: plan } = await planReading(inputs, context)
      const total = plan.reduce((sum, { print }) => sum + print.bytes, 0)
      const first = inputs[0]
      const warm = await parseSource(dialect, first.text, { ...context, file: first.file })
      if (warm.problems.some((p) => p.severity === 'error')) throw new Error(`${name}: ${JSON.stringify(warm.problems[0])}`)
      const elements = own * count(warm.facts, element)
      const facts = own * warm.facts.length
      // a part of the files stands for all: they are alike
      const sample = inputs.slice(0, Math.min(own, 3))
      const [, , oneCpu, oneHelp] = await costed(async () => {
        for (const { text, file } of sample) await parseSource(dialect, text, { ...context, file })
      })
      // garbage is collected by threads of its own
      const oneAll = ((oneCpu + oneHelp) * own) / sample.length
      const [, all, mainCpu, threadsCpu] = await costed(() => parseOnAll(plan))
      const bound = Math.max(mainCpu, threadsCpu / Math.min(cores, own))
      await readTexts(database, plan, { ...context, keep: true, leastBytes: 0 })
      const [read, , again] = await costed(async () => {
        const reading = await readTexts(database, plan, { ...context, keep: true, leastBytes: 0 })
        let n = 0
        for await (const _ of reading.facts()) n++
        return n
      })
      if (read !== facts && own > 1 && Math.abs(read - facts) > own * 100)
        throw new Error(`${name}: read ${read} facts, expected about ${facts}`)
      table.push({
        dialect: name,
        MB: (total / 1e6).toFixed(1),
        elements: elements.toLocaleString('en'),
        '1 core/s': perSecond(elements, oneAll),
        'MB/s': (total / 1e6 / oneAll).toFixed(1),
        [`${cores} cores/s`]: perSecond(elements, bound),
        'all : one': `${(oneAll / bound).toFixed(2)}x`,
        'by the clock': `${(oneAll / all).toFixed(2)}x`,
        'unchanged/s': perSecond(elements, again),
        'unchanged : one': `${(oneAll / again).toFixed(1)}x`,
      })
      if (process.env.BENCH_VERBOSE) console.log(table.at(-1))
    }
    return {
      rows: table,
      notes: [
        loadNow(),
        "rates are of CPU time, threads as if each had its core (the longer of this thread, which takes in the facts, and a core's share of the others); the clock tells what other work on the machine leaves",
      ],
    }
  } finally {
    await close()
  }
}
