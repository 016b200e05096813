import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { saveRankingVersion } from '../../../src/datasets/store.js'
import { appendEvents } from '../../../src/runs/event-store.js'
import { saveRunFile } from '../../../src/runs/file-store.js'
import { recordUse } from '../../../src/runs/graph-store.js'
import { createRun, transition } from '../../../src/runs/store.js'
import type { Run, RunEventBody } from '../../../src/vocabulary.js'
import { toyLists } from '../../support/toy-lists.js'
import { type LiveServer, liveServer } from './live-server.js'
import { type TestPlatform, testPlatform } from './test-platform.js'

let platform: TestPlatform
let server: LiveServer
beforeAll(async () => {
  platform = await testPlatform()
  server = await liveServer(platform)
})
afterAll(() => server?.close())

const begin = async (options: Parameters<typeof createRun>[1] = { kind: 'train-ggnn', options: { epochs: 1 } }): Promise<Run> => {
  const run = await createRun(platform.database, options)
  return transition(platform.database, run.id, 'running')
}
/** Appends events after those there are. */
async function tell(run: Run, ...bodies: RunEventBody[]): Promise<void> {
  const { rows } = await platform.database.query<{ last: number }>('SELECT max(sequence) AS last FROM run_event WHERE run_id = $1', [
    run.id,
  ])
  const last = rows[0]?.last ?? 0
  await appendEvents(
    platform.database,
    run.id,
    run.attempt,
    bodies.map((body, i) => ({ sequence: last + i + 1, body })),
  )
}
const metric = (name: string, step: number, value: number): RunEventBody => ({ type: 'metric', name, step, value })

const eventFields = `sequence type ... on MetricEvent { name step value } ... on LogEvent { level message } ... on StateEvent { from to }`

