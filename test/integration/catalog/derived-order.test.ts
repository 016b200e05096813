import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { deleteFromCatalog, sweepContents } from '../../../src/catalog/deletion/deletion-store.js'
import { encodeDerived } from '../../../src/catalog/derive/derived-content.js'
import type { Database } from '../../../src/postgres/sql.js'
import { canonicalJson } from '../../../src/util/hash.js'
import type { Properties } from '../../../src/vocabulary.js'
import { freshDatabase } from '../../support/database.js'
import { derivedWorlds } from '../../support/derived-world.js'
import { clear, load, type Told, tell, tellStored } from '../../support/ledger-telling.js'
import type { WorldSnapshot } from '../../support/ledger-world.js'

const runs = { numRuns: Number(process.env['ESPALIER_RUNS'] ?? 5), endOnFailure: true }

// ---- the oracle: what follows at a moment, from what is stated at it, in the plainest way ----

interface Stated {
  /** id -> properties */
  nodes: Map<string, Properties>
  edges: { source: string; label: string; target: string; properties: Properties }[]
}

const last = (id: string) => id.slice(id.lastIndexOf('.') + 1)
const systemOf = (id: string) => id.split('/')[1]!
const nameOf = (id: string) => id.slice(id.indexOf(':') + 1)
const versionOf = (id: string, properties: Properties) => {
  const name = { name: last(id), qualifiedName: nameOf(id) }
  return encodeDerived({
    ...{ fact: 'node', id, kind: 'Column', ...name, properties },
    provenance: { dialect: '', file: '', location: '' },
  }).version
}
const isOpen = (id: string) => id.includes('/column:?')

