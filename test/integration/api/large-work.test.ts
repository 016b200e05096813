import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Platform } from '../../../src/platform.js'
import type { QueueWorker } from '../../../src/runs/queue.js'
import { startWorker } from '../../../src/worker/worker.js'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

let platform: TestPlatform
let server: LiveServer
let worker: QueueWorker
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-large-'))
beforeAll(async () => {
  platform = await testPlatform()
  server = await liveServer(platform)
  // ingest and deletion use nothing more of a platform than this one has
  worker = await startWorker(platform as unknown as Platform)
})
afterAll(async () => {
  await worker?.stop(1_000)
  await server?.close()
  fs.rmSync(folder, { recursive: true, force: true })
})

/** Rows of JSON as a text of about so many bytes. */
const rows = (bytes: number, extra = '') => {
  const row = `{"id": 1, "name": "somebody", "since": "2024-01-01", "tags": ["a", "b"]${extra}}`
  return `[${Array.from({ length: Math.ceil(bytes / (row.length + 1)) }, () => row).join(',')}]`
}

const ingest = `mutation ($sources: [DialectInput!]!, $at: DateTime, $dryRun: Boolean, $system: ID! = "files") {
  ingest(projectId: "big", systemId: $system, sources: $sources, observedAt: $at, complete: true, dryRun: $dryRun) {
    runId snapshotId isReplay observedAt nodes { added unchanged } edges { added } changes metrics { columnCount } quality { score } problemCount problems { code } } }`
const runOf = `query ($id: ID!) { run(id: $id) { kind state result error { code message } events(first: 500) { type ... on MetricEvent { name value } } } }`

