import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ingest } from '../../../src/catalog/ingest.js'
import { ortExecutor } from '../../../src/tensor/ort.js'
import { startWorker } from '../../../src/worker/worker.js'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

const demo = path.resolve(import.meta.dirname, '../../../scripts/demo/estate')
const projectId = 'bank'
const moments = { v1: '2025-01-01T00:00:00Z', v4: '2025-06-01T00:00:00Z' } as const

let platform: TestPlatform
let server: LiveServer
let worker: Awaited<ReturnType<typeof startWorker>>
beforeAll(async () => {
  platform = await testPlatform()
  server = await liveServer(platform)
  for (const version of ['v1', 'v4'] as const) {
    const now = new Date(moments[version])
    const read = (file: string) => ({ file, text: fs.readFileSync(path.join(demo, version, file), 'utf8') })
    const hive = ['core', 'risk', 'marketing'].map((name) => ({ dialect: 'hive-ddl', ...read(`hive/${name}.sql`) }))
    await ingest(platform.database, { projectId, systemId: 'hive', complete: true, inputs: hive, observedAt: now, now })
    const jobs = [{ dialect: 'control-m-xml', ...read('control-m/bank-prod.xml') }]
    await ingest(platform.database, { projectId, systemId: 'control-m', complete: true, inputs: jobs, observedAt: now, now })
  }
  worker = await startWorker({ ...platform, executor: ortExecutor, executorFor: async () => ortExecutor, close: async () => undefined })
}, 60_000)
afterAll(async () => {
  await worker?.stop()
  await server?.close()
})

const quick = { model: { hidden: 8, steps: 1 }, training: { epochs: 2, threads: 1 } }
const start = 'mutation ($kind: RunKind!, $options: JSON) { startRun(kind: $kind, options: $options) { id options projectId } }'

/** Runs to its end; answers the options that it settled on, and its result. */
async function run(kind: 'TRAIN_GGNN' | 'EVALUATE', options: object) {
  const { startRun } = await server.ask(start, { kind, options: { ...quick, projectIds: [projectId], ...options } })
  const followed = server.follow(
    server.socket(),
    `subscription { runEvents(runId: "${startRun.id}") { type ... on StateEvent { to reason } } }`,
  )
  await followed.completed
  const { run: ended } = await server.ask(`{ run(id: "${startRun.id}") { state result error { message remedy } } }`)
  return { settled: startRun.options, ...ended }
}

describe.each([
  { task: 'lineage', component: 'lineage-ranker', options: {}, label: 'DATA_FLOW' },
  { task: 'dependency', component: 'dependency-ranker', options: {}, label: 'DEPENDS_ON' },
  { task: 'foreign-key', component: 'ranker', options: {}, label: 'REFERENCES' },
] as const)('task $task', ({ task, component, label }) => {
  test('settles what it does, learns from a saved version, publishes under its own name, and predicts', async () => {
    const { settled, state, result } = await run('TRAIN_GGNN', { task })
    expect(state).toBe('COMPLETED')
    const knownLinks = task === 'foreign-key' ? 'others' : 'none'
    expect(settled).toMatchObject({ task, component, projectIds: [projectId], lists: { features: { knownLinks, group: 'database' } } })
    expect(result).toMatchObject({ task, dataset: { name: task, number: '1.0' } })
    expect(result.dataset.lists).toBeGreaterThan(20)
    const { artifact } = await server.ask(`{ artifact(id: "${result.artifactId}") { component manifest } }`)
    expect(artifact.component).toBe(component)
    const { datasetVersion } = await server.ask(`{ datasetVersion(id: "${result.dataset.versionId}") { provenance } }`)
    expect(datasetVersion.provenance).toMatchObject({ task, featureSpec: { version: 2, task, knownLinks } })

    const promote = 'mutation ($id: ID!) { promote(artifactId: $id, alias: PRODUCTION) { __typename } }'
    await server.ask(promote, { id: result.artifactId })
    const { rows } = await platform.database.query<{ id: string; target: string }>(
      `select a.id, b.id as target from edge_key k join edge_history h on h.edge = k.key and h.valid_to = 'infinity' and h.label = $1
       join node_key a on a.key = k.source join node_key b on b.key = k.target where a.id not like '%?%' and (a.id like '%/column:%' or a.id like '%job:%') order by 1 limit 1`,
      [label],
    )
    const ask =
      'query ($id: ID!, $task: String!) { predictLinks(nodeId: $id, task: $task, k: 5, includeKnown: true) { task considered links { targetId score isKnown } } }'
    const { predictLinks } = await server.ask(ask, { id: rows[0]!.id, task })
    expect(predictLinks.task).toBe(task)
    expect(predictLinks.links).toHaveLength(5)
    for (const link of predictLinks.links) expect(Number.isFinite(link.score)).toBe(true)
  }, 60_000)
})

