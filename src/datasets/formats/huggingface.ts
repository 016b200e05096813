import path from 'node:path'
import { parse as parseYaml, stringify as printYaml } from 'yaml'
import { EspalierError } from '../../util/error.js'
import { type Problem, problem } from '../../util/problem.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import { datasetKinds } from '../version.js'
import { type ClassNames, classNames, named } from './class-names.js'
import { columnsOf, tabularColumns } from './columns.js'
import { csv } from './csv.js'
import { packFolder, peek, unpackFolder } from './folder-archive.js'
import type { ByteSource, DatasetFormat, ReadItem, ReadOptions, RowSource, WriteOptions } from './format.js'
import { json } from './json.js'
import { jsonl } from './jsonl.js'
import { readParquet, readParquetFile, writeParquet } from './parquet.js'
import { labeledRow } from './rows.js'
import { convertSpans } from './spans.js'
import { readFile, withFolder, writeFile } from './staging.js'
import { encodeText } from './text.js'

type Feature = { name: string; dtype?: string; list?: Feature[] }

const entityFeature: Feature[] = [
  { name: 'text', dtype: 'string' },
  { name: 'label', dtype: 'string' },
  { name: 'start', dtype: 'int64' },
  { name: 'end', dtype: 'int64' },
]

/** What the Parquet file has, as Hugging Face's dataset_info says it (https://huggingface.co/docs/datasets/about_dataset_features). */
async function featuresOf(rows: RowSource, kind: WriteOptions['kind']): Promise<Feature[]> {
  if (kind !== 'tabular')
    return columnsOf(kind).map(({ name, type }) =>
      name === 'expected_entities' ? { name, list: entityFeature } : { name, dtype: type === 'number' ? 'float64' : 'string' },
    )
  return (await tabularColumns(rows())).map(({ name, type, isBoolean, isInteger }) => ({
    name,
    dtype: isBoolean ? 'bool' : isInteger ? 'int64' : type === 'number' ? 'float64' : 'string',
  }))
}

/** Spans as Python counts them: whoever loads this does so from Python. */
const inCodePoints = (rows: RowSource): RowSource =>
  async function* () {
    for await (const row of rows()) {
      const { text, expected_entities } = labeledRow(row)
      yield expected_entities
        ? ({ ...(row as Properties), expected_entities: convertSpans(text, expected_entities, 'utf16', 'code-points') } as JsonValue)
        : row
    }
  }

const dataFile = 'data/train-00000-of-00001.parquet'

function readme(
  features: readonly Feature[],
  rows: { count: number; bytes: number },
  { title, description, license }: WriteOptions,
): string {
  const card = {
    ...(license ? { license } : {}),
    pretty_name: title,
    configs: [{ config_name: 'default', data_files: [{ split: 'train', path: 'data/train-*' }] }],
    dataset_info: {
      features,
      splits: [{ name: 'train', num_bytes: rows.bytes, num_examples: rows.count }],
      download_size: rows.bytes,
      dataset_size: rows.bytes,
    },
  }
  return `---\n${printYaml(card)}---\n\n# ${title}\n${description ? `\n${description}\n` : ''}`
}

const writeFolder = (rows: RowSource, options: WriteOptions): AsyncIterable<Uint8Array> =>
  withFolder(async function* (folder) {
    const converted = options.kind === 'labeled-text' ? inCodePoints(rows) : rows
    let count = 0
    const counted: RowSource = async function* () {
      count = 0
      for await (const row of converted()) {
        count++
        yield row
      }
    }
    const data = path.join(folder, 'data.parquet')
    const bytes = await writeFile(data, writeParquet(counted, options.kind))
    const card = readme(await featuresOf(rows, options.kind), { count, bytes }, options)
    yield* packFolder([
      { path: 'README.md', content: card },
      { path: dataFile, content: { file: data } },
    ])
  })

async function readCard(files: ReadonlyMap<string, string>): Promise<ClassNames> {
  for (const [name, file] of files) {
    if (!/(?:^|\/)(?:README\.md|dataset_infos?\.json)$/.test(name)) continue
    const text = (await readFile(file)[Symbol.asyncIterator]().next()).value?.toString('utf8') ?? ''
    try {
      const names = classNames(name.endsWith('.md') ? parseYaml(/^---\n([\s\S]*?)\n---/.exec(text)?.[1] ?? '') : JSON.parse(text))
      if (names.size > 0) return names
    } catch {
      // a card that cannot be read tells nothing of the features; the data says what it says
    }
  }
  return new Map()
}

/** Format of a data file, by what its name ends with. */
const readers: readonly [RegExp, (path: string, folder: string, options: ReadOptions) => AsyncIterable<ReadItem>][] = [
  [/\.parquet$/, (file, folder, options) => readParquetFile(file, folder, options.file)],
  [/\.(?:jsonl|ndjson)$/, (file, _, options) => jsonl.read(readFile(file), options)],
  [/\.json$/, (file, _, options) => json.read(readFile(file), options)],
  [/\.csv$/, (file, _, options) => csv.read(readFile(file), options)],
]

