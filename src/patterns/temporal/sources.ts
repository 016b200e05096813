import { EspalierError, messageOf } from '../../util/error.js'

/** Changes of the ledger by day and kind, and the moments it has seen. */
export interface LedgerTimes {
  /** by day (YYYY-MM-DD) and kind */
  changes: readonly { day: string; kind: string; count: number }[]
  observedAt: readonly Date[]
  updatedAt: { first: Date | null; last: Date | null; nodes: number }
  /** live columns times the days they were watched */
  columnDays: number
}

/** What the graph says of when its nodes became as they are and were measured; times are ISO texts, as the graph keeps them. */
export interface GraphTimes {
  engine: string
  kinds: readonly { kind: string; nodes: number; firstUpdatedAt: string | null; lastUpdatedAt: string | null }[]
  /** nodes by the month of `updated_at` */
  months: readonly { month: string; nodes: number }[]
  metrics: {
    nodes: number
    firstCalculatedAt: string | null
    lastCalculatedAt: string | null
    meanEntropy: number | null
    meanKl: number | null
  }
}

/** Exports as their manifests tell of them. */
export interface ExportTimes {
  transport: string
  place: string
  daysBack: number
  exports: readonly {
    exportedAt: Date | null
    /** when what was exported was true */
    trueAt: Date | null
    metadataEntropy: number | null
    klDivergence: number | null
    columnCount: number | null
    nodeCount: number | null
  }[]
}

/** What texts themselves say of when columns were as they are (json_with_changes). */
export interface StatedTimes {
  files: number
  columns: number
  months: readonly { month: string; versions: number; columns: number }[]
  first: Date | null
  last: Date | null
}

/** Where the temporal learner asks; each may throw, which is told of that source alone. */
export interface TemporalSources {
  ledger(): Promise<LedgerTimes>
  graph(): Promise<GraphTimes>
  glean(): Promise<ExportTimes>
  changeFiles(): Promise<StatedTimes>
}

export type TemporalSource = keyof TemporalSources
/** The names of the sources on the wire. */
export const sourceNames = {
  ledger: 'postgres',
  graph: 'graph',
  glean: 'glean',
  changeFiles: 'json_with_changes',
} as const satisfies Record<TemporalSource, string>

/** An answer, or why there is none: "nothing there" and "could not ask" are different answers. */
export type Asked<T> = { state: 'read'; value: T } | { state: 'failed'; code: string; reason: string; remedy: string | null }

/** Asks one source; what it throws becomes its answer. An abort stays one. */
export async function ask<T>(read: () => Promise<T>, signal?: AbortSignal): Promise<Asked<T>> {
  try {
    return { state: 'read', value: await read() }
  } catch (thrown) {
    signal?.throwIfAborted()
    const known = thrown instanceof EspalierError ? thrown : null
    return { state: 'failed', code: known?.code ?? 'INTERNAL', reason: messageOf(thrown), remedy: known?.remedy ?? null }
  }
}

/** A source that was not handed in. */
export const notGiven = (name: string) => async (): Promise<never> => {
  throw new EspalierError('UNAVAILABLE', `${name}: was not handed in`)
}
