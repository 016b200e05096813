/**
 * Runs long cases on the built code, one file each beside this one: `npm run test:soak [-- case …]`. A case exports `title` and an async
 * `run({ database, data })`: `database()` gives a fresh migrated one, `data` is the folder of real data beside the checkout or null. It
 * gives lines to print, or `{ skipped: reason }`, and throws where something is wrong.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { openDatabase } from '../../dist/postgres/database.js'
import { startEmbeddedPostgres } from '../../dist/postgres/embedded.js'
import { migrate } from '../../dist/postgres/migrate.js'
import { createLogger } from '../../dist/util/log.js'

const here = import.meta.dirname
const all = fs
  .readdirSync(here)
  .filter((file) => file.endsWith('.mjs') && file !== 'main.mjs')
  .map((file) => file.slice(0, -'.mjs'.length))
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !all.includes(name))
if (unknown.length > 0) {
  console.error(`soak: no case named ${unknown.join(', ')}; there are ${all.join(', ')}`)
  process.exit(2)
}

const sharedData = path.resolve(here, '../../../shared/data')
const data = fs.existsSync(path.join(sharedData, 'README.md')) ? sharedData : null

/** A server in a temporary folder, and databases on it; all gone at the end. */
async function openServer() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier-soak-'))
  fs.chmodSync(folder, 0o755)
  const server = await startEmbeddedPostgres({ folder, log: createLogger('error') })
  const root = await openDatabase(server.url)
  const opened = []
  return {
    async database() {
      const name = `soak_${opened.length}`
      await root.query(`create database ${name}`)
      const database = await openDatabase(Object.assign(new URL(server.url), { pathname: `/${name}` }).toString())
      opened.push(database)
      await migrate(database)
      return database
    },
    async close() {
      for (const database of [...opened, root]) await database.close()
      await server.stop()
      fs.rmSync(folder, { recursive: true, force: true })
    },
  }
}

let [passed, failed, skipped] = [0, 0, 0]
for (const name of asked.length > 0 ? asked : all) {
  const { title, run } = await import(path.join(here, `${name}.mjs`))
  console.log(`${name}: ${title}`)
  const server = await openServer()
  const began = Date.now()
  try {
    const result = await run({ database: server.database, data })
    if (result.skipped) {
      skipped++
      console.log(`  skipped: ${result.skipped}`)
    } else {
      passed++
      for (const line of result) console.log(`  ${line}`)
      console.log(`  ok (${((Date.now() - began) / 1000).toFixed(1)} s)`)
    }
  } catch (error) {
    failed++
    console.error(`  FAILED: ${error.stack}`)
  } finally {
    await server.close()
  }
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exit(failed > 0 || (process.env.CI && skipped > 0) ? 1 : 0)
