import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { migrate } from '../../../src/postgres/migrate.js'
import { freshDatabase } from '../../support/database.js'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-migrations-'))
afterAll(() => fs.rmSync(folder, { recursive: true }))
const repository = path.resolve(import.meta.dirname, '../../../migrations')
// The template knows the real migrations: they stay in the folder.
for (const file of fs.readdirSync(repository).filter((name) => name.endsWith('.sql')))
  fs.copyFileSync(path.join(repository, file), path.join(folder, file))
const write = (file: string, text: string) => fs.writeFileSync(path.join(folder, file), text)

it('applies what is new, once, also when many start together', async () => {
  const { database } = await freshDatabase()
  expect(await migrate(database, folder)).toEqual([])
  write('900001-one.sql', 'CREATE TABLE one (n int);\nINSERT INTO one VALUES (1);')
  write('900002-two.sql', 'INSERT INTO one SELECT n + 1 FROM one;')
  const done = await Promise.all([migrate(database, folder), migrate(database, folder), migrate(database, folder)])
  expect(done.flat().sort()).toEqual(['900001-one.sql', '900002-two.sql'])
  expect((await database.query('SELECT n FROM one ORDER BY n')).rows).toEqual([{ n: 1 }, { n: 2 }])
})

it('says file and line of a failed statement, and keeps nothing of that file', async () => {
  const { database } = await freshDatabase()
  write('900003-bad.sql', '-- fine\nCREATE TABLE three (n int);\nSELECT nonsense\n  FROM three;\n')
  await expect(migrate(database, folder)).rejects.toThrow('Migration failed at 900003-bad.sql:3: column "nonsense" does not exist')
  expect((await database.query(`SELECT to_regclass('one') IS NOT NULL AS one, to_regclass('three') AS three`)).rows).toEqual([
    { one: true, three: null },
  ])
  fs.rmSync(path.join(folder, '900003-bad.sql'))
})

it('refuses a changed file, a database that is ahead, and a misnamed file', async () => {
  const { database } = await freshDatabase()
  await migrate(database, folder)
  write('900002-two.sql', 'SELECT 1')
  await expect(migrate(database, folder)).rejects.toThrow('900002-two.sql was changed')
  await expect(migrate(database)).rejects.toThrow('which this version of Espalier does not know')
  write('late.sql', 'SELECT 1')
  await expect(migrate(database, folder)).rejects.toThrow('found "late.sql", expected names such as')
})
