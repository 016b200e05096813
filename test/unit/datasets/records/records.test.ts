import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { datasetKinds, recordKind, recordKinds, recordsJsonSchema } from '../../../../src/datasets/records/index.js'
import { parseRow, rowContent } from '../../../../src/datasets/records/parse-row.js'
import { versionHash } from '../../../../src/datasets/version.js'
import type { JsonValue, Properties } from '../../../../src/vocabulary.js'

const parse = (kind: Parameters<typeof parseRow>[0], value: unknown) => {
  const problems: { at: string; code: string; suggestion?: string | undefined; severity?: string | undefined }[] = []
  const row = parseRow(kind, value, (at, code, _found, _expected, more) => problems.push({ at, code, ...more }))
  return { row, problems }
}

/** One row a kind, as small as it may be. */
const rows: Record<keyof typeof recordKinds, Properties> = {
  ranking: { query_id: 'q', candidates: [{ node_features: [[1]], edge_index: [] }] },
  node: { id: 'a', node_features: [[1], [0]], edge_index: [[0, 1]], target: 1 },
  graph: { id: 'a', node_features: [[1]], edge_index: [], target: 'x' },
  sequence: { id: 'a', node_features: [[1]], edge_index: [], target: ['x', 'y'] },
  'labeled-text': { text: 'hello', expected_intent: 'greet', expected_entities: [['he', 'P', 0, 2]] },
  'embedding-pair': { query: 'a', positive: 'b' },
  relation: { text: 'a b', entity1: { text: 'a', start: 0, end: 1 }, entity2: { text: 'b', start: 2, end: 3 }, label: 'next' },
  'query-event': { query_id: '2024_1', query: 'select 1', cpu_ms: 3, create_time: '2024-01-01T00:00:00Z' },
  tabular: { age: 3, name: 'x', member: true, gone: null },
}

describe('rows of every kind', () => {
  it('are what their schema and their JSON Schema let in', () => {
    const { $defs } = recordsJsonSchema() as { $defs: Record<string, object> }
    expect(Object.keys($defs)).toEqual(datasetKinds)
    const ajv = new Ajv2020({ strict: false, validateFormats: false })
    for (const kind of datasetKinds) {
      const { row, problems } = parse(kind, rows[kind])
      expect(problems, kind).toEqual([])
      expect(row, kind).toMatchObject(rows[kind])
      const check = ajv.compile($defs[kind]!)
      expect(check(rows[kind]), kind).toBe(true)
      expect(check(row), kind).toBe(true)
      expect(check(kind === 'tabular' ? { a: [] } : {}), kind).toBe(false)
    }
  })

  it('parse to themselves: a stored row is read again as it is', () => {
    for (const kind of datasetKinds) {
      const { row } = parse(kind, rows[kind])
      expect(parse(kind, row)).toEqual({ row, problems: [] })
    }
  })
})

describe('labeled text', () => {
  it('gets its defaults, loses nulls, and takes entities as objects', () => {
    const { row, problems } = parse('labeled-text', {
      text: 'to Bern',
      expected_intent: null,
      expected_entities: [{ text: 'Bern', label: 'CITY', start: 3, end: 7 }],
    })
    expect(problems).toEqual([])
    expect(row).toEqual({ text: 'to Bern', expected_entities: [['Bern', 'CITY', 3, 7]], confidence: 1, source: 'import', metadata: {} })
  })

  it('says of each field what is wrong with it', () => {
    const { row, problems } = parse('labeled-text', {
      text: 5,
      expected_entities: [['Bern', 'CITY', 3.5, 7]],
      source: 'user_feedbak',
      created_at: 'yesterday',
      intent: 'book',
    })
    expect(row).toBeNull()
    expect(problems).toEqual([
      { at: 'intent', code: 'unknown-field', severity: 'warning', suggestion: 'Map the field "intent" to expected_intent.' },
      { at: 'text', code: 'wrong-type' },
      { at: 'expected_entities[0][2]', code: 'wrong-type' },
      { at: 'source', code: 'unknown-value', suggestion: 'Did you mean "user_feedback"?' },
      { at: 'created_at', code: expect.any(String) },
    ])
    expect(parse('labeled-text', {}).problems).toEqual([{ at: 'text', code: 'missing-field' }])
    expect(parse('labeled-text', [1]).problems).toEqual([{ at: '', code: 'not-an-object' }])
  })

  it('counts neither times nor random ids for its hash, but a name is data', () => {
    const text = { text: 'hi', metadata: { created_at: 'x' } }
    const made = (more: JsonValue) => versionHash([{ ...text, ...(more as Properties) }], 'labeled-text')
    const plain = made({})
    expect(made({ created_at: '2024-01-01' })).toBe(plain)
    expect(made({ id: '4b3c2a10-0f1e-4d2c-8b3a-1234567890ab', created_at: '2025-01-01' })).toBe(plain)
    expect(made({ id: 'greeting 1' })).not.toBe(plain)
    expect(made({ metadata: {} })).not.toBe(plain)
    expect(rowContent('query-event', rows['query-event'])).toBe(rows['query-event'])
  })
})

describe('labels', () => {
  it('are named by set, and renamed where they stand', () => {
    const text = recordKind('labeled-text')
    const { row } = parse('labeled-text', { ...rows['labeled-text'], expected_sentiment: 'good', expected_persona: 'clerk' })
    expect(text.labels!(row!)).toEqual({ intent: ['greet'], sentiment: ['good'], persona: ['clerk'], entity: ['P'] })
    const louder = (set: string) => text.labels!(text.relabel!(row!, set, (label) => label.toUpperCase()))
    expect(louder('intent')['intent']).toEqual(['GREET'])
    expect(louder('entity')).toEqual(text.labels!(row!))
    expect(text.labels!(text.relabel!(row!, 'entity', () => 'PERSON'))['entity']).toEqual(['PERSON'])
    expect(text.relabel!(row!, 'nothing', () => 'x')).toBe(row)
    expect(recordKind('relation').labels!(rows.relation)).toEqual({ relation: ['next'] })
  })
})
