import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { symmetricEigen } from '../../../../src/datasets/operations/eigen.js'
import { fitOperations } from '../../../../src/datasets/operations/fit.js'
import { applyOperations, buildOperations, fittedHash, parseFitted, parseSteps } from '../../../../src/datasets/operations/fitted.js'
import { operationNames } from '../../../../src/datasets/operations/index.js'
import type { TableRow } from '../../../../src/datasets/operations/operation.js'
import { canonicalJson } from '../../../../src/util/hash.js'
import { seeded } from '../../../../src/util/random.js'

/** One step of each operation, over the columns of `row`. */
const steps: Record<string, object> = {
  filter: { anyOf: [[{ field: 'x', is: 'more', value: -40 }], [{ field: 'x', is: 'absent' }]] },
  impute: { columns: ['y'], by: 'median' },
  'min-max': { columns: ['x'] },
  'z-score': { columns: ['x', 'y'] },
  robust: { columns: ['x'] },
  quantile: { columns: ['y'], quantiles: 10 },
  'one-hot': { columns: ['colour'], nulls: 'category', unseen: 'other' },
  label: { columns: ['colour'] },
  ordinal: { column: 'size', order: ['s', 'm', 'l'] },
  'target-encode': { columns: ['colour'], target: 'won' },
  'date-parts': { column: 'at', parts: ['year', 'quarter', 'month', 'week', 'day_of_week', 'is_weekend', 'epoch_days'] },
  cyclical: { column: 'x', period: 24 },
  polynomial: { columns: ['x', 'y'], degree: 2 },
  interaction: { columns: ['x', 'y'] },
  ratio: { numerator: 'x', denominator: 'y' },
  'select-variance': {},
  'select-correlation': { threshold: 0.9 },
  'select-mutual-information': { columns: ['x', 'y', 'colour'], target: 'won', count: 1 },
  pca: { columns: ['x', 'y'], components: 1 },
}
const stepOf = (op: string) => ({ op, ...steps[op] })

const number = fc.option(fc.integer({ min: -50, max: 50 }), { freq: 6 })
const row = fc.record({
  x: number,
  y: number,
  colour: fc.option(fc.constantFrom('red', 'green', '__proto__', 'constructor')),
  size: fc.constantFrom('s', 'm', 'l', 'xl'),
  at: fc.option(
    fc.date({ min: new Date('1950-01-01'), max: new Date('2050-01-01'), noInvalidDate: true }).map((date) => date.toISOString()),
  ),
  won: fc.boolean(),
}) as fc.Arbitrary<TableRow>
const rows = fc.array(row, { minLength: 4, maxLength: 40 })
const collect = async (stream: AsyncIterable<TableRow>) => {
  const found: TableRow[] = []
  for await (const item of stream) found.push(item)
  return found
}
async function* streamed(items: readonly TableRow[]): AsyncGenerator<TableRow> {
  for (const item of items) yield item
}
/** Random rows may leave a filter nothing. */
const fit = async (of: readonly TableRow[], given: object[]) =>
  fitOperations(() => of, given).catch((error) => {
    fc.pre(!/no training row left/.test(error.message))
    throw error
  })

