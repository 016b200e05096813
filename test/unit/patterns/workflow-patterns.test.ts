import { describe, expect, it } from 'vitest'
import { learnWorkflows } from '../../../src/patterns/workflow-patterns.js'
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
  ...{ sourceId, label, targetId, discriminator: '', projectId: 'p', systemId: 's', properties: {} },
})

describe('learning workflows', () => {
  const nodes = [
    ...['a', 'b', 'c', 'd', 'x', 'y'].map((id) => node(id, 'ControlMJob')),
    ...['c1', 'c2'].map((id) => node(id, 'ControlMCondition')),
  ]
  const edges = [
    ...[edge('b', 'DEPENDS_ON', 'a'), edge('c', 'DEPENDS_ON', 'b'), edge('d', 'DEPENDS_ON', 'a'), edge('c', 'DEPENDS_ON', 'a')],
    ...[edge('x', 'DEPENDS_ON', 'y'), edge('y', 'DEPENDS_ON', 'x')],
    ...[edge('c1', 'BLOCKS', 'b'), edge('b', 'RELEASES', 'c2'), edge('b', 'CLEARS', 'c1')],
  ]

  it('finds steps, the longest chain, cycles, fan-in and fan-out, in any order of facts', () => {
    const learned = learnWorkflows(nodes, edges)
    expect(learned).toMatchObject({
      ...{ jobs: 6, conditions: 2, dependencies: 6, stepCount: 1 },
      steps: [{ place: 'c1', transition: 'b', next: 'c2' }],
      longestChain: ['a', 'b', 'c'],
      cyclic: ['x', 'y'],
      fanIn: { 0: 1, 1: 4, 2: 1 },
      fanOut: { 0: 2, 1: 3, 3: 1 },
    })
    expect(learned.widest[0]).toEqual({ job: 'a', fanIn: 0, fanOut: 3 })
    expect(learnWorkflows([...nodes].reverse(), [...edges].reverse())).toEqual(learned)
  })

  it('answers an estate without jobs', () => {
    expect(learnWorkflows([], [])).toMatchObject({ jobs: 0, longestChain: [], cyclic: [], steps: [], fanIn: {} })
  })
})
