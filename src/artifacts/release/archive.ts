import { constants, crc32, gunzipSync, inflateRawSync } from 'node:zlib'
import tar from 'tar-stream'
import { EspalierError, messageOf } from '../../util/error.js'

/** A file on its way into an archive. */
export interface ArchiveFile {
  path: string
  read(): Promise<Uint8Array>
}

/**
 * Files as a tar archive whose bytes depend on names, contents and `mtime` alone: sorted by name, owned by nobody, mode 644. One file is
 * in memory at a time.
 */
async function* packTar(files: readonly ArchiveFile[], mtime: Date): AsyncGenerator<Uint8Array> {
  const pack = tar.pack()
  const fill = async () => {
    for (const { path, read } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
      const bytes = await read()
      const header = { name: path, size: bytes.length, mtime, mode: 0o644, uid: 0, gid: 0, uname: '', gname: '', type: 'file' as const }
      await new Promise<void>((resolve, reject) => {
        pack.entry(header, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), (error) => (error ? reject(error) : resolve()))
      })
    }
    pack.finalize()
  }
  const filling = fill().catch((error) => pack.destroy(error))
  for await (const piece of pack) yield piece as Uint8Array
  await filling
}

const blockSize = 65_535
/** mtime 0, no flags, an unknown system */
const gzipHeader = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff)

function storedBlock(bytes: Uint8Array, isLast: boolean): Uint8Array {
  const block = Buffer.alloc(5 + bytes.length)
  block[0] = Number(isLast)
  block.writeUInt16LE(bytes.length, 1)
  block.writeUInt16LE(bytes.length ^ 0xffff, 3)
  block.set(bytes, 5)
  return block
}

/**
 * gzip (RFC 1952) of stored blocks (RFC 1951): what zlib compresses to differs between its versions and even between processors, and
 * weights hardly compress; stored, equal content is equal bytes everywhere.
 */
export async function* gzipStored(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield gzipHeader
  let [sum, length] = [0, 0]
  let rest: Uint8Array = new Uint8Array(0)
  for await (const piece of pieces) {
    sum = crc32(piece, sum)
    length += piece.length
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    for (; rest.length > blockSize; rest = rest.subarray(blockSize)) yield storedBlock(rest.subarray(0, blockSize), false)
  }
  yield storedBlock(rest, true)
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(sum >>> 0, 0)
  trailer.writeUInt32LE(length % 2 ** 32, 4)
  yield trailer
}

/** Files as a tar.gz, byte for byte the same for the same names, contents and `mtime`. */
export const packArchive = (files: readonly ArchiveFile[], mtime: Date): AsyncGenerator<Uint8Array> => gzipStored(packTar(files, mtime))

/** The tar inside a gzip, as much of it as can be read: a flipped byte is to be found in its file, not only in the sum over all. */
function gunzip(bytes: Uint8Array): Buffer {
  try {
    return gunzipSync(bytes)
  } catch (cause) {
    if (bytes.length < 18 || bytes[0] !== 0x1f || bytes[1] !== 0x8b)
      throw new EspalierError('CORRUPT', 'the package is not a gzip file', { cause, remedy: 'Download it again.' })
    return inflateRawSync(bytes.subarray(gzipHeader.length), { finishFlush: constants.Z_SYNC_FLUSH })
  }
}

/** The files of a tar.gz by path. CORRUPT when it cannot be read to its end. */
export async function readArchive(bytes: Uint8Array): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  const extract = tar.extract()
  try {
    extract.end(gunzip(bytes))
    for await (const entry of extract) {
      const pieces: Uint8Array[] = []
      for await (const piece of entry) pieces.push(piece as Uint8Array)
      if (entry.header.type === 'file') files.set(entry.header.name, Buffer.concat(pieces))
    }
  } catch (cause) {
    if (cause instanceof EspalierError) throw cause
    throw new EspalierError('CORRUPT', `the package cannot be read after ${files.size} files: ${messageOf(cause)}`, {
      cause,
      remedy: 'Download it again, or have it made again.',
    })
  }
  return files
}
