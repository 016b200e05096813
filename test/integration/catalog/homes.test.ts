import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { deleteFromCatalog } from '../../../src/catalog/deletion/deletion-store.js'
import type { Fact } from '../../../src/catalog/fact.js'
import { ingestFacts } from '../../../src/catalog/ingest.js'
import { catalogGraph } from '../../../src/catalog/projection/graph-store.js'
import type { Database } from '../../../src/postgres/sql.js'
import { freshDatabase } from '../../support/database.js'
import { at, clear, tell, tellStored } from '../../support/ledger-telling.js'
import { idOf, type WorldSnapshot, worlds } from '../../support/ledger-world.js'

const provenance = { dialect: 'test', file: 'f', location: 'l' }
const tables = ['t', 'u'] as const
const columns = ['a', 'b', 'c'] as const

const node = (kind: 'Table' | 'Column', name: string, properties: Record<string, string>): Fact => ({
  ...{ fact: 'node', id: idOf('x', kind.toLowerCase(), name), kind, name: name.slice(name.lastIndexOf('.') + 1), qualifiedName: name },
  ...{ properties, provenance },
})
const hasColumn = (table: string, column: string, more: { discriminator?: string; properties?: Record<string, string> } = {}): Fact => ({
  ...{ fact: 'edge', sourceId: idOf('x', 'table', table), label: 'HAS_COLUMN', targetId: idOf('x', 'column', column), properties: {} },
  ...{ provenance, ...more },
})

/** What the first load says: all of it becomes homes. */
const wholeEstate: Fact[] = tables.flatMap((table) => [
  node('Table', table, {}),
  ...columns.flatMap((column) => [node('Column', `${table}.${column}`, { data_type: 'int' }), hasColumn(table, `${table}.${column}`)]),
])

/** The estate told again, a little otherwise. */
const edited: fc.Arbitrary<WorldSnapshot> = fc
  .record({
    complete: fc.boolean(),
    day: fc.integer({ min: 1, max: 6 }),
    file: fc.constantFrom('a' as const, 'b' as const),
    left: fc.subarray(
      wholeEstate.map((_, i) => i),
      { minLength: 6 },
    ),
    more: fc.subarray<Fact>(
      [
        node('Column', 't.a', { data_type: 'date' }),
        node('Column', 'u.d', { data_type: 'date' }),
        hasColumn('u', 'u.d'),
        hasColumn('u', 't.b'),
        hasColumn('t', 't.c', { discriminator: 'again' }),
        hasColumn('u', 'u.a', { properties: { position: 'first' } }),
        { ...node('Column', 'u.b', { comment: 'in part' }), partial: true } as Fact,
        { fact: 'removal', id: idOf('x', 'table', 'u'), provenance },
        { fact: 'removal', id: idOf('x', 'column', 't.c'), provenance },
      ],
      { maxLength: 3 },
    ),
    moreFirst: fc.boolean(),
  })
  .map(({ left, more, moreFirst, ...rest }) => {
    const again = left.map((i) => wholeEstate[i]!)
    return { ...rest, system: 'x' as const, facts: moreFirst ? [...more, ...again] : [...again, ...more] }
  })

const load = (database: Database, { system, complete, day, file, facts }: WorldSnapshot, bulkFrom: number) =>
  ingestFacts(database, {
    ...{ projectId: 'p', systemId: system, complete, observedAt: at(day), now: at(9), facts, bulkFrom },
    sources: [{ dialect: 'test', file }],
  })

async function graphOf(database: Database): Promise<string[]> {
  const changes: string[] = []
  for await (const page of catalogGraph(database)) for (const change of page) changes.push(JSON.stringify(change))
  return changes.sort()
}

const everything = async (database: Database) => ({
  told: await tell(database),
  stored: await tellStored(database),
  edges: (
    await database.query(
      'select source_id, label, target_id, discriminator, system_id, properties, updated_at from edge order by 1, 2, 3, 4, 5',
    )
  ).rows,
  graph: await graphOf(database),
})

const homesOf = async (database: Database): Promise<number> =>
  (await database.query<{ n: number }>('select count(*) as n from node_history where is_home')).rows[0]!.n

type Deletion = { kind: 'snapshot'; which: number } | { kind: 'system'; systemId: 'x' | 'y' }
const deletions: fc.Arbitrary<Deletion> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('snapshot' as const), which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('system' as const), systemId: fc.constantFrom('x' as const, 'y' as const) }) },
)