describe('reading', () => {
  test('pages have true totals and cursors that lead on', async () => {
    const made = []
    for (let i = 0; i < 5; i++) made.push(await createRun(platform.database, { kind: 'evaluate', options: {}, projectId: 'paging' }))
    const newest = made.map((run) => run.id).reverse()
    const query = `query ($after: String) { runs(projectId: "paging", kind: [EVALUATE], first: 2, after: $after) {
      totalCount pageInfo { hasNextPage hasPreviousPage endCursor } edges { cursor node { id state kind } } } }`
    const seen: string[] = []
    let after: string | null = null
    for (let page = 0; page < 3; page++) {
      const { runs } = await server.ask(query, { after })
      expect(runs.totalCount).toBe(5)
      expect(runs.pageInfo).toMatchObject({ hasNextPage: page < 2, hasPreviousPage: page > 0 })
      seen.push(...runs.edges.map((edge: { node: Run }) => edge.node.id))
      after = runs.pageInfo.endCursor
    }
    expect(seen).toEqual(newest)
  })

  test('bad pages and cursors say what was expected', async () => {
    for (const bad of ['first: 0', 'first: 1001', 'after: "nonsense"', 'after: "WyJub3BlIl0"']) {
      const { errors } = await server.post(`{ runs(${bad}) { totalCount } }`)
      expect(errors?.[0]?.extensions.code, bad).toBe('BAD_USER_INPUT')
    }
  })

  test('a run that is not there is null, and a loop over many costs one statement', async () => {
    expect(await server.ask('{ a: run(id: "nonsense") { id } b: run(id: "00000000-0000-4000-8000-000000000000") { id } }')).toEqual({
      a: null,
      b: null,
    })
    const parent = await begin()
    const children = []
    for (let i = 0; i < 10; i++) children.push(await createRun(platform.database, { kind: 'evaluate', options: {}, parentId: parent.id }))
    for (const child of children) {
      const running = await transition(platform.database, child.id, 'running')
      await tell(running, metric('mrr', 1, 0.5))
    }
    let answer: { runs: { edges: { node: { parent: { id: string; children: unknown[] }; metrics: unknown[] } }[] } } | undefined
    const statements = await platform.statements(async () => {
      answer = await server.ask(`{ runs(parentId: "${parent.id}", first: 10) { edges { node { id
        parent { id children { id } } metrics { name value } children { id } artifacts { id } } } } }`)
    })
    expect(answer?.runs.edges).toHaveLength(10)
    expect(answer?.runs.edges[0]?.node.parent.children).toHaveLength(10)
    expect(answer?.runs.edges[0]?.node.metrics).toEqual([{ name: 'mrr', value: 0.5 }])
    // runs; then one each, however many siblings: parents, metrics, children of siblings, artifacts, children of the parent
    expect(statements.length, statements.join('\n')).toBe(6)
  })

  test('metrics that are not finite arrive as words; curves are down-sampled', async () => {
    const run = await begin()
    await tell(
      run,
      metric('loss', 0, Number.NaN),
      metric('loss', 1, Infinity),
      ...Array.from({ length: 98 }, (_, i) => metric('loss', i + 2, 1 / (i + 2))),
    )
    const { run: read } = await server.ask(
      `query ($id: ID!) { run(id: $id) { metrics { name step value } metricSeries(name: "loss", buckets: 10) { fromStep toStep count min max last notFinite } events(first: 4) { ${eventFields} } } }`,
      { id: run.id },
    )
    expect(read.metrics).toEqual([{ name: 'loss', step: 99, value: 1 / 99 }])
    expect(read.metricSeries).toHaveLength(10)
    expect(read.metricSeries[0]).toEqual({ fromStep: 0, toStep: 9, count: 10, min: 1 / 9, max: 1 / 2, last: 1 / 9, notFinite: 2 })
    expect(read.events).toEqual([
      { sequence: 1, type: 'state', from: 'PENDING', to: 'RUNNING' },
      { sequence: 2, type: 'metric', name: 'loss', step: 0, value: 'NaN' },
      { sequence: 3, type: 'metric', name: 'loss', step: 1, value: 'Infinity' },
      { sequence: 4, type: 'metric', name: 'loss', step: 2, value: 0.5 },
    ])
  })

  test('runs side by side: what differs, data, newest metrics, curves over the same steps', async () => {
    const [a, b] = [
      await begin({ kind: 'train-ggnn', options: { training: { epochs: 1, seed: 7 }, model: { hidden: 8 } } }),
      await begin({ kind: 'train-ggnn', options: { training: { epochs: 2, seed: 7 }, model: { hidden: 8 }, task: 'lineage' } }),
    ]
    const save = (name: string) =>
      saveRankingVersion(
        platform.database,
        platform.blobs,
        { dataset: { projectId: 'bank', name, description: '' }, lists: toyLists(5) },
        new Date(),
      )
    const [one, other] = [(await save('one')).version, (await save('other')).version]
    await recordUse(platform.database, a.id, one.id)
    await recordUse(platform.database, b.id, one.id)
    await recordUse(platform.database, b.id, other.id)
    await tell(a, ...Array.from({ length: 100 }, (_, i) => metric('mrr', i, i)), metric('loss', 1, Number.NaN))
    await tell(b, metric('mrr', 45, 0.75))
    const query = `query ($ids: [ID!]!) { compareRuns(ids: $ids, curves: ["mrr"], buckets: 10) { runs { id datasets { number } } options
      datasets { datasetName } sameData metrics curves { runId name buckets { index last } } } }`
    const { compareRuns } = await server.ask(query, { ids: [a.id, b.id] })
    expect(compareRuns).toEqual({
      runs: [
        { id: a.id, datasets: [{ number: '1.0' }] },
        { id: b.id, datasets: [{ number: '1.0' }, { number: '1.0' }] },
      ],
      options: { 'training.epochs': [1, 2], task: [null, 'lineage'] },
      datasets: [[{ datasetName: 'one' }], expect.arrayContaining([{ datasetName: 'one' }, { datasetName: 'other' }])],
      sameData: false,
      metrics: { mrr: [99, 0.75], loss: ['NaN', null] },
      curves: [
        { runId: a.id, name: 'mrr', buckets: Array.from({ length: 10 }, (_, index) => ({ index, last: 10 * index + 9 })) },
        { runId: b.id, name: 'mrr', buckets: [{ index: 4, last: 0.75 }] },
      ],
    })
    expect((await server.ask(query, { ids: [a.id, a.id] })).compareRuns).toMatchObject({ options: {}, sameData: true })
    expect((await server.post(`{ compareRuns(ids: ["${a.id}"]) { options } }`)).errors?.[0]?.message).toContain('expected 2 to 20')
  })

  test('files that a run left are listed, and downloaded whole or refused', async () => {
    const run = await begin()
    const bytes = new TextEncoder().encode('{"traceEvents":[]}\n')
    const blob = await platform.blobs.put(bytes)
    const file = { runId: run.id, attempt: 1, name: 'profile.json', blob, bytes: bytes.length, summary: { steps: 3 } }
    await saveRunFile(platform.database, file)
    await expect(saveRunFile(platform.database, { ...file, attempt: 0 })).rejects.toMatchObject({ code: 'CONFLICT' })
    const { run: read } = await server.ask(`{ run(id: "${run.id}") { files { name bytes sha256 summary url } checkpoints { id } } }`)
    expect(read).toEqual({
      files: [{ name: 'profile.json', bytes: String(bytes.length), sha256: blob, summary: { steps: 3 }, url: expect.any(String) }],
      checkpoints: [],
    })
    const response = await fetch(new URL(read.files[0].url, server.url))
    expect([response.status, await response.text()]).toEqual([200, '{"traceEvents":[]}\n'])
    for (const missing of [`/runs/${run.id}/files/other.json`, '/runs/nonsense/files/profile.json'])
      expect((await fetch(new URL(missing, server.url))).status).toBe(404)
  })
})