/** Edges that follow (`source label target properties`) and columns of views of `*`. */
function derive({ nodes, edges }: Stated): { columns: Map<string, Properties>; edges: Set<string> } {
  const columns = new Map<string, Properties>()
  const exists = (id: string) => nodes.has(id) || columns.has(id)
  const propertiesOf = (id: string) => nodes.get(id) ?? columns.get(id)!
  const columnsOf = (relation: string) => {
    const prefix = relation.replace(/\/(?:table|view):/, '/column:')
    const ids = [...new Set([...nodes.keys(), ...columns.keys()])].filter((id) => id.startsWith(`${prefix}.`))
    return ids.sort((a, b) => Number(propertiesOf(a)['ordinal']) - Number(propertiesOf(b)['ordinal']) || (a < b ? -1 : 1))
  }
  const stars = edges.filter((e) => (e.properties['unresolved'] as Properties | undefined)?.['star'] && exists(e.target))
  const follow = new Set<string>()
  const tell = (source: string, label: string, target: string, properties: Properties) => {
    if (!exists(source) || !exists(target)) return
    if (edges.some((e) => e.source === source && e.label === label && e.target === target)) return
    follow.add(`${source} ${label} ${target} ${canonicalJson(properties)}`)
  }
  const read = (star: (typeof stars)[number]) => {
    const { candidates } = star.properties['unresolved'] as { candidates: string[] }
    const seen = new Map<string, { id: string; place: number }>()
    candidates.flatMap(columnsOf).forEach((id, i) => {
      if (!seen.has(last(id))) seen.set(last(id), { id, place: i + 1 })
    })
    return seen
  }
  for (let round = 0; round < 20; round++) {
    const before = [...columns.keys()].length
    const next = new Map<string, Properties>()
    for (const star of stars)
      for (const [name, { id, place }] of read(star)) {
        const own = `${star.target.replace('/view:', '/column:')}.${name}`
        if (nodes.has(own)) continue
        const type = propertiesOf(id)['data_type']
        const properties = { ...(type === undefined ? {} : { data_type: type }), nullable: true, ordinal: place }
        const said = next.get(own)
        // of two texts that make the view, the one counts whose column has the greater hash
        if (!said || versionOf(own, properties) > versionOf(own, said)) next.set(own, properties)
      }
    const isSame =
      before === next.size && [...next].every(([id, p]) => columns.has(id) && canonicalJson(columns.get(id)) === canonicalJson(p))
    columns.clear()
    for (const [id, p] of next) columns.set(id, p)
    if (isSame) break
  }
  for (const star of stars)
    for (const [name, { id }] of read(star)) {
      const own = `${star.target.replace('/view:', '/column:')}.${name}`
      tell(id, 'DATA_FLOW', own, { how: 'copy' })
      if (columns.has(own)) tell(star.target, 'HAS_COLUMN', own, {})
    }
  const tables = (name: string, system: string) => {
    const fitting = [...nodes.keys()].filter((id) => /\/(?:table|view):/.test(id) && (nameOf(id) === name || last(nameOf(id)) === name))
    const own = fitting.filter((id) => systemOf(id) === system)
    return own.length > 0 ? own : fitting
  }
  for (const e of edges) {
    const { unresolved, unresolved_target, ...properties } = e.properties as {
      unresolved?: { column?: string; candidates?: string[]; table_name?: string; star?: true }
      unresolved_target?: { table_name: string; column?: string; position?: number; except?: string[] }
    }
    if (!unresolved || unresolved.star) continue
    const system = systemOf(isOpen(e.source) ? e.source : e.target)
    const found = unresolved.table_name
      ? tables(unresolved.table_name, system)
      : unresolved.candidates!.map((t) => `${t.replace('/table:', '/column:')}.${unresolved.column}`).filter(exists)
    if (found.length !== 1) continue
    if (!unresolved_target) {
      if (isOpen(e.source)) tell(found[0]!, e.label, e.target, properties as Properties)
      else tell(e.source, e.label, found[0]!, properties as Properties)
      continue
    }
    const [table, second] = tables(unresolved_target.table_name, system)
    if (!table || second) continue
    const own = columnsOf(table)
    const target = unresolved_target.column
      ? own.find((id) => last(id) === unresolved_target.column)
      : own.filter((id) => !unresolved_target.except!.includes(last(id)))[unresolved_target.position!]
    if (target) tell(found[0]!, e.label, target, properties as Properties)
  }
  const ties = new Map<string, { conditions: Set<string>; crossDay: boolean }>()
  for (const wait of edges.filter((e) => e.label === 'BLOCKS' && exists(e.source) && exists(e.target)))
    for (const set of edges.filter((e) => e.label === 'RELEASES' && e.target === wait.source && exists(e.source))) {
      if (set.source === wait.target) continue
      const tie = ties.get(`${wait.target} ${set.source}`) ?? { conditions: new Set(), crossDay: true }
      tie.conditions.add(nameOf(wait.source))
      tie.crossDay &&= wait.properties['odate'] !== 'run-date'
      ties.set(`${wait.target} ${set.source}`, tie)
    }
  for (const [pair, { conditions, crossDay }] of ties) {
    const [from, to] = pair.split(' ') as [string, string]
    tell(from, 'DEPENDS_ON', to, { conditions: [...conditions].sort(), ...(crossDay ? { cross_day: true } : {}) })
  }
  return { columns, edges: follow }
}

type Row = Record<string, unknown>

async function checkAgainstOracle(database: Database): Promise<void> {
  const ask = async (text: string) => (await database.query<Row>(text)).rows
  const nodes = await ask(`select k.id, v.properties, h.valid_from, h.valid_to, s.derived_of is not null as derived from node_history h
    join node_key k on k.key = h.node join fact_version v on v.hash = h.version join catalog_scope s on s.key = h.scope`)
  const edges =
    await ask(`select a.id as source, e.label, b.id as target, v.properties, h.valid_from, h.valid_to, h.is_visible, s.derived_of is not null as derived
    from edge_history h join edge_key e on e.key = h.edge join node_key a on a.key = e.source join node_key b on b.key = e.target
    join fact_version v on v.hash = h.version join catalog_scope s on s.key = h.scope`)
  const times = new Set([...nodes, ...edges].flatMap((row) => [Number(row['valid_from']), Number(row['valid_to'])]).filter(Number.isFinite))
  for (const time of times) {
    const holds = (row: Row) => Number(row['valid_from']) <= time && Number(row['valid_to']) > time
    const stated: Stated = {
      nodes: new Map(
        nodes.filter((row) => holds(row) && !row['derived']).map((row) => [row['id'] as string, row['properties'] as Properties]),
      ),
      edges: edges
        .filter((row) => holds(row) && !row['derived'])
        .map((row) => ({
          ...{ source: row['source'] as string, label: row['label'] as string, target: row['target'] as string },
          properties: row['properties'] as Properties,
        })),
    }
    const expected = derive(stated)
    const columns = nodes.filter((row) => holds(row) && row['derived']).map((row) => `${row['id']} ${canonicalJson(row['properties'])}`)
    expect(columns.sort()).toEqual([...expected.columns].map(([id, properties]) => `${id} ${canonicalJson(properties)}`).sort())
    const follow = edges.filter((row) => holds(row) && row['derived'])
    expect(follow.every((row) => row['is_visible'])).toBe(true)
    expect(follow.map((row) => `${row['source']} ${row['label']} ${row['target']} ${canonicalJson(row['properties'])}`).sort()).toEqual(
      [...expected.edges].sort(),
    )
    // and what is stated is shown where both its ends are, derived ones included
    const exists = (id: unknown) => stated.nodes.has(id as string) || expected.columns.has(id as string)
    for (const row of edges.filter((each) => holds(each) && !each['derived']))
      expect(row['is_visible'], `${row['source']} ${row['label']} ${row['target']}`).toBe(exists(row['source']) && exists(row['target']))
  }
}

