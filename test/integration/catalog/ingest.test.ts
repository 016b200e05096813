import { beforeEach, describe, expect, it } from 'vitest'
import type { EdgeFact, Fact, NodeFact } from '../../../src/catalog/fact.js'
import { ingest, ingestFacts } from '../../../src/catalog/ingest.js'
import { readOutboxChanges } from '../../../src/catalog/projection/graph-store.js'
import { readLineage } from '../../../src/catalog/reads/lineage-store.js'
import {
  countChanges,
  diffSnapshots,
  readChanges,
  readColumnHistory,
  readColumnsOf,
  readEdges,
  readEstate,
  readMetricSeries,
  readNode,
  readNodeHistory,
  readNodesById,
  readProblems,
  readSnapshots,
} from '../../../src/catalog/reads/read-store.js'
import { outboxHead, readGraphChanges } from '../../../src/postgres/outbox.js'
import type { Database } from '../../../src/postgres/sql.js'
import type { GraphRefresh } from '../../../src/vocabulary.js'
import { freshDatabase } from '../../support/database.js'

const day = (n: number) => new Date(Date.UTC(2024, 0, n))
const first = `
CREATE DATABASE core COMMENT 'core banking';
CREATE TABLE core.account (id BIGINT COMMENT 'key', owner STRING, balance DECIMAL(10,2), opened DATE, PRIMARY KEY (id) DISABLE NOVALIDATE);
CREATE TABLE core.movement (id BIGINT, account_id BIGINT, amount DOUBLE, tags ARRAY<STRING>,
  CONSTRAINT fk FOREIGN KEY (account_id) REFERENCES core.account (id) DISABLE NOVALIDATE);
CREATE VIEW core.rich AS SELECT a.owner, sum(m.amount) AS total FROM core.account a JOIN core.movement m ON a.id = m.account_id GROUP BY a.owner;
`
const second = first
  .replace('balance DECIMAL(10,2)', 'balance DECIMAL(12,2)')
  .replace('owner STRING', 'owner_name STRING')
  .replace('a.owner,', 'a.owner_name AS owner,')
  .replace('GROUP BY a.owner;', 'GROUP BY a.owner_name;')
const column = (name: string) => `bank/hive/column:core.${name}`
const account = 'bank/hive/table:core.account'

let database: Database
let load: (text: string, n: number, more?: object) => ReturnType<typeof ingest>
beforeEach(async () => {
  database = (await freshDatabase()).database
  load = (text, n, more = {}) =>
    ingest(database, {
      ...{ projectId: 'bank', systemId: 'hive', complete: true, observedAt: day(n), now: day(20) },
      inputs: [{ dialect: 'hive-ddl', file: 'core.sql', text }],
      ...more,
    })
})

const rowsOf = async (table: string) => (await database.query(`select count(*) as n from ${table}`)).rows[0].n as number
const ledgerTables = [
  'catalog_scope',
  'snapshot',
  'node_key',
  'edge_key',
  'assertion',
  'node_history',
  'edge_history',
  'change',
  'metric',
  'graph_outbox',
]

