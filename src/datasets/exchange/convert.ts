import { EspalierError } from '../../util/error.js'
import type { JsonValue } from '../../vocabulary.js'
import type { ByteSource, DatasetFormat, RowSource } from '../formats/format.js'
import { assertCarries, formatOf } from '../formats/index.js'
import { readLines } from '../formats/lines.js'
import { readFile, withFolder, writeFile } from '../formats/staging.js'
import { decodeText, encodeText } from '../formats/text.js'
import { chooseFormat, type ImportOptions, shownProblems } from './import.js'
import { type RowReading, readRows } from './read-rows.js'

export interface Conversion {
  from: DatasetFormat
  to: DatasetFormat
  bytes: AsyncIterable<Uint8Array>
}

export interface ConvertRequest extends Pick<ImportOptions, 'format' | 'mapping' | 'spans' | 'keepUnknown'> {
  source: ByteSource
  file: string
  kind: RowReading['kind']
  /** format to write */
  to: string
  title?: string
}

/**
 * A file of one format as one of another, without a dataset: read and checked as an import would, written as an export would. Rows are
 * staged on disk, because some formats are written in two passes. BAD_INPUT when a row has an error.
 */
export async function convertFile(request: ConvertRequest): Promise<Conversion> {
  const { kind, file, title = file } = request
  const to = formatOf(request.to)
  assertCarries(to, kind)
  const { format: from, source } = await chooseFormat(request, file)
  const bytes = withFolder(async function* (folder) {
    const staged = `${folder}/rows.jsonl`
    await writeFile(staged, encodeText(linesOf(source, { ...request, kind, file, format: from })))
    const rows: RowSource = () => staging(staged)
    yield* to.write(rows, { kind, title })
  })
  return { from, to, bytes }
}

async function* staging(file: string): AsyncGenerator<JsonValue> {
  for await (const { text } of readLines(decodeText(readFile(file), file))) yield JSON.parse(text) as JsonValue
}

async function* linesOf(source: ByteSource, reading: RowReading): AsyncGenerator<string> {
  const problems = []
  for await (const { row, problems: own } of readRows(source, reading)) {
    problems.push(...own.filter((p) => p.severity === 'error').slice(0, shownProblems - problems.length))
    if (row && problems.length === 0) yield `${JSON.stringify(row)}\n`
  }
  if (problems.length > 0)
    throw new EspalierError('BAD_INPUT', `${reading.file} has errors`, { problems, remedy: 'Correct the lines that are named.' })
}
