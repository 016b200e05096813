import { describe, expect, it } from 'vitest'
import { appendEvents, type NumberedEvent } from '../../../src/runs/event-store.js'
import { followEvents, type LiveEvent, markGaps } from '../../../src/runs/follow.js'
import { createRun, retryRun, transition } from '../../../src/runs/store.js'
import type { RunEvent, RunEventBody } from '../../../src/vocabulary.js'
import { freshDatabase } from '../../support/database.js'

const { database, url } = await freshDatabase()
async function runningRun(): Promise<string> {
  const { id } = await createRun(database, { kind: 'train-ggnn', options: {} })
  await transition(database, id, 'running')
  return id
}
const numbered = (from: number, to: number): NumberedEvent[] =>
  Array.from({ length: to - from + 1 }, (_, i) => {
    const body: RunEventBody = { type: 'metric', name: 'training_loss', step: from + i, value: 1 / (from + i) }
    return { sequence: from + i, body }
  })
const sequencesOf = (events: RunEvent[]) => events.map((event) => event.sequence)
const upTo = (n: number, from = 1) => Array.from({ length: n - from + 1 }, (_, i) => from + i)
async function collect(events: AsyncIterable<RunEvent>, perEvent?: () => Promise<unknown>): Promise<RunEvent[]> {
  const all: RunEvent[] = []
  for await (const event of events) {
    all.push(event)
    await perEvent?.()
  }
  return all
}
const listeners = async () =>
  (await database.query(`SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`)).rows

