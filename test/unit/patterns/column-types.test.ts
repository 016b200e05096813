import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ColumnEvent, emptyColumnTypes, learnColumnTypes, summarizeColumnTypes } from '../../../src/patterns/column-types.js'
import { changeProbability, predictSchemaEvolution } from '../../../src/patterns/schema-evolution.js'
import { parseTypeName, printTypeName } from '../../../src/patterns/type-name.js'
import { nameTokens } from '../../../src/util/words.js'

const day = (n: number) => new Date(Date.UTC(2025, 0, 1 + n))
const event = (n: number, columnId: string, type: string | null, nullable: boolean | null = true): ColumnEvent => ({
  at: day(n),
  columnId,
  column: type === null ? null : { name: columnId, type, nullable, ordinal: 0, table: 't' },
})

describe('names of types', () => {
  it('are one whatever their spelling; sizes are kept apart', () => {
    expect(['VARCHAR', 'varchar(20)', ' Varchar '].map((t) => parseTypeName(t).base)).toEqual(['varchar', 'varchar', 'varchar'])
    expect(parseTypeName('NUMERIC ( 10 , 2 )')).toEqual({ base: 'decimal', size: '10,2' })
    expect(parseTypeName('int(10) unsigned')).toEqual({ base: 'int unsigned', size: '10' })
    expect(parseTypeName('array< struct<a:int> >').base).toBe('array<struct<a:int>>')
    expect(parseTypeName('').base).toBe('unknown')
    expect(printTypeName(parseTypeName('Decimal(10, 2)'))).toBe('decimal(10,2)')
  })

  it('fall into words', () => {
    expect(nameTokens('customerID_no')).toEqual(['customer', 'id', 'no'])
  })
})

describe('learning column types', () => {
  const history = [
    event(0, 'a', 'int'),
    event(0, 'b', 'varchar(20)'),
    event(30, 'a', 'BIGINT'),
    event(60, 'b', 'varchar(50)', false),
    event(90, 'b', null),
  ]

  it('counts real transitions with the time between, sizes included', () => {
    const learned = learnColumnTypes(history)
    expect(summarizeColumnTypes(learned, day(100))).toMatchObject({
      columns: 1,
      typeDistribution: { bigint: 1 },
      transitions: [
        { from: 'int', to: 'bigint', count: 1, meanDays: 30 },
        { from: 'varchar(20)', to: 'varchar(50)', count: 1, meanDays: 60 },
      ],
      typeChanges: 2,
      // a: 30 + 70, b: 60 + 30
      columnDays: 190,
      nullabilityChanges: 1,
      removed: 1,
    })
  })

  it('gives the same from any division of the history', () => {
    const types = fc.constantFrom('int', 'bigint', 'varchar(10)', 'varchar(20)', null)
    const events = fc.array(fc.record({ column: fc.constantFrom('a', 'b', 'c'), type: types, gap: fc.nat(40) }), { maxLength: 30 })
    fc.assert(
      fc.property(events, fc.nat(30), (rows, cut) => {
        let now = 0
        const all = rows.map(({ column, type, gap }) => event((now += gap), column, type))
        const once = learnColumnTypes(all)
        const twice = learnColumnTypes(all.slice(cut), learnColumnTypes(all.slice(0, cut)))
        expect(twice).toEqual(once)
      }),
    )
  })

  it('takes any name for a name', () => {
    const names = ['constructor', '__proto__', 'toString', 'user_constructor']
    const learned = learnColumnTypes([...names.map((id) => event(0, id, id)), ...names.map((id) => event(10, id, 'int'))])
    expect(summarizeColumnTypes(learned, day(10))).toMatchObject({ columns: 4, typeChanges: 4, typeDistribution: { int: 4 } })
    expect(learned.transitions['constructor']).toEqual({ int: { count: 1, days: 10 } })
  })

  it('refuses events out of order, and does not touch what was learned before', () => {
    const learned = learnColumnTypes(history)
    const copy = structuredClone(learned)
    expect(() => learnColumnTypes([event(1, 'c', 'int')], learned)).toThrow(/order of time/)
    learnColumnTypes([event(200, 'c', 'int')], learned)
    expect(learned).toEqual(copy)
  })

  it('answers an empty history', () => {
    expect(summarizeColumnTypes(emptyColumnTypes(), day(0))).toMatchObject({ columns: 0, columnDays: 0, transitions: [] })
    expect(predictSchemaEvolution(emptyColumnTypes(), 'int')).toEqual([{ type: 'int', change: false, probability: 1 }])
  })
})

describe('predicting schema evolution', () => {
  const columns = Array.from({ length: 40 }, (_, i) => `${i % 2 ? 'amount' : 'code'}_${i % 2 ? 'amt' : 'cd'}${i}`)
  const events = [
    ...columns.map((id) => event(0, id, 'int')),
    ...columns.slice(0, 10).map((id) => event(100, id, 'bigint')),
    ...columns.slice(10, 12).map((id) => event(150, id, 'string')),
  ]
  const learned = learnColumnTypes(events)

  it('gives probabilities that sum to 1, with "no change" among them, and prefers what was seen more often', () => {
    fc.assert(
      fc.property(fc.constantFrom('int', 'bigint', 'date', 'varchar(9)'), fc.integer({ min: 1, max: 2000 }), (type, horizonDays) => {
        const predictions = predictSchemaEvolution(learned, type, { horizonDays, asOf: day(365) })
        expect(predictions.reduce((sum, p) => sum + p.probability, 0)).toBeCloseTo(1, 9)
        expect(predictions.filter((p) => !p.change)).toHaveLength(1)
      }),
    )
    const to = Object.fromEntries(predictSchemaEvolution(learned, 'int', { asOf: day(365) }).map((p) => [p.type, p.probability]))
    expect(to['bigint']).toBeGreaterThan(to['string']!)
  })

  it('grows with the horizon, and is higher for a type that changes more', () => {
    const at = (type: string, horizonDays: number) => changeProbability(learned, type, { horizonDays, asOf: day(365) })
    expect(at('int', 180)).toBeGreaterThan(at('int', 90))
    expect(at('int', 90)).toBeGreaterThan(at('bigint', 90))
  })

  it('comes near the observed rate when there is much data', () => {
    const many = Array.from({ length: 4000 }, (_, i) => `c${i}`)
    const wide = learnColumnTypes([...many.map((id) => event(0, id, 'int')), ...many.slice(0, 2000).map((id) => event(3650, id, 'bigint'))])
    // 2,000 changes in 4,000 * 3,650 column-days as `int`
    const observed = 1 - Math.exp((-2000 / (4000 * 3650)) * 100)
    const found = changeProbability(wide, 'int', { horizonDays: 100, asOf: day(3650) })
    expect(Math.abs(found / observed - 1)).toBeLessThan(0.02)
  })

  it('takes no change that was seen for a small chance and not for none, and one that was seen for little more', () => {
    const still = learnColumnTypes([event(0, 'a', 'int'), event(0, 'b', 'int'), event(0, 'c', 'text')])
    const [same, other] = predictSchemaEvolution(still, 'int', { asOf: day(30) })
    expect(same).toMatchObject({ type: 'int', change: false })
    expect(other).toMatchObject({ type: 'text', change: true })
    expect(same!.probability + other!.probability).toBeCloseTo(1, 12)
    expect(other!.probability).toBeGreaterThan(0.001)
    const once = learnColumnTypes([event(1, 'a', 'bigint')], still)
    const after = changeProbability(once, 'int', { asOf: day(30) })
    expect(after).toBeGreaterThan(other!.probability)
    expect(after).toBeLessThan(0.15)
  })
})
