import fs from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { ingest } from '../../../src/catalog/ingest.js'
import { readEstate } from '../../../src/catalog/reads/read-store.js'
import { seeded } from '../../../src/util/random.js'
import { freshDatabase } from '../../support/database.js'
import { tell } from '../../support/ledger-telling.js'
import { describeIf, sharedData } from '../../support/need.js'

const filesIn = (folder: string, extension: string) =>
  fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension))
    .sort()
    .map((file) => ({ file, text: fs.readFileSync(path.join(folder, file), 'utf8') }))

describeIf(sharedData, 'real data lies beside the checkout', 'real estates', () => {
  const folder = (name: string) => path.join(sharedData!, name)

  it('TPC-DS of Hive with its queries: the same ledger whether read at once, file by file, or twice', async () => {
    const inputs = [...filesIn(folder('hive/ddl-tpcds/text'), '.sql'), ...filesIn(folder('hive/queries-tpcds'), '.sql').slice(0, 10)].map(
      (input) => ({ ...input, dialect: 'hive-ddl' }),
    )
    const variables = { DB: 'tpcds', LOCATION: '/data', FILE: 'orc', SOURCE: 'src' }
    const options = { projectId: 'p', systemId: 'hive', variables, defaultDatabase: 'tpcds', observedAt: new Date(0), now: new Date(0) }
    const { database } = await freshDatabase()
    const whole = await ingest(database, { ...options, inputs })
    // TPC-DS has 24 tables with 425 columns
    expect(whole.metrics).toMatchObject({ table_count: 24, column_count: 425, unclassified_ratio: 0 })
    expect(whole.problems.filter((p) => p.severity !== 'info')).toEqual([])
    const other = (await freshDatabase()).database
    for (const [i, input] of inputs.entries()) await ingest(other, { ...options, inputs: [input], observedAt: new Date(i) })
    const [a, b] = [await readEstate(database, { projectId: 'p' }), await readEstate(other, { projectId: 'p' })]
    expect(b.nodes).toEqual(a.nodes)
    expect(b.edges).toEqual(a.edges)
    const again = await ingest(other, { ...options, inputs, observedAt: new Date(1e9) })
    expect(again.changes).toBe(0)
  })

  it('of three systems: each as a second reader has it, and one ledger whatever comes first', async () => {
    const ddl = filesIn(folder('hive/ddl-tpcds/text'), '.sql')
    const queries = filesIn(folder('hive/queries-tpcds'), '.sql').slice(0, 8)
    const jobs = filesIn(folder('control-m'), '.xml')
    const spider = fs.readFileSync(path.join(folder('spider'), 'tables.json'), 'utf8')
    const variables = { DB: 'tpcds', LOCATION: '/data' }
    const snapshots = [
      ...[...queries, ...ddl].map((input) => ({ systemId: 'hive', input: { ...input, dialect: 'hive-ddl' } })),
      ...jobs.map((input) => ({ systemId: 'control-m', input: { ...input, dialect: 'control-m-xml' } })),
      { systemId: 'spider', input: { file: 'tables.json', text: spider, dialect: 'schema-json' } },
    ].map((snapshot, i) => ({ ...snapshot, observedAt: new Date(i * 1000) }))
    const loadAll = async (order: readonly (typeof snapshots)[number][]) => {
      const { database } = await freshDatabase()
      for (const { systemId, input, observedAt } of order) {
        const options = { projectId: 'p', systemId, variables, defaultDatabase: 'tpcds', observedAt, now: new Date(1e9) }
        const { problems } = await ingest(database, { ...options, inputs: [input] })
        expect(problems.filter((p) => p.severity === 'error')).toEqual([])
      }
      return database
    }
    const database = await loadAll(snapshots)
    const told = await tell(database)
    const { nodes, edges } = await readEstate(database, { projectId: 'p' })

    // "-- Table<store_sales (23 cols) …" stands above each statement
    const announced = [
      ...ddl
        .map((d) => d.text)
        .join('\n')
        .matchAll(/-- Table<(\w+) \((\d+) cols\)/g),
    ].map(([, table, n]) => [table, Number(n)])
    const columns = (system: string, table: string) =>
      edges.filter((e) => e.label === 'HAS_COLUMN' && e.sourceId === `p/${system}/table:${table}`).length
    expect(announced).toHaveLength(24)
    for (const [table, n] of announced) expect(columns('hive', `tpcds.${table}`), String(table)).toBe(n)
    // the queries came before the tables that they read
    expect(edges.filter((e) => e.label === 'READS' && e.targetId.startsWith('p/hive/table:tpcds.')).length).toBeGreaterThan(15)

    interface SpiderDatabase {
      db_id: string
      table_names_original: string[]
      column_names_original: [number, string][]
      foreign_keys: [number, number][]
    }
    const databases = JSON.parse(spider) as SpiderDatabase[]
    const inSpider = (kind: string) => nodes.filter((n) => n.systemId === 'spider' && n.kind === kind).length
    expect(inSpider('Database')).toBe(databases.length)
    expect(inSpider('Table')).toBe(databases.flatMap((d) => d.table_names_original).length)
    expect(inSpider('Column')).toBe(databases.flatMap((d) => d.column_names_original.filter(([table]) => table >= 0)).length)
    const keys = edges.filter((e) => e.label === 'REFERENCES' && e.systemId === 'spider' && e.sourceId.includes('/column:'))
    expect(new Set(keys.map((e) => `${e.sourceId} ${e.targetId}`)).size).toBe(
      new Set(databases.flatMap((d) => d.foreign_keys.map((key) => `${d.db_id} ${key}`))).size,
    )

    // both exports tell of one folder: a job that is in both is one
    const read = jobs.flatMap(({ text }) =>
      [...text.matchAll(/<JOB [^>]*?JOBNAME="([^"]+)"[^>]*>([\s\S]*?)<\/JOB>/g)].map(([, name, inside]) => ({
        name: name!,
        waits: [...inside!.matchAll(/<INCOND [^>]*?NAME="([^"]+)"/g)].map((m) => m[1]!),
        sets: [...inside!.matchAll(/<OUTCOND [^>]*>/g)]
          .filter(([tag]) => !/SIGN="(?:-|DEL)"/.test(tag))
          .map(([tag]) => /NAME="([^"]+)"/.exec(tag)![1]!),
      })),
    )
    const depends = new Set(
      read.flatMap((from) =>
        read.filter((to) => to.name !== from.name && from.waits.some((c) => to.sets.includes(c))).map((to) => `${from.name} ${to.name}`),
      ),
    )
    expect(nodes.filter((n) => n.kind === 'ControlMJob')).toHaveLength(new Set(read.map((job) => job.name)).size)
    const nameOf = (id: string) => id.slice(id.lastIndexOf('/') + 1)
    const dependencies = edges.filter((e) => e.label === 'DEPENDS_ON').map((e) => `${nameOf(e.sourceId)} ${nameOf(e.targetId)}`)
    expect(dependencies.sort()).toEqual([...depends].sort())

    for (const seed of [1, 2]) expect(await tell(await loadAll(seeded(seed).shuffle(snapshots)))).toEqual(told)
  }, 120_000)
})
