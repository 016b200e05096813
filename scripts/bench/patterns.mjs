/**
 * All patterns of columns of an estate of a million columns that was looked at twenty times: types, transitions, changes, survival, co-change and
 * relationships, in one pass over twenty million rows. Beside it, in the same run, a DuckDB query that only counts the very same rows (from Parquet,
 * all cores). The rows are made by arithmetic, the same in both: what is counted must agree. PATTERN_COLUMNS=<n> takes another size.
 */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const title = 'patterns of a million columns seen twenty times, beside a DuckDB query that counts the rows'

const columns = Number(process.env.PATTERN_COLUMNS ?? 1_000_000)
const snapshots = 20
const perTable = 20
const types = ['int', 'bigint', 'varchar(20)', 'decimal(10,2)', 'timestamp', 'boolean']
const words = ['id', 'name', 'code', 'date', 'amount', 'status', 'type', 'note', 'flag', 'count']
/** a column's type changes once, in snapshot `i * 7919 % 2000` where there is one; the last twentieth of the tables come one after the other */
const changesAt = (i) => (i * 7919) % 2000
const comesAt = (i) => Math.max(0, Math.floor(((Math.floor(i / perTable) * perTable) / columns - 0.95) * 400))

/** Writes the rows as Parquet, counts them, and says how long the counting took. */
async function count(folder) {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const file = path.join(folder, 'rows.parquet')
  const list = (values) => `[${values.map((value) => `'${value}'`).join(', ')}]`
  await connection.run(`copy (
    select s as snapshot, 't' || (i // ${perTable}) as table_id, i % ${perTable} as ordinal, 'c' || i || '_' || ${list(words)}[1 + i % ${words.length}] as name,
      ${list(types)}[1 + (i + (i * 7919 % 2000 between 1 and s)::int) % ${types.length}] as type, i % 3 = 0 as nullable
    from range(${snapshots}) a(s), range(${columns}) b(i)
    where s >= greatest(0, floor((((i // ${perTable}) * ${perTable}) / ${columns} - 0.95) * 400))) to '${file}' (format parquet)`)
  const started = performance.now()
  const answer = await connection.runAndReadAll(
    `select count(*)::int as rows, count(*) filter (snapshot = ${snapshots - 1} and type = 'int')::int as ints from '${file}'`,
  )
  const seconds = (performance.now() - started) / 1000
  const [[rows, ints]] = answer.getRows()
  const started2 = performance.now()
  await connection.runAndReadAll(`select snapshot, type, nullable, count(*) from '${file}' group by all`)
  return { rows, ints, seconds, groupSeconds: (performance.now() - started2) / 1000 }
}

/** This process learns, and prints what came of it. */
async function learn() {
  const { ChangeLearner } = await import('../../dist/patterns/changes/change-history.js')
  const { SnapshotReader } = await import('../../dist/patterns/changes/snapshots.js')
  const { ColumnTypeLearner } = await import('../../dist/patterns/column-types.js')
  const { RelationshipLearner } = await import('../../dist/patterns/relationships.js')
  const started = performance.now()
  const [typeLearner, changeLearner, relationships] = [new ColumnTypeLearner(), new ChangeLearner(), new RelationshipLearner()]
  const reader = new SnapshotReader((event) => {
    typeLearner.learn(event)
    changeLearner.learn(event)
  })
  let rows = 0
  const at = (s) => new Date(Date.UTC(2020, s, 1))
  const marks = []
  for (let s = 0; s < snapshots; s++) {
    reader.begin(at(s))
    for (let i = 0; i < columns; i++) {
      if (s < comesAt(i)) continue
      const change = changesAt(i)
      const name = `c${i}_${words[i % words.length]}`
      const type = types[(i + (change >= 1 && change <= s ? 1 : 0)) % types.length]
      const table = `t${Math.floor(i / perTable)}`
      reader.row(`${table}.${name}`, { name, type, nullable: i % 3 === 0, ordinal: i % perTable, table })
      rows++
    }
    reader.end()
    // what is held, not what has not been collected yet; the first snapshot is acted on when the second begins
    if (s === 1 || s === snapshots - 1) {
      globalThis.gc()
      marks.push(process.memoryUsage().heapUsed)
    }
  }
  for (let i = 0; i < columns; i += perTable) relationships.node(i / perTable, 'Table')
  for (let i = 0; i < columns; i++) {
    relationships.node(`c${i}`, 'Column')
    relationships.edge(Math.floor(i / perTable), 'HAS_COLUMN', `c${i}`)
  }
  const columnPatterns = typeLearner.summarize(at(snapshots - 1))
  const evolution = changeLearner.summarize(at(snapshots - 1))
  const { edges } = relationships.summarize()
  const seconds = (performance.now() - started) / 1000
  process.stdout.write(
    JSON.stringify({
      ...{ rows, seconds, edges, ints: columnPatterns.typeDistribution.int, transitions: columnPatterns.typeChanges },
      distribution: evolution.changePatterns.distribution,
      peak: process.resourceUsage().maxRSS * 1024,
      ...{ early: marks[0], late: marks.at(-1) },
    }),
  )
}

/** The learner in a process of its own, so that its memory is its own. */
async function learnApart() {
  const child = spawn(process.execPath, ['--expose-gc', '--max-old-space-size=1200', fileURLToPath(import.meta.url), 'learn'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  for await (const chunk of child.stdout) text += chunk
  return JSON.parse(text)
}

const mib = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`

export async function run() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-bench-'))
  try {
    const counted = await count(folder)
    const learned = await learnApart()
    if (counted.rows !== learned.rows || counted.ints !== learned.ints)
      throw new Error(`the two disagree: ${counted.rows} rows and ${counted.ints} ints, ${learned.rows} rows and ${learned.ints} ints`)
    const row = (who, seconds) => ({ who, rows: counted.rows, seconds: seconds.toFixed(2), 'rows/s': Math.round(counted.rows / seconds) })
    return {
      rows: [
        row('patterns, one thread', learned.seconds),
        row('DuckDB: count(*), two counts', counted.seconds),
        row('DuckDB: count by snapshot, type, nullable', counted.groupSeconds),
      ],
      notes: [
        `learned: ${learned.transitions} changes of type, ${JSON.stringify(learned.distribution)}, ${learned.edges} edges`,
        `memory of the learner: the process at most ${mib(learned.peak)}; held ${mib(learned.early)} after the second snapshot, ${mib(learned.late)} after the last`,
        'rows of the learner are made as it goes (that time is in it), those of DuckDB lie in Parquet (writing them is not)',
      ],
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[2] === 'learn') await learn()
