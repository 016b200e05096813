import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, inject } from 'vitest'
import { type DatabaseOptions, openDatabase } from '../../src/postgres/database.js'
import type { Database } from '../../src/postgres/sql.js'

export interface FreshDatabase {
  database: Database
  url: string
  /** closes and drops it now; otherwise it happens after the test file */
  drop(): Promise<void>
}

async function onServer(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('serverUrl') })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

async function create(name: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await onServer(`CREATE DATABASE ${name} TEMPLATE ${inject('templateName')}`)
    } catch (error) {
      // 55006: another copy of the template is being made this very moment.
      if ((error as { code?: string }).code !== '55006' || attempt > 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 20 + 30 * Math.random()))
    }
  }
}

/** A migrated database of its own (a copy of the template: tens of milliseconds), open; dropped after the test file. */
export async function freshDatabase(options: DatabaseOptions = {}): Promise<FreshDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await create(name)
  const url = Object.assign(new URL(inject('serverUrl')), { pathname: `/${name}` }).toString()
  const database = await openDatabase(url, options)
  let dropping: Promise<void> | undefined
  const drop = () =>
    (dropping ??= (async () => {
      await database.close()
      await onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    })())
  afterAll(drop)
  return { database, url, drop }
}
