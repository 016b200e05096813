import { describe, expect, it } from 'vitest'
import { encodeCandidates, knownTo, neighbourhood } from '../../../src/datasets/links/candidate-graph.js'
import { indexEstate } from '../../../src/datasets/links/estate.js'
import { nodeFeatureNames, nodeFeatureWidth, queryFeatureWidth } from '../../../src/datasets/links/features.js'
import { buildLinkLists } from '../../../src/datasets/links/lists.js'
import { candidateTargets } from '../../../src/datasets/links/recall.js'
import { candidateEdgeTypes, featureSpecHash, parseFeatureSpec } from '../../../src/datasets/links/spec.js'
import { foreignKey, hiddenReferences } from '../../../src/datasets/tasks/foreign-key.js'
import { seeded } from '../../../src/util/random.js'
import { columnId, EstateBuilder, smallEstate, tableId } from '../../support/small-estate.js'

const estate = smallEstate()
const index = indexEstate(estate)
const { lists, featureSpec } = buildLinkLists(estate, { candidates: 8 }, seeded(7))
const listOf = (column: string) => lists.find((l) => l.queryId === columnId(column))!
const labels = (column: string) => new Map(listOf(column).candidates.map((c) => [c.id!, c.label!]))

describe('foreign-key lists', () => {
  it('are one a column with keys, grouped by database, with the declared target among the candidates', () => {
    expect(lists).toHaveLength(9)
    expect(new Set(lists.map((l) => l.group))).toEqual(new Set(['demo/hive/database:shop', 'demo/hive/database:school']))
    for (const list of lists) {
      expect(list.candidates).toHaveLength(8)
      expect(list.candidates.filter((c) => c.label === 1)).toHaveLength(1)
      expect(new Set(list.candidates.map((c) => c.id)).size).toBe(8)
      expect(list.candidates.map((c) => c.id)).not.toContain(list.queryId)
    }
    expect(labels('shop.orders.customer_id').get(columnId('shop.customers.id'))).toBe(1)
  })

  it('grade what the target references in turn, and never make it a negative', () => {
    const grades = labels('shop.reviews.profile')
    expect(grades.get(columnId('shop.profiles.customer_id'))).toBe(1)
    expect(grades.get(columnId('shop.customers.id'))).toBe(0.5)
  })

  it('hold hard negatives: near names of the same type, and keys', () => {
    const ids = [...labels('shop.orders.customer_id').keys()]
    expect(ids).toContain(columnId('shop.profiles.customer_id'))
    const keys = ids.filter((id) => index.node(id)!.properties['is_primary_key'] && labels('shop.orders.customer_id').get(id) === 0)
    expect(keys.length).toBeGreaterThanOrEqual(2)
  })

  it('never let the place of a candidate tell its label', () => {
    const places = new Set(lists.map((l) => l.candidates.findIndex((c) => c.label === 1)))
    expect(places.size).toBeGreaterThan(3)
  })

  it('are the same from the same seed, others from another, and a new table leaves the other databases as they were', () => {
    expect(buildLinkLists(smallEstate(), { candidates: 8 }, seeded(7)).lists).toEqual(lists)
    expect(buildLinkLists(estate, { candidates: 8 }, seeded(8)).lists).not.toEqual(lists)
    const grown = smallEstate()
    const extra = new EstateBuilder()
    extra.database('zoo')
    extra.table('zoo', 'cages', { id: 'int*', keeper_id: 'int' })
    const { nodes, edges } = extra.build()
    const more = { nodes: [...grown.nodes, ...nodes], edges: [...grown.edges, ...edges] }
    expect(buildLinkLists(more, { candidates: 8 }, seeded(7)).lists).toEqual(lists)
  })

  it('can be asked over every column of the database', () => {
    const all = buildLinkLists(estate, { candidates: 'all' }, seeded(1)).lists
    const asked = all.find((l) => l.queryId === columnId('school.pupils.classid'))!
    expect(asked.candidates.map((c) => c.id).sort()).toEqual(
      index
        .membersOf('demo/hive/database:school', 'database', ['Column'])
        .map((c) => c.id)
        .filter((id) => id !== asked.queryId),
    )
  })

  it('report a key that has nothing to be told from', () => {
    const b = new EstateBuilder()
    b.database('tiny')
    b.table('tiny', 'a', { id: 'int*' })
    b.table('tiny', 'b', { a_id: 'int' })
    b.foreignKey('fk', ['tiny.b.a_id', 'tiny.a.id'])
    const built = buildLinkLists(b.build(), {}, seeded(1))
    expect(built.lists).toEqual([])
    expect(built.problems).toMatchObject([{ code: 'no-negatives', where: columnId('tiny.b.a_id') }])
  })
})

