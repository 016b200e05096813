import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { EspalierError, messageOf } from '../../util/error.js'
import { printAngle } from './angle.js'
import { printBatch } from './batch-file.js'
import { runCommand } from './command.js'
import type { NewFact, RawKey } from './predicates.js'
import { defaultTimeoutMs, type FactQuery, type FactRange, type GleanTransport, type WriteReceipt } from './transport.js'
import { counted, writeWhole } from './whole-file.js'

export interface CliOptions {
  /** the `glean` executable (command.ts finds it) */
  binary: string
  /** `amodels`: all its instances; `amodels/2024`: that one */
  database: string
  prefix: string
  /** given to every command as --schema */
  schemaPath?: string
  /** of each command; default 60,000 */
  timeoutMs?: number
  /** facts in one `glean write` (default 50,000: Glean asks for files well under 100 MB) */
  factsPerFile?: number
}

const badAnswer = (what: string, found: string, cause: unknown): EspalierError =>
  new EspalierError('GLEAN_FAILED', `${what}: found ${JSON.stringify(found.slice(0, 120))}, ${messageOf(cause)}`, {
    cause,
    remedy: 'Is this the glean of facebookincubator/Glean? Other tools have the same name.',
  })

/** One fact per line: `{"id": 1024, "key": {…}}`. */
function parseFacts(output: string): RawKey[] {
  return output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      try {
        const key = (JSON.parse(line) as { key?: unknown }).key
        if (typeof key === 'object' && key !== null) return key as RawKey
      } catch (cause) {
        throw badAnswer('glean query', line, cause)
      }
      throw badAnswer('glean query', line, new TypeError('expected a JSON object with a key on each line'))
    })
}

/** Complete instances from `glean list --format compact-json`, the newest first. */
function parseInstances(output: string, database: string): string[] {
  let list: unknown
  try {
    list = JSON.parse(output)
    if (!Array.isArray(list)) throw new TypeError('expected a JSON array of databases')
  } catch (cause) {
    throw badAnswer('glean list', output, cause)
  }
  return (list as { repo?: string; status?: string; created?: string }[])
    .filter(({ repo, status }) => repo?.startsWith(`${database}/`) && status === 'COMPLETE')
    .sort((a, b) => ((a.created ?? '') < (b.created ?? '') || (a.created === b.created && a.repo! < b.repo!) ? 1 : -1))
    .map(({ repo }) => repo!)
}

/** Divides facts into runs of at most `size`; each must be read to its end before the next is asked for. */
async function* runsOf(facts: AsyncIterable<NewFact> | Iterable<NewFact>, size: number): AsyncGenerator<NewFact[]> {
  let run: NewFact[] = []
  for await (const fact of facts) {
    run.push(fact)
    if (run.length < size) continue
    yield run
    run = []
  }
  if (run.length > 0) yield run
}

/** Glean by its command line: history is asked instance by instance; an export is a new instance, seen only once it is finished. */
export function openCli({
  binary,
  database,
  prefix,
  schemaPath,
  timeoutMs = defaultTimeoutMs,
  factsPerFile = 50_000,
}: CliOptions): GleanTransport {
  const glean = (...args: string[]) => runCommand(binary, schemaPath ? ['--schema', schemaPath, ...args] : args, { timeoutMs })
  const [name, pinned] = database.split('/') as [string, string?]

  const instances = async (): Promise<string[]> =>
    pinned ? [database] : parseInstances(await glean('list', '--format', 'compact-json', name), name)

  return {
    name: 'cli',
    place: database,

    async query(query: FactQuery, { offset = 0, limit }: FactRange = {}) {
      const angle = printAngle(query, prefix)
      const end = limit === undefined ? Number.POSITIVE_INFINITY : offset + limit
      const keys: RawKey[] = []
      for (const instance of end > 0 ? await instances() : []) {
        const wanted = end - keys.length
        keys.push(
          ...parseFacts(await glean('query', '--db', instance, ...(Number.isFinite(wanted) ? ['--limit', `${wanted}`] : []), angle)),
        )
        if (keys.length >= end) break
      }
      return keys.slice(offset, end)
    },

    async write(instance: string, facts: AsyncIterable<NewFact> | Iterable<NewFact>): Promise<WriteReceipt> {
      const target = `${name}/${pinned ?? instance}`
      const folder = await mkdtemp(path.join(os.tmpdir(), 'espalier-glean-'))
      const count = { n: 0 }
      try {
        await glean('create', '--db', target)
        for await (const run of runsOf(counted(facts, count), factsPerFile)) {
          const file = path.join(folder, 'facts.json')
          await writeWhole(file, printBatch(run, prefix))
          await glean('write', '--db', target, file)
        }
        await glean('finish', '--db', target)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
      return { target, facts: count.n }
    },
  }
}
