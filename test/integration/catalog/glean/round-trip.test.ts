import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { openBatchFolder } from '../../../../src/catalog/glean/batch-folder.js'
import { createGleanClient } from '../../../../src/catalog/glean/client.js'
import { exportHistoryToGlean, exportSnapshotToGlean } from '../../../../src/catalog/glean/export.js'
import type { GleanTransport } from '../../../../src/catalog/glean/transport.js'
import { type IngestInput, ingest, ingestFacts } from '../../../../src/catalog/ingest.js'
import { readEstate, readNode, readSnapshots } from '../../../../src/catalog/reads/read-store.js'
import type { Database } from '../../../../src/postgres/sql.js'
import { freshDatabase } from '../../../support/database.js'
import { worlds } from '../../../support/ledger-world.js'
import { checkValue, parseSchema } from '../../../unit/catalog/glean/angle-reader.mjs'

const day = (n: number) => new Date(Date.UTC(2024, 0, n))
const prefix = 'agenticAiETH.ETL'
const fixture = (name: string) => fs.readFileSync(path.join(import.meta.dirname, '../../../unit/catalog/fixtures', name), 'utf8')
const scope = { projectId: 'bank', systemId: 'hive' }

const folders: string[] = []
const temporaryFolder = () => {
  folders.push(fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-round-trip-')))
  return folders.at(-1)!
}
afterAll(() => {
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true })
})

/** Everything that a source can say, and names that are hard to carry. */
const estate: IngestInput[] = [
  { file: 'core/sink.sql', text: fixture('kitchen-sink.sql') },
  { file: 'jobs/sink.xml', text: fixture('kitchen-sink.xml') },
  { file: 'crm/contacts.json', text: fixture('kitchen-sink.json') },
  {
    dialect: 'hive-ddl',
    file: 'odd.sql',
    text: "CREATE TABLE `Größe`.`a.b` (`x\"y\\` INT, `Ü ` STRING COMMENT 'it''s \"so\" \u2028'); ALTER TABLE elsewhere.t ADD COLUMNS (c int);",
  },
]

let database: Database
let transport: GleanTransport
let folder: string
beforeEach(async () => {
  database = (await freshDatabase()).database
  folder = temporaryFolder()
  transport = openBatchFolder({ folder, prefix })
})

const load = (into: Database, inputs: readonly IngestInput[], observedAt: Date, more = {}) =>
  ingest(into, { ...scope, inputs, observedAt, now: day(40), ...more })
const batches = (): IngestInput[] =>
  fs.readdirSync(folder).map((file) => ({ file, text: fs.readFileSync(path.join(folder, file), 'utf8') }))
const exportLast = async (now = day(41)) => {
  const [snapshot] = await readSnapshots(database, scope, { limit: 1 })
  return exportSnapshotToGlean(database, snapshot!, transport, { now })
}

