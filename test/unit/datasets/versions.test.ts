import { describe, expect, it } from 'vitest'
import { DigestTable } from '../../../src/datasets/records/digest-table.js'
import { rowHash } from '../../../src/datasets/version.js'
import { compileConditions } from '../../../src/datasets/versions/condition.js'
import { countChanges, diffRows } from '../../../src/datasets/versions/diff.js'
import { type ModificationsInput, modificationsSchema } from '../../../src/datasets/versions/modifications.js'
import { compileModifications, mergeRows, sampleRows } from '../../../src/datasets/versions/modify.js'
import { ShapeGatherer, shapeChanges } from '../../../src/datasets/versions/shape.js'
import { seeded } from '../../../src/util/random.js'
import type { JsonValue, Properties } from '../../../src/vocabulary.js'

async function* stream(rows: readonly JsonValue[]): AsyncGenerator<JsonValue> {
  yield* rows
}
const collect = async <T>(rows: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}

describe('a table of digests', () => {
  it('is a map, however it grows', () => {
    const [table, map] = [new DigestTable(4), new Map<number, number>()]
    for (let i = 0; i < 5000; i++) {
      const key = (i * 7919) % 3000
      const { isNew, value } = table.add(rowHash(`${key}`), i)
      expect(isNew).toBe(!map.has(key))
      if (isNew) map.set(key, i)
      expect(value).toBe(map.get(key))
    }
    table.set(rowHash('5'), 0)
    expect([table.get(rowHash('5')), table.get(rowHash('none')), table.size]).toEqual([0, undefined, 3000])
  })
})

describe('shapes', () => {
  const shapeOf = (rows: JsonValue[], kind: 'labeled-text' | 'tabular') => {
    const gatherer = new ShapeGatherer(kind)
    for (const row of rows) gatherer.add(row)
    return gatherer.shape()
  }

  it('are label sets, or columns with their types', () => {
    const texts = shapeOf(
      [
        { text: 'a', expected_intent: 'b' },
        { text: 'c', expected_intent: 'a', expected_entities: [['c', 'X', 0, 1]] },
      ],
      'labeled-text',
    )
    expect(texts).toEqual({ labels: { entity: ['X'], intent: ['a', 'b'] } })
    expect(
      shapeOf(
        [
          { a: null, b: 'x' },
          { a: 1, b: 2, c: true },
        ],
        'tabular',
      ),
    ).toEqual({ columns: { a: 'number', b: 'mixed', c: 'boolean' } })
    const open = shapeOf(
      Array.from({ length: 10_002 }, (_, i) => ({ text: '', expected_persona: `${i}` })),
      'labeled-text',
    )
    expect(open).toEqual({ labels: { persona: ['*'] } })
  })

  it('say what has changed', () => {
    expect(shapeChanges({ labels: { intent: ['a', 'b'] } }, { labels: { intent: ['b', 'c'] } })).toEqual(['intent: + c, - a'])
    expect(shapeChanges({ columns: { a: 'text' } }, { columns: { a: 'number', b: 'text' } })).toEqual([
      'a: text became number',
      'b: new column of text',
    ])
    expect(shapeChanges({ labels: { intent: ['a'] } }, { labels: { intent: ['a'] } })).toEqual([])
  })
})

describe('modifications', () => {
  const modify = (given: ModificationsInput, row: Properties) => compileModifications('labeled-text', modificationsSchema.parse(given))(row)
  const row: Properties = { id: 'r1', text: 'hi', expected_intent: 'a', expected_sentiment: 's', confidence: 0.8, metadata: { lang: 'en' } }

  it('map labels, leaving those that are not named', () => {
    expect(modify({ intent_mapping: { a: 'b', x: 'y' }, sentiment_mapping: { other: 'z' } }, row)).toEqual({ ...row, expected_intent: 'b' })
    expect(modify({ intent_mapping: { constructor: 'b' } }, { ...row, expected_intent: 'toString' })!['expected_intent']).toBe('toString')
    const entities = { text: 'hi', expected_entities: [['hi', 'OLD', 0, 2]] }
    expect(modify({ label_mapping: { entity: { OLD: 'NEW' } } }, entities)).toEqual({
      text: 'hi',
      expected_entities: [['hi', 'NEW', 0, 2]],
    })
    expect(() => compileModifications('tabular', modificationsSchema.parse({ intent_mapping: { a: 'b' } }))).toThrow('no labels')
  })

  it.each([
    [0.1, 0.9],
    [5, 1],
    [-5, 0],
    [{ multiply: 0.5 }, 0.4],
    [{ multiply: 2, add: -0.9 }, 0.7],
  ])('adjust confidence by %j to %d', (confidence_adjustment, expected) => {
    expect(modify({ confidence_adjustment }, row)!['confidence']).toBeCloseTo(expected)
  })

  it('refuse label sets that there are not, with what was meant', () => {
    expect(() => modify({ label_mapping: { sentimnt: { ok: 'fine' } } }, row)).toThrow(
      /label set "sentimnt", expected one of intent, sentiment/,
    )
  })

  it('filter by conditions, and drop by id or content', () => {
    expect(modify({ drop: ['r1'] }, row)).toBeNull()
    expect(modify({ drop: ['r2'] }, row)).toBe(row)
    const keeps = (field: string, is: string, value?: unknown) => modify({ filter: [{ field, is, value } as never] }, row) !== null
    expect([
      keeps('confidence', 'at-least', 0.8),
      keeps('confidence', 'more', 0.8),
      keeps('confidence', 'less', 'x'),
      keeps('metadata.lang', 'equal', 'en'),
      keeps('metadata.lang', 'in', ['de', 'en']),
      keeps('metadata.lang', 'not-in', ['de']),
      keeps('metadata.none', 'absent'),
      keeps('text', 'contains', 'h'),
      keeps('text', 'present'),
      keeps('expected_intent', 'not-equal', 'a'),
    ]).toEqual([true, false, false, true, true, true, true, true, true, false])
    expect(() => compileConditions([{ field: 'a', is: 'in', value: 'x' }])).toThrow('expected a list')
  })

  it('merge rows of several sources, equal content once, repeats of the first kept', async () => {
    const rows =
      (...texts: string[]) =>
      () =>
        stream(texts.map((text) => ({ text })))
    const merged = await collect(mergeRows('labeled-text', [rows('a', 'a', 'b'), rows('b', 'c', 'c')]))
    expect(merged.map((r) => (r as { text: string }).text)).toEqual(['a', 'a', 'b', 'c'])
  })

  it('sample exactly as many as asked for, in order, each as likely', async () => {
    const rows = Array.from({ length: 50 }, (_, i) => i)
    const counts = new Array<number>(50).fill(0)
    for (let seed = 0; seed < 400; seed++) {
      const sample = (await collect(sampleRows(stream(rows), 50, 10, seed))) as number[]
      expect(sample).toHaveLength(10)
      expect(sample).toEqual([...sample].sort((a, b) => a - b))
      for (const row of sample) counts[row]!++
    }
    // 400 draws of 10 of 50: 80 a row, standard deviation 8
    expect(Math.min(...counts)).toBeGreaterThan(80 - 40)
    expect(Math.max(...counts)).toBeLessThan(80 + 40)
    expect(await collect(sampleRows(stream(rows), 50, 99, 1))).toHaveLength(50)
  })
})

