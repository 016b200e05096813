import type { GraphChange } from '../vocabulary.js'

export interface CypherQuery {
  text: string
  parameters?: Readonly<Record<string, unknown>>
  /** rows at most (default 1,000); one more makes the answer partial */
  limit?: number
  /** milliseconds (default 10,000); past it the query ends with a TIMEOUT error */
  timeoutMs?: number
}

/** A value as it leaves the engine: JSON, with graph things in these shapes on both engines (labels sorted, `Node` left out). */
export type GraphValue =
  | null
  | boolean
  | number
  | string
  | GraphValue[]
  | { [key: string]: GraphValue }
  | { id: string; labels: string[]; properties: Record<string, GraphValue> }
  | { id: string; type: string; start: string; end: string; properties: Record<string, GraphValue> }

export interface CypherAnswer {
  columns: string[]
  rows: GraphValue[][]
  /** true when rows were cut at the limit */
  isPartial: boolean
  elapsedMs: number
}

/** The slice of a neo4j-driver `Driver` that @neo4j/graphql calls. */
export interface DriverShape {
  session(config?: unknown): unknown
}

/** Recorded as the ledger while a graph is emptied or filled: it is nobody's yet. */
export const unfinished = 'unfinished'

/** The graph projection's port: Grafeo (embedded) or Neo4j. Reads are read-only; writes come from the outbox alone. */
export interface GraphEngine {
  readonly name: 'grafeo' | 'neo4j'
  /** Creates the constraints and indexes of migrations/graph; safe to repeat. CONFLICT where others keep what Espalier would take for its own. */
  prepare(): Promise<void>
  /** Runs a guarded read. Refused (CYPHER_REFUSED), failed (CYPHER_FAILED) and timed-out (TIMEOUT) queries are EspalierErrors. */
  read(query: CypherQuery): Promise<CypherAnswer>
  /**
   * Applies changes in order, idempotently, all or nothing, and records in the same transaction `position` (the outbox id they reach) and
   * the `ledger` whose outbox it is (left as it is where none is given).
   */
  apply(changes: readonly GraphChange[], position: number, ledger?: string): Promise<void>
  /** The last position applied; 0 in an empty graph. */
  position(): Promise<number>
  /** What was recorded as the ledger; null where nothing was. */
  ledger(): Promise<string | null>
  /** Removes everything, position and ledger included; one that is cut off leaves the graph with another ledger than before, or as it was. */
  clear(): Promise<void>
  /** What @neo4j/graphql runs its generated reads on. */
  driver(): DriverShape
  close(): Promise<void>
}
