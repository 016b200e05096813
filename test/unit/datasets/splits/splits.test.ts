import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { comparableText } from '../../../../src/datasets/splits/keys.js'
import { planSplit, rowsOfPart, type SplitPlan } from '../../../../src/datasets/splits/plan.js'
import type { JsonValue, Properties } from '../../../../src/vocabulary.js'

const table = (n: number, more: (i: number) => Properties = () => ({})): Properties[] =>
  Array.from({ length: n }, (_, i) => ({ id: i, ...more(i) }))
const split = (rows: JsonValue[], options: unknown) => planSplit(rows, 'tabular', options)
const shares = fc
  .array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 4 })
  .map((weights) => weights.map((w) => w / weights.reduce((a, b) => a + b, 0)))
const parts = ['a', 'b', 'c', 'd']
const count = (plan: SplitPlan, is: (row: number) => boolean) =>
  plan.options.parts.map((_, part) => plan.membership.filter((p, row) => p === part && is(row)).length)

describe('a random split', () => {
  it('takes .7 + .2 + .1, which is not 1 in floating point', async () => {
    expect(0.7 + 0.2 + 0.1).not.toBe(1)
    const plan = await split(table(1000), { ratios: [0.7, 0.2, 0.1] })
    expect(plan.counts).toEqual({ train: 700, validation: 200, test: 100 })
    expect(Object.keys(plan.counts)).toEqual(['train', 'validation', 'test'])
  })

  it('gives every row one part, in counts rounded by largest remainder, from the seed alone', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 4, max: 60 }), shares, fc.integer(), async (n, ratios, seed) => {
        const options = { ratios, parts: parts.slice(0, ratios.length), seed }
        const [plan, again] = [await split(table(n), options), await split(table(n), options)]
        expect(plan.membershipHash).toBe(again.membershipHash)
        const counts = Object.values(plan.counts)
        expect(counts.reduce((a, b) => a + b, 0)).toBe(n)
        counts.forEach((c, i) => {
          expect(c).toBeGreaterThan(0)
          if (ratios[i]! * n >= 1) expect(Math.abs(c - ratios[i]! * n)).toBeLessThan(ratios.length)
        })
      }),
    ))

  it('streams the rows of a part in their order', async () => {
    const rows = table(50)
    const plan = await split(rows, {})
    const read = async (part: number) => {
      const found: Properties[] = []
      for await (const row of rowsOfPart(rows, plan.membership, part)) found.push(row)
      return found
    }
    const all = [await read(0), await read(1), await read(2)]
    expect(all.map((part) => part.length)).toEqual([40, 5, 5])
    for (const part of all) expect(part).toEqual([...part].sort((a, b) => Number(a['id']) - Number(b['id'])))
    expect(all.flat().sort((a, b) => Number(a['id']) - Number(b['id']))).toEqual(rows)
  })

  it.each([
    [{ ratios: [0.7, 0.2] }, 'a sum of 1'],
    [{ ratios: [0.5, 0.5], parts: ['a'] }, 'expected as many'],
    [{ ratios: [0.5, 0.5], parts: ['a', 'a'] }, 'different names'],
    [{ ratios: [0.25, 0.25, 0.25, 0.25] }, 'expected as many'],
    [{ method: 'time', byContent: true }, 'byContent'],
    [{ cutoffs: ['2024-01-01'] }, 'expected time'],
    [{ method: 'time', cutoffs: ['2024-02-01', '2024-01-01'] }, 'later than the one before'],
    [{ method: 'time', cutoffs: ['soon', 'later'] }, 'Invalid'],
    [{ methd: 'time' }, 'methd'],
  ])('refuses %j', async (options, message) => {
    await expect(split(table(9), options)).rejects.toThrow(message)
  })

  it('refuses fewer rows than parts', () => expect(split(table(2), {})).rejects.toThrow('found 2 rows'))
})

