import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { deflate, inflate } from 'node:zlib'
import { EspalierError } from '../util/error.js'
import type { JsonValue } from '../vocabulary.js'
import { canonicalRow, MerkleRoot, rowHash } from './version.js'

const [compress, decompress] = [promisify(deflate), promisify(inflate)]

/** The slice of a blob store that datasets need. */
export interface RowBlobs {
  put(bytes: Uint8Array): Promise<string>
  get(digest: string): Promise<Uint8Array>
}

export interface Chunk {
  ordinal: number
  /** digest of the compressed bytes */
  blob: string
  rowCount: number
  /** SHA-256 over the row hashes, lower-case hex */
  rowsHash: string
}

export interface WrittenRows {
  hash: string
  rowCount: number
  bytes: number
  chunks: Chunk[]
}

/** A chunk ends after a row whose hash is divisible by this, so that the same rows are cut the same way wherever they stand … */
const averageRows = 256
/** … or when it has grown past this many bytes, so that memory stays flat. */
const maxBytes = 4 * 1024 * 1024

type Rows<T> = Iterable<T> | AsyncIterable<T>

/**
 * Streams rows into blobs. Chunks are cut by content (Muthitacharoen et al. 2001, LBFS): a row added or removed changes the chunk it
 * lies in and leaves the others, which the versions then share.
 */
export async function writeRows(blobs: RowBlobs, rows: Rows<JsonValue>): Promise<WrittenRows> {
  const written: WrittenRows = { hash: '', rowCount: 0, bytes: 0, chunks: [] }
  const tree = new MerkleRoot()
  let texts: string[] = []
  let hashes: Buffer[] = []
  let size = 0
  const flush = async () => {
    const blob = await blobs.put(await compress(texts.join('\n')))
    written.chunks.push({ ordinal: written.chunks.length, blob, rowCount: texts.length, rowsHash: hashOf(hashes) })
    ;[texts, hashes, size] = [[], [], 0]
  }
  for await (const row of rows) {
    const text = canonicalRow(row, ++written.rowCount)
    const hash = rowHash(text)
    tree.add(hash)
    texts.push(text)
    hashes.push(hash)
    const bytes = Buffer.byteLength(text)
    size += bytes
    written.bytes += bytes
    if (hash.readUInt32BE(0) % averageRows === 0 || size >= maxBytes) await flush()
  }
  if (texts.length) await flush()
  written.hash = tree.root()
  return written
}

const hashOf = (hashes: readonly Buffer[]): string => {
  const hash = createHash('sha256')
  for (const h of hashes) hash.update(h)
  return hash.digest('hex')
}

/**
 * Streams the rows of chunks back, verified: every chunk against its hash before its first row is given out, the whole against
 * `expected.hash` at the end. What does not fit is a CORRUPT error that names the chunk.
 */
export async function* readChunkRows(
  blobs: RowBlobs,
  chunks: readonly Chunk[],
  expected: { name: string; hash: string },
): AsyncGenerator<JsonValue> {
  const tree = new MerkleRoot()
  for (const chunk of chunks) {
    const texts = await readChunk(blobs, chunk, expected.name)
    const hashes = texts.map(rowHash)
    if (texts.length !== chunk.rowCount || hashOf(hashes) !== chunk.rowsHash)
      throw corrupt(expected.name, chunk, 'other rows than were saved')
    for (const hash of hashes) tree.add(hash)
    for (const text of texts) yield JSON.parse(text) as JsonValue
  }
  const root = tree.root()
  if (root !== expected.hash)
    throw new EspalierError('CORRUPT', `${expected.name}: its rows hash to ${root}, expected ${expected.hash}`, { remedy })
}

const remedy = 'Restore the blob store and the database from one backup, or build the version again: equal data gives the equal hash.'

const corrupt = (name: string, { ordinal, blob }: Chunk, found: string, cause?: unknown) =>
  new EspalierError('CORRUPT', `${name}: chunk ${ordinal} (blob ${blob}) holds ${found}`, { remedy, cause })

async function readChunk(blobs: RowBlobs, chunk: Chunk, name: string): Promise<string[]> {
  let bytes: Uint8Array
  try {
    bytes = await blobs.get(chunk.blob)
  } catch (error) {
    if (!(error instanceof EspalierError) || (error.code !== 'CORRUPT' && error.code !== 'NOT_FOUND')) throw error
    throw corrupt(name, chunk, error.code === 'NOT_FOUND' ? 'nothing: the blob is gone' : 'other bytes than were saved', error)
  }
  try {
    return (await decompress(bytes)).toString('utf8').split('\n')
  } catch (error) {
    throw corrupt(name, chunk, 'bytes that cannot be decompressed', error)
  }
}
