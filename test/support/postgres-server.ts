import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { openDatabase } from '../../src/postgres/database.js'
import { startEmbeddedPostgres } from '../../src/postgres/embedded.js'
import { migrate } from '../../src/postgres/migrate.js'
import { prepareQueue } from '../../src/runs/queue.js'
import { createLogger } from '../../src/util/log.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** a superuser's (or CREATEDB) URL of the server under test */
    serverUrl: string
    /** a migrated database to copy */
    templateName: string
  }
}

const withDatabase = (url: string, name: string): string => Object.assign(new URL(url), { pathname: `/${name}` }).toString()

async function adminQuery(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

/** The server of ESPALIER_TEST_DATABASE_URL or DATABASE_URL, else an embedded one in a temporary folder, without fsync. */
async function openServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const given = process.env['ESPALIER_TEST_DATABASE_URL'] ?? process.env['DATABASE_URL']
  if (given) return { url: given, stop: async () => undefined }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-test-'))
  fs.chmodSync(folder, 0o755)
  const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' }
  const server = await startEmbeddedPostgres({ folder, log: createLogger('warn'), settings })
  return {
    url: server.url,
    async stop() {
      await server.stop()
      fs.rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Starts one server for the whole test run and migrates the database that every test file copies. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await openServer()
  const templateName = `espalier_template_${createHash('sha256').update(`${process.pid}:${Date.now()}`).digest('hex').slice(0, 12)}`
  try {
    await adminQuery(server.url, `CREATE DATABASE ${templateName}`)
    const database = await openDatabase(withDatabase(server.url, templateName))
    await migrate(database)
      .then(() => prepareQueue(database))
      .finally(() => database.close())
  } catch (error) {
    await server.stop()
    throw error
  }
  project.provide('serverUrl', server.url)
  project.provide('templateName', templateName)
  return async () => {
    await adminQuery(server.url, `DROP DATABASE IF EXISTS ${templateName} WITH (FORCE)`)
    await server.stop()
  }
}
