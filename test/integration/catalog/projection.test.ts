import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ingest } from '../../../src/catalog/ingest.js'
import { drainOutbox } from '../../../src/catalog/projection/drain.js'
import { awaitProjection, projectionLag, startProjection } from '../../../src/catalog/projection/projection.js'
import { rebuildGraph } from '../../../src/catalog/projection/rebuild.js'
import { readEstate, readMetricsAt } from '../../../src/catalog/reads/read-store.js'
import { type GraphEngine, unfinished } from '../../../src/graph/engine.js'
import { openGrafeo } from '../../../src/graph/grafeo.js'
import { appendGraphChanges, outboxHead } from '../../../src/postgres/outbox.js'
import type { Database } from '../../../src/postgres/sql.js'
import { createLogger, type Logger } from '../../../src/util/log.js'
import type { GraphChange } from '../../../src/vocabulary.js'
import { freshDatabase } from '../../support/database.js'

const log = createLogger('silent')
const day = (n: number) => new Date(Date.UTC(2024, 0, n))
const ddl = `CREATE TABLE core.account (id BIGINT, owner STRING, opened DATE);
CREATE TABLE core.movement (id BIGINT, account_id BIGINT,
  CONSTRAINT fk FOREIGN KEY (account_id) REFERENCES core.account (id) DISABLE NOVALIDATE);`

let database: Database
let engine: GraphEngine
beforeEach(async () => {
  database = (await freshDatabase()).database
  engine = await openGrafeo({ folder: null, log })
  await engine.prepare()
})
afterEach(() => engine.close())

const load = (text: string, n: number, complete = true) =>
  ingest(database, {
    ...{ projectId: 'bank', systemId: 'hive', complete, observedAt: day(n), now: day(20) },
    inputs: [{ dialect: 'hive-ddl', file: 'core.sql', text }],
  })

const ask = async (text: string) => (await engine.read({ text, limit: 10_000 })).rows
const graphNow = async () => ({
  nodes: (await ask('MATCH (n:Node) RETURN n.id, n.name, n.data_type, n.updated_at ORDER BY n.id')).map((row) => row.join(' ')),
  edges: (await ask('MATCH (a:Node)-[r]->(b:Node) RETURN a.id, type(r), b.id ORDER BY a.id, type(r), b.id')).map((row) => row.join(' ')),
})

/** The graph holds exactly the ledger's current facts. */
async function expectInStep(): Promise<void> {
  const { nodes, edges } = await readEstate(database, { projectId: 'bank' })
  const shown = await graphNow()
  expect(shown.nodes.map((n) => n.split(' ')[0])).toEqual(nodes.map((n) => n.id))
  expect([...shown.edges].sort()).toEqual(edges.map((e) => `${e.sourceId} ${e.label} ${e.targetId}`).sort())
}

