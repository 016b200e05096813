import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readArtifactsOfRuns } from '../../../src/artifacts/store.js'
import { localBlobs } from '../../../src/blobs/local.js'
import { openBatchFolder } from '../../../src/catalog/glean/batch-folder.js'
import { exportSnapshotToGlean } from '../../../src/catalog/glean/export.js'
import { ingest } from '../../../src/catalog/ingest.js'
import { readSnapshots } from '../../../src/catalog/reads/read-store.js'
import { readConfig } from '../../../src/config.js'
import { readDatasetVersion, readRankingLists, saveRankingVersion, tagDatasetVersion } from '../../../src/datasets/store.js'
import { parseJobOptions, startRun } from '../../../src/jobs.js'
import type { Platform } from '../../../src/platform.js'
import { latestCheckpoint, readCheckpoints } from '../../../src/runs/checkpoint-store.js'
import { readEvents } from '../../../src/runs/event-store.js'
import { readRunFiles } from '../../../src/runs/file-store.js'
import { readUses } from '../../../src/runs/graph-store.js'
import { claimRun } from '../../../src/runs/lease-store.js'
import { prepareQueue } from '../../../src/runs/queue.js'
import { createRun, readRun, requestControl, transition } from '../../../src/runs/store.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { createLogger } from '../../../src/util/log.js'
import type { Run, RunEventBody } from '../../../src/vocabulary.js'
import { trainGgnn } from '../../../src/worker/tasks/train-ggnn.js'
import { startWorker } from '../../../src/worker/worker.js'
import { freshDatabase } from '../../support/database.js'
import { toyLists } from '../../support/toy-lists.js'

const { database } = await freshDatabase()
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-start-'))
const blobs = localBlobs(path.join(home, 'blobs'))
const batchDir = path.join(home, 'glean')
const plain = readConfig({ home }, {}, home)
const config = { ...plain, glean: { ...plain.glean, useCli: false, batchDir } }
const platform: Platform = {
  ...{ config, database, blobs, executor: ortExecutor, executorFor: async () => ortExecutor },
  log: createLogger('error'),
  close: async () => undefined,
}

const now = new Date()
const saveLists = async (name: string, lists: number, projectId = 'toys') =>
  (await saveRankingVersion(database, blobs, { dataset: { projectId, name, description: '' }, lists: toyLists(lists) }, now)).version
let worker: Awaited<ReturnType<typeof startWorker>>
let datasetVersionId: string
beforeAll(async () => {
  await prepareQueue(database)
  worker = await startWorker(platform)
  datasetVersionId = (await saveLists('lists', 60)).id
})
afterAll(async () => {
  await worker?.stop()
  fs.rmSync(home, { recursive: true, force: true })
})

const training = {
  schedule: { name: 'constant' },
  epochs: 2,
  batchExamples: 8,
  checkpointEverySteps: 3,
  patience: null,
  threads: 1,
  learningRate: 0.01,
}
const model = { hidden: 8, steps: 2 }
const start = (options: object) => startRun(database, { kind: 'train-ggnn', options }, new Date())
const toy = (over: object = {}) => start({ datasetVersionId, model, training: { ...training, ...over } })
async function ended(run: Run, state = 'completed'): Promise<Run & { result: Record<string, unknown> }> {
  await expect
    .poll(async () => (await readRun(database, run.id))!.state, { timeout: 60_000, interval: 50 })
    .toMatch(/completed|failed|cancelled/)
  const found = (await readRun(database, run.id))!
  expect(found.state, JSON.stringify(found.error)).toBe(state)
  return { ...found, result: found.result ?? {} }
}
const logsOf = async ({ id }: Run) => (await readEvents(database, id)).flatMap((event) => (event.type === 'log' ? [event.message] : []))
/** Everything that decides, as one digest: parameters, optimizer, best weights, position. */
const stateOf = async ({ id }: Run) => (await latestCheckpoint(database, id))!.blob

