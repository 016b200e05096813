import { describe, expect, it } from 'vitest'
import type { Database } from '../../../src/postgres/sql.js'
import type { Claim, Handler } from '../../../src/runs/attempt.js'
import { readEvents } from '../../../src/runs/event-store.js'
import { openQueue, prepareQueue, type WorkOptions } from '../../../src/runs/queue.js'
import { createRun, type RunRequest, readRun, requestControl, resumeRun } from '../../../src/runs/store.js'
import { EspalierError } from '../../../src/util/error.js'
import { freshDatabase } from '../../support/database.js'

const open = async (): Promise<Database> => (await freshDatabase()).database
async function withWorker<T>(
  database: Database,
  options: WorkOptions,
  handler: Handler,
  body: (worker: { stop(timeoutMs?: number): Promise<void>; active(): string[] }) => Promise<T>,
): Promise<T> {
  const worker = await (await openQueue(database)).work({ retryDelaySeconds: 0.05, pollMs: 100, ...options }, handler)
  try {
    return await body(worker)
  } finally {
    await worker.stop(500)
  }
}
const create = (database: Database, request: Partial<RunRequest> = {}) => createRun(database, { kind: 'ingest', options: {}, ...request })
const stateOf = (database: Database, id: string) =>
  expect.poll(async () => (await readRun(database, id))!.state, { timeout: 15_000, interval: 20 })
