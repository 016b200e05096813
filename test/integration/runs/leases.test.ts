import { describe, expect, it } from 'vitest'
import type { Database } from '../../../src/postgres/sql.js'
import { claimNext, claimRun, endLeasesOf, renewLease, restoreTickets, takeOverLapsed } from '../../../src/runs/lease-store.js'
import { createRun, readRun, requestControl, resumeRun, transition } from '../../../src/runs/store.js'
import { freshDatabase } from '../../support/database.js'

const open = async (): Promise<Database> => (await freshDatabase({ maxConnections: 25 })).database
const lapse = (database: Database, id: string) => database.query(`UPDATE run SET lease_until = now() - interval '1 s' WHERE id = $1`, [id])

describe('claims', () => {
  it('go to exactly one of many claimers, by hand', async () => {
    const database = await open()
    const { id } = await createRun(database, { kind: 'ingest', options: {} })
    const claims = await Promise.all(Array.from({ length: 20 }, (_, i) => claimRun(database, id, `worker ${i}`)))
    expect(claims.filter(Boolean)).toHaveLength(1)
    expect(await readRun(database, id)).toMatchObject({ state: 'running', attempt: 1, heartbeatAt: expect.any(Date) })
  })

  it('hand out each of many runs once, to many workers at once', async () => {
    const database = await open()
    const ids = await Promise.all(Array.from({ length: 60 }, async () => (await createRun(database, { kind: 'ingest', options: {} })).id))
    const claimed: string[] = []
    const work = async (name: string) => {
      for (let lease = await claimNext(database, ['ingest'], name); lease; lease = await claimNext(database, ['ingest'], name))
        claimed.push(lease.run.id)
    }
    await Promise.all(Array.from({ length: 12 }, (_, i) => work(`worker ${i}`)))
    expect(claimed.sort()).toEqual(ids.sort())
    expect((await database.query('SELECT count(*) AS n FROM pgboss.job')).rows).toEqual([{ n: 0 }])
  })

  it('take the most urgent first, across kinds, and only kinds asked for', async () => {
    const database = await open()
    for (const [kind, priority] of [
      ['ingest', 3],
      ['evaluate', 10],
      ['ingest', 7],
      ['train-ggnn', 9],
    ] as const)
      await createRun(database, { kind, options: {}, priority })
    const order: string[] = []
    for (
      let lease = await claimNext(database, ['ingest', 'evaluate'], 'w');
      lease;
      lease = await claimNext(database, ['ingest', 'evaluate'], 'w')
    )
      order.push(`${lease.run.kind} ${lease.run.priority}`)
    expect(order).toEqual(['evaluate 10', 'ingest 7', 'ingest 3'])
  })

  it('respect the cap, however many claim at once', async () => {
    const database = await open()
    for (let i = 0; i < 8; i++) await createRun(database, { kind: 'ingest', options: {} })
    const claims = await Promise.all(Array.from({ length: 8 }, (_, i) => claimNext(database, ['ingest'], `w${i}`, { maxRunning: 3 })))
    const won = claims.filter((lease) => lease !== null)
    expect(won).toHaveLength(3)
    await transition(database, won[0]!.run.id, 'completed')
    expect(await claimNext(database, ['ingest'], 'w', { maxRunning: 3 })).not.toBeNull()
    expect(await claimNext(database, ['ingest'], 'w', { maxRunning: 3 })).toBeNull()
  })

  it('leave a delayed retry alone until its time', async () => {
    const database = await open()
    const { id } = await createRun(database, { kind: 'ingest', options: {} })
    await claimNext(database, ['ingest'], 'w')
    await transition(database, id, 'pending', { delaySeconds: 1 })
    expect(await claimNext(database, ['ingest'], 'w')).toBeNull()
    expect(await claimRun(database, id, 'w')).toBeNull()
    await expect.poll(() => claimNext(database, ['ingest'], 'w'), { timeout: 5_000 }).toMatchObject({ run: { id, attempt: 2 } })
  })

  it('take a paused run only after it was resumed', async () => {
    const database = await open()
    const { id } = await createRun(database, { kind: 'ingest', options: {} })
    await claimNext(database, ['ingest'], 'w')
    await transition(database, id, 'paused')
    expect(await claimNext(database, ['ingest'], 'w')).toBeNull()
    await resumeRun(database, id)
    expect(await claimNext(database, ['ingest'], 'w')).toMatchObject({ run: { id, state: 'running', attempt: 2 } })
  })

  it('find a run again whose ticket was lost', async () => {
    const database = await open()
    const { id } = await createRun(database, { kind: 'ingest', options: {} })
    await database.query('DELETE FROM pgboss.job')
    await restoreTickets(database)
    expect(await claimNext(database, ['ingest'], 'w')).toBeNull() // it may only be in flight: a minute is given
    await database.query(`UPDATE run SET available_at = now() - interval '2 minutes'`)
    await Promise.all([restoreTickets(database), restoreTickets(database)])
    expect(await claimNext(database, ['ingest'], 'w')).toMatchObject({ run: { id } })
    expect(await claimNext(database, ['ingest'], 'w')).toBeNull()
  })
})

