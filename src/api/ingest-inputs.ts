import fs, { createReadStream } from 'node:fs'
import path from 'node:path'
import type { BlobStore } from '../blobs/blob-store.js'
import type { IngestInput } from '../catalog/ingest.js'
import { headOf } from '../catalog/parsing/text-source.js'
import { type Dialect, detectDialect, isDialect, sources } from '../catalog/sources/index.js'
import { EspalierError } from '../util/error.js'
import type { DialectInput, SourceInput } from './types/ingest.js'

/** Bytes of all documents of one call that are read while the caller waits; more is a run of its own. */
export const largestIngest = 4 * 2 ** 20
/** Larger files are not held in memory. */
const largestHeld = 2 ** 20

/** The lists of documents that an ingest names, each of a dialect or of any. */
export interface IngestDocuments {
  jsonTables?: readonly SourceInput[] | null | undefined
  hiveDdls?: readonly SourceInput[] | null | undefined
  controlMFiles?: readonly SourceInput[] | null | undefined
  sources?: readonly DialectInput[] | null | undefined
}

/** Of several dialects, a text is of the first that its beginning looks like, else of the first. */
const dialectsOf: Record<Exclude<keyof IngestDocuments, 'sources'>, readonly [Dialect, ...Dialect[]]> = {
  jsonTables: ['json-table'],
  hiveDdls: ['hive-ddl'],
  controlMFiles: ['control-m-xml', 'control-m-json'],
}

type ListedInput = SourceInput & { dialects: readonly string[] }

/**
 * The texts of all documents, in the order given: lists by name, then files of a folder by path. A file is called by its path relative
 * to what the caller named; that name is part of ids where a source has no better one.
 */
export function readInputs(documents: IngestDocuments, mayReadPaths: boolean): IngestInput[] {
  const lists: [string, ListedInput[]][] = [
    ...Object.entries(dialectsOf).map(([list, dialects]): [string, ListedInput[]] => [
      list,
      (documents[list as keyof typeof dialectsOf] ?? []).map((input) => ({ ...input, dialects })),
    ]),
    ['sources', (documents.sources ?? []).map((input) => ({ ...input, dialects: input.dialect ? [input.dialect] : [] }))],
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
      if (typeof input.text === 'string') return [inputOf(input.name ?? `text ${++texts}`, input.text, input.dialects)]
      if (!mayReadPaths)
        throw new EspalierError('FORBIDDEN', `${where}: paths on the server are read only for its owner, who comes in without a key`, {
          remedy: 'Send the text.',
        })
      return readPath(input.path!, input.name, input.dialects as readonly Dialect[], where)
    }),
  )
  if (inputs.length > 0) return inputs
  throw new EspalierError('BAD_INPUT', 'ingest: found no document, expected at least one', {
    remedy: 'Give jsonTables, hiveDdls, controlMFiles or sources, each a list of { text } or { path }.',
  })
}

/** Of several dialects, the first that the beginning of the text looks like, else the first. */
function dialectOf(head: string, dialects: readonly string[]): string | undefined {
  const looksLike = (dialect: string) => isDialect(dialect) && sources[dialect].looksLike(head.replace(/^\uFEFF/, ''))
  return dialects.length > 1 ? (dialects.find(looksLike) ?? dialects[0]) : dialects[0]
}

function inputOf(file: string, text: string, dialects: readonly string[]): IngestInput {
  const dialect = dialectOf(text.slice(0, 4_000), dialects)
  return { file, text, ...(dialect ? { dialect } : {}) }
}

/** A file as an input, and how it begins. */
function fileInput(target: string, file: string, dialects: readonly string[]): { input: IngestInput; head: string } {
  const head = headOf({ path: target })
  const dialect = dialectOf(head, dialects)
  const text = fs.statSync(target).size > largestHeld ? { path: target } : fs.readFileSync(target, 'utf8')
  return { input: { file, text, ...(dialect ? { dialect } : {}) }, head }
}

function readPath(given: string, name: string | null | undefined, dialects: readonly Dialect[], where: string): IngestInput[] {
  const target = path.resolve(given)
  const hasExtension = (file: string) => dialects.some((d) => sources[d].extensions.some((e) => file.toLowerCase().endsWith(e)))
  try {
    if (!fs.statSync(target).isDirectory()) return [fileInput(target, name ?? path.basename(target), dialects).input]
    const files = filesIn(target).filter((file) => dialects.length === 0 || hasExtension(file))
    const read = files.map((file) => fileInput(path.join(target, file), file, dialects))
    const known = read.filter(({ input, head }) => dialects.length > 0 || detectDialect(input.file!, head))
    if (known.length > 0) return known.map(({ input }) => input)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new EspalierError('BAD_INPUT', `${where}: ${given} cannot be read (${code ?? 'unknown reason'})`, {
      cause,
      remedy: `Name a file or folder that the server can read; relative paths start at ${process.cwd()}.`,
    })
  }
  throw new EspalierError(
    'BAD_INPUT',
    `${where}: the folder ${given} has no file of a known dialect${dialects.length > 0 ? ` (${dialects.join(', ')})` : ''}`,
  )
}

/** Files under a folder, hidden ones left out, by relative path with forward slashes, in order. */
const filesIn = (folder: string): string[] =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort()

/** Documents by the digests of their stored texts, as a run is told of them. */
export interface StoredDocument {
  dialect: string
  file: string
  blob: string
}

/** Stores the documents for a run; BAD_INPUT for one whose dialect is not told and not recognised. */
export async function storeInputs(inputs: readonly IngestInput[], blobs: BlobStore): Promise<StoredDocument[]> {
  const stored: StoredDocument[] = []
  for (const { file, text, dialect } of inputs) {
    const known = dialect ?? detectDialect(file!, headOf(text))
    if (!known) throw new EspalierError('BAD_INPUT', `${file}: its dialect was not recognised`, { remedy: 'Name the dialect.' })
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : createReadStream(text.path)
    stored.push({ dialect: known, file: file!, blob: await blobs.put(bytes) })
  }
  return stored
}

/** Names of variables with their text; anything else says what was expected. */
export function variablesOf(variables: unknown): Record<string, string> | undefined {
  if (variables === null || variables === undefined) return undefined
  const isRecord =
    typeof variables === 'object' && !Array.isArray(variables) && Object.values(variables).every((v) => typeof v === 'string')
  if (isRecord) return variables as Record<string, string>
  throw new EspalierError('BAD_INPUT', `variables: found ${JSON.stringify(variables).slice(0, 100)}, expected an object of names and texts`)
}
