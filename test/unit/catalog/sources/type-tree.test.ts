import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalType, decodeString, parseType, printType } from '../../../../src/catalog/sql/type-tree.js'
import type { TypeTree } from '../../../../src/vocabulary.js'

const scalars = [
  'int',
  'bigint',
  'string',
  'double',
  'boolean',
  'date',
  'timestamp',
  'binary',
  'double precision',
  'timestamp with local time zone',
]
const { tree } = fc.letrec<{ tree: TypeTree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...scalars).map((name) => ({ name })),
    fc.tuple(fc.integer({ min: 1, max: 38 }), fc.integer({ min: 0, max: 18 })).map((numbers) => ({ name: 'decimal', arguments: numbers })),
    fc.integer({ min: 1, max: 65535 }).map((n) => ({ name: 'varchar', arguments: [n] })),
    tie('tree').map((element) => ({ name: 'array', elements: [element] })),
    tie('tree').map((value) => ({ name: 'map', elements: [{ name: 'string' }, value] })),
    fc.array(tie('tree'), { minLength: 1, maxLength: 4 }).map((elements) => ({ name: 'uniontype', elements })),
    fc
      .array(fc.record({ name: fc.string({ minLength: 1, maxLength: 8 }).filter((s) => s.trim() === s), type: tie('tree') }), {
        minLength: 1,
        maxLength: 4,
      })
      .map((fields) => ({ name: 'struct', fields })),
  ),
}))

describe('type trees', () => {
  it('are what printing and parsing leave as they were', () => {
    fc.assert(
      fc.property(tree, (t) => {
        expect(parseType(printType(t))).toEqual(t)
      }),
    )
  })

  it('read any spacing, case and comments', () => {
    expect(parseType("  STRUCT < a : INT comment 'it\\'s' , `b c` : Array< Decimal( 10 , 2 ) > > ")).toEqual({
      name: 'struct',
      fields: [
        { name: 'a', type: { name: 'int' }, comment: "it's" },
        { name: 'b c', type: { name: 'array', elements: [{ name: 'decimal', arguments: [10, 2] }] } },
      ],
    })
  })

  it.each(['', 'array<int', 'struct<a int>', 'decimal(x)', 'int)', 'map<string,>', 'a b', '<int>'])('refuse %j', (text) => {
    expect(parseType(text)).toBeNull()
  })

  it('have one canonical type by their outermost name, or none', () => {
    const of = (text: string) => canonicalType(parseType(text)!)
    expect(
      [
        'varchar(3)',
        'binary',
        'decimal(3,1)',
        'double precision',
        'boolean',
        'timestamp',
        'array<int>',
        'map<string,int>',
        'struct<a:int>',
      ].map(of),
    ).toEqual(['string', 'string', 'number', 'number', 'boolean', 'date', 'array', 'object', 'object'])
    expect(['interval', 'uniontype<int,string>', 'unknown', 'mixed<integer,string>', 'void'].map(of)).toEqual([
      null,
      null,
      null,
      null,
      null,
    ])
  })

  it('decode literals as people mean them', () => {
    expect(["'a\\'b'", "'a''b'", '"x\\ty"', "'\\u00e9'", "'50\\%'"].map(decodeString)).toEqual(["a'b", "a'b", 'x\ty', 'é', '50\\%'])
  })
})