describe('every operation', () => {
  it('is tried here', () => expect(Object.keys(steps).sort()).toEqual([...operationNames].sort()))

  it.each(operationNames)('%s: serving repeats training from JSON, row by row as in a batch, and leaves its input alone', (op) =>
    fc.assert(
      fc.asyncProperty(rows, rows, async (train, others) => {
        const before = JSON.stringify([train, others])
        const fitted = await fit(train, [stepOf(op)])
        const back = parseFitted(JSON.parse(canonicalJson(fitted)))
        expect(fittedHash(back)).toBe(fittedHash(fitted))
        const batch = await collect(applyOperations(fitted, others))
        const apply = buildOperations(back)
        expect(others.map((item) => apply(item)).filter((item) => item !== null)).toEqual(batch)
        expect(await collect(applyOperations(back, streamed(train), { training: true }))).toEqual(
          train.map((item, i) => apply(item, i)).filter((item) => item !== null),
        )
        expect(JSON.stringify([train, others])).toBe(before)
        for (const item of batch) expect(() => canonicalJson(item)).not.toThrow()
      }),
      { numRuns: 25 },
    ),
  )

  it.each(operationNames.filter((op) => op !== 'target-encode'))(
    '%s: learns the same from a stream, and from rows in another order',
    (op) =>
      fc.assert(
        fc.asyncProperty(rows, fc.integer(), async (train, seed) => {
          const fitted = await fit(train, [stepOf(op)])
          expect(await fitOperations(() => streamed(train), [stepOf(op)])).toEqual(fitted)
          const shuffled = await fit(seeded(seed).shuffle(train), [stepOf(op)])
          const [apply, other] = [buildOperations(fitted), buildOperations(shuffled)]
          for (const item of train) {
            const [a, b] = [apply(item), other(item)]
            expect(Object.keys(b ?? {}).sort()).toEqual(Object.keys(a ?? {}).sort())
            // of two components with equal variance either may come first; and a weight of 0 has no sign
            if (op !== 'pca')
              for (const column in a)
                if (typeof a[column] === 'number') expect(b![column]).toBeCloseTo(a[column], 6)
                else expect(b![column]).toEqual(a[column])
          }
        }),
        { numRuns: 15 },
      ),
  )
})

describe('steps one after another', () => {
  it('give what each alone gives to what the one before gave', () =>
    fc.assert(
      fc.asyncProperty(
        rows,
        fc.shuffledSubarray(
          operationNames.filter((op) => op !== 'filter' && !op.startsWith('select')),
          { minLength: 2, maxLength: 4 },
        ),
        async (train, ops) => {
          // each its own columns, so that any order does
          const taken = new Set<string>()
          const chosen = ops.filter((op) => {
            const used = JSON.stringify(steps[op]).match(/"(x|y|colour|size|at)"/g) ?? []
            if (used.some((column) => taken.has(column))) return false
            for (const column of used) taken.add(column)
            return true
          })
          const together = buildOperations(await fit(train, chosen.map(stepOf)))
          let current = train
          for (const op of chosen) {
            const alone = buildOperations(await fit(current, [stepOf(op)]))
            current = current.map((item) => alone(item)!)
          }
          expect(train.map((item) => together(item))).toEqual(current)
        },
      ),
      { numRuns: 30 },
    ))

  it('are fitted on what the steps before leave, in as few passes as that allows', async () => {
    const train = Array.from({ length: 20 }, (_, i): TableRow => ({ a: i, b: i * i, c: i % 3 }))
    let passes = 0
    const count = (given: object[]) => {
      passes = 0
      return fitOperations(() => {
        passes++
        return train
      }, given)
    }
    await count([
      { op: 'z-score', columns: ['a'] },
      { op: 'min-max', columns: ['b'] },
      { op: 'robust', columns: ['c'] },
    ])
    expect(passes).toBe(1)
    const fitted = await count([
      { op: 'z-score', columns: ['a', 'b'] },
      { op: 'pca', columns: ['a', 'b'], components: 1 },
      { op: 'ratio', numerator: 'pc1', denominator: 'c' },
      { op: 'impute', columns: ['pc1/c'] },
    ])
    expect(passes).toBe(3)
    // standardised columns have mean 0
    const { means } = fitted.steps[1]!.fitted as { means: number[] }
    for (const mean of means) expect(mean).toBeCloseTo(0, 10)
    const kept = await count([
      { op: 'filter', where: [{ field: 'a', is: 'less', value: 5 }] },
      { op: 'min-max', columns: ['a'] },
    ])
    expect(kept.steps[1]!.fitted).toEqual({ a: { min: 0, max: 4 } })
  })

  it('encode a training row without its own target', async () => {
    const train = Array.from({ length: 40 }, (_, i): TableRow => ({ id: `only ${i}`, y: i % 2 }))
    const apply = buildOperations(await fitOperations(() => train, [{ op: 'target-encode', columns: ['id'], target: 'y', smooth: 0 }]))
    // each category comes once: out of fold nothing is known of it, and no row may tell its own answer
    train.forEach((item, i) => {
      expect(apply(item, i)!['id']).toBeGreaterThan(0.2)
      expect(apply(item, i)!['id']).toBeLessThan(0.8)
      expect(apply(item)!['id']).toBe(item['y'])
    })
    expect(apply({ id: 'never seen' })!['id']).toBe(0.5)
  })
})

