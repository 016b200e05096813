import fs from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openBatchFolder } from '../../../../src/catalog/glean/batch-folder.js'
import { createGleanClient } from '../../../../src/catalog/glean/client.js'
import { columnTypePatterns } from '../../../../src/catalog/glean/column-types.js'
import { decodeManifest, decodeNode, type GleanNode } from '../../../../src/catalog/glean/decode.js'
import { exportTrainingMetricsToGlean } from '../../../../src/catalog/glean/export.js'
import { chooseTransport, openExportTarget, openGlean } from '../../../../src/catalog/glean/open.js'
import type { NewFact } from '../../../../src/catalog/glean/predicates.js'
import { ingestGleanDataForTraining, trainingFiles } from '../../../../src/catalog/glean/training.js'
import { informationTrends } from '../../../../src/catalog/glean/trends.js'
import { columnFact, day, exportName, manifestFact, prefix, stamp, temporaryFolder } from './facts.js'

const now = () => day(31)
const settings = { predicatePrefix: prefix, dbName: 'amodels', useCli: false }

async function clientOn(exports: readonly { at: Date; facts: NewFact[] }[], folder = temporaryFolder()) {
  const transport = openBatchFolder({ folder, prefix })
  for (const [i, { at, facts }] of exports.entries()) await transport.write(exportName(at, `e${i}`), facts)
  return createGleanClient(transport, now)
}

const nodeOf = (name: string, type: string, at: Date) => decodeNode({ ...columnFact(name, type, stamp(at)).key }) as GleanNode

describe('information-theory metrics', () => {
  const manifests = [3, 1, 2].map((n) => decodeManifest({ ...manifestFact({ entropy: n / 2, kl: n, columns: 10 * n }, stamp(day(n))).key }))

  it('are trends in order of time, whatever the order of arrival', () => {
    const trends = informationTrends(manifests)
    expect(trends.metadata_entropy_trend).toEqual([1, 2, 3].map((n) => ({ date: day(n).toISOString(), value: n / 2 })))
    expect(trends.column_count_trend.map(({ value }) => value)).toEqual([10, 20, 30])
    expect(trends.averages).toEqual({ metadata_entropy: 1, kl_divergence: 2, column_count: 20 })
    expect(trends.sample_count).toBe(3)
    expect(informationTrends([...manifests].reverse())).toEqual(trends)
  })

  it('are dated by when they were true, not by when they were exported', () => {
    const late = decodeManifest({ ...manifestFact({ entropy: 9, kl: 9, columns: 9, observedAt: day(1, 12) }, stamp(day(20))).key })
    expect(informationTrends([...manifests, late]).column_count_trend.map(({ value }) => value)).toEqual([10, 9, 20, 30])
  })

  it('have no averages of nothing', () => {
    expect(informationTrends([])).toMatchObject({ averages: { metadata_entropy: null }, sample_count: 0 })
    expect(informationTrends([decodeManifest({ exported_at: '2024-01-01' })])).toMatchObject({ column_count_trend: [], sample_count: 1 })
  })
})

describe('column type patterns', () => {
  it('count each column once a day, with its last type', () => {
    const nodes = [
      nodeOf('a', 'int', day(1, 8)),
      nodeOf('a', 'int', day(1, 9)),
      nodeOf('a', 'BIGINT', day(1, 10)),
      nodeOf('b', 'string', day(1, 9)),
      nodeOf('b', 'string', day(2)),
    ]
    const patterns = columnTypePatterns(nodes)
    expect(patterns.type_distributions).toEqual([
      { date: '2024-01-01', types: { bigint: 1, string: 1 } },
      { date: '2024-01-02', types: { string: 1 } },
    ])
    expect(patterns.common_types).toEqual([
      { type: 'bigint', count: 1 },
      { type: 'string', count: 1 },
    ])
    expect(patterns.total_columns).toBe(2)
  })

  it('know real transitions alone: the same column, another type, a later export', () => {
    const id = (name: string) => `bank/hive/column:core.t.${name}`
    const nodes = [
      ...[nodeOf('a', 'int', day(1)), nodeOf('a', 'bigint', day(2)), nodeOf('a', 'int', day(3)), nodeOf('a', 'bigint', day(4))],
      ...[nodeOf('b', 'int', day(1)), nodeOf('b', 'bigint', day(3))],
      // never changed; another spelling of one type; two columns of different types
      ...[
        nodeOf('c', 'date', day(1)),
        nodeOf('c', 'date', day(4)),
        nodeOf('d', 'VARCHAR( 20 )', day(1)),
        nodeOf('d', 'varchar(20)', day(2)),
      ],
    ]
    expect(columnTypePatterns(nodes).type_transitions).toEqual([
      { from: 'int', to: 'bigint', count: 3, columns: [id('a'), id('b')] },
      { from: 'bigint', to: 'int', count: 1, columns: [id('a')] },
    ])
    fc.assert(
      fc.property(fc.shuffledSubarray(nodes, { minLength: nodes.length }), (shuffled) => {
        expect(columnTypePatterns(shuffled)).toEqual(columnTypePatterns(nodes))
      }),
    )
  })

  it('follow the time that the exports tell of, where their manifests say it', () => {
    const nodes = [nodeOf('a', 'int', day(20)), nodeOf('a', 'bigint', day(19))]
    const manifests = [
      manifestFact({ entropy: 1, kl: 1, columns: 1, observedAt: day(1) }, stamp(day(20))),
      manifestFact({ entropy: 1, kl: 1, columns: 1, observedAt: day(2) }, stamp(day(19))),
    ].map(({ key }) => decodeManifest({ ...key }))
    expect(columnTypePatterns(nodes, manifests).type_transitions).toMatchObject([{ from: 'int', to: 'bigint' }])
    expect(columnTypePatterns(nodes).type_transitions).toMatchObject([{ from: 'bigint', to: 'int' }])
  })
})

