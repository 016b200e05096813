import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type GraphKind, parseGraphJsonl } from '../../../src/datasets/formats/graph-jsonl.js'
import { graphRow, parseGraphRow, printGraphLines } from '../../../src/datasets/formats/graph-row.js'
import type { GraphExample } from '../../../src/models/graphs/graph-example.js'

const graph = {
  node_features: [
    [1, 0],
    [0, 1],
    [0.5, -0.5],
  ],
  edge_index: [
    [0, 1],
    [1, 2],
  ],
}
const parse = (kind: GraphKind, ...lines: object[]) =>
  parseGraphJsonl(lines.map((line) => JSON.stringify(line)).join('\n'), { kind, file: 'graphs.jsonl' })
const codes = async (kind: GraphKind, ...lines: object[]) => (await parse(kind, ...lines)).problems.map((p) => p.code)

/** Beyond it a number is infinite in float32, and refused. */
const largestFloat = 3.4028234663852886e38

describe('graph JSONL', () => {
  it('reads a graph whose node is asked for, with all that may stand beside', async () => {
    const line = { id: 'q', group: 'crm', query: [1], ...graph, edge_types: [0, 3], edge_directions: [0, 1], target: 2 }
    const { examples, problems } = await parse('node', line)
    expect(problems).toEqual([])
    expect(examples).toEqual([
      {
        id: 'q',
        group: 'crm',
        query: [1],
        nodeFeatures: graph.node_features,
        edges: graph.edge_index,
        edgeTypes: [0, 3],
        edgeDirections: [0, 1],
        target: 2,
      },
    ])
  })

  it('names a line by its number, and gives nodes without features the feature 1', async () => {
    const { examples } = await parse('node', { nodes: 2, edge_index: [[0, 1]], target: 1 })
    expect(examples).toEqual([{ id: 'line 1', nodeFeatures: [[1], [1]], edges: [[0, 1]], target: 1 }])
  })

  it('takes labels as text, and sequences of nodes or of labels', async () => {
    const targetsOf = async (kind: GraphKind, ...targets: unknown[]) =>
      (await parse(kind, ...targets.map((target) => ({ ...graph, target })))).examples.map((e) => e.target)
    expect(await targetsOf('graph', 'yes', 3, false)).toEqual(['yes', '3', 'false'])
    expect(await targetsOf('sequence', [0, 2, 0], [])).toEqual([[0, 2, 0], []])
    expect(await targetsOf('sequence', ['n', 'w'], [])).toEqual([['n', 'w'], []])
  })

  it('says where, what came and what was expected', async () => {
    const { examples, problems } = await parse('node', { ...graph, target: 1 }, { ...graph, target: 3 })
    expect(examples).toHaveLength(1)
    expect(problems).toEqual([
      { severity: 'error', code: 'target', where: 'graphs.jsonl:2:target', found: '3', expected: 'the index of a node, 0 to 2' },
    ])
  })

  const bad: [string, GraphKind, object, string[]][] = [
    ['no target', 'node', { ...graph }, ['no-target']],
    ['a label that is none', 'graph', { ...graph, target: [1] }, ['target']],
    ['a sequence of both', 'sequence', { ...graph, target: [1, 'n'] }, ['target']],
    ['a sequence that is none', 'sequence', { ...graph, target: 1 }, ['target']],
    ['nodes twice', 'node', { ...graph, nodes: 3, target: 0 }, ['nodes-twice']],
    ['no number of nodes', 'node', { nodes: -1, edge_index: [], target: 0 }, ['not-a-count', 'target']],
    ['an edge to nowhere', 'node', { nodes: 1, edge_index: [[0, 1]], target: 0 }, ['edge-out-of-bounds']],
    ['edge types of another length', 'node', { ...graph, edge_types: [0], target: 0 }, ['length-mismatch']],
    ['annotations where nothing follows', 'node', { ...graph, annotations: [], target: 0 }, ['annotations']],
    ['annotations of another shape', 'sequence', { ...graph, annotations: [[[1]]], target: [0] }, ['annotations']],
    ['an unknown field', 'node', { ...graph, targets: 1, target: 0 }, ['unknown-field']],
    ['no id', 'node', { ...graph, id: '', target: 0 }, ['no-id']],
  ]
  it.each(bad)('reports %s', async (_, kind, line, expected) => {
    expect(await codes(kind, line)).toEqual(expected)
  })

  it('reports what differs from line to line: widths, ids, nodes beside labels', async () => {
    const line = { ...graph, id: 'a', query: [1], target: [0] }
    expect(await codes('sequence', line, { ...line, id: 'b', query: [1, 2] })).toEqual(['query-width'])
    expect(await codes('sequence', line, line)).toEqual(['repeated-id'])
    expect(await codes('sequence', line, { ...line, id: 'b', target: ['n'] })).toEqual(['target'])
    expect(await codes('sequence', line, { ...line, id: 'b', node_features: [[1], [1], [1]] })).toEqual([
      'feature-width',
      'feature-width',
      'feature-width',
    ])
  })

  it('answers only are missing where they are asked for', async () => {
    const { examples, problems } = await parseGraphJsonl(JSON.stringify(graph), { kind: 'graph', requireTargets: false })
    expect(problems).toEqual([])
    expect(examples[0]).not.toHaveProperty('target')
  })

  it('survives the round trip through rows and through text', async () => {
    const number = fc.double({ noNaN: true, min: -largestFloat, max: largestFloat }).map((x) => (x === 0 ? 0 : x))
    const example = fc.integer({ min: 1, max: 4 }).chain((n) =>
      fc.record(
        {
          id: fc.string({ minLength: 1 }),
          group: fc.string(),
          query: fc.array(number, { minLength: 2, maxLength: 2 }),
          nodeFeatures: fc.array(fc.array(number, { minLength: 2, maxLength: 2 }), { minLength: n, maxLength: n }),
          edges: fc.constant([
            [0, n - 1],
            [0, 0],
            [n - 1, 0],
          ] as [number, number][]),
          edgeTypes: fc.array(fc.nat(5), { minLength: 3, maxLength: 3 }),
          target: fc.array(fc.nat(n - 1), { maxLength: 3 }),
        },
        { requiredKeys: ['id', 'nodeFeatures', 'edges', 'target'] },
      ),
    )
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(example, { selector: (e) => e.id, maxLength: 4 }), async (examples) => {
        const parsed = await parseGraphJsonl(printGraphLines(examples as GraphExample[]), { kind: 'sequence' })
        expect(parsed).toEqual({ examples, problems: [] })
        expect(examples.map((e) => parseGraphRow(JSON.parse(JSON.stringify(graphRow(e as GraphExample)))))).toEqual(examples)
      }),
      { numRuns: 100 },
    )
  })
})
