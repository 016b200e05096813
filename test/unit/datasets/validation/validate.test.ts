import { describe, expect, it } from 'vitest'
import type { DatasetKind } from '../../../../src/datasets/records/index.js'
import { rules } from '../../../../src/datasets/rules/index.js'
import { parseValidationOptions, type ValidationOptionsInput } from '../../../../src/datasets/validation/options.js'
import { scorings } from '../../../../src/datasets/validation/scores.js'
import { type ValidationExtras, validateRows } from '../../../../src/datasets/validation/validate.js'

const validate = (
  rows: unknown[],
  options: ValidationOptionsInput = {},
  kind: DatasetKind = 'labeled-text',
  extras: ValidationExtras = {},
) =>
  validateRows(
    rows.map((row) => ({ row })),
    kind,
    parseValidationOptions(options),
    extras,
  )
const row = (text: unknown, intent?: string, more: object = {}) => ({
  text,
  ...(intent && { expected_intent: intent }),
  expected_sentiment: 'neutral',
  ...more,
})
const only = (found: Awaited<ReturnType<typeof validate>>, rule: string) => found.issues.filter((issue) => issue.rule === rule)

const clean = [
  row('Hello, good morning to you', 'greet', { expected_sentiment: 'positive' }),
  row('Where is my parcel from Bern?', 'track', { expected_entities: [['Bern', 'CITY', 24, 28]] }),
  row('I want to cancel the order of yesterday', 'cancel', { expected_sentiment: 'negative' }),
]

