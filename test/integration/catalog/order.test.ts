import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Fact } from '../../../src/catalog/fact.js'
import { distributionOf, emptyCounts } from '../../../src/catalog/quality/metrics.js'
import type { Database } from '../../../src/postgres/sql.js'
import { canonicalJson } from '../../../src/util/hash.js'
import type { Properties } from '../../../src/vocabulary.js'
import { freshDatabase } from '../../support/database.js'
import { at, clear, load, type Told, tell } from '../../support/ledger-telling.js'
import { type WorldSnapshot, worlds } from '../../support/ledger-world.js'

// ---- the oracle: snapshots applied one after the other to maps, in the plainest way ----

interface Said {
  properties: Properties
  partial: boolean
}
type State = { nodes: Map<string, Properties>; edges: Map<string, Properties> }

const systemOf = (id: string) => id.split('/')[1] ?? ''
const goesWith = (root: string, id: string) =>
  id === root || (root.includes('/table:') && id.startsWith(`${root.replace('/table:', '/column:')}.`))
const edgeName = (f: Extract<Fact, { fact: 'edge' }>) => `${f.sourceId} ${f.label} ${f.targetId}`

/** What one ingest says in the end: statements together, the last word counting, removals taking back what came before them. */
function contentOf({ facts, system }: WorldSnapshot) {
  const nodes = new Map<string, Said>()
  const edges = new Map<string, Properties>()
  const removed: string[] = []
  for (const fact of facts) {
    if (fact.fact === 'removal') {
      removed.push(fact.id)
      for (const id of [...nodes.keys()]) if (goesWith(fact.id, id)) nodes.delete(id)
      for (const name of [...edges.keys()]) {
        const [source, , target] = name.split(' ') as [string, string, string]
        if (goesWith(fact.id, source) || goesWith(fact.id, target)) edges.delete(name)
      }
    } else if (fact.fact === 'node') {
      const before = nodes.get(fact.id)
      nodes.set(fact.id, {
        properties: { ...before?.properties, ...fact.properties },
        partial: (before?.partial ?? true) && fact.partial === true,
      })
    } else edges.set(edgeName(fact), { ...edges.get(edgeName(fact)), ...fact.properties })
  }
  for (const id of nodes.keys()) if (id.includes('/table:')) edges.set(`p/${system} CONTAINS ${id}`, {})
  nodes.set('p', { properties: {}, partial: false })
  nodes.set(`p/${system}`, { properties: {}, partial: false })
  edges.set(`p CONTAINS p/${system}`, {})
  return { nodes, edges, removed }
}

function apply(state: State, snapshot: WorldSnapshot): void {
  const { nodes, edges, removed } = contentOf(snapshot)
  const gone = (id: string, isSaid: boolean) =>
    !isSaid && ((snapshot.complete && systemOf(id) === snapshot.system) || removed.some((r) => goesWith(r, id)))
  for (const id of [...state.nodes.keys()]) if (gone(id, nodes.has(id))) state.nodes.delete(id)
  for (const name of [...state.edges.keys()]) {
    const [source, , target] = name.split(' ') as [string, string, string]
    const isOwn = snapshot.complete && (source === 'p' ? target : source).startsWith(`p/${snapshot.system}`)
    const isTaken = removed.some((r) => goesWith(r, source) || goesWith(r, target))
    if (!edges.has(name) && (isOwn || isTaken)) state.edges.delete(name)
  }
  for (const [id, { properties, partial }] of nodes) state.nodes.set(id, partial ? { ...state.nodes.get(id), ...properties } : properties)
  for (const [name, properties] of edges) state.edges.set(name, properties)
}