describe('a split by content', () => {
  const text = (i: number) => ({ text: `text number ${i}`, expected_intent: 'a' })
  it('moves no row when rows are added, wherever', () =>
    fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(500), { minLength: 6 }), fc.nat(), fc.integer(), async (ids, cut, seed) => {
        const some = ids.slice(cut % 3)
        const options = { byContent: true, seed }
        const partOf = async (of: number[]) => {
          const plan = await planSplit(of.map(text), 'labeled-text', options)
          return new Map(of.map((id, row) => [id, plan.membership[row]]))
        }
        const [before, after] = [await partOf(some), await partOf([...ids].reverse())]
        for (const id of some) expect(after.get(id)).toBe(before.get(id))
      }),
      { numRuns: 30 },
    ))

  it('keeps equal texts together, and the shares on average', async () => {
    const rows = Array.from({ length: 4000 }, (_, i) => ({ text: i % 2 ? `Text ${i >> 1}!` : `text  ${i >> 1}` }))
    const plan = await planSplit(rows, 'labeled-text', { byContent: true, ratios: [0.7, 0.2, 0.1] })
    for (let i = 0; i < rows.length; i += 2) expect(plan.membership[i]).toBe(plan.membership[i + 1])
    expect(plan.problems).toEqual([])
    // 2,000 texts: four standard deviations
    const [train, validation, test] = Object.values(plan.counts).map((n) => n / rows.length)
    expect(Math.abs(train! - 0.7)).toBeLessThan(0.041)
    expect(Math.abs(validation! - 0.2)).toBeLessThan(0.036)
    expect(Math.abs(test! - 0.1)).toBeLessThan(0.027)
  })
})

describe('a stratified split', () => {
  it('rounds each stratum up or down, and all of them together too', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 4, maxLength: 80 }),
        shares,
        fc.integer(),
        async (strata, ratios, seed) => {
          const rows = strata.map((s) => ({ kind: s === 7 ? null : `s${s}` }))
          const plan = await split(rows, { method: 'stratified', by: 'kind', ratios, parts: parts.slice(0, ratios.length), seed })
          for (const stratum of new Set(strata)) {
            const size = strata.filter((s) => s === stratum).length
            count(plan, (row) => strata[row] === stratum).forEach((n, i) => {
              expect(n).toBeGreaterThanOrEqual(Math.floor(ratios[i]! * size + 1e-9))
              expect(n).toBeLessThanOrEqual(Math.ceil(ratios[i]! * size - 1e-9))
            })
          }
          Object.values(plan.counts).forEach((n, i) => {
            expect(Math.abs(n - ratios[i]! * strata.length)).toBeLessThan(ratios.length)
          })
        },
      ),
    ))

  it('holds the shares over a thousand strata of one row', async () => {
    const plan = await split(
      table(1000, (i) => ({ kind: `k${i}` })),
      { method: 'stratified', by: 'kind', ratios: [0.7, 0.2, 0.1] },
    )
    Object.values(plan.counts).forEach((n, i) => {
      expect(Math.abs(n - [700, 200, 100][i]!)).toBeLessThanOrEqual(2)
    })
  })

  it('takes the labels of the kind where no field is named', async () => {
    const rows = table(30, (i) => ({ text: `t ${i}`, expected_intent: i % 3 === 0 ? 'rare' : 'often' }))
    const plan = await planSplit(rows, 'labeled-text', { method: 'stratified', ratios: [0.8, 0.2] })
    expect(count(plan, (row) => row % 3 === 0)).toEqual([8, 2])
    await expect(split(table(9), { method: 'stratified' })).rejects.toThrow('found no `by`')
  })
})

describe('a split by group', () => {
  it('holds every group together, and no part empty', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(12), { minLength: 8, maxLength: 60 }),
        fc.integer(),
        fc.boolean(),
        async (groups, seed, byContent) => {
          fc.pre(new Set(groups).size >= 3)
          const rows = groups.map((g, i) => ({ g: `g${g}`, i }))
          const plan = await split(rows, { method: 'group', by: 'g', seed, byContent })
          for (const group of new Set(groups)) expect(count(plan, (row) => groups[row] === group).filter((n) => n > 0)).toHaveLength(1)
          if (!byContent) expect(Math.min(...Object.values(plan.counts))).toBeGreaterThan(0)
          expect(plan.problems).toEqual([])
        },
      ),
    ))

  it('comes near the shares of rows with groups of unequal size', async () => {
    const rows = table(1000, (i) => ({ g: Math.floor(Math.sqrt(i)) }))
    const plan = await split(rows, { method: 'group', by: 'g' })
    expect(Math.abs(plan.counts['train']! - 800)).toBeLessThan(30)
  })

  it('names the rows without a group', async () => {
    const rows = table(40, (i): Properties => (i % 2 ? { g: 'x' } : {}))
    const failed = await split(rows, { method: 'group', by: 'g' }).catch((error) => error)
    expect(failed.message).toContain('20 row(s) cannot be placed')
    expect(failed.problems[0]).toMatchObject({ where: 'row 1, g', found: 'nothing' })
  })
})