describe('the projection', () => {
  it('brings every change of the ledger into the graph, late ones too', async () => {
    await load(ddl, 5)
    await drainOutbox(database, engine, { batch: 3 })
    await expectInStep()
    await load(ddl.replace('opened DATE', 'opened TIMESTAMP, closed DATE'), 7)
    await load('CREATE TABLE core.late (a INT);', 6, false)
    await load('CREATE TABLE core.never (a INT);', 1, false)
    await load('DROP TABLE core.movement;', 8, false)
    expect(await projectionLag(database, engine)).toBeGreaterThan(0)
    await drainOutbox(database, engine)
    await expectInStep()
    expect(await projectionLag(database, engine)).toBe(0)
    expect(await ask("MATCH (c:Column {name: 'opened'}) RETURN c.data_type, c.project_id, c.system_id")).toEqual([
      ['timestamp', 'bank', 'hive'],
    ])
    const [metrics] = await readMetricsAt(database, ['bank/hive/table:core.account'])
    const rows = await ask("MATCH (t:Table {name: 'account'}) RETURN t.metadata_entropy, t.kl_divergence, t.metrics_calculated_at")
    expect(rows[0]!.slice(0, 2)).toEqual([metrics!['metadata_entropy'], metrics!['kl_divergence']])
    expect(new Date(String(rows[0]![2]))).toEqual(day(7))
  })

  it('gives the same graph when batches are applied twice and when it is rebuilt', async () => {
    await load(ddl, 1)
    await load(ddl.replace('owner STRING, ', ''), 2)
    await drainOutbox(database, engine)
    const before = await graphNow()
    const run: GraphChange = {
      ...{ op: 'upsert-node', id: 'run:1', kind: 'Run', properties: { id: 'run:1', name: 'r' } },
    }
    await database.transaction((client) => appendGraphChanges(client, [run]))
    const runs = async function* () {
      yield [run]
    }
    expect(await rebuildGraph({ database, engine, readers: [runs], batch: 4 })).toBe(before.nodes.length + before.edges.length + 1)
    expect((await graphNow()).nodes.filter((n) => !n.startsWith('run:'))).toEqual(before.nodes)
    expect((await graphNow()).edges).toEqual(before.edges)
    expect(await ask('MATCH (r:Run) RETURN r.name')).toEqual([['r']])
    expect(await engine.position()).toBe(await outboxHead(database))
    expect(await drainOutbox(database, engine)).toBe(0)
  })

  it('follows by notification, survives an engine that is down, and stops', async () => {
    let isDown = true
    const flaky: GraphEngine = {
      ...engine,
      name: engine.name,
      apply: (changes, position) => (isDown ? Promise.reject(new Error('down')) : engine.apply(changes, position)),
      position: () => engine.position(),
      ledger: () => engine.ledger(),
      prepare: () => engine.prepare(),
      clear: () => engine.clear(),
    }
    const projection = await startProjection({ database, engine: flaky, log, pollMs: 3_600_000 })
    await load(ddl, 1)
    await expect(awaitProjection(database, flaky, { timeoutMs: 300 })).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(projection.failure).toBe('down')
    expect(await projection.lag()).toBeGreaterThan(0)
    isDown = false
    await awaitProjection(database, flaky)
    await expectInStep()
    // by notification: the next look would be in an hour
    await load(ddl.replace('owner STRING', 'owner STRING, more INT'), 2)
    await awaitProjection(database, flaky)
    await expectInStep()
    await projection.stop()
    expect(projection.failure).toBeNull()
  })

  it('rebuilds an engine that has missed what was trimmed away', async () => {
    const readers = [async function* () {}]
    const first = await startProjection({ database, engine, log, readers, keep: 0 })
    await load(ddl, 1)
    await awaitProjection(database, engine)
    await load(ddl.replace('owner STRING', 'owner STRING, more INT'), 2)
    await awaitProjection(database, engine)
    await first.stop()
    expect((await database.query('select count(*) as n from graph_outbox')).rows[0].n).toBe(1)
    await engine.clear()
    const second = await startProjection({ database, engine, log, readers, keep: 0 })
    await awaitProjection(database, engine)
    await second.stop()
    await expectInStep()
  })

  const readers = [async function* () {}]
  /** What a log of these levels says. */
  function listeningLog() {
    const said: string[] = []
    const note = (about: unknown, message?: string) => void said.push(`${JSON.stringify(about)} ${message}`)
    return { said, log: { ...log, info: note, warn: note } as unknown as Logger }
  }

  it("tells another ledger's graph from its own though it is behind, rebuilds it, and says so", async () => {
    const other = await freshDatabase()
    await ingest(other.database, {
      ...{ projectId: 'other', systemId: 's', complete: true, observedAt: day(1), now: day(20) },
      inputs: [{ dialect: 'hive-ddl', file: 'a.sql', text: 'CREATE TABLE a.left_behind (x INT);' }],
    })
    const first = await startProjection({ database: other.database, engine, log, readers })
    await awaitProjection(other.database, engine)
    await first.stop()
    expect((await graphNow()).nodes.some((n) => n.includes('left_behind'))).toBe(true)
    for (let n = 1; n < 9; n++) await load(ddl.replace('owner STRING', `owner${n} STRING`), n)
    expect(await engine.position()).toBeLessThan(await outboxHead(database))
    await expect(drainOutbox(database, engine)).rejects.toMatchObject({ code: 'CONFLICT', remedy: expect.stringContaining('rebuild') })
    const { said, log: heard } = listeningLog()
    const second = await startProjection({ database, engine, log: heard, readers })
    await awaitProjection(database, engine)
    await second.stop()
    await expectInStep()
    expect((await graphNow()).nodes.some((n) => n.includes('left_behind'))).toBe(false)
    expect(said.filter((line) => line.includes("another ledger's")).map((line) => line.split('} ')[1])).toEqual([
      'graph: will be written anew from the ledger',
      'graph: rebuilt',
    ])
  })

  it('fills a new graph without emptying it, and never rebuilds one that is its own', async () => {
    await load(ddl, 1)
    const { said, log: heard } = listeningLog()
    for (let n = 0; n < 2; n++) {
      const projection = await startProjection({ database, engine, log: heard, readers })
      await awaitProjection(database, engine)
      await projection.stop()
      await expectInStep()
    }
    expect(said).toEqual([expect.stringMatching(/"it is new".* graph: rebuilt/)])
  })

  it('makes a rebuild again that was cut short, wherever that was', async () => {
    await load(ddl, 1)
    await load(ddl.replace('owner STRING, ', ''), 2)
    const whole = await rebuildGraph({ database, engine, batch: 2 })
    const before = await graphNow()
    // The end of the process after each of its writes: the emptying, the mark, every other batch.
    for (let writes = 1; writes < whole / 2 + 2; writes += 2) {
      let left = writes
      const count = <T>(work: () => Promise<T>): Promise<T> => (left-- > 0 ? work() : Promise.reject(new Error('killed')))
      const dying: GraphEngine = {
        ...engine,
        name: engine.name,
        position: () => engine.position(),
        ledger: () => engine.ledger(),
        prepare: () => count(() => engine.prepare()),
        clear: () => count(() => engine.clear()),
        apply: (...write) => count(() => engine.apply(...write)),
      }
      await expect(rebuildGraph({ database, engine: dying, batch: 2 })).rejects.toThrow('killed')
      expect(await engine.ledger()).toBe(writes < 3 ? null : unfinished)
      if (writes > 2) await expect(drainOutbox(database, engine)).rejects.toMatchObject({ code: 'CONFLICT' })
      const projection = await startProjection({ database, engine, log, readers })
      await awaitProjection(database, engine)
      await projection.stop()
      expect(await graphNow()).toEqual(before)
    }
  }, 120_000)

  it("takes nothing of another ledger's graph for its own", async () => {
    const foreign = { id: 'other/s/table:a.left', kind: 'Table' as const, properties: { id: 'other/s/table:a.left', name: 'left' } }
    await engine.clear()
    await engine.prepare()
    await engine.apply([{ op: 'upsert-node', ...foreign }], 1_000_000)
    const projection = await startProjection({ database, engine, log, readers: [async function* () {}] })
    await load(ddl, 3)
    await expect.poll(() => projection.lag(), { timeout: 10_000 }).toBe(0)
    await expect.poll(() => engine.position(), { timeout: 10_000 }).toBeLessThan(1_000_000)
    await awaitProjection(database, engine)
    await projection.stop()
    await expectInStep()
  })
})
