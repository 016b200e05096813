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

it('groups by label, writes what is there before what is not, and ends with the position', () => {
  const changes = [upsert('a'), link('a', 'b'), upsert('b'), link('b', 'a')]
  const [there, fresh, edges, position, ...rest] = planStatements(changes, 7)
  expect(rest).toEqual([])
  expect(there!.text).toMatch(/^UNWIND \$rows AS row MATCH .* SET n = \{/)
  expect(fresh!.text).toMatch(/NOT EXISTS .* CREATE \(n:Node:Table \{/)
  // one and the same list: it crosses to the engine's process once
  expect(fresh!.parameters['rows']).toBe(there!.parameters['rows'])
  expect(there!.parameters['rows']).toHaveLength(2)
  expect(edges!.parameters['rows']).toHaveLength(2)
  expect(position).toEqual({ text: expect.not.stringContaining('ledger'), parameters: { id: 'espalier:projection', position: 7 } })
  expect(planStatements([], 7, 'mine')).toEqual([
    { text: expect.stringContaining('m.ledger = $ledger'), parameters: { id: 'espalier:projection', position: 7, ledger: 'mine' } },
  ])
})

it('walks a hub from the other side', () => {
  const columns = Array.from({ length: 3 }, (_, i) => `c${i}`)
  expect(texts(columns.map((c) => link('hub', c)))[0]).toContain('(b)<-[r:HAS_COLUMN {discriminator: row[2]}]-(a)')
  expect(texts(columns.map((c) => link(c, 'hub')))[0]).toContain('(a)-[r:HAS_COLUMN {discriminator: row[2]}]->(b)')
})

const rowsOf = (changes: GraphChange[]) => planStatements(changes, 1).map((s) => s.parameters['rows'] ?? s.parameters['ids'] ?? [])

it('lets the later change win, and a deleted node take its edges along', () => {
  expect(rowsOf([upsert('a', { x: 1 }), upsert('a', { x: 2 })])[0]).toEqual([['a', 2]])
  const gone: GraphChange = { op: 'delete-node', id: 'b', kind: 'Table' }
  expect(rowsOf([link('a', 'b'), gone])).toEqual([['b'], []])
  expect(rowsOf([link('a', 'b'), gone, link('a', 'b'), upsert('b')])).toEqual([['b'], [['b']], [['b']], []])
})

it('lays properties out by name, null where one has none', () => {
  const [statement] = planStatements([upsert('a', { x: 1, set: true }), upsert('b', { y: 'é' })], 1)
  expect(statement!.text).toContain('SET n = {id: row[0], `set`: row[1], `x`: row[2], `y`: row[3]}, n:Table')
  expect(statement!.parameters['rows']).toEqual([
    ['a', true, 1, null],
    ['b', null, null, 'é'],
  ])
})

it('sets moments with datetime(), apart from rows where that property is none', () => {
  const [moments, , others] = planStatements([upsert('a', { made_at: '2024-01-01T00:00:00Z' }), upsert('b', { made_at: 'once' })], 1)
  expect(moments!.text).toContain('`made_at`: datetime(row[1])')
  expect(others!.text).toContain('`made_at`: row[1]}')
})

it('passes as a map what cannot, or should not, be written into a text', () => {
  for (const properties of [{ 'a b` SET n.x': 1 }, Object.fromEntries(Array.from({ length: 61 }, (_, i) => [`x${i}`, i]))]) {
    const [there, fresh] = planStatements([upsert('a', { ...properties, made_at: '2024-01-01T00:00:00Z' })], 1)
    expect(there!.text).toContain('SET n = row[1], n.`made_at` = datetime(row[2]), n:Table')
    expect(fresh!.text).toMatch(/CREATE \(n:Node:Table\) SET n = row\[1\], n\.`made_at` = datetime\(row\[2\]\)$/)
    expect(there!.parameters['rows']).toEqual([['a', { ...properties, id: 'a' }, '2024-01-01T00:00:00.000Z']])
  }
})

it('cuts large groups', () => {
  const changes = Array.from({ length: 12_000 }, (_, i) => upsert(`t${i}`))
  expect(rowsOf(changes).map((rows) => (rows as unknown[]).length)).toEqual([5_000, 5_000, 5_000, 5_000, 2_000, 2_000, 0])
})

it('takes only the labels of the vocabulary', () => {
  for (const kind of nodeKinds) expect(texts([{ op: 'upsert-node', id: 'x', kind, properties: {} }])[0]).toContain(`n:${kind} `)
  for (const label of edgeLabels) expect(texts([{ ...link('a', 'b'), label } as GraphChange])[0]).toContain(`r:${label} `)
  expect(() => planStatements([{ ...upsert('a'), kind: 'X) DETACH DELETE (n' } as unknown as GraphChange], 1)).toThrow(/expected one of/)
  expect(() => planStatements([{ ...link('a', 'b'), label: 'X]->() DELETE r' } as unknown as GraphChange], 1)).toThrow(/expected one of/)
})