describe('ingest of DDL', () => {
  it('answers a plan and writes nothing when dry', async () => {
    const plan = await load(first, 1, { dryRun: true })
    expect(plan.snapshotId).toBeNull()
    for (const table of ledgerTables) expect(await rowsOf(table), table).toBe(0)
    const report = await load(first, 1)
    expect({ ...report, snapshotId: null }).toEqual(plan)
  })

  it('saves nodes, edges, provenance, metrics and quality', async () => {
    const report = await load(first, 1)
    // project, system, database, 2 tables, a view, 4 + 4 + 2 columns
    expect(report.nodes).toEqual({ added: 16, changed: 0, removed: 0, unchanged: 0 })
    expect(report.problems).toEqual([])
    // 6 numbers (one is the view's sum), 2 strings, a date, an array
    expect(report.metrics.distribution).toEqual({ string: 0.2, number: 0.6, boolean: 0, date: 0.1, array: 0.1, object: 0 })
    expect(report.metrics).toMatchObject({ column_count: 10, table_count: 2, view_count: 1, edge_count: 21, unclassified_ratio: 0 })
    expect(report.metrics.metadata_entropy).toBeCloseTo(1.570951, 6)
    expect(report.quality.level).toBe('excellent')
    const [columns] = await readColumnsOf(database, [account])
    expect(columns!.map((c) => c.name)).toEqual(['id', 'owner', 'balance', 'opened'])
    expect(await readNode(database, column('account.balance'))).toMatchObject({
      updatedAt: day(1),
      source: { dialect: 'hive-ddl', file: 'core.sql', location: 'line 3' },
      properties: { data_type: 'decimal(10,2)' },
    })
    const series = await readMetricSeries(database, ['bank', 'bank/hive', account], { names: ['column_count'] })
    expect(series.map(({ nodeId, value }) => [nodeId, value])).toEqual([
      ['bank', 10],
      ['bank/hive', 10],
      [account, 4],
    ])
    const { rows } = await database.query(`select kind, label, updated_at_utc from glean_nodes where id = $1`, [account])
    expect(rows[0]).toMatchObject({ kind: 'Table', label: 'account' })
    expect(await rowsOf('glean_edges')).toBe(21)
  })

  it('keeps when the text itself says that it was true', async () => {
    await load(`CREATE TABLE core.account (id BIGINT) TBLPROPERTIES ('transient_lastDdlTime'='1500000000');`, 1)
    expect(await readNode(database, account)).toMatchObject({ updatedAt: day(1), statedAt: new Date(1.5e12) })
  })

  it('writes nothing for the same facts again', async () => {
    await load(first, 1)
    const tables = ['node_history', 'edge_history', 'change', 'assertion', 'fact_version', 'node_key', 'edge_key']
    const before = await Promise.all(tables.map(rowsOf))
    const outboxBefore = await outboxHead(database)
    const again = await load(first, 2)
    expect(again).toMatchObject({ changes: 0, isReplay: false, nodes: { unchanged: 16 }, edges: { unchanged: 21 } })
    expect(await Promise.all(tables.map(rowsOf))).toEqual(before)
    expect((await readNode(database, account))!.updatedAt).toEqual(day(1))
    // but the metrics of project and system were calculated anew, and the graph is told
    const told = await readGraphChanges<GraphRefresh>(database, outboxBefore, 10)
    const changes = await readOutboxChanges(
      database,
      told.map((row) => row.change),
    )
    expect(changes.map((c) => c.op === 'upsert-node' && [c.id, c.properties['metrics_calculated_at']]).sort()).toEqual([
      ['bank', day(2).toISOString()],
      ['bank/hive', day(2).toISOString()],
    ])
    const replay = await load(first, 2)
    expect(replay).toMatchObject({ isReplay: true, changes: 0, snapshotId: again.snapshotId })
    expect((await readSnapshots(database)).map((s) => s.observedAt)).toEqual([day(2), day(1)])
  })

  it('writes nothing for what was said of that time already, under the name of another file', async () => {
    const removal = { fact: 'removal' as const, id: 'bank/hive/table:gone', provenance: { dialect: 'test', file: 'f', location: 'l' } }
    const say = (file: string) =>
      ingestFacts(database, {
        ...{ projectId: 'bank', systemId: 'hive', observedAt: day(1), now: day(9), facts: [removal] },
        sources: [{ dialect: 'test', file }],
      })
    const { snapshotId } = await say('a')
    const before = await rowsOf('stream')
    expect(await say('b')).toMatchObject({ isReplay: true, snapshotId })
    expect(await rowsOf('stream')).toBe(before)
  })

  it('tells what changed, now, then and in between', async () => {
    await load(first, 1)
    const report = await load(second, 3)
    expect(report.nodes).toEqual({ added: 1, changed: 2, removed: 1, unchanged: 13 })
    const changes = await readChanges(database, { tableId: account, from: day(2), kinds: ['type_changed', 'renamed'] })
    expect(changes).toMatchObject([
      { kind: 'type_changed', nodeId: column('account.balance'), before: 'decimal(10,2)', after: 'decimal(12,2)', at: day(3) },
      { kind: 'renamed', nodeId: column('account.owner_name'), before: column('account.owner'), after: column('account.owner_name') },
    ])
    // .5 type, .25 place, .25 * likeness: 5 of 10 letters, or 1 of 2 words
    expect(changes[1]!.confidence).toBeCloseTo(0.875, 3)
    expect(await countChanges(database, { kinds: ['node_added'], from: day(2) })).toBe(1)
    expect(
      (await readNodeHistory(database, column('account.balance'))).map((s) => [s.validFrom, s.validTo, s.properties['data_type']]),
    ).toEqual([
      [day(1), day(3), 'decimal(10,2)'],
      [day(3), null, 'decimal(12,2)'],
    ])
    const then = await readEstate(database, { projectId: 'bank', asOf: day(2) })
    expect(then.nodes.some((n) => n.id === column('account.owner'))).toBe(true)
    const now = await readEstate(database, { projectId: 'bank' })
    expect(now.nodes.some((n) => n.id === column('account.owner'))).toBe(false)
    expect(await readEstate(database, { projectId: 'bank', asOf: day(0) })).toEqual({ nodes: [], edges: [] })
    const diff = await diffSnapshots(database, day(2), day(4), { projectId: 'bank' })
    expect(diff.nodes.map((n) => [n.id, n.before === null, n.after === null])).toEqual([
      [column('account.balance'), false, false],
      [column('account.owner'), false, true],
      [column('account.owner_name'), true, false],
      ['bank/hive/view:core.rich', false, false],
    ])
    expect(diff.isPartial).toBe(false)
    const events = (await readColumnHistory(database, 'bank')).filter((e) => e.at > day(2))
    expect(events.map((e) => [e.columnId, e.column?.type ?? null])).toEqual([
      [column('account.balance'), 'decimal(12,2)'],
      [column('account.owner'), null],
      [column('account.owner_name'), 'string'],
    ])
  })

  it('takes away what DROP TABLE names, in a partial snapshot too, and nothing else', async () => {
    await load(first, 1)
    const report = await load('DROP TABLE core.movement;', 2, { complete: false })
    // the table and its four columns
    expect(report.nodes).toMatchObject({ added: 0, removed: 5 })
    expect(await readNodesById(database, [account, 'bank/hive/table:core.movement', column('movement.id')])).toMatchObject([
      { id: account },
      null,
      null,
    ])
    expect((await readEdges(database, { labels: ['REFERENCES'] })).length).toBe(0)
    expect((await readEdges(database, { labels: ['REFERENCES'], asOf: day(1) })).length).toBe(2)
  })

  it('keeps edges back until both ends exist, and says so', async () => {
    const fk = `CREATE TABLE b.child (pid INT, CONSTRAINT k FOREIGN KEY (pid) REFERENCES a.parent (id) DISABLE NOVALIDATE);`
    const early = await load(fk, 1, { complete: false, inputs: [{ dialect: 'hive-ddl', file: 'b.sql', text: fk }] })
    const dangling = early.problems.filter((p) => p.code === 'dangling-edge')
    expect(dangling.map((p) => p.expected).sort()).toEqual(['bank/hive/column:a.parent.id to exist', 'bank/hive/table:a.parent to exist'])
    expect(await readProblems(database, early.snapshotId!)).toEqual(early.problems)
    expect(await readEdges(database, { labels: ['REFERENCES'] })).toEqual([])
    const parent = 'CREATE TABLE a.parent (id INT);'
    const late = await load(parent, 2, { complete: false, inputs: [{ dialect: 'hive-ddl', file: 'a.sql', text: parent }] })
    expect(late.problems).toEqual([])
    expect((await readEdges(database, { labels: ['REFERENCES'] })).map((e) => e.targetId).sort()).toEqual([
      'bank/hive/column:a.parent.id',
      'bank/hive/table:a.parent',
    ])
  })

  it('walks lineage with a depth and a budget, and tells when it stopped', async () => {
    const text = `CREATE TABLE l.a (x INT); CREATE VIEW l.b AS SELECT x FROM l.a; CREATE VIEW l.c AS SELECT x FROM l.b; CREATE VIEW l.d AS SELECT x FROM l.c;`
    await load(text, 1)
    const from = (name: string, more: object) => readLineage(database, `bank/hive/${name}`, { direction: 'downstream', ...more })
    const whole = await from('column:l.a.x', {})
    expect(whole!.nodes.map((n) => [n.name, n.qualifiedName, n.distance])).toEqual([
      ['x', 'l.a.x', 0],
      ['x', 'l.b.x', 1],
      ['x', 'l.c.x', 2],
      ['x', 'l.d.x', 3],
    ])
    expect([whole!.edges.length, whole!.isPartial]).toEqual([3, false])
    expect(await from('column:l.a.x', { depth: 2 })).toMatchObject({ nodes: { length: 3 }, edges: { length: 2 }, isPartial: true })
    expect(await from('column:l.a.x', { nodeBudget: 1 })).toMatchObject({ nodes: { length: 2 }, isPartial: true })
    expect(await from('column:l.d.x', {})).toMatchObject({ nodes: { length: 1 }, isPartial: false })
    expect((await from('column:l.c.x', { direction: 'both' }))!.nodes.length).toBe(4)
    expect(await from('column:l.nothing', {})).toBeNull()
  })

  it('refuses what is below the bar, with nothing saved', async () => {
    await expect(load('CREATE TABLE a.b (x STRING);', 1, { rejectBelow: 0.9 })).rejects.toMatchObject({ code: 'GATE_FAILED' })
    for (const table of ledgerTables) expect(await rowsOf(table), table).toBe(0)
  })

  it('keeps two systems with the same names apart, and finds tables across them by name', async () => {
    await load(first, 1)
    await load(first, 2, { systemId: 'spark' })
    const ids = (await readEstate(database, { projectId: 'bank', kinds: ['Table'] })).nodes.map((n) => n.id)
    expect(ids).toEqual([account, 'bank/hive/table:core.movement', 'bank/spark/table:core.account', 'bank/spark/table:core.movement'])
    // a complete snapshot of one leaves the other alone
    await load('CREATE TABLE core.x (a INT);', 3, { systemId: 'spark' })
    expect(await readNode(database, account)).not.toBeNull()
    expect(await readNode(database, 'bank/spark/table:core.account')).toBeNull()
  })
})

