import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBatchFolder } from '../../../../src/catalog/glean/batch-folder.js'
import { openCli } from '../../../../src/catalog/glean/cli.js'
import { findOnPath } from '../../../../src/catalog/glean/command.js'
import type { NewFact } from '../../../../src/catalog/glean/predicates.js'
import { openRest } from '../../../../src/catalog/glean/rest.js'
import type { GleanTransport } from '../../../../src/catalog/glean/transport.js'
import { EspalierError } from '../../../../src/util/error.js'
import { checkValue, parseSchema, runQuery } from './angle-reader.mjs'
import { batchText, columnFact, day, exportName, fileName, manifestFact, prefix, stamp, temporaryFolder } from './facts.js'

const schemaFile = path.resolve(import.meta.dirname, '../../../../schema/espalier.angle')
const schema = parseSchema(fs.readFileSync(schemaFile, 'utf8'))

type Fault = 'hang' | 'garbage' | 'fail'

/** A Glean of one kind: what a transport reaches, filled from outside, and made to fail. */
interface World {
  open(timeoutMs?: number): GleanTransport
  fill(name: string, facts: readonly NewFact[]): Promise<void>
  faulty(fault: Fault, timeoutMs?: number): GleanTransport
  gone(): GleanTransport
}

function batchWorld(): World {
  const folder = temporaryFolder()
  const open = (timeoutMs?: number) => openBatchFolder({ folder, prefix, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
  return {
    open,
    fill: async (name, facts) => fs.writeFileSync(path.join(folder, `graph_${name}.json`), await batchText(facts)),
    faulty: (fault) => {
      if (fault !== 'garbage') throw new Error(`a folder cannot ${fault}`)
      const broken = temporaryFolder()
      fs.writeFileSync(path.join(broken, fileName(day(3))), '[{"predicate": "a.Node.1", "facts": [')
      return openBatchFolder({ folder: broken, prefix })
    },
    gone: () => openBatchFolder({ folder: path.join(folder, 'missing'), prefix }),
  }
}

const fake = path.join(import.meta.dirname, 'fake-glean.mjs')

/** An executable that is found by its path alone, and sets up the fake behind it. */
export function fakeGlean(root: string, fault = ''): string {
  const file = path.join(root, `glean${fault}`)
  const settings = `FAKE_GLEAN_ROOT='${root}' FAKE_GLEAN_SCHEMA='${schemaFile}' FAKE_GLEAN_FAULT='${fault}'`
  fs.writeFileSync(file, `#!/bin/sh\n${settings} exec '${process.execPath}' '${fake}' "$@"\n`, { mode: 0o755 })
  return file
}

function cliWorld(): World {
  const root = temporaryFolder()
  const openWith = (binary: string, timeoutMs = 20_000) => openCli({ binary, database: 'amodels', prefix, timeoutMs })
  const open = (timeoutMs?: number) => openWith(fakeGlean(root), timeoutMs)
  return {
    open,
    fill: async (name, facts) => void (await open().write(name, facts)),
    faulty: (fault, timeoutMs) => openWith(fakeGlean(root, fault), timeoutMs),
    gone: () => openWith(path.join(root, 'no-glean')),
  }
}

async function restWorld(): Promise<World> {
  const facts: { id: number; predicate: string; key: unknown }[] = []
  let fault: Fault | null = null
  const answer = (body: { predicate: string; query: string; limit: number }): string => {
    const found = runQuery(body.query, facts, schema, body.limit)
    if (!body.query.includes(body.predicate)) throw new Error('the predicate is not the one of the query')
    // one fact comes as an object, not as a list of one
    return JSON.stringify(found.length === 1 ? found[0] : found)
  }
  const server = http.createServer((request, response) => {
    let text = ''
    request.on('data', (piece) => (text += piece))
    request.on('end', () => {
      if (fault === 'hang') return
      if (fault === 'garbage') return response.end('<html>')
      if (fault === 'fail' || request.method !== 'POST' || request.url !== '/query') {
        response.statusCode = 500
        return response.end('no such database')
      }
      response.end(answer(JSON.parse(text)))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  const open = (timeoutMs = 20_000) => openRest({ url, prefix, timeoutMs })
  return {
    open: (timeoutMs) => {
      fault = null
      return open(timeoutMs)
    },
    async fill(_name, added) {
      // the newest export first, as the others have it
      const keyed = added.map(({ predicate, key }, i) => ({ id: 1024 + facts.length + i, predicate: `${prefix}.${predicate}.1`, key }))
      for (const { predicate, key } of keyed) checkValue(key, schema.predicates[predicate]!, predicate)
      facts.unshift(...keyed)
    },
    faulty: (wanted, timeoutMs) => {
      fault = wanted
      return open(timeoutMs)
    },
    gone: () => openRest({ url: 'http://127.0.0.1:1', prefix }),
  }
}

const nasty = 'a"b\\c\n\u0000\u2028}; F where "x" | _ 😀'

const exports: { at: Date; facts: NewFact[] }[] = [1, 2, 3].map((n) => ({
  at: day(n),
  facts: [
    manifestFact({ entropy: n, kl: 0.25, columns: 2 }, stamp(day(n))),
    columnFact('a', 'int', stamp(day(n))),
    columnFact(n === 2 ? nasty : 'b', 'string', stamp(day(n))),
    columnFact('c', 'date', stamp(day(n), n === 3 ? 'oracle' : 'hive')),
  ],
}))

/** Gaps of an adapter, each with its reason. */
const gaps: Record<string, Partial<Record<'hang' | 'fail' | 'write', string>>> = {
  batch: { hang: 'a local folder answers', fail: 'a folder has no status' },
  cli: {},
  rest: { write: 'the bridge can only be read' },
}

const worlds = { batch: async () => batchWorld(), cli: async () => cliWorld(), rest: restWorld }

const failureOf = async (work: Promise<unknown>): Promise<EspalierError> => {
  const thrown = await work.then(
    () => null,
    (error: unknown) => error,
  )
  expect(thrown).toBeInstanceOf(EspalierError)
  return thrown as EspalierError
}

for (const [name, make] of Object.entries(worlds))
  describe(`the contract of a Glean transport: ${name}`, () => {
    const gap = gaps[name]!
    let world: World
    let empty: World
    beforeAll(async () => {
      ;[world, empty] = [await make(), await make()]
      for (const { at, facts } of exports) await world.fill(exportName(at), facts)
    })
    const nodes = { predicate: 'Node', where: { project_id: 'bank' } } as const
    const labels = (keys: readonly Record<string, unknown>[]) => keys.map(({ label }) => label)

    it('says what it is', () => expect(world.open()).toMatchObject({ name, place: expect.stringMatching(/./) }))

    it('has no facts where nothing was exported, and that is no error', async () => {
      expect(await empty.open().query(nodes)).toEqual([])
      expect(await world.open().query({ predicate: 'Edge', where: { project_id: 'bank' } })).toEqual([])
      expect(await world.open().query({ predicate: 'Node', where: { project_id: 'nobody' } })).toEqual([])
    })

    it('answers keys as they were written, the newest export first', async () => {
      const keys = await world.open().query(nodes)
      expect(labels(keys)).toEqual(['a', 'b', 'c', 'a', nasty, 'c', 'a', 'b', 'c'])
      expect(keys[0]).toEqual(exports[2]!.facts[1]!.key)
      expect(await world.open().query({ predicate: 'ExportManifest', where: {} })).toEqual(
        exports.map(({ facts }) => facts[0]!.key).reverse(),
      )
    })

    it('matches values, choices, and the time of the export', async () => {
      const query = (where: Record<string, string | string[]>, since?: Date) =>
        world.open().query({ predicate: 'Node', where, ...(since ? { since: since.getTime() / 1000 } : {}) })
      expect(labels(await query({ system_id: 'oracle' }))).toEqual(['c'])
      expect(labels(await query({ label: ['b', nasty], system_id: 'hive' }))).toEqual(['b', nasty, 'b'])
      expect(labels(await query({ label: nasty }))).toEqual([nasty])
      expect(await query({ label: [] })).toEqual([])
      expect(labels(await query({ project_id: 'bank' }, day(2)))).toEqual(['a', 'b', 'c', 'a', nasty, 'c'])
      expect(labels(await query({ project_id: 'bank' }, new Date(day(2).getTime() + 1000)))).toEqual(['a', 'b', 'c'])
      expect(await query({ project_id: 'bank' }, day(9))).toEqual([])
    })

    it('pages: the pages together are the whole', async () => {
      const whole = await world.open().query(nodes)
      for (const limit of [2, 5, 100]) {
        const pages = []
        for (let offset = 0; offset < whole.length; offset += limit) pages.push(...(await world.open().query(nodes, { offset, limit })))
        expect(pages).toEqual(whole)
      }
      expect(await world.open().query(nodes, { offset: 50, limit: 5 })).toEqual([])
      expect(await world.open().query(nodes, { limit: 0 })).toEqual([])
    })

    it('tells "could not ask" from "no data"', async () => {
      const gone = await failureOf(world.gone().query(nodes))
      expect(gone.code).toBe('UNAVAILABLE')
      expect(gone.cause).toBeInstanceOf(Error)
      expect(gone.remedy).toMatch(/GLEAN_/)
    })

    it('says that an answer is none', async () => {
      const garbled = await failureOf(world.faulty('garbage').query(nodes))
      expect(garbled.code).toBe('GLEAN_FAILED')
      expect((garbled.cause as Error).message + String((garbled.cause as Error).cause)).toMatch(/JSON|Unexpected/)
    })

    if (!gap.fail)
      it('tells of a failure', async () => {
        const failed = await failureOf(world.faulty('fail').query(nodes))
        expect(failed).toMatchObject({ code: 'GLEAN_FAILED', message: expect.stringMatching(/database/) })
        expect((failed.cause as Error).message).toMatch(/database/)
      })

    if (!gap.hang)
      it('gives up in time', async () => {
        const before = Date.now()
        const late = await failureOf(world.faulty('hang', 700).query(nodes))
        expect(late.code).toBe('TIMEOUT')
        expect(Date.now() - before).toBeLessThan(5_000)
      })

    if (!gap.write)
      it('writes an export that is then read', async () => {
        const { at, facts } = exports[1]!
        const receipt = await empty.open().write(exportName(at, 'w1'), facts)
        expect(receipt).toMatchObject({ facts: 4, target: expect.stringContaining(exportName(at, 'w1')) })
        expect(labels(await empty.open().query(nodes))).toEqual(['a', nasty, 'c'])
      })

    if (!gap.write)
      it('leaves nothing of an export that fails', async () => {
        const untouched = await make()
        async function* failing() {
          yield exports[0]!.facts[1]!
          throw new Error('the ledger is gone')
        }
        await expect(untouched.open().write(exportName(day(5)), failing())).rejects.toThrow('the ledger is gone')
        expect(await untouched.open().query(nodes)).toEqual([])
      })
  })

describe('the REST bridge', () => {
  it('refuses to write, and says what can', async () => {
    const failure = await failureOf(openRest({ url: 'http://127.0.0.1:1', prefix }).write('x', []))
    expect(failure).toMatchObject({ code: 'BAD_INPUT', remedy: expect.stringContaining('GLEAN_BATCH_DIR') })
  })
})

describe('the command line', () => {
  const commands = (root: string) =>
    fs
      .readFileSync(path.join(root, 'commands.log'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as string[])

  it('creates, writes in parts and finishes an instance of its own', async () => {
    const root = temporaryFolder()
    const transport = openCli({ binary: fakeGlean(root), database: 'amodels', prefix, schemaPath: '/schemas', factsPerFile: 3 })
    expect(await transport.write('20240101T000000Z_1', exports[0]!.facts)).toEqual({ target: 'amodels/20240101T000000Z_1', facts: 4 })
    const said = commands(root).map((args) => args.map((arg) => (arg.endsWith('facts.json') ? 'FILE' : arg)).join(' '))
    const db = '--schema /schemas'
    expect(said).toEqual([
      `${db} create --db amodels/20240101T000000Z_1`,
      `${db} write --db amodels/20240101T000000Z_1 FILE`,
      `${db} write --db amodels/20240101T000000Z_1 FILE`,
      `${db} finish --db amodels/20240101T000000Z_1`,
    ])
    await expect(transport.write('20240101T000000Z_1', exports[0]!.facts)).rejects.toMatchObject({
      code: 'GLEAN_FAILED',
      message: /already exists/,
    })
  })

  it('asks one instance where one is named, and no more facts than wanted', async () => {
    const root = temporaryFolder()
    const all = openCli({ binary: fakeGlean(root), database: 'amodels', prefix })
    for (const { at, facts } of exports) await all.write(exportName(at), facts)
    const one = openCli({ binary: fakeGlean(root), database: `amodels/${exportName(day(1))}`, prefix })
    const keys = await one.query({ predicate: 'Node', where: {} }, { limit: 2 })
    expect(keys.map((key) => key['exported_at'])).toEqual([day(1).toISOString(), day(1).toISOString()])
    expect(commands(root).at(-1)).toEqual(['query', '--db', `amodels/${exportName(day(1))}`, '--limit', '2', 'agenticAiETH.ETL.Node.1 _'])
  })

  it('does not see instances that are not finished', async () => {
    const root = temporaryFolder()
    const transport = openCli({ binary: fakeGlean(root), database: 'amodels', prefix })
    const wrong = { predicate: 'Node', key: { id: 'x' } } as unknown as NewFact
    await expect(transport.write('bad', [wrong])).rejects.toMatchObject({
      code: 'GLEAN_FAILED',
      message: expect.stringContaining('type error'),
    })
    expect(fs.existsSync(path.join(root, 'amodels/bad.json'))).toBe(true)
    expect(await transport.query({ predicate: 'Node', where: {} })).toEqual([])
  })

  it('finds executables on the PATH alone', () => {
    const root = temporaryFolder()
    fakeGlean(root)
    fs.writeFileSync(path.join(root, 'text'), '')
    expect(findOnPath('glean', `/nowhere${path.delimiter}${root}`)).toBe(path.join(root, 'glean'))
    expect(findOnPath('text', root)).toBeNull()
    expect(findOnPath('glean', '')).toBeNull()
  })
})

describe('the batch folder', () => {
  it('passes over drafts and other files, and reads batches of any name', async () => {
    const folder = temporaryFolder()
    fs.writeFileSync(path.join(folder, '.graph_20240101T000000Z_a.json.0123.tmp'), 'half')
    fs.writeFileSync(path.join(folder, 'notes.txt'), 'no batch')
    fs.writeFileSync(path.join(folder, 'theirs.json'), await batchText(exports[0]!.facts))
    const transport = openBatchFolder({ folder, prefix })
    expect(await transport.query({ predicate: 'Node', where: {}, since: day(1).getTime() / 1000 })).toHaveLength(3)
  })

  it('does not open files that are too old by their names', async () => {
    const folder = temporaryFolder()
    fs.writeFileSync(path.join(folder, fileName(day(1))), 'broken')
    const transport = openBatchFolder({ folder, prefix })
    expect(await transport.query({ predicate: 'Node', where: {}, since: day(2).getTime() / 1000 })).toEqual([])
    await expect(transport.query({ predicate: 'Node', where: {} })).rejects.toMatchObject({
      message: expect.stringContaining(fileName(day(1))),
    })
  })

  it('makes the folder that it exports into, and leaves only whole files', async () => {
    const folder = path.join(temporaryFolder(), 'new/one')
    await openBatchFolder({ folder, prefix }).write(exportName(day(1)), exports[0]!.facts)
    expect(fs.readdirSync(folder)).toEqual([fileName(day(1))])
  })
})
