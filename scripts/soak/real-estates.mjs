/**
 * All of TPC-DS for Hive (99 queries and the DDL of its tables), the Control-M exports and Spider's schemas, each file a snapshot of its
 * own, the queries before the tables that they read: without an error, and the very same ledger in three shuffled orders.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { ingest } from '../../dist/catalog/ingest.js'
import { readEstate } from '../../dist/catalog/reads/read-store.js'
import { seeded } from '../../dist/util/random.js'
import { tellLedger } from './support/telling.mjs'

export const title = 'TPC-DS, Control-M and Spider file by file, in order and shuffled'

const filesIn = (folder, extension) =>
  fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension))
    .sort()
    .map((file) => ({ file, text: fs.readFileSync(path.join(folder, file), 'utf8') }))

const variables = { DB: 'tpcds', LOCATION: '/data', FILE: 'orc', SOURCE: 'tpcds' }

async function load(database, snapshots) {
  for (const { systemId, input, observedAt } of snapshots) {
    const options = { projectId: 'p', systemId, variables, defaultDatabase: 'tpcds', observedAt, now: new Date(1e12) }
    const { problems } = await ingest(database, { ...options, inputs: [input] })
    assert.deepEqual(
      problems.filter((p) => p.severity === 'error'),
      [],
      input.file,
    )
  }
}

export async function run({ database: fresh, data }) {
  if (!data) return { skipped: 'the shared data folder is absent' }
  const folder = (name) => path.join(data, name)
  const hive = [...filesIn(folder('hive/queries-tpcds'), '.sql'), ...filesIn(folder('hive/ddl-tpcds/text'), '.sql')]
  const snapshots = [
    ...hive.map((input) => ({ systemId: 'hive', input: { ...input, dialect: 'hive-ddl' } })),
    ...filesIn(folder('control-m'), '.xml').map((input) => ({ systemId: 'control-m', input: { ...input, dialect: 'control-m-xml' } })),
    { systemId: 'spider', input: { ...filesIn(folder('spider'), 'tables.json')[0], dialect: 'schema-json' } },
  ].map((snapshot, i) => ({ ...snapshot, observedAt: new Date(i * 60_000) }))

  const database = await fresh()
  const began = Date.now()
  await load(database, snapshots)
  const seconds = ((Date.now() - began) / 1000).toFixed(1)
  const told = await tellLedger(database)
  const { nodes, edges } = await readEstate(database, { projectId: 'p' })
  const count = (kind) => nodes.filter((n) => n.kind === kind).length
  for (const seed of [1, 2, 3]) {
    const other = await fresh()
    await load(other, seeded(seed).shuffle(snapshots))
    assert.deepEqual(await tellLedger(other), told, `seed ${seed}`)
  }
  return [
    `${snapshots.length} files in ${seconds} s: ${count('Table')} tables, ${count('Column')} columns, ${count('SqlQuery')} queries, ${edges.length} edges`,
    'the same ledger in three shuffled orders',
  ]
}
