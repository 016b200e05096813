import { readFileSync } from 'node:fs'
import { Neo4jGraphQL } from '@neo4j/graphql'
import { type GraphQLSchema, graphql } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DriverShape, GraphEngine } from '../../../src/graph/engine.js'
import type { GraphChange } from '../../../src/vocabulary.js'
import { edge, node } from './asking.js'

const day = (n: number) => new Date(Date.UTC(2024, 0, n)).toISOString()

/** users(id, email) and orders(order_id) with a foreign key, a flow, an empty table, and the platform's own nodes. */
const estate: GraphChange[] = [
  node('t1', 'Table', { name: 'users', project_id: 'bank', metadata_entropy: 2, updated_at: day(1), partitioned_by: ['a', 'b'] }),
  node('t2', 'Table', { name: 'orders', project_id: 'bank', metadata_entropy: 1.5, updated_at: day(2) }),
  node('t3', 'Table', { name: 'empty', updated_at: day(3) }),
  node('c1', 'Column', { name: 'id', data_type: 'int', ordinal: 1, nullable: false, type_tree: { name: 'int' }, updated_at: day(1) }),
  node('c2', 'Column', { name: 'email', data_type: 'string', ordinal: 2, nullable: true, updated_at: day(2) }),
  node('c3', 'Column', { name: 'order_id', data_type: 'int', ordinal: 1, updated_at: day(3) }),
  edge('t1', 'HAS_COLUMN', 'c1'),
  edge('t1', 'HAS_COLUMN', 'c2'),
  edge('t2', 'HAS_COLUMN', 'c3'),
  edge('t1', 'DATA_FLOW', 't2', { transformation: 'copy' }),
  edge('c3', 'REFERENCES', 'c1', { position: 1, columns: ['x'] }, 'fk'),
  node('run:1', 'Run', { kind: 'ingest', state: 'completed', created_at: day(4) }),
  node('artifact:1', 'Artifact', { aliases: ['production'], passed: true }),
  node('dataset-version:1', 'DatasetVersion', { number: '1.0', row_count: 9_007_199 }),
  edge('artifact:1', 'PRODUCED_BY', 'run:1'),
  edge('run:1', 'USED', 'dataset-version:1'),
  edge('dataset-version:1', 'DERIVED_FROM', 't1', { snapshot: 's' }),
]