describe('followEvents', () => {
  it('gives what was missed, then what comes, and ends with the run', async () => {
    const id = await runningRun()
    await appendEvents(database, id, 1, numbered(2, 1_201))
    const early = collect(followEvents(database, id))
    const late = collect(followEvents(database, id, 700))
    const slow = collect(followEvents(database, id, 0, { page: 7 }), () => new Promise(setImmediate))
    for (let from = 1_202; from < 10_000; from += 400) await appendEvents(database, id, 1, numbered(from, Math.min(10_000, from + 399)))
    await transition(database, id, 'completed')
    const last = 10_001 // the state event of the completion comes after them
    expect(sequencesOf(await early)).toEqual(upTo(last))
    expect(sequencesOf(await late)).toEqual(upTo(last, 701))
    expect(sequencesOf(await slow)).toEqual(upTo(last))
    expect((await early).at(-1)).toMatchObject({ type: 'state', to: 'completed' })
  })

  it('tells of an event by notification, long before the poll', async () => {
    const id = await runningRun()
    const events = followEvents(database, id, 1, { pollMs: 3_600_000 })
    const next = events.next()
    await expect.poll(async () => (await listeners()).length).toBeGreaterThan(0)
    await appendEvents(database, id, 1, numbered(2, 2))
    expect(await next).toMatchObject({ value: { sequence: 2 }, done: false })
    await events.return!()
  })

  it('loses and doubles nothing when the LISTEN connection is ended again and again', async () => {
    const id = await runningRun()
    const followers = [collect(followEvents(database, id)), collect(followEvents(database, id, 0, { page: 3 }))]
    for (let from = 2; from < 402; from += 10) {
      await appendEvents(database, id, 1, numbered(from, from + 9))
      if (from % 50 === 2)
        await database.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
        )
    }
    await transition(database, id, 'failed')
    for (const follower of followers) expect(sequencesOf(await follower)).toEqual(upTo(402))
  })

  it('listens anew when the first LISTEN fails', async () => {
    const id = await runningRun()
    let tries = 0
    const flaky = {
      ...database,
      listen: async (channel: string, on: (payload: string) => void) => {
        if (++tries <= 2) throw Object.assign(new Error('terminating connection due to administrator command'), { code: '57P01' })
        return database.listen(channel, on)
      },
    }
    const follower = collect(followEvents(flaky, id))
    await appendEvents(database, id, 1, numbered(2, 20))
    await transition(database, id, 'completed')
    expect(sequencesOf(await follower)).toEqual(upTo(21))
    expect(tries).toBe(3)
  })

  it('works across processes: another pool writes', async () => {
    const { openDatabase } = await import('../../../src/postgres/database.js')
    const other = await openDatabase(url)
    const id = await runningRun()
    const follower = collect(followEvents(database, id, 0, { pollMs: 60_000 }))
    await appendEvents(other, id, 1, numbered(2, 50))
    await transition(other, id, 'cancelled')
    expect(sequencesOf(await follower)).toEqual(upTo(51))
    await other.close()
  })

  it('ends at once on a run that has ended, even from its last event on', async () => {
    const id = await runningRun()
    await transition(database, id, 'completed')
    expect(sequencesOf(await collect(followEvents(database, id)))).toEqual([1, 2])
    expect(await collect(followEvents(database, id, 2))).toEqual([])
  })

  it('goes through the failure of a run that was retried, to its last end', async () => {
    const id = await runningRun()
    await transition(database, id, 'failed')
    await retryRun(database, id)
    await transition(database, id, 'running')
    await transition(database, id, 'completed')
    const moves = (await collect(followEvents(database, id))).map((event) => (event as { to: string }).to)
    expect(moves).toEqual(['running', 'failed', 'pending', 'running', 'completed'])
  })

  it.each(['00000000-0000-4000-8000-000000000000', 'no id'])('refuses the run "%s", which does not exist', async (id) => {
    const events = followEvents(database, id)
    await expect(events.next()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await events.next()).toEqual({ value: undefined, done: true })
  })

  it('lets go at once when the reader leaves while it waits', async () => {
    const id = await runningRun()
    const events = followEvents(database, id, 1, { pollMs: 3_600_000 })
    const waiting = events.next()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await events.return!()).toEqual({ value: undefined, done: true })
    expect(await waiting).toEqual({ value: undefined, done: true })
    expect(await events.next()).toEqual({ value: undefined, done: true })
  })

  it('answers calls of next() that do not wait for each other in order', async () => {
    const id = await runningRun()
    const events = followEvents(database, id)
    const four = [events.next(), events.next(), events.next(), events.next()]
    await appendEvents(database, id, 1, numbered(2, 4))
    expect((await Promise.all(four)).map(({ value }) => value.sequence)).toEqual([1, 2, 3, 4])
    await events.return!()
  })

  it('holds a page at most, however much there is to read', async () => {
    const id = await runningRun()
    await appendEvents(database, id, 1, numbered(2, 5_000))
    const sizes: number[] = []
    const watched = {
      ...database,
      query: async (text: string, values?: readonly unknown[]) => {
        const answer = await database.query(text, values)
        sizes.push(answer.rows.length)
        return answer as never
      },
    }
    const events = followEvents(watched, id, 0, { page: 100 })
    for (let i = 0; i < 150; i++) await events.next()
    expect(sizes).toEqual([100, 100])
    await events.return!()
  })
})

/** Every number is given once, or covered by one mark; a mark covers metrics alone. Returns how many events the marks stand for. */
async function assertAccounted(runId: string, events: readonly LiveEvent[]): Promise<number> {
  const { rows } = await database.query<{ sequence: number; type: string; name: string | null }>(
    'SELECT sequence, type, name FROM run_event WHERE run_id = $1 ORDER BY sequence',
    [runId],
  )
  let at = 0
  let left = 0
  for (const event of events) {
    if (event.type !== 'gap') {
      expect(event.sequence).toBe(++at)
      continue
    }
    expect([event.from, event.events]).toEqual([at + 1, event.sequence - at])
    for (const hidden of rows.slice(at, event.sequence)) expect(hidden.type).toBe('metric')
    left += event.events
    at = event.sequence
  }
  expect(at).toBe(rows.length)
  return left
}

