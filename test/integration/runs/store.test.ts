import { describe, expect, it } from 'vitest'
import { readGraphChanges } from '../../../src/postgres/outbox.js'
import { readEvents } from '../../../src/runs/event-store.js'
import { createRun, readRun, readRuns, readRunsById, requestControl, resumeRun, retryRun, transition } from '../../../src/runs/store.js'
import { freshDatabase } from '../../support/database.js'

const { database } = await freshDatabase()
const options = { epochs: 3, note: 'a\0b' }

describe('createRun', () => {
  it('makes a pending run, its ticket and its node in one transaction', async () => {
    const run = await createRun(database, { kind: 'train-ggnn', options, projectId: 'bank', name: 'first' })
    expect(run).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      kind: 'train-ggnn',
      projectId: 'bank',
      options: { epochs: 3, note: 'a\ufffdb' },
      state: 'pending',
      attempt: 0,
      priority: 5,
      parentId: null,
      result: null,
      error: null,
      control: null,
      createdAt: expect.any(Date),
      startedAt: null,
      endedAt: null,
      heartbeatAt: null,
    })
    expect(await readRun(database, run.id)).toEqual(run)
    const tickets = await database.query('SELECT data FROM pgboss.job WHERE id = $1', [run.id])
    expect(tickets.rows).toEqual([{ data: { runId: run.id } }])
    await expect
      .poll(async () => (await readGraphChanges(database, 0, 100)).map((row) => row.change))
      .toContainEqual({
        op: 'upsert-node',
        id: `run:${run.id}`,
        kind: 'Run',
        properties: {
          id: `run:${run.id}`,
          run_id: run.id,
          name: 'first',
          kind: 'train-ggnn',
          state: 'pending',
          attempt: 0,
          project_id: 'bank',
          created_at: run.createdAt.toISOString(),
          ended_at: null,
          updated_at: run.createdAt.toISOString(),
        },
      })
  })
  it('leaves nothing when the caller rolls back', async () => {
    let id = ''
    const failing = database.transaction(async (client) => {
      id = (await createRun(client, { kind: 'ingest', options: {} })).id
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    expect(await readRun(database, id)).toBeNull()
    expect((await database.query('SELECT FROM pgboss.job WHERE id = $1', [id])).rowCount).toBe(0)
  })
  it('refuses an unknown kind, and a priority, a time limit and retries out of range', async () => {
    const wrong = () => createRun(database, { kind: 'injest' as never, options: {} })
    expect(wrong).toThrow(expect.objectContaining({ code: 'BAD_INPUT', remedy: 'Did you mean "ingest"?' }))
    expect(() => createRun(database, { kind: 'ingest', options: {}, priority: 11 })).toThrow('expected a whole number from 1 to 10')
    for (const timeoutSeconds of [0, -1, 1.5, 1e9])
      expect(() => createRun(database, { kind: 'ingest', options: {}, timeoutSeconds })).toThrow('run timeoutSeconds: found')
    for (const retryLimit of [-1, 0.5, 101])
      expect(() => createRun(database, { kind: 'ingest', options: {}, retryLimit })).toThrow('run retryLimit: found')
  })
})

describe('transition', () => {
  it('writes state, times and event together', async () => {
    const { id } = await createRun(database, { kind: 'evaluate', options: {} })
    const running = await transition(database, id, 'running', { reason: 'here' })
    expect(running).toMatchObject({ state: 'running', attempt: 1, startedAt: expect.any(Date), endedAt: null })
    const completed = await transition(database, id, 'completed', { attempt: 1, result: { score: 0.5 } })
    expect(completed).toMatchObject({ state: 'completed', result: { score: 0.5 }, endedAt: expect.any(Date) })
    expect(await readEvents(database, id)).toEqual([
      { runId: id, sequence: 1, attempt: 1, at: expect.any(Date), type: 'state', from: 'pending', to: 'running', reason: 'here' },
      { runId: id, sequence: 2, attempt: 1, at: expect.any(Date), type: 'state', from: 'running', to: 'completed' },
    ])
    expect((await database.query('SELECT FROM pgboss.job WHERE id = $1', [id])).rowCount).toBe(0)
  })
  it('refuses illegal moves, unknown runs and attempts that are over, and then changes nothing', async () => {
    const run = await createRun(database, { kind: 'evaluate', options: {} })
    await expect(transition(database, run.id, 'completed')).rejects.toMatchObject({ code: 'ILLEGAL_TRANSITION' })
    await expect(transition(database, 'no id', 'running')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await transition(database, run.id, 'running')
    await transition(database, run.id, 'pending', { reason: 'again' })
    await transition(database, run.id, 'running')
    await expect(transition(database, run.id, 'failed', { attempt: 1 })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `Attempt 1 of run ${run.id} is over: attempt 2 has taken its place`,
    })
    expect(await readRun(database, run.id)).toMatchObject({ state: 'running', attempt: 2 })
    expect(await readEvents(database, run.id)).toHaveLength(3)
  })
  it('lets one of two rivals through', async () => {
    const { id } = await createRun(database, { kind: 'evaluate', options: {} })
    const outcomes = await Promise.allSettled([transition(database, id, 'running'), transition(database, id, 'cancelled')])
    const after = await readRun(database, id)
    // Running, then cancelled, is legal; cancelled, then running, is not.
    expect(after!.state).toBe('cancelled')
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe((await readEvents(database, id)).length)
  })
})

