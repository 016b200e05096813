import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GraphEngine } from '../../../src/graph/engine.js'
import { createRun } from '../../../src/runs/store.js'
import type { Logger } from '../../../src/util/log.js'
import type { GraphChange, NodeKind, Properties } from '../../../src/vocabulary.js'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

const updatedAt = (day: number) => `2024-05-0${day}T12:00:00.000Z`
const node = (kind: NodeKind, id: string, properties: Properties = {}): GraphChange => ({
  op: 'upsert-node',
  id,
  kind,
  properties: { id, name: id, ...properties },
})
const edge = (sourceId: string, label: 'HAS_COLUMN' | 'USED', targetId: string): GraphChange => ({
  op: 'upsert-edge',
  sourceId,
  label,
  targetId,
  discriminator: '',
  properties: {},
})

/** What the API answers from the graph, whichever engine holds it. */
export function describeGraphApi(title: string, open: (log: Logger) => Promise<GraphEngine>): void {
  describe(`${title} behind the API`, () => {
    let platform: TestPlatform
    let server: LiveServer
    let runIds: string[]
    beforeAll(async () => {
      platform = await testPlatform(open)
      const runs = []
      for (let i = 0; i < 3; i++)
        runs.push(await createRun(platform.database, { kind: 'train-ggnn', options: { epochs: i + 1 }, projectId: 'p' }))
      runIds = runs.map((run) => run.id)
      await platform.projection.stop()
      await platform.graph.clear()
      await platform.graph.apply(
        [
          ...[1, 2, 3].flatMap((i) => [
            node('Table', `t${i}`, { updated_at: updatedAt(i), column_count: i, metadata_entropy: i }),
            node('Column', `c${i}`),
            edge(`t${i}`, 'HAS_COLUMN', `c${i}`),
          ]),
          node('DatasetVersion', 'dataset-version:00000000-0000-4000-8000-000000000001', { number: '1.0' }),
          ...runIds.flatMap((id) => [
            node('Run', `run:${id}`, { run_id: id, state: 'pending' }),
            edge(`run:${id}`, 'USED', 'dataset-version:00000000-0000-4000-8000-000000000001'),
          ]),
        ],
        1_000,
      )
      server = await liveServer(platform)
    })
    afterAll(() => server?.close())

    describe('graph reads', () => {
      test('filters, sorts, aliases and connections', async () => {
        const answer = await server.ask(`{
      tables(where: { columnCount: { gte: 2 } }, sort: [{ columnCount: DESC }]) { t: name columnCount cols: columns { c: name } }
      tablesConnection(first: 2, sort: [{ name: ASC }]) { totalCount pageInfo { hasNextPage endCursor } edges { node { name } } }
    }`)
        expect(answer.tables).toEqual([
          { t: 't3', columnCount: 3, cols: [{ c: 'c3' }] },
          { t: 't2', columnCount: 2, cols: [{ c: 'c2' }] },
        ])
        expect(answer.tablesConnection).toMatchObject({
          totalCount: 3,
          pageInfo: { hasNextPage: true },
          edges: [{ node: { name: 't1' } }, { node: { name: 't2' } }],
        })
      })

      test('a selection of nothing but __typename', async () => {
        const answer = await server.ask(`{
          nodes: tablesConnection(first: 2) { edges { node { __typename } } }
          edges: tablesConnection(first: 2) { edges { __typename } }
          fragments: tablesConnection(first: 1) { edges { ...E } }
          tables(limit: 1, sort: [{ name: ASC }]) { c: columnsConnection { edges { ... on TableColumnsRelationship { __typename } } aggregate { node { __typename } } } columns { __typename } }
          tablesConnection { aggregate { node { __typename } } }
        } fragment E on TableEdge { node { ...N } } fragment N on Table { __typename }`)
        const node = { __typename: 'Table' }
        expect(answer).toEqual({
          nodes: { edges: [{ node }, { node }] },
          edges: { edges: [{ __typename: 'TableEdge' }, { __typename: 'TableEdge' }] },
          fragments: { edges: [{ node }] },
          tables: [
            {
              c: {
                edges: [{ __typename: 'TableColumnsRelationship' }],
                aggregate: { node: { __typename: expect.stringContaining('Aggregat') } },
              },
              columns: [{ __typename: 'Column' }],
            },
          ],
          tablesConnection: { aggregate: { node: { __typename: 'TableAggregateNode' } } },
        })
      })

      test.each([
        ['{ tables(limit: -1) { name } }', 'tables.limit: found -1'],
        ['{ tablesConnection(first: -1) { totalCount } }', 'tablesConnection.first: found -1'],
        ['{ tables(offset: -2) { name } }', 'tables.offset: found -2'],
        ['query ($n: Int = -3) { tables { columns(limit: $n) { name } } }', 'columns.limit: found -3'],
        ['{ tables { ...T } } fragment T on Table { columnsConnection(first: -4) { totalCount } }', 'columnsConnection.first: found -4'],
        ['{ tablesConnection(first: 1, after: "bogus") { totalCount } }', '"bogus" is no cursor'],
        ['{ tables { columnsConnection(after: "eHg=") { totalCount } } }', '"eHg=" is no cursor'],
      ])('%s is refused', async (query, says) => {
        const { errors } = await server.post(query)
        expect(errors?.[0]).toMatchObject({
          message: expect.stringContaining(says),
          extensions: { code: 'BAD_USER_INPUT', remedy: expect.any(String) },
        })
      })

      test('pages by the cursors that were answered, and leaves those of the ledger alone', async () => {
        const page = `query ($after: String) { tablesConnection(first: 2, after: $after, sort: [{ name: ASC }]) { pageInfo { endCursor } edges { node { name } } } }`
        const first = await server.ask(page)
        const second = await server.ask(page, { after: first.tablesConnection.pageInfo.endCursor })
        expect(second.tablesConnection.edges).toEqual([{ node: { name: 't3' } }])
        const ledger = await server.ask('{ runs(first: 1) { pageInfo { endCursor } } }')
        const { errors } = await server.post(
          'query ($after: String) { runs(first: 1, after: $after) { totalCount } runNodes { run { node { id } } } }',
          {
            after: ledger.runs.pageInfo.endCursor,
          },
        )
        expect(errors).toBeUndefined()
      })

      test('nothing can be written through it', async () => {
        const { __schema } = await server.ask('{ __schema { mutationType { fields { name } } subscriptionType { fields { name } } } }')
        const names: string[] = [...__schema.mutationType.fields, ...__schema.subscriptionType.fields].map(
          (field: { name: string }) => field.name,
        )
        expect(names.filter((name) => /^(create|update|delete)[A-Z]\w*s$/.test(name))).toEqual([])
      })
    })

    describe('one DateTime for both halves', () => {
      test('as an argument and in answers of the graph', async () => {
        const query = `query ($after: DateTime!) { literal: tables(where: { updatedAt: { gt: "2024-05-02" } }) { name updatedAt }
      variable: tables(where: { updatedAt: { gt: $after } }) { name } nested: columns(where: { tables: { some: { updatedAt: { lte: $after } } } }) { name } }`
        expect(await server.ask(query, { after: '2024-05-02T14:00:00+02:00' })).toEqual({
          literal: [
            { name: 't2', updatedAt: updatedAt(2) },
            { name: 't3', updatedAt: updatedAt(3) },
          ].map((t) => expect.objectContaining(t)),
          variable: [{ name: 't3' }],
          nested: expect.arrayContaining([{ name: 'c1' }, { name: 'c2' }]),
        })
      })
      test('in answers of the ledger', async () => {
        const { run } = await server.ask(`{ run(id: "${runIds[0]}") { createdAt startedAt } }`)
        expect(run).toEqual({ createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/), startedAt: null })
      })
      test('what is none is refused with the same words by both', async () => {
        const { errors } = await server.post('{ tables(where: { updatedAt: { gt: "soon" } }) { name } }')
        expect(errors?.[0]?.message).toContain('expected ISO-8601')
      })
    })

    describe('links between graph and ledger', () => {
      test('graph -> ledger -> graph, with aliases and fragments', async () => {
        const answer = await server.ask(
          `query ($id: ID!, $deep: Boolean!) { runNodes(where: { id: { eq: $id } }) { n: name run { state node { ...N used @include(if: $deep) { number usedBy { id } } } } } }
       fragment N on RunNode { again: id runId }`,
          { id: `run:${runIds[1]}`, deep: true },
        )
        const [{ run }] = answer.runNodes
        expect(run).toMatchObject({ state: 'PENDING', node: { again: `run:${runIds[1]}`, runId: runIds[1], used: [{ number: '1.0' }] } })
        expect(run.node.used[0].usedBy).toHaveLength(3)
      })

      test('siblings share one SQL statement and one Cypher query', async () => {
        const cypher: string[] = []
        const driver = platform.graph.driver()
        type Work = (transaction: { run(text: string, parameters?: object): unknown }) => unknown
        const counting = {
          session: (config?: unknown) => {
            const session = driver.session(config) as { executeRead(work: Work, settings?: unknown): unknown; close(): unknown }
            return {
              executeRead: (work: Work, settings?: unknown) =>
                session.executeRead((tx) => {
                  const run: typeof tx.run = (text, parameters) => {
                    cypher.push(text)
                    return tx.run(text, parameters)
                  }
                  return work({ run })
                }, settings),
              close: () => session.close(),
            }
          },
        }
        const graph = new Proxy(platform.graph, { get: (target, key) => (key === 'driver' ? () => counting : Reflect.get(target, key)) })
        const counted = await liveServer({ ...platform, graph })
        try {
          const statements = await platform.statements(() => counted.ask('{ runNodes { run { state node { id run { kind } } } } }'))
          expect(cypher.filter((text) => !text.includes('dbms.components'))).toHaveLength(2)
          expect(statements).toHaveLength(1)
        } finally {
          await counted.close()
        }
      })

      test('a run whose node has not been projected yet has none', async () => {
        const run = await createRun(platform.database, { kind: 'evaluate', options: {} })
        expect(await server.ask(`{ run(id: "${run.id}") { node { id } } }`)).toEqual({ run: { node: null } })
      })
    })

    describe('cypher', () => {
      const query = `query ($query: String!, $params: JSON, $limit: Int! = 1000, $timeoutMs: Int! = 10000) {
    cypher(query: $query, params: $params, limit: $limit, timeoutMs: $timeoutMs) { columns rows isPartial elapsedMs } }`
      const cypher = async (text: string, more: object = {}) => server.post(query, { query: text, ...more })

      test('nodes, relationships and values in fixed shapes, with parameters', async () => {
        const { data } = await cypher('MATCH (t:Table {id: $id})-[r:HAS_COLUMN]->(c) RETURN t, type(r) AS kind, c.name, 1.5 AS x', {
          params: { id: 't2' },
        })
        expect(data.cypher).toMatchObject({
          columns: ['t', 'kind', 'c.name', 'x'],
          rows: [[{ id: 't2', labels: ['Table'], properties: { name: 't2', column_count: 2 } }, 'HAS_COLUMN', 'c2', 1.5]],
          isPartial: false,
        })
      })

      test('rows are cut at the limit, and the answer says so', async () => {
        const { data } = await cypher('MATCH (t:Table) RETURN t.name ORDER BY t.name', { limit: 2 })
        expect(data.cypher).toMatchObject({ rows: [['t1'], ['t2']], isPartial: true })
      })

      test.each([
        ['a write', 'CREATE (n:Table) RETURN n'],
        ['a write in a subquery', 'MATCH (n) CALL (n) { SET n.x = 1 } RETURN n'],
        ['an escaped write', 'MATCH (n) D\\u0045LETE n'],
        ['a load of files', "LOAD CSV FROM 'file:///etc/passwd' AS row RETURN row"],
        ['an unknown clause', 'FROBNICATE (n) RETURN n'],
        ['an unknown procedure', 'CALL apoc.help("x")'],
        ['two statements', 'MATCH (n) RETURN n; MATCH (m) RETURN m'],
      ])('%s is refused, with its place and what to do', async (_, text) => {
        const { errors, data } = await cypher(text)
        expect(data).toBeNull()
        expect(errors?.[0]?.extensions).toMatchObject({
          code: 'CYPHER_REFUSED',
          remedy: expect.any(String),
          problems: [{ where: expect.stringMatching(/^cypher:\d+:\d+/) }],
        })
      })

      test('nothing of that has changed the graph', async () => {
        expect((await cypher('MATCH (t:Table) RETURN count(t) AS n')).data.cypher.rows).toEqual([[3]])
      })

      test('a query past its time ends with TIMEOUT', async () => {
        const { errors } = await cypher(
          'UNWIND range(1, 3000) AS a UNWIND range(1, 3000) AS b UNWIND range(1, 3000) AS c RETURN sum(a * b * c) AS s',
          { timeoutMs: 300 },
        )
        expect(errors?.[0]?.extensions.code).toBe('TIMEOUT')
        expect((await cypher('RETURN 1 AS one')).data.cypher.rows).toEqual([[1]])
      })

      test.each([
        [{ limit: 0 }, 'limit: found 0'],
        [{ limit: 10_001 }, 'expected 1 to 10,000'],
        [{ timeoutMs: 60_001 }, 'expected 1 to 60,000'],
        [{ params: [1] }, 'params: found a list'],
      ])('%j is refused', async (bad, message) => {
        const { errors } = await cypher('RETURN 1 AS one', bad)
        expect(errors?.[0]).toMatchObject({ message: expect.stringContaining(message), extensions: { code: 'BAD_USER_INPUT' } })
      })

      test('every query leaves an audit row, refused ones too, without values of parameters', async () => {
        await cypher('RETURN $secret AS s', { params: { secret: 'hunter2' } })
        await cypher('CREATE (n)')
        const { audit } = await server.ask('{ audit(action: "run-cypher", first: 2) { actor action subject details } }')
        expect(audit).toMatchObject([
          { actor: 'local', details: { query: 'CREATE (n)', outcome: 'CYPHER_REFUSED' } },
          { details: { query: 'RETURN $secret AS s', outcome: 'ok', rows: 1 } },
        ])
        expect(JSON.stringify(audit)).not.toContain('hunter2')
      })
    })
  })
}
