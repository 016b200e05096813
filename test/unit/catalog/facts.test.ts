import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { differencesBetween } from '../../../src/catalog/change.js'
import { nodeId } from '../../../src/catalog/identity.js'
import { encodeContent, storable } from '../../../src/catalog/ledger/staged-row.js'
import { graphProperties, nodeChange } from '../../../src/catalog/projection/graph-change.js'
import { type ColumnShape, guessRenames, nameLikeness } from '../../../src/catalog/rename.js'
import { mergeStatements, overlayContent } from '../../../src/catalog/resolve/merge.js'
import { columnIdIn, resolveEdge } from '../../../src/catalog/resolve/resolve.js'
import { partsOfId, rangesOfRemoval } from '../../../src/catalog/resolve/scope.js'
import { qualify } from '../../../src/catalog/sql/names.js'
import { nodeKinds, type Properties } from '../../../src/vocabulary.js'

const content = (properties: Properties, name = 'n') => ({ name, qualifiedName: name, properties })

describe('differences', () => {
  it('tell types, nullability and every other property apart', () => {
    const before = content({
      data_type: 'int',
      type_tree: { name: 'int' },
      canonical_type: 'number',
      nullable: true,
      comment: 'a',
      gone: 1,
    })
    const after = content({ data_type: 'string', type_tree: { name: 'string' }, canonical_type: 'string', nullable: false, comment: 'b' })
    expect(differencesBetween('Column', before, after)).toEqual([
      { kind: 'type_changed', property: '', before: 'int', after: 'string' },
      { kind: 'nullability_changed', property: '', before: true, after: false },
      { kind: 'property_changed', property: 'comment', before: 'a', after: 'b' },
      { kind: 'property_changed', property: 'gone', before: 1, after: null },
    ])
  })

  it('are none between equal contents, whatever the order of their keys, and some otherwise', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (record) => {
        const properties = record as Properties
        const turned = Object.fromEntries(Object.entries(properties).reverse()) as Properties
        expect(differencesBetween('Table', content(properties), content(turned))).toEqual([])
        expect(encodeContent(content(properties))).toEqual(encodeContent(content(turned)))
        expect(differencesBetween('Table', content(properties), content({ ...properties, added: 'x' })).length).toBe(
          'added' in properties ? 1 : 1,
        )
      }),
    )
    expect(differencesBetween(null, content({ type: 1 }), content({ type: 1 }, 'N')).map((d) => d.property)).toEqual([
      'name',
      'qualifiedName',
    ])
  })
})

describe('renames', () => {
  const shape = (name: string, type = 'int', ordinal = 1): ColumnShape => ({ id: name, name, type, ordinal, nullable: true })

  it('need the same type, and place or name', () => {
    expect(guessRenames([shape('cust_id')], [shape('customer_id')])).toMatchObject([{ from: 'cust_id', to: 'customer_id' }])
    expect(guessRenames([shape('a', 'int')], [shape('b', 'string')])).toEqual([])
    expect(guessRenames([shape('abc', 'int', 1)], [shape('xyz', 'int', 9)])).toEqual([])
  })

  it('pair the likeliest first and use each column once', () => {
    const gone = [shape('owner', 'string', 2), shape('amount', 'string', 3)]
    const come = [shape('amount_eur', 'string', 3), shape('owner_name', 'string', 2)]
    expect(guessRenames(gone, come).map((r) => [r.from, r.to])).toEqual([
      ['amount', 'amount_eur'],
      ['owner', 'owner_name'],
    ])
    expect(guessRenames(gone, [...come].reverse())).toEqual(guessRenames([...gone].reverse(), come))
  })

  it('like words in another order', () => {
    expect(nameLikeness('acct_id', 'id_acct')).toBe(1)
    expect(nameLikeness('same', 'SAME')).toBe(1)
    expect(nameLikeness('', 'x')).toBe(0)
  })

  it('give up on tables that were replaced wholesale', () => {
    const many = (prefix: string) => Array.from({ length: 600 }, (_, i) => shape(`${prefix}${i}`))
    expect(guessRenames(many('a'), many('b'))).toEqual([])
  })
})

describe('merging', () => {
  const say = (properties: Properties, isPartial = false, name = 'n') => ({
    content: content(properties, name),
    isPartial,
    place: `f:${name}`,
  })

  it('keeps everything, the last word on contradictions, with a problem for each', () => {
    const merged = mergeStatements('id', [say({ a: 1, b: 1 }), say({ b: 2 }, false, 'N'), say({ c: 3 }, true, 'other')])
    expect(merged).toMatchObject({ content: { name: 'N', properties: { a: 1, b: 2, c: 3 } }, isPartial: false })
    expect(merged.problems).toMatchObject([{ code: 'contradiction', where: 'f:N', found: 'b = 2 for id', expected: '1, as f:n says' }])
    expect(mergeStatements('id', [say({}, true), say({}, true)]).isPartial).toBe(true)
  })

  it('lays a partial statement over a state without touching the rest', () => {
    expect(overlayContent(content({ a: 1, b: 1 }, 'x'), content({ b: 2 }, 'y'))).toEqual(content({ a: 1, b: 2 }, 'x'))
  })
})