describe('a dataset to learn from', () => {
  it('is named by id, name, number or tag', async () => {
    const second = await saveLists('lists', 61)
    await tagDatasetVersion(database, datasetVersionId, 'small')
    const settled = async (name: string) => {
      const run = await start({ datasetVersionId: name, model, training })
      await requestControl(database, run.id, 'cancel')
      return run.options['datasetVersionId']
    }
    expect(await settled(second.id)).toBe(second.id)
    expect(await settled('lists')).toBe(second.id)
    expect(await settled('lists@latest')).toBe(second.id)
    expect(await settled('lists@1.0')).toBe(datasetVersionId)
    expect(await settled('toys/lists@small')).toBe(datasetVersionId)
  })
  it('that is not there is refused with what was meant; one of two is asked for', async () => {
    const refused = (name: string) => start({ datasetVersionId: name })
    await expect(refused('lits')).rejects.toMatchObject({ code: 'NOT_FOUND', remedy: 'Did you mean "lists"?' })
    await expect(refused('lists@9.9')).rejects.toMatchObject({ code: 'NOT_FOUND', remedy: expect.stringContaining('1.1') })
    await saveLists('lists', 5, 'other')
    await expect(refused('lists')).rejects.toMatchObject({ code: 'BAD_INPUT', remedy: 'Name one of other/lists, toys/lists.' })
  })
})

describe('gates', () => {
  it('without anything held out, or on what is not measured, are refused before a run is queued', async () => {
    await expect(toy({ metricThreshold: 0.5, validationSplit: 0 })).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await expect(toy({ gates: [{ metric: 'accuracy', threshold: 0.5 }] })).rejects.toMatchObject({
      message: expect.stringContaining('found accuracy, expected one of validation_loss, mrr'),
    })
  })
})

describe('a trace', () => {
  it('of some steps is kept with the run', async () => {
    const run = await ended(await toy({ profileSteps: 4 }))
    const [file] = await readRunFiles(database, [run.id])
    expect(file).toMatchObject({ name: 'profile.json', summary: { steps: 4, firstStep: 3 } })
    const trace = JSON.parse(new TextDecoder().decode(await blobs.get(file!.blob)))
    const spans = trace.traceEvents.filter((event: { ph: string }) => event.ph === 'X')
    for (const phase of ['encode', 'step', 'run', 'events'])
      expect(spans.filter((span: { name: string }) => span.name === phase).length, phase).toBeGreaterThanOrEqual(4)
    expect((await logsOf(run)).some((line) => line.startsWith('4 steps traced'))).toBe(true)
    const untraced = await ended(await toy())
    expect(await readRunFiles(database, [untraced.id])).toEqual([])
    expect(await stateOf(untraced)).toBe(await stateOf(run))
  })
})

