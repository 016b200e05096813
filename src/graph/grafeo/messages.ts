import type { GraphValue } from '../engine.js'
import type { Statement } from '../statements.js'

/** What the engine's process is asked, over its IPC channel (advanced serialization: Map, BigInt and Date survive). */
export type HostRequest =
  | {
      kind: 'read'
      text: string
      parameters: Readonly<Record<string, unknown>>
      /** rows at most */
      rows: number
      /** size of the answer at most, roughly, in bytes */
      bytes: number
      /** `answer`: GraphValues; `records`: plain values, integers beyond 2^53 as BigInt, for @neo4j/graphql */
      form: 'answer' | 'records'
    }
  /** statements of one transaction */
  | { kind: 'write'; statements: readonly Statement[] }
  /** statements outside a transaction (indexes) */
  | { kind: 'schema'; statements: readonly string[] }
  /** a copy of the whole graph as it is committed now; no write may run meanwhile */
  | { kind: 'copy'; to: string }
  /** nothing: an answer shows that the process is not busy turning some result into values */
  | { kind: 'ping' }

export interface HostRows {
  columns: string[]
  rows: (GraphValue | bigint)[][]
  isPartial: boolean
}

export type HostReply =
  | { kind: 'opened' }
  | { kind: 'not-opened'; locked: boolean; message: string }
  /** reads took this much: the process should be ended */
  | { kind: 'out-of-memory'; bytes: number }
  | { kind: 'done'; id: number; rows?: HostRows }
  | { kind: 'failed'; id: number; message: string; wrote: boolean }
