import fs from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DistinctCounter } from '../../../../src/catalog/sql/distinct.js'
import { codesOf, columnsOf, edgesOf, errorsOf, has, nodeOf, parseJson } from './support.js'

const sink = fs.readFileSync(path.join(import.meta.dirname, '../fixtures/kitchen-sink.json'), 'utf8')
const names = (parsed: Awaited<ReturnType<typeof parseJson>>) =>
  parsed.facts.flatMap((f) => (f.fact === 'node' && f.kind === 'Column' ? [f.name] : []))

describe('the kitchen sink: an object with one array of rows', async () => {
  const parsed = await parseJson(sink)
  const column = (name: string) => nodeOf(parsed, `column:crm.contacts.${name}`).properties

  it('is one table in the database of its folder', () => {
    expect(parsed.problems).toEqual([])
    expect(nodeOf(parsed, 'table:crm.contacts')).toMatchObject({ name: 'contacts', properties: { row_count: 3, column_count: 15 } })
    expect(edgesOf(parsed, 'CONTAINS')).toEqual(['database:crm -> table:crm.contacts'])
  })

  it('has columns of all keys, nested ones dotted, in order of appearance', () => {
    expect(names(parsed)).toEqual(
      [
        'id',
        'name',
        'score',
        'born',
        'seen',
        'active',
        'tags',
        'address.city',
        'address.geo.lat',
        'address.geo.place.level',
        'any',
        'nothing',
        'größe.x',
        'orders',
        'mixed_list',
      ].filter((n) => n !== ''),
    )
  })

  it('infers each type over all rows', () => {
    const types = Object.fromEntries(
      parsed.facts.flatMap((f) => (f.fact === 'node' && f.kind === 'Column' ? [[f.name, f.properties['data_type']]] : [])),
    )
    expect(types).toEqual({
      id: 'integer',
      name: 'string',
      score: 'decimal',
      born: 'string',
      seen: 'timestamp',
      active: 'boolean',
      tags: 'array<string>',
      'address.city': 'string',
      'address.geo.lat': 'decimal',
      'address.geo.place.level': 'integer',
      any: 'mixed<integer,object<x:integer>,string>',
      nothing: 'unknown',
      'größe.x': 'integer',
      orders: 'array<object<no:integer,paid:boolean>>',
      mixed_list: 'array<mixed<decimal,string>>',
    })
    expect(column('any')).not.toHaveProperty('canonical_type')
    expect(column('tags')['canonical_type']).toBe('array')
  })

  it('measures presence, nulls and distinct values', () => {
    expect(column('id')).toMatchObject({ nullable: false, presence_ratio: 1, distinct_estimate: 3, ordinal: 1 })
    expect(column('name')).toMatchObject({ nullable: true, presence_ratio: 1, distinct_estimate: 2 })
    expect(column('active')).toMatchObject({ nullable: true, presence_ratio: 0.6667, distinct_estimate: 2 })
    expect(column('address.city')).toMatchObject({ nullable: true, presence_ratio: 0.6667 })
    expect(column('tags')).not.toHaveProperty('distinct_estimate')
  })

  it('stores no values', () => {
    expect(JSON.stringify(parsed.facts)).not.toMatch(/Wien|Graz|Ana|48\.2/)
  })

  it('keeps a key with a dot apart from a nested one', () => {
    expect(has(parsed, 'column:crm.contacts.`größe.x`')).toBe(true)
  })

  it('nests as deep as it is told', async () => {
    const flat = await parseJson(sink, 'crm/contacts.json', { depth: 1 })
    expect(names(flat)).toContain('address.geo')
    expect(nodeOf(flat, 'column:crm.contacts.address.geo').properties).toMatchObject({
      data_type: 'object<lat:decimal,place:object<level:integer>>',
      canonical_type: 'object',
    })
    expect(names(await parseJson(sink, 'crm/contacts.json', { depth: 0 }))).toContain('address')
  })
})

