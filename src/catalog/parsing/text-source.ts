import { createHash } from 'node:crypto'
import { closeSync, createReadStream, openSync, readSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { EspalierError } from '../../util/error.js'
import { sha256 } from '../../util/hash.js'

/** A text in memory, or one that lies in a file and is never held whole by who passes it on. UTF-8. */
export type TextSource = string | { path: string }

/** What tells a text from others. */
export interface TextPrint {
  sha256: string
  /** in UTF-8 */
  bytes: number
}

const pieceBytes = 1 << 20

/** The first `characters` of a text (or fewer), to recognise its dialect by. */
export function headOf(text: TextSource, characters = 4_000): string {
  if (typeof text === 'string') return text.slice(0, characters)
  const file = openSync(text.path, 'r')
  try {
    const buffer = Buffer.alloc(characters * 4)
    const bytesRead = readSync(file, buffer, 0, buffer.length, 0)
    // the last character may be cut
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(buffer.subarray(0, bytesRead), { stream: true }).slice(0, characters)
  } finally {
    closeSync(file)
  }
}

export const bytesOf = async (text: TextSource): Promise<number> =>
  typeof text === 'string' ? Buffer.byteLength(text) : (await stat(text.path)).size

/** Reads the whole of a file once, in flat memory. */
export async function printOf(text: TextSource): Promise<TextPrint> {
  if (typeof text === 'string') return { sha256: sha256(text), bytes: Buffer.byteLength(text) }
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of createReadStream(text.path, { highWaterMark: pieceBytes }) as AsyncIterable<Buffer>) {
    hash.update(piece)
    bytes += piece.length
  }
  return { sha256: hash.digest('hex'), bytes }
}

/** The pieces of a file as text; CONFLICT where it is not the text that `print` was taken of. */
async function* piecesOf(path: string, print: TextPrint): AsyncGenerator<string> {
  const hash = createHash('sha256')
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  for await (const piece of createReadStream(path, { highWaterMark: pieceBytes }) as AsyncIterable<Buffer>) {
    hash.update(piece)
    const text = decoder.decode(piece, { stream: true })
    if (text !== '') yield text
  }
  const rest = decoder.decode()
  if (rest !== '') yield rest
  if (hash.digest('hex') !== print.sha256)
    throw new EspalierError('CONFLICT', `${path} changed while it was read`, { remedy: 'Ingest it again when nobody writes it.' })
}

/** A text as parsers take it. */
export const readable = (text: TextSource, print: TextPrint): string | AsyncIterable<string> =>
  typeof text === 'string' ? text : piecesOf(text.path, print)