describe('leases', () => {
  it('last as long as heartbeats come, and carry the request to pause', async () => {
    const database = await open()
    const { id } = await createRun(database, { kind: 'ingest', options: {} })
    const lease = (await claimRun(database, id, 'w', { leaseSeconds: 30 }))!
    await lapse(database, id)
    expect(await renewLease(database, lease)).toEqual({ control: null })
    expect(await takeOverLapsed(database)).toEqual([])
    await requestControl(database, id, 'pause')
    expect(await renewLease(database, lease)).toEqual({ control: 'pause' })
    expect(await renewLease(database, { ...lease, workerId: 'other' })).toBeNull()
  })

  it('are taken over once when they lapse, as a new attempt, and the old holder is told', async () => {
    const database = await open()
    const { id } = await createRun(database, { kind: 'ingest', options: {} })
    const lost = (await claimNext(database, ['ingest'], 'gone'))!
    await lapse(database, id)
    const taken = await Promise.all(Array.from({ length: 6 }, () => takeOverLapsed(database)))
    expect(taken.flat()).toEqual([id])
    const next = (await claimNext(database, ['ingest'], 'alive'))!
    expect(next).toMatchObject({ run: { id, attempt: 2 }, failures: 1, lastSequence: 3 })
    expect(await renewLease(database, lost)).toBeNull()
    await expect(transition(database, id, 'completed', { attempt: 1 })).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it("end with their worker's process, where that is known: others are not touched", async () => {
    const database = await open()
    const [first, second] = [
      await createRun(database, { kind: 'ingest', options: {} }),
      await createRun(database, { kind: 'ingest', options: {} }),
    ]
    const [lost, kept] = [(await claimRun(database, first.id, 'gone'))!, (await claimRun(database, second.id, 'alive'))!]
    await endLeasesOf(database, 'gone')
    expect(await takeOverLapsed(database)).toEqual([lost.run.id])
    expect(await renewLease(database, lost)).toBeNull()
    expect(await renewLease(database, kept)).toEqual({ control: null })
  })

  it('of a run that ends every worker are not given out for ever', async () => {
    const database = await open()
    const { id } = await createRun(database, { kind: 'ingest', options: {}, retryLimit: 1 })
    for (const name of ['first', 'second']) {
      expect(await claimNext(database, ['ingest'], name)).not.toBeNull()
      await lapse(database, id)
      await takeOverLapsed(database)
    }
    expect(await readRun(database, id)).toMatchObject({ state: 'failed', attempt: 2, error: { code: 'UNAVAILABLE' } })
  })

  it.each([
    ['cancel', 'cancelled'],
    ['pause', 'paused'],
  ] as const)('of a run that was asked to %s leave it %s', async (control, state) => {
    const database = await open()
    const { id } = await createRun(database, { kind: 'ingest', options: {} })
    await claimNext(database, ['ingest'], 'w')
    await requestControl(database, id, control)
    await lapse(database, id)
    await takeOverLapsed(database)
    expect(await readRun(database, id)).toMatchObject({ state, control: null })
    expect(await claimNext(database, ['ingest'], 'w')).toBeNull()
  })
})