describe('ids', () => {
  const part = fc.stringMatching(/^[a-z0-9_.-]{1,8}$/)
  it('come apart as they were put together', () => {
    fc.assert(
      fc.property(part, part, fc.constantFrom(...nodeKinds), fc.string({ minLength: 1 }), (projectId, systemId, kind, name) => {
        const parts = partsOfId(nodeId(projectId, systemId, kind, name))!
        expect(parts.kind).toBe(kind)
        expect(parts.projectId).toBe(projectId)
        if (kind !== 'Project') expect(parts.systemId).toBe(systemId)
        if (kind !== 'Project' && kind !== 'System') expect(parts.qualifiedName).toBe(name)
      }),
    )
    expect(partsOfId('a/b/nonsense:x')).toBeNull()
    expect(partsOfId('')).toBeNull()
  })

  it('tell what a removal takes: a table and its columns, never its neighbours', () => {
    const name = fc.oneof(fc.stringMatching(/^[a-z]{1,3}$/), fc.constantFrom('a.b', 'a', '`', 'a`b'))
    fc.assert(
      fc.property(name, name, name, name, name, (db, table, otherDb, otherTable, column) => {
        const removed = nodeId('p', 's', 'Table', qualify(db, table))
        const id = nodeId('p', 's', 'Column', qualify(otherDb, otherTable, column))
        const isTaken = rangesOfRemoval(removed).some(({ low, high }) => low <= id && id < high)
        expect(isTaken).toBe(db === otherDb && table === otherTable)
      }),
    )
    const [self] = rangesOfRemoval('p/s/table:a')
    expect(['p/s/table:a', 'p/s/table:a.b', 'p/s/table:ab'].map((id) => self!.low <= id && id < self!.high)).toEqual([true, false, false])
  })
})

describe('open ends', () => {
  const scope = { key: 1, projectKey: 2, projectId: 'p', systemId: 's' }
  const edge = (unresolved: object) => ({
    ...{ fact: 'edge' as const, sourceId: '', label: 'READS' as const, targetId: 'p/s/view:v' },
    properties: { unresolved: unresolved as never, keep: 1 },
    provenance: { dialect: 'd', file: 'f', location: 'l' },
  })
  const known = (nodes: string[], tables: Record<string, string[]> = {}) => ({
    nodes: new Set(nodes),
    tables: new Map(Object.entries(tables)),
  })

  it('close on the one candidate that fits', () => {
    const mark = { column: 'x', candidates: ['p/s/table:a', 'p/s/view:b'] }
    expect(resolveEdge(edge(mark), scope, known(['p/s/column:b.x']))).toMatchObject({ sourceId: 'p/s/column:b.x', properties: { keep: 1 } })
    expect(resolveEdge(edge(mark), scope, known([]))).toMatchObject({ code: 'unresolved-column' })
    expect(resolveEdge(edge(mark), scope, known(['p/s/column:a.x', 'p/s/column:b.x']))).toMatchObject({ code: 'unresolved-column' })
  })

  it('prefer a table of the own system, then any of the project, never one of two', () => {
    const mark = { table_name: 'D.T' }
    const [own, other, third] = ['p/s/table:d.t', 'p/o/table:d.t', 'p/q/table:d.t']
    expect(resolveEdge(edge(mark), scope, known([], { 'd.t': [own, other] }))).toMatchObject({ sourceId: own })
    expect(resolveEdge(edge(mark), scope, known([], { 'd.t': [other] }))).toMatchObject({ sourceId: other })
    expect(resolveEdge(edge(mark), scope, known([], { 'd.t': [other, third] }))).toMatchObject({ code: 'unresolved-table' })
  })

  it('quote a column whose name holds a dot', () => {
    expect(columnIdIn('p/s/table:d.t', 'a.b')).toBe('p/s/column:d.t.`a.b`')
    expect(columnIdIn('p/s/controlm-job:d', 'a')).toBeNull()
  })
})

describe('what is stored', () => {
  it('holds nothing that Postgres refuses', () => {
    expect(storable('a\0b')).toBe('a\uFFFDb')
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { json } = encodeContent(content({ [text]: text, back: `\\${text}` }))
        expect(json).not.toMatch(/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f]..)/i)
        expect(() => JSON.parse(json)).not.toThrow()
      }),
    )
  })
})

describe('graph properties', () => {
  it('are scalars and lists of them under snake_case names; the own names win', () => {
    expect(
      graphProperties(
        { dataType: 'int', 'odd name': 1, list: ['a', 'b'], mixed: [1, 'a'], tree: { b: 1, a: [1] }, none: null, id: 'theirs' },
        { id: 'x' },
      ),
    ).toEqual({ data_type: 'int', odd_name: 1, list: ['a', 'b'], mixed: '[1,"a"]', tree: '{"a":[1],"b":1}', id: 'x' })
  })

  it('leave the system out of a project node', () => {
    const node = { id: 'p', kind: 'Project' as const, name: 'p', qualifiedName: 'p', projectId: 'p', systemId: '', properties: {} }
    expect(nodeChange(node, new Date(0), null)).toEqual({
      ...{ op: 'upsert-node', id: 'p', kind: 'Project' },
      properties: { id: 'p', name: 'p', qualified_name: 'p', project_id: 'p', updated_at: '1970-01-01T00:00:00.000Z' },
    })
  })
})
