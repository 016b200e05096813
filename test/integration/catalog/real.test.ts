import fs from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { ingest } from '../../../src/catalog/ingest.js'
import { readEstate } from '../../../src/catalog/reads/read-store.js'
import { freshDatabase } from '../../support/database.js'
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
})
