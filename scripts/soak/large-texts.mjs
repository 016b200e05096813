/**
 * Texts far larger than memory should have to be: a JSON file of 1 GB, and 400 and 1,600 files of DDL (half a million columns), all of
 * them ingested by their paths. Memory must not grow with them. SOAK_JSON_MB and SOAK_FILES make it smaller.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { ingest } from '../../dist/catalog/ingest.js'
import { readMetricsAt } from '../../dist/catalog/reads/read-store.js'

export const title = 'a JSON file of 1 GB and 1,600 files of DDL, in flat memory'

const jsonBytes = Number(process.env.SOAK_JSON_MB ?? 1024) * 2 ** 20
const mostFiles = Number(process.env.SOAK_FILES ?? 1_600)
const mebibytes = (bytes) => `${Math.round(bytes / 2 ** 20).toLocaleString('en')} MiB`

/** Highest resident memory of this process (its threads included) while `work` runs. */
async function peak(work) {
  globalThis.gc?.()
  let most = process.memoryUsage.rss()
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 50)
  const began = Date.now()
  try {
    return { result: await work(), most, seconds: (Date.now() - began) / 1000 }
  } finally {
    clearInterval(timer)
  }
}

function writeRows(file, bytes) {
  const opened = fs.openSync(file, 'w')
  let written = fs.writeSync(opened, '[')
  for (let i = 0; written < bytes; ) {
    let piece = ''
    for (const end = i + 5_000; i < end; i++)
      piece += `${i === 0 ? '' : ',\n'}{"id": ${i}, "name": "somebody ${i}", "größe": ${i / 8}, "at": "2024-01-${String(1 + (i % 28)).padStart(2, '0')}", "tags": ["a", "b"], "address": {"city": "Bern", "zip": ${3000 + (i % 99)}}}`
    written += fs.writeSync(opened, piece)
  }
  fs.writeSync(opened, ']')
  fs.closeSync(opened)
}

const ddl = (file) =>
  Array.from(
    { length: 16 },
    (_, t) =>
      `CREATE TABLE core_${file}.table_${t} (${Array.from({ length: 20 }, (_, c) => `column_${c} ${['bigint', 'string', 'date'][c % 3]}`).join(', ')});`,
  ).join('\n')

export async function run({ database: fresh }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-soak-texts-'))
  const lines = []
  const day = (n) => new Date(Date.UTC(2024, 0, n))
  const load = (database, inputs, n = 1) =>
    ingest(database, { projectId: 'p', systemId: 's', complete: true, observedAt: day(n), now: day(n), inputs })
  try {
    const json = path.join(folder, 'people.json')
    writeRows(json, jsonBytes)
    const one = await fresh()
    const read = await peak(() => load(one, [{ file: 'd/people.json', text: { path: json } }]))
    assert.deepEqual(read.result.problems, [])
    assert.equal(read.result.metrics.column_count, 7)
    lines.push(`JSON of ${mebibytes(fs.statSync(json).size)}: ${read.seconds.toFixed(0)} s, at most ${mebibytes(read.most)} in memory`)
    assert.ok(read.most < 700 * 2 ** 20, `memory grew to ${mebibytes(read.most)}`)
    fs.rmSync(json)

    const peaks = []
    for (const files of [mostFiles / 4, mostFiles]) {
      const inputs = Array.from({ length: files }, (_, i) => {
        const file = path.join(folder, `${i}.sql`)
        fs.writeFileSync(file, ddl(i))
        return { dialect: 'hive-ddl', file: `${i}.sql`, text: { path: file } }
      })
      const database = await fresh()
      const done = await peak(() => load(database, inputs))
      assert.deepEqual(done.result.problems, [])
      const [{ column_count: columns }] = await readMetricsAt(database, ['p'])
      assert.equal(columns, files * 16 * 20)
      peaks.push(done.most)
      lines.push(
        `${files} files, ${columns.toLocaleString('en')} columns: ${done.seconds.toFixed(0)} s, at most ${mebibytes(done.most)} in memory`,
      )
      const again = await peak(() => load(database, inputs, 2))
      assert.equal(again.result.changes, 0)
      fs.appendFileSync(inputs[0].text.path, '\nCREATE TABLE core_0.another (id INT);')
      const other = await peak(() => load(database, inputs, 3))
      assert.equal(other.result.nodes.added, 2)
      lines.push(`  the same again: ${again.seconds.toFixed(1)} s; one file changed: ${other.seconds.toFixed(1)} s`)
    }
    assert.ok(peaks[1] < peaks[0] + 250 * 2 ** 20, `memory grew from ${mebibytes(peaks[0])} to ${mebibytes(peaks[1])}`)
    return lines
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
