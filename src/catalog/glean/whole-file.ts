import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import path from 'node:path'

/** Characters that are gathered before a write: a fact at a time would be a system call each. */
const pieceSize = 1 << 16

/** A hidden name beside a file, for what is not yet whole. */
export const draftOf = (file: string): string =>
  path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}.tmp`)

/** Writes pieces of text into a new file, and syncs it. */
export async function writePieces(file: string, pieces: AsyncIterable<string> | Iterable<string>): Promise<void> {
  const handle = await open(file, 'wx')
  try {
    let gathered = ''
    for await (const piece of pieces) {
      gathered += piece
      if (gathered.length < pieceSize) continue
      await handle.writeFile(gathered)
      gathered = ''
    }
    await handle.writeFile(gathered)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Writes under a temporary name and renames: readers see all of the file or nothing, also after a crash. */
export async function writeWhole(file: string, pieces: AsyncIterable<string> | Iterable<string>): Promise<void> {
  const draft = draftOf(file)
  try {
    await writePieces(draft, pieces)
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true }).catch(() => {})
  }
}

/** Counts what passes. */
export async function* counted<T>(items: AsyncIterable<T> | Iterable<T>, count: { n: number }): AsyncGenerator<T> {
  for await (const item of items) {
    count.n++
    yield item
  }
}