const usersOnly = { tables: [{ name: 'users' }] }
const cases: [title: string, query: string, answer: unknown][] = [
  [
    'nested filters and sorts',
    '{ tables(where: {columns: {some: {dataType: {eq: "string"}}}}, sort: [{name: ASC}]) { id columns(where: {ordinal: {gt: 1}}) { name ordinal nullable } } }',
    { tables: [{ id: 't1', columns: [{ name: 'email', ordinal: 2, nullable: true }] }] },
  ],
  [
    'all',
    '{ tables(sort: [{name: ASC}], where: {columns: {all: {ordinal: {gte: 1}}}}) { name } }',
    { tables: [{ name: 'orders' }, { name: 'users' }] },
  ],
  ['none', '{ tables(where: {columns: {none: {dataType: {eq: "int"}}}}) { name } }', { tables: [{ name: 'empty' }] }],
  [
    'single, nested',
    '{ tables(where: {columns: {single: {references: {single: {name: {eq: "id"}}}}}}) { name } }',
    { tables: [{ name: 'orders' }] },
  ],
  [
    'AND, OR, NOT',
    '{ columns(sort: [{name: ASC}], where: {AND: [{OR: [{name: {contains: "i"}}, {name: {endsWith: "_id"}}]}, {NOT: {dataType: {in: ["string"]}}}]}) { name } }',
    { columns: [{ name: 'id' }, { name: 'order_id' }] },
  ],
  [
    'null',
    '{ tables(where: {metadataEntropy: {eq: null}}) { name metadataEntropy } }',
    { tables: [{ name: 'empty', metadataEntropy: null }] },
  ],
  ['lists', '{ tables(where: {partitionedBy: {includes: "a"}}) { name } }', usersOnly],
  [
    'both ways, three levels',
    '{ tables(where: {name: {eq: "users"}}) { name flowsToTables { name flowsFromTables { name columns(sort: [{ordinal: ASC}], limit: 1) { name } } } } }',
    { tables: [{ name: 'users', flowsToTables: [{ name: 'orders', flowsFromTables: [{ name: 'users', columns: [{ name: 'id' }] }] }] }] },
  ],
  [
    'aliases and JSON text',
    '{ a: columns(where: {id: {eq: "c1"}}) { b: typeTree c: tables { d: name } } }',
    { a: [{ b: '{"name":"int"}', c: [{ d: 'users' }] }] },
  ],
  [
    'connections with totals and cursors',
    '{ tablesConnection(first: 1, sort: [{name: DESC}]) { totalCount pageInfo { hasNextPage } edges { node { name columnsConnection(sort: [{node: {ordinal: DESC}}], first: 1) { totalCount pageInfo { hasNextPage } edges { node { name } } } flowsToTablesConnection { edges { properties { transformation } node { name } } } } } } }',
    {
      tablesConnection: {
        totalCount: 3,
        pageInfo: { hasNextPage: true },
        edges: [
          {
            node: {
              name: 'users',
              columnsConnection: { totalCount: 2, pageInfo: { hasNextPage: true }, edges: [{ node: { name: 'email' } }] },
              flowsToTablesConnection: { edges: [{ properties: { transformation: 'copy' }, node: { name: 'orders' } }] },
            },
          },
        ],
      },
    },
  ],
  [
    'connections three levels deep, each sorted, filtered and counted',
    `{ tablesConnection(sort: [{name: ASC}], where: {columns: {some: {ordinal: {gte: 1}}}}) { totalCount edges { node { name
      columnsConnection(sort: [{node: {name: ASC}}], where: {node: {name: {contains: "i"}}}) { totalCount edges { node { name
        referencesConnection { totalCount edges { properties { position } node { name
          tablesConnection { totalCount edges { node { name updatedAt } } } } } } } } } } } } }`,
    {
      tablesConnection: {
        totalCount: 2,
        edges: [
          {
            node: {
              name: 'orders',
              columnsConnection: {
                totalCount: 1,
                edges: [
                  {
                    node: {
                      name: 'order_id',
                      referencesConnection: {
                        totalCount: 1,
                        edges: [
                          {
                            properties: { position: 1 },
                            node: {
                              name: 'id',
                              tablesConnection: { totalCount: 1, edges: [{ node: { name: 'users', updatedAt: day(1) } }] },
                            },
                          },
                        ],
                      },
                    },
                  },
                ],
              },
            },
          },
          {
            node: {
              name: 'users',
              columnsConnection: {
                totalCount: 2,
                edges: ['email', 'id'].map((name) => ({ node: { name, referencesConnection: { totalCount: 0, edges: [] } } })),
              },
            },
          },
        ],
      },
    },
  ],
  [
    'aggregates of a filtered, nested connection',
    `{ tables(where: {name: {eq: "users"}}) { columnsConnection(where: {node: {updatedAt: {gte: "${day(2)}"}}}) { aggregate { count { nodes } node { name { shortest } updatedAt { max } ordinal { sum } } } } } }`,
    {
      tables: [
        {
          columnsConnection: {
            aggregate: { count: { nodes: 1 }, node: { name: { shortest: 'email' }, updatedAt: { max: day(2) }, ordinal: { sum: 2 } } },
          },
        },
      ],
    },
  ],
  [
    'filters on DateTime, nested and together',
    `{ tables(sort: [{name: ASC}], where: {AND: [{updatedAt: {lt: "2024-01-03T00:00:00+01:00"}}, {NOT: {updatedAt: {lt: "${day(1)}"}}}, {columns: {some: {updatedAt: {gte: "${day(2)}", lte: "${day(3)}"}}}}]}) { name updatedAt } }`,
    {
      tables: [
        { name: 'orders', updatedAt: day(2) },
        { name: 'users', updatedAt: day(1) },
      ],
    },
  ],
  [
    'the second page',
    '{ tablesConnection(first: 2, after: "YXJyYXljb25uZWN0aW9uOjA=", sort: [{updatedAt: DESC}]) { pageInfo { hasNextPage hasPreviousPage } edges { node { name } } } }',
    {
      tablesConnection: {
        pageInfo: { hasNextPage: false, hasPreviousPage: true },
        edges: [{ node: { name: 'orders' } }, { node: { name: 'users' } }],
      },
    },
  ],
  [
    'aggregates',
    '{ tablesConnection { aggregate { count { nodes } node { name { longest shortest } metadataEntropy { max min average sum } updatedAt { min max } } } } }',
    {
      tablesConnection: {
        aggregate: {
          count: { nodes: 3 },
          node: {
            name: { longest: 'orders', shortest: 'empty' },
            metadataEntropy: { max: 2, min: 1.5, average: 1.75, sum: 3.5 },
            updatedAt: { min: day(1), max: day(3) },
          },
        },
      },
    },
  ],
  [
    'nested aggregates',
    '{ tables(sort: [{name: ASC}]) { columnsConnection { aggregate { count { nodes } node { ordinal { average } } } } } }',
    {
      tables: [
        [0, null],
        [1, 1],
        [2, 1.5],
      ].map(([nodes, average]) => ({ columnsConnection: { aggregate: { count: { nodes }, node: { ordinal: { average } } } } })),
    },
  ],
  [
    'filters on aggregates',
    '{ tables(where: {columnsConnection: {aggregate: {node: {ordinal: {max: {gt: 1}}}, count: {nodes: {gt: 1}}}}}) { name } }',
    usersOnly,
  ],
  [
    'filters on edges',
    '{ columns(where: {referencesConnection: {some: {edge: {position: {eq: 1}}, node: {name: {eq: "id"}}}}}) { name referencesConnection(where: {edge: {discriminator: {eq: "fk"}}}) { edges { properties { discriminator position columns } } aggregate { edge { position { max } } count { edges } } } } }',
    {
      columns: [
        {
          name: 'order_id',
          referencesConnection: {
            edges: [{ properties: { discriminator: 'fk', position: 1, columns: ['x'] } }],
            aggregate: { edge: { position: { max: 1 } }, count: { edges: 1 } },
          },
        },
      ],
    },
  ],
  [
    'DateTime values and order',
    '{ tables(sort: [{updatedAt: DESC}]) { updatedAt } }',
    { tables: [3, 2, 1].map((n) => ({ updatedAt: day(n) })) },
  ],
  [
    'DateTime filters',
    `{ gt: tables(where: {updatedAt: {gt: "2024-01-02T00:00:00Z"}}) { name } eq: tables(where: {updatedAt: {eq: "2024-01-01T00:00:00Z"}}) { name } in: tables(where: {updatedAt: {in: ["${day(2)}"]}}) { name } }`,
    { gt: [{ name: 'empty' }], eq: [{ name: 'users' }], in: [{ name: 'orders' }] },
  ],
  [
    'runs, datasets, artifacts',
    '{ runNodes { id kind createdAt used { number rowCount derivedFromVersions { id } derivedVersions { id } derivedFromTablesConnection { edges { properties { snapshot } node { name } } } } produced { aliases passed } } }',
    {
      runNodes: [
        {
          id: 'run:1',
          kind: 'ingest',
          createdAt: day(4),
          used: [
            {
              number: '1.0',
              rowCount: 9_007_199,
              derivedFromVersions: [],
              derivedVersions: [],
              derivedFromTablesConnection: { edges: [{ properties: { snapshot: 's' }, node: { name: 'users' } }] },
            },
          ],
          produced: [{ aliases: ['production'], passed: true }],
        },
      ],
    },
  ],
  ['text that looks like Cypher', '{ tables(where: {name: {eq: "x\\" OR 1=1 } DETACH DELETE n //"}}) { name } }', { tables: [] }],
]