describe('control', () => {
  it('is asked of a running run and obeyed at once by a waiting one', async () => {
    const running = await createRun(database, { kind: 'evaluate', options: {} })
    await transition(database, running.id, 'running')
    expect(await requestControl(database, running.id, 'pause')).toMatchObject({ state: 'running', control: 'pause' })
    expect(await resumeRun(database, running.id)).toMatchObject({ state: 'running', control: null })
    expect(await requestControl(database, running.id, 'cancel')).toMatchObject({ state: 'running', control: 'cancel' })
    expect(await transition(database, running.id, 'cancelled')).toMatchObject({ state: 'cancelled', control: null })

    const waiting = await createRun(database, { kind: 'evaluate', options: {} })
    await expect(requestControl(database, waiting.id, 'pause')).rejects.toMatchObject({ code: 'ILLEGAL_TRANSITION' })
    expect(await requestControl(database, waiting.id, 'cancel')).toMatchObject({ state: 'cancelled' })
    expect((await database.query('SELECT FROM pgboss.job WHERE id = $1', [waiting.id])).rowCount).toBe(0)
    await expect(requestControl(database, waiting.id, 'cancel')).rejects.toMatchObject({ code: 'ILLEGAL_TRANSITION' })
  })
  it('resumes and retries into the queue', async () => {
    const { id } = await createRun(database, { kind: 'evaluate', options: {} })
    await transition(database, id, 'running')
    await transition(database, id, 'paused')
    expect((await database.query('SELECT FROM pgboss.job WHERE id = $1', [id])).rowCount).toBe(0)
    expect(await resumeRun(database, id)).toMatchObject({ state: 'paused' })
    await resumeRun(database, id)
    expect((await database.query('SELECT FROM pgboss.job WHERE id = $1', [id])).rowCount).toBe(1)
    await requestControl(database, id, 'cancel')
    await expect(resumeRun(database, id)).rejects.toMatchObject({ code: 'ILLEGAL_TRANSITION' })
    expect(await retryRun(database, id)).toMatchObject({ state: 'pending', endedAt: null, attempt: 1 })
    expect((await database.query('SELECT FROM pgboss.job WHERE id = $1', [id])).rowCount).toBe(1)
  })
})

it('lists runs newest first, filtered, in pages, also of one instant', async () => {
  const fresh = (await freshDatabase()).database
  const made = await fresh.transaction(async (client) => {
    const runs = []
    for (let i = 0; i < 7; i++) runs.push(await createRun(client, { kind: i % 2 ? 'ingest' : 'evaluate', options: { i }, projectId: 'p' }))
    return runs
  })
  const seen: string[] = []
  for (let after: string | null = null; ; ) {
    const page = await readRuns(fresh, { first: 3, after })
    if (page.length === 0) break
    seen.push(...page.map((run) => run.id))
    after = page.at(-1)!.id
  }
  expect([...seen].sort()).toEqual(made.map((run) => run.id).sort())
  expect(new Set(seen).size).toBe(7)
  await transition(fresh, made[1]!.id, 'running')
  expect((await readRuns(fresh, { kind: 'ingest', state: 'pending' })).map((run) => run.options['i']).sort()).toEqual([3, 5])
  expect(await readRuns(fresh, { projectId: 'other' })).toEqual([])
  expect((await readRuns(fresh, { state: ['running', 'paused'] })).map((run) => run.id)).toEqual([made[1]!.id])
  await expect(readRuns(fresh, { after: 'x' })).rejects.toMatchObject({ code: 'BAD_INPUT' })
  const unknown = '00000000-0000-4000-8000-000000000000'
  expect((await readRunsById(fresh, [made[2]!.id, unknown, 'x', made[0]!.id])).map((run) => run?.options['i'])).toEqual([
    2,
    undefined,
    undefined,
    0,
  ])
})
