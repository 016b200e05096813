import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeProperties } from '../../../src/graph/properties.js'
import type { Properties } from '../../../src/vocabulary.js'

it('keeps scalars and lists of one kind, and turns the rest into JSON text', () => {
  const properties = {
    a: 1,
    b: 'x',
    c: true,
    d: ['x', 'y'],
    e: [1, 2.5],
    f: [],
    g: null,
    h: { z: 1, y: [2] },
    i: [1, 'a'],
    j: [[1]],
    k: [null],
  }
  expect(encodeProperties(properties)).toEqual({
    values: {
      a: 1,
      b: 'x',
      c: true,
      d: ['x', 'y'],
      e: [1, 2.5],
      f: [],
      h_json: '{"y":[2],"z":1}',
      i_json: '[1,"a"]',
      j_json: '[[1]]',
      k_json: '[null]',
    },
    times: {},
  })
})

it('takes ISO 8601 texts of properties called ..._at for moments, and only those', () => {
  const { values, times } = encodeProperties({
    updated_at: '2024-01-01T02:00:00+02:00',
    ended_at: '2024-01-01T00:00Z',
    looked_at: 'yesterday',
    date_at: '2024-01-01',
    wrong_at: '2024-13-01T00:00:00Z',
    name: '2024-01-01T00:00:00Z',
    number_at: 5,
  })
  expect(times).toEqual({ updated_at: '2024-01-01T00:00:00.000Z', ended_at: '2024-01-01T00:00:00.000Z' })
  expect(Object.keys(values)).toEqual(['looked_at', 'date_at', 'wrong_at', 'name', 'number_at'])
})

it('gives every JSON object a form that both engines can hold', () => {
  const text = fc.string({ unit: 'binary' })
  const properties = fc.dictionary(text, fc.jsonValue()) as fc.Arbitrary<Properties>
  fc.assert(
    fc.property(properties, (input) => {
      const { values, times } = encodeProperties(input)
      for (const [name, value] of [...Object.entries(values), ...Object.entries(times)]) {
        expect(name).toMatch(/^[^\0]+$/)
        expect(['_id', '_labels', '_source', '_target', '_type']).not.toContain(name)
        const items = Array.isArray(value) ? value : [value]
        expect(new Set(items.map((item) => typeof item)).size).toBeLessThanOrEqual(1)
        for (const item of items) expect(String(item)).not.toMatch(/\p{Cs}/u)
      }
    }),
  )
})