describe('the same rows', () => {
  const rows = fc.array(
    fc.dictionary(
      fc.constantFrom('a', 'b', '"', 'ü', '}', 'x.y'),
      fc.oneof(
        fc.string({ unit: 'grapheme' }),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(fc.constantFrom('[', ']', '"', '\\')),
        fc.dictionary(fc.constantFrom('k', ','), fc.double({ noNaN: true, noDefaultInfinity: true })),
      ),
      { minKeys: 1 },
    ),
    { minLength: 2, maxLength: 8 },
  )
  const cuts = fc.integer({ min: 1, max: 30 })
  const inPieces = (text: string, size: number) =>
    (function* () {
      for (let i = 0; i < text.length; i += size) yield text.slice(i, i + size)
    })()

  it('are the same table as an array, as lines, pretty or not, and however they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(rows, cuts, async (data, size) => {
        const expected = await parseJson(JSON.stringify(data))
        for (const text of [
          JSON.stringify(data, null, 2),
          data.map((r) => JSON.stringify(r)).join('\n'),
          data.map((r) => JSON.stringify(r, null, 1)).join('\n'),
          `\uFEFF ${JSON.stringify(data)}\n`,
          JSON.stringify({ meta: { n: data.length }, rows: data }),
        ]) {
          const parsed = await parseJson(inPieces(text, size))
          expect(parsed).toEqual(expected)
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('what is broken', () => {
  it('in one line costs that line', async () => {
    const parsed = await parseJson('{"a":1}\n{"a":\n{"a":3}\n\n[1]\n{"b":"x"}', 'x.jsonl')
    expect(parsed.problems.map((p) => [p.code, p.where])).toEqual([
      ['json-syntax', 'x.jsonl:2'],
      ['json-row', 'x.jsonl:5'],
    ])
    expect(nodeOf(parsed, 'table:default.`x.jsonl`').properties['row_count']).toBe(3)
  })

  it('in one element costs that element', async () => {
    const parsed = await parseJson('[\n{"a":1},\n{"a":tru},\n{"a":2}, 7,\n{"b":3}]')
    expect(parsed.problems.map((p) => [p.code, p.where])).toEqual([
      ['json-syntax', 'crm/contacts.json:3'],
      ['json-row', 'crm/contacts.json:4'],
    ])
    expect(nodeOf(parsed, 'table:crm.contacts').properties['row_count']).toBe(3)
  })

  it('by being cut off keeps the rows before', async () => {
    const text = JSON.stringify([{ a: 1 }, { a: 2 }, { a: 3 }])
    for (const [length, rows] of [
      [text.length - 1, 3],
      [text.length - 2, 2],
      [10, 1],
    ] as const) {
      const parsed = await parseJson(text.slice(0, length))
      expect(codesOf(parsed)).toEqual(['json-cut-off'])
      expect(nodeOf(parsed, 'table:crm.contacts').properties['row_count']).toBe(rows)
    }
  })

  it.each(['', '[]', '7', 'null', '{"a":', '{'])('%j is told, not thrown', async (text) => {
    const parsed = await parseJson(text)
    expect(parsed.facts).toEqual([])
    expect(parsed.problems.length).toBeGreaterThan(0)
  })

  it('a thousand times is told fifty times', async () => {
    const parsed = await parseJson(`[${'1,'.repeat(1000)}{"a":1}]`)
    expect(parsed.problems).toHaveLength(51)
    expect(parsed.problems.at(-1)?.found).toBe('950 more problems of this kind')
  })
})

describe('names', () => {
  it('come from the whole path, so that equal file names stay apart', async () => {
    const ids = await Promise.all(
      ['a/x.json', 'b/x.json', 'a/b/x.json', 'a/x.jsonl', 'x.json', 'a\\c\\x.json'].map(
        async (f) => (await parseJson('[{"k":1}]', f)).facts[1],
      ),
    )
    expect(ids.map((f) => (f as { id: string }).id.split(':')[1])).toEqual(['a.x', 'b.x', 'a/b.x', 'a.`x.jsonl`', 'default.x', 'a/c.x'])
  })

  it('of one object make one row, unless it holds one array of rows', async () => {
    expect(columnsOf(await parseJson('{"a":1,"b":[1,2],"c":{"d":2}}'), 'crm.contacts')).toEqual(['a', 'b', 'd'])
    expect(columnsOf(await parseJson('{"a":[{"x":1}],"b":[{"y":1}]}'), 'crm.contacts')).toEqual(['a', 'b'])
    expect(columnsOf(await parseJson('{"__proto__":1,"constructor":{"hasOwnProperty":2}}'), 'crm.contacts')).toEqual([
      '__proto__',
      'hasOwnProperty',
    ])
  })

  it('that are data make a map', async () => {
    const prices = Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`sku-${i}`, i + 0.5]))
    const parsed = await parseJson(JSON.stringify([{ prices }]))
    expect(nodeOf(parsed, 'column:crm.contacts.prices').properties['data_type']).toBe('map<string,decimal>')
  })
})

describe('size', () => {
  it('of a table does not make its columns slower', async () => {
    const time = async (columns: number) => {
      const row = JSON.stringify(Object.fromEntries(Array.from({ length: columns }, (_, i) => [`column_${i}`, i])))
      const start = performance.now()
      const parsed = await parseJson(`[${row},${row}]`)
      expect(parsed.facts).toHaveLength(3 + 2 * columns)
      return (performance.now() - start) / columns
    }
    await time(500)
    expect(await time(10_000)).toBeLessThan(5 * (await time(500)) + 0.02)
  })

  it('does not fill the memory: 120 MB in one array of one object, in pieces', async () => {
    const row = JSON.stringify({ id: 123456, text: 'x'.repeat(900), nested: { a: [1, 2, 3] } })
    const block = Array.from({ length: 100 }, () => row).join(',\n')
    let peak = 0
    const text = (function* () {
      yield '{"meta": {"n": 1, "list": [1, 2]}, "rows": ['
      for (let i = 0; i < 1300; i++) {
        yield i === 0 ? block : `,\n${block}`
        if (i % 100 === 0) peak = Math.max(peak, process.memoryUsage().heapUsed)
      }
      yield ']}'
    })()
    const before = process.memoryUsage().heapUsed
    const parsed = await parseJson(text)
    expect(errorsOf(parsed)).toEqual([])
    expect(nodeOf(parsed, 'table:crm.contacts').properties['row_count']).toBe(130_000)
    expect(peak - before).toBeLessThan(110_000_000)
  })
})

it('distinct counts are exact while small and within 8 % when large', () => {
  for (const [n, tolerance] of [
    [1, 0],
    [1000, 0],
    [5000, 0.08],
    [200_000, 0.08],
  ] as const) {
    for (const value of [(i: number) => i, (i: number) => `key-${i}`, (i: number) => i / 7]) {
      const counter = new DistinctCounter()
      for (let round = 0; round < 2; round++) for (let i = 0; i < n; i++) counter.add(value(i))
      expect(Math.abs(counter.estimate() - n)).toBeLessThanOrEqual(tolerance * n)
    }
  }
})