describe('a split by time', () => {
  const day = (i: number) => new Date(Date.UTC(2024, 0, 1 + i)).toISOString()
  it('puts older rows into earlier parts, rows of one moment into one', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.nat(15), { minLength: 5, maxLength: 50 }), async (days) => {
        const plan = await split(
          days.map((d) => ({ at: day(d) })),
          { method: 'time', by: 'at' },
        )
        for (const [i, a] of days.entries())
          for (const [j, b] of days.entries()) {
            if (a < b) expect(plan.membership[i]).toBeLessThanOrEqual(plan.membership[j]!)
            if (a === b) expect(plan.membership[i]).toBe(plan.membership[j])
          }
        expect(plan.problems.filter((p) => p.code === 'split-time-order')).toEqual([])
      }),
    ))

  it('by cutoffs, which growth does not move', async () => {
    const options = { method: 'time', by: 'at', cutoffs: ['2024-01-05', '2024-01-08'] }
    const plan = await split(
      [9, 0, 4, 3, 7].map((d) => ({ at: day(d) })),
      options,
    )
    expect([...plan.membership]).toEqual([2, 0, 1, 0, 2])
  })

  it('reads a moment without an offset as UTC, and refuses what is none', async () => {
    const plan = await split([{ at: '2024-01-01T23:59:59' }, { at: '2024-01-02T00:00:00Z' }, { at: '2024-01-02' }], {
      method: 'time',
      by: 'at',
      ratios: [0.5, 0.5],
      cutoffs: ['2024-01-02'],
    })
    expect([...plan.membership]).toEqual([0, 1, 1])
    await expect(
      split(
        table(9, () => ({ at: 'soon' })),
        { method: 'time', by: 'at' },
      ),
    ).rejects.toThrow('9 row(s) cannot be placed')
  })
})

describe('leakage', () => {
  it('is the same text in two parts, told with its rows', async () => {
    const rows = Array.from({ length: 20 }, (_, i) => ({ text: i % 2 ? 'Hello, World' : 'hello   world!' }))
    const { problems } = await planSplit(rows, 'labeled-text', {})
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({ code: 'split-same-text', severity: 'warning' })
    expect(problems[0]!.found).toMatch(/^20 row/)
    expect(problems[0]!.where).toMatch(/^row \d+ \((train|validation|test)\) and row \d+ \((train|validation|test)\)$/)
  })

  it('is a group in two parts, and a part that reaches back', async () => {
    const rows = table(30, (i) => ({ g: `g${i % 2}`, at: 1000 - i }))
    const { problems } = await split(rows, { group: 'g', time: 'at' })
    expect(problems.map((p) => p.code)).toEqual(['split-same-group', 'split-time-order'])
    expect(problems[0]!.found).toMatch(/^30 row/)
  })

  it('counts as a plain count does', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.nat(9), { minLength: 4, maxLength: 40 }), fc.integer(), async (texts, seed) => {
        const plan = await planSplit(
          texts.map((t) => ({ text: t === 0 ? '' : `t${t}` })),
          'labeled-text',
          { seed },
        )
        const leaking = texts.filter((t) => t !== 0 && count(plan, (row) => texts[row] === t).filter((n) => n > 0).length > 1).length
        expect(plan.problems[0]?.found ?? '0').toMatch(new RegExp(`^${leaking}\\b`))
      }),
    ))

  it('sees texts as a model does', () => {
    expect(comparableText('  Ｃafé—№ 5\n')).toBe('café no 5')
  })
})
