import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs/promises'
import path from 'node:path'
import { EspalierError } from '../util/error.js'
import type { ApiClient } from './client.js'

const draftOf = (target: string) => path.join(path.dirname(target), `.${path.basename(target)}.${randomBytes(4).toString('hex')}`)

/** Makes a file or a folder under a temporary name beside its target, and moves it there once it is whole; what was made is removed on failure. */
export async function atomically(target: string, make: (draft: string) => Promise<void>): Promise<void> {
  await fs.mkdir(path.dirname(path.resolve(target)), { recursive: true })
  const draft = draftOf(path.resolve(target))
  try {
    await make(draft)
    await fs.rename(draft, target)
  } catch (error) {
    await fs.rm(draft, { recursive: true, force: true })
    throw error
  }
}

/** Throws CONFLICT where something is already. */
export async function refuseExisting(target: string): Promise<void> {
  if (await fs.stat(target).catch(() => null))
    throw new EspalierError('CONFLICT', `${target}: there is something already`, { remedy: 'Name another place, or remove it first.' })
}

/** Writes what a path of the server answers to a file and syncs it; CORRUPT when it is not what its digest says. */
export async function download(api: ApiClient, url: string, sha256: string, file: string): Promise<void> {
  const response = await api.get(url)
  const hash = createHash('sha256')
  const handle = await fs.open(file, 'wx')
  try {
    for await (const piece of response.body ?? []) {
      hash.update(piece)
      await handle.writeFile(piece)
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  const found = hash.digest('hex')
  if (found !== sha256)
    throw new EspalierError('CORRUPT', `${url}: what came hashes to ${found}, expected ${sha256}`, { remedy: 'Download it again.' })
}
