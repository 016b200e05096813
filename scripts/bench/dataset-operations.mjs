/**
 * Statistics of every field, splits and tabular steps over a million rows, each in a process of its own (so that its peak memory is its
 * own), beside DuckDB's SUMMARIZE of the same JSONL file. ROWS=100000 runs it smaller.
 */
import { fork } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import readline from 'node:readline'

export const title = 'statistics, splits and steps over a million rows of a table, beside DuckDB'

const count = Number(process.env.ROWS ?? 1_000_000)
const file = path.join(os.tmpdir(), `espalier-bench-operations-${count}.jsonl`)
const colours = ['red', 'green', 'blue', 'teal', 'plum']

/** Row i, the same each time. */
function rowOf(i) {
  const u = ((Math.imul(i + 1, 2654435761) >>> 0) + 0.5) / 2 ** 32
  const v = ((Math.imul(i + 7, 1597334677) >>> 0) + 0.5) / 2 ** 32
  return {
    id: `order-${i}`,
    amount: Math.round(-Math.log(u) * 1e4) / 100,
    quantity: 1 + ((i * 31) % 40),
    price: i % 50 === 0 ? null : Math.round((u * 80 + v * 20) * 100) / 100,
    colour: colours[(i * 7 + (i >> 5)) % 5],
    customer: `customer ${Math.floor(v * 20_000)}`,
    at: new Date(1.6e12 + i * 61_000).toISOString(),
    returned: u * 5 < v,
  }
}

function write() {
  if (fs.existsSync(file)) return
  const part = `${file}.part`
  const out = fs.openSync(part, 'w')
  for (let i = 0; i < count; i += 5000)
    fs.writeSync(out, `${Array.from({ length: Math.min(5000, count - i) }, (_, k) => JSON.stringify(rowOf(i + k))).join('\n')}\n`)
  fs.closeSync(out)
  fs.renameSync(part, file)
}

async function* rows() {
  for await (const line of readline.createInterface({ input: fs.createReadStream(file, { highWaterMark: 1 << 20 }) }))
    yield JSON.parse(line)
}

const load = (name) => import(`../../dist/datasets/${name}.js`)
const split = async (options) => (await load('splits/plan')).planSplit(rows(), 'tabular', options)
const steps = [
  { op: 'impute', columns: ['price'] },
  { op: 'z-score', columns: ['amount', 'quantity'] },
  { op: 'quantile', columns: ['price'] },
  { op: 'one-hot', columns: ['colour'] },
  { op: 'target-encode', columns: ['customer'], target: 'returned' },
  { op: 'date-parts', column: 'at' },
]

async function duckdb(threads, sql) {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const connection = await (await DuckDBInstance.create(':memory:', { threads: String(threads) })).connect()
  return (await connection.runAndReadAll(sql)).currentRowCount
}
const source = `read_json('${file}', format = 'newline_delimited')`

const cases = {
  'read the lines (no work)': async () => {
    for await (const row of rows()) if (row === null) throw new Error('a row is null')
  },
  'statistics of every field': async () => (await load('statistics/collect')).collectStatistics(rows()),
  'DuckDB SUMMARIZE, 1 thread': () => duckdb(1, `SUMMARIZE SELECT * FROM ${source}`),
  'DuckDB SUMMARIZE, 4 threads': () => duckdb(4, `SUMMARIZE SELECT * FROM ${source}`),
  'split at random': () => split({}),
  'split by content': () => split({ byContent: true }),
  'split by stratum': () => split({ method: 'stratified', by: 'colour' }),
  'split by group (20,000)': () => split({ method: 'group', by: 'customer' }),
  'split by time': () => split({ method: 'time', by: 'at' }),
  'fit six steps': async () => (await load('operations/fit')).fitOperations(rows, steps),
  'do six steps': async () => {
    const [{ fitOperations }, { applyOperations }] = [await load('operations/fit'), await load('operations/fitted')]
    const some = await fitOperations(async function* () {
      for (let i = 0; i < 10_000; i++) yield rowOf(i)
    }, steps)
    const began = performance.now()
    let n = 0
    for await (const row of applyOperations(some, rows())) if (row) n++
    if (n !== count) throw new Error(`${n} rows came back`)
    return { ms: performance.now() - began }
  },
}

/** One case in a process of its own. */
function measure(name) {
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, [name], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: process.env })
    child.once('message', resolve)
    child.once('error', reject)
    child.once('exit', (code) => code !== 0 && reject(new Error(`${name}: ended with ${code}`)))
  })
}

export async function run() {
  write()
  const found = []
  for (const name of Object.keys(cases)) found.push(await measure(name))
  const table = found.map(({ name, ms, peak }) => ({
    case: name,
    'rows/s': Math.round((1000 * count) / ms).toLocaleString('en'),
    seconds: (ms / 1000).toFixed(2),
    'peak MiB': Math.round(peak / 2 ** 20),
  }))
  fs.rmSync(file)
  return {
    rows: table,
    notes: [
      `${count.toLocaleString('en')} rows of 8 columns as JSONL; every case reads the file, and takes its time from before the first line to the answer.`,
      'SUMMARIZE gives count, nulls, approximate distinct, mean, deviation, extremes and quartiles; ours also mode, seven percentiles, histograms, lengths and correlations.',
      'Peak is the resident set of the whole process, the runtime included.',
    ],
  }
}

if (process.argv[1] === import.meta.filename && process.argv[2]) {
  const name = process.argv[2]
  const began = performance.now()
  const answer = await cases[name]()
  const ms = typeof answer?.ms === 'number' ? answer.ms : performance.now() - began
  process.send({ name, ms, peak: process.resourceUsage().maxRSS * 1024 }, () => process.exit(0))
}
