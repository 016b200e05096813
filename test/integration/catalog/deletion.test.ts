import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { DeletionTarget } from '../../../src/catalog/deletion/deletion.js'
import { deleteFromCatalog, readProjectDeletion, sweepContents } from '../../../src/catalog/deletion/deletion-store.js'
import { ingest } from '../../../src/catalog/ingest.js'
import { readAnnotationsOf, saveAnnotations } from '../../../src/catalog/people/annotation-store.js'
import { catalogGraph, readOutboxChanges } from '../../../src/catalog/projection/graph-store.js'
import { readEstate, readSnapshots } from '../../../src/catalog/reads/read-store.js'
import { readGraphChanges } from '../../../src/postgres/outbox.js'
import type { Database } from '../../../src/postgres/sql.js'
import { canonicalJson } from '../../../src/util/hash.js'
import type { GraphChange, GraphRefresh } from '../../../src/vocabulary.js'
import { freshDatabase } from '../../support/database.js'
import { clear, load, tell, tellStored } from '../../support/ledger-telling.js'
import { worlds } from '../../support/ledger-world.js'

const edgeName = (c: Extract<GraphChange, { sourceId: string }>) => [c.sourceId, c.label, c.targetId, c.discriminator].join(' ')

/** The graph that changes make, applied one after the other in the plainest way: id or edge -> its properties. */
function graphOf(changes: Iterable<GraphChange>): [string, string][] {
  const nodes = new Map<string, string>()
  const edges = new Map<string, string>()
  for (const change of changes) {
    if (change.op === 'upsert-node') nodes.set(change.id, canonicalJson(change.properties))
    else if (change.op === 'delete-node') {
      nodes.delete(change.id)
      for (const name of [...edges.keys()]) if (name.split(' ').some((part, i) => i !== 1 && part === change.id)) edges.delete(name)
    } else if (change.op === 'delete-edge') edges.delete(edgeName(change))
    else if (nodes.has(change.sourceId) && nodes.has(change.targetId)) edges.set(edgeName(change), canonicalJson(change.properties))
  }
  return [...nodes, ...edges].sort(([a], [b]) => (a < b ? -1 : 1))
}

async function graphs(database: Database) {
  const rows = await readGraphChanges<GraphChange | GraphRefresh>(database, 0, 1_000_000)
  const followed = graphOf(
    await readOutboxChanges(
      database,
      rows.map((row) => row.change),
    ),
  )
  const rebuilt: GraphChange[] = []
  for await (const page of catalogGraph(database)) rebuilt.push(...page)
  return { followed, rebuilt: graphOf(rebuilt) }
}

const remove = (database: Database, target: DeletionTarget) => database.transaction((client) => deleteFromCatalog(client, target))

const runs = { numRuns: Number(process.env['ESPALIER_RUNS'] ?? 12), endOnFailure: true }

describe('a deletion', () => {
  let database: Database
  beforeAll(async () => {
    database = (await freshDatabase()).database
  })

  async function expectAsIfNever(rest: readonly Parameters<typeof load>[1][]): Promise<void> {
    await sweepContents(database)
    const [told, stored, { followed, rebuilt }] = [await tell(database), await tellStored(database), await graphs(database)]
    expect(followed).toEqual(rebuilt)
    await clear(database)
    for (const snapshot of rest) await load(database, snapshot)
    await sweepContents(database)
    expect(told).toEqual(await tell(database))
    expect(stored).toEqual(await tellStored(database))
    expect(rebuilt).toEqual((await graphs(database)).rebuilt)
  }

  it('of snapshots leaves what the others alone would have made, whatever came when', async () => {
    const cases = worlds.chain(({ snapshots, arrival }) =>
      fc.record({ snapshots: fc.constant(snapshots), arrival: fc.constant(arrival), gone: fc.shuffledSubarray(arrival, { minLength: 1 }) }),
    )
    await fc.assert(
      fc.asyncProperty(cases, async ({ snapshots, arrival, gone }) => {
        await clear(database)
        const ids = new Map<number, string>()
        for (const i of arrival) ids.set(i, (await load(database, snapshots[i]!)).snapshotId!)
        const deleted = new Set(gone.map((i) => ids.get(i)!))
        for (const snapshotId of deleted) await remove(database, { kind: 'snapshot', snapshotId })
        // two that say the same at the same time are one
        await expectAsIfNever(arrival.filter((i) => !deleted.has(ids.get(i)!)).map((i) => snapshots[i]!))
      }),
      runs,
    )
  }, 300_000)

  it('of a system leaves what the other systems alone would have made', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, fc.constantFrom('x' as const, 'y' as const), async ({ snapshots, arrival }, system) => {
        await clear(database)
        for (const i of arrival) await load(database, snapshots[i]!)
        await remove(database, { kind: 'system', projectId: 'p', systemId: system })
        await expectAsIfNever(arrival.map((i) => snapshots[i]!).filter((s) => s.system !== system))
      }),
      runs,
    )
  }, 300_000)

  it('of a snapshot can be undone by ingesting it again', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async ({ snapshots, arrival }) => {
        await clear(database)
        const ids = []
        for (const i of arrival) ids.push((await load(database, snapshots[i]!)).snapshotId!)
        const before = await tell(database)
        await remove(database, { kind: 'snapshot', snapshotId: ids[0]! })
        await load(database, snapshots[arrival[0]!]!)
        expect(await tell(database)).toEqual(before)
      }),
      runs,
    )
  }, 300_000)
})