async function remove(database: Database, deletion: Deletion) {
  if (deletion.kind === 'system') {
    const target = { ...deletion, projectId: 'p' }
    return database.transaction((client) => deleteFromCatalog(client, target))
  }
  const { rows } = await database.query<{ id: string }>('select id from snapshot order by position')
  const snapshotId = rows[deletion.which % Math.max(1, rows.length)]?.id
  return snapshotId === undefined ? null : database.transaction((client) => deleteFromCatalog(client, { kind: 'snapshot', snapshotId }))
}

/** With homes, and without any. */
let pair: [Database, Database]
beforeAll(async () => {
  pair = [(await freshDatabase()).database, (await freshDatabase()).database]
})

async function assertSame<T>(work: (database: Database, bulkFrom: number) => Promise<T>): Promise<void> {
  expect(await work(pair[0], 1)).toEqual(await work(pair[1], Number.POSITIVE_INFINITY))
  expect(await everything(pair[0])).toEqual(await everything(pair[1]))
}

describe('homes', () => {
  it('make no difference to anything that is told, whatever comes after them, before them, or goes', async () => {
    // how many homes were left after a snapshot that came upon some
    const left: number[] = []
    const history = fc.record({
      first: fc.record({ complete: fc.boolean(), file: fc.constantFrom('a' as const, 'b' as const) }),
      later: fc.array(edited, { minLength: 1, maxLength: 3 }),
      world: fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: worlds.map(({ snapshots }) => snapshots.slice(0, 2)) },
      ),
      isInOrder: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
      gone: fc.array(deletions, { maxLength: 1 }),
    })
    await fc.assert(
      fc.asyncProperty(history, async ({ first, later, world, isInOrder, gone }) => {
        for (const database of pair) await clear(database)
        await assertSame((database, bulkFrom) => load(database, { ...first, system: 'x', day: 2, facts: wholeEstate }, bulkFrom))
        expect(await homesOf(pair[0])).toBe(tables.length * columns.length)
        const snapshots = [...later, ...world]
        if (isInOrder) snapshots.sort((a, b) => a.day - b.day)
        for (const snapshot of snapshots) {
          const before = await homesOf(pair[0])
          await assertSame((database, bulkFrom) => load(database, { ...snapshot, day: snapshot.day + (isInOrder ? 2 : 0) }, bulkFrom))
          if (before > 0) left.push(await homesOf(pair[0]))
        }
        for (const deletion of gone) await assertSame((database) => remove(database, deletion))
        expect(await homesOf(pair[1])).toBe(0)
      }),
      {
        // a second or less each: two ledgers are told as a whole after every step
        numRuns: Number(process.env.HOMES_RUNS ?? 20),
        seed: Number(process.env.HOMES_SEED ?? 28),
      },
    )
    expect(left.filter((n) => n === 0).length).toBeGreaterThan(3)
    expect(left.filter((n) => n > 0).length).toBeGreaterThan(3)
  }, 300_000)

  it('are unfolded one by one: as many as something else is told of', async () => {
    for (const database of pair) await clear(database)
    const told = (facts: readonly Fact[], day: number, more: Partial<WorldSnapshot> = {}): WorldSnapshot => ({
      ...{ system: 'x', complete: true, day, file: 'a', facts: [...facts], ...more },
    })
    const step = async (snapshot: WorldSnapshot, homes: number) => {
      await assertSame((database, bulkFrom) => load(database, snapshot, bulkFrom))
      expect(await homesOf(pair[0])).toBe(homes)
    }
    await step(told(wholeEstate, 0), 6)
    await step(told(wholeEstate, 1), 6)
    await step(told([...wholeEstate].reverse(), 2), 6)
    const changed = wholeEstate.map((fact) =>
      fact.fact === 'node' && fact.qualifiedName === 't.a' ? node('Column', 't.a', { data_type: 'date' }) : fact,
    )
    await step(told(changed, 3), 5)
    // of another file: of what it does not speak nothing changes
    await step(told([node('Table', 'w', {}), node('Column', 'w.a', {}), hasColumn('w', 'w.a')], 4, { complete: false, file: 'b' }), 5)
    await step(told([node('Column', 't.b', { data_type: 'int' })], 5, { complete: false, file: 'b' }), 4)
    // one that comes late puts all of them in question
    await step(told(wholeEstate, 2, { complete: false, file: 'b' }), 0)
  }, 60_000)
})