/** The visible state after every time: time -> fact -> its properties as text. */
function histories(ordered: readonly WorldSnapshot[]): Map<number, Map<string, string>> {
  const state: State = { nodes: new Map(), edges: new Map() }
  const out = new Map<number, Map<string, string>>()
  for (const snapshot of ordered) {
    apply(state, snapshot)
    const shown = new Map([...state.nodes].map(([id, p]) => [id, canonicalJson(p)]))
    for (const [name, properties] of state.edges) {
      const [source, , target] = name.split(' ') as [string, string, string]
      if (state.nodes.has(source) && state.nodes.has(target)) shown.set(name, canonicalJson(properties))
    }
    out.set(at(snapshot.day).getTime(), shown)
  }
  return out
}

/** The same, read from the ledger's histories. */
function toldAt(told: Told, time: number): Map<string, string> {
  const inForce = (row: Record<string, unknown>) => Number(row['valid_from']) <= time && Number(row['valid_to']) > time
  return new Map([
    ...told.nodes.filter(inForce).map((row) => [row['id'] as string, canonicalJson(row['properties'])] as const),
    ...told.edges
      .filter((row) => inForce(row) && row['is_visible'])
      .map((row) => [`${row['source']} ${row['label']} ${row['target']}`, canonicalJson(row['properties'])] as const),
  ])
}

const sorted = (map: Map<string, string>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

function checkAgainstOracle(told: Told, ordered: readonly WorldSnapshot[]): void {
  let previous = new Map<string, string>()
  for (const [time, shown] of histories(ordered)) {
    expect(sorted(toldAt(told, time)), `state at ${new Date(time).toISOString()}`).toEqual(sorted(shown))
    const names = (kinds: RegExp) =>
      told.changes.filter((c) => Number(c['at']) === time && kinds.test(c['kind'] as string)).map((c) => c['fact'] as string)
    expect(names(/_added$/).sort()).toEqual([...shown.keys()].filter((name) => !previous.has(name)).sort())
    expect(names(/_removed$/).sort()).toEqual([...previous.keys()].filter((name) => !shown.has(name)).sort())
    const changed = [...shown].filter(([name, text]) => previous.has(name) && previous.get(name) !== text).map(([name]) => name)
    expect([...new Set(names(/_changed$/))].sort()).toEqual(changed.sort())
    const metric = (name: string) =>
      told.metrics.find((m) => m['id'] === 'p' && m['name'] === name && Number(m['observed_at']) === time)?.['value']
    const columns = [...shown.keys()].filter((name) => /\/column:\S+$/.test(name) && !name.includes(' '))
    expect(metric('column_count')).toBe(columns.length)
    expect(metric('edge_count')).toBe([...shown.keys()].filter((name) => name.includes(' ')).length)
    const strings = columns.filter((id) => (JSON.parse(shown.get(id)!) as Properties)['data_type'] === 'string').length
    expect(metric('columns_string')).toBe(strings)
    previous = shown
  }
}

describe('the order of arrival', () => {
  let database: Database
  beforeAll(async () => {
    database = (await freshDatabase()).database
  })

  it('does not matter: any order gives the ledger of the plain oracle', async () => {
    expect(distributionOf(emptyCounts()).string).toBe(0)
    await fc.assert(
      fc.asyncProperty(worlds, async ({ snapshots, arrival }) => {
        await clear(database)
        const ids: string[] = []
        for (const i of arrival) ids[i] = (await load(database, snapshots[i]!)).snapshotId!
        const shuffled = await tell(database)
        const places = new Map(shuffled.snapshots.map((s, place) => [s['id'] as string, place]))
        const ordered = snapshots
          .map((s, i) => [s, places.get(ids[i]!)!] as const)
          .sort(([, a], [, b]) => a - b)
          .map(([s]) => s)
        checkAgainstOracle(shuffled, ordered)
        await clear(database)
        for (const snapshot of ordered) await load(database, snapshot)
        expect(await tell(database)).toEqual(shuffled)
        // and once more, all of it: nothing is written
        for (const snapshot of ordered) expect(await load(database, snapshot)).toMatchObject({ changes: 0, isReplay: true })
        expect(await tell(database)).toEqual(shuffled)
      }),
      { numRuns: Number(process.env['ESPALIER_RUNS'] ?? 12), endOnFailure: true },
    )
  }, 300_000)
})
