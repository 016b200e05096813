import { problem } from '../../util/problem.js'
import { datasetKinds } from '../version.js'
import type { DatasetFormat, ReadItem, RowSource, WriteOptions } from './format.js'
import { readJsonParts } from './json-elements.js'
import { objectItem } from './jsonl.js'
import { decodeText, encodeText } from './text.js'

/** Names that the list of examples goes by, and what may stand beside it. */
const listNames = ['examples', 'data', 'rows']

/** Problem or null: a member beside the list that is not `metadata` is not read, and that is said. */
const skipped = (name: string, where: string): ReadItem => ({
  where,
  problems: [
    problem({
      severity: 'warning',
      code: 'member-not-read',
      where,
      found: name,
      expected: 'examples and metadata: the other members are left out',
    }),
  ],
})

async function* printed(rows: RowSource, { metadata }: WriteOptions): AsyncGenerator<string> {
  yield metadata ? '{"examples":[' : '['
  let separator = '\n'
  for await (const row of rows()) {
    yield separator + JSON.stringify(row)
    separator = ',\n'
  }
  yield metadata ? `\n],"metadata":${JSON.stringify(metadata)}}\n` : '\n]\n'
}

/** One JSON document: `{"examples": […], "metadata": {…}}`, or the list alone. Read and written row by row. */
export const json: DatasetFormat = {
  name: 'json',
  title: 'JSON: {examples, metadata}, or a list',
  extensions: ['.json'],
  mediaType: 'application/json',
  kinds: datasetKinds,
  loses: null,
  async *read(source, { file }) {
    for await (const part of readJsonParts(decodeText(source, file), listNames)) {
      const where = `${file}:${part.line}`
      if (part.type === 'element') yield objectItem(part.text, where)
      else if (part.type === 'broken')
        yield { where, problems: [problem({ code: 'not-json', where, found: part.found, expected: part.expected })] }
      else if (part.name !== 'metadata') yield skipped(part.name, where)
    }
  },
  write: (rows, options) => encodeText(printed(rows, options)),
}
