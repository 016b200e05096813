import { beforeEach, describe, expect, it } from 'vitest'
import { ingest } from '../../../src/catalog/ingest.js'
import { readLineage } from '../../../src/catalog/reads/lineage-store.js'
import { readColumnsOf, readEdges, readNode } from '../../../src/catalog/reads/read-store.js'
import type { Database } from '../../../src/postgres/sql.js'
import { freshDatabase } from '../../support/database.js'

const day = (n: number) => new Date(Date.UTC(2024, 0, n))
/** Each text is a file of its own, read on a day of its own: names are settled by what the ledger has. */
const base =
  'create table core.account (id bigint, customer_id bigint, balance decimal(10,2)); create table core.customer (id bigint, name string);'
const lower =
  'create view mart.lower as select a.customer_id, sum(balance) as total, max(name) as name, case when balance > 0 then a.id end as good from core.account a join core.customer c on a.customer_id = c.id group by a.customer_id, balance, a.id'
const upper = 'create view mart.upper as select *, rank() over (partition by name order by total) as place from mart.lower'

let database: Database
let load: (texts: Record<string, string>, n: number, complete?: boolean) => ReturnType<typeof ingest>
beforeEach(async () => {
  database = (await freshDatabase()).database
  load = (texts, n, complete = false) =>
    ingest(database, {
      ...{ projectId: 'bank', systemId: 'hive', complete, observedAt: day(n), now: day(20) },
      inputs: Object.entries(texts).map(([file, text]) => ({ dialect: 'hive-ddl', file, text })),
    })
})

/** `upper.place <- lower.total window (indirect)`, sorted: all flows between columns. */
async function flows(): Promise<string[]> {
  const edges = await readEdges(database, { labels: ['DATA_FLOW'] })
  const short = (id: string) => id.replace(/^.*\/column:(?:core|mart)\./, '')
  return edges
    .filter((e) => e.targetId.includes('/column:'))
    .map(
      (e) =>
        `${short(e.targetId)} <- ${short(e.sourceId)} ${e.properties['transformation']}${e.properties['indirect'] ? ' (indirect)' : ''}`,
    )
    .sort()
}

const expected = [
  'lower.customer_id <- account.customer_id copy',
  'lower.good <- account.balance conditional (indirect)',
  'lower.good <- account.id conditional',
  'lower.name <- customer.name aggregate',
  'lower.total <- account.balance aggregate',
  'upper.customer_id <- lower.customer_id copy',
  'upper.good <- lower.good copy',
  'upper.name <- lower.name copy',
  'upper.place <- lower.name window (indirect)',
  'upper.place <- lower.total window (indirect)',
  'upper.total <- lower.total copy',
]

describe('a view over a view over tables', () => {
  it('in one text', async () => {
    expect((await load({ 'all.sql': [base, lower, upper].join(';\n') }, 1)).problems).toEqual([])
    expect(await flows()).toEqual(expected)
  })

  it('in three files of one ingest', async () => {
    expect((await load({ 'base.sql': base, 'lower.sql': lower, 'upper.sql': upper }, 1)).problems).toEqual([])
    expect(await flows()).toEqual(expected)
  })

  it('in three ingests, the lowest first', async () => {
    for (const [i, text] of [base, lower, upper].entries()) expect((await load({ [`${i}.sql`]: text }, i + 1)).problems).toEqual([])
    expect(await flows()).toEqual(expected)
    const [columns] = await readColumnsOf(database, ['bank/hive/view:mart.upper'])
    expect(columns!.map((c) => c.name).sort()).toEqual(['customer_id', 'good', 'name', 'place', 'total'])
    expect(await readNode(database, 'bank/hive/column:mart.lower.total')).toMatchObject({ properties: { transformation: 'aggregate' } })
  })

  it('is walked from the top to the tables, and says which steps only steer', async () => {
    await load({ 'all.sql': [base, lower, upper].join(';\n') }, 1)
    const walked = (await readLineage(database, 'bank/hive/column:mart.upper.place', { direction: 'upstream', labels: ['DATA_FLOW'] }))!
    expect(walked.nodes.map((n) => [n.qualifiedName, n.distance])).toEqual([
      ['mart.upper.place', 0],
      ['mart.lower.name', 1],
      ['mart.lower.total', 1],
      ['core.account.balance', 2],
      ['core.customer.name', 2],
    ])
    expect(walked.edges.filter((e) => e.properties['indirect']).map((e) => e.targetId.split('.').at(-1))).toEqual(['place', 'place'])
  })

  it('can be walked by values alone, and tells what only decides', async () => {
    await load({ 'all.sql': [base, lower, upper].join(';\n') }, 1)
    const walk = async (column: string, more: object = {}) => {
      const options = { direction: 'upstream' as const, labels: ['DATA_FLOW' as const], ...more }
      const { nodes, isPartial } = (await readLineage(database, `bank/hive/column:mart.${column}`, options))!
      return { nodes: nodes.map((n) => `${n.qualifiedName}${n.isIndirect ? ' (decides)' : ''}`), isPartial }
    }
    expect((await walk('upper.good')).nodes).toEqual([
      'mart.upper.good',
      'mart.lower.good',
      'core.account.balance (decides)',
      'core.account.id',
    ])
    expect((await walk('upper.good', { indirect: false })).nodes).toEqual(['mart.upper.good', 'mart.lower.good', 'core.account.id'])
    expect((await walk('upper.place')).nodes.slice(1).every((name) => name.endsWith('(decides)'))).toBe(true)
    expect(await walk('upper.place', { indirect: false })).toEqual({ nodes: ['mart.upper.place'], isPartial: false })
    // no time at all: nothing but the start, and that is said
    expect(await walk('upper.good', { timeoutMs: 0 })).toEqual({ nodes: ['mart.upper.good'], isPartial: true })
  })

  it('read twice changes nothing', async () => {
    await load({ 'all.sql': [base, lower, upper].join(';\n') }, 1, true)
    const again = await load({ 'all.sql': [base, lower, upper].join(';\n') }, 2, true)
    expect(again.edges).toMatchObject({ added: 0, changed: 0, removed: 0 })
  })
})

