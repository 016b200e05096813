import { beforeAll, expect, it } from 'vitest'
import { countConcerned, readProjectDeletion } from '../../../src/catalog/deletion/deletion-store.js'
import { readProjectsWithEdges } from '../../../src/catalog/deletion/project-store.js'
import type { Fact } from '../../../src/catalog/fact.js'
import { ingestFacts } from '../../../src/catalog/ingest.js'
import { catalogGraph, readOutboxChanges } from '../../../src/catalog/projection/graph-store.js'
import * as learning from '../../../src/catalog/reads/learning-store.js'
import { readLineage } from '../../../src/catalog/reads/lineage-store.js'
import * as reads from '../../../src/catalog/reads/read-store.js'
import { readGraphChanges } from '../../../src/postgres/outbox.js'
import type { Database } from '../../../src/postgres/sql.js'
import { canonicalJson } from '../../../src/util/hash.js'
import type { EdgeLabel, GraphChange, JsonValue } from '../../../src/vocabulary.js'
import { freshDatabase } from '../../support/database.js'

const provenance = { dialect: 'test', file: 'estate.sql', location: 'line 1' }
const day = (n: number) => new Date(Date.UTC(2025, 0, n))
const tables = ['t', 'u', 'v']
const columns = ['a', 'b', 'c', 'd']

/** An estate of a project, its columns but those of `without`. */
function estate(project: string, { without = [], types = {} }: { without?: string[]; types?: Record<string, string> } = {}): Fact[] {
  const id = (slug: string) => `${project}/s/${slug}`
  const node = (kind: 'Database' | 'Table' | 'Column', name: string, properties: Record<string, JsonValue> = {}): Fact => ({
    ...{ fact: 'node', id: id(`${kind.toLowerCase()}:${name}`), kind, name: name.slice(name.lastIndexOf('.') + 1), qualifiedName: name },
    ...{ properties, provenance },
  })
  const edge = (source: string, label: EdgeLabel, target: string, properties: Record<string, JsonValue> = {}): Fact => ({
    ...{ fact: 'edge', sourceId: id(source), label, targetId: id(target), properties, provenance },
  })
  const facts = [node('Database', 'db')]
  for (const table of tables) {
    facts.push(node('Table', table), edge('database:db', 'CONTAINS', `table:${table}`))
    for (const name of columns.map((column) => `${table}.${column}`).filter((name) => !without.includes(name)))
      facts.push(
        node('Column', name, { data_type: types[name] ?? 'int', ordinal: columns.indexOf(name.slice(2)) }),
        // one of them says more than that it is
        edge(`table:${table}`, 'HAS_COLUMN', `column:${name}`, name === 'u.d' ? { place: 4 } : {}),
      )
  }
  facts.push(edge('column:t.a', 'DATA_FLOW', 'column:u.a'), edge('column:u.a', 'DATA_FLOW', 'column:v.a', { transform: 'sum' }))
  return facts
}

interface Load {
  project: string
  system?: string
  at: number
  facts: Fact[]
}
const empty: Load = { project: 'p', system: 'x', at: 4, facts: [] }
/** Another system tells of one of the edges, and takes it back. */
const twin: Load = { ...empty, at: 3, facts: estate('p').filter((fact) => fact.fact === 'edge' && fact.targetId === 'p/s/column:v.b') }
const steps: { title: string; loads: Load[]; homes: number }[] = [
  {
    title: 'two first loads',
    loads: [
      { project: 'p', at: 1, facts: estate('p') },
      { project: 'q', at: 1, facts: estate('q') },
    ],
    homes: 22,
  },
  {
    title: 'a second snapshot that changes one column and misses another',
    loads: [{ project: 'p', at: 2, facts: estate('p', { without: ['t.c'], types: { 'u.b': 'date' } }) }],
    homes: 20,
  },
  { title: 'another system that tells of an edge', loads: [twin], homes: 20 },
  { title: 'and takes it back', loads: [empty], homes: 20 },
]

/** With homes, and without any. */
let pair: [homes: Database, written: Database]
beforeAll(async () => {
  pair = [(await freshDatabase()).database, (await freshDatabase()).database]
})

const load = (database: Database, { project, system = 's', at, facts }: Load, bulkFrom: number) =>
  ingestFacts(database, {
    ...{ projectId: project, systemId: system, complete: true, observedAt: day(at), now: day(9), facts, bulkFrom },
    sources: [{ dialect: 'test', file: 'estate.sql' }],
  })

const sorted = (values: readonly unknown[]): string[] => values.map((value) => canonicalJson(value as JsonValue)).sort()
/** Keys are drawn in another order. */
const withoutCursor = ({ cursor: _, ...rest }: { cursor: number }) => rest
async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const out: T[] = []
  for await (const page of pages) out.push(...page)
  return out
}

const filters: reads.FactFilter[] = [
  {},
  { projectId: 'p' },
  { projectId: 'p', labels: ['HAS_COLUMN'] },
  { projectId: 'p', labels: ['CONTAINS', 'DATA_FLOW'] },
]
const moments = [undefined, 1, 2].map((n) => (n === undefined ? {} : { asOf: day(n) }))

