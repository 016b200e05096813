import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

let platform: TestPlatform
let server: LiveServer
beforeAll(async () => {
  platform = await testPlatform()
  server = await liveServer(platform)
})
afterAll(() => server?.close())

const first = `CREATE DATABASE core; USE core;
CREATE TABLE customer (id INT, name VARCHAR(40), born DATE, PRIMARY KEY (id) DISABLE NOVALIDATE);
CREATE TABLE account (id INT, owner_id INT, balance DECIMAL(10,2), PRIMARY KEY (id) DISABLE NOVALIDATE,
  CONSTRAINT fk_owner FOREIGN KEY (owner_id) REFERENCES customer (id) DISABLE NOVALIDATE);
CREATE VIEW rich AS SELECT c.name, a.balance FROM customer c JOIN account a ON a.owner_id = c.id WHERE a.balance > 1000;`
const second = first.replace('born DATE', 'born STRING, email STRING')
const job = `<DEFTABLE><FOLDER FOLDER_NAME="nightly"><JOB JOBNAME="load" APPLICATION="bank" CMDLINE="hive -e 'INSERT INTO TABLE core.account SELECT * FROM stage'"/></FOLDER></DEFTABLE>`
const rows = '[{"id": 1, "tags": ["a"], "at": "2024-01-01"}]'

const report = `snapshotId observedAt isReplay changes problemCount nodes { added changed removed unchanged } edges { added unchanged }
  metrics { columnCount tableCount metadataEntropy klDivergence distribution } quality { score level processingStrategy } problems { severity code where }`
const ingestDdl = `mutation ($text: String!, $at: DateTime, $complete: Boolean! = false, $dryRun: Boolean! = false) {
  ingest(projectId: "bank", systemId: "hive", hiveDdls: [{ text: $text, name: "core.sql" }], observedAt: $at, complete: $complete, dryRun: $dryRun) { ${report} } }`
const column = (name: string) => `bank/hive/column:core.${name}`

