import { describe, expect, it } from 'vitest'
import type { EdgeFact } from '../../../src/catalog/fact.js'
import { FreshRows, NotFresh } from '../../../src/catalog/ledger/fresh-rows.js'

const origin = { file: 1, location: 'line 1', stated_at: null }
const provenance = { dialect: 'test', file: 'f', location: 'line 1' }
const drawn = { query: async () => ({ rows: [{ first: 1, last: 100 }], rowCount: 1 }) }

async function rows(): Promise<FreshRows> {
  const made = new FreshRows()
  await made.nodeKeys.draw(drawn as never, 100)
  await made.columnKeys.draw({ query: async () => ({ rows: [{ first: 1_001, last: 1_200 }], rowCount: 1 }) } as never, 100)
  await made.edgeKeys.draw(drawn as never, 100)
  return made
}
const addNode = (to: FreshRows, kind: 'Table' | 'Column', id: string, name = 'A_name', properties = {}) =>
  to.addNode({ id, kind, content: { name, qualifiedName: `d.${name}`, properties }, isPartial: false, scope: 7 }, origin)
const hasColumn = (sourceId: string, targetId: string, properties = {}): EdgeFact => ({
  ...{ fact: 'edge', sourceId, label: 'HAS_COLUMN', targetId, properties, provenance },
})
const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString().split('\n').slice(0, -1)
const ends = (made: FreshRows) => text([...made.nodes.take(), ...made.columns.take()]).map((row) => row.split('\t').slice(-3))

describe('the rows of a fresh system', () => {
  it('tell the plain edge to a column in the row of the column', async () => {
    const made = await rows()
    addNode(made, 'Table', 't')
    addNode(made, 'Column', 'c')
    expect(made.addEdge(hasColumn('t', 'c'), origin, '{}')).toBe(true)
    expect(ends(made)).toEqual([
      ['\\N', 'f', '\\N'],
      ['1', 't', 't'],
    ])
    expect(text(made.edges.take())).toEqual([])
    expect(made.untold).toBe(1)
    expect(made.homeCount).toBe(1)
  })

  it('write an edge out that says more, was read elsewhere, or comes again', async () => {
    const made = await rows()
    for (const id of ['a', 'b']) addNode(made, 'Column', id)
    addNode(made, 'Table', 't')
    expect(made.addEdge(hasColumn('t', 'a', { x: 1 }), origin, '{"x":1}')).toBe(true)
    expect(made.addEdge(hasColumn('t', 'b'), { ...origin }, '{}')).toBe(true)
    expect(made.addEdge(hasColumn('t', 'b'), origin, '{}')).toBe(true)
    expect(ends(made)).toEqual([
      ['\\N', 'f', '\\N'],
      ['1', 'f', '\\N'],
      ['1', 'f', '\\N'],
    ])
    expect(text(made.edges.take())).toHaveLength(3)
    expect(text(made.homes.take())).toEqual(['1003\t1'])
    expect(made.hasTables).toBe(true)
    expect(made.homeCount).toBe(0)
  })

  it('count the types of the columns whose edges they tell, table by table', async () => {
    const made = await rows()
    for (const table of ['t', 'u']) {
      addNode(made, 'Table', table)
      for (const [name, type] of Object.entries({ a: 'number', b: 'string', c: 'number', d: 'blob' })) {
        addNode(made, 'Column', `${table}.${name}`, name, type === 'blob' ? {} : { data_type: type === 'number' ? 'int' : 'string' })
        made.addEdge(hasColumn(table, `${table}.${name}`, name === 'b' ? { more: 1 } : {}), origin, name === 'b' ? '{"more":1}' : '{}')
      }
    }
    made.giveTypeCounts()
    expect(text(made.typeCounts.take())).toEqual(['1\tnumber\t2', '1\t\t1', '2\tnumber\t2', '2\t\t1'])
  })

  it('tell which row is of which content', async () => {
    const made = await rows()
    for (const id of ['t', 'u']) addNode(made, 'Table', id, 'Größe')
    const [bytes] = made.contents.take()
    expect(made.hashes).toHaveLength(2)
    expect(made.hashes[0]).toBe(made.hashes[1])
    expect(made.contentEnds[1]).toBe(bytes!.length)
    expect(bytes!.subarray(0, made.contentEnds[0]).toString()).toBe(bytes!.subarray(made.contentEnds[0]).toString())
  })

  it('leave edges alone whose ends have not come, and columns without a table', async () => {
    const made = await rows()
    addNode(made, 'Column', 'c')
    expect(made.addEdge(hasColumn('t', 'c'), origin, '{}')).toBe(false)
    expect(ends(made)).toEqual([])
    made.giveUpHomes()
    expect(ends(made)).toEqual([['\\N', 'f', '\\N']])
  })

  it('are none of a fact that is told again or in part', async () => {
    const made = await rows()
    addNode(made, 'Table', 't')
    expect(() => addNode(made, 'Table', 't')).toThrow(NotFresh)
    const content = { name: 'n', qualifiedName: 'n', properties: {} }
    expect(() => made.addNode({ id: 'u', kind: 'Table', content, isPartial: true, scope: 7 }, origin)).toThrow(NotFresh)
  })

  it('know what nothing contains, and each word once', async () => {
    const made = await rows()
    for (const id of ['t', 'u', 'v']) addNode(made, 'Table', id, 'Big_table=x')
    made.addEdge({ ...hasColumn('t', 'u'), label: 'CONTAINS' }, origin, '{}')
    expect([...made.uncontained]).toEqual(['t', 'v'])
    expect([...made.words].sort()).toEqual(['big', 'd', 'table=x'])
  })
})
