import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { openDatabase } from '../../../src/postgres/database.js'
import { uuidArray } from '../../../src/postgres/uuid-array.js'
import { freshDatabase } from '../../support/database.js'

it('gives int8 as numbers, dates as text, floats whole', async () => {
  const { database } = await freshDatabase()
  const { rows } = await database.query(
    `SELECT 9007199254740991::int8 AS exact, 9007199254740992::int8 AS beyond, date '2024-02-29' AS day, 'NaN'::float8 AS nan,
       '-Infinity'::float8 AS infinite, timestamptz '2024-01-01T00:00:00Z' AS moment`,
  )
  expect(rows).toEqual([
    {
      exact: 9007199254740991,
      beyond: '9007199254740992',
      day: '2024-02-29',
      nan: Number.NaN,
      infinite: Number.NEGATIVE_INFINITY,
      moment: new Date('2024-01-01T00:00:00Z'),
    },
  ])
})

it('runs serializable transactions that conflict again until each has counted', async () => {
  const { database } = await freshDatabase()
  await database.query('CREATE TABLE counter (n int); ')
  await database.query('INSERT INTO counter VALUES (0)')
  let tries = 0
  const increment = () =>
    database.transaction(
      async (client) => {
        tries++
        const { rows } = await client.query<{ n: number }>('SELECT n FROM counter')
        await client.query('SELECT pg_sleep(0.05)')
        await client.query('UPDATE counter SET n = $1', [rows[0]!.n + 1])
      },
      { isolation: 'serializable' },
    )
  await Promise.all([increment(), increment(), increment()])
  expect((await database.query('SELECT n FROM counter')).rows).toEqual([{ n: 3 }])
  expect(tries).toBeGreaterThan(3)
})

it('runs a transaction again whose connection was ended, and does not repeat one that failed for good', async () => {
  const { database } = await freshDatabase()
  let tries = 0
  const answer = await database.transaction(async (client) => {
    if (++tries === 1) await client.query('SELECT pg_terminate_backend(pg_backend_pid())')
    return (await client.query<{ one: number }>('SELECT 1 AS one')).rows[0]!.one
  })
  expect([answer, tries]).toEqual([1, 2])
  let failures = 0
  const broken = database.transaction((client) => {
    failures++
    return client.query('SELECT * FROM no_such_table')
  })
  await expect(broken).rejects.toThrow('no_such_table')
  expect(failures).toBe(1)
  expect((await database.query('SELECT 2 AS two')).rows).toEqual([{ two: 2 }])
})

it('listens again after its connection was lost, and says that something may have been missed', async () => {
  const { database } = await freshDatabase()
  const heard: string[] = []
  const stop = await database.listen('news', (payload) => heard.push(payload))
  await database.query(`SELECT pg_notify('news', 'first')`)
  await expect.poll(() => heard).toEqual(['first'])
  await database.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`)
  await expect.poll(() => heard, { timeout: 10_000 }).toEqual(['first', ''])
  await database.query(`SELECT pg_notify('news', 'second')`)
  await expect.poll(() => heard).toEqual(['first', '', 'second'])
  await stop()
  await database.query(`SELECT pg_notify('news', 'third')`)
  await database.query('SELECT 1')
  const other: string[] = []
  await database.listen('other', (payload) => other.push(payload))
  await database.query(`SELECT pg_notify('other', 'x')`)
  await expect.poll(() => other).toEqual(['x'])
  expect(heard).toHaveLength(3)
})

it('lets many listeners share a channel, each ended by itself', async () => {
  const { database } = await freshDatabase()
  const heard: string[] = []
  const on = (payload: string) => heard.push(payload)
  const [stopOne] = await Promise.all([database.listen('c', on), database.listen('c', on)])
  await database.query(`SELECT pg_notify('c', 'a')`)
  await expect.poll(() => heard).toEqual(['a', 'a'])
  await stopOne!()
  await stopOne!()
  await database.query(`SELECT pg_notify('c', 'b')`)
  await expect.poll(() => heard).toEqual(['a', 'a', 'b'])
})

it('says where no server answers, without the password', async () => {
  const opening = openDatabase('postgres://me:secret@127.0.0.1:1/nothing')
  await expect(opening).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('postgres://me@127.0.0.1:1/nothing'),
  })
  await expect(opening).rejects.not.toThrow('secret')
})

it('says that a database is not there: waiting would not help', async () => {
  const { url } = await freshDatabase()
  const opening = openDatabase(Object.assign(new URL(url), { pathname: '/not_there' }).toString())
  await expect(opening).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('"not_there" does not exist') })
})

it('opens connections beside the pool, which wait for no lock for long, and undo what they did not commit', async () => {
  const { database } = await freshDatabase()
  await database.query('CREATE TABLE held (n int)')
  const connection = await database.connect()
  await database.transaction(async (client) => {
    await client.query('LOCK TABLE held IN ACCESS EXCLUSIVE MODE')
    await expect(connection.query('SELECT * FROM held')).rejects.toMatchObject({ code: '55P03' })
  })
  await connection.query('BEGIN')
  await connection.query('INSERT INTO held VALUES (1)')
  await connection.close()
  expect((await database.query('SELECT count(*) AS n FROM held')).rows).toEqual([{ n: 0 }])
  await expect(connection.query('SELECT 1')).rejects.toThrow()
})

it('takes many UUIDs as one value', async () => {
  const { database } = await freshDatabase()
  const ids = Array.from({ length: 5_000 }, () => randomUUID())
  for (const some of [[], ids.slice(0, 1), ids]) {
    const { rows } = await database.query<{ id: string }>(
      'SELECT id FROM unnest($1::uuid[]) WITH ORDINALITY AS t(id, place) ORDER BY place',
      [uuidArray(some)],
    )
    expect(rows.map((row) => row.id)).toEqual(some)
  }
})