describe('resume', () => {
  it('latest goes on from the last run with these options, and ends as one that was never cut', async () => {
    const straight = await ended(await toy({ epochs: 5 }))
    const short = await ended(await toy({ epochs: 2 }))
    const longer = await start({ resume: 'latest', datasetVersionId: 'toys/lists@1.0', model: { hidden: 8 }, training: { epochs: 5 } })
    const newest = (await readCheckpoints(database, short.id))[0]!
    expect(longer.options['resume']).toBe(`${short.id}@${newest.step}`)
    expect(longer.options['training']).toEqual({ ...(short.options['training'] as object), epochs: 5 })
    const done = await ended(longer)
    expect(await stateOf(done)).toBe(await stateOf(straight))
    expect(done.result['metrics']).toEqual(straight.result['metrics'])
    expect(done.result['resumedFrom']).toBe(`${short.id}@${newest.step}`)
    expect((await logsOf(done)).some((line) => line === `goes on from ${short.id}@${newest.step}`)).toBe(true)
    expect((await readUses(database, [done.id])).get(done.id)).toEqual([datasetVersionId])
  })
  it('takes a run, or a checkpoint of it', async () => {
    const run = await ended(await toy({ seed: 5 }))
    const kept = await readCheckpoints(database, run.id)
    const oldest = kept.at(-1)!
    for (const [resume, step] of [
      [run.id, kept[0]!.step],
      [`${run.id}@${oldest.step}`, oldest.step],
    ] as const) {
      const again = await start({ resume })
      expect(again.options['resume']).toBe(`${run.id}@${step}`)
      expect(await stateOf(await ended(again))).toBe(await stateOf(run))
    }
    await expect(start({ resume: `${run.id}@999` })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      remedy: expect.stringContaining(String(oldest.step)),
    })
  })
  it('is refused where there is nothing to go on from', async () => {
    await expect(start({ resume: 'newest' })).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await expect(start({ resume: 'lates' })).rejects.toMatchObject({ remedy: 'Did you mean "latest"?' })
    await expect(start({ resume: 'latest', model: { hidden: 77 } })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('had other model.hidden'),
    })
    await expect(start({ resume: 'latest', training: { epoch: 3 } })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      remedy: 'Did you mean "epochs"?',
    })
    await expect(start({ resume: '00000000-0000-4000-8000-000000000000' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
  it('with options that would give other weights fails, and says which', async () => {
    const run = await ended(await toy({ seed: 6 }))
    const other = await ended(await start({ resume: run.id, training: { learningRate: 0.5 } }), 'failed')
    expect(other.error).toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('learningRate: found 0.01 in the checkpoint, 0.5 now'),
    })
    const fewer = await ended(await start({ resume: run.id, training: { epochs: 1 } }), 'failed')
    expect(fewer.error!.message).toContain('epochs')
  })
  it('of a run under way is refused: it goes on by itself', async () => {
    const run = await toy({ epochs: 2_000 })
    await expect.poll(async () => (await readCheckpoints(database, run.id)).length, { timeout: 30_000 }).toBeGreaterThan(0)
    await expect(start({ resume: run.id })).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('running') })
    await requestControl(database, run.id, 'cancel')
    await ended(run, 'cancelled')
  })
  it('from a checkpoint whose bytes are gone begins anew, and ends the same', async () => {
    const run = await ended(await toy({ seed: 8 }))
    const state = await stateOf(run)
    const [oldest] = (await readCheckpoints(database, run.id)).slice(-1)
    await blobs.delete(oldest!.blob)
    const again = await ended(await start({ resume: `${run.id}@${oldest!.step}` }))
    expect((await logsOf(again)).some((line) => line.includes('cannot be used'))).toBe(true)
    expect(await stateOf(again)).toBe(state)
  })
})

describe('an attempt whose worker dies after it published', () => {
  it('leaves an artifact that the next one takes over, and no second one', async () => {
    const { options } = await ended(await toy({ seed: 9 }))
    // claimed where it is made: the worker never sees it wait
    const lease = await database.transaction(async (client) =>
      claimRun(client, (await createRun(client, { kind: 'train-ggnn', options })).id, 'by hand'),
    )
    const { id } = lease!.run
    const claim = { run: lease!.run, workerId: 'by hand', wanted: () => null, signal: new AbortController().signal, flush: async () => {} }
    const bodies: RunEventBody[] = []
    const work = () =>
      trainGgnn({
        platform,
        options: parseJobOptions('train-ggnn', options),
        perform: () => Promise.reject(new Error('a training has no children')),
        claim: { ...claim, record: async (body) => void bodies.push(body) },
      })
    const [first, second] = [await work(), await work()]
    expect(second).toEqual(first)
    expect((await readArtifactsOfRuns(database, [id])).map((artifact) => artifact.id)).toEqual([
      (first as unknown as { result: { artifactId: string } }).result.artifactId,
    ])
    expect(bodies.filter((body) => body.type === 'artifact')).toHaveLength(2)
    await transition(database, id, 'cancelled')
  })
})