const readArchive = (source: ByteSource, options: ReadOptions): AsyncIterable<ReadItem> =>
  withFolder(async function* (folder) {
    const files = await unpackFolder(source, folder, options.file)
    const names = await readCard(files)
    const isCard = (name: string) => /(?:^|\/)(?:dataset_infos?|state|metadata|croissant)\.json$/.test(name)
    const data = [...files]
      .filter(([name]) => !isCard(name) && readers.some(([pattern]) => pattern.test(name)))
      .sort(([a], [b]) => (a < b ? -1 : 1))
    if (data.length === 0)
      throw new EspalierError(
        'BAD_INPUT',
        `${options.file}: holds ${[...files.keys()].slice(0, 5).join(', ') || 'no file'}, expected data files`,
        {
          remedy: 'A folder of .parquet, .jsonl, .json or .csv files; Arrow files are saved as Parquet with `dataset.to_parquet`.',
        },
      )
    for (const [name, file] of data) {
      const [, read] = readers.find(([pattern]) => pattern.test(name))!
      for await (const item of read(file, folder, { ...options, file: `${options.file}/${name}` })) yield named(item, names)
    }
  })

/**
 * A dataset as Hugging Face's `datasets` loads it: a folder (packed as .tar) of a card with its features, and data as Parquet; spans in
 * code points. Read also from folders with JSON, JSON Lines or CSV, class labels named by the card, and from a bare Parquet file.
 */
export const huggingface: DatasetFormat = {
  name: 'huggingface',
  title: 'Hugging Face: a folder with a card and Parquet, as .tar',
  extensions: ['.tar', '.tar.gz', '.tgz'],
  mediaType: 'application/x-tar',
  kinds: datasetKinds,
  loses: null,
  untyped: true,
  spans: 'code-points',
  async *read(source, options) {
    const [head, all] = await peek(source)
    if (Buffer.from(head.subarray(0, 4)).toString('latin1') === 'PAR1') yield* readParquet(all, options.file)
    else yield* readArchive(all, options)
  },
  write: writeFolder,
}

async function* printColumns(rows: RowSource): AsyncGenerator<string> {
  const column = async function* (name: string, field: string) {
    yield `${JSON.stringify(name)}: [`
    let separator = ''
    for await (const row of rows()) {
      yield separator + JSON.stringify((row as Properties)[field] ?? null)
      separator = ', '
    }
    yield ']'
  }
  yield '{'
  yield* column('text', 'text')
  yield ', '
  yield* column('labels', 'expected_intent')
  yield '}\n'
}

/** Columns cannot be read row by row: the file is held whole, so it may not be larger. */
const largestColumns = 256 * 2 ** 20

async function readWhole(source: ByteSource, file: string): Promise<string> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of source) {
    bytes += piece.length
    if (bytes > largestColumns)
      throw new EspalierError(
        'BAD_INPUT',
        `${file}: more than ${largestColumns / 2 ** 20} MiB of columns in one JSON object, which must be read whole`,
        {
          remedy: 'Save it as Parquet or JSON Lines.',
        },
      )
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function columnsIn(text: string): Record<string, unknown[]> | null {
  try {
    const value = JSON.parse(text) as unknown
    const isColumns = value !== null && typeof value === 'object' && !Array.isArray(value) && Object.values(value).every(Array.isArray)
    return isColumns ? (value as Record<string, unknown[]>) : null
  } catch {
    return null
  }
}

const other = (name: string): string => (name === 'labels' || name === 'label' ? 'expected_intent' : name)

/** Plain columns, as `Dataset.from_dict` takes them: `{"text": […], "labels": […]}`. */
export const huggingfaceColumns: DatasetFormat = {
  name: 'huggingface-columns',
  title: 'Hugging Face, plain columns: {text, labels}',
  extensions: ['.columns.json'],
  mediaType: 'application/json',
  kinds: ['labeled-text'],
  loses: 'everything but the text and the intent',
  untyped: true,
  spans: 'code-points',
  async *read(source, { file }) {
    const columns = columnsIn(await readWhole(source, file))
    const lengths = new Set(Object.values(columns ?? {}).map((column) => column.length))
    if (!columns || lengths.size !== 1) {
      const found = columns ? `columns of ${[...lengths].join(', ') || 'no'} values` : 'something else'
      const problems: Problem[] = [
        problem({
          code: 'not-columns',
          where: file,
          found,
          expected: 'an object of lists that are equally long: {"text": […], "labels": […]}',
        }),
      ]
      yield { where: file, problems }
      return
    }
    for (let i = 0; i < [...lengths][0]!; i++)
      yield {
        where: `${file} row ${i + 1}`,
        value: Object.fromEntries(
          Object.entries(columns).flatMap(([name, values]) => (values[i] === null ? [] : [[other(name), values[i]]])),
        ),
      }
  },
  write: (rows) => encodeText(printColumns(rows)),
}
