import { beforeAll, describe, expect, it } from 'vitest'
import { buildIndexes, takeIndexes } from '../../../src/postgres/bulk-load.js'
import type { Database } from '../../../src/postgres/sql.js'
import { freshDatabase } from '../../support/database.js'

let database: Database

beforeAll(async () => {
  database = (await freshDatabase()).database
  await database.query(`
    create table shelf (key bigint primary key, name text not null, place integer, words tsvector, unique (name, place));
    create index shelf_words on shelf using gin (words);
    create index shelf_high on shelf (place desc nulls last) where place > 10;
    create index shelf_place on shelf using brin (place int4_minmax_multi_ops) with (pages_per_range = 32, autosummarize = on)`)
})

const definitions = async () => {
  const { rows } = await database.query<{ definition: string }>(
    `select indexdef as definition from pg_indexes where tablename = 'shelf'
     union all select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint where conrelid = 'shelf'::regclass order by 1`,
  )
  return rows.map((row) => row.definition)
}
const fill = `insert into shelf select i, 'name ' || i, i % 20, array_to_tsvector(array['w' || i % 7]) from generate_series(1, 500) i`

describe('a large load', () => {
  it('takes the indexes of an empty table, and makes them as they were', async () => {
    const before = await definitions()
    await database.transaction(async (client) => {
      const taken = await takeIndexes(client, ['shelf'])
      expect(taken).toHaveLength(5)
      await client.query(fill)
      await buildIndexes(client, taken)
    })
    expect(await definitions()).toEqual(before)
    await expect(database.query(`insert into shelf values (1, 'again', 1)`)).rejects.toThrow(/shelf_pkey/)
    await expect(database.query(`insert into shelf values (0, 'name 3', 3)`)).rejects.toThrow(/shelf_name_place_key/)
    await database.query('set enable_seqscan = off')
    const { rows } = await database.query(`select count(*) as n from shelf where words @@ '''w3'''::tsquery`)
    expect(rows).toEqual([{ n: 72 }])
  })

  it('finds out what was put in twice', async () => {
    await database.query('truncate shelf')
    const twice = database.transaction(async (client) => {
      const taken = await takeIndexes(client, ['shelf'])
      await client.query(`insert into shelf (key, name) values (1, 'a'), (1, 'b')`)
      await buildIndexes(client, taken)
    })
    await expect(twice).rejects.toThrow(/unique/)
    expect((await database.query('select from shelf')).rowCount).toBe(0)
  })

  it('leaves them where there are rows', async () => {
    await database.query('truncate shelf')
    await database.query(fill)
    expect(await database.transaction((client) => takeIndexes(client, ['shelf']))).toEqual([])
  })

  it('waits for nobody: while another has the table open, the load goes on as ever', async () => {
    await database.query('truncate shelf')
    const before = await definitions()
    await database.transaction(async (reader) => {
      await reader.query('select from shelf')
      await database.transaction(async (client) => {
        const taken = await takeIndexes(client, ['shelf'])
        expect(taken).toEqual([])
        await client.query(fill)
        await buildIndexes(client, taken)
      })
    })
    expect((await database.query('select from shelf')).rowCount).toBe(500)
    expect(await definitions()).toEqual(before)
  })

  it('leaves everything as it was when the transaction fails', async () => {
    await database.query('truncate shelf')
    const before = await definitions()
    const failing = database.transaction(async (client) => {
      await takeIndexes(client, ['shelf'])
      throw new Error('the facts ended in the middle')
    })
    await expect(failing).rejects.toThrow('in the middle')
    expect(await definitions()).toEqual(before)
  })
})
