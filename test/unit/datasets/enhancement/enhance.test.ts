import { describe, expect, it } from 'vitest'
import { planEnhancement } from '../../../../src/datasets/enhancement/enhance.js'
import { type EnhancementOptionsInput, parseEnhancementOptions } from '../../../../src/datasets/enhancement/options.js'
import type { DatasetKind } from '../../../../src/datasets/records/index.js'
import { parseValidationOptions } from '../../../../src/datasets/validation/options.js'
import { validateRows } from '../../../../src/datasets/validation/validate.js'
import type { JsonValue, Properties } from '../../../../src/vocabulary.js'

async function enhance(rows: Properties[], options: EnhancementOptionsInput, kind: DatasetKind = 'labeled-text') {
  async function* source(): AsyncGenerator<JsonValue> {
    yield* rows
  }
  const plan = await planEnhancement(kind, source, parseEnhancementOptions(options))
  const out: Properties[] = []
  for await (const row of plan.rows()) out.push(row)
  return { out, report: plan.report() }
}
const countsOf = (rows: Properties[]) => {
  const counts: Record<string, number> = {}
  for (const { expected_intent: intent } of rows) counts[intent as string] = (counts[intent as string] ?? 0) + 1
  return counts
}
const groups = (sizes: Record<string, number>): Properties[] =>
  Object.entries(sizes).flatMap(([intent, n]) =>
    Array.from({ length: n }, (_, i) => ({ text: `${intent} ${i}`, expected_intent: intent, id: `${intent}${i}` })),
  )

describe('cleaning', () => {
  it('moves entities with their text, and says what it changed', async () => {
    const text = '  fly   to New \n York\u0000 now '
    const start = text.indexOf('New')
    const end = text.indexOf('York') + 4
    const { out, report } = await enhance([{ text, expected_entities: [[text.slice(start, end), 'CITY', start, end]] }], { clean: {} })
    expect(out).toEqual([{ text: 'fly to New York now', expected_entities: [['New York', 'CITY', 7, 15]] }])
    expect(report).toMatchObject({ rowsBefore: 1, rowsAfter: 1, steps: [{ name: 'clean', changed: 2, dropped: 0 }] })
    expect(report.changes[0]).toEqual({
      step: 'clean',
      row: 1,
      field: 'text',
      before: text,
      after: 'fly to New York now',
      why: 'white space and control characters',
    })
  })

  it('moves the two entities of a relation, and leaves SQL as it is', async () => {
    const row = { text: ' a  b', entity1: { text: 'a', start: 1, end: 2 }, entity2: { text: 'b', start: 4, end: 5 } }
    expect((await enhance([row], { clean: {} }, 'relation')).out).toEqual([
      { text: 'a b', entity1: { text: 'a', start: 0, end: 1 }, entity2: { text: 'b', start: 2, end: 3 } },
    ])
    const query = { query_id: 'q', query: "select  'a  b'" }
    expect((await enhance([query], { clean: {} }, 'query-event')).out).toEqual([query])
  })
})

describe('spans and confidences', () => {
  it('are mended where it is clear what was meant', async () => {
    const rows = [
      { text: 'to Bern', expected_entities: [['Bern', 'CITY', 2, 6]], confidence: 1.2 },
      { text: 'Bern to Bern', expected_entities: [['Bern', 'CITY', 2, 6]], confidence: 85 },
      { text: 'to Bern', expected_entities: [], confidence: -1 },
    ] as Properties[]
    const { out } = await enhance(rows, { spans: {}, confidence: {} })
    expect(out.map((row) => [row['expected_entities'], row['confidence']])).toEqual([
      [[['Bern', 'CITY', 3, 7]], 1],
      [[['Bern', 'CITY', 2, 6]], 1],
      [[], 0],
    ])
    expect((await enhance(rows, { confidence: { percent: true } })).out[1]!['confidence']).toBe(0.85)
  })

  it('whatever is called fixable, its step mends', async () => {
    const rows: Properties[] = [
      {
        text: 'send it to Bern',
        expected_intent: 'a',
        expected_sentiment: 's',
        expected_entities: [['Bern', 'CITY', 0, 4]],
        confidence: 7,
      },
      { text: 'what is the weather', expected_intent: 'b', expected_sentiment: 's' },
      { text: 'What is the  weather', expected_intent: 'a', expected_sentiment: 's' },
    ]
    const validate = (data: Properties[]) =>
      validateRows(
        data.map((row) => ({ row })),
        'labeled-text',
        parseValidationOptions({}),
      )
    const before = await validate(rows)
    expect(
      before.issues
        .filter((i) => i.fixable)
        .map((i) => i.rule)
        .sort(),
    ).toEqual(['confidence-range', 'entity-text', 'label-conflicts', 'near-duplicates'])
    const { out } = await enhance(rows, { clean: {}, spans: {}, confidence: {}, duplicates: {} })
    expect((await validate(out)).issues).toEqual([])
  })
})

