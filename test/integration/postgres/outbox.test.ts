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

it('lets ids become visible in their order: who reads on from the last one misses nothing', async () => {
  const { database } = await freshDatabase({ maxConnections: 20 })
  const rounds = 40
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    for (let round = 0; round < rounds; round++)
      await database
        .transaction(async (client) => {
          // Transaction ids are drawn here, in another order than the ids below.
          await client.query('SELECT pg_current_xact_id(), pg_sleep($1)', [Math.random() / 500])
          await appendGraphChanges(client, [change(`${writer}/${round}/a`), change(`${writer}/${round}/b`)])
          await client.query('SELECT pg_sleep($1)', [Math.random() / 500])
          if (round % 7 === 3) throw new Error('rolled back')
        })
        .catch((error: Error) => expect(error.message).toBe('rolled back'))
  })
  let isWriting = true
  const seen: string[] = []
  const read = async () => {
    for (let after = 0; ; ) {
      const wasWriting = isWriting
      const page = await readGraphChanges(database, after, 50)
      seen.push(...idsOf(page))
      after = page.at(-1)?.id ?? after
      if (page.length === 0 && !wasWriting) return
    }
  }
  const reading = read()
  await Promise.all(writers)
  isWriting = false
  await reading
  const expected = Array.from({ length: 8 }, (_, writer) => writer).flatMap((writer) =>
    Array.from({ length: rounds }, (_, round) => round)
      .filter((round) => round % 7 !== 3)
      .flatMap((round) => [`${writer}/${round}/a`, `${writer}/${round}/b`]),
  )
  expect([...seen].sort()).toEqual(expected.sort())
  expect(new Set(seen).size).toBe(seen.length)
})

it('appends in a transaction of its own when it is given the database', async () => {
  const { database } = await freshDatabase()
  await appendGraphChanges(database, [change('alone')])
  expect(idsOf(await readGraphChanges(database, 0, 10))).toEqual(['alone'])
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
