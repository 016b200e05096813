import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { GraphEngine } from '../../../src/graph/engine.js'
import { openGrafeo } from '../../../src/graph/grafeo.js'
import { describeEngine, edge, node } from './engine-contract.js'
import { describeGraphQL } from './graphql-contract.js'

describeEngine('grafeo', () => openGrafeo({ folder: null }), {
  unsupported: [
    /COLLECT \{/, // no COLLECT subquery: COUNT, EXISTS and pattern comprehensions are there
    /:Table&!View/, // no label expressions in patterns: n:Table OR n:View in WHERE
    /\(n:Table WHERE/, // no WHERE inside a node's parentheses
    /^MATCH p = \(n:Table\) RETURN p$/, // no path of one node only: RETURN n
    /UNION DISTINCT/, // UNION alone says the same
    /\{1,3\}/, // no quantified path patterns: -[:R*1..3]->
    /duration\.between|date\.truncate/, // no dotted functions
    /CALL db\.propertyKeys$/, // parentheses are needed
  ],
})

describeGraphQL('grafeo', () => openGrafeo({ folder: null }))

describe('the process of the embedded engine', () => {
  const makeFolder = () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-test-graph-'))
    onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }))
    return folder
  }
  const open = async (options: Parameters<typeof openGrafeo>[0]): Promise<GraphEngine> => {
    const engine = await openGrafeo(options)
    onTestFinished(() => engine.close())
    return engine
  }
  const count = async (engine: GraphEngine) => (await engine.read({ text: 'MATCH (n:Node) RETURN count(n) AS n' })).rows[0]?.[0]

  it('finds everything again after a close: nodes, edges, datetimes, position', async () => {
    const folder = makeFolder()
    const first = await openGrafeo({ folder })
    await first.prepare()
    await first.apply([node('a', 'Table', { updated_at: '2024-01-01T00:00:00Z' }), node('b'), edge('a', 'DATA_FLOW', 'b')], 5)
    const query = { text: "MATCH (a)-[r]->(b) WHERE a.updated_at < datetime('2024-01-02T00:00:00Z') RETURN a, r, b" }
    const before = await first.read(query)
    await first.close()
    const second = await open({ folder })
    await second.prepare()
    expect((await second.read(query)).rows).toEqual(before.rows)
    expect(before.rows).toHaveLength(1)
    expect(await second.position()).toBe(5)
  })

  it('says who has the folder', async () => {
    const folder = makeFolder()
    await open({ folder })
    await expect(openGrafeo({ folder })).rejects.toMatchObject({ code: 'LOCKED', message: expect.stringContaining(`pid ${process.pid}`) })
  })

  it('says what to do about a file that cannot be opened', async () => {
    const folder = makeFolder()
    fs.writeFileSync(path.join(folder, 'graph.grafeo'), 'not a graph'.repeat(1000))
    await expect(openGrafeo({ folder })).rejects.toMatchObject({ code: 'CORRUPT', remedy: expect.stringContaining('graph rebuild') })
  })

  it('repeats the other reads in flight when it ends a query, and loses no committed write', async () => {
    const told: string[] = []
    const engine = await open({ folder: makeFolder(), log: { warn: (message) => void told.push(message) } })
    await engine.prepare()
    await engine.apply(
      Array.from({ length: 3000 }, (_, i) => node(`t${i}`)),
      1,
    )
    // takes longer than the time limit of the first, but ends
    const long = engine.read({
      text: 'MATCH (a:Table),(b:Table) WHERE a.name + b.name = $x RETURN count(*) AS n',
      parameters: { x: 'y' },
      timeoutMs: 60_000,
    })
    const endless = engine.read({ text: 'MATCH (a),(b),(c),(d) RETURN count(*) AS n', timeoutMs: 300 }).catch((error) => error)
    expect(await endless).toMatchObject({ code: 'TIMEOUT' })
    expect((await long).rows).toEqual([[0]])
    expect(await count(engine)).toBe(3000)
    expect(told).toEqual([expect.stringContaining('time limit')])
  })

  it('ends a query that takes too much memory, and only that one', async () => {
    const engine = await open({ folder: null, memory: 200 * 2 ** 20 })
    await engine.prepare()
    await engine.apply(
      Array.from({ length: 2000 }, (_, i) => node(`t${i}`)),
      1,
    )
    const greedy = engine
      .read({ text: 'MATCH (a),(b),(c) RETURN collect(a.id + b.id + c.id) AS l', timeoutMs: 60_000 })
      .catch((error) => error)
    const modest = Array.from({ length: 5 }, () => count(engine))
    expect(await greedy).toMatchObject({ code: 'CYPHER_FAILED', message: expect.stringContaining('memory') })
    expect(await Promise.all(modest)).toEqual([2000, 2000, 2000, 2000, 2000])
  })

  it('lets more reads wait than it runs at once, and refuses what waits too long', async () => {
    const engine = await open({ folder: null, concurrency: 2 })
    await engine.prepare()
    await engine.apply(
      Array.from({ length: 3000 }, (_, i) => node(`t${i}`)),
      1,
    )
    expect(await Promise.all(Array.from({ length: 20 }, () => count(engine)))).toEqual(Array.from({ length: 20 }, () => 3000))
    const endless = { text: 'MATCH (a),(b),(c),(d),(e) RETURN count(*) AS n', timeoutMs: 1_500 }
    const both = [engine.read(endless), engine.read(endless)].map((read) => read.catch((error) => error.code))
    const waits = engine.read({ text: 'RETURN 1 AS one', timeoutMs: 300 }).catch((error) => error)
    expect(await waits).toMatchObject({ code: 'OVERLOADED' })
    expect((await Promise.all(both)).every((code) => code === 'TIMEOUT' || code === 'UNAVAILABLE')).toBe(true)
  })

  it('fails a write that its death interrupts; the file holds the last whole one', async () => {
    const engine = await open({ folder: makeFolder() })
    await engine.prepare()
    await engine.apply([node('a')], 1)
    const big = Array.from({ length: 60_000 }, (_, i) => node(`t${i}`))
    const write = engine.apply(big, 2).catch((error) => error)
    await engine
      .read({
        text: 'UNWIND range(1, 3000) AS a UNWIND range(1, 3000) AS b UNWIND range(1, 3000) AS c RETURN count(*) AS n',
        timeoutMs: 100,
      })
      .catch(() => {})
    const outcome = await write
    const [position, nodes] = [await engine.position(), await count(engine)]
    if (outcome === undefined) expect([position, nodes]).toEqual([2, 60_001])
    else {
      expect(outcome).toMatchObject({ code: 'UNAVAILABLE' })
      expect([position, nodes]).toEqual([1, 1])
    }
    await engine.apply(big, 2)
    expect(await count(engine)).toBe(60_001)
  })

  it.each(['SIGKILL', 'SIGTERM'] as const)('ends when its parent does (%s)', async (signal) => {
    const folder = makeFolder()
    const parent = await startParent(folder)
    await expect(openGrafeo({ folder })).rejects.toMatchObject({ code: 'LOCKED', message: expect.stringContaining(`pid ${parent.pid}`) })
    parent.kill(signal)
    await once(parent, 'exit')
    // the file's lock goes with the engine's process
    const end = Date.now() + 5_000
    let engine: GraphEngine | undefined
    while (!engine && Date.now() < end) engine = await openGrafeo({ folder }).catch(() => undefined)
    expect(engine).toBeDefined()
    expect(await engine!.position()).toBe(3)
    await engine!.close()
  })

  it('leaves no temporary folder', async () => {
    const temporary = () => fs.readdirSync(os.tmpdir()).filter((entry) => entry.startsWith('espalier-graph-'))
    const before = new Set(temporary())
    const engine = await openGrafeo({ folder: null })
    const [mine] = temporary().filter((entry) => !before.has(entry))
    await engine.close()
    expect(mine).toBeDefined()
    expect(fs.existsSync(path.join(os.tmpdir(), mine!))).toBe(false)
  })

  it('refuses all after close', async () => {
    const engine = await openGrafeo({ folder: null })
    await engine.close()
    await engine.close()
    await expect(engine.read({ text: 'RETURN 1 AS one' })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

/** Another process that has the graph of `folder` open, with a position of 3, in the middle of a long query. */
async function startParent(folder: string): Promise<ChildProcess> {
  const module = pathToFileURL(path.resolve(import.meta.dirname, '../../../dist/graph/grafeo.js')).href
  const code = `
    import { openGrafeo } from ${JSON.stringify(module)}
    const engine = await openGrafeo({ folder: ${JSON.stringify(folder)} })
    await engine.apply([], 3)
    engine.read({ text: 'UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN count(*) AS n', timeoutMs: 60000 })
    console.log('open')`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout!, 'data')
  return child
}
