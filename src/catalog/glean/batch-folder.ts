import { mkdir, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { EspalierError, messageOf } from '../../util/error.js'
import { type BatchGroup, batchFileName, parseBatch, printBatch, timeOfFileName } from './batch-file.js'
import type { NewFact, RawKey } from './predicates.js'
import { defaultTimeoutMs, type FactQuery, type FactRange, type GleanTransport, matches, type WriteReceipt } from './transport.js'
import { counted, writeWhole } from './whole-file.js'

export interface BatchFolderOptions {
  folder: string
  prefix: string
  /** default 60,000 */
  timeoutMs?: number
}

const unreadable = (folder: string, cause: unknown): EspalierError =>
  new EspalierError(
    'UNAVAILABLE',
    `Glean batch folder ${folder}: cannot be read (${(cause as NodeJS.ErrnoException).code ?? messageOf(cause)})`,
    {
      cause,
      remedy: 'Set GLEAN_BATCH_DIR to a folder that exists; an export into it makes it.',
    },
  )

const noBatch = (file: string, cause: unknown): EspalierError =>
  new EspalierError('GLEAN_FAILED', `Glean batch file ${file}: ${messageOf(cause)}`, {
    cause,
    remedy: 'Mend the file or take it out of the folder; every other .json file in it is read as a batch.',
  })

/** Files of the folder that can hold what is asked for, the newest first; a file that is not named like ours counts as newest. */
async function candidates(folder: string, since: number | undefined): Promise<string[]> {
  const names = await readdir(folder).catch((cause) => {
    throw unreadable(folder, cause)
  })
  const timed = names
    .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .map((name) => ({ name, time: timeOfFileName(name) ?? Number.POSITIVE_INFINITY }))
    .filter(({ time }) => since === undefined || time >= since)
  return timed.sort((a, b) => b.time - a.time || (a.name < b.name ? 1 : -1)).map(({ name }) => name)
}

async function readBatch(file: string, signal: AbortSignal): Promise<BatchGroup[]> {
  const text = await readFile(file, { encoding: 'utf8', signal }).catch((cause) => {
    if (signal.aborted) throw signal.reason
    throw new EspalierError('UNAVAILABLE', `Glean batch file ${file}: cannot be read (${cause.code ?? messageOf(cause)})`, { cause })
  })
  try {
    return parseBatch(text)
  } catch (cause) {
    throw noBatch(file, cause)
  }
}

/** Facts in a folder of batch files: everything works with no Glean installed. One file is in memory at a time. */
export function openBatchFolder({ folder, prefix, timeoutMs = defaultTimeoutMs }: BatchFolderOptions): GleanTransport {
  async function* found(query: FactQuery, signal: AbortSignal): AsyncGenerator<RawKey> {
    for (const name of await candidates(folder, query.since)) {
      for (const group of await readBatch(path.join(folder, name), signal)) {
        if (group.predicate !== query.predicate) continue
        for (const key of group.keys) if (matches(key, query)) yield key
      }
      signal.throwIfAborted()
    }
  }

  return {
    name: 'batch',
    place: folder,

    async query(query: FactQuery, { offset = 0, limit = Number.POSITIVE_INFINITY }: FactRange = {}) {
      const abort = new AbortController()
      const tooLate = new EspalierError('TIMEOUT', `Glean batch folder ${folder}: not read within ${timeoutMs / 1000} s`, {
        remedy: 'Ask for fewer days, or move old batch files out of the folder.',
      })
      const timer = setTimeout(() => abort.abort(tooLate), timeoutMs)
      const keys: RawKey[] = []
      let passed = 0
      try {
        if (limit <= 0) return keys
        for await (const key of found(query, abort.signal)) {
          if (passed++ < offset) continue
          keys.push(key)
          if (keys.length >= limit) break
        }
        return keys
      } finally {
        clearTimeout(timer)
      }
    },

    async write(name: string, facts: AsyncIterable<NewFact> | Iterable<NewFact>): Promise<WriteReceipt> {
      const file = path.join(folder, batchFileName(name))
      const count = { n: 0 }
      try {
        await mkdir(folder, { recursive: true })
      } catch (cause) {
        throw unreadable(folder, cause)
      }
      await writeWhole(file, printBatch(counted(facts, count), prefix))
      return { target: file, facts: count.n }
    },
  }
}
