/** On the built code: threads cannot run TypeScript. */
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Fact } from '../../../src/catalog/fact.js'
import type * as Jobs from '../../../src/catalog/parsing/parse-job.js'
import type * as Pool from '../../../src/catalog/parsing/parse-pool.js'
import { decodeFacts, type ParsedHead } from '../../../src/catalog/parsing/parsed-facts.js'
import { parseSource } from '../../../src/catalog/sources/index.js'
import { sha256 } from '../../../src/util/hash.js'

const built = (file: string) => import(pathToFileURL(path.resolve(import.meta.dirname, '../../../dist/catalog/parsing', file)).href)
const { parseTexts } = (await built('parse-pool.js')) as typeof Pool

const context = { projectId: 'p', systemId: 's' }
const job = (dialect: string, file: string, text: string): Jobs.ParseJob => ({
  ...{ dialect, text, context: { ...context, file } },
  print: { sha256: sha256(text), bytes: Buffer.byteLength(text) },
})
const tables = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => `create table ${name}_${i} (id bigint comment 'größe', at date);`).join('\n')

interface Read {
  head: ParsedHead
  facts: Fact[]
  threaded: boolean
}

async function read(jobs: Jobs.ParseJob[], options: Pool.PoolOptions = {}): Promise<Read[]> {
  const all: Read[] = jobs.map(() => ({ head: { problems: [], facts: 0 }, facts: [], threaded: false }))
  await parseTexts(
    jobs,
    {
      async part(index, part, bytes) {
        expect(part * 5_000).toBe(all[index]!.facts.length)
        all[index]!.facts.push(...decodeFacts(bytes))
        all[index]!.threaded = true
      },
      async facts(index, facts) {
        all[index]!.facts = facts
      },
      async done(index, head) {
        all[index]!.head = head
      },
    },
    { leastBytes: 0, threads: 2, ...options },
  )
  return all
}

describe('texts parsed in threads', () => {
  it('say what they say in this one, whichever is done first', async () => {
    const jobs = [
      job('hive-ddl', 'a.sql', tables('a', 2_000)),
      job('mysql-ddl', 'b.sql', `${tables('b', 200)}\ncreate tabel x;`),
      job('hive-ddl', 'small.sql', tables('c', 1)),
      job('json-table', 'd/e.json', '[{"a": 1, "b": {"c": "2024-01-01"}}]'),
      job('control-m-xml', 'f.xml', '<DEFTABLE><FOLDER FOLDER_NAME="A"><JOB JOBNAME="J"><OUTCOND NAME="C"/></JOB></FOLDER></DEFTABLE>'),
    ]
    const threaded = await read(jobs)
    for (const [i, { dialect, text, context: own }] of jobs.entries()) {
      const { facts, problems } = await parseSource(dialect, text as string, own)
      expect(threaded[i]!.facts).toEqual(facts)
      expect(threaded[i]!.head).toEqual({ problems, facts: facts.length })
      expect(threaded[i]!.threaded).toBe(true)
    }
    // times of observation are dates again
    const dated = job('hive-ddl', 't.sql', "create table t (a int) tblproperties ('transient_lastDdlTime'='1500000000');")
    expect((await read([dated]))[0]!.facts.some((f) => f.fact === 'node' && f.observedAt?.getTime() === 1.5e12)).toBe(true)
    // a little is not worth a thread
    expect((await read([dated], { leastBytes: 1_000_000 }))[0]!.threaded).toBe(false)
  })

  it('that kill their thread are problems that name them, and the others are read', async () => {
    const jobs = [
      job('hive-ddl', 'one.sql', tables('a', 50)),
      job('hive-ddl', 'huge.sql', tables('b', 25_000)),
      job('hive-ddl', 'two.sql', tables('c', 50)),
    ]
    const found = await read(jobs, { heapMiB: 48, threads: 1 })
    expect(found[1]!.head).toMatchObject({
      isFailed: true,
      facts: 0,
      problems: [{ severity: 'error', code: 'parse-failed', where: 'huge.sql', found: expect.stringContaining('more than 48 MiB') }],
    })
    for (const i of [0, 2]) expect(found[i]!.head).toEqual({ problems: [], facts: expect.any(Number) })
    for (const i of [0, 2]) expect(found[i]!.facts.length).toBe(found[i]!.head.facts)
  }, 60_000)

  it('end when they are told to, and when who takes their facts cannot', async () => {
    const jobs = Array.from({ length: 6 }, (_, i) => job('hive-ddl', `${i}.sql`, tables(`t${i}`, 3_000)))
    const abort = new AbortController()
    setTimeout(() => abort.abort(new Error('enough')), 50)
    await expect(read(jobs, { signal: abort.signal })).rejects.toThrow('enough')
    const full = parseTexts(
      jobs,
      {
        part: () => Promise.reject(new Error('the disk is full')),
        facts: async () => undefined,
        done: async () => undefined,
      },
      { leastBytes: 0, threads: 2 },
    )
    await expect(full).rejects.toThrow('the disk is full')
  })

  it('of an unknown dialect are refused with what there is', async () => {
    await expect(read([job('cobol', 'a.cbl', 'x')])).rejects.toThrow('unknown dialect "cobol" for a.cbl')
  })
})
