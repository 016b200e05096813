import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import path from 'node:path'
import { EspalierError } from '../util/error.js'
import { sha256 } from '../util/hash.js'
import { type BlobStat, type BlobStore, type Digest, isDigest } from './blob-store.js'

const isAbsent = (error: unknown) => (error as { code?: string }).code === 'ENOENT'

const noBlob = (digest: Digest, cause: unknown) =>
  new EspalierError('NOT_FOUND', `There is no blob ${digest}`, { remedy: 'It was deleted, or belongs to another data folder.', cause })

const corrupt = (digest: Digest, file: string, length: number, found: string) =>
  new EspalierError('CORRUPT', `Blob ${digest} has changed on disk: its ${length} bytes hash to ${found}`, {
    remedy: `Restore ${file} from a backup, or produce it again.`,
  })

async function* piecesOf(bytes: Uint8Array | AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  if (bytes instanceof Uint8Array) yield bytes
  else yield* bytes
}

async function writeAll(file: FileHandle, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<Digest> {
  const hash = createHash('sha256')
  for await (const piece of piecesOf(bytes)) {
    hash.update(piece)
    for (let done = 0; done < piece.length; ) done += (await file.write(piece, done)).bytesWritten
  }
  await file.sync()
  return hash.digest('hex')
}

/** A rename survives power loss only once its folder is on disk. Windows cannot open folders, and needs no sync. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder)
  await handle.sync().finally(() => handle.close())
}

/**
 * Blobs as files: `<folder>/<first two hex digits>/<digest>`. A put writes under a temporary name, syncs, and renames: readers in any
 * process see all of a blob or nothing, also after a crash.
 */
export function localBlobs(folder: string): BlobStore {
  const incoming = path.join(folder, 'incoming')
  const fileOf = (digest: Digest): string => {
    // A digest comes from rows and requests and becomes a path here.
    if (!isDigest(digest)) throw new EspalierError('BAD_INPUT', `blob: found "${digest.slice(0, 80)}", expected a SHA-256 of 64 hex digits`)
    return path.join(folder, digest.slice(0, 2), digest)
  }

  async function statOf(digest: Digest): Promise<BlobStat | null> {
    try {
      const { size, mtime } = await stat(fileOf(digest))
      return { digest, bytes: size, savedAt: mtime }
    } catch (error) {
      if (isAbsent(error)) return null
      throw error
    }
  }

  async function settle(draft: string, digest: Digest): Promise<void> {
    const target = fileOf(digest)
    const present = await statOf(digest)
    if (present && present.bytes === (await stat(draft)).size && sha256(await readFile(target)) === digest) {
      // Kept already; touched, so that a collector's grace period begins anew.
      const now = new Date()
      await utimes(target, now, now)
      return
    }
    await mkdir(path.dirname(target), { recursive: true })
    await rename(draft, target)
    await syncFolder(path.dirname(target))
  }

  return {
    async put(bytes) {
      await mkdir(incoming, { recursive: true })
      const draft = path.join(incoming, randomBytes(12).toString('hex'))
      try {
        const file = await open(draft, 'wx')
        const digest = await writeAll(file, bytes).finally(() => file.close())
        await settle(draft, digest)
        return digest
      } finally {
        await rm(draft, { force: true })
      }
    },

    async get(digest) {
      const file = fileOf(digest)
      let bytes: Uint8Array
      try {
        bytes = await readFile(file)
      } catch (cause) {
        throw isAbsent(cause) ? noBlob(digest, cause) : cause
      }
      const found = sha256(bytes)
      if (found === digest) return bytes
      throw corrupt(digest, file, bytes.length, found)
    },

    async *read(digest) {
      const file = fileOf(digest)
      const hash = createHash('sha256')
      let length = 0
      try {
        for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
          hash.update(piece)
          length += piece.length
          yield piece
        }
      } catch (cause) {
        throw isAbsent(cause) ? noBlob(digest, cause) : cause
      }
      const found = hash.digest('hex')
      if (found !== digest) throw corrupt(digest, file, length, found)
    },

    has: async (digest) => (await statOf(digest)) !== null,
    stat: statOf,

    async delete(digest) {
      try {
        await rm(fileOf(digest))
        return true
      } catch (error) {
        if (isAbsent(error)) return false
        throw error
      }
    },

    async *list() {
      const shards = await readdir(folder).catch((error) => {
        if (isAbsent(error)) return []
        throw error
      })
      for (const shard of shards.filter((name) => /^[0-9a-f]{2}$/.test(name)).sort())
        for (const name of (await readdir(path.join(folder, shard))).filter(isDigest).sort()) {
          const found = await statOf(name)
          if (found) yield found
        }
    },
  }
}