describe('nothing in a list gives the answer away', () => {
  it('neither the key itself nor any edge of its constraint is in any graph, the tables’ own edge included', () => {
    const references = candidateEdgeTypes(featureSpec).indexOf('REFERENCES')
    for (const list of lists) {
      const hidden = hiddenReferences(index, list.queryId)
      expect(hidden.size).toBeGreaterThanOrEqual(2)
      for (const graph of list.candidates) {
        const ids = idsOf(list.queryId, graph.id!)
        graph.edges.forEach(([from, to], e) => {
          if (graph.edgeTypes![e] !== references) return
          for (const edge of hidden) expect([ids[from], ids[to]]).not.toEqual([edge.sourceId, edge.targetId])
        })
      }
    }
  })

  it('the other column pairs of a composite key are hidden with it', () => {
    const hidden = [...hiddenReferences(index, columnId('shop.returns.order_id'))].map((e) => [e.sourceId, e.targetId])
    expect(hidden).toContainEqual([columnId('shop.returns.line_no'), columnId('shop.lines.line_no')])
    expect(hidden).toContainEqual([tableId('shop.returns'), tableId('shop.lines')])
    expect(hidden).not.toContainEqual([columnId('shop.lines.order_id'), columnId('shop.orders.id')])
  })

  it('the mirror of a key is hidden too', () => {
    const mirrored = smallEstate()
    const [from, to] = [columnId('shop.orders.customer_id'), columnId('shop.customers.id')]
    const own = mirrored.edges.find((e) => e.sourceId === from && e.targetId === to)!
    const both = {
      nodes: mirrored.nodes,
      edges: [...mirrored.edges, { ...own, sourceId: to, targetId: from, discriminator: 'mirror', properties: {} }],
    }
    expect([...hiddenReferences(indexEstate(both), from)].map((e) => e.sourceId)).toContain(to)
  })

  it('a list without its key is encoded the very same: taking the edge away changes no number', () => {
    for (const list of lists) {
      const hidden = hiddenReferences(index, list.queryId)
      const without = { nodes: estate.nodes, edges: estate.edges.filter((e) => !hidden.has(e)) }
      const asked = encodeCandidates(
        without,
        list.queryId,
        list.candidates.map((c) => c.id!),
        featureSpec,
      )
      expect(asked).toEqual(unlabelled(list))
    }
  })

  it('with knownLinks none, a database without any declared key is encoded the same', () => {
    const spec = parseFeatureSpec({ knownLinks: 'none' })
    const bare = { nodes: estate.nodes, edges: estate.edges.filter((e) => e.label !== 'REFERENCES') }
    for (const { queryId, candidates } of lists) {
      const ids = candidates.map((c) => c.id!)
      expect(encodeCandidates(estate, queryId, ids, spec)).toEqual(encodeCandidates(bare, queryId, ids, spec))
    }
  })
})

const unlabelled = (list: (typeof lists)[number]) => ({ ...list, candidates: list.candidates.map(({ label: _, ...c }) => c) })

/** The ids behind the nodes of a candidate graph, by the documented order. */
function idsOf(queryId: string, candidateId: string): string[] {
  const known = knownTo(index, queryId, featureSpec)
  const { hops, maxNodes } = featureSpec
  const around = [
    neighbourhood(known, queryId, foreignKey.walked, hops, Math.floor(maxNodes / 3)),
    neighbourhood(known, candidateId, foreignKey.walked, hops, maxNodes),
  ]
  return [...new Set([queryId, candidateId, ...around.flat()])].slice(0, maxNodes)
}

