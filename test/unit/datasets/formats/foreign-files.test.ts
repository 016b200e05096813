import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseFormat } from '../../../../src/datasets/exchange/import.js'
import { type FileFacts, noFacts, type RowReading, readRows } from '../../../../src/datasets/exchange/read-rows.js'
import { guardFormula, unguardFormula } from '../../../../src/datasets/formats/csv-records.js'
import { formatOf } from '../../../../src/datasets/formats/index.js'
import { offsetMap } from '../../../../src/datasets/formats/spans.js'
import type { Problem } from '../../../../src/util/problem.js'
import type { Properties } from '../../../../src/vocabulary.js'

async function* bytes(text: string | Uint8Array) {
  yield typeof text === 'string' ? new TextEncoder().encode(text) : text
}

/** A file as whoever knows nothing of us wrote it: detected, and read as labeled text. */
async function read(file: string, text: string | Uint8Array, more: Partial<RowReading> = {}, facts: FileFacts = noFacts()) {
  const { format, source } = more.format ? { format: more.format, source: bytes(text) } : await chooseFormat({ source: bytes(text) }, file)
  const [rows, problems]: [Properties[], Problem[]] = [[], []]
  for await (const one of readRows(source, { kind: 'labeled-text', file, ...more, format })) {
    if (one.row) rows.push(one.row)
    problems.push(...one.problems)
  }
  return { format: format.name, rows, problems, facts }
}
const spansOf = (row: Properties | undefined) => row?.['expected_entities']

test('numbers of CSV are read as other programs write them', async () => {
  const { rows, problems } = await read('a.csv', 'text,confidence\na,.5\nb,+1\nc,1.\nd, 0.25 \ne,2.5E-1\n')
  expect([rows.map((row) => row['confidence']), problems]).toEqual([[0.5, 1, 1, 0.25, 0.25], []])
})

describe('a format is told by name and first bytes', () => {
  test.each([
    ['a.jsonl', '{"text":"x"}\n', 'jsonl'],
    ['upload', '{"text":"x"}\n{"text":"y"}\n', 'jsonl'],
    ['a.json', '{"text":"x"}\n{"text":"y"}\n', 'jsonl'],
    ['a.json', '[{"text":"x"}]', 'json'],
    ['a.json', '{\n "examples": [{"text":"x"}]}', 'json'],
    ['a.json', '{"metadata":{},"examples":[{"text":"x"}]}', 'json'],
    ['upload', '[{"text":"x","entities":[],"cats":{}}]', 'spacy'],
    ['a.json', '[["x",{"entities":[]}]]', 'spacy-list'],
    ['a.json', '{"text":["x"],"labels":["y"]}', 'huggingface-columns'],
    ['upload', 'text,intent\nx,y\n', 'csv'],
    ['upload', 'EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n', 'conll'],
    ['a.conll', 'a O\n', 'conll'],
  ])('%s %j: %s', async (file, text, name) => {
    expect((await read(file, text)).format).toBe(name)
  })

  test.each(['a.pkl', 'a.PICKLE', 'model.joblib'])('%s is refused', async (file) => {
    await expect(read(file, 'x')).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('pickle'),
      remedy: expect.stringContaining('jsonl'),
    })
  })
  test('a pickle under another name too', async () => {
    await expect(read('rows.csv', new Uint8Array([0x80, 5, 1, 2]))).rejects.toThrow(/pickle/)
  })
})

describe('spans in code points', () => {
  test('spaCy counts code points, rows UTF-16', async () => {
    const { rows } = await read(
      'a.json',
      JSON.stringify([{ text: '😀😀 Paris', entities: [{ start: 3, end: 8, label: 'CITY' }], cats: { greet: 0.9, leave: 0.1 } }]),
    )
    expect(spansOf(rows[0])).toEqual([['Paris', 'CITY', 5, 10]])
    expect(rows[0]!['expected_intent']).toBe('greet')
  })
  test('of a plain file when it is said', async () => {
    const line = JSON.stringify({ text: '😀 Paris', expected_entities: [['Paris', 'CITY', 2, 7]] })
    expect(spansOf((await read('a.jsonl', line, { spans: 'code-points' })).rows[0])).toEqual([['Paris', 'CITY', 3, 8]])
    expect(spansOf((await read('a.jsonl', line)).rows[0])).toEqual([['Paris', 'CITY', 2, 7]])
  })
})

