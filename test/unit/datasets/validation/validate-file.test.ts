import { describe, expect, it } from 'vitest'
import { type FileValidation, validateFile } from '../../../../src/datasets/exchange/validate-file.js'
import { parseValidationOptions } from '../../../../src/datasets/validation/options.js'
import { validateRows } from '../../../../src/datasets/validation/validate.js'

const check = (file: string, text: string, more: Partial<FileValidation> = {}) =>
  validateFile({
    ...{ file, kind: 'labeled-text' },
    open: async function* () {
      yield new TextEncoder().encode(text)
    },
    ...more,
  })
const places = ({ report }: Awaited<ReturnType<typeof check>>) =>
  report.issues.map(({ rule, row, line, field }) => [rule, row, line, field])

describe('a file that is judged as it is', () => {
  it('has the report that its rows have as a version', async () => {
    const rows = ['Where is my parcel?', 'where is my  PARCEL?', 'I want to cancel'].map((text, i) => ({
      ...{ text, expected_intent: `intent ${i}`, expected_sentiment: 'neutral' },
    }))
    const { report, format } = await check('a.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    expect(format.name).toBe('jsonl')
    const stored = rows.map((row) => ({ row: { ...row, expected_entities: [], confidence: 1, source: 'import', metadata: {} } }))
    expect(report).toEqual(await validateRows(stored, 'labeled-text', parseValidationOptions({})))
  })

  it('tells of broken lines and rows that do not fit, once each and with their lines, and goes on', async () => {
    const found = await check(
      'a.jsonl',
      '\n{"text":"Where is my parcel?","expected_intent":"track","expected_sentiment":"bad"}\n{"text":\n[1]\n\n{"text":7,"expected_intent":"track","expected_sentiment":"ok"}\n{"text":"Hello there","expected_intent":"greet"}\n',
    )
    expect(found.report).toMatchObject({ passed: false, total: 5, valid: 1, invalid: 4, errors: 4 })
    expect(places(found)).toEqual([
      ['types', 2, 3, ''],
      ['types', 3, 4, ''],
      ['types', 4, 6, 'text'],
      ['required-labels', 5, 7, 'expected_sentiment'],
    ])
  })

  it('asks for the labels that it has under other names, and takes a mapping', async () => {
    const csv = 'utterance,label\nWhere is my parcel?,track\nHello there,\n'
    const found = await check('a.csv', csv, { mapping: { utterance: 'text' } })
    expect(found.mapping).toEqual({ utterance: 'text', label: 'expected_intent' })
    expect(places(found)).toEqual([['required-labels', 2, 3, 'expected_intent']])
    const asked = await check('a.csv', csv, { mapping: { utterance: 'text' }, options: { requiredLabels: [] } })
    expect(asked.report.passed).toBe(true)
  })

  it('may be of lists and tables too, and empty', async () => {
    const table = await check('a.csv', 'a,b\n1,2\n1e999,x\n', { kind: 'tabular' })
    expect(table.report).toMatchObject({ passed: true, total: 2 })
    const lists = await check('a.jsonl', '{"query_id":"q","candidates":[]}\nnonsense\n', { kind: 'ranking' })
    expect(places(lists).map(([, row]) => row)).toContain(2)
    expect((await check('a.jsonl', '')).report).toMatchObject({ passed: false, total: 0, errors: 0 })
  })
})