it('a name that two tables of other files may have is settled by the one that has it, values and conditions alike', async () => {
  await load({ 'base.sql': base }, 1)
  const view =
    'create view mart.v as select case when balance > 0 then name end as x from core.account a join core.customer c on a.customer_id = c.id'
  expect((await load({ 'view.sql': view }, 2)).problems).toEqual([])
  expect(await flows()).toEqual(['v.x <- account.balance conditional (indirect)', 'v.x <- customer.name conditional'])
  const both = 'create view mart.w as select id as x from core.account a join core.customer c on a.customer_id = c.id'
  expect((await load({ 'both.sql': both }, 3)).problems).toMatchObject([
    { code: 'unresolved-column', suggestion: 'Qualify the name in the source.' },
  ])
})

describe('INSERT into a table of another file', () => {
  const target = 'create table mart.target (a bigint, b string) partitioned by (day date, region string)'
  const positions =
    "insert overwrite table mart.target partition (day='2024-01-01', region) select a.id, name, 'EU' from core.account a join core.customer c on a.customer_id = c.id"
  const named =
    'insert into mart.target (b, a) select case when balance > 0 then name end, balance from core.account a join core.customer c on a.customer_id = c.id'

  it.each([
    ['in one ingest', async () => [await load({ 'a.sql': positions, 'base.sql': base, 'target.sql': target }, 1)]],
    ['after it', async () => [await load({ 'base.sql': base, 'target.sql': target }, 1), await load({ 'a.sql': positions }, 2)]],
  ])('goes by position, %s, names without a qualifier included', async (_, read) => {
    expect((await read()).flatMap((report) => report.problems)).toEqual([])
    expect(await flows()).toEqual(['target.a <- account.id copy', 'target.b <- customer.name copy'])
  })

  it('goes by its column list', async () => {
    await load({ 'base.sql': base, 'target.sql': target }, 1)
    expect((await load({ 'b.sql': named }, 2)).problems).toEqual([])
    expect(await flows()).toEqual([
      'target.a <- account.balance copy',
      'target.b <- account.balance conditional (indirect)',
      'target.b <- customer.name conditional',
    ])
  })

  it('tells once that the table is not there, and of each column that it lacks', async () => {
    expect((await load({ 'base.sql': base, 'a.sql': positions }, 1)).problems).toMatchObject([{ code: 'unresolved-table' }])
    const narrow = 'create table mart.target (a bigint)'
    const report = await load({ 'target.sql': narrow, 'a.sql': 'insert into mart.target select x.id, x.name from core.customer x' }, 2)
    expect(report.problems).toMatchObject([
      { code: 'unresolved-column', found: "INSERT into mart.target: no column for the query's number 2 among 1 known" },
    ])
    // the statement that came before the table goes into it too, now that it is there
    expect(await flows()).toEqual(['target.a <- account.id copy', 'target.a <- customer.id copy'])
  })
})
