import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { appendEvents, lastSequence, type NumberedEvent, readEvents } from '../../../src/runs/event-store.js'
import { openRecorder } from '../../../src/runs/recorder.js'
import { createRun, transition } from '../../../src/runs/store.js'
import type { RunEventBody } from '../../../src/vocabulary.js'
import { freshDatabase } from '../../support/database.js'

const { database } = await freshDatabase()
async function runningRun(): Promise<string> {
  const { id } = await createRun(database, { kind: 'train-ggnn', options: {} })
  await transition(database, id, 'running')
  return id
}
const metric = (step: number, value: number, name = 'training_loss'): RunEventBody => ({ type: 'metric', name, step, value })
/** Numbers bodies after the state event that every running run has. */
const numbered = (bodies: RunEventBody[], first = 2): NumberedEvent[] => bodies.map((body, i) => ({ sequence: first + i, body }))

const body: fc.Arbitrary<RunEventBody> = fc.oneof(
  fc.record({ type: fc.constant('metric' as const), name: fc.string({ unit: 'grapheme' }), step: fc.nat(), value: fc.double() }),
  fc.record({
    type: fc.constant('log' as const),
    level: fc.constantFrom('info' as const, 'error' as const),
    message: fc.string({ unit: 'grapheme' }),
  }),
  fc.record({
    type: fc.constant('checkpoint' as const),
    step: fc.nat(),
    blob: fc.string({ unit: 'grapheme' }),
    bytes: fc.nat(),
    best: fc.boolean(),
  }),
  fc.record({ type: fc.constant('artifact' as const), artifactId: fc.uuid(), component: fc.constant('ranker'), version: fc.constant('1') }),
)
const clean = (event: RunEventBody): RunEventBody =>
  Object.fromEntries(
    Object.entries(event).map(([k, v]) => [k, typeof v === 'string' ? v.replaceAll('\0', '\ufffd') : v === 0 ? 0 : v]),
  ) as never

describe('appendEvents', () => {
  it('keeps every body as it is, NaN and the infinities among them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(body, { maxLength: 30 }), async (bodies) => {
        const id = await runningRun()
        const all = [metric(1, Number.NaN), metric(2, Number.POSITIVE_INFINITY), metric(3, Number.NEGATIVE_INFINITY), ...bodies]
        await appendEvents(database, id, 1, numbered(all))
        const back = await readEvents(database, id, { after: 1 })
        expect(back).toEqual(all.map((event, i) => ({ runId: id, sequence: i + 2, attempt: 1, at: expect.any(Date), ...clean(event) })))
      }),
      { numRuns: 25 },
    )
  })

  it('is idempotent: any way of sending batches again and again gives the same events', async () => {
    const bodies = Array.from({ length: 40 }, (_, i) => metric(i, i / 7))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(39), fc.nat(20)), { maxLength: 15 }), async (cuts) => {
        const id = await runningRun()
        let head = 0
        for (const [from, length] of cuts) {
          const start = Math.min(from, head)
          await appendEvents(database, id, 1, numbered(bodies.slice(start, start + length), start + 2))
          head = Math.max(head, Math.min(40, start + length))
        }
        expect((await readEvents(database, id, { after: 1 })).map((event) => (event as { step: number }).step)).toEqual(
          Array.from({ length: head }, (_, i) => i),
        )
      }),
      { numRuns: 15 },
    )
  })

  it('refuses a gap, a batch out of order, and an attempt that is over', async () => {
    const id = await runningRun()
    await expect(appendEvents(database, id, 1, numbered([metric(1, 1)], 3))).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `Events of run ${id} end at 1; the batch begins at 3`,
    })
    const odd = [
      { sequence: 2, body: metric(1, 1) },
      { sequence: 4, body: metric(2, 1) },
    ]
    await expect(appendEvents(database, id, 1, odd)).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await transition(database, id, 'pending')
    await transition(database, id, 'running')
    await expect(appendEvents(database, id, 1, numbered([metric(1, 1)]))).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await lastSequence(database, id)).toBe(3)
  })

  it('reads from anywhere, in pages', async () => {
    const id = await runningRun()
    await appendEvents(database, id, 1, numbered(Array.from({ length: 20 }, (_, i) => metric(i, i))))
    expect((await readEvents(database, id, { after: 5, limit: 3 })).map((event) => event.sequence)).toEqual([6, 7, 8])
    expect(await readEvents(database, id, { after: 21 })).toEqual([])
  })
})

describe('openRecorder', () => {
  it('writes what was recorded, in order, in batches, numbered on', async () => {
    const id = await runningRun()
    const recorder = openRecorder(database, { runId: id, attempt: 1, lastSequence: 1, batch: 50 })
    for (let i = 0; i < 1_234; i++) await recorder.record(metric(i, i))
    await recorder.close()
    const events = await readEvents(database, id, { after: 1, limit: 5_000 })
    expect(events.map((event) => (event as { step: number }).step)).toEqual(Array.from({ length: 1_234 }, (_, i) => i))
    expect(events.at(-1)!.sequence).toBe(1_235)
    await expect(recorder.record(metric(0, 0))).rejects.toThrow('closed')
  })

  it('sends a batch again whose answer was lost with the connection', async () => {
    const id = await runningRun()
    let calls = 0
    // The batch is committed, and then the answer never arrives.
    const flaky: typeof database.query = async (text, values) => {
      const answer = await database.query(text, values)
      if (/INSERT INTO run_event/.test(text) && ++calls === 1) throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
      return answer as never
    }
    const recorder = openRecorder({ query: flaky }, { runId: id, attempt: 1, lastSequence: 1 })
    await recorder.record(metric(1, 1))
    await recorder.record(metric(2, 2))
    await recorder.close()
    expect(calls).toBe(2)
    expect((await readEvents(database, id, { after: 1 })).map((event) => event.sequence)).toEqual([2, 3])
  })

  it('fails loudly once another attempt has taken over', async () => {
    const id = await runningRun()
    const recorder = openRecorder(database, { runId: id, attempt: 1, lastSequence: 1 })
    await transition(database, id, 'pending')
    await transition(database, id, 'running')
    await recorder.record(metric(1, 1))
    await expect(recorder.flush()).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(recorder.record(metric(2, 1))).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(recorder.close()).rejects.toMatchObject({ code: 'CONFLICT' })
  })
})
