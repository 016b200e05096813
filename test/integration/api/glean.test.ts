import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { trainingFiles } from '../../../src/catalog/glean/training.js'
import { readConfig } from '../../../src/config.js'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

let platform: TestPlatform
let server: LiveServer
let bare: LiveServer
let folder: string
beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-api-glean-'))
  platform = await testPlatform()
  const glean = (env: Record<string, string>) => ({ ...platform, config: readConfig({}, { GLEAN_USE_CLI: 'false', ...env }, folder) })
  server = await liveServer(glean({ GLEAN_BATCH_DIR: 'batches' }))
  bare = await liveServer(glean({}))
})
afterAll(async () => {
  await server?.close()
  await bare?.close()
  fs.rmSync(folder, { recursive: true, force: true })
})

const ddl = (type: string) => `CREATE TABLE core.t (id INT, amount ${type});`
const ingest = (type: string, at: string) =>
  server.ask(
    `mutation ($text: String!, $at: DateTime) { ingest(projectId: "bank", systemId: "hive", hiveDdls: [{ text: $text, name: "t.sql" }], observedAt: $at) { snapshotId changes nodes { added } } }`,
    { text: ddl(type), at },
  )

describe('Glean by GraphQL', () => {
  test('says how it is reached, and how to configure it', async () => {
    const status = '{ gleanStatus { isConfigured transport place notes remedy } }'
    expect((await server.ask(status)).gleanStatus).toEqual({
      isConfigured: true,
      transport: 'batch',
      place: path.join(folder, 'batches'),
      notes: [`using the batch folder ${path.join(folder, 'batches')}`],
      remedy: null,
    })
    expect((await bare.ask(status)).gleanStatus).toMatchObject({
      isConfigured: false,
      transport: null,
      remedy: expect.stringContaining('GLEAN_BATCH_DIR'),
    })
    const { errors } = await bare.post('{ queryHistoricalNodes(projectId: "bank") { nodes { id } } }')
    expect(errors![0]).toMatchObject({
      message: 'Glean is not configured',
      extensions: { code: 'UNAVAILABLE', remedy: expect.stringContaining('GLEAN_QUERY_API_URL') },
    })
  })

  test('a folder that is missing is no empty answer', async () => {
    const { errors } = await server.post('{ queryExportManifests(projectId: "bank") { manifests { nodeCount } } }')
    expect(errors![0]).toMatchObject({ extensions: { code: 'UNAVAILABLE' }, message: expect.stringContaining('ENOENT') })
  })

  test('exports a system, with its history, and audits it', async () => {
    const { errors } = await server.post('mutation { exportToGlean(projectId: "bank", systemId: "hive") { target } }')
    expect(errors![0]!.extensions.code).toBe('NOT_FOUND')
    await ingest('INT', '2024-01-01')
    await ingest('STRING', '2024-02-01')
    const { exportToGlean } = await server.ask(
      'mutation { exportToGlean(projectId: "bank", systemId: "hive", history: true) { snapshotId target exportedAt nodes edges facts } }',
    )
    expect(exportToGlean).toHaveLength(2)
    for (const { target, nodes, edges, facts } of exportToGlean) {
      expect(fs.existsSync(target)).toBe(true)
      expect(Number(facts)).toBe(nodes + edges + 1)
    }
    const elsewhere = path.join(folder, 'elsewhere')
    const one = await server.ask('mutation ($id: ID!, $dir: String) { exportSnapshotToGlean(snapshotId: $id, dir: $dir) { target } }', {
      id: exportToGlean[0].snapshotId,
      dir: elsewhere,
    })
    expect(path.dirname(one.exportSnapshotToGlean.target)).toBe(elsewhere)
    const { audit } = await server.ask('{ audit(action: "export-to-glean") { subject details } }')
    expect(audit).toHaveLength(3)
    for (const [query, code] of [
      ['mutation { exportSnapshotToGlean(snapshotId: "x") { target } }', 'NOT_FOUND'],
      ['mutation { exportToGlean(projectId: "bank", systemId: "hive", dir: "/a", db: "b") { target } }', 'BAD_USER_INPUT'],
    ] as const)
      expect((await server.post(query)).errors![0]!.extensions.code).toBe(code)
  })

  test('reads nodes, edges and manifests back, in pages', async () => {
    const nodes = 'nodes { id kind label qualifiedName projectId systemId exportedAt properties } hasNextPage endCursor unreadable'
    const { queryHistoricalNodes: whole } = await server.ask(`{ queryHistoricalNodes(projectId: "bank", systemId: "hive") { ${nodes} } }`)
    expect(whole).toMatchObject({ hasNextPage: false, unreadable: 0 })
    expect(whole.nodes.find(({ label }: { label: string }) => label === 'amount')).toMatchObject({
      kind: 'Column',
      projectId: 'bank',
      properties: { data_type: 'string' },
    })
    const pages = []
    for (let after: string | null = null; ; ) {
      const { page }: { page: typeof whole } = await server.ask(
        `query ($after: String) { page: queryHistoricalNodes(projectId: "bank", systemId: "hive", limit: 3, after: $after) { ${nodes} } }`,
        { after },
      )
      pages.push(...page.nodes)
      after = page.endCursor
      if (!page.hasNextPage) break
    }
    expect(pages).toEqual(whole.nodes)
    const { queryHistoricalEdges, queryExportManifests } = await server.ask(`{
      queryHistoricalEdges(projectId: "bank") { edges { sourceId label targetId discriminator exportedAt } }
      queryExportManifests(projectId: "bank", daysBack: 1) { manifests { nodeCount edgeCount metadataEntropy klDivergence columnCount actualDistribution metricsCalculatedAt exportFile } } }`)
    expect(queryHistoricalEdges.edges.map(({ label }: { label: string }) => label)).toContain('HAS_COLUMN')
    expect(queryExportManifests.manifests.map((m: { metricsCalculatedAt: string }) => m.metricsCalculatedAt).sort()).toEqual([
      '2024-01-01T00:00:00.000Z',
      '2024-02-01T00:00:00.000Z',
    ])
    const { errors } = await server.post('{ queryHistoricalNodes(projectId: "bank", limit: 100000) { hasNextPage } }')
    expect(errors![0]!.extensions.code).toBe('BAD_USER_INPUT')
  })

  test('tells trends and transitions', async () => {
    const { queryInformationTheoryMetrics: metrics, queryColumnTypePatterns: patterns } = await server.ask(`{
      queryInformationTheoryMetrics(projectId: "bank", systemId: "hive") { metadataEntropyTrend { date value } columnCountTrend { value } averages { columnCount } sampleCount }
      queryColumnTypePatterns(projectId: "bank", systemId: "hive") { typeDistributions { date types } commonTypes { type count } typeTransitions { from to count columns } totalColumns } }`)
    expect(metrics).toMatchObject({ columnCountTrend: [{ value: 2 }, { value: 2 }], averages: { columnCount: 2 }, sampleCount: 2 })
    expect(metrics.metadataEntropyTrend).toEqual([
      { date: '2024-01-01T00:00:00.000Z', value: 0 },
      { date: '2024-02-01T00:00:00.000Z', value: 1 },
    ])
    expect(patterns).toMatchObject({ typeTransitions: [{ from: 'int', to: 'string', count: 1 }], totalColumns: 2 })
  })

  test('gathers what training reads', async () => {
    const outputDir = path.join(folder, 'training')
    const { ingestGleanDataForTraining: data } = await server.ask(
      `mutation ($outputDir: String) { ingestGleanDataForTraining(projectId: "bank", systemId: "hive", outputDir: $outputDir) {
        nodes { id } edges { label } metrics { sampleCount } columnPatterns { totalColumns } metadata outputFiles } }`,
      { outputDir },
    )
    expect(data.outputFiles).toEqual(Object.keys(trainingFiles).map((name) => path.join(outputDir, name)))
    expect(data.metadata).toMatchObject({ node_count: data.nodes.length, edge_count: data.edges.length, transport: 'batch' })
  })

  test('a batch is a document like any other for ingest', async () => {
    const [file] = fs.readdirSync(path.join(folder, 'elsewhere'))
    const { ingest: report } = await server.ask(
      `mutation ($path: String!) { ingest(projectId: "bank", systemId: "hive", sources: [{ path: $path }], observedAt: "2024-01-01") { changes problemCount nodes { unchanged } } }`,
      { path: path.join(folder, 'elsewhere', file!) },
    )
    expect(report).toMatchObject({ changes: 0, problemCount: 0 })
    expect(report.nodes.unchanged).toBeGreaterThan(3)
  })
})
