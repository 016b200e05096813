import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { deleteFromCatalog } from '../../../src/catalog/deletion/deletion-store.js'
import { type IngestInput, ingest } from '../../../src/catalog/ingest.js'
import { pruneParsed } from '../../../src/catalog/parsing/parsed-store.js'
import { readEstate, readNode } from '../../../src/catalog/reads/read-store.js'
import type { Database } from '../../../src/postgres/sql.js'
import { freshDatabase } from '../../support/database.js'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-parsing-'))
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const day = (n: number) => new Date(Date.UTC(2024, 0, n))
/** Text enough to be worth keeping. */
const tables = (name: string, count = 300, type = 'int') =>
  Array.from({ length: count }, (_, i) => `create table core.${name}_${i} (id bigint, label string, amount ${type});`).join('\n')

let database: Database
let load: (inputs: readonly IngestInput[], n: number, more?: object) => ReturnType<typeof ingest>
beforeEach(async () => {
  database = (await freshDatabase()).database
  load = (inputs, n, more = {}) =>
    ingest(database, { ...{ projectId: 'p', systemId: 's', inputs, observedAt: day(n), now: day(20), complete: true }, ...more })
})

const hive = (file: string, text: IngestInput['text']): IngestInput => ({ dialect: 'hive-ddl', file, text })
const kept = async () =>
  (await database.query<{ digest: string; parts: number }>('select digest, parts from parsed_text order by bytes desc, digest')).rows
const column = (name: string) => readNode(database, `p/s/column:core.${name}`)

/** Changes what was kept of texts, so that it shows whether it is read. */
async function tamper(change: (json: string) => string): Promise<void> {
  const { rows } = await database.query<{ digest: string; part: number; content: Buffer }>('select * from parsed_part')
  for (const { digest, part, content } of rows)
    await database.query('update parsed_part set content = $3 where digest = $1 and part = $2', [
      ...[digest, part],
      gzipSync(change(gunzipSync(content).toString())),
    ])
}

describe('texts that were read before', () => {
  it('are not read again: one that changed is parsed, the others come from what was kept', async () => {
    await load([hive('a.sql', tables('a')), hive('b.sql', tables('b'))], 1)
    expect(await kept()).toHaveLength(2)
    await tamper((json) => json.replaceAll('"int"', '"smallint"'))
    const report = await load([hive('a.sql', tables('a')), hive('b.sql', tables('b', 300, 'double'))], 2)
    expect(report.problems).toEqual([])
    expect((await column('b_7.amount'))!.properties['data_type']).toBe('double')
    // as it was tampered with: nobody looked at the text
    expect((await column('a_7.amount'))!.properties['data_type']).toBe('smallint')
    expect(await kept()).toHaveLength(3)
  })

  it('say nothing new where all of them are the same: not even what was kept is looked at', async () => {
    const inputs = [hive('a.sql', tables('a')), hive('b.sql', `${tables('b')}\ncreate tabel broken;`)]
    const first = await load(inputs, 1)
    expect(first.problems).not.toEqual([])
    await database.query('delete from parsed_part; delete from parsed_text')
    await database.query(`insert into parsed_part select 'x', 0, ''::bytea`)
    const again = await load(inputs, 2)
    expect(again).toMatchObject({ changes: 0, isReplay: false, problems: first.problems, nodes: { unchanged: first.nodes.added } })
    expect(await kept()).toEqual([])
    // a second time, too; and after something else has come in between they are read
    expect(await load(inputs, 3)).toMatchObject({ changes: 0, problems: first.problems })
    await load([hive('c.sql', 'create table core.c (id int)')], 4, { complete: false })
    expect(await load(inputs, 5)).toMatchObject({ nodes: { removed: 2 } })
  })

  it('are read anew when what their reading depends on has changed: the file, the variables, the system', async () => {
    const text = tables('a').replaceAll('core.', '${DB}.')
    await load([hive('a.sql', text)], 1, { variables: { DB: 'one' } })
    await load([hive('a.sql', text)], 2, { variables: { DB: 'two' } })
    await load([hive('b.sql', text)], 3, { variables: { DB: 'two' } })
    await load([hive('b.sql', text)], 4, { variables: { DB: 'two' }, systemId: 't' })
    expect(await kept()).toHaveLength(4)
    expect(await readNode(database, 'p/s/column:two.a_7.amount')).not.toBeNull()
    expect(await readNode(database, 'p/s/column:one.a_7.amount')).toBeNull()
  })

  it('are read anew where what was kept is gone in the middle', async () => {
    const inputs = [hive('a.sql', tables('a', 3_000))]
    await load(inputs, 1)
    const before = await readEstate(database, { projectId: 'p' })
    expect((await kept())[0]!.parts).toBeGreaterThan(2)
    await database.query('delete from parsed_part where part = 1')
    await load([hive('b.sql', tables('b', 1))], 2)
    expect(await load(inputs, 3)).toMatchObject({ problems: [] })
    expect((await readEstate(database, { projectId: 'p' })).nodes).toEqual(before.nodes)
  })

  it('are forgotten with their project, by age and by size, and by a dry run not even kept', async () => {
    await load([hive('a.sql', tables('a'))], 1, { dryRun: true })
    expect(await kept()).toEqual([])
    for (const name of ['a', 'b', 'c']) await load([hive(`${name}.sql`, tables(name))], 1, { complete: false })
    expect(await kept()).toHaveLength(3)
    await pruneParsed(database, { bytes: 1 })
    expect(await kept(), 'what was used lately may be in use').toHaveLength(3)
    const [oldest, middle] = await kept()
    await database.query("update parsed_text set used_at = now() - interval '91 days' where digest = $1", [oldest!.digest])
    await database.query("update parsed_text set used_at = now() - interval '2 days' where digest = $1", [middle!.digest])
    await pruneParsed(database)
    expect(await kept()).toHaveLength(2)
    await pruneParsed(database, { bytes: 1 })
    expect(await kept()).toHaveLength(1)
    await database.query("update parsed_part set saved_at = now() - interval '2 days'")
    await pruneParsed(database)
    expect((await database.query('select distinct digest from parsed_part')).rows).toHaveLength(1)
    await database.transaction((client) => deleteFromCatalog(client, { kind: 'project', projectId: 'p' }))
    expect([await kept(), (await database.query('select 1 from parsed_part')).rows]).toEqual([[], []])
  })
})

