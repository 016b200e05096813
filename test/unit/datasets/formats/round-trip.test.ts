import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readRows } from '../../../../src/datasets/exchange/read-rows.js'
import type { ByteSource, DatasetFormat } from '../../../../src/datasets/formats/format.js'
import { formatOf, formats } from '../../../../src/datasets/formats/index.js'
import { type DatasetKind, datasetKinds } from '../../../../src/datasets/records/index.js'
import { textSources } from '../../../../src/datasets/records/labeled-text.js'
import { parseRow } from '../../../../src/datasets/records/parse-row.js'
import type { Problem } from '../../../../src/util/problem.js'
import type { JsonValue, Properties } from '../../../../src/vocabulary.js'

const canonical = (kind: DatasetKind, value: unknown): Properties => {
  const problems: unknown[] = []
  const row = parseRow(kind, value, (...problem) => problems.push(problem))
  if (!row) throw new Error(JSON.stringify(problems))
  return row
}

/** The bytes cut anew, so that every boundary falls somewhere in a character, a quote or a number. */
async function* cut(bytes: AsyncIterable<Uint8Array>, size: number): ByteSource {
  for await (const piece of bytes) for (let at = 0; at < piece.length; at += size) yield piece.subarray(at, at + size)
}

async function roundTrip(format: DatasetFormat, kind: DatasetKind, rows: readonly JsonValue[], size = 7): Promise<JsonValue[]> {
  async function* source() {
    yield* rows
  }
  const bytes = format.write(source, { kind, title: 'test', metadata: { version: '1.0' } })
  const [back, problems]: [JsonValue[], Problem[]] = [[], []]
  for await (const read of readRows(cut(bytes, size), { kind, format, file: 'x' })) {
    if (read.row) back.push(read.row)
    problems.push(...read.problems)
  }
  expect(problems).toEqual([])
  return back
}

const nasty = [
  '',
  ' ',
  '"',
  "'",
  "'=1",
  '=SUM(A1)',
  '+1',
  '-2',
  '@x',
  '\t',
  'a,b',
  'a\r\nb',
  '\n',
  'é',
  'e\u0301',
  '😀',
  '👩‍👩‍👧',
  '\u0000',
  '\ufeff',
  '\u2028',
  'true',
  '12',
  '# text = 1',
  '-DOCSTART-',
  'null',
  '\\',
  '{"a":1}',
  '𝒳y',
  'العربية',
  'O',
  'B-x',
]
const text = fc.oneof(
  fc.constantFrom(...nasty),
  fc.array(fc.constantFrom(...nasty), { maxLength: 5 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
)
const label = fc.oneof(
  fc.constantFrom('book_flight', 'intent:x', 'a b', '=x', 'B-y'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
)
const json = fc.jsonValue({ maxDepth: 2, noUnicodeString: false } as never).map((value) => JSON.parse(JSON.stringify(value)) as JsonValue)

/** Spans that lie on characters, in any order, overlapping or not. */
const spansOf = (of: string) => {
  const ends = [0]
  for (const character of of) ends.push(ends.at(-1)! + character.length)
  return fc.array(
    fc.tuple(label, fc.nat(ends.length - 1), fc.nat(ends.length - 1)).map(([name, a, b]) => {
      const [start, end] = [ends[Math.min(a, b)]!, ends[Math.max(a, b)]!]
      return [of.slice(start, end), name, start, end] as JsonValue
    }),
    { maxLength: 4 },
  )
}

const labeledText = text.chain((of) =>
  fc
    .record(
      {
        text: fc.constant(of),
        id: fc.constantFrom('7', 'row-1', '😀'),
        expected_intent: label,
        expected_sentiment: label,
        expected_persona: label,
        expected_entities: spansOf(of),
        confidence: fc.double({ min: 0, max: 1, noNaN: true }),
        source: fc.constantFrom(...textSources),
        metadata: fc.dictionary(fc.constantFrom('a', 'b c', '__x', '😀'), json, { maxKeys: 3 }),
        created_at: fc.constantFrom('2026-01-01T00:00:00.123Z', '2026-01-01', '2026-01-01T10:00:00+02:00'),
      },
      { requiredKeys: ['text'] },
    )
    .map((row) => canonical('labeled-text', JSON.parse(JSON.stringify(row)))),
)

const lossless = Object.values(formats).filter((format) => format.loses === null)
/** Each of these opens DuckDB or writes files. */
const tries = (format: DatasetFormat) => (['parquet', 'huggingface', 'croissant'].includes(format.name) ? 8 : 80)

describe.each(lossless.map((format) => [format.name, format] as const))('%s', (_, format) => {
  test('labeled text comes back as it was, whatever it says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(labeledText, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 40 }), async (rows, size) => {
        expect(await roundTrip(format, 'labeled-text', rows, size)).toEqual(rows)
      }),
      { numRuns: tries(format) },
    )
  }, 60_000)

  test('a row of a megabyte too', async () => {
    const row = canonical('labeled-text', { text: 'é"😀, \n'.repeat(150_000), expected_intent: 'x' })
    expect(await roundTrip(format, 'labeled-text', [row, row], 65_536)).toEqual([row, row])
  })

  test('no row at all is no row', async () => {
    expect(await roundTrip(format, 'labeled-text', [])).toEqual([])
  })

  const samples: { [Kind in DatasetKind]?: unknown[] } = {
    'embedding-pair': [
      { query: '=q', positive: 'p', negatives: ['a', '"b"'] },
      { id: 'x', query: '', positive: '\n' },
    ],
    relation: [
      { text: 'Ann knows Bob', entity1: { text: 'Ann', start: 0, end: 3 }, entity2: { text: 'Bob', start: 10, end: 13 }, label: 'knows' },
    ],
    'query-event': [
      {
        query_id: '007',
        query: 'select 1',
        cpu_ms: 0.25,
        scanned_bytes: 9_007_199_254_740_991,
        error_code: '12',
        create_time: '2026-01-01T00:00:00Z',
      },
    ],
    ranking: [
      {
        query_id: '1',
        candidates: [
          { id: 'a', node_features: [[1, 2.5]], edge_index: [], label: 1 },
          {
            node_features: [
              [1, 0],
              [0, 1],
            ],
            edge_index: [[0, 1]],
            label: 0,
          },
        ],
      },
    ],
    node: [{ id: '1', node_features: [[1], [0]], edge_index: [[0, 1]], target: 1 }],
    graph: [{ id: '1', node_features: [[1], [0]], edge_index: [[0, 1]], target: 'long' }],
    sequence: [{ id: '1', node_features: [[1], [0]], edge_index: [[0, 1]], target: [1, 0] }],
    tabular: [
      { a: 1, b: 'x', c: true, 'd,"e"': '', n: null, z: '2024-01-01' },
      { a: -2.5, b: '12', c: false, 'd,"e"': '=x', n: 3, z: 'true' },
    ],
  }
  test.each(datasetKinds.filter((kind) => samples[kind] && format.kinds.includes(kind)))('rows of the kind %s', async (kind) => {
    const rows = samples[kind]!.map((value) => canonical(kind, value))
    expect(await roundTrip(format, kind, rows)).toEqual(rows)
  })
})

test('the columns of a format that loses things keep what they promise', async () => {
  const rows = [canonical('labeled-text', { text: 'a', expected_intent: 'x', confidence: 0.5 }), canonical('labeled-text', { text: 'b' })]
  const back = await roundTrip(formatOf('huggingface-columns'), 'labeled-text', rows)
  expect(back).toEqual([canonical('labeled-text', { text: 'a', expected_intent: 'x' }), canonical('labeled-text', { text: 'b' })])
})
