import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { promote } from '../../../src/artifacts/promotion.js'
import { localBlobs } from '../../../src/blobs/local.js'
import { readConfig } from '../../../src/config.js'
import { splitDatasetVersion } from '../../../src/datasets/splits/split-version.js'
import { saveDatasetVersion, saveRankingVersion } from '../../../src/datasets/store.js'
import type { DatasetVersion } from '../../../src/datasets/version.js'
import { startRun } from '../../../src/jobs.js'
import type { Platform } from '../../../src/platform.js'
import { readEvents } from '../../../src/runs/event-store.js'
import { prepareQueue } from '../../../src/runs/queue.js'
import { readRun, requestControl } from '../../../src/runs/store.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { createLogger } from '../../../src/util/log.js'
import type { JsonValue, Properties, RunKind } from '../../../src/vocabulary.js'
import { startWorker } from '../../../src/worker/worker.js'
import { freshDatabase } from '../../support/database.js'
import { publishToy } from '../../support/published.js'
import { toyLists } from '../../support/toy-lists.js'

const { database } = await freshDatabase()
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-evaluate-'))
const blobs = localBlobs(path.join(home, 'blobs'))
const platform: Platform = {
  ...{ config: readConfig({ home }, {}, home), database, blobs, executor: ortExecutor, executorFor: async () => ortExecutor },
  log: createLogger('error'),
  close: async () => undefined,
}
const now = new Date()
/** Chains of which a node is marked: the mark is what they ask for, as a node, as a word, or with all that follow it. */
const chains = (n: number, target: (mark: number, length: number) => JsonValue): JsonValue[] =>
  Array.from({ length: n }, (_, i) => {
    const [length, mark] = [3 + (i % 3), i % 3]
    return {
      id: `c${i}`,
      node_features: Array.from({ length }, (_, node) => [node === mark ? 1 : 0, node / 5]),
      edge_index: Array.from({ length: length - 1 }, (_, node) => [node, node + 1]),
      target: target(mark, length),
    }
  })
const targets = {
  node: (mark: number) => mark,
  graph: (mark: number) => ['first', 'second', 'third'][mark]!,
  sequence: (mark: number, length: number) => Array.from({ length: length - mark }, (_, i) => mark + i),
} as const
type Readout = keyof typeof targets

let worker: Awaited<ReturnType<typeof startWorker>>
const versions = {} as Record<Readout | 'rank', DatasetVersion>
beforeAll(async () => {
  await prepareQueue(database)
  worker = await startWorker(platform)
  versions.rank = (
    await saveRankingVersion(database, blobs, { dataset: { projectId: 'toys', name: 'lists' }, lists: toyLists(40) }, now)
  ).version
  for (const kind of ['node', 'graph', 'sequence'] as const) {
    const dataset = { projectId: 'toys', name: kind, kind }
    versions[kind] = (await saveDatasetVersion(database, blobs, { dataset, rows: chains(45, targets[kind]) }, now)).version
  }
  for (const version of Object.values(versions))
    for (const [name, ratios] of Object.entries({ thirds: [0.6, 0.2, 0.2], halves: [0.5, 0.5] }))
      await splitDatasetVersion(database, blobs, { versionId: version.id, name, options: { ratios, seed: 2 } }, now)
})
afterAll(async () => {
  await worker?.stop()
  fs.rmSync(home, { recursive: true, force: true })
})

const training = { epochs: 12, batchExamples: 8, patience: null, threads: 1, workers: 0 }
const model = { hidden: 8, steps: 2 }
async function ran(kind: RunKind, options: object): Promise<{ result: Properties; logs: string[]; metrics: string[] }> {
  const { id } = await startRun(database, { kind, options }, now)
  await expect.poll(async () => (await readRun(database, id))!.state, { timeout: 60_000, interval: 25 }).toMatch(/completed|failed/)
  const run = (await readRun(database, id))!
  expect(run.state, JSON.stringify(run.error)).toBe('completed')
  const events = await readEvents(database, id, { limit: 5000 })
  return {
    result: run.result!,
    logs: events.flatMap((event) => (event.type === 'log' ? [event.message] : [])),
    metrics: events.flatMap((event) => (event.type === 'metric' ? [event.name] : [])),
  }
}
const judged = (options: object) => ran('evaluate', { training, model, ...options })
type Report = { accuracy: { value: number; n: number }; unanswered: number }

