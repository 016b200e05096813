import { buildSchema, getIntrospectionQuery, parse, specifiedRules, validate } from 'graphql'
import { describe, expect, test } from 'vitest'
import { estimateCost, variablesRefusal } from '../../../src/api/cost.js'
import { defaultLimits, limitRules } from '../../../src/api/limits.js'

const schema = buildSchema(`
  type Query { tablesConnection(first: Int, where: Where): TableConnection! tables(limit: Int): [Table!]! table: Table }
  input Where { AND: [Where!], NOT: Where, name: String }
  type TableConnection { totalCount: Int! edges: [TableEdge!]! pageInfo: PageInfo! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type TableEdge { cursor: String node: Table! }
  type Table { id: ID! name: String columns(limit: Int): [Table!]! columnsConnection(first: Int): TableConnection! }
`)
const cost = (text: string) => {
  const document = parse(text)
  const fragments = new Map(document.definitions.flatMap((d) => (d.kind === 'FragmentDefinition' ? [[d.name.value, d] as const] : [])))
  const operation = document.definitions.find((d) => d.kind === 'OperationDefinition')!
  return estimateCost(schema, operation as never, (name) => fragments.get(name))
}
const refusals = (text: string, limits = defaultLimits) =>
  validate(schema, parse(text), [...specifiedRules, ...limitRules(limits)]).map((e) => e.message)
const kinds = (text: string, limits = defaultLimits) => validate(schema, parse(text), limitRules(limits)).map((e) => e.extensions['limit'])

const connection = (depth: number, first: number): string =>
  depth === 0
    ? 'id name'
    : `id ${depth === 3 ? 'tablesConnection' : 'columnsConnection'}(first: ${first}) { totalCount edges { cursor node { ${connection(depth - 1, first)} } } pageInfo { endCursor } }`.replace(
        /^id tables/,
        'tables',
      )

describe('cost', () => {
  test('lists multiply by what was asked, connections pass it to their edges', () => {
    expect(cost('{ table { id name } }')).toBe(3)
    expect(cost('{ tables(limit: 7) { id name } }')).toBe(1 + 7 * 2)
    expect(cost('{ tables { id } }')).toBe(1 + 25)
    expect(cost('query($n: Int) { tables(limit: $n) { id } }')).toBe(1 + 100)
    expect(cost('{ tablesConnection(first: 10) { edges { node { id } } } }')).toBe(1 + (1 + 10 * (1 + 1)))
    expect(cost('{ tables(limit: 10) { columns(limit: 10) { columns(limit: 10) { id } } } }')).toBe(1 + 10 * (1 + 10 * (1 + 10)))
  })
  test('a fragment costs what it would cost in place, however often it is spread', () => {
    const spread = cost(
      '{ tables(limit: 3) { ...F } tablesConnection(first: 4) { ...C } } fragment F on Table { id columns(limit: 2) { name } } fragment C on TableConnection { edges { node { ...F } } }',
    )
    const inPlace = cost(
      '{ tables(limit: 3) { id columns(limit: 2) { name } } tablesConnection(first: 4) { edges { node { id columns(limit: 2) { name } } } } }',
    )
    expect(spread).toBe(inPlace)
  })
  test('a fragment that spreads itself ends', () =>
    expect(cost('{ tables { ...F } } fragment F on Table { id columns { ...F } }')).toBeGreaterThan(0))
})

describe('limits', () => {
  test("let the editor's introspection query and a three-level nested connection through", () => {
    expect(
      refusals(getIntrospectionQuery({ inputValueDeprecation: true, schemaDescription: true, specifiedByUrl: true, oneOf: true })),
    ).toEqual([])
    expect(refusals(`{ ${connection(3, 50)} }`)).toEqual([])
  })
  test('refuse what multiplies beyond the cost, and say what to do', () => {
    const [message] = refusals(`{ ${connection(3, 500)} }`)
    expect(message).toMatch(/The answer could have about [\d,]+ fields, the limit is 2,000,000/)
    expect(kinds(`{ ${connection(3, 500)} }`)).toEqual(['cost'])
  })
  test('refuse depth, aliases, directives and nested input', () => {
    const deep = (n: number): string => (n === 0 ? 'id' : `columns(limit: 1) { ${deep(n - 1)} }`)
    expect(refusals(`{ table { ${deep(30)} } }`)).toEqual([expect.stringContaining('depth limit of 24')])
    expect(refusals(`{ ${Array.from({ length: 101 }, (_, i) => `a${i}: table { id }`).join(' ')} }`)).toEqual([
      expect.stringContaining('liases limit of 100'),
    ])
    expect(refusals(`{ ${Array.from({ length: 51 }, () => 'table @include(if: true) { id }').join(' ')} }`)).toEqual([
      expect.stringContaining('irectives limit of 50'),
    ])
    const nest = (n: number): string => (n === 0 ? '{ name: "x" }' : `{ NOT: ${nest(n - 1)} }`)
    expect(refusals(`{ tablesConnection(where: ${nest(9)}) { totalCount } }`)).toEqual([
      expect.stringContaining('nests 10 objects, the limit is 8'),
    ])
    expect(refusals(`{ tablesConnection(where: ${nest(3)}) { totalCount } }`)).toEqual([])
  })
})

test('variables may hold lists longer than a call has arguments; it is objects that must not nest', () => {
  expect(variablesRefusal({ graph: { nodeFeatures: Array.from({ length: 300_000 }, () => [1]) } }, 8)).toBeUndefined()
  const nested = (n: number): unknown => (n === 0 ? 1 : { not: [nested(n - 1)] })
  expect(variablesRefusal({ where: nested(9) }, 8)?.message).toContain('nest 9 objects')
})
