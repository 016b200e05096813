import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { collectStatistics } from '../../../../src/datasets/statistics/collect.js'
import { drawRows } from '../../../../src/datasets/statistics/sampling.js'
import { pearson } from '../../../../src/statistics/correlation.js'
import { quantile, summarize } from '../../../../src/statistics/summary.js'
import type { Properties } from '../../../../src/vocabulary.js'

const cell = fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constant(null))
const rows = fc.array(fc.record({ x: cell, y: cell, name: fc.constantFrom('a', 'b', 'c') }), { minLength: 1, maxLength: 50 })
const isNumber = (value: unknown): value is number => typeof value === 'number'

describe('statistics of fields', () => {
  it('are those of the columns in memory', () =>
    fc.assert(
      fc.asyncProperty(rows, async (table) => {
        const { fields, correlations, rows: count } = await collectStatistics(table)
        expect(count).toBe(table.length)
        for (const name of ['x', 'y'] as const) {
          const values = table.map((row) => row[name]).filter(isNumber)
          const field = fields.find((f) => f.field === name)!
          expect(field).toMatchObject({ count: values.length, nulls: table.length - values.length, distinct: new Set(values).size })
          const { mean, stdev, min, max, median } = summarize(values)
          if (values.length === 0) expect(field.numbers).toBeNull()
          else {
            expect(field.numbers).toMatchObject({ min, max, median, percentilesBy: { exact: true, error: 0 } })
            expect(field.numbers!.mean).toBeCloseTo(mean!, 9)
            expect(field.numbers!.std ?? -1).toBeCloseTo(stdev ?? -1, 9)
            expect(field.numbers!.percentiles['p95']).toBe(quantile(values, 0.95))
            expect(values.filter((v) => v === field.mode!.value)).toHaveLength(field.mode!.count)
          }
        }
        const both = table.filter((row) => isNumber(row.x) && isNumber(row.y))
        const expected = pearson(
          both.map((row) => row.x!),
          both.map((row) => row.y!),
        )
        const [correlation] = correlations
        if (correlation) expect(correlation.count).toBe(both.length)
        if (expected.value !== null) expect(correlation!.value).toBeCloseTo(expected.value, 9)
        else expect(correlation?.value ?? null).toBeNull()
      }),
    ))

  it('know members of objects, lengths of texts, and labels of the kind', async () => {
    const table: Properties[] = [
      { text: 'hello', expected_intent: 'greet', expected_entities: [], metadata: { lang: 'en' } },
      { text: 'Paris', expected_intent: 'greet', expected_entities: [['Paris', 'place', 0, 5]], metadata: { lang: 'fr', n: 2 } },
      { text: 'bye now', expected_intent: 'leave', expected_entities: [], metadata: {} },
    ]
    const { fields, labels } = await collectStatistics(table, 'labeled-text')
    const field = (name: string) => fields.find((f) => f.field === name)!
    expect(field('text').lengths).toMatchObject({ count: 3, min: 5, max: 7, median: 5 })
    expect(field('text')).toMatchObject({ least: 'Paris', greatest: 'hello', types: { string: 3 } })
    expect(field('metadata.lang')).toMatchObject({ count: 2, nulls: 1, distinct: 2 })
    expect(field('metadata.n').numbers).toMatchObject({ mean: 2, std: null })
    expect(field('expected_entities').lengths).toMatchObject({ max: 1 })
    expect(labels['intent']).toEqual([
      { value: 'greet', count: 2, atMost: 2 },
      { value: 'leave', count: 1, atMost: 1 },
    ])
    expect(labels['entity']).toEqual([{ value: 'place', count: 1, atMost: 1 }])
  })

  it('say which of them are estimates', async () => {
    const table = Array.from({ length: 40_000 }, (_, i) => ({ id: `row ${i}`, x: (i * 7919) % 40_000, flag: i % 4 === 0 }))
    const { fields } = await collectStatistics(table)
    const [id, x, flag] = fields
    expect(id!.distinctBy.exact).toBe(false)
    expect(Math.abs(id!.distinct - 40_000)).toBeLessThan(4 * id!.distinctBy.error * 40_000)
    expect(id!.mode).toBeNull()
    expect(x!.numbers!.percentilesBy).toEqual({ exact: false, error: 0.0035 })
    expect(Math.abs(x!.numbers!.median - 20_000)).toBeLessThan(2 * 0.0035 * 40_000)
    expect(x!.numbers!.mean).toBeCloseTo(19_999.5, 6)
    expect(flag).toMatchObject({ distinct: 2, mode: { value: false, count: 30_000, atMost: 30_000 } })
  })

  it('are no numbers where numbers end', async () => {
    const { fields, correlations } = await collectStatistics([1.7e308, -1.7e308, 1.7e308, 5].map((x) => ({ x, y: x / 2 })))
    expect(JSON.parse(JSON.stringify([fields, correlations]))).toEqual([fields, correlations])
    expect(fields[0]!.numbers).toMatchObject({ std: null, min: -1.7e308, max: 1.7e308 })
    expect(correlations[0]!.value).toBeNull()
  })

  it('of no rows are none', async () => {
    expect(await collectStatistics([])).toEqual({ rows: 0, fields: [], fieldsLeftOut: 0, correlations: [], labels: {} })
  })
})

describe('rows', () => {
  it('are sampled by the seed, in order, each as likely as any other', async () => {
    const all = Array.from({ length: 20 }, (_, i) => i)
    const hits = new Array<number>(20).fill(0)
    for (let seed = 0; seed < 2000; seed++) {
      const sample = await drawRows(all, 5, seed)
      expect(new Set(sample).size).toBe(5)
      expect(sample).toEqual([...sample].sort((a, b) => a - b))
      for (const i of sample) hits[i]!++
    }
    // 2,000 draws at a quarter: 4.5 standard deviations
    for (const n of hits) expect(Math.abs(n - 500)).toBeLessThan(88)
    expect(await drawRows(all, 5, 1)).toEqual(await drawRows(all, 5, 1))
    expect(await drawRows(all, 20, 1)).toEqual(all)
    expect(await drawRows(all, 50, 1)).toEqual(all)
    expect(await drawRows([], 5, 1)).toEqual([])
    await expect(drawRows(all, 0, 1)).rejects.toThrow('expected a whole number from 1')
  })
})
