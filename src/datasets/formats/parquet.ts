import path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { EspalierError, messageOf } from '../../util/error.js'
import { problem } from '../../util/problem.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import { type DatasetKind, datasetKinds } from '../version.js'
import { type ClassNames, classNames, named } from './class-names.js'
import { columnsOf, tabularColumns } from './columns.js'
import type { ByteSource, DatasetFormat, ReadItem, RowSource } from './format.js'
import { objectItem } from './jsonl.js'
import { readLines } from './lines.js'
import { isSpan } from './spans.js'
import { readFile, withFolder, writeFile } from './staging.js'
import { decodeText, encodeText } from './text.js'

/** DuckDB keeps within this and spills the rest to its folder. */
const memoryLimit = '256MB'
/** A line may be this long without telling DuckDB so (its default). */
const usualLine = 16 * 2 ** 20

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`
const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`

type Run = (sql: string) => Promise<Record<string, JsonValue>[]>

/** Runs one statement in a DuckDB of its own that may touch nothing outside `folder`. */
async function duck<T>(folder: string, work: (run: Run) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '2',
    memory_limit: memoryLimit,
    temp_directory: path.join(folder, 'spill'),
    autoinstall_known_extensions: 'false',
    preserve_insertion_order: 'true',
  })
  const connection = await instance.connect()
  try {
    return await work(async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, JsonValue>[])
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** A column of the file: how rows are staged for it, and DuckDB's type. */
interface Stored {
  name: string
  sql: string
  stage(value: JsonValue): JsonValue
}

const asIs = (value: JsonValue) => value
const asJson = (value: JsonValue) => JSON.stringify(value)

/** Entities as a list of structures, so that other tools read them without parsing; whatever does not fit them all stays JSON text. */
const entityStruct: Pick<Stored, 'sql' | 'stage'> = {
  sql: 'STRUCT("text" VARCHAR, "label" VARCHAR, "start" BIGINT, "end" BIGINT)[]',
  stage: (value) =>
    (value as JsonValue[]).map((entity) => {
      if (!isSpan(entity)) return entity
      const [text, label, start, end] = entity
      return { text, label, start, end }
    }),
}
const byType = { text: { sql: 'VARCHAR', stage: asIs }, number: { sql: 'DOUBLE', stage: asIs }, json: { sql: 'VARCHAR', stage: asJson } }

/** Tells our own files which columns of tabular rows are JSON text. */
const jsonKey = 'espalier_json'

async function storedColumns(rows: RowSource, kind: DatasetKind): Promise<{ columns: Stored[]; json: string[] }> {
  if (kind !== 'tabular')
    return {
      columns: columnsOf(kind).map(({ name, type }) => ({ name, ...(name === 'expected_entities' ? entityStruct : byType[type]) })),
      json: [],
    }
  const found = await tabularColumns(rows())
  return {
    columns: found.map(({ name, type, isBoolean, isInteger }) => ({
      name,
      ...(isBoolean ? { sql: 'BOOLEAN', stage: asIs } : isInteger ? { sql: 'BIGINT', stage: asIs } : byType[type]),
    })),
    json: found.filter((column) => column.type === 'json' && !column.isBoolean).map((column) => column.name),
  }
}

/** Rows as Parquet (zstd). DuckDB writes it from JSON lines that are staged on disk: it needs the whole to lay out the file. */
export const writeParquet = (rows: RowSource, kind: DatasetKind): AsyncIterable<Uint8Array> =>
  withFolder(async function* (folder) {
    const { columns, json } = await storedColumns(rows, kind)
    if (columns.length === 0)
      throw new EspalierError('BAD_INPUT', 'parquet: rows without any column, expected at least one', { remedy: 'Export as JSON Lines.' })
    const [staged, file] = [path.join(folder, 'rows.jsonl'), path.join(folder, 'rows.parquet')]
    let longest = 0
    async function* lines() {
      for await (const row of rows()) {
        const line = `{${columns
          .map(({ stage }, i) => {
            const value = (row as Properties)[columns[i]!.name]
            return `"c${i}":${value === undefined || value === null ? 'null' : JSON.stringify(stage(value))}`
          })
          .join(',')}}\n`
        longest = Math.max(longest, line.length * 3)
        yield line
      }
    }
    await writeFile(staged, encodeText(lines()))
    const shape = columns.map(({ sql }, i) => `c${i}: ${literal(sql)}`).join(', ')
    const selected = columns.map(({ name }, i) => `c${i} AS ${identifier(name)}`).join(', ')
    const source = `read_json(${literal(staged)}, format = 'newline_delimited', columns = {${shape}}, maximum_object_size = ${Math.max(usualLine, longest + 1024)})`
    await duck(folder, (run) =>
      run(
        `COPY (SELECT ${selected} FROM ${source}) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20000, KV_METADATA {${jsonKey}: ${literal(JSON.stringify(json))}})`,
      ),
    )
    yield* readFile(file)
  })

const safe = Number.MAX_SAFE_INTEGER

/** How a column is read where JSON cannot carry what it may hold: when it does hold it, and what is selected then. */
const readings: readonly { types: RegExp; holds: (column: string) => string; as: (column: string) => string; isNaN?: true }[] = [
  { types: /^(?:FLOAT|DOUBLE)$/, holds: (c) => `isnan(${c})`, as: (c) => `CASE WHEN isnan(${c}) THEN NULL ELSE ${c} END`, isNaN: true },
  // digits beyond what a number of ours has are kept as a text, of the whole column
  {
    types: /^(?:U?BIGINT|U?HUGEINT|DECIMAL.*)$/,
    holds: (c) => `${c} NOT BETWEEN -${safe} AND ${safe}`,
    as: (c) => `CAST(${c} AS VARCHAR)`,
  },
]

/** What is selected of the columns, and those in which NaN stands for what is missing. */
async function readableColumns(run: Run, source: string): Promise<{ selected: string; notANumber: string[] }> {
  const columns = (await run(`DESCRIBE SELECT * FROM ${source}`)).map((column) => {
    const [name, type] = [String(column['column_name']), String(column['column_type'])]
    return { name, quoted: identifier(name), reading: readings.find(({ types }) => types.test(type)) }
  })
  const asked = columns.flatMap(({ quoted, reading }, i) => (reading ? [`bool_or(${reading.holds(quoted)}) AS h${i}`] : []))
  const [found] = asked.length > 0 ? await run(`SELECT ${asked.join(', ')} FROM ${source}`) : []
  const hit = columns.map((_, i) => found?.[`h${i}`] === true)
  return {
    selected: columns.map(({ quoted, reading }, i) => (hit[i] ? `${reading!.as(quoted)} AS ${quoted}` : quoted)).join(', '),
    notANumber: columns.flatMap(({ name, reading }, i) => (hit[i] && reading!.isNaN ? [name] : [])),
  }
}

/** The rows of a Parquet file on disk, as objects of its columns. */
export async function* readParquetFile(parquet: string, folder: string, file: string): AsyncGenerator<ReadItem> {
  const staged = path.join(folder, `${path.basename(parquet)}.jsonl`)
  let json: string[] = []
  let classes: ClassNames = new Map()
  let notANumber: string[] = []
  try {
    await duck(folder, async (run) => {
      const known = await run(
        `SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata(${literal(parquet)}) WHERE decode(key) IN (${literal(jsonKey)}, 'huggingface')`,
      )
      const said = (key: string) => JSON.parse(String(known.find((one) => one['key'] === key)?.['value'] ?? '[]')) as unknown
      json = said(jsonKey) as string[]
      // what Hugging Face's own writer says of its columns: which numbers stand for which labels
      classes = classNames(said('huggingface'))
      const source = `read_parquet(${literal(parquet)})`
      const readable = await readableColumns(run, source)
      notANumber = readable.notANumber
      await run(`COPY (SELECT ${readable.selected} FROM ${source}) TO ${literal(staged)} (FORMAT json)`)
    })
  } catch (cause) {
    throw new EspalierError('BAD_INPUT', `${file}: ${messageOf(cause).split('\n')[0]!.replaceAll(folder, '')}, expected a Parquet file`, {
      cause,
    })
  }
  for (const column of notANumber) {
    const expected = 'numbers: NaN is read as null, which is what is missing'
    yield { where: file, problems: [problem({ severity: 'warning', code: 'nan', where: `${file}:${column}`, found: 'NaN', expected })] }
  }
  for await (const { number, text } of readLines(decodeText(readFile(staged), file))) {
    const item = objectItem(text, `${file} row ${number}`)
    for (const name of json) {
      const value = item.value?.[name]
      if (typeof value === 'string') item.value![name] = JSON.parse(value)
    }
    yield named(item, classes)
  }
}

export const readParquet = (source: ByteSource, file: string): AsyncIterable<ReadItem> =>
  withFolder(async function* (folder) {
    const staged = path.join(folder, 'rows.parquet')
    await writeFile(staged, source)
    yield* readParquetFile(staged, folder, file)
  })

/** Apache Parquet, read and written by DuckDB in bounded memory; a file is staged on disk, since its directory is at its end. */
export const parquet: DatasetFormat = {
  name: 'parquet',
  title: 'Apache Parquet',
  extensions: ['.parquet'],
  mediaType: 'application/vnd.apache.parquet',
  kinds: datasetKinds,
  loses: null,
  untyped: true,
  read: (source, { file }) => readParquet(source, file),
  write: (rows, { kind }) => writeParquet(rows, kind),
}
