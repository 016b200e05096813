import { beforeAll, describe, expect, it } from 'vitest'
import { ingest } from '../../../src/catalog/ingest.js'
import { readChanges, readColumnsOf, readEstate, readNode, readNodeHistory, readSnapshots } from '../../../src/catalog/read-store.js'
import type { Database } from '../../../src/postgres/sql.js'
import { freshDatabase } from '../../support/database.js'

const day = (n: number) => new Date(Date.UTC(2024, 0, n))
const first = `
CREATE DATABASE core COMMENT 'core banking';
CREATE TABLE core.account (id BIGINT COMMENT 'key', owner STRING, balance DECIMAL(10,2), opened DATE, PRIMARY KEY (id) DISABLE NOVALIDATE);
CREATE TABLE core.movement (id BIGINT, account_id BIGINT, amount DOUBLE, tags ARRAY<STRING>,
  CONSTRAINT fk FOREIGN KEY (account_id) REFERENCES core.account (id) DISABLE NOVALIDATE);
CREATE VIEW core.rich AS SELECT a.owner, sum(m.amount) AS total FROM core.account a JOIN core.movement m ON a.id = m.account_id GROUP BY a.owner;
`
const second = first.replace('balance DECIMAL(10,2)', 'balance DECIMAL(12,2)').replace('owner STRING', 'owner_name STRING').replace('a.owner,', 'a.owner_name AS owner,').replace('GROUP BY a.owner;', 'GROUP BY a.owner_name;')

describe('ingest of DDL', () => {
  let database: Database
  beforeAll(async () => {
    database = (await freshDatabase()).database
  })
  const load = (text: string, n: number, more = {}) =>
    ingest(database, {
      ...{ projectId: 'bank', systemId: 'hive', complete: true, observedAt: day(n), now: day(20) },
      inputs: [{ dialect: 'hive-ddl', file: 'core.sql', text }],
      ...more,
    })

  it('answers a plan and writes nothing when dry', async () => {
    const report = await load(first, 1, { dryRun: true })
    expect(report.snapshotId).toBeNull()
    expect(report.nodes.added).toBe(2 + 1 + 3 + 10)
    expect(await readSnapshots(database)).toEqual([])
    const { rows } = await database.query('select (select count(*) from node_key) + (select count(*) from graph_outbox) as n')
    expect(rows[0].n).toBe(0)
  })

  it('saves nodes, edges, metrics and quality', async () => {
    const report = await load(first, 1)
    console.log(JSON.stringify(report, null, 1))
    const estate = await readEstate(database, { projectId: 'bank' })
    console.log(estate.edges.map((e) => `${e.sourceId} ${e.label} ${e.targetId}`).join('\n'))
    expect((await readColumnsOf(database, ['bank/hive/table:core.account']))[0]!.map((c) => c.name)).toEqual(['id', 'owner', 'balance', 'opened'])
  })

  it('writes nothing for the same facts again', async () => {
    const report = await load(first, 2)
    expect(report.changes).toBe(0)
    expect((await load(first, 2)).isReplay).toBe(true)
  })
  it('tells what changed', async () => {
    const report = await load(second, 3)
    console.log(JSON.stringify([report.nodes, report.edges, report.problems]))
    console.log(JSON.stringify(await readChanges(database, { from: day(3) }), null, 0))
    console.log(JSON.stringify(await readNodeHistory(database, 'bank/hive/column:core.account.balance'), null, 0))
    console.log(JSON.stringify(await readNode(database, 'bank/hive/column:core.account.balance'), null, 0))
  })
})
