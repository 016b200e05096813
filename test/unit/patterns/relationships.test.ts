import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { learnRelationships, predictRelationshipType } from '../../../src/patterns/relationships.js'
import type { CatalogEdge, CatalogNode, EdgeLabel, NodeKind } from '../../../src/vocabulary.js'

const node = (id: string, kind: NodeKind): CatalogNode => ({
  id,
  kind,
  name: id,
  qualifiedName: id,
  projectId: 'p',
  systemId: 's',
  properties: {},
})
const edge = (sourceId: string, label: EdgeLabel, targetId: string): CatalogEdge => ({
  sourceId,
  label,
  targetId,
  discriminator: '',
  projectId: 'p',
  systemId: 's',
  properties: {},
})

const kinds: NodeKind[] = ['Table', 'Column', 'View']
const graphs = fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 8 }).chain((list) =>
  fc.record({
    nodes: fc.constant(list.map((kind, i) => node(`n${i}`, kind))),
    edges: fc.array(
      fc
        .tuple(fc.nat(list.length - 1), fc.constantFrom<EdgeLabel>('DATA_FLOW', 'HAS_COLUMN'), fc.nat(list.length - 1))
        .map(([a, label, b]) => edge(`n${a}`, label, `n${b}`)),
      { maxLength: 20 },
    ),
  }),
)

describe('learning relationships', () => {
  it('counts by source kind, label and target kind', () => {
    const nodes = [node('d', 'Database'), node('t', 'Table'), node('a', 'Column'), node('b', 'Column')]
    const edges = [
      edge('d', 'CONTAINS', 't'),
      edge('t', 'HAS_COLUMN', 'a'),
      edge('t', 'HAS_COLUMN', 'b'),
      edge('a', 'REFERENCES', 'b'),
      edge('a', 'READS', 'x'),
    ]
    expect(learnRelationships(nodes, edges)).toEqual({
      nodes: 4,
      edges: 4,
      dangling: 1,
      nodeKinds: { Column: 2, Database: 1, Table: 1 },
      relationships: [
        { sourceKind: 'Table', label: 'HAS_COLUMN', targetKind: 'Column', count: 2 },
        { sourceKind: 'Column', label: 'REFERENCES', targetKind: 'Column', count: 1 },
        { sourceKind: 'Database', label: 'CONTAINS', targetKind: 'Table', count: 1 },
      ],
      chains: [
        { chain: 'Database -CONTAINS-> Table -HAS_COLUMN-> Column', hops: 2, count: 2 },
        { chain: 'Database -CONTAINS-> Table -HAS_COLUMN-> Column -REFERENCES-> Column', hops: 3, count: 1 },
        { chain: 'Table -HAS_COLUMN-> Column -REFERENCES-> Column', hops: 2, count: 1 },
      ],
      chainCount: 3,
      pathsFrom: { project: [], table: [{ chain: 'Table -HAS_COLUMN-> Column -REFERENCES-> Column', hops: 2, count: 1 }] },
    })
  })

  it('counts walks as a plain enumeration does', () => {
    fc.assert(
      fc.property(graphs, ({ nodes, edges }) => {
        const kind = new Map(nodes.map((n) => [n.id, n.kind]))
        const expected = new Map<string, number>()
        const tell = (walk: CatalogEdge[]) => {
          const name = walk
            .map((e) => `${kind.get(e.sourceId)} -${e.label}->`)
            .concat(kind.get(walk.at(-1)!.targetId)!)
            .join(' ')
          expected.set(name, (expected.get(name) ?? 0) + 1)
        }
        for (const a of edges)
          for (const b of edges)
            if (a.targetId === b.sourceId) {
              tell([a, b])
              for (const c of edges) if (b.targetId === c.sourceId) tell([a, b, c])
            }
        const chains = learnRelationships(nodes, edges).chains
        expect(new Map(chains.map((c) => [c.chain, c.count]))).toEqual(expected)
      }),
    )
  })

  it('does not depend on order', () => {
    fc.assert(
      fc.property(graphs, ({ nodes, edges }) => {
        expect(learnRelationships([...nodes].reverse(), [...edges].reverse())).toEqual(learnRelationships(nodes, edges))
      }),
    )
  })
})

describe('predicting a relationship', () => {
  it('gives probabilities that sum to 1, led by what links these kinds, and backs off for kinds never seen together', () => {
    const nodes = [node('t', 'Table'), node('a', 'Column'), node('b', 'Column'), node('v', 'View')]
    const learned = learnRelationships(nodes, [
      edge('t', 'HAS_COLUMN', 'a'),
      edge('t', 'HAS_COLUMN', 'b'),
      edge('t', 'DATA_FLOW', 'v'),
      edge('a', 'REFERENCES', 'b'),
    ])
    const table = predictRelationshipType(learned, 'Table', 'Column')
    expect(table[0]).toMatchObject({ label: 'HAS_COLUMN', count: 2 })
    for (const pair of [table, predictRelationshipType(learned, 'View', 'View'), predictRelationshipType(learned, 'Run', 'Artifact')])
      expect(pair.reduce((sum, p) => sum + p.probability, 0)).toBeCloseTo(1, 12)
    expect(predictRelationshipType(learned, 'View', 'Column')[0]!.label).toBe('HAS_COLUMN')
    expect(predictRelationshipType(learnRelationships([], []), 'Table', 'Column')).toEqual([])
  })
})