describe.each(['node', 'graph', 'sequence'] as const)('the read-out %s', (readout) => {
  it('is judged on the test of a stored split, trained on train, stopped by validation', async () => {
    const { result, logs } = await judged({ readout, datasetVersionId: versions[readout].id, split: 'thirds' })
    expect(logs).toContainEqual(expect.stringMatching(/^27 training and 9 validation examples/))
    expect(result).toMatchObject({
      readout,
      examples: 9,
      split: 'by the split thirds: judged on 9 examples of its part test',
      report: { accuracy: { n: 9 }, unanswered: 0 },
      best: { baseline: expect.stringMatching(/random|commonest/) },
      table: expect.stringContaining(`ggnn-${readout}`),
    })
    expect('labels' in (result['report'] as object)).toBe(readout === 'graph')
  })

  it('is judged in folds: every example held out once, with curves of their own', async () => {
    const { result, metrics } = await judged({ readout, datasetVersionId: readout, folds: 3 })
    expect((result['report'] as unknown as Report).accuracy.n).toBe(45)
    for (const fold of [1, 2, 3]) expect(metrics).toContain(`fold ${fold}.training_loss`)
    expect(metrics.filter((name) => name === 'progress')).toHaveLength(3)
  })

  it('is judged as it was published, and it is said where it may have learned from what it is judged on', async () => {
    const trained = await ran('train-ggnn', { readout, datasetVersionId: versions[readout].id, split: 'thirds', training, model })
    const artifact = String(trained.result['artifactId'])
    const apart = await judged({ readout, datasetVersionId: versions[readout].id, split: 'thirds', artifact })
    expect(apart.result).toMatchObject({ artifact, mayHaveLearned: false, examples: 9 })
    expect(apart.logs).not.toContainEqual(expect.stringContaining('training and'))
    await promote(database, 'production', artifact, { now: new Date() })
    const whole = await judged({ readout, datasetVersionId: versions[readout].id, artifact: artifact.split('@')[0]! })
    expect(whole.result).toMatchObject({ artifact, mayHaveLearned: true, examples: 45 })
    expect(whole.logs).toContainEqual(expect.stringContaining('is no unseen data'))
    const again = await judged({ readout, datasetVersionId: versions[readout].id, split: 'halves', artifact })
    expect(again.result).toMatchObject({ mayHaveLearned: true })
  })
})

describe('a label that a model does not know', () => {
  it('is answered wrongly, not left out', async () => {
    const rows = chains(12, () => 'unheard')
    const { version } = await saveDatasetVersion(
      database,
      blobs,
      { dataset: { projectId: 'toys', name: 'other', kind: 'graph' }, rows },
      now,
    )
    const { result } = await judged({ readout: 'graph', datasetVersionId: version.id, artifact: 'graph-classifier' })
    expect(result).toMatchObject({ mayHaveLearned: false, report: { accuracy: { value: 0, n: 12 }, unanswered: 0 } })
  })
  it('nor is an edge type: what cannot be encoded counts as wrong, and is counted', async () => {
    const rows = chains(12, targets.graph).map((row) => ({
      ...(row as object),
      edge_types: (row as { edge_index: [] }).edge_index.map(() => 3),
    }))
    const { version } = await saveDatasetVersion(
      database,
      blobs,
      { dataset: { projectId: 'toys', name: 'typed', kind: 'graph' }, rows },
      now,
    )
    const { result } = await judged({ readout: 'graph', datasetVersionId: version.id, artifact: 'graph-classifier' })
    expect(result).toMatchObject({
      report: { accuracy: { value: 0 }, unanswered: 12 },
      table: expect.stringContaining('12 could not be answered'),
    })
  })
})