test('a ranker of one task does not answer for another', async () => {
  const { errors } = await server.post('query ($id: ID!) { predictLinks(nodeId: $id, task: "lineage", component: "ranker") { task } }', {
    id: 'bank/hive/column:core.account.account_id',
  })
  expect(errors![0]!.message).toContain('this ranker was trained for foreign-key')
  expect(errors![0]!.extensions.remedy).toContain('lineage-ranker')
})

test('an evaluation holds out databases and prints the differences from every baseline', async () => {
  const { state, result } = await run('EVALUATE', { task: 'lineage', lists: { candidates: 8 } })
  expect(state).toBe('COMPLETED')
  expect(result.groups).toHaveLength(3)
  expect(Object.keys(result.differences)).toEqual(expect.arrayContaining(['random', 'exact name', 'common neighbours', 'rule of the task']))
  expect(result.best.baseline).toBeTypeOf('string')
  expect(result.table).toContain('strongest baseline')
  expect(JSON.stringify(result)).not.toContain('null,"low"')
}, 60_000)

test('a split by time learns from the links of before and is judged on those that came after', async () => {
  const splitAt = '2025-03-01T00:00:00Z'
  const { state, result, settled } = await run('TRAIN_GGNN', { splitAt })
  expect(state).toBe('COMPLETED')
  expect(settled.splitAt).toBe(splitAt)
  expect(result.dataset.validationLists).toBeGreaterThan(0)
  const again = await run('TRAIN_GGNN', { datasetVersionId: result.dataset.versionId })
  expect(again.result.dataset).toEqual(result.dataset)
  const judged = await run('EVALUATE', { splitAt })
  expect(judged.result.split).toBe(
    `by time: ${result.dataset.lists - result.dataset.validationLists} lists before, ${result.dataset.validationLists} after`,
  )
  const { state: failed, error } = await run('TRAIN_GGNN', { splitAt: '2024-01-01T00:00:00Z' })
  expect(failed).toBe('FAILED')
  expect(error.message).toContain('found 0 lists before')
}, 90_000)

test('a version made for one task is refused by another, and an estate without such links says what it lacks', async () => {
  const { result } = await run('TRAIN_GGNN', { task: 'dependency' })
  const wrong = await run('TRAIN_GGNN', { task: 'lineage', datasetVersionId: result.dataset.versionId })
  expect(wrong.error.message).toContain('was made for dependency')
  const now = new Date()
  const inputs = [{ dialect: 'hive-ddl', file: 'a.sql', text: 'CREATE TABLE d.t (a INT)' }]
  await ingest(platform.database, { projectId: 'bare', systemId: 's', inputs, now })
  for (const task of ['foreign-key', 'lineage', 'dependency']) {
    const { state, error } = await run('TRAIN_GGNN', { task, projectIds: ['bare'] })
    expect(state).toBe('FAILED')
    expect(error).toMatchObject({ message: expect.stringContaining('found no'), remedy: expect.stringContaining('Ingest') })
  }
}, 60_000)
