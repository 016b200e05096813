import fc from 'fast-check'
import neo4j, { type Session } from 'neo4j-driver'
import { afterAll, describe, expect, it } from 'vitest'
import { guardCypher } from '../../../src/graph/cypher/guard.js'
import { unfinished } from '../../../src/graph/engine.js'
import { openNeo4j } from '../../../src/graph/neo4j.js'
import { readSchemaStatements } from '../../../src/graph/query.js'
import { attackTogether, smallQuery } from '../../support/cypher-attack.js'
import { describeIf } from '../../support/need.js'
import { describeGraphApi } from '../api/graph-api.js'
import { liveServer } from '../api/live-server.js'
import { testPlatform } from '../api/test-platform.js'
import { edge, node } from './asking.js'
import { attack } from './attack-texts.js'
import { describeEngine } from './engine-contract.js'
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
    let planned = 0
    const typeOf = async (text: string): Promise<string> => {
      const session = driver.session({ database, defaultAccessMode: 'READ' })
      try {
        const { summary } = await session.run(`EXPLAIN ${text}`, { name: 'a', rows: [], p: {}, create: 1, set: 1, delete: 1 })
        planned++
        return summary.queryType
      } catch {
        return 'r'
      } finally {
        await session.close()
      }
    }
    // many at once: most of the time is on the way there and back
    await fc.assert(
      fc.asyncProperty(fc.array(attack, { minLength: 25, maxLength: 25 }), async (texts) => {
        const runs = texts.flatMap((text) => {
          const guarded = guardCypher(text, { engine: 'neo4j', rows: 100 })
          return 'ok' in guarded ? [guarded.text, text] : []
        })
        await Promise.all(runs.map(async (run) => expect(await typeOf(run), run).toBe('r')))
      }),
      { numRuns: 800 },
    )
    expect(planned).toBeGreaterThan(200)
  }, 180_000)

  const inSession = async <T>(work: (session: Session) => Promise<T>): Promise<T> => {
    const driver = neo4j.driver(uri!, neo4j.auth.basic(username, password), { disableLosslessIntegers: true })
    try {
      return await work(driver.session({ database }))
    } finally {
      await driver.close()
    }
  }

  it('has its constraints and indexes, and uses them', async () => {
    const engine = await open()
    afterAll(() => engine.close())
    await engine.clear()
    await engine.prepare()
    const names = readSchemaStatements('neo4j').map((statement) => /^CREATE (?:INDEX|CONSTRAINT) (\w+)/.exec(statement)![1])
    await inSession(async (session) => {
      const { records } = await session.run('SHOW INDEXES YIELD name, state')
      const states = Object.fromEntries(records.map((r) => [r.get('name'), r.get('state')]))
      expect(names.filter((name) => states[name!] !== 'ONLINE')).toEqual([])
      for (const where of [
        '(n:Node) WHERE n.updated_at > datetime("2024-01-01T00:00:00Z")',
        '(n:Table) WHERE n.metadata_entropy > 1.5',
        '(n:Table) WHERE n.kl_divergence > 1.5',
        '(n:Table) WHERE n.metrics_calculated_at > datetime("2024-01-01T00:00:00Z")',
        '(n:Column) WHERE n.name = "id"',
        '(n:Artifact) WHERE n.id = "x"',
      ]) {
        const { summary } = await session.run(`EXPLAIN MATCH ${where} RETURN n`)
        expect(JSON.stringify(summary.plan), where).toContain('NodeIndexSeek')
      }
      await expect(session.run('CREATE (:Node {id: "x"}), (:Node {id: "x"})')).rejects.toThrow(/already exists/)
    })
  })

  it('leaves a database alone where others have nodes with its label, and finds out a clear that was cut off', async () => {
    const engine = await open()
    afterAll(() => engine.close())
    await engine.clear()
    await inSession((session) => session.run('CREATE (:Node {theirs: true})'))
    await expect(engine.prepare()).rejects.toMatchObject({ code: 'CONFLICT', remedy: expect.stringContaining('NEO4J_DATABASE') })
    await inSession((session) => session.run('MATCH (n:Node) DELETE n'))
    await engine.prepare()
    await engine.apply([node('a')], 5, 'ours')
    // the first thing that a clear does
    await engine.apply([], 0, unfinished)
    await engine.prepare()
    expect([await engine.ledger(), await engine.position()]).toEqual([unfinished, 0])
    await engine.clear()
  })

  it('answers plain queries while it cannot stop others, and has places for those again when they have ended', async () => {
    const engine = await openNeo4j({ uri: uri!, username, password, database, log: { warn: (said) => warnings.push(said) } })
    const warnings: string[] = []
    afterAll(() => engine.close())
    await engine.clear()
    await engine.prepare()
    await engine.apply([node('a')], 1)
    // some 10^8 steps: seconds, in which no limit of time is looked at
    const long = 'RETURN any(x IN range(1, 100000) WHERE any(y IN range(1, 1000) WHERE y < 0)) AS x'
    const attacks = Array.from({ length: 4 }, () => engine.read({ text: long, timeoutMs: 300 }).catch((error) => error))
    const loop = 'RETURN [x IN [1] | x] AS l'
    await expect(engine.read({ text: loop, timeoutMs: 50 })).rejects.toMatchObject({ code: 'OVERLOADED' })
    for (let i = 0; i < 20; i++) expect((await engine.read({ text: 'MATCH (n:Table) RETURN n.id' })).rows).toEqual([['a']])
    for (const outcome of await Promise.all(attacks)) if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'TIMEOUT' })
    await expect
      .poll(() => engine.read({ text: loop, timeoutMs: 1_000 }).then(({ rows }) => rows, String), { timeout: 60_000 })
      .toEqual([[[1]]])
    for (const said of warnings) expect(said).toContain('past its time limit')
  }, 120_000)

  it('lets no expression take the memory of all', async () => {
    const engine = await open()
    afterAll(() => engine.close())
    const refusalOf = (text: string) => engine.read({ text, timeoutMs: 20_000 }).then(String, (error) => error)
    for (const text of [
      'RETURN [x IN range(1, 100000000) | {a: x, b: toString(x)}] AS l',
      'RETURN any(x IN range(1, 1000000000000) WHERE x < 0) AS x',
      'RETURN all(x IN range(1, 1000) WHERE all(y IN range(1, 1000000) WHERE y > 0)) AS x',
      'RETURN size(split(reduce(s = "a,", i IN range(1, 22) | s + s), ",")) AS x',
      'RETURN toStringList(range(1, 10000000)) AS x',
    ])
      expect(await refusalOf(text), text).toMatchObject({ code: 'CYPHER_FAILED', message: expect.stringMatching(/too long|out of range/) })
    const { rows } = await engine.read({
      text: `RETURN [x IN range(1, 100000) | x][99999] AS last, [x IN null | x] AS none, any(x IN [] WHERE x) AS any, reduce(s = 0, x IN [1, null] | s + x) AS sum,
        replace(null, 'a', 'b') AS nothing, replace('aa', 'a', 'b') AS text, split('a,b', ',') AS parts, toStringList([1, null]) AS texts`,
    })
    expect(rows).toEqual([[100_000, null, false, null, null, 'bb', ['a', 'b'], ['1', null]]])
  }, 120_000)

  it('ends an answer that is too large to hold, and nothing else', async () => {
    const engine = await open()
    afterAll(() => engine.close())
    const huge = ['RETURN range(1, 300000000) AS l', 'UNWIND range(1, 3) AS x RETURN x, range(1, 3000000) AS l'].map((text) =>
      engine.read({ text, timeoutMs: 2_000 }).catch((error) => error),
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
      const { outcomes, others } = await attackTogether(server.post, 4, {
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
      for (const [name, { answers, overtook }] of Object.entries(others)) {
        expect(answers, name).toBeGreaterThan(3)
        expect(overtook, name).toBeGreaterThan(0)
      }
    }, 120_000)
  })

  it('says what to do when no server answers', async () => {
    await expect(openNeo4j({ uri: 'bolt://127.0.0.1:1', username, password })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      remedy: expect.stringContaining('NEO4J_URI'),
    })
  })
})