describe('ingest', () => {
  test('a dry run answers what would be, and writes nothing', async () => {
    const { ingest } = await server.ask(ingestDdl, { text: first, at: '2024-01-01', dryRun: true })
    expect(ingest).toMatchObject({ snapshotId: null, isReplay: false })
    expect(ingest.nodes.added).toBeGreaterThan(8)
    expect(await server.ask('{ projects { id } snapshots { totalCount } }')).toEqual({ projects: [], snapshots: { totalCount: 0 } })
  })

  test('a whole estate in one call: counts, metrics, quality, problems; a snapshot is told of live', async () => {
    const followed = server.follow(server.socket(), 'subscription { snapshotIngested(projectId: "bank") { id projectId nodes { added } } }')
    const elsewhere = server.follow(server.socket(), 'subscription { snapshotIngested(projectId: "other") { id } }')
    await listening()
    const { ingest } = await server.ask(
      `mutation ($ddl: String!, $job: String!, $rows: String!) { ingest(projectId: "bank", systemId: "hive", observedAt: "2024-01-01",
        hiveDdls: [{ text: $ddl, name: "core.sql" }], controlMFiles: [{ text: $job, name: "jobs.xml" }], jsonTables: [{ text: $rows, name: "people.json" }]) { ${report} } }`,
      { ddl: first, job, rows },
    )
    expect(ingest).toMatchObject({ snapshotId: expect.any(String), observedAt: '2024-01-01T00:00:00.000Z', isReplay: false })
    expect(ingest.nodes.added).toBeGreaterThan(12)
    expect(ingest.metrics.columnCount).toBe(11)
    expect(Object.values(ingest.metrics.distribution as Record<string, number>).reduce((a, b) => a + b)).toBeCloseTo(1)
    expect(ingest.quality.score).toBeGreaterThan(0)
    await followed.until((values) => values.length === 1)
    expect(followed.values[0].data.snapshotIngested).toMatchObject({
      id: ingest.snapshotId,
      projectId: 'bank',
      nodes: { added: ingest.nodes.added },
    })
    expect(elsewhere.values).toEqual([])
  })

  test('the project and its system are listed, the deed is audited', async () => {
    expect(await server.ask('{ projects { id systems { id } } systems(projectId: "bank") { id projectId } }')).toEqual({
      projects: [{ id: 'bank', systems: [{ id: 'hive' }] }],
      systems: [{ id: 'hive', projectId: 'bank' }],
    })
    const { audit } = await server.ask('{ audit(action: "ingest") { subject } }')
    expect(audit).toEqual([{ subject: 'bank/hive' }])
  })

  test('the same again changes nothing', async () => {
    const { ingest } = await server.ask(ingestDdl, { text: first, at: '2024-01-02' })
    expect(ingest).toMatchObject({ changes: 0, nodes: { added: 0, changed: 0, removed: 0 } })
  })

  test('a later version is a difference', async () => {
    const { ingest } = await server.ask(ingestDdl, { text: second, at: '2024-02-01' })
    expect(ingest.nodes).toMatchObject({ added: 1, removed: 0 })
    expect(ingest.nodes.changed).toBeGreaterThan(0)
  })

  test('what is wrong in a text is a problem with its place; the rest is kept', async () => {
    const { ingest } = await server.ask(
      `mutation { ingest(projectId: "broken", systemId: "hive", sources: [{ text: "CREATE TABLE ok (a INT); CREATE TABEL nope (b INT);", name: "bad.sql", dialect: "hive-ddl" }]) { nodes { added } problems { severity where } } }`,
    )
    expect(ingest.nodes.added).toBeGreaterThan(0)
    expect(ingest.problems).toEqual(expect.arrayContaining([expect.objectContaining({ where: expect.stringContaining('bad.sql') })]))
  })

  test.each([
    ['no document', 'projectId: "p", systemId: "s"', 'found no document'],
    ['text and path', 'projectId: "p", systemId: "s", hiveDdls: [{ text: "x", path: "y" }]', 'hiveDdls[0]: found both'],
    ['neither', 'projectId: "p", systemId: "s", jsonTables: [{ name: "y" }]', 'jsonTables[0]: found neither'],
    ['a path that is not there', 'projectId: "p", systemId: "s", hiveDdls: [{ path: "/nonexistent/x.sql" }]', 'cannot be read (ENOENT)'],
    ['an id that cannot be part of ids', 'projectId: "a/b", systemId: "s", hiveDdls: [{ text: "x" }]', '"a/b"'],
    ['an unknown dialect', 'projectId: "p", systemId: "s", sources: [{ text: "x", dialect: "hive" }]', 'hive-ddl'],
    ['variables of another shape', 'projectId: "p", systemId: "s", hiveDdls: [{ text: "x" }], variables: [1]', 'variables: found [1]'],
    [
      'too low a quality',
      'projectId: "p", systemId: "s", hiveDdls: [{ text: "CREATE TABLE t (a INT)" }], rejectBelow: 0.99',
      'nothing was saved',
    ],
    [
      'a bar that is no quality',
      'projectId: "p", systemId: "s", hiveDdls: [{ text: "CREATE TABLE t (a INT)" }], rejectBelow: 2',
      'rejectBelow: found 2',
    ],
  ])('%s is refused', async (_, args, message) => {
    const { errors, data } = await server.post(`mutation { ingest(${args}) { snapshotId } }`)
    expect(data).toBeNull()
    expect(errors?.[0]?.message).toContain(message)
    expect(errors?.[0]?.extensions.code).toMatch(/BAD_USER_INPUT|GATE_FAILED/)
    const { snapshots, projects } = await server.ask('{ snapshots { totalCount } projects { id } }')
    expect([snapshots.totalCount, projects.map(({ id }: { id: string }) => id)]).toEqual([4, ['bank', 'broken']])
  })

  test('paths: a folder by extension, names relative to it; refused where others could reach the server', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-paths-'))
    try {
      fs.mkdirSync(path.join(folder, 'sub'))
      fs.writeFileSync(path.join(folder, 'sub', 'a.sql'), 'CREATE TABLE from_path (a INT);')
      fs.writeFileSync(path.join(folder, 'b.json'), rows)
      fs.writeFileSync(path.join(folder, '.hidden.sql'), 'CREATE TABLE hidden (a INT);')
      const { ingest } = await server.ask(
        `mutation ($path: String!) { ingest(projectId: "paths", systemId: "s", hiveDdls: [{ path: $path }]) { snapshotId } }`,
        { path: folder },
      )
      const { snapshot } = await server.ask(
        `{ snapshot(id: "${ingest.snapshotId}") { sources { dialect file bytes } metrics { tableCount } } }`,
      )
      expect(snapshot).toEqual({ sources: [{ dialect: 'hive-ddl', file: 'sub/a.sql', bytes: '31' }], metrics: { tableCount: 1 } })
    } finally {
      fs.rmSync(folder, { recursive: true, force: true })
    }
  })

  test('queueIngest stores the documents and answers a run', async () => {
    const { queueIngest } = await server.ask(
      'mutation ($text: String!) { queueIngest(projectId: "later", systemId: "hive", sources: [{ text: $text, name: "core.sql" }]) { id kind state options projectId } }',
      { text: first },
    )
    expect(queueIngest).toMatchObject({
      kind: 'INGEST',
      state: 'PENDING',
      projectId: 'later',
      options: { sources: [{ dialect: 'hive-ddl', file: 'core.sql' }] },
    })
    const stored = await platform.blobs.get(queueIngest.options.sources[0].blob)
    expect(new TextDecoder().decode(stored)).toBe(first)
  })
})

