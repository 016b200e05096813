import { TextDecoder } from 'node:util'
import { EspalierError } from '../../util/error.js'
import type { ByteSource } from './format.js'

/**
 * Bytes as text: UTF-8, or UTF-16 where a byte-order mark says so (as spreadsheets save "Unicode text"). Bytes that are no text of that
 * encoding are a BAD_INPUT error, never a replacement character.
 */
export async function* decodeText(source: ByteSource, file: string): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined
  let bytes = 0
  const refuse = (cause: unknown) =>
    new EspalierError(
      'BAD_INPUT',
      `${file}: bytes before byte ${bytes} are no ${decoder?.encoding.toUpperCase()}, expected text in UTF-8`,
      {
        cause,
        remedy: 'Save the file as UTF-8.',
      },
    )
  for await (const chunk of source) {
    decoder ??= new TextDecoder(encodingOf(chunk), { fatal: true })
    bytes += chunk.length
    let text: string
    try {
      text = decoder.decode(chunk, { stream: true })
    } catch (cause) {
      throw refuse(cause)
    }
    if (text !== '') yield text
  }
  try {
    const rest = decoder?.decode()
    if (rest) yield rest
  } catch (cause) {
    throw refuse(cause)
  }
}

const encodingOf = (head: Uint8Array): string =>
  head[0] === 0xff && head[1] === 0xfe ? 'utf-16le' : head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : 'utf-8'

const pieceSize = 1 << 16

/** Texts as UTF-8 in pieces of about 64 KiB. */
export async function* encodeText(texts: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  let pending: string[] = []
  let length = 0
  for await (const text of texts) {
    pending.push(text)
    length += text.length
    if (length < pieceSize) continue
    yield encoder.encode(pending.join(''))
    ;[pending, length] = [[], 0]
  }
  if (pending.length > 0) yield encoder.encode(pending.join(''))
}