/** Works until it is asked for something. */
const untilWanted = async (claim: Claim): Promise<'pause' | 'cancel' | 'drain'> => {
  for (;;) {
    const wanted = claim.wanted()
    if (wanted) return wanted
    claim.signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
const outcomes = { pause: 'paused', cancel: 'cancelled', drain: 'drained' } as const

describe('a worker', () => {
  it('does the work, records what it says, and writes the result', async () => {
    const database = await open()
    const { id } = await create(database, { options: { n: 3 } })
    const handler: Handler = async ({ run, record }) => {
      for (let step = 0; step < (run.options['n'] as number); step++) await record({ type: 'metric', name: 'loss', step, value: 1 / step })
      return { state: 'completed', result: { done: true } }
    }
    await withWorker(database, {}, handler, () => stateOf(database, id).toBe('completed'))
    expect(await readRun(database, id)).toMatchObject({ result: { done: true }, attempt: 1 })
    expect((await readEvents(database, id)).map((event) => (event.type === 'metric' ? event.value : (event as { to: string }).to))).toEqual(
      ['running', Number.POSITIVE_INFINITY, 1, 0.5, 'completed'],
    )
  })

  it('is woken up by a new run, long before it would look', async () => {
    const database = await open()
    await withWorker(
      database,
      { pollMs: 600_000 },
      async () => ({ state: 'completed' }),
      async () => {
        const { id } = await create(database)
        await stateOf(database, id).toBe('completed')
      },
    )
  })

  it('works on as many as it may at once, and never more', async () => {
    const database = await open()
    const ids = await Promise.all(Array.from({ length: 12 }, async () => (await create(database)).id))
    let now = 0
    let most = 0
    const handler: Handler = async () => {
      most = Math.max(most, ++now)
      await new Promise((resolve) => setTimeout(resolve, 60))
      now--
      return { state: 'completed' }
    }
    await withWorker(database, { concurrency: 3, pollMs: 600_000 }, handler, async () => {
      for (const id of ids) await stateOf(database, id).toBe('completed')
    })
    expect(most).toBe(3)
  })

  it('tries again what may pass, each time later, and fails at the end of its retries', async () => {
    const database = await open()
    const { id } = await create(database, { retryLimit: 2 })
    const handler: Handler = async ({ run }) => {
      throw new Error(`crash ${run.attempt}`)
    }
    await withWorker(database, {}, handler, () => stateOf(database, id).toBe('failed'))
    expect(await readRun(database, id)).toMatchObject({ attempt: 3, error: { code: 'INTERNAL', message: 'crash 3' } })
    const reasons = (await readEvents(database, id)).map((event) => (event as { reason?: string }).reason ?? '')
    expect(reasons.filter((reason) => reason.includes('retry'))).toEqual([
      'attempt failed, retry 1 of 2 in 0.05 s: crash 1',
      'attempt failed, retry 2 of 2 in 0.1 s: crash 2',
    ])
  })

  it('does not try again what cannot pass', async () => {
    const database = await open()
    const { id } = await create(database)
    const handler: Handler = async () => {
      throw new EspalierError('BAD_INPUT', 'the data are wrong', { remedy: 'mend them' })
    }
    await withWorker(database, {}, handler, () => stateOf(database, id).toBe('failed'))
    expect(await readRun(database, id)).toMatchObject({
      attempt: 1,
      error: { code: 'BAD_INPUT', message: 'the data are wrong', remedy: 'mend them' },
    })
  })

  it('pauses, resumes as a new attempt that goes on numbering, and cancels', async () => {
    const database = await open()
    const { id } = await create(database)
    const handler: Handler = async (claim) => {
      await claim.record({ type: 'log', level: 'info', message: `attempt ${claim.run.attempt}` })
      return { state: outcomes[await untilWanted(claim)] }
    }
    await withWorker(database, {}, handler, async () => {
      await stateOf(database, id).toBe('running')
      await requestControl(database, id, 'pause')
      await stateOf(database, id).toBe('paused')
      await resumeRun(database, id)
      await stateOf(database, id).toBe('running')
      await requestControl(database, id, 'cancel')
      await stateOf(database, id).toBe('cancelled')
    })
    const events = await readEvents(database, id)
    expect(events.map((event) => event.sequence)).toEqual(events.map((_, i) => i + 1))
    expect(events.flatMap((event) => (event.type === 'log' ? [`${event.attempt}: ${event.message}`] : []))).toEqual([
      '1: attempt 1',
      '2: attempt 2',
    ])
  })

  it('stops what takes too long', async () => {
    const database = await open()
    const { id } = await create(database, { timeoutSeconds: 1 })
    const handler: Handler = async (claim) => ({ state: outcomes[await untilWanted(claim)] })
    await withWorker(database, {}, handler, () => stateOf(database, id).toBe('failed'))
    expect(await readRun(database, id)).toMatchObject({ attempt: 1, error: { code: 'TIMEOUT' } })
  })

  it('hands its runs back when it stops, without counting a failure, and another goes on', async () => {
    const database = await open()
    const { id } = await create(database, { retryLimit: 0 })
    const first: Handler = async (claim) => {
      const wanted = await untilWanted(claim)
      await claim.record({ type: 'log', level: 'info', message: 'checkpointed' })
      return { state: outcomes[wanted] }
    }
    await withWorker(database, {}, first, async (worker) => {
      await stateOf(database, id).toBe('running')
      await worker.stop()
    })
    expect(await readRun(database, id)).toMatchObject({ state: 'pending', attempt: 1 })
    await withWorker(
      database,
      {},
      async () => ({ state: 'completed' }),
      () => stateOf(database, id).toBe('completed'),
    )
    expect((await readEvents(database, id)).map((event) => (event as { reason?: string }).reason)).toContain('drained')
  })

  it('hands back by force what does not listen', async () => {
    const database = await open()
    const { id } = await create(database)
    await withWorker(
      database,
      {},
      () => new Promise(() => undefined),
      async (worker) => {
        await stateOf(database, id).toBe('running')
        await worker.stop(50)
      },
    )
    expect(await readRun(database, id)).toMatchObject({ state: 'pending', error: null })
  })

  it('takes over the run of a worker that died, which then cannot write any more', async () => {
    const database = await open()
    const { id } = await create(database)
    const { claimNext } = await import('../../../src/runs/lease-store.js')
    // A worker that claims, and is never heard of again.
    const dead = (await claimNext(database, ['ingest'], 'dead', { leaseSeconds: 0.5 }))!
    await withWorker(
      database,
      { leaseSeconds: 0.5 },
      async () => ({ state: 'completed' }),
      () => stateOf(database, id).toBe('completed'),
    )
    expect(dead.run.attempt).toBe(1)
    expect(await readRun(database, id)).toMatchObject({ attempt: 2 })
  })

  it('keeps a run far longer than one lease while its heart beats', async () => {
    const database = await open()
    const { id } = await create(database)
    const slow: Handler = async () => {
      await new Promise((resolve) => setTimeout(resolve, 2_500))
      return { state: 'completed' }
    }
    const rival: Handler = async () => ({ state: 'completed', result: { rival: true } })
    await withWorker(database, { leaseSeconds: 0.6 }, slow, async () => {
      await stateOf(database, id).toBe('running')
      await withWorker(database, { leaseSeconds: 0.6 }, rival, () => stateOf(database, id).toBe('completed'))
    })
    expect(await readRun(database, id)).toMatchObject({ attempt: 1, result: null })
  })

  it('survives the loss of all its connections', async () => {
    const database = await open()
    const handler: Handler = async () => ({ state: 'completed' })
    await withWorker(database, { pollMs: 100 }, handler, async () => {
      await database.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      )
      const { id } = await create(database)
      await stateOf(database, id).toBe('completed')
    })
  })
})

it('prepares the queue from many processes at once, and again', async () => {
  const database = await open()
  await database.query('DROP SCHEMA pgboss CASCADE')
  await Promise.all([prepareQueue(database), prepareQueue(database), prepareQueue(database)])
  await prepareQueue(database)
  const { id } = await create(database)
  expect((await database.query('SELECT id FROM pgboss.job')).rows).toEqual([{ id }])
})