describe('a validation', () => {
  it('finds nothing in a clean set of three rows', async () => {
    const report = await validate(clean)
    expect(report).toMatchObject({ passed: true, total: 3, valid: 3, invalid: 0, errors: 0, warnings: 0, issues: [], counts: {} })
    expect(report.qualityScore).toBe(report.scores.v2)
    expect(report.scores.classic).toBe(1)
  })

  it('finds errors and warnings in a mixed set, each with row, field and message', async () => {
    const report = await validate([
      ...clean,
      row('', 'greet'),
      row('Hi', 'greet', { confidence: 1.4 }),
      row('What is the weather like in Rome today'),
      row('Book a table in Basel for two', 'book', { expected_entities: [['Basel', 'CITY', 16, 99]] }),
      row('Book a table in Basel for three', 'book', { expected_entities: [['Basle', 'CITY', 16, 21]] }),
      row('hello, GOOD   morning to you', 'goodbye'),
      row(7, 'greet', { source: 'nowhere' }),
      'no object',
    ])
    expect(report.errors).toBeGreaterThanOrEqual(4)
    expect(report.warnings).toBeGreaterThanOrEqual(3)
    expect(report).toMatchObject({ passed: false, total: 11, valid: 5, invalid: 6 })
    expect(only(report, 'empty-text')).toMatchObject([{ severity: 'error', row: 4, field: 'text', fixable: false }])
    expect(only(report, 'required-labels').map(({ row, field }) => [row, field])).toEqual([
      [6, 'expected_intent'],
      [11, 'expected_intent'],
      [11, 'expected_sentiment'],
    ])
    expect(only(report, 'entity-bounds')).toMatchObject([
      { row: 7, field: 'expected_entities[0]', message: expect.stringContaining('ends at 29') },
    ])
    expect(only(report, 'entity-text')).toMatchObject([{ row: 8, message: 'the span 16..21 holds "Basel", not "Basle"' }])
    expect(only(report, 'types').map(({ row, field }) => [row, field])).toEqual([
      [10, 'text'],
      [10, 'source'],
      [11, ''],
    ])
    expect(only(report, 'text-length')).toMatchObject([{ row: 5, severity: 'warning' }])
    expect(only(report, 'confidence-range')).toMatchObject([{ row: 5, fixable: true }])
    expect(only(report, 'near-duplicates').map((i) => i.row)).toEqual(expect.arrayContaining([9]))
    expect(only(report, 'label-conflicts')).toMatchObject([
      { row: 9, field: 'intent' },
      { row: 9, field: 'sentiment' },
    ])
    expect(report.qualityScore).toBeLessThanOrEqual(report.valid / report.total)
  })

  it('tells of spans that are empty, reversed, misplaced or overlap, and where the text really stands', async () => {
    const text = 'from Bern to Basel'
    const spans = [
      ['', 'X', 5, 5],
      ['Bern', 'CITY', 9, 5],
      ['from', 'X', -1, 3],
      ['Basel', 'CITY', 12, 17],
    ]
    const report = await validate([row(text, 'ride', { expected_entities: spans })])
    expect(only(report, 'entity-bounds').map((i) => i.message)).toEqual([
      'the span 5..5 is empty',
      'the span 9..5 is reversed',
      'the span -1..3 lies outside the text, which ends at 18',
    ])
    expect(only(report, 'entity-text')).toMatchObject([{ suggestion: '"Basel" stands at 13..18.', fixable: true }])
    expect(only(report, 'entity-overlap')).toEqual([])
    const overlapping = [
      row(text, 'ride', {
        expected_entities: [
          ['Bern', 'A', 5, 9],
          ['Bern to', 'B', 5, 12],
          ['Basel', 'C', 13, 18],
        ],
      }),
    ]
    expect((await validate(overlapping)).errors).toBe(0)
    expect(only(await validate(overlapping, { overlaps: 'forbidden' }), 'entity-overlap')).toMatchObject([
      { field: 'expected_entities[0]' },
    ])
  })

  it('says of malformed entities that they are, and nothing else of their row', async () => {
    const odd = [null, 7, 'Bern', [], [null, 1], { text: 'Bern' }, [['Bern', 'CITY', 3, 7]]]
    const report = await validate(odd.map((entity, i) => row(`text of row ${i} ${i * 7919}`, 'a', { expected_entities: [entity] })))
    expect(report).toMatchObject({ total: odd.length, valid: 0, statistics: { labels: { intent: { distinct: 1 } } } })
    expect(Object.keys(report.counts)).toEqual(['types'])
    expect((await validate([row('a text to read', 'a', { expected_entities: 'none', metadata: [] })])).counts).toEqual({ types: 2 })
  })

  it('names rows that have the id of another one', async () => {
    const report = await validate([
      row('Hello, good morning', 'greet', { id: 'a' }),
      row('And good bye to you', 'leave', { id: 'a' }),
      ...clean,
    ])
    expect(only(report, 'repeated-ids')).toMatchObject([{ severity: 'error', row: 2, field: 'id', message: 'the id "a" is that of row 1' }])
    const event = (query_id: string) => ({ query_id, query: 'SELECT 1 FROM t' })
    expect(only(await validate([event('q'), event('q')], {}, 'query-event'), 'repeated-ids')).toMatchObject([{ row: 2, field: 'query_id' }])
  })

  it('requires the labels that are asked for, no others', async () => {
    const rows = clean.map(({ text, expected_intent }: { text: unknown; expected_intent?: string }) => ({ text, expected_intent }))
    expect((await validate(rows)).counts).toEqual({ 'required-labels': 3 })
    expect((await validate(rows, { requiredLabels: ['intent'] })).passed).toBe(true)
    expect((await validate(rows, { requiredLabels: ['persona'] })).issues[0]).toMatchObject({ field: 'expected_persona' })
    await expect(validate(rows, { requiredLabels: ['intnt'] })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      remedy: 'Did you mean "intent"?',
    })
  })

  it('looks at classes: imbalance beyond five to one, rare ones in sets that are large enough', async () => {
    const texts = (intent: string, n: number) =>
      Array.from({ length: n }, (_, i) => row(`${intent} number ${i} ${'abcdefgh'.repeat(1 + (i % 3))} ${i * 7919}`, intent))
    const five = await validate([...texts('a', 50), ...texts('b', 10)])
    expect([only(five, 'class-imbalance'), only(five, 'rare-classes')]).toEqual([[], []])
    const six = await validate([...texts('a', 51), ...texts('b', 10), ...texts('c', 4)])
    expect(only(six, 'class-imbalance')).toMatchObject([{ row: null, field: 'intent' }])
    expect(only(six, 'rare-classes')[0]!.message).toContain('"c" (4)')
    expect(six.recommendations.join()).toContain('imbalanced')
  })

  it('lists as many issues as asked for, of every rule some, and counts them all', async () => {
    const rows = Array.from({ length: 300 }, (_, i) => row(i % 2 ? '' : `x${i}`, 'a', { confidence: 2 }))
    const report = await validate(rows, { maxIssues: 20 })
    expect(report.issues).toHaveLength(20)
    expect(report.counts).toMatchObject({ 'empty-text': 150, 'text-length': 150, 'confidence-range': 300 })
    expect(new Set(report.issues.map((i) => i.rule))).toEqual(new Set(['empty-text', 'text-length', 'confidence-range']))
    expect(report.issues.map((i) => i.severity)).toEqual([...report.issues.map((i) => i.severity)].sort())
  })

  it('scores: classic gives .70 for an error in every row, v2 nothing; an empty set is 0', async () => {
    const parts = { rows: 10, validRows: 0, errors: 10, warnings: 0, labels: 5, meanConfidence: 1, overall: 0.9 }
    expect(scorings.classic(parts)).toBeCloseTo(0.7)
    expect(scorings.v2(parts)).toBe(0)
    const empty = await validate([])
    expect(empty).toMatchObject({ passed: false, total: 0, scores: { v2: 0, classic: 0 }, quality: { band: 'invalid' } })
    expect((await validate(clean, { scoring: 'classic' })).qualityScore).toBe(1)
  })

  it('judges every kind by the rules that suit it', async () => {
    const relation = {
      text: 'Ann knows Bob',
      entity1: { text: 'Ann', start: 0, end: 3 },
      entity2: { text: 'Bib', start: 10, end: 13 },
      label: 'knows',
    }
    expect((await validate([relation], {}, 'relation')).counts).toEqual({ 'entity-text': 1 })
    const other = { ...relation, entity2: { text: 'knows', start: 4, end: 9 }, label: 'verb' }
    const mended = { ...relation, entity2: { text: 'Bob', start: 10, end: 13 } }
    expect((await validate([mended, other], {}, 'relation')).counts).toEqual({})
    expect((await validate([mended, { ...mended, label: 'likes' }], {}, 'relation')).counts).toEqual({
      'near-duplicates': 1,
      'label-conflicts': 1,
    })
    const events = [1, 2].map((n) => ({ query_id: `${n}`, query: 'select * from a_table' }))
    expect((await validate(events, {}, 'query-event')).counts).toEqual({})
    expect((await validate([{ query: ' ', positive: 'the answer' }], {}, 'embedding-pair')).counts).toEqual({ 'empty-text': 1 })
    const table = await validate([{ a: 1, b: null }, { a: [1] }], {}, 'tabular')
    expect(table).toMatchObject({ valid: 1, counts: { types: 1 } })
    expect(table.quality.dimensions['completeness']).toMatchObject({ score: 2 / 3, sampleSize: 3, of: 'cells' })
  })

  it('takes rules and dimensions of a site', async () => {
    const noShouting = {
      name: 'no-shouting',
      severity: 'error',
      description: 'Texts are not all capitals.',
      start: (_: unknown, report: (at: object, message: string) => void) => ({
        row: ({ text, number }: { text: string | null; number: number }) => {
          if (text === text?.toUpperCase()) report({ row: number, field: 'text' }, 'this shouts')
        },
      }),
    } as const
    const report = await validate([...clean, row('GIVE IT BACK TO ME', 'cancel')], {}, 'labeled-text', { rules: [noShouting] })
    expect(report.counts).toEqual({ 'no-shouting': 1 })
    expect(report.valid).toBe(3)
  })

  it('has rules of distinct names, each with a description', () => {
    expect(new Set(rules.map((rule) => rule.name)).size).toBe(rules.length)
    for (const rule of rules) expect(rule.description, rule.name).toMatch(/\.$|\)\.$/)
  })
})
