import fc from 'fast-check'
import { expect, it } from 'vitest'
import { copyRows } from '../../../src/postgres/copy.js'
import { freshDatabase } from '../../support/database.js'

// Strings that COPY's text format must escape, or might take for something else.
const piece = fc.oneof(
  fc.constantFrom('\\', '\t', '\n', '\r', '\\N', '\\.', '{', '}', '"', ',', '\b', 'NULL', ''),
  fc.string({ unit: 'binary' }),
)
const text = fc
  .array(piece, { maxLength: 6 })
  .map((pieces) => pieces.join('').replaceAll('\0', ''))
  .filter((s) => !/\p{Surrogate}/u.test(s))
const row = fc.tuple(
  fc.option(text),
  fc.option(fc.double()),
  fc.option(fc.array(fc.option(text), { maxLength: 3 })),
  fc.option(fc.dictionary(text, text, { noNullPrototype: true })),
  fc.uint8Array({ maxLength: 8 }),
  fc.option(fc.boolean()),
)

it('brings every value back as it went in', async () => {
  const { database } = await freshDatabase()
  await database.query('CREATE TABLE thing (n int, t text, d float8, a text[], j jsonb, b bytea, o bool)')
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 20 }), async (rows) => {
      await database.query('TRUNCATE thing')
      const count = await database.transaction((client) =>
        copyRows(
          client,
          'thing',
          ['n', 't', 'd', 'a', 'j', 'b', 'o'],
          rows.map((values, n) => [n, ...values]),
        ),
      )
      const back = await database.query('SELECT t, d, a, j, b, o FROM thing ORDER BY n')
      expect(count).toBe(rows.length)
      expect(back.rows).toEqual(rows.map(([t, d, a, j, b, o]) => ({ t, d: d === 0 ? expect.closeTo(0) : d, a, j, b: Buffer.from(b), o })))
    }),
    { numRuns: 60 },
  )
})

it('streams more than fits a buffer, from an async source, into a quoted name', async () => {
  const { database } = await freshDatabase()
  await database.query('CREATE SCHEMA "Odd"')
  await database.query('CREATE TABLE "Odd"."a table" ("a b" int, t text)')
  async function* rows() {
    for (let i = 0; i < 50_000; i++) yield [i, 'x'.repeat(40)] as const
  }
  expect(await database.transaction((client) => copyRows(client, 'Odd.a table', ['a b', 't'], rows()))).toBe(50_000)
  expect((await database.query('SELECT count(*) AS n, sum("a b") AS s FROM "Odd"."a table"')).rows).toEqual([
    { n: 50_000, s: 1_249_975_000 },
  ])
})

it('fails cleanly on a bad row and on a source that throws, and leaves the pool usable', async () => {
  const { database } = await freshDatabase({ maxConnections: 1 })
  await database.query('CREATE TABLE thing (n int)')
  const bad = Array.from({ length: 100_000 }, (_, i) => [i === 10 ? 'no number' : i])
  await expect(database.transaction((client) => copyRows(client, 'thing', ['n'], bad))).rejects.toThrow('invalid input syntax')
  function* throwing() {
    yield [1]
    throw new Error('source failed')
  }
  await expect(database.transaction((client) => copyRows(client, 'thing', ['n'], throwing()))).rejects.toThrow('source failed')
  expect((await database.query('SELECT count(*) AS n FROM thing')).rows).toEqual([{ n: 0 }])
})
