import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseBatch } from '../../../src/catalog/glean/batch-file.js'
import type { Platform } from '../../../src/platform.js'
import type { QueueWorker } from '../../../src/runs/queue.js'
import { readChildren, readRun } from '../../../src/runs/store.js'
import { type ExecutorName, openExecutor } from '../../../src/tensor/executors.js'
import { startWorker } from '../../../src/worker/worker.js'
import { type LiveServer, liveServer } from '../api/live-server.js'
import { type TestPlatform, testPlatform } from '../api/test-platform.js'

const estate = path.resolve(import.meta.dirname, '../../../scripts/demo/estate')
const documents = (version: string) => ({
  hiveDdls: [{ path: path.join(estate, version, 'hive') }],
  controlMFiles: [{ path: path.join(estate, version, 'control-m') }],
  jsonTables: [{ path: path.join(estate, version, 'json') }],
})
const train = { training: { epochs: 2, threads: 1, seed: 5 }, model: { hidden: 4, steps: 1 }, export: { int8: 'off' } }

const start = `mutation ($hiveDdls: [SourceInput!], $controlMFiles: [SourceInput!], $jsonTables: [SourceInput!], $enableGlean: Boolean, $train: JSON, $at: DateTime, $project: ID! = "bank") {
  runFullPipeline(projectId: $project, systemId: "estate", hiveDdls: $hiveDdls, controlMFiles: $controlMFiles, jsonTables: $jsonTables,
    enableGlean: $enableGlean, train: $train, observedAt: $at) { id kind state options } }`
const watch = `subscription ($id: ID!) { runEvents(runId: $id) { sequence type ... on MetricEvent { name step value }
  ... on LogEvent { level message } ... on StateEvent { to reason } } }`

interface Event {
  sequence: number
  type: string
  name?: string
  value?: number
  level?: string
  message?: string
  to?: string
}

let platform: TestPlatform
let server: LiveServer
let worker: QueueWorker
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-pipeline-'))
const batchDir = path.join(home, 'glean')

/** One place alone: a pipeline has to finish in it, children and all. */
async function open(): Promise<QueueWorker> {
  const executorFor = (name: ExecutorName | null) => openExecutor(name ?? 'ort')
  const config = { ...platform.config, maxConcurrentJobs: 1 }
  return startWorker({ ...platform, config, executorFor, executor: await executorFor(null) } as unknown as Platform)
}

beforeAll(async () => {
  const made = await testPlatform()
  platform = { ...made, config: { ...made.config, glean: { ...made.config.glean, useCli: false, batchDir } } }
  server = await liveServer(platform)
  worker = await open()
})
afterAll(async () => {
  await worker?.stop(1_000)
  await server?.close()
  fs.rmSync(home, { recursive: true, force: true })
})

async function run(variables: Record<string, unknown>): Promise<{ id: string; events: Event[] }> {
  const { runFullPipeline } = await server.ask(start, { train, ...variables })
  expect(runFullPipeline.kind).toBe('PIPELINE')
  const followed = server.follow(server.socket(), watch, { id: runFullPipeline.id })
  await followed.completed
  return { id: runFullPipeline.id, events: followed.values.map((value) => value.data.runEvents) }
}
const logs = (events: readonly Event[]) => events.filter(({ type }) => type === 'log').map(({ level, message }) => `${level}: ${message}`)

const stepsOf = (result: unknown) =>
  Object.fromEntries(
    (result as { steps: { step: string; state: string; isReused?: boolean }[] }).steps.map(({ step, state, isReused }) => [
      step,
      state === 'completed' ? (isReused ? 'reused' : 'done') : state,
    ]),
  )
const all = (how: string, others: Record<string, string> = {}) => ({
  ...Object.fromEntries(['ingest', 'glean', 'learn', 'temporal', 'dataset', 'train', 'evaluate', 'export'].map((step) => [step, how])),
  ...others,
})
const ledger = async (id: string) => (await readRun(platform.database, id))!
const until = async (id: string, isSo: (run: Awaited<ReturnType<typeof ledger>>) => boolean) =>
  expect.poll(async () => isSo(await ledger(id)), { timeout: 60_000, interval: 20 }).toBe(true)

