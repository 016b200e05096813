/**
 * The life of a dataset of a million labeled texts: import, validation with quality, enhancement, split, export, and another thousand rows.
 * Each stage runs in a process of its own, so that its peak memory is its own, beside reading the lines alone and DuckDB. ROWS=100000 runs
 * it smaller.
 */
import { fork } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import readline from 'node:readline'

export const title = 'a million labeled texts: import, validate, enhance, split, export'

const dist = (file) => import(path.resolve(import.meta.dirname, '../../dist', file))
const count = Number(process.env.ROWS ?? 1_000_000)
const more = 1000
const fileOf = (rows) => path.join(os.tmpdir(), `espalier-bench-texts-${rows}.jsonl`)
const files = { first: fileOf(count), grown: fileOf(count + more) }

const intents = ['pay', 'track', 'cancel', 'book', 'greet', 'complain', 'change', 'ask', 'return', 'order', 'call', 'refund'].flatMap(
  (verb) => [`${verb}_one`, `${verb}_two`],
)
const syllables = [
  'ba',
  'ren',
  'to',
  'mil',
  'ka',
  'sor',
  'en',
  'du',
  'lin',
  'pra',
  'vo',
  'tes',
  'ga',
  'mon',
  'ri',
  'shu',
  'fel',
  'ox',
  'ne',
  'wat',
]

/** A number that looks drawn at random, the same for the same i and k. */
const draw = (i, k) => {
  let h = Math.imul(i + 1, 2654435761) ^ Math.imul(k + 1, 1597334677)
  h = Math.imul(h ^ (h >>> 15), 2246822519)
  h = Math.imul(h ^ (h >>> 13), 3266489917)
  return (h ^ (h >>> 16)) >>> 0
}
const wordOf = (n) => syllables[n % 20] + syllables[Math.floor(n / 20) % 20] + (n % 3 ? syllables[Math.floor(n / 400) % 20] : '')

/** Row i: some twelve words, one in ten nearly that of an earlier row, one in fifty with something to clean. */
function rowOf(i) {
  const like = i > 1000 && draw(i, 0) % 10 === 0 ? draw(i, 1) % i : i
  const words = Array.from({ length: 9 + (draw(like, 2) % 7) }, (_, k) => wordOf(draw(like, 10 + k) % 8000))
  const intent = intents[Math.floor(Math.sqrt(draw(like, 3) % 576))]
  words[1] = intent.replace('_', ' ')
  if (like !== i) words.push('please')
  const text = (draw(i, 4) % 50 === 0 ? '  ' : '') + words.join(' ')
  const start = text.indexOf(words[3])
  const entities = i % 4 === 0 ? [[words[3], 'THING', start, start + words[3].length]] : []
  const confidence = draw(i, 5) % 100 === 0 ? 1.5 : 0.5 + (draw(i, 6) % 50) / 100
  return {
    id: `text-${i}`,
    text,
    expected_intent: intent,
    expected_sentiment: ['good', 'bad', 'neutral'][draw(like, 7) % 3],
    expected_entities: entities,
    confidence,
  }
}

function write(file, rows) {
  if (fs.existsSync(file)) return
  const part = `${file}.part`
  const out = fs.openSync(part, 'w')
  for (let i = 0; i < rows; i += 5000)
    fs.writeSync(out, `${Array.from({ length: Math.min(5000, rows - i) }, (_, k) => JSON.stringify(rowOf(i + k))).join('\n')}\n`)
  fs.closeSync(out)
  fs.renameSync(part, file)
}

async function ask(setting, work) {
  const { openDatabase } = await dist('postgres/database.js')
  const { localBlobs } = await dist('blobs/local.js')
  const { findDatasetVersion, readDatasets } = await dist('datasets/store.js')
  const database = await openDatabase(setting.url)
  try {
    const blobs = localBlobs(setting.blobs)
    const version = async (reference) => findDatasetVersion(database, (await readDatasets(database))[0].id, reference)
    return await work(database, blobs, version)
  } finally {
    await database.close()
  }
}

const importing = (file) => (setting) =>
  ask(setting, async (database, blobs) => {
    const { importDataset } = await dist('datasets/exchange/import.js')
    const blobsBefore = blobsIn(setting.blobs)
    const { version } = await importDataset(database, blobs, {
      dataset: { projectId: 'bench', name: 'texts', kind: 'labeled-text' },
      source: fs.createReadStream(file, { highWaterMark: 1 << 18 }),
      file,
      now: new Date(),
    })
    const [fresh, bytes] = added(blobsBefore, blobsIn(setting.blobs))
    return `${version.number}: ${fresh} new chunks, ${(bytes / 2 ** 20).toFixed(1)} MiB`
  })

function blobsIn(folder) {
  if (!fs.existsSync(folder)) return new Map()
  const found = fs.readdirSync(folder, { recursive: true }).filter((file) => /[0-9a-f]{64}$/.test(file))
  return new Map(found.map((file) => [file, fs.statSync(path.join(folder, file)).size]))
}
function added(before, after) {
  const fresh = [...after].filter(([file]) => !before.has(file))
  return [fresh.length, fresh.reduce((sum, [, size]) => sum + size, 0)]
}

