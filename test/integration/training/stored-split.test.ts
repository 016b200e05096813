import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localBlobs } from '../../../src/blobs/local.js'
import { readConfig } from '../../../src/config.js'
import { partition, splitDatasetVersion } from '../../../src/datasets/splits/split-version.js'
import { saveDatasetVersion, saveRankingVersion } from '../../../src/datasets/store.js'
import type { DatasetVersion } from '../../../src/datasets/version.js'
import { startRun } from '../../../src/jobs.js'
import type { Platform } from '../../../src/platform.js'
import { readEvents } from '../../../src/runs/event-store.js'
import { prepareQueue } from '../../../src/runs/queue.js'
import { readRun } from '../../../src/runs/store.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { createLogger } from '../../../src/util/log.js'
import type { JsonValue, Properties } from '../../../src/vocabulary.js'
import { startWorker } from '../../../src/worker/worker.js'
import { freshDatabase } from '../../support/database.js'
import { toyLists } from '../../support/toy-lists.js'

const { database } = await freshDatabase()
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-stored-split-'))
const blobs = localBlobs(path.join(home, 'blobs'))
const platform: Platform = {
  ...{ config: readConfig({ home }, {}, home), database, blobs, executor: ortExecutor, executorFor: async () => ortExecutor },
  log: createLogger('error'),
  close: async () => undefined,
}
const now = new Date()
/** Chains of five nodes, of which the marked one is asked. */
const chains = (n: number): JsonValue[] =>
  Array.from({ length: n }, (_, i) => ({
    id: `c${i}`,
    node_features: Array.from({ length: 5 }, (_, node) => [node === i % 5 ? 1 : 0]),
    edge_index: [0, 1, 2, 3].map((node) => [node, node + 1]),
    target: i % 5,
  }))
let worker: Awaited<ReturnType<typeof startWorker>>
let ranked: DatasetVersion
let graphs: DatasetVersion
beforeAll(async () => {
  await prepareQueue(database)
  worker = await startWorker(platform)
  ranked = (await saveRankingVersion(database, blobs, { dataset: { projectId: 'toys', name: 'lists' }, lists: toyLists(60) }, now)).version
  const dataset = { projectId: 'toys', name: 'chains', kind: 'node' as const }
  graphs = (await saveDatasetVersion(database, blobs, { dataset, rows: chains(40) }, now)).version
  for (const version of [ranked, graphs])
    for (const [name, ratios] of Object.entries({ thirds: [0.5, 0.3, 0.2], halves: [0.5, 0.5] }))
      await splitDatasetVersion(database, blobs, { versionId: version.id, name, options: { ratios, seed: 2 } }, now)
})
afterAll(async () => {
  await worker?.stop()
  fs.rmSync(home, { recursive: true, force: true })
})

const training = { epochs: 1, batchExamples: 8, patience: null, threads: 1 }
const start = (options: object) => startRun(database, { kind: 'train-ggnn', options: { training, ...options } }, now)
async function trained(options: object): Promise<{ result: Properties; logs: string[] }> {
  const { id } = await start(options)
  await expect.poll(async () => (await readRun(database, id))!.state, { timeout: 60_000, interval: 50 }).toMatch(/completed|failed/)
  const run = (await readRun(database, id))!
  expect(run.state, JSON.stringify(run.error)).toBe('completed')
  const logs = (await readEvents(database, id)).flatMap((event) => (event.type === 'log' ? [event.message] : []))
  return { result: run.result!, logs }
}

describe('a training by a stored split', () => {
  it('ranks by its parts, and says which split it was', async () => {
    const { split } = await partition(database, ranked.id, 'thirds', toyLists(60))
    const { result, logs } = await trained({ datasetVersionId: ranked.id, split: 'thirds', model: { hidden: 8, steps: 2 } })
    expect(logs).toContain('trained on 30 lists, validated on 18, by the split thirds of the dataset')
    expect(result['dataset']).toMatchObject({
      validationLists: 18,
      split: { id: split.id, name: 'thirds', membershipHash: split.membershipHash, counts: { train: 30, validation: 18, test: 12 } },
    })
  })

  it('reads answers from graphs by its parts', async () => {
    const { result, logs } = await trained({
      readout: 'node',
      datasetVersionId: graphs.id,
      split: 'thirds',
      model: { hidden: 8, steps: 2 },
    })
    expect(logs.some((line) => line.includes('12 held out by the split thirds'))).toBe(true)
    expect(result['dataset']).toMatchObject({ examples: 32, validationExamples: 12, split: { name: 'thirds' } })
  })

  it('is refused without what it needs, before it is queued', async () => {
    const refused = (options: object) => expect(start(options)).rejects
    await refused({ split: 'thirds' }).toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('no dataset version') })
    await refused({ datasetVersionId: ranked.id, split: 'third' }).toMatchObject({ remedy: 'Did you mean "thirds"?' })
    await refused({ readout: 'node', datasetVersionId: graphs.id, split: 'halves' }).toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('has the parts train, test'),
    })
  })
})
