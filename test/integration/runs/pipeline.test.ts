import { describe, expect, it } from 'vitest'
import type { Database } from '../../../src/postgres/sql.js'
import type { Claim, Handler, Outcome } from '../../../src/runs/attempt.js'
import { readEvents } from '../../../src/runs/event-store.js'
import { runStep, type StepRequest } from '../../../src/runs/pipeline.js'
import { openQueue, type WorkOptions } from '../../../src/runs/queue.js'
import { createRun, readChildren, readRun, requestControl, resumeRun, retryRun } from '../../../src/runs/store.js'
import { EspalierError } from '../../../src/util/error.js'
import { freshDatabase } from '../../support/database.js'

const stateOf = (database: Database, id: string) =>
  expect.poll(async () => (await readRun(database, id))!.state, { timeout: 20_000, interval: 20 })
const patiently = { timeout: 20_000, interval: 20 }
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const outcomes = { pause: { state: 'paused' }, cancel: { state: 'cancelled' }, drain: { state: 'drained' } } as const

/** What a child does, by its options: says `says` lines, then ends, fails or waits until it is asked for something. */
interface Child {
  step: string
  says?: number
  does?: 'end' | 'fail' | 'fail once' | 'wait'
  inputs?: string | null
}

/** Works on parents (kind pipeline), whose children are the steps in their options, and on children (kind ingest). */
function world(database: Database) {
  const done: string[] = []
  const perform: Handler = async (claim): Promise<Outcome> => {
    const { step, says = 0, does = 'end' } = claim.run.options as unknown as Child
    for (let i = 1; i <= says; i++) {
      await claim.record({ type: 'log', level: 'info', message: `line ${i} of attempt ${claim.run.attempt}` })
      await claim.record({ type: 'metric', name: 'progress', step: i, value: i / says })
    }
    if (does === 'fail') throw new EspalierError('BAD_INPUT', `${step} cannot be done`, { remedy: 'Do another.' })
    if (does === 'fail once' && claim.run.attempt === 1) throw new Error('the wire broke')
    while (does === 'wait') {
      const wanted = claim.wanted()
      if (wanted) return outcomes[wanted]
      claim.signal.throwIfAborted()
      await pause(5)
    }
    done.push(step)
    return { state: 'completed', result: { step } }
  }
  const request = (parent: Claim, child: Child): StepRequest => ({
    step: child.step,
    inputHash: child.inputs ?? null,
    create: (alongside) =>
      database.transaction(async (client) => {
        const options = { ...child, says: child.says ?? 0, does: child.does ?? 'end', inputs: child.inputs ?? null }
        const run = await createRun(client, { kind: 'ingest', options, parentId: parent.run.id })
        await alongside(client, run)
        return run
      }),
  })
  const handler: Handler = async (claim) => {
    if (claim.run.kind !== 'pipeline') return perform(claim)
    const result: Record<string, string> = {}
    for (const child of claim.run.options['children'] as unknown as Child[]) {
      const end = await runStep({ database, claim, perform, retryDelaySeconds: 0.05 }, request(claim, child))
      if (end.state !== 'ended') return end
      if (end.run.state !== 'completed')
        return { state: 'failed', error: end.run.error ?? { code: 'CONFLICT', message: `step ${child.step} was ${end.run.state}` } }
      result[child.step] = end.isReused ? 'reused' : 'done'
    }
    return { state: 'completed', result }
  }
  const start = (children: Child[], more: { timeoutSeconds?: number } = {}) =>
    createRun(database, { kind: 'pipeline', options: { children: children as never }, ...more })
  const work = async (body: () => Promise<void>, options: WorkOptions = {}) => {
    const worker = await (await openQueue(database)).work(
      { concurrency: 1, maxRunning: 1, retryDelaySeconds: 0.05, pollMs: 50, ...options },
      handler,
    )
    try {
      await body()
    } finally {
      await worker.stop(5_000)
    }
  }
  return { done, start, work, handler }
}

const messages = async (database: Database, id: string) =>
  (await readEvents(database, id, { limit: 10_000 })).flatMap((event) => (event.type === 'log' ? [event.message] : []))

