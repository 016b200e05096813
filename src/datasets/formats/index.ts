import { didYouMean } from '../../util/closest.js'
import { EspalierError } from '../../util/error.js'
import type { DatasetKind } from '../version.js'
import { conll } from './conll.js'
import { croissant } from './croissant.js'
import { csv } from './csv.js'
import type { DatasetFormat } from './format.js'
import { huggingface, huggingfaceColumns } from './huggingface.js'
import { json } from './json.js'
import { jsonl } from './jsonl.js'
import { parquet } from './parquet.js'
import { spacy, spacyList } from './spacy.js'

/** Every format by its name. A new one is a file beside these and a line here. */
export const formats: Readonly<Record<string, DatasetFormat>> = Object.fromEntries(
  [jsonl, json, csv, parquet, huggingface, huggingfaceColumns, spacy, spacyList, conll, croissant].map((format) => [format.name, format]),
)
export const formatNames = Object.keys(formats)

/** What is never read and never written, and why. */
const refused: Readonly<Record<string, string>> = {
  pickle:
    'a pickle is a program that Python runs when it is loaded: reading one runs whatever its author wrote, and writing one asks others to do that',
}
const refusedNames: Readonly<Record<string, string>> = { pickle: 'pickle', pkl: 'pickle', joblib: 'pickle', dill: 'pickle' }

/** Throws BAD_INPUT: pickles are refused with the reason, and what can be used instead. */
export function refusePickle(what: string): never {
  throw new EspalierError('BAD_INPUT', `${what}: pickle is refused: ${refused['pickle']}`, {
    remedy:
      'Use JSON Lines (format jsonl): in Python, `pandas.read_pickle(file).to_json(other, orient="records", lines=True)` on a machine that trusts the file.',
  })
}

/** The format of this name; BAD_INPUT with what is near otherwise. */
export function formatOf(name: string): DatasetFormat {
  const known = Object.hasOwn(formats, name) ? formats[name] : undefined
  if (known) return known
  if (Object.hasOwn(refusedNames, name.toLowerCase())) refusePickle(`format ${name}`)
  throw new EspalierError('BAD_INPUT', `format "${name.slice(0, 40)}": expected one of ${formatNames.join(', ')}`, {
    remedy: didYouMean(name, formatNames) ?? 'Name one of these.',
  })
}

/** Throws BAD_INPUT when the format cannot carry rows of this kind. */
export function assertCarries(format: DatasetFormat, kind: DatasetKind): void {
  if (format.kinds.includes(kind)) return
  throw new EspalierError('BAD_INPUT', `format ${format.name} carries rows of the kind ${format.kinds.join(', ')}, found ${kind}`, {
    remedy: `Use ${formatNames.filter((name) => formats[name]!.kinds.includes(kind)).join(', ')}.`,
  })
}

const endingsOf = (all: readonly DatasetFormat[]) =>
  all
    .flatMap((format) => format.extensions.map((extension) => ({ extension, format })))
    .sort((a, b) => b.extension.length - a.extension.length)
let endings = endingsOf(Object.values(formats))

/** Adds a format of the site (modules.ts), by a name that is new. */
export function addFormat(format: DatasetFormat): void {
  ;(formats as Record<string, DatasetFormat>)[format.name] = format
  formatNames.push(format.name)
  endings = endingsOf(Object.values(formats))
}

/** The format that a file to be written is by its name; BAD_INPUT when it says none. */
export function formatOfFile(file: string): DatasetFormat {
  const name = file.toLowerCase()
  if (/\.(?:pkl|pickle|joblib|dill)$/.test(name)) refusePickle(file)
  const found = endings.find(({ extension }) => name.endsWith(extension))?.format
  if (found) return found
  throw new EspalierError('BAD_INPUT', `${file}: its name does not say its format`, {
    remedy: `End it with one of ${endings.map(({ extension }) => extension).join(', ')}, or name the format.`,
  })
}

const firstText = (head: Uint8Array): string =>
  new TextDecoder('utf-8')
    .decode(head)
    .replace(/^\uFEFF/, '')
    .trimStart()

/** Files that come in place of what is read here, and what to do about it. */
const foreign: readonly { starts: string; what: string; remedy: string }[] = [
  {
    starts: 'PK\x03\x04',
    what: 'a zip archive (which an Excel workbook is too)',
    remedy: 'Unpack it, or save the sheet as CSV (UTF-8).',
  },
  { starts: 'ARROW1\0\0', what: 'an Arrow file', remedy: 'Save it as Parquet: in Python, `dataset.to_parquet("rows.parquet")`.' },
  { starts: 'SQLite format 3', what: 'a SQLite database', remedy: 'Export the table as CSV or JSON Lines.' },
  { starts: '\x28\xb5\x2f\xfd', what: 'a zstd archive', remedy: 'Unpack it first.' },
  { starts: 'BZh91AY&SY', what: 'a bzip2 archive', remedy: 'Unpack it first.' },
]

/** What the first bytes give away beyond doubt. */
function byMagic(head: Uint8Array, file: string): DatasetFormat | null {
  const latin = Buffer.from(head).toString('latin1')
  // protocol 2 to 5 (PROTO opcode), as every pickle of the last twenty years begins
  if (head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5) refusePickle(file)
  if (latin.startsWith('PAR1')) return parquet
  for (const { starts, what, remedy } of foreign)
    if (latin.startsWith(starts)) throw new EspalierError('BAD_INPUT', `${file}: found ${what}, expected a file of one format`, { remedy })
  if (latin.startsWith('\x1f\x8b') || latin.slice(257, 262) === 'ustar')
    return latin.startsWith('metadata.json\0') ? croissant : huggingface
  return null
}

/** What a text looks like. */
function byText(text: string): DatasetFormat {
  if (text.startsWith('[')) {
    const inner = text.slice(1).trimStart()
    if (inner.startsWith('[')) return spacyList
    return /^\{\s*"(?:text|entities|cats)"[\s\S]*"(?:cats|entities)"\s*:/.test(inner) ? spacy : json
  }
  if (/^\{\s*"(?:text|labels?)"\s*:\s*\[/.test(text)) return huggingfaceColumns
  if (text.startsWith('{')) {
    const [line = ''] = text.split('\n', 1)
    try {
      JSON.parse(line)
      return text.length > line.length + 1 || !/"(?:examples|data|rows)"\s*:\s*\[/.test(line) ? jsonl : json
    } catch {
      // a first line that is longer than what was looked at, or a document over several lines
      return text.includes('\n') || /^\{\s*"(?:examples|data|rows|metadata)"/.test(text) ? json : jsonl
    }
  }
  return /^(?:-DOCSTART-|# text = |# row = |\S+[\t ](?:\S+[\t ])*(?:O|[BIES]-\S+)\r?\n)/.test(text) ? conll : csv
}

/** Reads a format off the name and the first bytes of a file (4 KiB or so); pickles are refused. */
export function detectFormat(file: string, head: Uint8Array): DatasetFormat {
  const name = file.toLowerCase()
  if (/\.(?:pkl|pickle|joblib|dill)$/.test(name)) refusePickle(file)
  const magic = byMagic(head, file)
  const ending = endings.find(({ extension }) => name.endsWith(extension))?.format
  if (magic) return ending === croissant ? croissant : magic
  // `.json` says little: it may be any of four
  return ending && ending !== json ? ending : byText(firstText(head))
}
