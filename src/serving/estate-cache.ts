import type { Estate } from '../datasets/links/estate.js'

/** Where estates come from; positions are cheap to read, estates are not. */
export interface EstateSource {
  /** changes whenever anything of the project may have changed */
  position(projectId: string): Promise<string>
  read(projectId: string): Promise<Estate>
}

export interface EstateCache {
  /** The project's estate as it is now: the same object (and so the same index) until the ledger moves. */
  read(projectId: string): Promise<Estate>
  readonly size: number
}

interface Kept {
  position: string
  estate: Promise<Estate>
  /** nodes and edges; 0 until they are read */
  facts: number
}

export interface EstateCacheOptions {
  /** projects kept at most (default 8) */
  projects?: number
  /** nodes and edges of all of them together (default 2 million, about a gigabyte); the project asked about last is kept anyway */
  facts?: number
}

/**
 * Keeps the estates of the projects that were asked about last. The position is read before the estate: what is ingested in between is
 * in the estate under an older position, which the next call finds and reads again. Callers at the same time share one read.
 */
export function openEstateCache({ position, read }: EstateSource, options: EstateCacheOptions = {}): EstateCache {
  const { projects = 8, facts = 2_000_000 } = options
  // a Map iterates in the order of insertion: a project that is asked about is inserted again
  const kept = new Map<string, Kept>()
  const shrink = () => {
    let total = [...kept.values()].reduce((sum, entry) => sum + entry.facts, 0)
    for (const [oldest, entry] of kept) {
      if (kept.size <= 1 || (kept.size <= projects && total <= facts)) return
      total -= entry.facts
      kept.delete(oldest)
    }
  }

  const open = (projectId: string, position: string): Kept => {
    const entry: Kept = { position, estate: read(projectId), facts: 0 }
    entry.estate.then(
      ({ nodes, edges }) => {
        entry.facts = nodes.length + edges.length
        shrink()
      },
      () => {
        if (kept.get(projectId) === entry) kept.delete(projectId)
      },
    )
    return entry
  }

  return {
    async read(projectId) {
      const now = await position(projectId)
      const known = kept.get(projectId)
      const entry = known?.position === now ? known : open(projectId, now)
      kept.delete(projectId)
      kept.set(projectId, entry)
      shrink()
      return entry.estate
    },
    get size() {
      return kept.size
    },
  }
}