describe('what a deletion tells', () => {
  const day = (n: number) => new Date(Date.UTC(2024, 0, n))
  let database: Database
  beforeEach(async () => {
    database = (await freshDatabase()).database
  })
  const take = (text: string, n: number, { projectId = 'bank', systemId = 'hive', complete = true } = {}) =>
    ingest(database, {
      ...{ projectId, systemId, complete, observedAt: day(n), now: day(20) },
      inputs: [{ dialect: 'hive-ddl', file: 'core.sql', text }],
    })
  const ddl = 'CREATE TABLE core.account (id BIGINT, owner STRING);'

  it('counts what comes, changes and goes of the current state', async () => {
    await take(ddl, 1)
    const second = await take(`${ddl.replace('owner STRING', 'owner INT')} CREATE TABLE core.extra (a INT);`, 2)
    const third = await take('CREATE TABLE core.account (id BIGINT);', 3)
    const last = await remove(database, { kind: 'snapshot', snapshotId: third.snapshotId! })
    expect(last).toMatchObject({ projectId: 'bank', systemId: 'hive', snapshots: 1, annotatedNodes: 0 })
    expect(last.nodes).toEqual([
      { kind: 'Column', added: 2, changed: 0, removed: 0 },
      // extra comes back, and account counts its columns
      { kind: 'Table', added: 1, changed: 1, removed: 0 },
    ])
    expect(last.edges.map(({ kind, added }) => [kind, added])).toEqual([
      ['CONTAINS', 1],
      ['HAS_COLUMN', 2],
    ])
    // two columns, a table and their edges went, and account's own count of columns changed
    expect(last.changes).toBe(7)
    const middle = await remove(database, { kind: 'snapshot', snapshotId: second.snapshotId! })
    expect(middle.nodes).toEqual([
      { kind: 'Column', added: 0, changed: 1, removed: 1 },
      { kind: 'Table', added: 0, changed: 0, removed: 1 },
    ])
    expect((await readEstate(database, { projectId: 'bank' })).nodes.map((n) => n.name)).toContain('owner')
    await expect(remove(database, { kind: 'snapshot', snapshotId: second.snapshotId! })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(remove(database, { kind: 'snapshot', snapshotId: "x' or true" })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('a project goes with all that was said in it; others stay', async () => {
    await take(ddl, 1)
    await take(ddl, 1, { projectId: 'bank0' })
    await take(ddl, 1, { projectId: 'bank', systemId: 'second' })
    const kept = await readEstate(database, { projectId: 'bank0' })
    const account = 'bank/hive/table:core.account'
    for (const nodeId of [account, 'bank', 'bank0', account.replace('bank', 'bank0')])
      await database.transaction((client) => saveAnnotations(client, [{ nodeId, tags: { add: ['pii'] } }], { actor: 'ann', now: day(2) }))
    const foreseen = await database.transaction((client) => readProjectDeletion(client, 'bank'))
    const gone = await remove(database, { kind: 'project', projectId: 'bank' })
    expect(gone).toEqual(foreseen)
    expect(gone).toMatchObject({ projectId: 'bank', systemId: null, snapshots: 2, annotatedNodes: 2 })
    expect(gone.nodes).toContainEqual({ kind: 'System', added: 0, changed: 0, removed: 2 })
    expect(await readSnapshots(database, { projectId: 'bank' })).toEqual([])
    expect(await readEstate(database, { projectId: 'bank' })).toEqual({ nodes: [], edges: [] })
    expect(await readEstate(database, { projectId: 'bank0' })).toEqual(kept)
    expect(await readAnnotationsOf(database, account)).toMatchObject({ tags: [] })
    expect(await readAnnotationsOf(database, account.replace('bank', 'bank0'))).toMatchObject({ tags: ['pii'] })
    const { followed, rebuilt } = await graphs(database)
    expect(followed).toEqual(rebuilt)
    const { rows } = await database.query(`select (select count(*) from node_key where id ~ '^bank(/|$)') as nodes,
      (select count(*) from assertion) as said, (select count(*) from metric m where not exists (select from node_key k where k.key = m.node)) as metrics`)
    expect(rows[0]).toMatchObject({ nodes: 0, metrics: 0 })
    await sweepContents(database)
    expect(await readEstate(database, { projectId: 'bank0' })).toEqual(kept)
  })

  it("a snapshot goes, people's words stay, and come back with their node", async () => {
    await take(ddl, 1)
    const { snapshotId } = await take(`${ddl} CREATE TABLE core.extra (a INT);`, 2, { complete: false })
    const nodeId = 'bank/hive/table:core.extra'
    await database.transaction((client) => saveAnnotations(client, [{ nodeId, tags: { add: ['x'] } }], { actor: 'a', now: day(3) }))
    await remove(database, { kind: 'snapshot', snapshotId: snapshotId! })
    await take(`${ddl} CREATE TABLE core.extra (a INT);`, 4)
    expect(await readAnnotationsOf(database, nodeId)).toMatchObject({ tags: ['x'] })
  })
})