interface KnowledgePage {
  nodes: { totalCount: number; pageInfo: { hasNextPage: boolean; endCursor: string }; edges: { node: { id: string } }[] }
}

/** Waits until a subscription listens to snapshots. */
async function listening(): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const { rows: found } = await platform.database.query<{ n: number }>(
      `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE '%listen%espalier_snapshot%' AND pid <> pg_backend_pid()`,
    )
    if (found[0]!.n >= 1) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('nobody listens to snapshots')
}

describe('reads', () => {
  test('a node now, as it was, and all that it ever was', async () => {
    const { now, then, never, nodeHistory } = await server.ask(`{
      now: catalogNode(id: "${column('customer.born')}") { name kind updatedAt source { dialect file location } properties }
      then: catalogNode(id: "${column('customer.born')}", asOf: "2024-01-15") { properties updatedAt }
      never: catalogNode(id: "${column('customer.email')}", asOf: "2024-01-15") { id }
      nodeHistory(id: "${column('customer.born')}") { validFrom validTo properties } }`)
    expect(now).toMatchObject({
      name: 'born',
      kind: 'Column',
      updatedAt: '2024-02-01T00:00:00.000Z',
      source: { dialect: 'hive-ddl', file: 'core.sql' },
    })
    expect(JSON.stringify(now.properties)).toContain('string')
    expect(JSON.stringify(then.properties)).toContain('date')
    expect(never).toBeNull()
    expect(nodeHistory).toMatchObject([
      { validFrom: '2024-01-01T00:00:00.000Z', validTo: '2024-02-01T00:00:00.000Z' },
      { validFrom: '2024-02-01T00:00:00.000Z', validTo: null },
    ])
  })

  test('what hangs on a node is of the same moment, batched', async () => {
    const query = `query ($at: DateTime) { knowledgeGraph(projectId: "bank", asOf: $at) { nodes(kinds: [Table], first: 50) { edges { node { name
      columns { name updatedAt edgesOut(labels: [REFERENCES]) { target { name } } } edgesIn { source { kind } } metrics { name value } history { validFrom } } } } } }`
    const names = (answer: { knowledgeGraph: { nodes: { edges: { node: { name: string; columns: { name: string }[] } }[] } } }) =>
      answer.knowledgeGraph.nodes.edges.find(({ node }) => node.name === 'customer')!.node.columns.map((c) => c.name)
    expect(names(await server.ask(query, { at: '2024-01-15' }))).toEqual(['id', 'name', 'born'])
    expect(names(await server.ask(query))).toEqual(['id', 'name', 'born', 'email'])
    const statements = await platform.statements(() => server.ask(query))
    // nodes; columns, edges in, metrics, history of the tables; edges out and stamps of the columns; sources; targets
    expect(statements.length, statements.join('\n\n')).toBeLessThanOrEqual(9)
  })

  test('pages of nodes and edges have true totals and meet no one twice', async () => {
    const page = `query ($after: String) { knowledgeGraph(projectId: "bank", systemId: "hive") { nodes(first: 7, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { node { id } } } } }`
    const seen: string[] = []
    let after: string | null = null
    let total = 0
    do {
      const { nodes }: KnowledgePage = (await server.ask(page, { after })).knowledgeGraph
      seen.push(...nodes.edges.map((e) => e.node.id))
      total = nodes.totalCount
      after = nodes.pageInfo.hasNextPage ? nodes.pageInfo.endCursor : null
    } while (after)
    expect(seen).toHaveLength(total)
    expect(new Set(seen).size).toBe(total)
    const { catalogAsOf } = await server.ask(
      `{ catalogAsOf(at: "2023-01-01", projectId: "bank") { nodes { totalCount } edges { totalCount edges { node { label } } } } }`,
    )
    expect(catalogAsOf).toEqual({ nodes: { totalCount: 0 }, edges: { totalCount: 0, edges: [] } })
  })

  test('diff, changes, snapshots, quality and series', async () => {
    const answer = await server.ask(`{
      diff(projectId: "bank", systemId: "hive", from: "2024-01-15", to: "2024-03-01") { isPartial nodes { id kind change before after } edges { label change } }
      changes(projectId: "bank", kinds: [TYPE_CHANGED]) { totalCount edges { node { kind at nodeId before after } } }
      snapshots(projectId: "bank", first: 2) { totalCount pageInfo { hasNextPage } edges { node { id observedAt nodes { added } metrics { columnCount } problems { code } } } }
      quality(projectId: "bank") { observedAt quality { score level } metrics { columnCount } }
      before: quality(projectId: "bank", asOf: "2024-01-01") { metrics { columnCount } }
      metricSeries(nodeIds: ["bank"], names: ["column_count"]) { at value } }`)
    expect(answer.diff.isPartial).toBe(false)
    expect(answer.diff.nodes).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: column('customer.email'), change: 'ADDED', before: null }),
        expect.objectContaining({ id: column('customer.born'), change: 'CHANGED' }),
      ]),
    )
    expect(answer.changes).toMatchObject({
      totalCount: 1,
      edges: [{ node: { kind: 'TYPE_CHANGED', at: '2024-02-01T00:00:00.000Z', nodeId: column('customer.born') } }],
    })
    expect(answer.snapshots.totalCount).toBe(3)
    expect(answer.snapshots.pageInfo.hasNextPage).toBe(true)
    expect(answer.snapshots.edges[0].node.observedAt).toBe('2024-02-01T00:00:00.000Z')
    expect(answer.quality.metrics.columnCount).toBe(12)
    expect(answer.before.metrics.columnCount).toBe(11)
    expect(answer.metricSeries).toEqual([
      { at: '2024-01-01T00:00:00.000Z', value: 11 },
      { at: '2024-01-02T00:00:00.000Z', value: 11 },
      { at: '2024-02-01T00:00:00.000Z', value: 12 },
    ])
  })

  test('lineage up and down, with an honest cut', async () => {
    const query = `query ($id: ID!, $direction: LineageDirection!, $nodeBudget: Int! = 100) { lineage(id: $id, direction: $direction, nodeBudget: $nodeBudget) { isPartial nodes { distance node { name kind } } edges { label source { name } target { name } } } }`
    const { lineage } = await server.ask(query, { id: 'bank/hive/view:core.rich', direction: 'UPSTREAM' })
    expect(lineage.isPartial).toBe(false)
    expect(lineage.nodes[0]).toEqual({ distance: 0, node: { name: 'rich', kind: 'View' } })
    expect(lineage.nodes.slice(1).map((n: { node: { name: string } }) => n.node.name)).toEqual(
      expect.arrayContaining(['customer', 'account']),
    )
    expect((await server.ask(query, { id: 'bank/hive/view:core.rich', direction: 'UPSTREAM', nodeBudget: 1 })).lineage.isPartial).toBe(true)
    expect(await server.ask(query, { id: 'nothing', direction: 'BOTH' })).toEqual({ lineage: null })
    expect((await server.post(query, { id: 'x', direction: 'BOTH', nodeBudget: 0 })).errors?.[0]?.message).toContain('nodeBudget: found 0')
  })

  test('the graph follows the ledger, and can be waited for and rebuilt', async () => {
    const { awaitProjection } = await server.ask('mutation { awaitProjection { lag failure } }')
    expect(awaitProjection).toEqual({ lag: 0, failure: null })
    const query =
      '{ views(where: { projectId: { eq: "bank" } }) { name columns(sort: [{ ordinal: ASC }]) { name flowsFrom { name tables { name } } } } }'
    const before = await server.ask(query)
    expect(before).toEqual({
      views: [
        {
          name: 'rich',
          columns: [
            { name: 'name', flowsFrom: [{ name: 'name', tables: [{ name: 'customer' }] }] },
            { name: 'balance', flowsFrom: [{ name: 'balance', tables: [{ name: 'account' }] }] },
          ],
        },
      ],
    })
    const { rebuildGraph } = await server.ask('mutation { rebuildGraph { nodes edges } }')
    expect(rebuildGraph.nodes).toBeGreaterThan(20)
    expect(await server.ask(query)).toEqual(before)
    expect(await server.ask('{ projectionLag { lag } }')).toEqual({ projectionLag: { lag: 0 } })
  })
})