describe('control', () => {
  test('an illegal move names the legal ones', async () => {
    const run = await begin()
    await transition(platform.database, run.id, 'completed')
    const { errors } = await server.post(`mutation { pauseRun(id: "${run.id}") { id } }`)
    expect(errors?.[0]?.extensions.code).toBe('ILLEGAL_TRANSITION')
    expect(errors?.[0]?.message).toContain('completed')
    expect(errors?.[0]?.extensions.remedy).toBeTruthy()
  })

  test('a running run is asked; a waiting one is cancelled at once; both are audited', async () => {
    const running = await begin()
    const waiting = await createRun(platform.database, { kind: 'evaluate', options: {} })
    const { pauseRun, cancelRun } = await server.ask(
      `mutation { pauseRun(id: "${running.id}") { state control } cancelRun(id: "${waiting.id}") { state control } }`,
    )
    expect([pauseRun, cancelRun]).toEqual([
      { state: 'RUNNING', control: 'PAUSE' },
      { state: 'CANCELLED', control: null },
    ])
    const { audit } = await server.ask('{ audit(first: 2) { actor action subject } }')
    expect(audit).toEqual([
      { actor: 'local', action: 'cancel-run', subject: waiting.id },
      { actor: 'local', action: 'pause-run', subject: running.id },
    ])
  })

  test('a run that is not there is NOT_FOUND', async () => {
    const { errors } = await server.post('mutation { resumeRun(id: "nonsense") { id } }')
    expect(errors?.[0]?.extensions.code).toBe('NOT_FOUND')
  })
})

