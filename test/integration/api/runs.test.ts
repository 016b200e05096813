import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { appendEvents } from '../../../src/runs/event-store.js'
import { createRun, transition } from '../../../src/runs/store.js'
import type { Run, RunEventBody } from '../../../src/vocabulary.js'
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

  test('runs side by side: what differs, newest metrics, curves', async () => {
    const [a, b] = [
      await begin({ kind: 'train-ggnn', options: { epochs: 1, seed: 7 } }),
      await begin({ kind: 'train-ggnn', options: { epochs: 2, seed: 7 } }),
    ]
    await tell(a, metric('mrr', 1, 0.5), metric('loss', 1, Number.NaN))
    await tell(b, metric('mrr', 1, 0.75))
    const { compareRuns } = await server.ask(
      'query ($ids: [ID!]!) { compareRuns(ids: $ids, curves: ["mrr"]) { runs { id } options metrics curves { runId name buckets { last } } } }',
      { ids: [a.id, b.id] },
    )
    expect(compareRuns).toEqual({
      runs: [{ id: a.id }, { id: b.id }],
      options: { epochs: [1, 2] },
      metrics: { mrr: [0.5, 0.75], loss: ['NaN', null] },
      curves: [
        { runId: a.id, name: 'mrr', buckets: [{ last: 0.5 }] },
        { runId: b.id, name: 'mrr', buckets: [{ last: 0.75 }] },
      ],
    })
    expect((await server.post(`{ compareRuns(ids: ["${a.id}"]) { options } }`)).errors?.[0]?.message).toContain('expected 2 to 20')
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