describe('names of other tools', () => {
  test('intent and its like are taken for the own names, said, and decide which labels are asked for', async () => {
    const facts = noFacts()
    const { rows } = await read('a.jsonl', '{"text":"x","intent":"a","lang":"en"}', {}, facts)
    expect(rows[0]).toMatchObject({ expected_intent: 'a', metadata: {} })
  })
  test('an own name is not taken for another', async () => {
    const { rows, problems } = await read('a.jsonl', '{"text":"x","intent":"a","expected_intent":"b"}')
    expect(rows[0]!['expected_intent']).toBe('b')
    expect(problems).toMatchObject([{ severity: 'warning', code: 'unknown-field' }])
  })
  test('a mapping names fields of the file; unknown ones are told once, or kept', async () => {
    const csv = 'utterance,label,lang\nhello,greet,en\nbye,leave,de\n'
    const mapping = { utterance: 'text', label: 'expected_intent' }
    const { rows, problems } = await read('a.csv', csv, { mapping })
    expect(rows.map((row) => [row['text'], row['expected_intent']])).toEqual([
      ['hello', 'greet'],
      ['bye', 'leave'],
    ])
    expect(problems.map((p) => p.code)).toEqual(['unknown-field'])
    const kept = await read('a.csv', csv, { mapping, keepUnknown: true })
    expect([kept.problems, kept.rows.map((row) => row['metadata'])]).toEqual([[], [{ lang: 'en' }, { lang: 'de' }]])
    await expect(read('a.csv', csv, { mapping: { label: 'expected_intnt' } })).rejects.toThrow(/no field/)
    await expect(read('a.csv', csv, { mapping: { label: 'text', utterance: 'text' } })).rejects.toThrow(/two fields/)
  })
})

describe('what is wrong is told with its place', () => {
  const places = async (file: string, text: string | Uint8Array, more: Partial<RowReading> = {}) =>
    (await read(file, text, more)).problems.filter((p) => p.severity === 'error').map((p) => [p.where, p.code])

  test('JSON that is cut short, or followed by something', async () => {
    expect(await places('a.json', '[{"text":"x"},\n{"text":')).toEqual([['a.json:2', 'not-json']])
    expect(await places('a.json', '[{"text":"x"}]\n]')).toEqual([['a.json:2', 'not-json']])
    expect(await places('a.json', '[{"text":"x"},\n{"text":y}]')).toEqual([['a.json:2', 'not-json']])
    expect(await places('a.json', '{"metadata": {}}', { format: formatOf('json') })).toEqual([['a.json:1', 'not-json']])
    expect(await places('a.json', '[1]')).toEqual([['a.json:1', 'not-an-object']])
  })
  test('CSV with cells too many, quotes gone wrong, names twice', async () => {
    expect(await places('a.csv', 'text,id\na,b,c\n')).toEqual([['a.csv:2', 'cell-count']])
    expect(await places('a.csv', 'text,id\n"a\nb"x,c\n')).toEqual([['a.csv:2', 'bad-quotes']])
    expect(await places('a.csv', 'text,id\n"a')).toEqual([['a.csv:2', 'bad-quotes']])
    expect(await places('a.csv', 'text,text\na,b\n')).toEqual([['a.csv:1', 'repeated-name']])
    expect(await places('a.csv', 'text,confidence\na,high\n')).toEqual([['a.csv:2:confidence', 'wrong-type']])
  })
  test('CSV that something else separates, unless the one name is quoted', async () => {
    for (const separator of [';', '\t', '|']) {
      const { problems } = await read('a.csv', `text${separator}expected_intent\nhello${separator}greet\n`)
      expect(problems.map((p) => [p.where, p.code])).toEqual([['a.csv:1', 'separator']])
      expect(problems[0]!.suggestion).toContain(JSON.stringify(separator))
    }
    const { rows } = await read('a.csv', '"a;b"\n1\n', { kind: 'tabular' })
    expect(rows).toEqual([{ 'a;b': 1 }])
  })
  test('metadata without end', async () => {
    const nested = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`
    expect(await places('a.jsonl', `{"text":"x","metadata":${nested}}\n`)).toEqual([['a.jsonl:1:metadata', 'too-deep']])
    expect(await places('a.csv', `text,metadata\nx,"${nested.replaceAll('"', '""')}"\n`)).toEqual([['a.csv:2:metadata', 'too-deep']])
  })
  test('CoNLL without tags, or with others', async () => {
    expect(await places('a.conll', 'a\n\n')).toEqual([['a.conll:1', 'no-tag']])
    expect(await places('a.conll', 'a O\nb X-PER\n')).toEqual([['a.conll:1', 'bad-tag']])
    expect(await places('a.conll', '# text = "ab"\nc O\n')).toEqual([['a.conll:1', 'token-not-in-text']])
  })
  test('spaCy that is none', async () => {
    expect(await places('a.spacy.json', '[{"text":"x","entities":[[0,"1","A"]]}]')).toEqual([['a.spacy.json:1', 'not-spacy']])
  })
  test('bytes that are no text', async () => {
    await expect(read('a.csv', new Uint8Array([0x74, 0xff, 0xfe, 0x0a]))).rejects.toThrow(/UTF-8/)
    await expect(read('a.parquet', 'PAR1 not really')).rejects.toThrow(/Parquet/)
    await expect(read('a.tar', 'x'.repeat(2000))).rejects.toThrow(/tar/)
  })
})

