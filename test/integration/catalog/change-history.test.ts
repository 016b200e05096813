import { beforeEach, expect, it } from 'vitest'
import { ingest } from '../../../src/catalog/ingest.js'
import { readChanges, readColumnsOf, readEstate, readNodeHistory, readSnapshots } from '../../../src/catalog/reads/read-store.js'
import type { Database } from '../../../src/postgres/sql.js'
import { freshDatabase } from '../../support/database.js'

const day = (n: number) => new Date(Date.UTC(2024, 0, n))
const now = day(30)
const history = JSON.stringify({
  tables: {
    'crm.person': {
      columns: {
        id: { type: 'int', status: 'added', timestamp: '2024-01-03' },
        age: { type: 'bigint', previous_type: 'int', status: 'modified', changed_at: '2024-01-05' },
        fax: { type: 'string', status: 'removed', timestamp: '2024-01-07' },
        name: { type: 'string', nullable: false },
      },
    },
  },
})
const column = (name: string) => `p/s/column:crm.person.${name}`

let database: Database
beforeEach(async () => {
  database = (await freshDatabase()).database
})
const load = (text: string, more: object = {}) =>
  ingest(database, { projectId: 'p', systemId: 's', now, inputs: [{ file: 'json_with_changes.json', text }], ...more })

it('a history becomes a snapshot for each of its moments, and changes at their times', async () => {
  const report = await load(history)
  expect(report.problems).toEqual([])
  expect(report.observedAt).toEqual(now)
  const observed = (await readSnapshots(database)).map((s) => s.observedAt.getTime()).reverse()
  expect(observed).toEqual([+day(3), +day(5) - 1, +day(5), +day(7) - 1, +day(7), +now])
  const changes = await readChanges(database, { kinds: ['type_changed', 'node_removed'] })
  expect(changes.map((c) => [c.kind, c.nodeId, c.at, c.before, c.after])).toEqual([
    ['type_changed', column('age'), day(5), 'int', 'bigint'],
    ['node_removed', column('fax'), day(7), null, null],
  ])
  expect((await readNodeHistory(database, column('age'))).map((h) => h.properties['data_type'])).toEqual(['int', 'bigint'])
  const [columns] = await readColumnsOf(database, ['p/s/table:crm.person'])
  expect(columns!.map((c) => c.name)).toEqual(['id', 'age', 'name'])
  const then = await readEstate(database, { projectId: 'p', asOf: new Date(+day(7) - 1) })
  expect(
    then.nodes
      .filter((n) => n.kind === 'Column')
      .map((n) => n.name)
      .sort(),
  ).toEqual(['age', 'fax', 'id'])
})

it('a dry run says the same and leaves nothing; the second time nothing changes', async () => {
  const plan = await load(history, { dryRun: true })
  expect(await readSnapshots(database)).toEqual([])
  const report = await load(history)
  expect({ ...report, snapshotId: null }).toEqual(plan)
  expect(await load(history)).toMatchObject({ changes: 0, isReplay: true })
})

it('what it says meets what DDL of the same table says', async () => {
  await ingest(database, {
    ...{ projectId: 'p', systemId: 's', now, observedAt: day(1) },
    inputs: [{ dialect: 'hive-ddl', text: 'create table crm.person (id int, age int, fax string)' }],
  })
  await load(history)
  const changes = await readChanges(database, { from: day(2), kinds: ['node_added', 'node_removed', 'type_changed'] })
  expect(changes.map((c) => [c.kind, c.nodeId, c.at])).toEqual([
    ['type_changed', column('age'), day(5)],
    ['node_removed', column('fax'), day(7)],
    ['node_added', column('name'), now],
  ])
})

it('all of it or nothing', async () => {
  await expect(load(history, { rejectBelow: 0.99 })).rejects.toMatchObject({ code: 'GATE_FAILED' })
  expect(await readSnapshots(database)).toEqual([])
})
