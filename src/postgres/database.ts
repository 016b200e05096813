import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { EspalierError, messageOf } from '../util/error.js'
import type { Logger } from '../util/log.js'
import { EncodedCopy } from './encoded-copy.js'
import { openListener } from './listener.js'
import { backOff, isConnectionLoss, isRetryable } from './retryable.js'
import type { Client, Connection, Database, Sql, TransactionOptions } from './sql.js'

/** The oldest server that `DATABASE_URL` may point to. */
export const minimumServerVersion = 15
const transactionTries = 5
const connectTries = 5

export interface DatabaseOptions {
  /** connections at most (default 10); the listener takes one more, and so does each large first load while it runs */
  maxConnections?: number
  /** told of broken idle connections; silent by default */
  log?: Logger
  /** shown in pg_stat_activity (default `espalier`) */
  applicationName?: string
}

const int8 = 20
const date = 1082
const parseInt8 = (text: string): number | string => {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : text
}
/** pg's parsers, but int8 as a number where it is exact, and date as its text: a local midnight is another day elsewhere. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    format !== 'binary' && oid === int8
      ? parseInt8
      : format !== 'binary' && oid === date
        ? String
        : pg.types.getTypeParser(oid, format as 'text'),
}

/** `postgres://user@host:port/name`: what may be said aloud. */
export function describeUrl(url: string): string {
  try {
    const { hostname, port, pathname, username } = new URL(url)
    return `postgres://${username ? `${username}@` : ''}${hostname}${port ? `:${port}` : ''}${pathname}`
  } catch {
    return '(not a URL)'
  }
}

const delay = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

function unreachable(url: string, error: unknown): EspalierError {
  return new EspalierError('UNAVAILABLE', `Postgres at ${describeUrl(url)} does not answer: ${messageOf(error)}`, {
    remedy: 'Check DATABASE_URL and that the server runs, or unset DATABASE_URL to use the embedded Postgres.',
    cause: error,
  })
}

/** Server states that mean "ask again in a moment" when the very first connection is made. */
async function connectFirst(pool: pg.Pool, url: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { rows } = await pool.query<{ version: string }>(`SELECT current_setting('server_version_num') AS version`)
      return assertServerVersion(Number(rows[0]?.version), url)
    } catch (error) {
      if (error instanceof EspalierError) throw error
      const refused = (error as { code?: string }).code === 'ECONNREFUSED'
      if (refused || !isRetryable(error) || attempt >= connectTries) throw unreachable(url, error)
      await delay(backOff(attempt, Math.random()) * 5)
    }
  }
}

/** Refuses servers older than `minimumServerVersion`; `version` is `server_version_num`, e.g. 150004. */
export function assertServerVersion(version: number, url: string): void {
  if (version >= minimumServerVersion * 10_000) return
  throw new EspalierError(
    'UNAVAILABLE',
    `Postgres at ${describeUrl(url)} has version ${Math.floor(version / 10_000)}; at least ${minimumServerVersion} is needed`,
    { remedy: `Upgrade the server to Postgres ${minimumServerVersion} or newer, or unset DATABASE_URL to use the embedded Postgres 18.` },
  )
}

/** A checked-out pg client as our Client. */
const clientOf = (connection: pg.ClientBase): Client => ({
  query: (text, values) => connection.query(text, values as unknown[] | undefined) as never,
  copyEncoded: (tables) =>
    new Promise((resolve, reject) => {
      const given = tables.filter(({ chunks }) => chunks.length > 0)
      if (given.length === 0) resolve()
      else connection.query(new EncodedCopy(given, (error) => (error ? reject(error) : resolve())))
    }),
  copyFrom: (statement) => connection.query(copyFrom(statement)),
  copyTo: (statement) => connection.query(copyTo(statement)),
})

const isolationLevels = new Set(['read committed', 'repeatable read', 'serializable'])

async function runOnce<T>(
  pool: pg.Pool,
  work: (client: Client) => Promise<T>,
  { isolation = 'read committed' }: TransactionOptions,
): Promise<T> {
  if (!isolationLevels.has(isolation)) throw new EspalierError('INTERNAL', `transaction: unknown isolation level "${isolation}"`)
  const connection = await pool.connect()
  let broken: Error | undefined
  // Without a handler of its own a checked-out connection that breaks between two queries would end the process.
  const onError = (error: Error) => {
    broken = error
  }
  connection.on('error', onError)
  try {
    await connection.query(`BEGIN ISOLATION LEVEL ${isolation}`)
    const result = await work(clientOf(connection))
    await connection.query('COMMIT')
    return result
  } catch (error) {
    await connection.query('ROLLBACK').catch((failed: Error) => {
      broken ??= failed
    })
    throw error
  } finally {
    connection.off('error', onError)
    connection.release(broken)
  }
}

async function connect(settings: pg.ClientConfig): Promise<Connection> {
  const connection = new pg.Client({ ...settings, connectionTimeoutMillis: 5_000 })
  // one that breaks between two queries says so at the next
  connection.on('error', () => undefined)
  try {
    await connection.connect()
    await connection.query(`SET lock_timeout = '1s'`)
  } catch (error) {
    await connection.end().catch(() => undefined)
    throw error
  }
  return { ...clientOf(connection), close: () => connection.end() }
}

/**
 * Opens a pool on a Postgres URL and checks that the server answers and is new enough.
 * A COMMIT whose connection broke is not repeated (it may have happened): that failure is thrown.
 */
export async function openDatabase(url: string, options: DatabaseOptions = {}): Promise<Database> {
  const { maxConnections = 10, log, applicationName = 'espalier' } = options
  const settings = { connectionString: url, types: types as never, application_name: applicationName, keepAlive: true }
  const pool = new pg.Pool({ ...settings, max: maxConnections, connectionTimeoutMillis: 15_000 })
  pool.on('error', (error) => log?.warn({ reason: error.message }, 'postgres: an idle connection was lost'))
  const listener = openListener(() => new pg.Client(settings), log)
  let closing: Promise<void> | undefined
  try {
    await connectFirst(pool, url)
  } catch (error) {
    await pool.end()
    throw error
  }
  return {
    url,
    query: ((text, values) => pool.query(text, values as unknown[] | undefined)) as Sql['query'],
    async transaction(work, transactionOptions = {}) {
      for (let attempt = 1; ; attempt++) {
        let isCommitting = false
        try {
          return await runOnce(
            pool,
            async (client) => {
              const result = await work(client)
              isCommitting = true
              return result
            },
            transactionOptions,
          )
        } catch (error) {
          const isUnknown = isCommitting && isConnectionLoss(error)
          if (!isRetryable(error) || isUnknown || attempt >= transactionTries) throw error
          log?.debug({ reason: messageOf(error), attempt }, 'postgres: transaction is tried again')
          await delay(backOff(attempt, Math.random()))
        }
      }
    },
    listen: listener.listen,
    connect: () => connect(settings),
    close: () => (closing ??= listener.close().then(() => pool.end())),
  }
}