describe('files', () => {
  it('are read as streams and give what their texts give, also with a byte order mark and characters cut in two', async () => {
    const rows = `\uFEFF[${Array.from({ length: 60_000 }, (_, i) => `{"größe": ${i}, "名": "日本${i}"}`).join(',\n')}]`
    const file = path.join(folder, 'wide.json')
    fs.writeFileSync(file, rows)
    expect(fs.statSync(file).size).toBeGreaterThan(1 << 20)
    const one = await load([{ file: 'wide.json', text: rows }], 1)
    const before = await readEstate(database, { projectId: 'p' })
    const { database: other } = await freshDatabase()
    const two = await ingest(other, {
      ...{
        projectId: 'p',
        systemId: 's',
        complete: true,
        observedAt: day(1),
        now: day(20),
        inputs: [{ file: 'wide.json', text: { path: file } }],
      },
    })
    expect(await readEstate(other, { projectId: 'p' })).toEqual(before)
    expect({ ...two, quality: 0 }).toEqual({ ...one, quality: 0 })
    expect(before.nodes.find((n) => n.name === '名')?.properties).toMatchObject({ data_type: 'string' })
  })

  it('that are not there are an error that names them', async () => {
    await expect(load([hive('a.sql', { path: path.join(folder, 'none.sql') })], 1)).rejects.toThrow('none.sql')
  })

  it('are refused with nothing saved where nothing can be read of any; where one can, the others are problems', async () => {
    const [broken, garbage] = [hive('broken.sql', 'create table ((('), { file: 'noise.bin', text: 'garbage' }]
    const read = hive('read.sql', 'create table core.a (id int);')
    const snapshots = async () => (await database.query<{ n: number }>('select count(*)::int as n from snapshot')).rows[0]!.n
    for (const inputs of [[broken], [garbage], [broken, garbage]])
      for (const more of [{}, { complete: false }, { dryRun: true }])
        await expect(load(inputs, 1, more)).rejects.toMatchObject({
          code: 'UNREADABLE',
          message: expect.stringMatching(/^nothing could be read: (broken\.sql|noise\.bin).*; nothing was saved$/),
          problems: expect.arrayContaining([expect.objectContaining({ severity: 'error' })]),
        })
    expect(await snapshots()).toBe(0)
    const { problems, nodes } = await load([broken, read, garbage], 1, { complete: false })
    expect(problems.map(({ where, severity }) => [where.split(':')[0], severity])).toEqual([
      ['noise.bin', 'error'],
      ['broken.sql', 'error'],
    ])
    expect(nodes.added).toBe(5)
  })

  it('say so where their bytes are no UTF-8, in memory and as files', async () => {
    const latin = (rows: number) =>
      Buffer.concat([Buffer.from(`${'-- line\n'.repeat(rows)}create table core.caf`), Buffer.from([0xe9]), Buffer.from(' (id int);')])
    const inFile = (name: string, rows: number) => {
      fs.writeFileSync(path.join(folder, name), latin(rows))
      return { path: path.join(folder, name) }
    }
    for (const [name, text, line] of [
      ['short.sql', latin(2).toString('utf8'), 3],
      ['file.sql', inFile('file.sql', 2), 3],
      ['long.sql', inFile('long.sql', 200_000), 200_001],
    ] as const) {
      const { problems } = await load([{ dialect: 'postgres-ddl', file: name, text }], 1, { dryRun: true })
      expect(problems).toMatchObject([{ severity: 'warning', code: 'not-utf-8', where: `${name}:${line}` }])
    }
    const { problems } = await load([{ dialect: 'postgres-ddl', file: 'good.sql', text: 'create table core.café (id int);' }], 1)
    expect(problems).toEqual([])
  })

  it('that say nothing are not taken for the end of a system', async () => {
    await load([hive('a.sql', 'create table core.a (id int);')], 1)
    for (const text of ['', ' \n', '-- the export failed'])
      await expect(load([hive('a.sql', text)], 2)).rejects.toMatchObject({
        code: 'UNREADABLE',
        message: 'nothing could be read: the file says nothing; nothing was saved',
      })
    const { problems, nodes } = await load([hive('a.sql', '')], 2, { complete: false })
    expect(problems).toMatchObject([{ severity: 'warning', code: 'says-nothing', where: 'a.sql', found: 'an empty file' }])
    expect(nodes).toMatchObject({ added: 0, removed: 0 })
  })
})
