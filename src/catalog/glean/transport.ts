import type { NewFact, Predicate, RawKey } from './predicates.js'

/** Which facts are asked for. */
export interface FactQuery {
  predicate: Predicate
  /** field -> its value, or several of which it is one */
  where: Readonly<Record<string, string | readonly string[]>>
  /** exported at or after this (Unix seconds); default: ever */
  since?: number
}

export interface FactRange {
  /** how many matching facts to pass over (default 0) */
  offset?: number
  /** how many to answer at most (default: all) */
  limit?: number
}

export interface WriteReceipt {
  /** the file, or `name/instance` of the database */
  target: string
  facts: number
}

/**
 * How facts reach Glean and come back. An answer without facts means that there are none; a Glean that could not be asked (or answers
 * what is no answer) throws: UNAVAILABLE (no binary, no server, no folder), TIMEOUT, GLEAN_FAILED (exit or HTTP status, bad JSON),
 * each with its cause. The same query on the same facts gives them in the same order, the newest export first where exports are
 * stored apart.
 */
export interface GleanTransport {
  readonly name: 'batch' | 'cli' | 'rest'
  /** where it looks, for people: a folder, a database, an address */
  readonly place: string
  query(query: FactQuery, range?: FactRange): Promise<RawKey[]>
  /** Writes one export, all or nothing, facts of one predicate in a row. `name` is unique to the export: `<time>_<hash>`. */
  write(name: string, facts: AsyncIterable<NewFact> | Iterable<NewFact>): Promise<WriteReceipt>
}

/** Every call ends within this. */
export const defaultTimeoutMs = 60_000

/** Does a key fit a query? Fields compare as text. */
export function matches(key: RawKey, { where, since }: FactQuery): boolean {
  const fits = ([field, wanted]: [string, string | readonly string[]]) =>
    typeof wanted === 'string' ? key[field] === wanted : wanted.includes(key[field] as string)
  if (!Object.entries(where).every(fits)) return false
  return since === undefined || (typeof key['exported_at_epoch'] === 'number' && key['exported_at_epoch'] >= since)
}
