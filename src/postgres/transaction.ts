import type { Database, Sql } from './sql.js'

/** Runs `work` in a transaction: the caller's own when it gave a client, a new one when it gave the database. */
export const inTransaction = <T>(sql: Sql, work: (client: Sql) => Promise<T>): Promise<T> =>
  'transaction' in sql ? (sql as Database).transaction(work) : work(sql)