async function ended(id: string, open = ['PENDING', 'RUNNING']) {
  for (;;) {
    // the worker of this test parses in this very process: a connection may have idled too long meanwhile
    const answer = await server.ask(runOf, { id }).catch(() => null)
    if (answer && !open.includes(answer.run.state)) return answer.run
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test('a small ingest is answered at once, a large one names the run that does it', async () => {
  const small = await server.ask(ingest, { sources: [{ text: rows(1_000), name: 'people.json' }], at: '2024-01-01' })
  expect(small.ingest).toMatchObject({ runId: null, isReplay: false, nodes: { added: 8 }, metrics: { columnCount: 4 }, changes: 15 })

  const text = rows(4.5 * 2 ** 20, ', "more": true')
  const large = await server.ask(ingest, { sources: [{ text, name: 'people.json' }], at: '2024-02-01' })
  expect(large.ingest).toMatchObject({
    snapshotId: null,
    nodes: null,
    edges: null,
    changes: null,
    metrics: null,
    quality: null,
    problems: [],
  })
  const run = await ended(large.ingest.runId)
  expect(run).toMatchObject({ kind: 'INGEST', state: 'COMPLETED', result: { isReplay: false, nodes: { added: 1 }, problemCount: 0 } })
  const progress = (run.events as { name?: string; value?: number }[]).filter((e) => e.name === 'progress').map((e) => e.value!)
  expect(progress.length).toBeGreaterThan(1)
  expect([...progress].sort((a, b) => a - b)).toEqual(progress)
  // the same again is the same snapshot
  const again = await server.ask(ingest, { sources: [{ text, name: 'people.json' }], at: '2024-02-01' })
  expect((await ended(again.ingest.runId)).result).toMatchObject({ isReplay: true, changes: 0, snapshotId: run.result.snapshotId })
  const { snapshots } = await server.ask('{ snapshots(projectId: "big") { totalCount } }')
  expect(snapshots.totalCount).toBe(2)
})

test('a large file is read where it lies; a dry run of it writes nothing', async () => {
  const file = path.join(folder, 'many.json')
  fs.writeFileSync(file, rows(5 * 2 ** 20))
  const dry = await server.ask(ingest, { sources: [{ path: file, name: 'named/many.json' }], dryRun: true, system: 'dry' })
  expect((await ended(dry.ingest.runId)).result).toMatchObject({ snapshotId: null, nodes: { added: 7 } })
  const { projects } = await server.ask('{ projects { id systems { id } } }')
  expect(JSON.stringify(projects)).not.toContain('dry')
  const done = await server.ask(ingest, { sources: [{ path: file, name: 'named/many.json' }], system: 'paths' })
  expect((await ended(done.ingest.runId)).state).toBe('COMPLETED')
  const { catalogNode } = await server.ask('query ($id: ID!) { catalogNode(id: $id) { name } }', { id: 'big/paths/table:named.many' })
  expect(catalogNode).toEqual({ name: 'many' })
})

test('a run that was asked to stop before it begins leaves nothing; its second attempt does it all', async () => {
  const text = rows(4.5 * 2 ** 20, ', "late": 1')
  const { queueIngest } = await server.ask(
    `mutation ($sources: [DialectInput!]!) { queueIngest(projectId: "big", systemId: "stop", sources: $sources) { id options } }`,
    { sources: [{ text, name: 'a.json' }] },
  )
  expect(queueIngest.options.observedAt).toEqual(expect.any(String))
  await server.post('mutation ($id: ID!) { pauseRun(id: $id) { id } }', { id: queueIngest.id })
  let run = await ended(queueIngest.id)
  if (run.state === 'PAUSED') {
    await server.ask('mutation ($id: ID!) { resumeRun(id: $id) { id } }', { id: queueIngest.id })
    run = await ended(queueIngest.id, ['PENDING', 'RUNNING', 'PAUSED'])
  }
  expect(run).toMatchObject({ state: 'COMPLETED', result: { observedAt: queueIngest.options.observedAt } })
})

test('a deletion as a run does what its token was given for, once', async () => {
  const preview = 'query ($p: ID, $s: ID) { deletionPreview(projectId: $p, systemId: $s) { token snapshots nodes { kind removed } } }'
  const remove = `mutation ($p: ID!, $s: ID, $n: ID, $token: String!) { queueDeletion(projectId: $p, systemId: $s, snapshotId: $n, token: $token) { id } }`
  const { deletionPreview: system } = await server.ask(preview, { p: 'big', s: 'paths' })
  const { queueDeletion: first } = await server.ask(remove, { p: 'big', s: 'paths', token: system.token })
  expect(await ended(first.id)).toMatchObject({ kind: 'DELETE', state: 'COMPLETED', result: { snapshots: 1, systemId: 'paths' } })
  const stale = await server.post(remove, { p: 'big', s: 'paths', token: system.token })
  expect(stale.errors?.[0]?.extensions.code).toBe('NOT_FOUND')

  const { snapshots } = await server.ask('{ snapshots(projectId: "big") { edges { node { id } } } }')
  const snapshotId = snapshots.edges[0].node.id
  await server.ask('mutation { createProject(input: { id: "other" }) { id } }')
  const { errors } = await server.post(remove, { p: 'other', n: snapshotId, token: 'x' })
  expect(errors?.[0]?.message).toContain('project "other" has no snapshot')

  const { deletionPreview: project } = await server.ask(preview, { p: 'big' })
  expect(project.nodes).toEqual(expect.arrayContaining([{ kind: 'Project', removed: 1 }]))
  const { queueDeletion: wrong } = await server.ask(remove, { p: 'big', token: 'nonsense' })
  expect(await ended(wrong.id)).toMatchObject({ state: 'FAILED', error: { code: 'CONFLICT' } })
  const { queueDeletion: last } = await server.ask(remove, { p: 'big', token: project.token })
  expect(await ended(last.id)).toMatchObject({ state: 'COMPLETED', result: { snapshots: project.snapshots } })
  expect((await server.post('{ snapshots(projectId: "big") { totalCount } }')).errors?.[0]?.extensions.code).toBe('NOT_FOUND')
})