describe('a pipeline', () => {
  it('does its steps in their order as children, in one place, and tells all that they say', async () => {
    const { database } = await freshDatabase()
    const { done, start, work } = world(database)
    const { id } = await start([{ step: 'a', says: 3 }, { step: 'b' }, { step: 'c', says: 700 }])
    await work(() => stateOf(database, id).toBe('completed'))
    expect(done).toEqual(['a', 'b', 'c'])
    expect(await readRun(database, id)).toMatchObject({ attempt: 1, result: { a: 'done', b: 'done', c: 'done' } })
    expect((await readChildren(database, [id])).map(({ state, attempt }) => [state, attempt])).toEqual(Array(3).fill(['completed', 1]))
    const told = await messages(database, id)
    expect(told.filter((line) => line.startsWith('[a] '))).toEqual([1, 2, 3].map((i) => `[a] line ${i} of attempt 1`))
    expect(told.filter((line) => line.startsWith('[c] '))).toHaveLength(700)
  })

  it('tries a step again that may pass; one that cannot fails it with its cause, and a retry begins there', async () => {
    const { database } = await freshDatabase()
    const { done, start, work } = world(database)
    const { id } = await start([{ step: 'a', does: 'fail once' }, { step: 'b', does: 'fail' }, { step: 'c' }])
    await work(async () => {
      await stateOf(database, id).toBe('failed')
      expect(await readRun(database, id)).toMatchObject({
        attempt: 1,
        error: { code: 'BAD_INPUT', message: 'b cannot be done', remedy: 'Do another.' },
      })
      const [a, b, ...rest] = await readChildren(database, [id])
      expect([a!.attempt, b!.attempt, rest]).toEqual([2, 1, []])
      await database.query(`UPDATE run SET options = options || '{"does": "end"}' WHERE id = $1`, [b!.id])
      await retryRun(database, id)
      await stateOf(database, id).toBe('completed')
    })
    expect(done).toEqual(['a', 'b', 'c'])
    expect((await readChildren(database, [id])).map(({ attempt }) => attempt)).toEqual([2, 2, 1])
    expect((await messages(database, id)).filter((line) => line.startsWith('[a]'))).toEqual([])
  })

  it('takes over the result of a step into which the same went, and of no other', async () => {
    const { database } = await freshDatabase()
    const { done, start, work } = world(database)
    const steps = (inputs: string | null) => [
      { step: 'a', inputs },
      { step: 'b', inputs: null },
    ]
    await work(async () => {
      for (const [inputs, a] of [
        ['x', 'done'],
        ['x', 'reused'],
        ['y', 'done'],
        ['x', 'reused'],
      ] as const) {
        const { id } = await start(steps(inputs))
        await stateOf(database, id).toBe('completed')
        expect((await readRun(database, id))!.result).toEqual({ a, b: 'done' })
      }
      // what did not complete is no result
      const { id: failed } = await start([{ step: 'a', inputs: 'z', does: 'fail' }])
      await stateOf(database, failed).toBe('failed')
      const { id } = await start(steps('z'))
      await stateOf(database, id).toBe('completed')
      expect((await readRun(database, id))!.result).toEqual({ a: 'done', b: 'done' })
    })
    expect(done.filter((step) => step === 'a')).toHaveLength(3)
  })

  it('whose child is paused by itself pauses with it, and goes on with it; one that is cancelled fails it', async () => {
    const { database } = await freshDatabase()
    const { start, work } = world(database)
    const { id } = await start([{ step: 'a', does: 'wait' }])
    const child = async () => (await readChildren(database, [id]))[0]!
    await work(async () => {
      await expect.poll(async () => (await readChildren(database, [id]))[0]?.state, patiently).toBe('running')
      await requestControl(database, (await child()).id, 'pause')
      await stateOf(database, id).toBe('paused')
      await resumeRun(database, id)
      await expect.poll(async () => [(await child()).state, (await child()).attempt], patiently).toEqual(['running', 2])
      await requestControl(database, (await child()).id, 'cancel')
      await stateOf(database, id).toBe('failed')
      expect((await readRun(database, id))!.error!.message).toBe('step a was cancelled')
    })
  })

  it('that takes too long fails, and leaves no child at work', async () => {
    const { database } = await freshDatabase()
    const { start, work } = world(database)
    const { id } = await start([{ step: 'a', does: 'wait' }], { timeoutSeconds: 2 })
    await work(async () => {
      await stateOf(database, id).toBe('failed')
      expect((await readRun(database, id))!.error!.code).toBe('TIMEOUT')
      for (const child of await readChildren(database, [id])) await stateOf(database, child.id).toBe('cancelled')
    })
  })

  it('whose worker vanished is gone on with once, by whoever comes; what was said is not said twice', async () => {
    const { database } = await freshDatabase()
    const first = world(database)
    const { id } = await first.start([{ step: 'a', says: 5 }, { step: 'b', says: 5, does: 'wait' }, { step: 'c' }])
    await first.work(async () => {
      await expect.poll(async () => (await messages(database, id)).filter((line) => line.startsWith('[b]')).length, patiently).toBe(5)
      // its leases lapse as if nothing had been heard of it; another worker takes over at once
      await database.query(`UPDATE run SET worker_id = 'gone', lease_until = now() - interval '1 s' WHERE state = 'running'`)
      const child = (await readChildren(database, [id]))[1]!
      await database.query(`UPDATE run SET options = options || '{"does": "end"}' WHERE id = $1`, [child.id])
      const second = world(database)
      await second.work(() => stateOf(database, id).toBe('completed'), { workerId: 'another', maxRunning: 9, leaseSeconds: 1 })
      expect(second.done).toContain('c')
    })
    const told = await messages(database, id)
    for (const step of ['a', 'b']) {
      const lines = told.filter((line) => line.startsWith(`[${step}] `))
      expect(new Set(lines).size).toBe(lines.length)
    }
    expect(told.filter((line) => line.startsWith('[b] '))).toHaveLength(10)
    expect((await readRun(database, id))!.result).toEqual({ a: 'done', b: 'done', c: 'done' })
    expect((await readChildren(database, [id])).map(({ attempt }) => attempt)).toEqual([1, 2, 1])
  })
})