describe('ingest of facts', () => {
  const provenance = { dialect: 'test', file: 'f', location: '1' }
  const node = (kind: 'Table' | 'View' | 'Column', name: string, properties = {}): NodeFact => ({
    ...{
      fact: 'node',
      id: `p/s/${kind.toLowerCase()}:${name}`,
      kind,
      name: name.split('.').at(-1)!,
      qualifiedName: name,
      properties,
      provenance,
    },
  })
  const has = (table: string, name: string): EdgeFact => ({
    ...{
      fact: 'edge',
      sourceId: `p/s/table:${table}`,
      label: 'HAS_COLUMN',
      targetId: `p/s/column:${table}.${name}`,
      properties: {},
      provenance,
    },
  })
  const table = (name: string, ...columns: string[]): Fact[] => [
    node('Table', name),
    ...columns.flatMap((c, i) => [node('Column', `${name}.${c}`, { data_type: 'int', ordinal: i + 1 }), has(name, c)]),
  ]
  const put = (facts: Fact[], n = 1, more = {}) =>
    ingestFacts(database, { projectId: 'p', systemId: 's', observedAt: day(n), now: day(9), facts, ...more })
  const open = (unresolved: object, targetId = 'p/s/view:v'): EdgeFact => ({
    ...{
      fact: 'edge',
      sourceId: '',
      label: 'DATA_FLOW',
      targetId,
      properties: { how: 'copy', unresolved: unresolved as never },
      provenance,
    },
  })

  it('merges what is said twice, and tells of contradictions', async () => {
    const report = await put([
      node('Table', 'd.t', { a: 1, b: 1 }),
      node('Table', 'd.t', { b: 2, c: 3 }),
      node('Table', 'd.t', { a: 1, b: 1 }),
    ])
    expect((await readNode(database, 'p/s/table:d.t'))!.properties).toEqual({ a: 1, b: 1, c: 3 })
    expect(report.problems).toMatchObject([{ code: 'contradiction', found: 'b = 1 for p/s/table:d.t' }])
  })

  it('resolves open ends only where exactly one thing fits', async () => {
    await put([...table('d.t', 'x', 'y'), ...table('d.u', 'y')])
    const candidates = ['p/s/table:d.t', 'p/s/table:d.u']
    const report = await put(
      [
        ...[node('View', 'v'), node('Column', 'v.x'), node('Column', 'v.y')],
        open({ column: 'x', candidates }, 'p/s/column:v.x'),
        open({ column: 'y', candidates }, 'p/s/column:v.y'),
        open({ column: 'z', candidates }, 'p/s/column:v.y'),
        open({ table_name: 'd.t' }),
        open({ table_name: 'U' }),
        open({ table_name: 'nowhere' }),
      ],
      2,
    )
    const { edges: flows } = await readEstate(database, { projectId: 'p', labels: ['DATA_FLOW'] })
    expect(flows.map((e) => [e.sourceId, e.targetId, e.properties])).toEqual([
      ['p/s/column:d.t.x', 'p/s/column:v.x', { how: 'copy' }],
      ['p/s/table:d.t', 'p/s/view:v', { how: 'copy' }],
      ['p/s/table:d.u', 'p/s/view:v', { how: 'copy' }],
    ])
    expect(report.problems.map((p) => p.code).sort()).toEqual(['unresolved-column', 'unresolved-column', 'unresolved-table'])
  })

  it('spells out SELECT * of tables that another file makes', async () => {
    await put(table('d.t', 'x', 'y'))
    await put([node('View', 'd.v'), open({ star: true, candidates: ['p/s/table:d.t'] }, 'p/s/view:d.v')], 2)
    const [columns] = await readColumnsOf(database, ['p/s/view:d.v'])
    expect(columns).toMatchObject([
      { qualifiedName: 'd.v.x', properties: { data_type: 'int', ordinal: 1 } },
      { qualifiedName: 'd.v.y', properties: { data_type: 'int', ordinal: 2 } },
    ])
    const { edges } = await readEstate(database, { projectId: 'p', labels: ['DATA_FLOW'] })
    expect(edges.map((e) => `${e.sourceId} ${e.targetId}`)).toEqual([
      'p/s/column:d.t.x p/s/column:d.v.x',
      'p/s/column:d.t.y p/s/column:d.v.y',
    ])
  })

  it('lays partial statements over what is there', async () => {
    await put([{ ...node('Table', 'd.t', { a: 1 }), partial: true }])
    await put([node('Table', 'd.t', { b: 1, c: 1 })], 2)
    await put([{ ...node('Table', 'd.t', { c: 2 }), name: 'T', partial: true }], 3)
    const states = await readNodeHistory(database, 'p/s/table:d.t')
    expect(states.map((s) => [s.name, s.properties])).toEqual([
      ['t', { a: 1 }],
      ['t', { b: 1, c: 1 }],
      ['t', { b: 1, c: 2 }],
    ])
  })

  it('refuses facts of other systems and other kinds, and keeps the rest', async () => {
    const foreign = { ...node('Table', 'd.t'), id: 'p/other/table:d.t' }
    const report = await put([foreign, { ...node('Table', 'd.u'), kind: 'Run' as never }, ...table('d.v', 'x')])
    expect(report.problems.map((p) => p.code)).toEqual(['foreign-fact', 'unknown-kind'])
    expect(await readNode(database, 'p/s/column:d.v.x')).not.toBeNull()
  })

  it('keeps every name there is: NUL, quotes, back-slashes, tabs, emoji, lone surrogates, prototype names', async () => {
    const names = ['a\0b', "it's", 'back\\slash\tand tab', '😀 Größe', 'lone \ud800', '__proto__', 'constructor', '${x}', '\\N']
    const properties = JSON.parse('{"__proto__": 1, "text": "x\\u0000y \\\\u0000", "lone": "\\ud83d"}')
    await put(names.flatMap((name) => [{ ...node('Table', `d.${name}`, properties), name }]))
    const { nodes } = await readEstate(database, { projectId: 'p', kinds: ['Table'] })
    expect(new Set(nodes.map((n) => n.name))).toEqual(new Set(names.map((n) => n.replace('\0', '\uFFFD').replace('\ud800', '\uFFFD'))))
    expect(Object.entries(nodes[0]!.properties).sort()).toEqual([
      ['__proto__', 1],
      ['lone', '\uFFFD'],
      ['text', 'x\uFFFDy \\u0000'],
    ])
  })

  it('is all or nothing: facts that break off leave no trace', async () => {
    await put(table('d.t', 'x'))
    const before = await Promise.all(ledgerTables.map(rowsOf))
    const broken = function* (): Generator<Fact> {
      for (let i = 0; i < 12_000; i++) yield node('Table', `d.broken_${i}`)
      throw new Error('the file ends here')
    }
    await expect(put(broken as never, 2)).rejects.toThrow('the file ends here')
    expect(await Promise.all(ledgerTables.map(rowsOf))).toEqual(before)
  })

  it('takes many ingests at once: each is a snapshot, none is lost', async () => {
    const reports = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((n) => put(table(`d.t${n}`, 'x'), n, { systemId: 's', sources: [{ dialect: 'test', file: `${n}` }] })),
    )
    expect(new Set(reports.map((r) => r.snapshotId)).size).toBe(6)
    expect((await readEstate(database, { projectId: 'p', kinds: ['Column'] })).nodes.length).toBe(6)
  })

  it('loads a table of 3,000 columns', async () => {
    const columns = Array.from({ length: 3_000 }, (_, i) => `c${i}`)
    const report = await put(table('d.wide', ...columns))
    expect(report.nodes.added).toBe(3_003)
    const [found] = await readColumnsOf(database, ['p/s/table:d.wide'])
    expect(found!.map((c) => c.name)).toEqual(columns)
  })
})