describe('the client', () => {
  const exports = [1, 28, 29].map((n) => ({
    at: day(n),
    facts: [
      manifestFact({ entropy: n, kl: n, columns: 1 }, stamp(day(n))),
      columnFact('a', n === 29 ? 'string' : 'int', stamp(day(n))),
      columnFact('b', 'int', stamp(day(n), 'other')),
    ],
  }))

  it('asks for a project, perhaps a system, and some days back', async () => {
    const client = await clientOn(exports)
    const count = async (...args: Parameters<typeof client.queryHistoricalNodes>) =>
      (await client.queryHistoricalNodes(...args)).items.length
    expect(await count('bank')).toBe(6)
    expect(await count('bank', 'hive')).toBe(3)
    expect(await count('bank', 'hive', 10)).toBe(2)
    expect(await count('bank', 'hive', 1)).toBe(0)
    expect(await count('nobody')).toBe(0)
    expect((await client.queryExportManifests('bank', 'hive')).items.map(({ metadataEntropy }) => metadataEntropy)).toEqual([29, 28, 1])
    expect(await client.queryHistoricalEdges('bank')).toEqual({ items: [], hasMore: false, unreadable: 0 })
  })

  it('pages, and says whether there is more', async () => {
    const client = await clientOn(exports)
    const first = await client.queryHistoricalNodes('bank', null, 30, 4)
    const second = await client.queryHistoricalNodes('bank', null, 30, 4, 4)
    expect([first.items.length, first.hasMore, second.items.length, second.hasMore]).toEqual([4, true, 2, false])
    expect([...first.items, ...second.items]).toEqual((await client.queryHistoricalNodes('bank')).items)
  })

  it('refuses senseless bounds', async () => {
    const client = await clientOn([])
    for (const work of [
      client.queryHistoricalNodes('bank', null, 0),
      client.queryHistoricalNodes('bank', null, 30, 0),
      client.queryHistoricalNodes('bank', null, 30, 10, -1),
      client.queryHistoricalNodes('bank', null, 1.5),
      client.queryExportManifests(''),
    ])
      await expect(work).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })

  it('learns trends and transitions from what it finds', async () => {
    const client = await clientOn(exports)
    expect((await client.queryInformationTheoryMetrics('bank', 'hive')).sample_count).toBe(3)
    expect((await client.queryColumnTypePatterns('bank', 'hive', 5)).type_transitions).toMatchObject([
      { from: 'int', to: 'string', count: 1 },
    ])
  })

  it('passes over keys that it cannot read, and counts them', async () => {
    const folder = temporaryFolder()
    const key = {
      kind: 'Column',
      project_id: 'bank',
      system_id: 'hive',
      exported_at: day(30).toISOString(),
      exported_at_epoch: day(30).getTime() / 1000,
    }
    fs.writeFileSync(
      path.join(folder, 'x.json'),
      JSON.stringify([{ predicate: 'x.Node.1', facts: [{ key }, { key: { ...key, id: 'a' } }] }]),
    )
    const page = await createGleanClient(openBatchFolder({ folder, prefix }), now).queryHistoricalNodes('bank')
    expect([page.items.length, page.unreadable]).toEqual([1, 1])
  })

  it('gathers what training reads, and writes it as five files', async () => {
    const client = await clientOn(exports)
    const outputDir = path.join(temporaryFolder(), 'out')
    const data = await ingestGleanDataForTraining(client, 'bank', 'hive', { outputDir, now: now() })
    expect(data.metadata).toMatchObject({ project_id: 'bank', node_count: 3, edge_count: 0, is_partial: false, transport: 'batch' })
    expect(fs.readdirSync(outputDir).sort()).toEqual(Object.keys(trainingFiles).sort())
    for (const [file, part] of Object.entries(trainingFiles))
      expect(JSON.parse(fs.readFileSync(path.join(outputDir, file), 'utf8'))).toEqual(JSON.parse(JSON.stringify(data[part])))
    expect(data.output_files).toEqual(Object.keys(trainingFiles).map((name) => path.join(outputDir, name)))
    const cut = await ingestGleanDataForTraining(client, 'bank', 'hive', { limit: 2, now: now() })
    expect(cut).toMatchObject({ output_files: [], metadata: { node_count: 2, is_partial: true } })
  })

  it('leaves what was there where writing fails', async () => {
    const client = await clientOn(exports)
    const outputDir = temporaryFolder()
    await ingestGleanDataForTraining(client, 'bank', 'hive', { outputDir, now: now() })
    const before = fs.readFileSync(path.join(outputDir, 'glean_nodes.json'), 'utf8')
    fs.rmSync(path.join(outputDir, 'glean_metadata.json'))
    fs.writeFileSync(path.join(outputDir, 'blocked'), '')
    const blocked = path.join(outputDir, 'blocked')
    await expect(ingestGleanDataForTraining(client, 'bank', 'hive', { outputDir: blocked, now: now() })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    })
    expect(fs.readFileSync(path.join(outputDir, 'glean_nodes.json'), 'utf8')).toBe(before)
  })

  it('writes training metrics as a batch', async () => {
    const folder = temporaryFolder()
    const transport = openBatchFolder({ folder, prefix })
    const evaluation = { runId: 'b1946ac9-2492', model: 'ggnn', projectId: 'bank', systemId: 'hive', metrics: { mrr: 0.5 } }
    const receipt = await exportTrainingMetricsToGlean(transport, evaluation, day(3))
    expect(receipt).toEqual({ target: path.join(folder, 'graph_20240103T000000Z_trainingb1946ac92492.json'), facts: 1 })
    const [key] = await transport.query({ predicate: 'TrainingMetrics', where: { project_id: 'bank' }, since: day(3).getTime() / 1000 })
    expect(key).toMatchObject({ run_id: 'b1946ac9-2492', metrics: [{ name: 'mrr', value: '0.5' }] })
  })
})

