import fs from 'node:fs'
import path from 'node:path'
import type { IngestInput } from '../catalog/ingest.js'
import { type Dialect, detectDialect, sources } from '../catalog/sources/index.js'
import { EspalierError } from '../util/error.js'
import type { DialectInput, SourceInput } from './types/ingest.js'

/** Bytes of all documents of one call; more is a run of its own. */
export const largestIngest = 32 * 2 ** 20

/** The lists of documents that an ingest names, each of a dialect or of any. */
export interface IngestDocuments {
  jsonTables?: readonly SourceInput[] | null | undefined
  hiveDdls?: readonly SourceInput[] | null | undefined
  controlMFiles?: readonly SourceInput[] | null | undefined
  sources?: readonly DialectInput[] | null | undefined
}

const dialectOf: Record<Exclude<keyof IngestDocuments, 'sources'>, Dialect> = {
  jsonTables: 'json-table',
  hiveDdls: 'hive-ddl',
  controlMFiles: 'control-m-xml',
}

/**
 * The texts of all documents, in the order given: lists by name, then files of a folder by path. A file is called by its path relative
 * to what the caller named; that name is part of ids where a source has no better one.
 */
export function readInputs(documents: IngestDocuments, mayReadPaths: boolean): IngestInput[] {
  const lists: [string, DialectInput[]][] = [
    ...Object.entries(dialectOf).map(([list, dialect]): [string, DialectInput[]] => [
      list,
      (documents[list as keyof typeof dialectOf] ?? []).map((input) => ({ ...input, dialect })),
    ]),
    ['sources', [...(documents.sources ?? [])]],
  ]
  let texts = 0
  const inputs = lists.flatMap(([list, given]) =>
    given.flatMap((input, i) => {
      const where = `${list}[${i}]`
      if ((typeof input.text === 'string') === (typeof input.path === 'string'))
        throw new EspalierError(
          'BAD_INPUT',
          `${where}: found ${input.text == null ? 'neither "text" nor "path"' : 'both "text" and "path"'}, expected one of them`,
        )
      if (typeof input.text === 'string') return [inputOf(input.name ?? `text ${++texts}`, input.text, input.dialect)]
      if (!mayReadPaths)
        throw new EspalierError('FORBIDDEN', `${where}: paths on the server are read only while it listens on loopback`, {
          remedy: 'Send the text.',
        })
      return readPath(input.path!, input.dialect as Dialect | undefined, where)
    }),
  )
  if (inputs.length > 0) return inputs
  throw new EspalierError('BAD_INPUT', 'ingest: found no document, expected at least one', {
    remedy: 'Give jsonTables, hiveDdls, controlMFiles or sources, each a list of { text } or { path }.',
  })
}

const inputOf = (file: string, text: string, dialect: string | null | undefined): IngestInput => ({
  file,
  text,
  ...(dialect ? { dialect } : {}),
})

function readPath(given: string, dialect: Dialect | undefined, where: string): IngestInput[] {
  const target = path.resolve(given)
  try {
    if (!fs.statSync(target).isDirectory()) return [inputOf(path.basename(target), fs.readFileSync(target, 'utf8'), dialect)]
    const files = filesIn(target).filter((file) => !dialect || sources[dialect].extensions.some((e) => file.toLowerCase().endsWith(e)))
    const read = files.map((file) => inputOf(file, fs.readFileSync(path.join(target, file), 'utf8'), dialect))
    const known = read.filter(({ file, text }) => dialect || detectDialect(file!, text.slice(0, 4_000)))
    if (known.length > 0) return known
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new EspalierError('BAD_INPUT', `${where}: ${given} cannot be read (${code ?? 'unknown reason'})`, {
      cause,
      remedy: `Name a file or folder that the server can read; relative paths start at ${process.cwd()}.`,
    })
  }
  throw new EspalierError('BAD_INPUT', `${where}: the folder ${given} has no file of a known dialect${dialect ? ` (${dialect})` : ''}`)
}

/** Files under a folder, hidden ones left out, by relative path with forward slashes, in order. */
const filesIn = (folder: string): string[] =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort()