describe('rankers', () => {
  it('are judged on the test of a stored split', async () => {
    const { result, logs } = await judged({ datasetVersionId: versions.rank.id, split: 'thirds' })
    expect(logs).toContainEqual(expect.stringMatching(/^24 training and 8 validation examples/))
    expect(result).toMatchObject({ split: 'by the split thirds: judged on 8 lists of its part test', reports: { ggnn: { n: 8 } } })
    const halves = await judged({ datasetVersionId: versions.rank.id, split: 'halves' })
    expect(halves.logs).toContainEqual(expect.stringMatching(/^20 training and 0 validation examples/))
  })
  it('are judged as they were published', async () => {
    const { id } = await publishToy({ database, blobs }, { component: 'toy-ranker', featureSpec: undefined } as never)
    const { result, logs } = await judged({ datasetVersionId: versions.rank.id, artifact: id })
    expect(result).toMatchObject({ artifact: id, mayHaveLearned: false, split: 'none: judged on all lists', reports: { ggnn: { n: 40 } } })
    expect(logs).toContain(`judges ${id} as it is: nothing is trained`)
  })
})

describe('ranking lists that say nothing of what is held out together', () => {
  it('are each held out by themselves: in training, and in five parts of an evaluation', async () => {
    const lists = toyLists(20).map(({ group: _, ...list }) => list)
    const { version } = await saveRankingVersion(database, blobs, { dataset: { projectId: 'toys', name: 'groupless' }, lists }, now)
    const trained = await ran('train-ggnn', { datasetVersionId: version.id, training, model })
    expect(trained.result['dataset']).toMatchObject({ lists: 20, validationLists: 4 })
    const { result, logs } = await judged({ datasetVersionId: version.id })
    expect(result).toMatchObject({ split: 'by group', reports: { ggnn: { n: 20 } } })
    expect(logs.filter((line) => line.startsWith('held out '))).toHaveLength(5)
  })
})

describe('an evaluation that is to stop', () => {
  it('is cancelled between two steps of a fold', async () => {
    const long = { ...training, epochs: 100_000 }
    const { id } = await startRun(
      database,
      { kind: 'evaluate', options: { readout: 'node', datasetVersionId: 'node', training: long, model } },
      now,
    )
    const state = async () => (await readRun(database, id))!.state
    await expect.poll(state, { timeout: 60_000, interval: 25 }).toBe('running')
    await requestControl(database, id, 'cancel')
    await expect.poll(state, { timeout: 60_000, interval: 25 }).toBe('cancelled')
  })
})

describe('what cannot be judged is refused before it is queued', () => {
  const refused = (options: object) => expect(startRun(database, { kind: 'evaluate', options }, now)).rejects
  it('a split without a version, an unknown one, an artifact of another read-out or none at all', async () => {
    await refused({ split: 'thirds' }).toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('no dataset version') })
    await refused({ datasetVersionId: versions.rank.id, split: 'third' }).toMatchObject({ remedy: 'Did you mean "thirds"?' })
    await refused({ readout: 'node' }).toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('datasetVersionId') })
    await refused({ readout: 'node', datasetVersionId: versions.graph.id }).toMatchObject({
      message: expect.stringContaining('kind graph'),
    })
    await refused({ datasetVersionId: versions.rank.id, artifact: 'node-selector' }).toMatchObject({
      code: 'BAD_INPUT',
      remedy: expect.stringContaining('read-out node'),
    })
    await refused({ datasetVersionId: versions.rank.id, artifact: 'nobody' }).toMatchObject({
      code: 'NOT_FOUND',
      remedy: expect.stringContaining('Promote one'),
    })
    await refused({ readout: 'node', datasetVersionId: versions.node.id, training: { monitor: 'mrr' } }).toMatchObject({
      code: 'BAD_INPUT',
    })
  })
})