/** Every page of a list, its cursors in order, and the same as the list. */
async function readPaged(database: Database, filter: reads.FactFilter): Promise<string[]> {
  const whole = await reads.readEdges(database, filter)
  const paged: typeof whole = []
  for (let after = 0; ; after = paged.at(-1)!.cursor) {
    const page = await reads.readEdges(database, filter, { limit: 7, after })
    paged.push(...page)
    if (page.length < 7) break
  }
  expect(paged).toEqual(whole)
  expect(paged.map(({ cursor }) => cursor)).toEqual([...new Set(paged.map(({ cursor }) => cursor))].sort((a, b) => a - b))
  const { asOf } = filter
  const byKey = await reads.readEdgesByKey(
    database,
    whole.map(({ cursor }) => cursor),
    asOf ? { asOf } : {},
  )
  expect(sorted(byKey)).toEqual(sorted(whole.map(withoutCursor)))
  return sorted(whole.map(withoutCursor))
}

const ids = ['database:db', ...tables.map((t) => `table:${t}`), ...tables.flatMap((t) => columns.map((c) => `column:${t}.${c}`))].map(
  (slug) => `p/s/${slug}`,
)

async function readNow(database: Database) {
  const changes = [{}, { projectId: 'p' }, { tableId: 'p/s/table:u' }, { nodeId: 'p/s/column:u.b' }, { kinds: ['edge_added'] as const }]
  const target = { kind: 'system', projectId: 'p', systemId: 's' } as const
  return {
    changes: await Promise.all(changes.map(async (filter) => sorted(await reads.readChanges(database, filter)))),
    counts: await Promise.all(changes.map((filter) => reads.countChanges(database, filter))),
    between: await Promise.all(
      [0, 2].flatMap((from) => [1, 5].map((to) => reads.diffSnapshots(database, day(from), day(to), { projectId: 'p' }))),
    ),
    withEdges: await Promise.all(
      ([null, 'HAS_COLUMN', 'CONTAINS', 'BLOCKS'] as const).map((label) => readProjectsWithEdges(database, label)),
    ),
    concerned: await countConcerned(database, target, 1_000),
    ...(await database.transaction(async (client) => {
      const { stateBefore: _, ...going } = await readProjectDeletion(client, 'p')
      const numbers = new Map(
        (await client.query<{ key: number; id: string }>('select key, id from node_key')).rows.map((k) => [k.key, k.id]),
      )
      const labels = (await all(learning.edgeLabelsOf(client, 'p'))).map((e) => [numbers.get(e.source), e.label, numbers.get(e.target)])
      return { going, labels: sorted(labels), times: await learning.readLedgerTimes(client, { projectId: 'p' }) }
    })),
  }
}

const readAt = async (database: Database, moment: reads.Moment) => ({
  lists: await Promise.all(filters.map((filter) => readPaged(database, { ...filter, ...moment }))),
  totals: await Promise.all(filters.map((filter) => reads.countFacts(database, { ...filter, ...moment }))),
  estates: await Promise.all(filters.map((filter) => reads.readEstate(database, { ...filter, ...moment }))),
  out: await reads.readEdgesOf(database, ids, 'out', moment),
  into: await reads.readEdgesOf(database, ids, 'in', moment),
  intoOfLabel: await reads.readEdgesOf(database, ids, 'in', { ...moment, labels: ['HAS_COLUMN'] }),
  flow: await readLineage(database, 'p/s/column:u.a', { direction: 'both', ...moment }),
  walks: await Promise.all(
    (['downstream', 'both'] as const).flatMap((direction) =>
      [5, 1_000].map((nodeBudget) =>
        readLineage(database, 'p/s/table:u', { direction, nodeBudget, labels: ['CONTAINS', 'HAS_COLUMN', 'DATA_FLOW'], ...moment }),
      ),
    ),
  ),
})

const keyOf = (change: GraphChange): string =>
  'id' in change ? change.id : [change.sourceId, change.label, change.targetId, change.discriminator].join(' ')

/** What a graph holds that was told these changes. */
function graphOf(changes: readonly GraphChange[]): string[] {
  const graph = new Map<string, GraphChange>()
  for (const change of changes)
    if (change.op.startsWith('delete')) graph.delete(keyOf(change))
    else graph.set(keyOf(change), change)
  return sorted([...graph.values()])
}

it('every read tells of the edges of homes as of those that are written out', async () => {
  for (const { title, loads, homes } of steps) {
    for (const one of loads) {
      const [{ snapshotId: _, ...report }, { snapshotId: __, ...expected }] = [
        await load(pair[0], one, 1),
        await load(pair[1], one, Infinity),
      ]
      expect(report, title).toEqual(expected)
    }
    const { rows } = await pair[0].query<{ n: number }>('select count(*) as n from home_edge')
    expect(rows[0]!.n, title).toBe(homes)
    expect(await readNow(pair[0]), title).toEqual(await readNow(pair[1]))
    for (const moment of moments) expect(await readAt(pair[0], moment), title).toEqual(await readAt(pair[1], moment))
  }
}, 120_000)

it('the outbox tells a graph that has seen nothing, and one that has seen all, of the edges of homes', async () => {
  for (const database of pair) {
    const rows = await readGraphChanges(database, 0, 1_000)
    const told = graphOf(
      await readOutboxChanges(
        database,
        rows.map(({ change }) => change),
      ),
    )
    expect(told).toEqual(graphOf(await all(catalogGraph(database))))
    expect(told.filter((line) => line.includes('HAS_COLUMN'))).toHaveLength(23)
  }
  const [homes, written] = [await all(catalogGraph(pair[0])), await all(catalogGraph(pair[1]))]
  expect(graphOf(homes)).toEqual(graphOf(written))
})