describe('the encoder', () => {
  it('is the same at serving as at training', () => {
    for (const list of lists)
      expect(
        encodeCandidates(
          estate,
          list.queryId,
          list.candidates.map((c) => c.id!),
          featureSpec,
        ),
      ).toEqual(unlabelled(list))
  })

  it('does not care in which order nodes and edges come', () => {
    const shuffled = { nodes: seeded(3).shuffle(estate.nodes), edges: seeded(4).shuffle(estate.edges) }
    expect(buildLinkLists(shuffled, { candidates: 8 }, seeded(7)).lists).toEqual(lists)
  })

  it('gives rows and vectors of the widths it names, finite, and graphs within their bound', () => {
    const names = nodeFeatureNames(featureSpec)
    expect(names).toHaveLength(nodeFeatureWidth(featureSpec))
    for (const spec of [featureSpec, parseFeatureSpec({ nameBuckets: 8, commentBuckets: 4, maxNodes: 5 })])
      for (const { queryId, candidates } of lists) {
        const list = encodeCandidates(
          estate,
          queryId,
          candidates.map((c) => c.id!),
          spec,
        )
        expect(list.query).toHaveLength(queryFeatureWidth(spec))
        for (const graph of list.candidates) {
          expect(graph.nodeFeatures.length).toBeLessThanOrEqual(spec.maxNodes)
          for (const row of graph.nodeFeatures) {
            expect(row).toHaveLength(nodeFeatureWidth(spec))
            expect([...row].every(Number.isFinite)).toBe(true)
          }
          for (const [from, to] of graph.edges) expect(Math.max(from, to)).toBeLessThan(graph.nodeFeatures.length)
          expect(graph.edgeTypes).toHaveLength(graph.edges.length)
        }
      }
  })

  it('marks the query and the candidate, and joins them by one ASKED edge', () => {
    const names = nodeFeatureNames(featureSpec)
    const [isQuery, isCandidate] = [names.indexOf('is-query'), names.indexOf('is-candidate')]
    const asked = candidateEdgeTypes(featureSpec).indexOf('ASKED')
    for (const graph of lists.flatMap((l) => l.candidates)) {
      const rows = graph.nodeFeatures as number[][]
      expect(rows.map((r) => r[isQuery])).toEqual(rows.map((_, n) => Number(n === 0)))
      expect(rows.map((r) => r[isCandidate])).toEqual(rows.map((_, n) => Number(n === 1)))
      expect(graph.edges.filter((_, e) => graph.edgeTypes![e] === asked)).toEqual([[0, 1]])
    }
  })

  it('keeps primary keys and near nodes where a table is too wide', () => {
    const b = new EstateBuilder()
    b.database('wide')
    b.table('wide', 'facts', { ...Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`c${i}`, 'string'])), fact_id: 'int*' })
    b.table('wide', 'notes', { id: 'int*', fact_id: 'int' })
    const wide = b.build()
    const { candidates } = encodeCandidates(wide, columnId('wide.notes.fact_id'), [columnId('wide.facts.c7')], featureSpec)
    expect(candidates[0]!.nodeFeatures).toHaveLength(featureSpec.maxNodes)
    const walk = neighbourhood(
      knownTo(indexEstate(wide), columnId('wide.notes.fact_id'), featureSpec),
      columnId('wide.facts.c7'),
      foreignKey.walked,
      2,
      4,
    )
    expect(walk).toEqual(
      ['wide.facts.c7'].map(columnId).concat(tableId('wide.facts'), columnId('wide.facts.fact_id'), columnId('wide.facts.c0')),
    )
  })

  it('hashes its spec: equal specs alike whatever the order of their keys, others apart', () => {
    expect(featureSpecHash(parseFeatureSpec({ hops: 2, maxNodes: 32 }))).toBe(
      featureSpecHash(parseFeatureSpec({ maxNodes: 32, knownLinks: 'others' })),
    )
    expect(featureSpecHash(parseFeatureSpec({ hops: 1 }))).not.toBe(featureSpecHash(featureSpec))
    expect(() => parseFeatureSpec({ version: 1 })).toThrow('feature spec')
  })

  it('says which id is wrong, and what it is', () => {
    expect(() => encodeCandidates(estate, tableId('shop.orders'), [], featureSpec)).toThrow(
      /query "demo\/hive\/table:shop.orders" is a Table, expected/,
    )
    expect(() => encodeCandidates(estate, columnId('shop.orders.customer_id'), ['x'], featureSpec)).toThrow(
      'candidate "x" is not in the catalog',
    )
    const id = columnId('shop.orders.id')
    expect(() => encodeCandidates(estate, id, [id], featureSpec)).toThrow('is the query itself')
  })
})

describe('candidate targets at serving', () => {
  it('are the columns of the database that look like targets, known ones left out unless asked for', () => {
    const source = columnId('shop.orders.customer_id')
    const target = columnId('shop.customers.id')
    expect(candidateTargets(estate, source)).not.toContain(target)
    expect(candidateTargets(estate, source, { includeKnown: true, limit: 2 })).toContain(target)
    expect(candidateTargets(estate, source, { limit: 3 })).toHaveLength(3)
    expect(candidateTargets(estate, 'nothing')).toEqual([])
  })
})
