import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attackTogether, type Post, smallQuery } from '../support/cypher-attack.js'
import { type LiveEspalier, root, startLive } from '../support/espalier.js'

describe('eight who attack the embedded graph at once', () => {
  let live: LiveEspalier
  beforeAll(async () => {
    live = await startLive(['serve'])
    const folder = path.join(root, 'scripts/demo/estate/v4/hive')
    const sources = fs
      .readdirSync(folder)
      .map((name) => ({ dialect: 'hive-ddl', name, text: fs.readFileSync(path.join(folder, name), 'utf8') }))
    await live.api.request(
      'mutation ($sources: [DialectInput!]) { ingest(projectId: "bank", systemId: "hive", sources: $sources) { snapshotId } }',
      { sources },
    )
    await live.api.request('mutation { awaitProjection { lag } }')
  })
  afterAll(() => live?.stop())

  const post: Post = async (query, variables) => {
    const response = await fetch(live.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    })
    return (await response.json()) as Awaited<ReturnType<Post>>
  }

  it("leaves the API, its health checks, the projection and everyone else's queries as they were", async () => {
    const graphRead =
      '{ tables(where: { projectId: { eq: "bank" } }, sort: [{ name: ASC }]) { id name columns(sort: [{ ordinal: ASC }]) { name } } }'
    const ledgerRead = '{ runs(first: 3) { totalCount } snapshots(projectId: "bank", systemId: "hive") { totalCount } }'
    const small = 'MATCH (t:Table {project_id: "bank"}) RETURN t.id ORDER BY t.id'
    const [tables, ledger] = [await live.api.request<{ tables: { id: string }[] }>(graphRead), await live.api.request(ledgerRead)]
    const rows = tables.tables.map(({ id }) => [id]).sort()
    expect(rows.length).toBeGreaterThan(5)
    const status = async (route: string) => (await fetch(new URL(route, live.url))).status
    let made = 0
    const began = live.log().length
    const report = await attackTogether(post, 3, {
      healthz: async () => expect(await status('/healthz')).toBe(200),
      readyz: async () => expect(await status('/readyz')).toBe(200),
      'graph reads': async () => expect(await live.api.request(graphRead)).toEqual(tables),
      'ledger reads': async () => expect(await live.api.request(ledgerRead)).toEqual(ledger),
      'small queries': () => smallQuery(post, small, rows),
      projection: async () => {
        const name = `made_${++made}`
        const sources = [{ dialect: 'hive-ddl', name: `${name}.hql`, text: `CREATE TABLE side.${name} (id INT)` }]
        const ingest =
          'mutation ($sources: [DialectInput!]) { ingest(projectId: "side", systemId: "hive", sources: $sources) { snapshotId } }'
        await live.api.request(ingest, { sources })
        await live.api.request('mutation { awaitProjection { lag } }')
        const { views } = await live.api.request<{ views: unknown[] }>(
          '{ views: tables(where: { name: { startsWith: "made_" } }) { name } }',
        )
        expect(views).toContainEqual({ name })
      },
    })
    for (const code of Object.keys(report.outcomes))
      expect(['TIMEOUT', 'CYPHER_FAILED', 'UNAVAILABLE', 'OVERLOADED', 'cut']).toContain(code)
    // nobody waited until attackers were through
    for (const [name, { answers, overtook }] of Object.entries(report.others)) {
      expect(answers, name).toBeGreaterThan(2)
      expect(overtook, name).toBeGreaterThan(0)
    }
    // the process that owns the graph was never ended for what the attackers did
    expect(live.log().slice(began)).not.toMatch(/ending its process/)
  })
})
