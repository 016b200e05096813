import { expect, it } from 'vitest'
import { planStatements } from '../../../src/graph/statements.js'
import { edgeLabels, type GraphChange, nodeKinds } from '../../../src/vocabulary.js'

const upsert = (id: string, more: object = {}): GraphChange => ({ op: 'upsert-node', id, kind: 'Table', properties: { ...more } })
const link = (sourceId: string, targetId: string): GraphChange => ({
  op: 'upsert-edge',
  sourceId,
  targetId,
  label: 'HAS_COLUMN',
  discriminator: '',
  properties: {},
})
const texts = (changes: GraphChange[]) => planStatements(changes, 1).map((s) => s.text)

it('groups by label, and ends with the position', () => {
  const changes = [upsert('a'), link('a', 'b'), upsert('b'), link('b', 'a')]
  const [nodes, edges, position, ...rest] = planStatements(changes, 7)
  expect(rest).toEqual([])
  expect(nodes!.parameters['rows']).toHaveLength(2)
  expect(edges!.parameters['rows']).toHaveLength(2)
  expect(position!.parameters).toEqual({ id: 'espalier:projection', position: 7 })
})

it('walks a hub from the other side', () => {
  const columns = Array.from({ length: 3 }, (_, i) => `c${i}`)
  expect(texts(columns.map((c) => link('hub', c)))[0]).toContain('(b)<-[r:HAS_COLUMN {discriminator: row.discriminator}]-(a)')
  expect(texts(columns.map((c) => link(c, 'hub')))[0]).toContain('(a)-[r:HAS_COLUMN {discriminator: row.discriminator}]->(b)')
})

it('lets the later change win, and a deleted node take its edges along', () => {
  const rowsOf = (changes: GraphChange[]) => planStatements(changes, 1).map((s) => s.parameters['rows'] ?? s.parameters['ids'] ?? [])
  expect(rowsOf([upsert('a', { x: 1 }), upsert('a', { x: 2 })])[0]).toEqual([{ id: 'a', values: { id: 'a', x: 2 }, times: {} }])
  const gone: GraphChange = { op: 'delete-node', id: 'b', kind: 'Table' }
  expect(rowsOf([link('a', 'b'), gone])).toEqual([['b'], []])
  expect(rowsOf([link('a', 'b'), gone, link('a', 'b'), upsert('b')])).toEqual([['b'], [{ id: 'b', values: { id: 'b' }, times: {} }], []])
})

it('sets moments with datetime()', () => {
  const [statement] = planStatements([upsert('a', { updated_at: '2024-01-01T00:00:00Z' })], 1)
  expect(statement!.text).toContain('n.updated_at = datetime(row.times.updated_at)')
})

it('cuts large groups', () => {
  const changes = Array.from({ length: 12_000 }, (_, i) => upsert(`t${i}`))
  expect(planStatements(changes, 1).map((s) => (s.parameters['rows'] as unknown[] | undefined)?.length)).toEqual([
    5_000,
    5_000,
    2_000,
    undefined,
  ])
})

it('takes only the labels of the vocabulary', () => {
  for (const kind of nodeKinds) expect(texts([{ op: 'upsert-node', id: 'x', kind, properties: {} }])[0]).toContain(`n:${kind} `)
  for (const label of edgeLabels) expect(texts([{ ...link('a', 'b'), label } as GraphChange])[0]).toContain(`r:${label} `)
  expect(() => planStatements([{ ...upsert('a'), kind: 'X) DETACH DELETE (n' } as unknown as GraphChange], 1)).toThrow(/expected one of/)
  expect(() => planStatements([{ ...link('a', 'b'), label: 'X]->() DELETE r' } as unknown as GraphChange], 1)).toThrow(/expected one of/)
})