describe('history from Glean', () => {
  const table = (name: string, ...columns: string[]) => `CREATE TABLE ${name} (${columns.join(', ')}) COMMENT '${name}';`
  const key = (from: string, to: string) => `CONSTRAINT fk_${from} FOREIGN KEY (${from}) REFERENCES ${to} (id) DISABLE NOVALIDATE`
  const estate = (withOrders: boolean) =>
    ['shop', 'school', 'bank']
      .map((db) =>
        [
          `CREATE DATABASE ${db};`,
          table(`${db}.customers`, 'id BIGINT', 'name STRING'),
          table(`${db}.products`, 'id BIGINT', 'title STRING', 'customer_id BIGINT', key('customer_id', `${db}.customers`)),
          withOrders || db !== 'shop'
            ? table(
                `${db}.orders`,
                'id BIGINT',
                'customer_id BIGINT',
                'product_id BIGINT',
                key('customer_id', `${db}.customers`),
                key('product_id', `${db}.products`),
              )
            : table(`${db}.orders`, 'id BIGINT', 'customer_id BIGINT', 'product_id BIGINT'),
        ].join('\n'),
      )
      .join('\n')
  const load = async (text: string, observedAt: Date) =>
    ingest(database, {
      ...{ projectId: 'estate', systemId: 'hive', complete: true, observedAt, now: new Date() },
      inputs: [{ dialect: 'hive-ddl', file: 'estate.sql', text }],
    })
  const options = { projectIds: ['estate'], model, training: { ...training, epochs: 1, seed: 2 } }

  it('adds the links that the catalog no longer has, keeps what it read, and reads once', async () => {
    await load(estate(true), new Date(now.getTime() - 86_400_000))
    const [snapshot] = await readSnapshots(database, { projectId: 'estate', systemId: 'hive' })
    await exportSnapshotToGlean(database, snapshot!, openBatchFolder({ folder: batchDir, prefix: config.glean.predicatePrefix }), { now })
    await load(estate(false), now)
    const without = await ended(await start(options))
    const outputDir = path.join(home, 'read')
    const run = await ended(await start({ ...options, glean: { enable: true, outputDir } }))
    expect(run.options['glean']).toMatchObject({ enable: true, projectId: 'estate', daysBack: 30 })
    expect(run.result['glean']).toMatchObject({ transport: 'batch', lists: 2, asked: { projectId: 'estate' } })
    const versionOf = ({ result }: typeof run) => (result['dataset'] as { versionId: string }).versionId
    const lists = await readRankingLists(database, blobs, versionOf(run))
    const fewer = await readRankingLists(database, blobs, versionOf(without))
    expect(lists.slice(0, fewer.length).map((list) => list.queryId)).toEqual(fewer.map((list) => list.queryId))
    expect(lists.slice(fewer.length).map((list) => list.queryId)).toEqual([
      'estate/hive/column:shop.orders.customer_id',
      'estate/hive/column:shop.orders.product_id',
    ])
    expect((await readDatasetVersion(database, versionOf(run))).provenance).toMatchObject({
      fromCatalog: fewer.length,
      glean: { lists: 2 },
    })
    const names = ['glean_column_patterns.json', 'glean_edges.json', 'glean_metadata.json', 'glean_metrics.json', 'glean_nodes.json']
    expect((await readRunFiles(database, [run.id])).map((file) => file.name)).toEqual(names)
    expect(fs.readdirSync(outputDir).sort()).toEqual(names)
    // a run that goes on from it learns from what was read then, whatever Glean says now
    fs.renameSync(batchDir, `${batchDir}-gone`)
    const resumed = await ended(await start({ resume: run.id }))
    fs.renameSync(`${batchDir}-gone`, batchDir)
    expect(await stateOf(resumed)).toBe(await stateOf(run))
  })
  it('says what it learned from', async () => {
    const [run] = (await database.query<Run>(`SELECT id FROM run WHERE options->'glean'->>'enable' = 'true' ORDER BY created_at LIMIT 1`))
      .rows
    expect((await logsOf(run!)).find((line) => line.startsWith('history from Glean'))).toMatch(/\d+ nodes, \d+ edges, 2 lists of links/)
  })
  it('that is empty, or cannot be asked, fails the run and says so', async () => {
    const empty = await ended(await start({ ...options, glean: { enable: true, projectId: 'nobody' } }), 'failed')
    expect(empty.error).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('no export of project nobody of the last 30 days'),
    })
    await expect(start({ datasetVersionId, glean: { enable: true } })).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })
})
