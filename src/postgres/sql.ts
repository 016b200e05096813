import type { Readable, Writable } from 'node:stream'

/**
 * The slice of a connection that a room's `store.ts` needs: a pool, a checked-out client, or a plain `pg` client fit by shape.
 * Values: an object becomes jsonb by itself, but an array becomes a Postgres array: give `JSON.stringify(array)` for jsonb.
 * Rows: int8 arrives as a number (as a string past 2^53), date as `YYYY-MM-DD`, timestamptz as Date, numeric as a string.
 */
export interface Sql {
  // biome-ignore lint/suspicious/noExplicitAny: the row type is the caller's claim about its own SQL
  query<R = any>(text: string, values?: readonly unknown[]): Promise<{ rows: R[]; rowCount: number | null }>
}

/** Rows of a table as COPY's text format has them (`escapeCopyText`). */
export interface EncodedRows {
  table: string
  columns: readonly string[]
  chunks: readonly Uint8Array[]
}

/** A checked-out connection inside a transaction. */
export interface Client extends Sql {
  /**
   * Loads rows that are COPY text already, in the order of the tables: a third of the time of `copyRows` where rows are put together by hand.
   * Where one fails, those before it stay until the transaction is rolled back.
   */
  copyEncoded(tables: readonly EncodedRows[]): Promise<void>
  /** The sink of a `COPY … FROM STDIN` statement. See `copyRows` for rows instead of bytes. */
  copyFrom(statement: string): Writable
  /** The source of a `COPY … TO STDOUT` statement. */
  copyTo(statement: string): Readable
}

/** A connection that belongs to whoever opened it. */
export interface Connection extends Client {
  /** What it has not committed is undone. */
  close(): Promise<void>
}

export interface TransactionOptions {
  /** default `read committed` */
  isolation?: 'read committed' | 'repeatable read' | 'serializable'
}

/** A pool of connections and one listener. */
export interface Database extends Sql {
  /** holds the password: give it to child processes, never to a log */
  readonly url: string
  /**
   * Runs `work` between BEGIN and COMMIT. A retryable failure (see `retryableStates`) rolls back and runs `work` again, five times at
   * most: what it does outside the database must bear that.
   */
  transaction<T>(work: (client: Client) => Promise<T>, options?: TransactionOptions): Promise<T>
  /**
   * Calls `on` for every NOTIFY on the channel, until the returned function is called. After a lost connection it reconnects, listens
   * again and calls `on('')`: something may have been missed. A notification is only ever a hint to read again.
   */
  listen(channel: string, on: (payload: string) => void): Promise<() => Promise<void>>
  /**
   * A connection beside the pool, for what is asked while a transaction is at work on another one. The transaction waits for the answers
   * without the server's knowing, who could not tell a deadlock: what has to wait for a lock for a second fails there (55P03).
   */
  connect(): Promise<Connection>
  close(): Promise<void>
}