describe('a reader who falls behind', () => {
  const mixed = (from: number, to: number): NumberedEvent[] =>
    numbered(from, to).map((event) =>
      event.sequence % 997 === 0
        ? { ...event, body: { type: 'log', level: 'info', message: `line ${event.sequence}` } }
        : { ...event, body: { type: 'metric', name: `metric_${event.sequence % 7}`, step: event.sequence, value: event.sequence } },
    )

  it('gets the newest of each metric, every other event, and marks for the rest; memory stays at a page', async () => {
    const id = await runningRun()
    await appendEvents(database, id, 1, mixed(2, 3_000))
    const sizes: number[] = []
    const watched = {
      ...database,
      query: async (text: string, values?: readonly unknown[]) => {
        const answer = await database.query(text, values)
        sizes.push(answer.rows.length)
        return answer as never
      },
    }
    const events = followEvents(watched, id, 0, { lag: 1_000, page: 200 })
    const got: LiveEvent[] = [(await events.next()).value]
    // it stalls, and a hundred thousand events come meanwhile
    for (let from = 3_001; from <= 100_000; from += 5_000) await appendEvents(database, id, 1, mixed(from, Math.min(100_000, from + 4_999)))
    await transition(database, id, 'completed')
    for (let step = await events.next(); !step.done; step = await events.next()) got.push(step.value)
    const left = await assertAccounted(id, got)
    expect(left).toBeGreaterThan(95_000)
    expect(got.length).toBeLessThan(3_000 + 1_000)
    // what was missed before it began is given whole
    expect(got.slice(0, 3_000).every((event) => event.type !== 'gap')).toBe(true)
    const logs = got.filter((event) => event.type === 'log')
    expect(logs).toHaveLength(100)
    const newest = new Map(got.flatMap((event) => (event.type === 'metric' ? [[event.name, event.value] as const] : [])))
    expect([...newest.values()].sort((a, b) => a - b)).toEqual(upTo(100_000, 99_994).filter((n) => n % 997 !== 0))
    expect(got.at(-1)).toMatchObject({ type: 'state', to: 'completed' })
    expect(Math.max(...sizes)).toBeLessThanOrEqual(200)
  })

  it('gets all of more logs than a page, and nothing is left out below the lag', async () => {
    const id = await runningRun()
    const events = followEvents(database, id, 0, { lag: 500, page: 50 })
    await events.next()
    const lines = (from: number, to: number): NumberedEvent[] =>
      upTo(to, from).map((sequence) => ({ sequence, body: { type: 'log', level: 'warn', message: `line ${sequence}` } }))
    await appendEvents(database, id, 1, numbered(2, 400))
    await appendEvents(database, id, 1, lines(401, 1_400))
    await appendEvents(database, id, 1, numbered(1_401, 1_450))
    await transition(database, id, 'failed')
    const got: LiveEvent[] = [{ sequence: 1, type: 'state' } as LiveEvent]
    for (let step = await events.next(); !step.done; step = await events.next()) got.push(step.value)
    await assertAccounted(id, got)
    expect(got.filter((event) => event.type === 'log')).toHaveLength(1_000)
    const calm = await runningRun()
    const few = collect(followEvents(database, calm, 0, { lag: 500, page: 50 }) as AsyncIterable<RunEvent>)
    await appendEvents(database, calm, 1, numbered(2, 500))
    await transition(database, calm, 'completed')
    expect(sequencesOf(await few)).toEqual(upTo(501))
  })

  it('marks each stretch that is missing', () => {
    const event = (sequence: number) => ({ sequence, type: 'log', runId: 'r', attempt: 1, at: new Date(0) }) as RunEvent
    expect(
      markGaps([event(4), event(5), event(9)], 1).map((e) => (e.type === 'gap' ? [e.from, e.sequence, e.events] : e.sequence)),
    ).toEqual([[2, 3, 2], 4, 5, [6, 8, 3], 9])
  })
})