describe('what is missing, constant or strange', () => {
  const one = async (step: object, train: TableRow[], given: TableRow) => buildOperations(await fitOperations(() => train, [step]))(given)
  it('stays missing, NaN and absent too', async () => {
    const train = [{ x: 1 }, { x: null }, { x: 3 }]
    for (const op of ['min-max', 'z-score', 'robust', 'quantile'])
      for (const given of [{ x: null }, { x: Number.NaN }, {}] as TableRow[])
        expect(await one({ op, columns: ['x'] }, train, given)).toEqual({ x: null })
    expect(await one({ op: 'impute', columns: ['x'] }, train, { x: Number.NaN })).toEqual({ x: 2 })
    expect(await one({ op: 'impute', columns: ['x'], constant: 7 }, [{ x: null }], {})).toEqual({ x: 7 })
  })

  it('scales a constant column to a constant', async () => {
    const train = Array.from({ length: 9 }, () => ({ x: 0.1 }))
    for (const op of ['min-max', 'z-score', 'robust', 'quantile'])
      expect((await one({ op, columns: ['x'] }, train, { x: 0.1 }))!['x']).toBeCloseTo(0, 12)
    expect(await one({ op: 'pca', columns: ['x'], components: 1, whiten: true }, train, { x: 0.1 })).toEqual({ pc1: 0 })
    expect(await one({ op: 'select-variance' }, train, { x: 0.1 })).toEqual({})
  })

  it('is refused with the column and what it holds', async () => {
    const train: TableRow[] = [{ x: 1, t: 'a', l: [1] }]
    await expect(one({ op: 'z-score', columns: ['t'] }, train, {})).rejects.toThrow('column "t" holds "a", expected a finite number')
    await expect(one({ op: 'z-score', columns: ['x'] }, train, { x: Number.POSITIVE_INFINITY })).rejects.toThrow('expected a finite number')
    await expect(one({ op: 'label', columns: ['l'] }, train, {})).rejects.toThrow('column "l" holds [1]')
    await expect(one({ op: 'one-hot', columns: ['t'], unseen: 'error' }, train, { t: 'b' })).rejects.toThrow('expected one of a')
    await expect(one({ op: 'date-parts', column: 't' }, train, {})).rejects.toThrow('expected a moment')
    await expect(one({ op: 'z-score', columns: ['xx'] }, train, {})).rejects.toMatchObject({ remedy: 'Did you mean "x"?' })
    await expect(one({ op: 'filter', where: [{ field: 'x', is: 'more', value: 5 }] }, train, {})).resolves.toBeNull()
    await expect(
      fitOperations(
        () => train,
        [
          { op: 'filter', where: [{ field: 'x', is: 'more', value: 5 }] },
          { op: 'z-score', columns: ['x'] },
        ],
      ),
    ).rejects.toThrow('no training row left')
    await expect(fitOperations(() => [], [{ op: 'z-score', columns: ['x'] }])).rejects.toThrow('found no training rows')
  })

  it('takes a column of any name for a column', async () => {
    const train: TableRow[] = [{ constructor: 1, toString: 'a' }, { constructor: 3 }]
    expect(await one({ op: 'min-max', columns: ['constructor'] }, train, {})).toEqual({ constructor: null })
    expect(await one({ op: 'label', columns: ['toString'] }, train, {})).toEqual({ toString: null })
    expect(await one({ op: 'label', columns: ['toString'] }, train, { toString: 'a' })).toEqual({ toString: 0 })
    expect(() => parseSteps([{ op: 'min-max', columns: ['__proto__'] }])).toThrow('other than __proto__')
    await expect(one({ op: 'date-parts', column: 'd' }, [{ d: 9e15 }], {})).rejects.toThrow('expected a moment')
  })

  it('knows the calendar', async () => {
    const step = {
      op: 'date-parts',
      column: 'd',
      parts: ['year', 'quarter', 'month', 'week', 'day', 'day_of_week', 'day_of_year', 'hour', 'is_weekend'],
    }
    const read = async (d: string) => Object.values((await one(step, [{ d }], { d }))!)
    // ISO weeks: 2021-01-03 is in week 53 of 2020, 2024-12-30 in week 1 of 2025
    expect(await read('2021-01-03T23:30:00-02:00')).toEqual([2021, 1, 1, 1, 4, 1, 4, 1, 0])
    expect(await read('2021-01-03')).toEqual([2021, 1, 1, 53, 3, 7, 3, 0, 1])
    expect(await read('2024-12-30')).toEqual([2024, 4, 12, 1, 30, 1, 365, 0, 0])
    expect(await read('1969-12-31T12:00:00')).toEqual([1969, 4, 12, 1, 31, 3, 365, 12, 0])
    const hour = async (x: number) => (await one({ op: 'cyclical', column: 'x', period: 24 }, [{ x }], { x }))!
    const [night, morning] = [await hour(23), await hour(1)]
    expect(Math.hypot(Number(night['x_sin']) - Number(morning['x_sin']), Number(night['x_cos']) - Number(morning['x_cos']))).toBeLessThan(
      0.6,
    )
  })

  it.each([
    [{ where: [{ field: 'x', is: 'more', value: 1 }] }, [2]],
    [
      {
        where: [
          { field: 'x', is: 'at-least', value: 1 },
          { field: 'x', is: 'less', value: 2 },
        ],
      },
      [1],
    ],
    [{ anyOf: [[{ field: 'x', is: 'absent' }], [{ field: 'x', is: 'equal', value: 'a' }]] }, ['a', null]],
  ])('filters by %j', async (conditions, expected) => {
    const train: TableRow[] = [{ x: 1 }, { x: 2 }, { x: 'a' }, { x: null }]
    const fitted = await fitOperations(() => train, [{ op: 'filter', ...conditions }])
    expect((await collect(applyOperations(fitted, train))).map((item) => item['x'])).toEqual(expected)
  })

  it('lists each wrong step', () => {
    expect(() => parseSteps([{ op: 'z-scores', columns: ['x'] }])).toThrow('steps.0')
    expect(() => parseSteps([{ op: 'pca', columns: ['x'], components: 2 }])).toThrow('a whole number up to 1')
    expect(() => parseSteps([{ op: 'polynomial', columns: Array.from({ length: 100 }, (_, i) => `c${i}`), degree: 4 }])).toThrow(
      'at most 5000',
    )
    expect(() =>
      parseFitted({ version: 1, rows: 3, steps: [{ step: { op: 'z-score', columns: ['x'] }, fitted: { x: { mean: 0 } } }] }),
    ).toThrow('std')
  })
})

describe('eigenvectors', () => {
  it('of symmetric matrices give them back, and stand at right angles', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.integer(), (size, seed) => {
        const rng = seeded(seed)
        const matrix = new Float64Array(size * size)
        for (let i = 0; i < size; i++) for (let j = 0; j <= i; j++) matrix[i * size + j] = matrix[j * size + i] = rng.normal()
        const { values, vectors } = symmetricEigen(matrix, size)
        expect(values).toEqual([...values].sort((a, b) => b - a))
        for (let i = 0; i < size; i++)
          for (let j = 0; j < size; j++) {
            const dot = vectors[i]!.reduce((sum, x, k) => sum + x * vectors[j]![k]!, 0)
            expect(dot).toBeCloseTo(i === j ? 1 : 0, 10)
            const back = values.reduce((sum, value, k) => sum + value * vectors[k]![i]! * vectors[k]![j]!, 0)
            expect(back).toBeCloseTo(matrix[i * size + j]!, 10)
          }
      }),
    ))
})
