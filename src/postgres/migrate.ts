import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { EspalierError, messageOf } from '../util/error.js'
import { sha256 } from '../util/hash.js'
import type { Client, Database } from './sql.js'

const defaultFolder = path.resolve(import.meta.dirname, '../../migrations')
const fileName = /^\d{6}-[a-z0-9-]+\.sql$/
/** Any number, the same in every process: one migration at a time per database. */
const lockKey = 5_340_211_877

interface Migration {
  file: string
  text: string
  checksum: string
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const misnamed = names.find((name) => !fileName.test(name))
  if (misnamed) throw new EspalierError('INTERNAL', `migrations: found "${misnamed}", expected names such as 000001-ledger.sql`)
  return Promise.all(
    names.map(async (file) => {
      const text = await readFile(path.join(folder, file), 'utf8')
      return { file, text, checksum: sha256(text.replaceAll('\r\n', '\n')) }
    }),
  )
}

/** Migrations not applied yet, in order; throws when history and folder disagree. */
export function planMigrations(all: readonly Migration[], applied: ReadonlyMap<string, string>): Migration[] {
  const known = new Map(all.map((migration) => [migration.file, migration]))
  for (const [file, checksum] of applied) {
    const here = known.get(file)
    if (!here)
      throw new EspalierError('CONFLICT', `The database has migration ${file}, which this version of Espalier does not know`, {
        remedy: 'Run the newer version that migrated this database, or point DATABASE_URL to another one: there is no way back.',
      })
    if (here.checksum !== checksum)
      throw new EspalierError('CONFLICT', `Migration ${file} was changed after it was applied to this database`, {
        remedy: 'Restore the file and put the change into a new migration.',
      })
  }
  return all.filter(({ file }) => !applied.has(file))
}

/** `file:line` of a failed statement, from the character offset that Postgres gives. */
function placeOf({ file, text }: Migration, error: unknown): string {
  const position = Number((error as { position?: string }).position)
  return position > 0 ? `${file}:${text.slice(0, position).split('\n').length}` : file
}

async function applyOne(client: Client, migration: Migration): Promise<void> {
  try {
    await client.query(migration.text)
  } catch (error) {
    throw new EspalierError('INTERNAL', `Migration failed at ${placeOf(migration, error)}: ${messageOf(error)}`, {
      remedy: 'Nothing of this migration was kept; the ones before it were.',
      cause: error,
    })
  }
  await client.query('INSERT INTO schema_migration (file, checksum) VALUES ($1, $2)', [migration.file, migration.checksum])
}

/** Takes the lock, then applies the first missing migration; null when there is none. Each gets a transaction of its own. */
const applyNext = (database: Database, all: readonly Migration[]) =>
  database.transaction(async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [lockKey])
    await client.query(
      `CREATE TABLE IF NOT EXISTS schema_migration (
        file text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    )
    const { rows } = await client.query<{ file: string; checksum: string }>('SELECT file, checksum FROM schema_migration ORDER BY file')
    const [next] = planMigrations(all, new Map(rows.map((row) => [row.file, row.checksum])))
    if (next) await applyOne(client, next)
    return next?.file ?? null
  })

/**
 * Brings the database to the schema of `folder` (default `migrations/`): every `NNNNNN-name.sql` not applied yet, in name order, each in
 * one transaction, forward only. Safe to run from many processes at once. Returns the files applied, [] when there was nothing to do.
 * Rooms own separate tables, so a file numbered below the last applied one is still applied.
 */
export async function migrate(database: Database, folder: string = defaultFolder): Promise<string[]> {
  const all = await readMigrations(folder)
  const done: string[] = []
  for (let file = await applyNext(database, all); file !== null; file = await applyNext(database, all)) done.push(file)
  return done
}
