import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backTest, compare, hitsOfTop } from '../../../../src/patterns/changes/back-test.js'
import { predictFutureChanges } from '../../../../src/patterns/changes/future-changes.js'
import { eventsUpTo, historyOf, type SchemaSnapshot } from '../../../../src/patterns/changes/snapshots.js'
import { seeded } from '../../../../src/util/random.js'

const day = (n: number) => new Date(Date.UTC(2020, 0, 1 + n))

function expectNumbers(value: unknown): void {
  if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true)
  else if (value && typeof value === 'object') for (const inner of Object.values(value)) expectNumbers(inner)
}

/** Twenty tables of ten columns over four years: of the tables `hot_*`, one column's size changes at random every month or so. */
function lively(seed: number, until = 48): SchemaSnapshot[] {
  const rng = seeded(seed)
  const sizes = new Map<string, number>()
  return Array.from({ length: until }, (_, month) => {
    for (let t = 0; t < 4; t++) if (rng.next() < 0.5) sizes.set(`hot_${t}.c${rng.integer(10)}`, 10 + month)
    const columns = Array.from({ length: 20 }, (_, t) => (t < 4 ? `hot_${t}` : `cold_${t}`)).flatMap((table) =>
      Array.from({ length: 10 }, (_, c) => {
        const id = `${table}.c${c}`
        return [id, { name: `c${c}`, type: `varchar(${sizes.get(id) ?? 9})`, nullable: true, ordinal: c + 1, table }] as const
      }),
    )
    return { at: day(month * 30), columns: Object.fromEntries(columns) }
  })
}

describe('predicting changes', () => {
  const history = historyOf(lively(1))

  it('uses nothing that comes after the moment it speaks at', () => {
    const asOf = day(30 * 30)
    const seen = predictFutureChanges(history, null, 90, { asOf })
    expect(predictFutureChanges(eventsUpTo(history, asOf.getTime()), null, 90, { asOf })).toEqual(seen)
    const otherwise = historyOf([...lively(1, 31), ...lively(2).slice(31)])
    expect(predictFutureChanges(otherwise, null, 90, { asOf })).toEqual(seen)
    expect(predictFutureChanges({ ...history, events: [...history.events].reverse() }, null, 90, { asOf })).toEqual(seen)
  })

  it('finds the tables and columns that change, and says how', () => {
    const { tables, changes, columns, trainedOn } = predictFutureChanges(history, null, 90)
    expect(new Set(tables.slice(0, 4).map(({ table }) => table))).toEqual(new Set(['hot_0', 'hot_1', 'hot_2', 'hot_3']))
    expect(columns.slice(0, 20).filter(({ table }) => table.startsWith('hot')).length).toBeGreaterThanOrEqual(18)
    expect(changes[0]).toMatchObject({ predictedChange: 'type_transition' })
    expect(changes.map((change) => change.probability)).toEqual([...changes.map((change) => change.probability)].sort((a, b) => b - a))
    expect(trainedOn.windows).toBeGreaterThan(30)
    expectNumbers(changes)
  })

  it('beats the baselines where there is something to learn', () => {
    const tests = backTest(history, { from: day(24 * 30).getTime(), horizonsDays: [90] })
    const of = (target: string) => tests.filter((test) => test.target === target)
    // tables that changed lately are all that there is to know about tables here: that baseline is not to be beaten
    const beaten = [
      ['columns', ['nothing', 'global', 'recent']],
      ['tables', ['nothing', 'global']],
    ] as const
    for (const [target, baselines] of beaten)
      for (const [measure, sign] of [
        ['logLoss', -1],
        ['prAuc', 1],
      ] as const) {
        const { against } = compare(of(target), 'pool', measure, seeded(1))
        for (const baseline of baselines) expect(sign * against[baseline]!.value).toBeGreaterThan(0)
      }
    expectNumbers(tests)
  })

  it('takes a schema that is newer than the history for what is there', () => {
    const now = { 'n.x': { name: 'x', type: 'int', nullable: false, ordinal: 1, table: 'n' } }
    const { columns, changes } = predictFutureChanges(history, now, 90, { asOf: day(48 * 30) })
    expect(columns.map(({ column }) => column)).toEqual(['n.x'])
    expect(changes.find((change) => change.predictedChange === 'nullable')).toMatchObject({ from: 'NOT NULL', to: 'NULL' })
  })

  it('answers an empty history, one snapshot and one column', () => {
    expect(predictFutureChanges({ events: [], observedAt: [] }, null, 90)).toMatchObject({ changes: [], columns: [], tables: [] })
    const columns = { 't.x': { name: 'x', type: 'int', nullable: null, ordinal: null, table: 't' } }
    expectNumbers(predictFutureChanges({ events: [], observedAt: [] }, columns, 90, { asOf: day(0) }))
    const one = predictFutureChanges(historyOf([{ at: day(0), columns }]), null, 90)
    expect(one.columns).toHaveLength(1)
    expectNumbers(one)
    expect(predictFutureChanges(historyOf([{ at: day(0), columns: {} }]), null, 90).changes).toEqual([])
  })

  it('counts hits among the ten likeliest, ties evenly', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(0.1, 0.2, 0.9), fc.boolean()), { maxLength: 30 }), (rows) => {
        const [p, came] = [rows.map(([value]) => value), rows.map(([, value]) => value)]
        const hits = hitsOfTop(10, p, came)
        const distinct = [...rows].sort((a, b) => b[0] - a[0] || Number(b[1]) - Number(a[1])).slice(0, 10)
        expect(hits).toBeLessThanOrEqual(distinct.filter(([, value]) => value).length + 1e-9)
        if (rows.length <= 10) expect(hits).toBeCloseTo(came.filter(Boolean).length, 9)
      }),
    )
    expect(hitsOfTop(2, [0.5, 0.5, 0.5, 0.5], [true, false, false, true])).toBe(1)
  })
})
