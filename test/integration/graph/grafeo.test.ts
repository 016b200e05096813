import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { GraphEngine } from '../../../src/graph/engine.js'
import { openGrafeo } from '../../../src/graph/grafeo.js'
import { seeded } from '../../../src/util/random.js'
import { edge, node } from './asking.js'
import { describeEngine } from './engine-contract.js'
import { describeGraphQL } from './graphql-contract.js'

describeEngine('grafeo', () => openGrafeo({ folder: null }))

describeGraphQL('grafeo', () => openGrafeo({ folder: null }))

describe('the process of the embedded engine', () => {
  const makeFolder = () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-test-graph-'))
    onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }))
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

  /** A read as @neo4j/graphql sends it: it runs in the process that owns the file. */
  const typed = async (engine: GraphEngine, text: string, timeout = 10_000): Promise<unknown> => {
    type Run = { run(text: string): Promise<{ records: { get(key: string): unknown }[] }> }
    const session = engine.driver().session() as { executeRead(work: (t: Run) => unknown, settings: object): Promise<unknown> }
    return session.executeRead(async (t) => Number((await t.run(text)).records[0]?.get('n')), { timeout })
  }
  const endless = 'MATCH (a),(b),(c),(d),(e) RETURN count(*) AS n'
  const tables = (n: number) => Array.from({ length: n }, (_, i) => node(`t${i}`))

  it('repeats the other reads in flight when it ends one of its own, and loses no committed write', async () => {
    const told: string[] = []
    const engine = await open({ folder: makeFolder(), log: { warn: (message) => void told.push(message) } })
    await engine.prepare()
    await engine.apply(tables(3000), 1)
    // takes longer than the time limit of the first, but ends
    const long = typed(engine, 'MATCH (a:Table),(b:Table) WHERE a.name + b.name = "y" RETURN count(*) AS n', 60_000)
    expect(await typed(engine, endless, 300).catch((error) => error)).toMatchObject({ code: 'TIMEOUT' })
    expect(await long).toBe(0)
    expect(await typed(engine, 'MATCH (n:Table) RETURN count(n) AS n')).toBe(3000)
    expect(told).toEqual([expect.stringContaining('time limit')])
  })

  it('lets more reads wait than it runs at once, and refuses what waits too long', async () => {
    const engine = await open({ folder: null, concurrency: 2 })
    await engine.prepare()
    await engine.apply(
      Array.from({ length: 3000 }, (_, i) => node(`t${i}`)),
      1,
    )
    expect(await Promise.all(Array.from({ length: 20 }, () => count(engine)))).toEqual(Array.from({ length: 20 }, () => 3000))
    const long = { text: endless, timeoutMs: 1_500 }
    const both = [engine.read(long), engine.read(long)].map((read) => read.catch((error) => error.code))
    const waits = engine.read({ text: 'RETURN 1 AS one', timeoutMs: 300 }).catch((error) => error)
    expect(await waits).toMatchObject({ code: 'OVERLOADED' })
    expect((await Promise.all(both)).every((code) => code === 'TIMEOUT')).toBe(true)
  })

  it('fails a write that its death interrupts; the file holds the last whole one', async () => {
    const engine = await open({ folder: makeFolder() })
    await engine.prepare()
    await engine.apply([node('a')], 1)
    const big = Array.from({ length: 60_000 }, (_, i) => node(`t${i}`))
    const write = engine.apply(big, 2).catch((error) => error)
    await typed(engine, 'UNWIND range(1, 3000) AS a UNWIND range(1, 3000) AS b UNWIND range(1, 3000) AS c RETURN count(*) AS n', 100).catch(
      () => {},
    )
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

  it('shows people what was kept of writes that its death interrupts, and nothing else', async () => {
    const folder = makeFolder()
    const engine = await open({ folder })
    await engine.prepare()
    const batch = (n: number) => Array.from({ length: 400 }, (_, i) => node(`t${n}-${i}`))
    await engine.apply(batch(0), 0)
    // the copies that answer people are open, and fed with every write from here on
    expect(await count(engine)).toBe(400)
    const seed = Date.now() % 100_000
    const rng = seeded(seed)
    for (let n = 1; n <= 10; n++) {
      const write = engine.apply(batch(n), n).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, rng.next() * 40))
      for (const pid of hostProcesses(path.join(folder, 'graph.grafeo'))) process.kill(pid, 'SIGKILL')
      await write
      const position = await engine.position()
      expect([n - 1, n], `seed ${seed}`).toContain(position)
      expect(await count(engine), `seed ${seed}, write ${n}`).toBe(400 * (position + 1))
      await engine.apply(batch(n), n)
      expect(await count(engine), `seed ${seed}, write ${n} again`).toBe(400 * (n + 1))
    }
  }, 120_000)

  it.each(['SIGKILL', 'SIGTERM'] as const)('ends when its parent does (%s)', async (signal) => {
    const folder = makeFolder()
    const parent = await startParent(folder)
    await expect(openGrafeo({ folder })).rejects.toMatchObject({ code: 'LOCKED', message: expect.stringContaining(`pid ${parent.pid}`) })
    parent.kill(signal)
    await once(parent, 'exit')
    // the file's lock goes with the engine's process
    let engine: GraphEngine | undefined
    while (!engine) engine = await openGrafeo({ folder }).catch(() => undefined)
    expect(await engine.position()).toBe(3)
    await engine.close()
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

describe("people's queries on the embedded engine", () => {
  const endless = ['MATCH (a),(b),(c),(d),(e) RETURN count(*) AS n', 'MATCH (a)-[*1..30]-(b) RETURN count(*) AS n']
  const greedy = [
    'RETURN size(range(1, 1000000000)) AS n',
    'RETURN size(reduce(s = "x", i IN range(1, 40) | s + s)) AS n',
    'MATCH (a),(b),(c) RETURN collect(a.id + b.id + c.id) AS l',
    'MATCH (a),(b),(c) WITH a, b, c ORDER BY a.id + b.id + c.id RETURN a LIMIT 1',
  ]
  const open = async (options: Partial<Parameters<typeof openGrafeo>[0]> = {}) => {
    const told: string[] = []
    const engine = await openGrafeo({ folder: null, log: { warn: (message) => void told.push(message) }, ...options })
    onTestFinished(() => engine.close())
    await engine.prepare()
    const changes = Array.from({ length: 1500 }, (_, i) => [node(`t${i}`), edge(`t${i}`, 'DATA_FLOW', `t${(i * 7) % (i + 1)}`)]).flat()
    await engine.apply(changes, 1)
    return { engine, told }
  }
  const name = async (engine: GraphEngine, id: string) =>
    (await engine.read({ text: 'MATCH (n:Table {id: $id}) RETURN n.name AS name', parameters: { id }, timeoutMs: 30_000 })).rows

  /** Eight who attack over and over, until the others have had their answers and each of the attacks was made; and how it ended. */
  async function attack(engine: GraphEngine, queries: readonly string[], least: number) {
    const codes = new Set<string>()
    let [answers, overtook, position, begun] = [0, 0, 1, 0]
    const running = new Set<number>()
    let isOver = false
    const isDone = () => isOver || (answers >= least && overtook > 0 && begun >= 2 * queries.length)
    const attackers = Array.from({ length: 8 }, async (_, i) => {
      while (!isDone()) {
        const mine = begun++
        running.add(mine)
        await engine.read({ text: queries[mine % queries.length]!, timeoutMs: 400 + 300 * i }).catch((error) => codes.add(error.code))
        running.delete(mine)
        // what is refused at once must not keep the others from being heard
        await nextTurn()
      }
    })
    const others = async () => {
      while (!isDone()) {
        const before = [...running]
        await engine.apply([node(`w${++position}`)], position)
        expect(await engine.position()).toBe(position)
        // a write that had to wait until attackers are through would never do this
        if (before.some((one) => running.has(one))) overtook++
        // what was just written is there: copies are never stale
        expect(await name(engine, `w${position}`)).toEqual([[`w${position}`]])
        expect(await name(engine, 't5')).toEqual([['t5']])
        answers++
      }
    }
    await others().finally(() => {
      isOver = true
    })
    await Promise.all(attackers)
    return codes
  }

  it('answers all others rightly while eight run cartesian products and long paths past their time', async () => {
    const { engine, told } = await open()
    expect([...(await attack(engine, endless, 6))]).toEqual(['TIMEOUT'])
    // the process that owns the file was never ended
    expect(told).toEqual([])
  }, 120_000)

  it('answers all others rightly while eight take all the memory they can get', async () => {
    const { engine, told } = await open({ queryMemory: 100 * 2 ** 20 })
    for (const code of await attack(engine, greedy, 3)) expect(['TIMEOUT', 'UNAVAILABLE', 'CYPHER_FAILED']).toContain(code)
    expect(told.filter((message) => !message.includes('for queries'))).toEqual([])
    expect(told.join()).toContain('memory')
  }, 120_000)

  it('ends a query that takes too much memory, and only that one', async () => {
    const { engine } = await open({ queryMemory: 100 * 2 ** 20 })
    for (const text of greedy) {
      const outcome = engine.read({ text, timeoutMs: 60_000 }).catch((error) => error)
      const modest = Array.from({ length: 5 }, (_, i) => name(engine, `t${i}`))
      expect(await outcome, text).toMatchObject({ code: 'CYPHER_FAILED', message: expect.stringContaining('memory') })
      expect(await Promise.all(modest)).toEqual([0, 1, 2, 3, 4].map((i) => [[`t${i}`]]))
    }
  }, 120_000)

  it('cuts a large answer, and fails where one row is too large', async () => {
    const { engine } = await open()
    const { rows, isPartial } = await engine.read({ text: 'UNWIND range(1, 5000) AS x RETURN x, range(1, 1000) AS l', limit: 10_000 })
    expect(isPartial).toBe(true)
    expect(rows.length).toBeGreaterThan(500)
    await expect(engine.read({ text: 'RETURN range(1, 2000000) AS l' })).rejects.toMatchObject({
      code: 'CYPHER_FAILED',
      // on a machine that is busy it is ended for being stuck before it has looked
      message: expect.stringMatching(/larger than 16 MiB|too large/),
      remedy: expect.stringContaining('aggregate'),
    })
  })

  it.runIf(process.platform === 'linux')('begins what a crash has interrupted anew', async () => {
    const { engine, told } = await open()
    await name(engine, 't1')
    const long = engine.read({ text: 'MATCH (a:Table),(b:Table) WHERE a.name + b.name = "y" RETURN count(*) AS n', timeoutMs: 60_000 })
    const [pid] = hostProcesses('queries')
    process.kill(pid!, 'SIGKILL')
    expect((await long).rows).toEqual([[0]])
    expect(told).toEqual([expect.stringContaining('crash')])
  })

  it('follows a graph that is emptied, and leaves no process and no file behind', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-test-graph-'))
    onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }))
    const { engine } = await open({ folder })
    expect(await name(engine, 't1')).toEqual([['t1']])
    const running = engine.read({ text: endless[0]!, timeoutMs: 1_000 }).catch((error) => error)
    await engine.clear()
    expect(await name(engine, 't1')).toEqual([])
    await engine.apply([node('t1')], 1)
    expect(await name(engine, 't1')).toEqual([['t1']])
    // on an empty graph it ends
    expect((await running).code ?? 'ended').toMatch(/TIMEOUT|UNAVAILABLE|ended/)
    await engine.close()
    expect(fs.readdirSync(folder).sort()).toEqual(['graph.grafeo', 'owner'])
    expect(hostProcesses(folder)).toEqual([])
  })
})

/** Ids of this process's engine processes whose command line holds the text. */
function hostProcesses(text: string): number[] {
  if (process.platform !== 'linux') return []
  return fs
    .readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => {
      try {
        const line = fs.readFileSync(`/proc/${entry}/cmdline`, 'utf8')
        return line.includes('grafeo/host.js') && line.includes(text) && line.includes(`\0${process.pid}\0`)
      } catch {
        return false
      }
    })
    .map(Number)
}

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
