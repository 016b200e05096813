import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readAudit } from '../../../src/access/store.js'
import { saveDatasetVersion } from '../../../src/datasets/store.js'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

let platform: TestPlatform
let server: LiveServer
let versionId: string
beforeAll(async () => {
  platform = await testPlatform()
  server = await liveServer(platform)
  const rows = Array.from({ length: 100 }, (_, i) => ({ amount: i, colour: i % 2 ? 'red' : 'blue', paid: i % 5 === 0 }))
  const dataset = { projectId: 'shop', name: 'orders', kind: 'tabular' as const }
  const saved = await saveDatasetVersion(platform.database, platform.blobs, { dataset, rows }, new Date())
  versionId = saved.version.id
  await server.ask('mutation ($versionId: ID!) { splitDataset(versionId: $versionId) { id } }', { versionId })
})
afterAll(() => server?.close())

const steps = [
  { op: 'min-max', columns: ['amount'] },
  { op: 'one-hot', columns: ['colour'] },
]

describe('steps over the API', () => {
  test('are fitted on the training part, kept, and done to rows', async () => {
    const fitting = `mutation ($versionId: ID!, $steps: [JSON!]!) {
      fitDatasetOperations(versionId: $versionId, steps: $steps, split: "default") { name part hash fitted } }`
    const { fitDatasetOperations: fitted } = await server.ask(fitting, { versionId, steps })
    expect(fitted).toMatchObject({ name: 'default', part: 'train', fitted: { version: 1, rows: 80 } })
    const { fitDatasetOperations: again } = await server.ask(fitting, { versionId, steps })
    expect(again.hash).toBe(fitted.hash)
    const { amount } = fitted.fitted.steps[0].fitted
    const { operatedRows, datasetOperations } = await server.ask(
      `query ($versionId: ID!, $rows: [JSON!]!) {
        operatedRows(versionId: $versionId, rows: $rows) datasetOperations(versionId: $versionId) { hash } }`,
      { versionId, rows: [{ amount: amount.max, colour: 'red' }, { colour: 'pink' }] },
    )
    expect(operatedRows).toEqual([
      { amount: 1, 'colour=blue': 0, 'colour=red': 1 },
      { amount: null, 'colour=blue': 0, 'colour=red': 0 },
    ])
    expect(datasetOperations).toEqual([{ hash: fitted.hash }])
  })

  test('make a version, and the deed is written down', async () => {
    const { operateDataset } = await server.ask(
      `mutation ($versionId: ID!, $steps: [JSON!]!) {
        operateDataset(versionId: $versionId, steps: $steps, datasetName: "orders-ready", name: "ready", split: "default") {
          isNew version { number rowCount provenance } operations { hash } } }`,
      { versionId, steps },
    )
    expect(operateDataset).toMatchObject({ isNew: true, version: { number: '1.0', rowCount: '100', provenance: { made_from: versionId } } })
    const audit = await readAudit(platform.database, {})
    const deeds = audit.filter((row) => row.action === 'dataset-modified').map((row) => row.details)
    expect(deeds).toContainEqual(expect.objectContaining({ operations: 'ready', made_from: versionId }))
    expect(deeds).toContainEqual(expect.objectContaining({ operations: 'default' }))
  })

  test('stand beside a sample of the rows', async () => {
    const query =
      'query ($versionId: ID!, $seed: Int!, $count: Int! = 5) { datasetSample(versionId: $versionId, count: $count, seed: $seed) }'
    const draw = async (seed: number) => (await server.ask(query, { versionId, seed })).datasetSample as { amount: number }[]
    const sample = await draw(1)
    expect(sample).toHaveLength(5)
    expect(sample.map((row) => row.amount)).toEqual(sample.map((row) => row.amount).sort((a, b) => a - b))
    expect(await draw(1)).toEqual(sample)
    expect(await draw(2)).not.toEqual(sample)
    expect((await server.post(query, { versionId, seed: 1, count: 1001 })).errors![0]!.message).toContain('expected 1 to 1000')
  })

  test('that are wrong are refused with what is wrong', async () => {
    const { errors } = await server.post(
      'mutation ($versionId: ID!) { fitDatasetOperations(versionId: $versionId, name: "x", steps: [{ op: "min-max", columns: ["amuont"] }]) { id } }',
      { versionId },
    )
    expect(errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT' })
    expect(JSON.stringify(errors)).toContain('Did you mean \\"amount\\"?')
    const { errors: strange } = await server.post('query ($versionId: ID!) { operatedRows(versionId: $versionId, rows: ["a"]) }', {
      versionId,
    })
    expect(strange![0]!.message).toContain('as row 1')
  })
})
