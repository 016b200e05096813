import fs from 'node:fs/promises'
import path from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract, pack } from 'tar-stream'
import { EspalierError } from '../../util/error.js'
import type { ByteSource } from './format.js'
import { readFile, writeFile } from './staging.js'

/** A file of a folder: a text, or one that lies on disk. */
export interface FolderFile {
  /** with `/` between folders */
  path: string
  content: string | { file: string }
}

/** A folder as a tar archive: the same files give the same bytes. */
export async function* packFolder(files: readonly FolderFile[]): AsyncGenerator<Uint8Array> {
  const archive = pack({})
  const fill = async () => {
    for (const { path: name, content } of files) {
      const size = typeof content === 'string' ? Buffer.byteLength(content) : (await fs.stat(content.file)).size
      const entry = archive.entry({ name, size, mode: 0o644, mtime: new Date(0) })
      await pipeline(
        typeof content === 'string' ? Readable.from([Buffer.from(content)]) : readFile(content.file),
        entry as unknown as Writable,
      )
    }
    archive.finalize()
  }
  const filling = fill().catch((error: Error) => archive.destroy(error))
  for await (const piece of archive) yield piece as Uint8Array
  await filling
}

/** Bytes of files that an archive may hold: more than any honest one of these formats, less than a disk. */
const largestArchive = 64 * 2 ** 30
const largestCount = 10_000

/**
 * Unpacks the plain files of a tar archive (gzip or not) into `folder` under names of our own, so that no path of the archive is ever
 * one of this machine; answers path in the archive -> file on disk. Links and devices are left out.
 */
export async function unpackFolder(source: ByteSource, folder: string, file: string): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  let bytes = 0
  async function* limited(pieces: ByteSource) {
    for await (const piece of pieces) {
      bytes += piece.length
      if (bytes > largestArchive) throw new EspalierError('BAD_INPUT', `${file}: unpacks to more than ${largestArchive / 2 ** 30} GiB`)
      yield piece
    }
  }
  const archive = extract()
  const [head, all] = await peek(source)
  const input = Readable.from(all)
  const plain = head[0] === 0x1f && head[1] === 0x8b ? input.pipe(createGunzip()) : input
  input.on('error', (error) => archive.destroy(error))
  plain.on('error', (error) => archive.destroy(error))
  plain.pipe(archive)
  try {
    for await (const entry of archive) {
      const { name, type } = entry.header
      if (type !== 'file' || found.size >= largestCount) {
        entry.resume()
        continue
      }
      const target = path.join(folder, `part-${found.size}${path.extname(name).replace(/[^.\w]/g, '')}`)
      await writeFile(target, limited(entry as unknown as ByteSource))
      found.set(name.replace(/^\.\//, ''), target)
    }
  } catch (cause) {
    if (cause instanceof EspalierError) throw cause
    throw new EspalierError('BAD_INPUT', `${file}: no tar archive, expected a folder packed as .tar or .tar.gz`, {
      cause,
      remedy: 'Unpack a file that is only compressed (gunzip), and send what is in it.',
    })
  } finally {
    input.destroy()
  }
  return found
}

/** The first piece of bytes, and all of them. */
export async function peek(source: ByteSource): Promise<[Uint8Array, AsyncGenerator<Uint8Array>]> {
  const iterator = source[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  let done = false
  while (!done && head.length < 1024) {
    const next = await iterator.next()
    done = next.done === true
    if (!next.done) head = Buffer.concat([head, next.value])
  }
  async function* all() {
    try {
      if (head.length > 0) yield head
      while (!done) {
        const next = await iterator.next()
        if (next.done) return
        yield next.value
      }
    } finally {
      await iterator.return?.()
    }
  }
  return [head, all()]
}
