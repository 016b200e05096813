import { createReadStream } from 'node:fs'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { ByteSource } from './format.js'

/** Calls `work` with an empty folder of the system's for temporary files, which is removed afterwards, also when the caller stops reading early. */
export async function* withFolder<T>(work: (folder: string) => AsyncIterable<T>): AsyncGenerator<T> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'espalier-dataset-'))
  try {
    yield* work(folder)
  } finally {
    await fs.rm(folder, { recursive: true, force: true })
  }
}

/** Writes pieces to a new file; answers how many bytes they are. */
export async function writeFile(file: string, source: ByteSource | Iterable<Uint8Array>): Promise<number> {
  const handle = await fs.open(file, 'wx')
  let bytes = 0
  try {
    for await (const piece of source) {
      await handle.writeFile(piece)
      bytes += piece.length
    }
  } finally {
    await handle.close()
  }
  return bytes
}

export const readFile = (file: string): AsyncIterable<Buffer> => createReadStream(file, { highWaterMark: 1 << 18 })