/** schema/graph.graphql served by @neo4j/graphql on this engine's driver: every generated shape of read. */
export function describeGraphQL(title: string, open: () => Promise<GraphEngine>): void {
  describe(`${title} under @neo4j/graphql`, () => {
    let engine: GraphEngine
    let schema: GraphQLSchema
    beforeAll(async () => {
      engine = await open()
      await engine.clear()
      await engine.prepare()
      await engine.apply(estate, 1)
      schema = await buildSchema()
    })
    afterAll(() => engine?.close())
    const run = (source: string, executionContext: DriverShape = engine.driver()) =>
      graphql({ schema, source, contextValue: { executionContext, cypherQueryOptions: { addVersionPrefix: engine.name === 'neo4j' } } })

    it.each(cases)('%s', async (_, query, answer) => {
      const { data, errors } = await run(query)
      expect(errors).toBeUndefined()
      expect(JSON.parse(JSON.stringify(data))).toEqual(answer)
    })

    it('exposes no mutations', () => {
      expect(schema.getMutationType()).toBeUndefined()
    })

    it('reads only, whatever text reaches the driver', async () => {
      type Session = {
        executeRead(work: (t: { run(text: string): Promise<unknown> }) => Promise<unknown>): Promise<unknown>
        executeWrite(work: unknown): Promise<unknown>
        close(): Promise<void>
      }
      const session = engine.driver().session() as Session
      await expect(session.executeRead((t) => t.run('CREATE (n:Table {id: "evil"}) RETURN n'))).rejects.toThrow()
      await expect(session.executeWrite(async () => {})).rejects.toMatchObject({ code: 'FORBIDDEN' })
      await session.close()
      const { data } = await run('{ tables(where: {id: {eq: "evil"}}) { id } }')
      expect(data).toEqual({ tables: [] })
    })
  })
}

export function buildSchema(): Promise<GraphQLSchema> {
  const typeDefs = readFileSync(new URL('../../../schema/graph.graphql', import.meta.url), 'utf8')
  const ledger = () => null
  const excludeDeprecatedFields = {
    mutationOperations: true,
    aggregationFilters: true,
    aggregationFiltersOutsideConnection: true,
    relationshipFilters: true,
    attributeFilters: true,
  }
  const resolvers = { RunNode: { run: ledger }, ArtifactNode: { artifact: ledger }, DatasetVersionNode: { datasetVersion: ledger } }
  return new Neo4jGraphQL({ typeDefs, resolvers, features: { excludeDeprecatedFields: excludeDeprecatedFields as never } }).getSchema()
}