test('numbers of a table that would lose digits stay texts, as those do that are no numbers', async () => {
  const cells = ['9007199254740992', '9007199254740993', '-12345678901234567890', '100000000000000000000', '1e999', '0.1', '007']
  const { rows, problems } = await read('a.csv', `x\n${cells.join('\n')}\n`, { kind: 'tabular' })
  expect(problems).toEqual([])
  expect(rows.map((row) => row['x'])).toEqual([2 ** 53, '9007199254740993', '-12345678901234567890', 1e20, '1e999', 0.1, '007'])
})

test.each([
  ['rows.xlsx', 'PK\x03\x04', /zip/, /CSV/],
  ['rows.arrow', 'ARROW1\0\0', /Arrow/, /Parquet/],
  ['rows.db', 'SQLite format 3\0', /SQLite/, /CSV/],
])('%s is told for what it is', async (file, head, what, remedy) => {
  await expect(read(file, `${head}${'\0'.repeat(100)}`)).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringMatching(what),
    remedy: expect.stringMatching(remedy),
  })
})

test('CoNLL-2003 as it is published: IOB1 marks, columns between, DOCSTART', async () => {
  const file =
    '-DOCSTART- -X- -X- O\n\nEU NNP B-NP I-ORG\nrejects VBZ B-VP O\nGerman JJ B-NP I-MISC\ncall NN I-NP O\n\nPeter NNP B-NP I-PER\nBlackburn NNP I-NP I-PER\n'
  const { rows, problems } = await read('eng.conll', file)
  expect(problems).toEqual([])
  expect(rows.map((row) => [row['text'], spansOf(row)])).toEqual([
    [
      'EU rejects German call',
      [
        ['EU', 'ORG', 0, 2],
        ['German', 'MISC', 11, 17],
      ],
    ],
    ['Peter Blackburn', [['Peter Blackburn', 'PER', 0, 15]]],
  ])
})

test('two entities of one label stay two, beside each other or apart; IOBES marks are read too', async () => {
  const words = (...tags: string[]) => tags.map((tag, i) => `w${i} ${tag}\n`).join('')
  const entities = async (...tags: string[]) =>
    (spansOf((await read('x.conll', words(...tags))).rows[0]) as [string][]).map(([text]) => text)
  expect(await entities('B-A', 'B-A', 'O', 'I-A', 'I-A', 'O', 'B-B', 'I-A')).toEqual(['w0', 'w1', 'w3 w4', 'w6', 'w7'])
  expect(await entities('S-A', 'B-A', 'I-A', 'E-A', 'S-A', 'I-A')).toEqual(['w0', 'w1 w2 w3', 'w4', 'w5'])
})

test('Parquet of other programs: NaN is what is missing, and integers keep their digits', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-parquet-'))
  const file = path.join(folder, 'odd.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    `COPY (SELECT * FROM (VALUES (9007199254740993, 'nan'::DOUBLE, 1), (2, 1.5, 2)) t("an id", x, n)) TO '${file}' (FORMAT parquet)`,
  )
  const { rows, problems } = await read('odd.parquet', new Uint8Array(fs.readFileSync(file)), { kind: 'tabular' })
  fs.rmSync(folder, { recursive: true })
  connection.closeSync()
  expect(rows).toEqual([
    { 'an id': '9007199254740993', x: null, n: 1 },
    { 'an id': '2', x: 1.5, n: 2 },
  ])
  expect(problems).toMatchObject([{ severity: 'warning', code: 'nan', where: 'odd.parquet:x' }])
})

test("Hugging Face's own Parquet: numbers of classes are their names again, -1 is none", async () => {
  const file = path.join(import.meta.dirname, 'fixtures/class-labels.parquet')
  const { rows, problems, format } = await read('data.parquet', new Uint8Array(fs.readFileSync(file)))
  expect([format, problems]).toEqual(['parquet', []])
  expect(rows.map((row) => [row['text'], row['expected_intent']])).toEqual([
    ['hello there', 'greet'],
    ['see you 😀', 'leave'],
    ['no idea', undefined],
  ])
})

test('no text that is written to CSV begins as a formula does, and every text comes back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...`'=+-@\t\r\n＝＋－＠a"`), { maxLength: 6 }).map((parts) => parts.join('')),
      (text) => {
        expect(guardFormula(text)).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/)
        expect(unguardFormula(guardFormula(text))).toBe(text)
      },
    ),
  )
})

test('offsets in code points and back are the same, wherever a character begins', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
      const [there, back] = [offsetMap(text, 'utf16', 'code-points'), offsetMap(text, 'code-points', 'utf16')]
      let at = 0
      for (const [i, character] of [...text].entries()) {
        expect([there(at), back(i)]).toEqual([i, at])
        at += character.length
      }
      expect([there(at), back(there(at)), there(at + 3), there(-2)]).toEqual([[...text].length, at, [...text].length + 3, -2])
    }),
  )
})

test('UTF-16 with a byte-order mark, as spreadsheets save it', async () => {
  const text = Buffer.from('\ufefftext,expected_intent\r\nhé,a\r\n', 'utf16le')
  expect((await read('a.csv', new Uint8Array(text))).rows[0]).toMatchObject({ text: 'hé', expected_intent: 'a' })
})
