import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backTest, baselines, compare, cutsFrom, hitsOfTop } from '../../../../src/patterns/changes/back-test.js'
import type { Expert } from '../../../../src/patterns/changes/forecast.js'
import { predictFutureChanges } from '../../../../src/patterns/changes/future-changes.js'
import { buildPanel, units } from '../../../../src/patterns/changes/panel.js'
import { eventsUpTo, historyOf, type SchemaSnapshot } from '../../../../src/patterns/changes/snapshots.js'
import { gridOf, walk } from '../../../../src/patterns/changes/walk.js'
import { type Rng, seeded } from '../../../../src/util/random.js'
import { day, expectNumbers, histories } from './random-histories.js'

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

/** What share of columns changes in a month. */
const worlds: Record<string, (month: number, rng: Rng) => number> = {
  'nothing ever changes': () => 0,
  'a little, often': (_, rng) => (rng.next() < 0.5 ? 0.02 : 0),
  'as much every month': () => 0.05,
  'lively, then quiet': (month, rng) => (month < 20 && rng.next() < 0.5 ? 0.2 : 0),
  'quiet, then lively': (month, rng) => (month >= 20 && rng.next() < 0.5 ? 0.2 : 0),
  'rare releases that touch half of all': (_, rng) => (rng.next() < 0.06 ? 0.5 : 0),
}

/** Ten tables of eight columns over four years, all alike. */
function worldOf(shareOf: (month: number, rng: Rng) => number): SchemaSnapshot[] {
  const rng = seeded(1)
  const ids = Array.from({ length: 80 }, (_, i) => ({ table: `t${Math.floor(i / 8)}`, name: `c${i % 8}`, ordinal: (i % 8) + 1 }))
  const sizes = ids.map(() => 9)
  return Array.from({ length: 48 }, (_, month) => {
    const share = shareOf(month, rng)
    for (const i of sizes.keys()) if (rng.next() < share) sizes[i] = 10 + month
    const columns = ids.map((id, i) => [`${id.table}.${id.name}`, { ...id, type: `varchar(${sizes[i]})`, nullable: true }] as const)
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
    for (const [target, others] of beaten)
      for (const [measure, sign] of [
        ['logLoss', -1],
        ['prAuc', 1],
      ] as const) {
        const { against } = compare(of(target), 'pool', measure, seeded(1))
        for (const baseline of others) expect(sign * against[baseline]!.value).toBeGreaterThan(0)
      }
    expectNumbers(tests)
    // nothing is scored anew on a part
    for (const test of tests) {
      const late = cutsFrom(test, day(36 * 30).getTime())
      expect(late.cuts.pool).toEqual(test.cuts.pool.filter(({ at }) => at >= day(36 * 30).getTime()))
      expect(late.cuts.pool.length).toBeLessThan(test.cuts.pool.length)
    }
  })

  it('serves what the back-test scores', () => {
    // a date at which the walk fits its model anew, as the last one of a served forecast always is
    const asOf = day(30 * 30)
    const served = predictFutureChanges(history, null, 90, { asOf })
    const panel = buildPanel(history, gridOf(history, day(47 * 30).getTime()))
    for (const unit of units) {
      const { rows, series } = walk(panel, unit, 90)
      const d = series.dates.indexOf(asOf.getTime())
      const scored = rows.slice(series.starts[d], series.starts[d + 1]).map(({ id }, i) => [id, series.forecasts[d]!.pool[i]!] as const)
      const answered =
        unit === 'column' ? served.columns.map((c) => [c.column, c.probability]) : served.tables.map((t) => [t.table, t.probability])
      expect(scored.length).toBe(unit === 'column' ? 200 : 20)
      expect(Object.fromEntries(answered)).toEqual(Object.fromEntries(scored))
    }
  })

  it('is weighted by members that say no probability of 0 or 1, with weights that sum to 1', () => {
    fc.assert(
      fc.property(histories, fc.constantFrom(10, 90, 400), (snapshots, horizonDays) => {
        const { columns, tables, weights } = predictFutureChanges(historyOf(snapshots), null, horizonDays)
        for (const { probability } of [...columns, ...tables]) {
          expect(probability).toBeGreaterThan(0)
          expect(probability).toBeLessThan(1)
        }
        for (const unit of units) {
          const sum = Object.values(weights[unit]).reduce((a, b) => a + b, 0)
          if (columns.length > 0) expect(sum).toBeCloseTo(1, 9)
        }
      }),
      { numRuns: 50 },
    )
  })

  it.each(Object.keys(worlds))('is about as good as the best of its baselines in a world of its own: %s', (world) => {
    const [test] = backTest(historyOf(worldOf(worlds[world]!)), { from: day(0).getTime(), horizonsDays: [90] })
    expect(test!.target).toBe('columns')
    const loss = (expert: Expert) => test!.cuts[expert].reduce((sum, cut) => sum + cut.logLoss, 0) / test!.cuts[expert].length
    expect(loss('pool')).toBeLessThan(1.05 * Math.min(...baselines.map(loss)) + 0.002)
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
