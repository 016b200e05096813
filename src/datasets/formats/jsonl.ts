import { problem } from '../../util/problem.js'
import { datasetKinds } from '../version.js'
import type { DatasetFormat, ReadItem, RowSource } from './format.js'
import { readLines } from './lines.js'
import { decodeText, encodeText } from './text.js'

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A JSON text that should be an object, as an item. */
export function objectItem(text: string, where: string): ReadItem {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const suggestion = /\b(NaN|-?Infinity)\b/.test(text) ? { suggestion: 'NaN and Infinity are not JSON: replace or remove them.' } : {}
    return { where, problems: [problem({ code: 'not-json', where, found: text, expected: 'one JSON object', ...suggestion })] }
  }
  if (isObject(value)) return { where, value }
  return { where, problems: [problem({ code: 'not-an-object', where, found: text, expected: 'a JSON object with the fields of a row' })] }
}

async function* printed(rows: RowSource): AsyncGenerator<string> {
  for await (const row of rows()) yield `${JSON.stringify(row)}\n`
}

/** JSON Lines (https://jsonlines.org): a row a line. The form that rows are kept in. */
export const jsonl: DatasetFormat = {
  name: 'jsonl',
  title: 'JSON Lines: one object a line',
  extensions: ['.jsonl', '.ndjson'],
  mediaType: 'application/x-ndjson',
  kinds: datasetKinds,
  loses: null,
  async *read(source, { file }) {
    for await (const { number, text } of readLines(decodeText(source, file)))
      if (text.trim() !== '') yield objectItem(text, `${file}:${number}`)
  },
  write: (rows) => encodeText(printed(rows)),
}