async function* lines() {
  for await (const line of readline.createInterface({ input: fs.createReadStream(files.first, { highWaterMark: 1 << 20 }) }))
    yield JSON.parse(line)
}
const duck = (sql) => async () => {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '4' })).connect()
  await connection.run(sql(`read_json('${files.first}', format = 'newline_delimited')`))
}
const parquet = path.join(os.tmpdir(), 'espalier-bench-texts.parquet')

const stages = {
  'read and parse the lines (no work)': async () => {
    for await (const row of lines()) if (!row.text) throw new Error('a row without text')
  },
  'DuckDB, 4 threads: lines to Parquet': duck((source) => `COPY (SELECT * FROM ${source}) TO '${parquet}' (FORMAT parquet)`),
  import: importing(files.first),
  'read a version, verified': (setting) =>
    ask(setting, async (database, blobs, version) => {
      const { readDatasetRows } = await dist('datasets/store.js')
      for await (const row of readDatasetRows(database, blobs, (await version('1.0')).id))
        if (row === null) throw new Error('a row is null')
    }),
  'validate, quality included': (setting) =>
    ask(setting, async (database, blobs, version) => {
      const { validateVersion } = await dist('datasets/validation/validate-version.js')
      const { report } = await validateVersion(database, blobs, { versionId: (await version('1.0')).id, fresh: true }, new Date())
      const { overall } = report.quality
      return `near-duplicates ${report.statistics.nearDuplicates}, fixable confidences ${report.counts['confidence-range']}, quality ${overall.toFixed(3)}`
    }),
  'enhance: clean, confidence, duplicates, balance': (setting) =>
    ask(setting, async (database, blobs, version) => {
      const { enhanceVersion } = await dist('datasets/enhancement/enhance-version.js')
      const options = { clean: {}, confidence: {}, duplicates: {}, balance: {} }
      const { report, version: made } = await enhanceVersion(database, blobs, { versionId: (await version('1.0')).id, options }, new Date())
      return `${made.number}: ${report.rowsAfter} rows`
    }),
  'split, stratified': (setting) =>
    ask(setting, async (database, blobs, version) => {
      const { splitDatasetVersion } = await dist('datasets/splits/split-version.js')
      const options = { method: 'stratified', by: 'expected_intent' }
      const { split } = await splitDatasetVersion(database, blobs, { versionId: (await version('1.0')).id, options }, new Date())
      return JSON.stringify(split.counts)
    }),
  'export as JSONL': (setting) =>
    ask(setting, async (database, blobs, version) => {
      const { exportVersion } = await dist('datasets/exchange/export.js')
      let bytes = 0
      for await (const piece of exportVersion(database, blobs, await version('1.0')).bytes) bytes += piece.length
      return `${(bytes / 2 ** 20).toFixed(0)} MiB`
    }),
  [`import of the same and ${more.toLocaleString('en')} rows`]: importing(files.grown),
  'diff of the two': (setting) =>
    ask(setting, async (database, blobs, version) => {
      const { countChanges, diffVersions } = await dist('datasets/versions/diff.js')
      const [from, to] = [(await version('1.0')).id, (await version('latest')).id]
      return JSON.stringify(await countChanges(diffVersions(database, blobs, { from, to })))
    }),
}

const inChild = (stage, setting) =>
  new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, [], {
      env: { ...process.env, ROWS: String(count), BENCH_STAGE: stage, BENCH_SETTING: JSON.stringify(setting) },
    })
    let answer
    child.on('message', (message) => (answer = message))
    child.on('exit', (code) => (code === 0 && answer ? resolve(answer) : reject(new Error(`${stage}: exit ${code}`))))
  })

export async function run() {
  write(files.first, count)
  write(files.grown, count + more)
  const { startEmbeddedPostgres } = await dist('postgres/embedded.js')
  const { openDatabase } = await dist('postgres/database.js')
  const { migrate } = await dist('postgres/migrate.js')
  const { createLogger } = await dist('util/log.js')
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-bench-million-'))
  const server = await startEmbeddedPostgres({ folder: path.join(folder, 'postgres'), log: createLogger('error') })
  const rows = []
  try {
    const database = await openDatabase(server.url)
    await migrate(database)
    await database.close()
    for (const stage of Object.keys(stages)) {
      const { seconds, peak, note } = await inChild(stage, { url: server.url, blobs: path.join(folder, 'blobs') })
      rows.push({
        stage,
        seconds: seconds.toFixed(1),
        'rows/s': Math.round(count / seconds),
        'peak MB': Math.round(peak),
        note: note ?? '',
      })
    }
  } finally {
    await server.stop()
    fs.rmSync(folder, { recursive: true, force: true })
    fs.rmSync(parquet, { force: true })
  }
  return {
    rows,
    notes: [
      `${count.toLocaleString('en')} rows of ${(fs.statSync(files.first).size / count).toFixed(0)} bytes; memory is the peak of the process (maxRSS)`,
    ],
  }
}

const stage = process.env.BENCH_STAGE
if (stage && process.send) {
  const start = performance.now()
  const note = await stages[stage](JSON.parse(process.env.BENCH_SETTING))
  const seconds = (performance.now() - start) / 1000
  process.send({ seconds, peak: process.resourceUsage().maxRSS / 1024, note }, () => process.exit(0))
}