describe('a diff', () => {
  const diff = (before: JsonValue[], after: JsonValue[], held?: number) =>
    collect(
      diffRows(
        'labeled-text',
        () => stream(before),
        () => stream(after),
        held,
      ),
    )

  it('compares rows with ids by id, others by content, however often they occur', async () => {
    const changes = await diff(
      [{ id: 'a', text: '1' }, { id: 'b', text: '2' }, { id: 'c', text: '3' }, { text: 'x' }, { text: 'x' }, { text: 'y' }],
      [{ text: 'y' }, { id: 'd', text: '4' }, { id: 'b', text: '2!' }, { text: 'x' }, { id: 'a', text: '1' }, { text: 'z' }, { text: 'y' }],
    )
    expect(changes.map(({ change, key }) => [change, key.length === 64 ? 'content' : key])).toEqual([
      ['added', 'd'],
      ['added', 'content'],
      ['added', 'content'],
      ['changed', 'b'],
      ['removed', 'c'],
      ['removed', 'content'],
    ])
    expect(changes[3]).toMatchObject({ before: { text: '2' }, after: { text: '2!' } })
    expect(changes[5]).toMatchObject({ before: { text: 'x' } })
  })

  it('compares rows whose id is not theirs alone by their content', async () => {
    const named = (text: string) => ({ id: 'a', text })
    const told = async (before: JsonValue[], after: JsonValue[]) =>
      (await diff(before, after)).map((change) => [change.change, ('before' in change ? change.before : change.after) as Properties])
    expect(await told([named('1'), named('2')], [named('3'), named('1')])).toEqual([
      ['added', named('3')],
      ['removed', named('2')],
    ])
    expect(await told([named('1')], [named('2'), named('1')])).toEqual([['added', named('2')]])
    expect(await told([named('1'), named('1')], [named('1')])).toEqual([['removed', named('1')]])
  })

  it('sees neither times nor order', async () => {
    const [a, b] = [{ text: 'a', created_at: '2024-01-01' }, { text: 'b' }]
    expect(await diff([a, b], [b, { text: 'a', created_at: '2025-01-01' }])).toEqual([])
  })

  it('applied to one version gives the other, whatever is held at once', async () => {
    const rng = seeded(3)
    for (let round = 0; round < 30; round++) {
      const some = () =>
        Array.from({ length: 40 }, () =>
          rng.next() < 0.5 ? { id: `${rng.integer(30)}`, text: `${rng.integer(3)}` } : { text: `t${rng.integer(12)}` },
        )
      // every third round, ids may repeat
      const unique = (rows: { id?: string; text: string }[]) =>
        rows.filter((row, i) => round % 3 === 0 || row.id === undefined || rows.findIndex((r) => r.id === row.id) === i)
      const [before, after] = [unique(some()), unique(some())]
      const left = before.map((row) => JSON.stringify(row))
      const take = (row: JsonValue) => {
        const at = left.indexOf(JSON.stringify(row))
        expect(at).toBeGreaterThanOrEqual(0)
        left.splice(at, 1)
      }
      const changes = await diff(before, after, 1 + (round % 4))
      for (const change of changes) {
        if (change.change !== 'added') take(change.before)
        if (change.change !== 'removed') left.push(JSON.stringify(change.after))
      }
      expect(left.sort()).toEqual(after.map((row) => JSON.stringify(row)).sort())
      const counts = await countChanges(stream(changes as never) as never)
      expect(counts.added - counts.removed).toBe(after.length - before.length)
    }
  })
})
