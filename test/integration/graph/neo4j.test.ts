import fc from 'fast-check'
import neo4j from 'neo4j-driver'
import { afterAll, describe, expect, it } from 'vitest'
import { guardCypher } from '../../../src/graph/cypher-guard.js'
import { openNeo4j } from '../../../src/graph/neo4j.js'
import { attackTogether, smallQuery } from '../../support/cypher-attack.js'
import { describeIf } from '../../support/need.js'
import { describeGraphApi } from '../api/graph-api.js'
import { liveServer } from '../api/live-server.js'
import { testPlatform } from '../api/test-platform.js'
import { attack } from './attack-texts.js'
import { describeEngine, edge, node } from './engine-contract.js'
import { describeGraphQL } from './graphql-contract.js'

const {
  NEO4J_URI: uri,
  NEO4J_USERNAME: username = 'neo4j',
  NEO4J_PASSWORD: password = '',
  NEO4J_DATABASE: database = 'neo4j',
} = process.env

describeIf(uri, 'NEO4J_URI is not set; run: node scripts/neo4j/start.mjs -- npm test', 'a real Neo4j', () => {
  const open = () => openNeo4j({ uri: uri!, username, password, database })
  describeEngine('neo4j', open)
  describeGraphQL('neo4j', open)
  describeGraphApi('neo4j', open)

  it('takes for a read whatever the guard lets through (its own planner says so)', async () => {
    const driver = neo4j.driver(uri!, neo4j.auth.basic(username, password), { disableLosslessIntegers: true })
    afterAll(() => driver.close())
    const session = driver.session({ database, defaultAccessMode: 'READ' })
    let planned = 0
    const typeOf = async (text: string): Promise<string> => {
      try {
        const { summary } = await session.run(`EXPLAIN ${text}`, { name: 'a', rows: [], p: {}, create: 1, set: 1, delete: 1 })
        planned++
        return summary.queryType
      } catch {
        return 'r'
      }
    }
    await fc.assert(
      fc.asyncProperty(attack, async (text) => {
        const guarded = guardCypher(text, { engine: 'neo4j', rows: 100 })
        if ('ok' in guarded) for (const run of [guarded.text, text]) expect(await typeOf(run), run).toBe('r')
      }),
      { numRuns: 20_000 },
    )
    expect(planned).toBeGreaterThan(200)
    await session.close()
  }, 180_000)

  it('ends an answer that is too large to hold, and nothing else', async () => {
    const engine = await open()
    afterAll(() => engine.close())
    const huge = ['RETURN range(1, 300000000) AS l', 'UNWIND range(1, 3) AS x RETURN x, range(1, 3000000) AS l'].map((text) =>
      engine.read({ text, timeoutMs: 5_000 }).catch((error) => error),
    )
    const large = engine.read({ text: 'UNWIND range(1, 5000) AS x RETURN x, range(1, 1000) AS l', limit: 10_000 })
    const small = await Promise.all(Array.from({ length: 5 }, (_, i) => engine.read({ text: 'RETURN $i AS i', parameters: { i } })))
    expect(small.map(({ rows }) => rows)).toEqual([0, 1, 2, 3, 4].map((i) => [[i]]))
    // the thread that reads it has too little memory for it, or too little time
    for (const { code } of await Promise.all(huge)) expect(['CYPHER_FAILED', 'TIMEOUT']).toContain(code)
    await expect(engine.read({ text: 'RETURN range(1, 600000) AS l', timeoutMs: 30_000 })).rejects.toMatchObject({
      code: 'CYPHER_FAILED',
      message: expect.stringMatching(/too large|larger than 16 MiB/),
    })
    const { rows, isPartial } = await large
    expect(isPartial).toBe(true)
    expect(rows.length).toBeGreaterThan(300)
  }, 60_000)

  describe('eight who attack at once, through the API', () => {
    it("everyone else's queries are answered, rightly", async () => {
      const platform = await testPlatform(open)
      await platform.projection.stop()
      const changes = Array.from({ length: 300 }, (_, i) => [node(`t${i}`), edge(`t${i}`, 'DATA_FLOW', `t${(i * 7) % (i + 1)}`)]).flat()
      await platform.graph.apply(changes, 1)
      const server = await liveServer(platform)
      afterAll(() => server.close())
      const health = new URL('/healthz', server.url)
      let position = 1
      const { outcomes, others } = await attackTogether(server.post, 8_000, {
        health: async () => expect((await fetch(health)).status).toBe(200),
        typed: async () =>
          expect(await server.ask('{ tables(where: { id: { eq: "t7" } }) { name } }')).toEqual({ tables: [{ name: 't7' }] }),
        ledger: async () => expect(await server.ask('{ projects { id } }')).toEqual({ projects: [] }),
        cypher: () => smallQuery(server.post, 'MATCH (t:Table {id: "t9"}) RETURN t.name', [['t9']]),
        projection: async () => {
          await platform.graph.apply([node(`w${++position}`)], position)
          expect(await platform.graph.position()).toBe(position)
        },
      })
      for (const code of Object.keys(outcomes)) expect(['TIMEOUT', 'CYPHER_FAILED', 'UNAVAILABLE', 'OVERLOADED', 'cut']).toContain(code)
      for (const [name, { answers }] of Object.entries(others)) expect(answers, name).toBeGreaterThan(3)
    }, 120_000)
  })

  it('says what to do when no server answers', async () => {
    await expect(openNeo4j({ uri: 'bolt://127.0.0.1:1', username, password })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      remedy: expect.stringContaining('NEO4J_URI'),
    })
  })
})