describe('a full pipeline', { timeout: 150_000 }, () => {
  let first: string

  it('goes from documents to an evaluated model, live on one subscription, in the only place of one worker', async () => {
    const { id, events } = await run({ ...documents('v1'), at: '2025-11-03T06:00:00Z' })
    first = id
    const { state, error, result } = await ledger(id)
    expect({ state, error }).toEqual({ state: 'completed', error: null })
    // there is no export to Glean yet: it goes without history, and says so
    expect(stepsOf(result)).toEqual(all('done', { glean: 'left out' }))
    expect(result).toMatchObject({ isDegraded: true, without: { glean: expect.stringMatching(/glean: cannot be read \(ENOENT\)/) } })
    expect(logs(events)).toContainEqual(expect.stringMatching(/^WARN: without step glean: Glean batch folder/))

    const children = await readChildren(platform.database, [id])
    expect(children.map(({ kind, state: s }) => `${kind} ${s}`)).toEqual([
      ...['ingest completed', 'glean-history failed', 'learn-patterns completed', 'temporal-analysis completed'],
      ...['build-dataset completed', 'train-ggnn completed', 'evaluate-training completed', 'export-metrics completed'],
    ])
    // every metric and line of every step came over the one subscription, in order
    for (const name of ['train.training_loss', 'train.mrr', 'ingest.progress', 'evaluate.progress', 'progress'])
      expect(events.map((event) => event.name)).toContain(name)
    expect(logs(events)).toContainEqual(expect.stringMatching(/^INFO: \[dataset\] dataset foreign-key 1.0: \d+ lists/))
    // and once more with each event taken apart: which step, and what it said (glean was left out)
    const steps = server.follow(
      server.socket(),
      `subscription ($id: ID!) { pipelineEvents(runId: $id) { step event { sequence ... on MetricEvent { name } ... on LogEvent { message } } } }`,
      { id },
    )
    await steps.completed
    const apart = steps.values.map((value) => value.data.pipelineEvents) as { step: string | null; event: Event }[]
    expect(apart.map(({ step, event }) => (event.name ? (step ? `${step}.${event.name}` : event.name) : null))).toEqual(
      events.map(({ name }) => name ?? null),
    )
    expect(apart.map(({ step, event }) => (event.message ? (step ? `[${step}] ${event.message}` : event.message) : null))).toEqual(
      events.map(({ message }) => message ?? null),
    )
    expect(new Set(apart.map(({ step }) => step))).toEqual(
      new Set([null, 'ingest', 'learn', 'temporal', 'dataset', 'train', 'evaluate', 'export']),
    )
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, i) => i + 1))
    const shares = events.filter(({ name }) => name === 'progress').map(({ value }) => value!)
    expect(shares).toEqual([...shares].sort((a, b) => a - b))
    expect(shares.at(-1)).toBe(1)

    const { evaluation, artifactId } = result as { evaluation: Record<string, Record<string, unknown>>; artifactId: string }
    expect(artifactId).toMatch(/^ranker@/)
    expect(evaluation['training_quality']).toMatchObject({ loss: { name: 'validation_loss' }, accuracy: { name: 'hits_at_1' } })
    expect(evaluation['learning_rate']).toMatchObject({ epochs: 2 })
    expect(evaluation['intelligence_metrics']!['levels']).toHaveLength(5)
    // and the export is a batch that can be read back
    const [file] = fs.readdirSync(batchDir)
    const [group] = parseBatch(fs.readFileSync(path.join(batchDir, file!), 'utf8'))
    expect(group).toMatchObject({ name: 'agenticAiETH.ETL.TrainingMetrics.1', keys: [{ project_id: 'bank', system_id: 'estate' }] })
    const { metrics } = group!.keys[0] as { metrics: { name: string; value: string }[] }
    expect(metrics.find(({ name }) => name === 'level_1')).toBeDefined()
  })

  it('does nothing twice: the same documents again are the results of before', async () => {
    const { id, events } = await run({ ...documents('v1'), at: '2025-11-03T06:00:00Z', enableGlean: false })
    const { state, result } = await ledger(id)
    expect(state).toBe('completed')
    expect(stepsOf(result)).toEqual(all('reused', { glean: 'left out', export: 'left out' }))
    expect(result).toMatchObject({ isDegraded: false, artifactId: (await ledger(first)).result!['artifactId'] as string })
    expect(logs(events)).toContainEqual(
      expect.stringMatching(/^INFO: step train: nothing that goes in has changed, the result of run .* is used$/),
    )
    expect(await readChildren(platform.database, [id])).toEqual([])
  })

  it('is judged again by a run of its own, whose result goes to Glean as a batch of its own', async () => {
    const child = (await readChildren(platform.database, [first])).find(({ kind }) => kind === 'train-ggnn')!
    const asked = 'mutation ($id: ID!) { evaluateTrainingResults(trainRunId: $id, enableIntelligenceMetrics: false) { id kind } }'
    const { id } = (await server.ask(asked, { id: child.id })).evaluateTrainingResults
    await until(id, ({ state }) => state === 'completed')
    expect((await ledger(id)).result).toMatchObject({
      ...{ trainRunId: child.id, intelligence_metrics: null, intelligenceLevel: null, table: null, patternSetId: 'bank@1' },
      ...{ checkpoint: { runId: child.id }, pattern_specific_metrics: { column_type_accuracy: { n: expect.any(Number) } } },
      pattern_coverage: { relationships: { share: 1 } },
    })
    const dir = path.join(home, 'elsewhere')
    const exported =
      'mutation ($id: ID!, $dir: String!) { exportTrainingMetricsToGlean(evaluationRunId: $id, dir: $dir) { transport target facts metrics } }'
    const { exportTrainingMetricsToGlean: done } = await server.ask(exported, { id, dir })
    expect(done).toMatchObject({ transport: 'batch', facts: 1, target: path.join(dir, fs.readdirSync(dir)[0]!) })
    expect(parseBatch(fs.readFileSync(done.target, 'utf8'))).toMatchObject([{ predicate: 'TrainingMetrics', keys: [{ run_id: child.id }] }])
    const refused = await server.post(exported, { id: child.id, dir })
    expect(refused.errors![0]!.message).toMatch(/is no completed evaluation of a training/)
  })

  it('shows its test cases, the same for the same seed', async () => {
    const query =
      'query ($seed: Int!) { domainTestCases(projectId: "bank", perLevel: 5, seed: $seed) { id level question expected choices } }'
    const { domainTestCases: cases } = await server.ask(query, { seed: 1 })
    expect(cases.map(({ level }: { level: number }) => level)).toEqual(expect.arrayContaining([1, 2, 3, 4]))
    expect((await server.ask(query, { seed: 1 })).domainTestCases).toEqual(cases)
    expect((await server.ask(query, { seed: 2 })).domainTestCases).not.toEqual(cases)
  })

  it('asks for transfer between projects where others stand beside, and scores answers that were found elsewhere', async () => {
    const table = (name: string) => `CREATE TABLE ${name} (id BIGINT, name STRING, amount DECIMAL(10,2), opened DATE);`
    const ingest =
      'mutation ($text: String!) { ingest(projectId: "other", systemId: "hive", hiveDdls: [{ text: $text, name: "a.sql" }]) { snapshotId } }'
    await server.ask(ingest, { text: ['customer', 'account', 'branch'].map(table).join('\n') })
    const query = `query { domainTestCases(projectId: "bank", perLevel: 10, besideProjectIds: ["other"]) {
      id level group question expected majority choices } }`
    const { domainTestCases: cases } = await server.ask(query)
    const transfer = cases.filter(({ level }: { level: number }) => level === 4)
    expect(new Set(transfer.map(({ group }: { group: string }) => group))).toEqual(new Set(['bank -> other', 'other -> bank']))
    const child = (await readChildren(platform.database, [first])).find(({ kind }) => kind === 'train-ggnn')!
    const asked = 'mutation ($id: ID!, $beside: [ID!]!) { evaluateTrainingResults(trainRunId: $id, besideProjectIds: $beside) { id } }'
    const { id } = (await server.ask(asked, { id: child.id, beside: ['other'] })).evaluateTrainingResults
    await until(id, ({ state }) => state === 'completed')
    expect((await ledger(id)).result).toMatchObject({ transferBetween: 'project' })
    expect((await server.post(asked, { id: child.id, beside: ['nowhere'] })).errors![0]!.message).toMatch(/no project "nowhere"/)
    const score = async (answer: 'expected' | 'majority') => {
      const predictions = Object.fromEntries(cases.map((one: Record<string, string>) => [one['id'], one[answer]]))
      const facts = { modelMetrics: { validation_loss: 0.2 }, predictions, testCases: cases }
      return (await server.ask('query ($facts: JSON!) { evaluationOf(facts: $facts) }', { facts })).evaluationOf
    }
    const right = await score('expected')
    expect(right).toMatchObject({
      training_quality: { loss_quality: 'good' },
      intelligence_metrics: { levels: [{ score: { value: 1 } }, {}, {}, {}, {}] },
    })
    for (const { score: found, baselines } of (await score('majority')).intelligence_metrics.levels)
      expect(found?.value ?? null).toBe(baselines.majority)
  })

  it('reads history from Glean where there is some, and does anew what new documents change', async () => {
    await server.ask('mutation { exportToGlean(projectId: "bank", systemId: "estate") { facts } }')
    const { id } = await run(documents('v2'))
    const { result, error } = await ledger(id)
    expect(error).toBeNull()
    expect(stepsOf(result)).toEqual(all('done'))
    expect(result).toMatchObject({ isDegraded: false, dataset: { historyLists: expect.any(Number) } })
    // forecasts of the year between the two, beside saying that nothing changes; and the rules that the model should beat
    const { evaluation } = result as { evaluation: Record<string, Record<string, { baselines: object }>> }
    expect(evaluation['pattern_specific_metrics']!['temporal_accuracy']).toMatchObject({
      n: expect.any(Number),
      baselines: { nothing_changes: expect.any(Number) },
    })
    expect(evaluation['model_metrics']).toMatchObject({ mrr: expect.any(Number), baseline_exact_name_mrr: expect.any(Number) })
    const kinds = (await readChildren(platform.database, [id])).map(({ kind }) => kind)
    expect(new Set(kinds).size).toBe(8)
  })

  it('fails with its cause where a document is broken, and takes no further step', async () => {
    const { id } = await run({ hiveDdls: [{ text: 'CREATE TABLE (((', name: 'broken.sql' }], project: 'broken' })
    const { state, error } = await ledger(id)
    expect(state).toBe('failed')
    expect(error).toMatchObject({ code: 'UNREADABLE', message: expect.stringMatching(/^step ingest: nothing could be read: broken\.sql/) })
    expect((await readChildren(platform.database, [id])).map(({ kind }) => kind)).toEqual(['ingest'])
  })

  it('goes on without a part that is broken, and says so; fails where there is nothing to learn', async () => {
    const core = fs.readFileSync(path.join(estate, 'v1/hive/core.sql'), 'utf8')
    const [half, bare] = await Promise.all([
      run({ hiveDdls: [{ text: `${core};\nCREATE TABLE (((`, name: 'half.sql' }], project: 'half', enableGlean: false }),
      run({ hiveDdls: [{ text: 'CREATE TABLE a (id BIGINT, name STRING)', name: 'bare.sql' }], project: 'bare', enableGlean: false }),
    ])
    expect(await ledger(half.id)).toMatchObject({
      state: 'completed',
      result: {
        isDegraded: true,
        degraded: [expect.stringMatching(/^1 part\(s\) of the documents could not be read, the first: half\.sql/)],
      },
    })
    expect(await ledger(bare.id)).toMatchObject({
      state: 'failed',
      error: { message: expect.stringMatching(/^step dataset: task foreign-key/) },
    })
    expect((await readChildren(platform.database, [bare.id])).at(-1)).toMatchObject({ kind: 'build-dataset', state: 'failed' })
  })

  /** A pipeline that would train for hours, once its training is under way. */
  async function training(seed: number): Promise<{ id: string; child: string }> {
    const long = { ...train, training: { ...train.training, seed, epochs: 2_000, patience: null, reportEverySteps: 1 } }
    const { runFullPipeline } = await server.ask(start, { ...documents('v2'), train: long, enableGlean: false })
    const { id } = runFullPipeline
    const followed = server.follow(server.socket(), watch, { id })
    await followed.until((values) => values.some((value) => value.data.runEvents.name === 'train.step_loss'), 60_000)
    followed.stop()
    const child = (await readChildren(platform.database, [id])).at(-1)!
    expect(child).toMatchObject({ kind: 'train-ggnn', state: 'running' })
    return { id, child: child.id }
  }
  const states = async (...ids: string[]) => Promise.all(ids.map(async (each) => (await ledger(each)).state))

  it('is paused, resumed and cancelled with its child', async () => {
    const { id, child } = await training(6)
    await server.ask('mutation ($id: ID!) { pauseRun(id: $id) { id } }', { id })
    await until(id, ({ state }) => state === 'paused')
    expect(await states(id, child)).toEqual(['paused', 'paused'])
    await server.ask('mutation ($id: ID!) { resumeRun(id: $id) { id } }', { id })
    await until(child, ({ state, attempt }) => state === 'running' && attempt === 2)
    await server.ask('mutation ($id: ID!) { cancelRun(id: $id) { id } }', { id })
    await until(id, ({ state }) => state === 'cancelled')
    expect(await states(id, child)).toEqual(['cancelled', 'cancelled'])
    // what was done before stays done: the same run, taken up again, begins at the step it was in
    await server.ask('mutation ($id: ID!) { retryRun(id: $id) { id } }', { id })
    await until(child, ({ state, attempt }) => state === 'running' && attempt === 3)
    expect((await readChildren(platform.database, [id])).map(({ id: each }) => each).at(-1)).toBe(child)
    await server.ask('mutation ($id: ID!) { pauseRun(id: $id) { id } }', { id })
    await until(id, ({ state }) => state === 'paused')
    // at rest it is cancelled at once, its child with it
    await server.ask('mutation ($id: ID!) { cancelRun(id: $id) { id } }', { id })
    expect(await states(id, child)).toEqual(['cancelled', 'cancelled'])
  })

  it('is handed back with its child when its worker stops, and gone on with by the next', async () => {
    const { id, child } = await training(7)
    await worker.stop(20_000)
    expect(await states(id, child)).toEqual(['pending', 'pending'])
    worker = await open()
    // whoever of the two is claimed first, there is one place, and both go on
    await until(child, ({ state, attempt }) => state === 'running' && attempt === 2)
    await server.ask('mutation ($id: ID!) { cancelRun(id: $id) { id } }', { id })
    await until(id, ({ state }) => state === 'cancelled')
    await until(child, ({ state }) => state === 'cancelled')
  })
})