describe('live', () => {
  test('what was missed, then what comes, in order and without doubles; it ends with the run', async () => {
    const run = await begin()
    await tell(run, metric('loss', 1, 2))
    const followed = server.follow(server.socket(), `subscription ($id: ID!) { runEvents(runId: $id) { ${eventFields} } }`, { id: run.id })
    await followed.until((values) => values.some((v) => v.data.runEvents.type === 'metric'))
    await tell(run, metric('loss', 2, Number.NaN), { type: 'log', level: 'info', message: 'half way' })
    await transition(platform.database, run.id, 'completed')
    await followed.completed
    const events = followed.values.map((v) => v.data.runEvents)
    expect(events.map((e) => e.sequence)).toEqual(events.map((_, i) => i + 1))
    expect(events.slice(-4)).toMatchObject([
      { type: 'metric', step: 1, value: 2 },
      { type: 'metric', step: 2, value: 'NaN' },
      { type: 'log', level: 'INFO', message: 'half way' },
      { type: 'state', from: 'RUNNING', to: 'COMPLETED' },
    ])
  })

  test('a reconnect goes on after the last event that was seen', async () => {
    const run = await begin()
    await tell(run, metric('loss', 1, 2), metric('loss', 2, 1))
    const subscription = `subscription ($id: ID!, $after: Int!) { runEvents(runId: $id, after: $after) { sequence } }`
    const first = server.follow(server.socket(), subscription, { id: run.id, after: 0 })
    await first.until((values) => values.length >= 2)
    first.stop()
    const seen = first.values.map((v) => v.data.runEvents.sequence as number)
    await tell(run, metric('loss', 3, 0.5))
    await transition(platform.database, run.id, 'completed')
    const second = server.follow(server.socket(), subscription, { id: run.id, after: seen.at(-1) })
    await second.completed
    const all = [...seen, ...second.values.map((v) => v.data.runEvents.sequence as number)]
    expect(all).toEqual(all.map((_, i) => i + 1))
  })

  test('lines of the log from a level upwards', async () => {
    const run = await begin()
    await tell(
      run,
      { type: 'log', level: 'debug', message: 'a' },
      metric('loss', 1, 2),
      { type: 'log', level: 'warn', message: 'b' },
      { type: 'log', level: 'error', message: 'c' },
    )
    await transition(platform.database, run.id, 'completed')
    const followed = server.follow(server.socket(), `subscription { runLogs(runId: "${run.id}", level: WARN) { level message } }`)
    await followed.completed
    expect(followed.values.map((v) => v.data.runLogs)).toEqual([
      { level: 'WARN', message: 'b' },
      { level: 'ERROR', message: 'c' },
    ])
  })

  test('every event is answered with loaders of its own', async () => {
    const run = await begin()
    const followed = server.follow(
      server.socket(),
      `subscription { runEvents(runId: "${run.id}") { sequence type ... on StateEvent { to run { state } } } }`,
    )
    await followed.until((values) => values.some((v) => v.data.runEvents.to === 'RUNNING'))
    await transition(platform.database, run.id, 'completed')
    await followed.completed
    expect(followed.values.at(-1).data.runEvents).toMatchObject({ to: 'COMPLETED', run: { state: 'COMPLETED' } })
  })

  test('a client that stops reading gets coalesced metrics and marks, and costs no memory', async () => {
    const run = await begin()
    const socket = new WebSocket(server.url.replace('http', 'ws'), 'graphql-transport-ws')
    const got: { sequence: number; type: string; from?: number; events?: number; name?: string; value?: number; to?: string }[] = []
    let isComplete = false
    const first = new Promise<void>((resolve, reject) => {
      socket.on('error', reject)
      socket.on('close', () => reject(new Error('the socket was closed')))
      socket.on('message', (text) => {
        const message = JSON.parse(String(text))
        if (message.type === 'connection_ack') {
          const query = `subscription { runEvents(runId: "${run.id}") { sequence type ... on MetricEvent { name value } ... on GapEvent { from events } ... on StateEvent { to } } }`
          socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }))
        } else if (message.type === 'next') {
          got.push(message.payload.data.runEvents)
          resolve()
        } else if (message.type === 'complete') isComplete = true
      })
    })
    await new Promise((resolve) => socket.once('open', resolve))
    socket.send(JSON.stringify({ type: 'connection_init' }))
    await first
    socket.pause()
    const before = process.memoryUsage()
    const batch = 5_000
    for (let from = 0; from < 100_000; from += batch) {
      const metrics = Array.from({ length: batch - 1 }, (_, i) => metric(`metric_${i % 9}`, from + i, from + i))
      await tell(run, ...metrics, { type: 'log', level: 'info', message: `line ${from}` })
    }
    await transition(platform.database, run.id, 'completed')
    const grown = process.memoryUsage()
    // a hundred thousand events as messages are more than 10 MB; what is held is a page, and what the kernel takes
    expect(grown.external + grown.arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(8 * 2 ** 20)
    socket.resume()
    await expect.poll(() => isComplete, { timeout: 30_000 }).toBe(true)
    socket.terminate()
    let at = 0
    for (const event of got) {
      if (event.type === 'gap') expect([event.from, event.events]).toEqual([at + 1, event.sequence - at])
      else expect(event.sequence).toBe(at + 1)
      at = event.sequence
    }
    expect(at).toBe(100_002)
    expect(got.filter((event) => event.type === 'log')).toHaveLength(20)
    expect(got.at(-1)).toMatchObject({ type: 'state', to: 'COMPLETED' })
    expect(got.length).toBeLessThan(60_000)
    expect(got.some((event) => event.type === 'gap')).toBe(true)
    const newest = new Map(got.filter((event) => event.type === 'metric').map((event) => [event.name, event.value]))
    expect([...newest.values()].sort()).toEqual(Array.from({ length: 9 }, (_, i) => 100_000 - 2 - i).sort())
  }, 60_000)

  test('an unknown run is an error at once', async () => {
    const followed = server.follow(server.socket(), 'subscription { runEvents(runId: "nonsense") { sequence } }')
    await followed.completed
    expect(followed.values).toMatchObject([{ errors: [{ extensions: { code: 'NOT_FOUND', remedy: expect.any(String) } }] }])
  })

  test('leaving stops listening, however it is left', async () => {
    const run = await begin()
    const listening = async () =>
      (
        await platform.database.query<{ n: number }>(
          `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'listen%'`,
        )
      ).rows[0]!.n
    const before = await listening()
    for (const leave of ['stop', 'dispose', 'terminate'] as const) {
      const socket = server.socket()
      const followed = server.follow(socket, `subscription { runEvents(runId: "${run.id}") { sequence } }`)
      await followed.until((values) => values.length > 0)
      if (leave === 'stop') followed.stop()
      else if (leave === 'dispose') await socket.dispose()
      else socket.terminate()
    }
    await tell(run, metric('loss', 1, 1))
    expect(await listening()).toBeLessThanOrEqual(before + 1)
  })
})