describe('the choice of a transport', () => {
  const nowhere = () => null
  const somewhere = () => '/bin/glean'
  const all = { ...settings, useCli: true, queryApiUrl: 'http://bridge', batchDir: '/batches' }

  it('is the command line, the bridge, the folder: the first that is there', () => {
    const chosen = (more: object, find: (name: string) => string | null) => {
      const { transport, notes } = chooseTransport({ ...all, ...more }, find)
      return [transport?.name, notes.join('; ')]
    }
    expect(chosen({}, somewhere)).toEqual(['cli', ''])
    expect(chosen({}, nowhere)).toEqual(['rest', 'there is no glean on the PATH; asking the REST bridge http://bridge'])
    expect(chosen({ queryApiUrl: undefined }, nowhere)).toEqual(['batch', 'there is no glean on the PATH; using the batch folder /batches'])
    expect(chosen({ useCli: false }, somewhere)).toEqual(['rest', 'asking the REST bridge http://bridge'])
    expect(chosen({ queryApiUrl: undefined, batchDir: undefined }, nowhere)).toEqual([undefined, 'there is no glean on the PATH'])
  })

  it('says how to configure one where there is none', () => {
    expect(() => openGlean(settings)).toThrow(
      expect.objectContaining({
        code: 'UNAVAILABLE',
        message: 'Glean is not configured',
        remedy: expect.stringContaining('GLEAN_BATCH_DIR'),
      }),
    )
  })

  it('exports to where it is told, else to what it reads', () => {
    expect(openExportTarget({ dir: '/x' }, all)).toMatchObject({ name: 'batch', place: '/x' })
    expect(openExportTarget({}, { ...settings, queryApiUrl: 'http://bridge', batchDir: '/batches' })).toMatchObject({
      name: 'batch',
      place: '/batches',
    })
    expect(() => openExportTarget({ dir: '/x', db: 'y' }, all)).toThrow(/both/)
    expect(() => openExportTarget({ db: '--help' }, all)).toThrow(/NAME/)
    expect(() => openExportTarget({}, settings)).toThrow(/not configured/)
  })
})
