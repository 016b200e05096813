import pg from 'pg'
import { expect, it } from 'vitest'
import { appendGraphChanges, outboxChannel, outboxHead, readGraphChanges, trimOutbox } from '../../../src/postgres/outbox.js'
import type { GraphChange } from '../../../src/vocabulary.js'
import { freshDatabase } from '../../support/database.js'

const change = (id: string): GraphChange => ({ op: 'delete-node', id, kind: 'Table' })
const idsOf = (rows: { change: GraphChange }[]) => rows.map((row) => (row.change as { id: string }).id)

it('gives changes back in order, in pages, and tells listeners', async () => {
  const { database } = await freshDatabase()
  let woken = () => {}
  const wakeUp = new Promise<void>((resolve) => {
    woken = resolve
  })
  await database.listen(outboxChannel, woken)
  const names = Array.from({ length: 12_000 }, (_, i) => `n${i}`)
  expect(await outboxHead(database)).toBe(0)
  await database.transaction((client) => appendGraphChanges(client, names.map(change)))
  await wakeUp
  const seen: string[] = []
  for (let after = 0; ; ) {
    const page = await readGraphChanges(database, after, 5_000)
    if (page.length === 0) break
    seen.push(...idsOf(page))
    after = page.at(-1)!.id
  }
  expect(seen).toEqual(names)
  const head = await outboxHead(database)
  expect(await trimOutbox(database, head)).toBe(11_999)
  expect(await outboxHead(database)).toBe(head)
})

it('never skips a change of a transaction that commits later with a lower id', async () => {
  const { database, url } = await freshDatabase()
  const slow = new pg.Client({ connectionString: url })
  await slow.connect()
  await slow.query('BEGIN')
  await appendGraphChanges(slow as never, [change('slow')])
  await database.transaction((client) => appendGraphChanges(client, [change('fast')]))
  // "fast" is committed, yet may not be read while "slow" could still appear before it.
  expect(await readGraphChanges(database, 0, 10)).toEqual([])
  expect(await outboxHead(database)).toBe(2)
  await slow.query('COMMIT')
  await slow.end()
  await expect.poll(async () => idsOf(await readGraphChanges(database, 0, 10))).toEqual(['slow', 'fast'])
})

it('keeps nothing of a transaction that rolls back', async () => {
  const { database } = await freshDatabase()
  const failed = database.transaction(async (client) => {
    await appendGraphChanges(client, [change('x')])
    throw new Error('no')
  })
  await expect(failed).rejects.toThrow('no')
  expect(await outboxHead(database)).toBe(0)
})