describe('duplicates', () => {
  const said = (text: string, intent: string, confidence: number) => ({ text, expected_intent: intent, confidence })
  const rows = [
    said('pay', 'a', 0.5),
    said('PAY ', 'b', 0.9),
    said('pay', 'b', 0.7),
    said('go', 'c', 1),
    said('Go', 'c', 1),
    said('stop', 'd', 1),
  ]

  it.each([
    ['first', ['a', 'c', 'd']],
    ['majority', ['b', 'c', 'd']],
    ['highest-confidence', ['b', 'c', 'd']],
    ['drop', ['c', 'd']],
  ] as const)('by the policy %s keep %j', async (policy, intents) => {
    const { out, report } = await enhance(rows, { duplicates: { policy } })
    expect(out.map((row) => row['expected_intent'])).toEqual(intents)
    expect(report.steps[0]).toMatchObject({ dropped: 6 - intents.length, details: { groups: 2, conflicts: 1 } })
    expect(report.steps[0]!.details['listed']).toEqual([
      {
        rows: [1, 2, 3],
        labels: ['intent: a', 'intent: b', 'intent: b'],
        kept: { first: 1, majority: 2, 'highest-confidence': 2, drop: null }[policy],
      },
    ])
    expect(report.dropped.map(({ row }) => row)).toContain(5)
    expect(report.dropped.every(({ step, key, why }) => step === 'duplicates' && key.length === 64 && why)).toBe(true)
  })
})

describe('duplicates of other kinds', () => {
  it('are rows that say the same: not two answers to a query, two relations of a text, or a query that ran twice', async () => {
    const left = async (rows: Properties[], kind: DatasetKind, similarity = 1) =>
      (await enhance(rows, { duplicates: { similarity } }, kind)).out.length
    const pair = (positive: string) => ({ query: 'how to pay', positive })
    expect(await left([pair('by card'), pair('in cash'), pair('BY CARD')], 'embedding-pair')).toBe(2)
    const relation = (start: number) => ({
      text: 'a b c',
      entity1: { text: 'a', start: 0, end: 1 },
      entity2: { text: 'b', start, end: start + 1 },
    })
    expect(await left([relation(2), relation(4), relation(2)], 'relation')).toBe(2)
    expect(
      await left(
        [
          { query_id: '1', query: 'select 1' },
          { query_id: '2', query: 'select 1' },
        ],
        'query-event',
      ),
    ).toBe(2)
    const near = [
      { text: 'where is the parcel that I sent to my aunt in Bern' },
      { text: 'where is the parcel that I sent to my aunts in Bern' },
      { text: '' },
      { text: '' },
    ]
    expect([await left(near, 'labeled-text'), await left(near, 'labeled-text', 0.8)]).toEqual([4, 3])
  })
})

describe('balance', () => {
  const rows = groups({ a: 20, b: 5, c: 10 })

  it.each([
    [{ method: 'median' as const }, { a: 10, b: 5, c: 10 }],
    [{ method: 'min' as const }, { a: 5, b: 5, c: 5 }],
    [
      { method: 'max-ratio' as const, ratio: 3 },
      { a: 15, b: 5, c: 10 },
    ],
    [{ method: 'oversample' as const }, { a: 20, b: 20, c: 20 }],
    [{ method: 'weights' as const }, { a: 20, b: 5, c: 10 }],
  ])('by %j makes of 20/5/10 %j', async (balance, counts) => {
    const { out, report } = await enhance(rows, { balance })
    expect(countsOf(out)).toEqual(counts)
    expect(report.steps[0]!.details).toMatchObject({ by: 'intent', before: { a: 20, b: 5, c: 10 }, after: counts })
    const kept = out.filter(({ id }) => id !== undefined)
    expect(new Set(kept.map(({ id }) => id)).size).toBe(kept.length)
    expect(report.steps[0]!.added).toBe(out.length - kept.length)
    expect(report.dropped).toHaveLength(35 - kept.length)
    expect((await enhance(rows, { balance })).out).toEqual(out)
  })

  it('is drawn by its seed, keeps the order, weighs classes alike, and leaves unlabeled rows', async () => {
    const unlabeled = { text: 'who knows' }
    const one = await enhance([...rows, unlabeled], { balance: {}, seed: 1 })
    const two = await enhance([...rows, unlabeled], { balance: {}, seed: 2 })
    expect(one.out).not.toEqual(two.out)
    expect(one.out.at(-1)).toEqual(unlabeled)
    const at = one.out.slice(0, -1).map((row) => rows.indexOf(row))
    expect(at).toEqual([...at].sort((x, y) => x - y))
    const { report } = await enhance(rows, { balance: { method: 'weights' } })
    const { weights } = report.steps[0]!.details as { weights: Record<string, number> }
    expect([20 * weights['a']!, 5 * weights['b']!, 10 * weights['c']!].every((w) => Math.abs(w - 35 / 3) < 1e-9)).toBe(true)
    await expect(enhance([{ a: 1 }], { balance: {} }, 'tabular')).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })
})

describe('steps together', () => {
  it('see what the ones before leave: cleaned texts are compared, what is left is counted', async () => {
    const rows = [...groups({ a: 4, b: 2 }), { text: 'a\u0000 0', expected_intent: 'a' }, { text: 'b  1', expected_intent: 'b' }]
    const { out, report } = await enhance(rows, { clean: {}, duplicates: {}, balance: { method: 'min' }, enrich: { set: { lang: 'en' } } })
    expect(countsOf(out)).toEqual({ a: 2, b: 2 })
    expect(out[0]!['metadata']).toEqual({ lang: 'en', text_length: 3, word_count: 2, entity_count: 0 })
    expect(report.steps.map(({ name, changed, dropped }) => [name, changed, dropped])).toEqual([
      ['clean', 2, 0],
      ['duplicates', 0, 2],
      ['balance', 0, 2],
      ['enrich', 4, 0],
    ])
    expect(report).toMatchObject({ rowsBefore: 8, rowsAfter: 4 })
    const short = await enhance(rows, { clean: {}, duplicates: {}, maxListed: 1 })
    expect([short.report.changes.length, short.report.dropped.length, short.report.steps[1]!.dropped]).toEqual([1, 1, 2])
    expect((await enhance(rows, {})).out).toEqual(rows)
    await expect(enhance(rows, { balnce: {} } as never)).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })
})
