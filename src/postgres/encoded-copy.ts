import pg from 'pg'
import type { EncodedRows } from './sql.js'

const copyData = 0x64
/** More are put together: a write of each costs more than that. */
const mostPieces = 16
const copyDone = Buffer.from([0x63, 0, 0, 0, 4])
const statementOf = ({ table, columns }: EncodedRows): string =>
  `COPY ${table.split('.').map(pg.escapeIdentifier).join('.')} (${columns.map(pg.escapeIdentifier).join(', ')}) FROM STDIN`

/**
 * A query object for pg (as pg-copy-streams has them): COPY into several tables as one simple query
 * (postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY). A table's rows are given to the socket in one piece as soon as the server
 * asks for them, and it goes on to the next by itself: one after the other, each table would wait for two turns of the event loop, of which a
 * caller who is busy beside it leaves few.
 */
export class EncodedCopy {
  private next = 0

  constructor(
    private readonly tables: readonly EncodedRows[],
    private readonly callback: (error: Error | null) => void,
  ) {}

  submit(wire: pg.Connection): void {
    wire.query(this.tables.map(statementOf).join(';'))
  }

  handleCopyInResponse({ stream }: pg.Connection): void {
    const { chunks: given } = this.tables[this.next++]!
    const chunks = given.length > mostPieces ? [Buffer.concat(given)] : given
    const head = Buffer.from([copyData, 0, 0, 0, 0])
    head.writeUInt32BE(
      chunks.reduce((sum, { length }) => sum + length, 4),
      1,
    )
    stream.cork()
    for (const piece of [head, ...chunks, copyDone]) stream.write(piece)
    stream.uncork()
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.callback(null)
  }

  handleError(error: Error): void {
    this.callback(error)
  }
}