function inOrder(told: Told, snapshots: readonly WorldSnapshot[], ids: readonly string[]): WorldSnapshot[] {
  const places = new Map(told.snapshots.map((s, place) => [s['id'] as string, place]))
  return snapshots
    .map((s, i) => [s, places.get(ids[i]!)!] as const)
    .sort(([, a], [, b]) => a - b)
    .map(([s]) => s)
}

describe('what follows from several texts', () => {
  let database: Database
  beforeAll(async () => {
    database = (await freshDatabase()).database
  })

  it('is what a plain oracle finds at every moment, in whatever order the texts come', async () => {
    await fc.assert(
      fc.asyncProperty(derivedWorlds, async ({ snapshots, arrival }) => {
        await clear(database)
        const ids: string[] = []
        for (const i of arrival) ids[i] = (await load(database, snapshots[i]!)).snapshotId!
        const shuffled = await tell(database)
        await checkAgainstOracle(database)
        await clear(database)
        const ordered = inOrder(shuffled, snapshots, ids)
        for (const snapshot of ordered) await load(database, snapshot)
        expect(await tell(database)).toEqual(shuffled)
        for (const snapshot of ordered) expect(await load(database, snapshot)).toMatchObject({ changes: 0, isReplay: true })
        expect(await tell(database)).toEqual(shuffled)
      }),
      runs,
    )
  }, 300_000)

  it('goes when a text is deleted, as if it had never come', async () => {
    await fc.assert(
      fc.asyncProperty(derivedWorlds, async ({ snapshots, arrival, gone }) => {
        await clear(database)
        const ids: string[] = []
        for (const i of arrival) ids[i] = (await load(database, snapshots[i]!)).snapshotId!
        const deleted = new Set(gone.map((i) => ids[i]!))
        for (const snapshotId of deleted)
          await database.transaction((client) => deleteFromCatalog(client, { kind: 'snapshot', snapshotId }))
        await sweepContents(database)
        await checkAgainstOracle(database)
        const [told, stored] = [await tell(database), await tellStored(database)]
        await clear(database)
        for (const i of arrival) if (!deleted.has(ids[i]!)) await load(database, snapshots[i]!)
        await sweepContents(database)
        expect(told).toEqual(await tell(database))
        expect(stored).toEqual(await tellStored(database))
      }),
      runs,
    )
  }, 300_000)

  it('goes with a system', async () => {
    await fc.assert(
      fc.asyncProperty(derivedWorlds, async ({ snapshots }) => {
        await clear(database)
        for (const snapshot of snapshots) await load(database, snapshot)
        await database.transaction((client) => deleteFromCatalog(client, { kind: 'system', projectId: 'p', systemId: 'x' }))
        await sweepContents(database)
        await checkAgainstOracle(database)
        const told = await tell(database)
        await clear(database)
        for (const snapshot of snapshots) if (snapshot.system !== 'x') await load(database, snapshot)
        await sweepContents(database)
        expect(told).toEqual(await tell(database))
      }),
      runs,
    )
  }, 300_000)
})