describe('an export, read back and ingested', () => {
  it('is a batch file that the schema fits, in the promised order, under the promised name', async () => {
    await load(database, estate, day(1))
    const report = await exportLast()
    const all = await readEstate(database, { ...scope, asOf: day(1) })
    expect(report).toMatchObject({ nodes: all.nodes.length, edges: all.edges.length, facts: 1 + all.nodes.length + all.edges.length })
    const [file] = fs.readdirSync(folder)
    expect(file).toMatch(/^graph_20240210T000000Z_[0-9a-f]{12}\.json$/)
    expect(report.target).toBe(path.join(folder, file!))
    const groups = JSON.parse(fs.readFileSync(report.target, 'utf8')) as { predicate: string; facts: { key: Record<string, unknown> }[] }[]
    expect(groups.map(({ predicate }) => predicate)).toEqual(['ExportManifest', 'Node', 'Edge'].map((name) => `${prefix}.${name}.1`))
    const schema = parseSchema(fs.readFileSync(path.resolve(import.meta.dirname, '../../../../schema/espalier.angle'), 'utf8'))
    for (const { predicate, facts } of groups) for (const { key } of facts) checkValue(key, schema.predicates[predicate]!, predicate)
    const [snapshot] = await readSnapshots(database, scope, { limit: 1 })
    expect(groups[0]!.facts[0]!.key).toMatchObject({
      node_count: report.nodes,
      edge_count: report.edges,
      export_file: file,
      metadata_entropy: String(snapshot!.metrics.metadata_entropy),
      exported_at: day(41).toISOString(),
      exported_at_epoch: day(41).getTime() / 1000,
      metrics_calculated_at: day(1).toISOString(),
    })
  })

  it('changes nothing in the ledger that it came from, complete or not, at any time', async () => {
    await load(database, estate, day(1))
    await exportLast()
    const before = await readEstate(database, scope)
    for (const [observedAt, complete] of [
      [day(1), false],
      [day(2), false],
      [day(3), true],
    ] as const) {
      const report = await load(database, batches(), observedAt, { complete })
      expect(report.problems.filter(({ severity }) => severity === 'error')).toEqual([])
      expect(report).toMatchObject({ changes: 0, nodes: { unchanged: before.nodes.length }, edges: { unchanged: before.edges.length } })
    }
    expect(await readEstate(database, scope)).toEqual(before)
  })

  it('makes equal nodes and edges in an empty ledger, which know when they were true', async () => {
    await load(database, estate, day(1))
    await exportLast()
    const { database: fresh } = await freshDatabase()
    const report = await load(fresh, batches(), day(5), { complete: true })
    expect(report.problems).toEqual([])
    expect(await readEstate(fresh, scope)).toEqual(await readEstate(database, scope))
    const node = await readNode(fresh, 'bank/hive/table:größe.`a.b`')
    expect(node).toMatchObject({ statedAt: day(1), source: { dialect: 'glean-batch' } })
  })

  it('changes nothing either where much of it follows from several texts', async () => {
    const job = (name: string, ties: string) =>
      `<DEFTABLE><FOLDER FOLDER_NAME="F"><JOB JOBNAME="${name}" CMDLINE="hive -e 'select * from core.t'">${ties}</JOB></FOLDER></DEFTABLE>`
    const texts: [dialect: string, file: string, text: string][] = [
      ['hive-ddl', 'view.sql', 'create view mart.v as select * from core.t; create view mart.w as select * from mart.v'],
      ['control-m-xml', 'uses.xml', job('USE', '<INCOND NAME="LOADED" ODATE="ODAT"/>')],
      ['hive-ddl', 'insert.sql', 'insert into core.u select a, b from core.t'],
      ['control-m-xml', 'loads.xml', job('LOAD', '<OUTCOND NAME="LOADED" SIGN="+"/>')],
      ['hive-ddl', 'tables.sql', 'create table core.t (a int, b string); create table core.u (x int, y string)'],
    ]
    for (const [i, [dialect, file, text]] of texts.entries()) await load(database, [{ dialect, file, text }], day(i + 1))
    await exportLast()
    const before = await readEstate(database, scope)
    expect(before.edges.filter((e) => e.label === 'DEPENDS_ON')).toHaveLength(1)
    expect(before.edges.filter((e) => e.label === 'DATA_FLOW' && e.sourceId.includes('/column:'))).toHaveLength(6)
    for (const [n, complete] of [
      [6, false],
      [7, true],
      [8, true],
    ] as const) {
      const report = await load(database, batches(), day(n), { complete })
      expect(report).toMatchObject({ changes: 0, nodes: { unchanged: before.nodes.length }, edges: { unchanged: before.edges.length } })
      expect(await readEstate(database, scope)).toEqual(before)
    }
    const { rows } = await database.query('select kind, count(*)::int as n from change where at > $1 group by 1', [day(5)])
    expect(rows).toEqual([])
  })

  it('is the same for any history of one system', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async ({ snapshots }) => {
        const own = snapshots.filter(({ system }) => system === 'x')
        fc.pre(own.length > 0)
        const [from, to] = [await freshDatabase(), await freshDatabase()]
        const here = openBatchFolder({ folder: temporaryFolder(), prefix })
        const [projectId, systemId] = ['p', 'x']
        for (const { complete, day: n, file, facts } of own)
          await ingestFacts(from.database, {
            ...{ projectId, systemId, complete, facts, observedAt: day(n + 1), now: day(30) },
            sources: [{ dialect: 'test', file }],
          })
        const history = (await readSnapshots(from.database)).reverse()
        const reports = await exportHistoryToGlean(from.database, history, here, { now: day(31) })
        for (const [i, { target }] of reports.entries()) {
          const { observedAt } = history[i]!
          const inputs = [{ dialect: 'glean-batch', file: path.basename(target), text: fs.readFileSync(target, 'utf8') }]
          await ingest(to.database, { projectId, systemId, inputs, observedAt, complete: true, now: day(32) })
        }
        for (const { observedAt } of history)
          expect(await readEstate(to.database, { projectId, asOf: observedAt })).toEqual(
            await readEstate(from.database, { projectId, asOf: observedAt }),
          )
        await Promise.all([from.drop(), to.drop()])
      }),
      { numRuns: 12 },
    )
  }, 120_000)

  it('tells its history to the client', async () => {
    const table = (type: string) => [{ dialect: 'hive-ddl', file: 't.sql', text: `CREATE TABLE core.t (id INT, amount ${type});` }]
    await load(database, table('INT'), day(1))
    await load(database, table('DECIMAL(10,2)'), day(2))
    const history = (await readSnapshots(database, scope)).reverse()
    await exportHistoryToGlean(database, history, transport, { now: day(10) })
    const client = createGleanClient(transport, () => day(11))
    expect(await client.queryColumnTypePatterns('bank', 'hive')).toMatchObject({
      type_distributions: [
        { date: '2024-01-01', types: { int: 2 } },
        { date: '2024-01-02', types: { int: 1, 'decimal(10,2)': 1 } },
      ],
      type_transitions: [{ from: 'int', to: 'decimal(10,2)', count: 1, columns: ['bank/hive/column:core.t.amount'] }],
      total_columns: 2,
    })
    const trends = await client.queryInformationTheoryMetrics('bank', 'hive')
    expect(trends.column_count_trend.map(({ date }) => date)).toEqual([day(1).toISOString(), day(2).toISOString()])
    const nodes = await client.queryHistoricalNodes('bank', 'hive')
    expect(nodes.items).toHaveLength(2 * history[0]!.nodes.added)
  })
})
