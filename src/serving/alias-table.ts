import { type Listens, type Reads, watchAlias } from '../artifacts/promotion.js'
import { type Alias, type Artifact, readAlias } from '../artifacts/store.js'
import { EspalierError, messageOf } from '../util/error.js'
import type { Logger } from '../util/log.js'

/** What an alias of a component answers with. */
export interface Target {
  component: string
  alias: Alias
}

/** Something that is opened per artifact and closed when no alias names it and nobody uses it any more. */
export interface Closable {
  close(): Promise<void>
}

interface Slot<Open extends Closable> {
  artifact: Artifact
  open: Open
  /** aliases that point here */
  aliases: Set<string>
  users: number
}

export interface AliasTable<Open extends Closable> {
  /** Runs `work` with what the alias names. It stays open until `work` is done, whatever the alias does meanwhile. */
  use<T>(target: Target, work: (open: Open, artifact: Artifact) => Promise<T>): Promise<T>
  list(): { artifactId: string; aliases: string[] }[]
  /** Waits for what is in use. */
  close(): Promise<void>
}

const keyOf = ({ component, alias }: Target) => `${component} ${alias}`

/**
 * Follows aliases: what an alias names is opened at its first use; when it moves, the next artifact is opened first and then takes
 * over, so that no request waits or fails. When the next one cannot be opened, the old one goes on and the log says why.
 */
export async function openAliasTable<Open extends Closable>(
  { database, log }: { database: Reads & Listens; log: Logger },
  open: (artifact: Artifact) => Promise<Open>,
): Promise<AliasTable<Open>> {
  const current = new Map<string, Slot<Open>>()
  const followed = new Map<string, Target>()
  /** one refresh of an alias after the other */
  const refreshes = new Map<string, Promise<void>>()
  /** artifact id -> its slot on the way, so that two aliases of one artifact share it */
  const openings = new Map<string, Promise<Slot<Open>>>()
  const closings = new Set<Promise<void>>()
  let isClosed = false

  const closeIfFree = (slot: Slot<Open>) => {
    if (slot.aliases.size > 0 || slot.users > 0) return
    const closing = slot.open
      .close()
      .catch((error) => log.error({ artifact: slot.artifact.id, reason: messageOf(error) }, 'serving: an artifact did not close'))
      .finally(() => closings.delete(closing))
    closings.add(closing)
  }

  const point = (key: string, slot: Slot<Open>) => {
    const before = current.get(key)
    slot.aliases.add(key)
    current.set(key, slot)
    if (!before) return
    before.aliases.delete(key)
    closeIfFree(before)
    log.info({ alias: key, from: before.artifact.id, to: slot.artifact.id }, 'serving: alias moved')
  }

  const slotOf = (artifact: Artifact): Promise<Slot<Open>> => {
    const known = openings.get(artifact.id)
    if (known) return known
    const opening = open(artifact)
      .then((opened): Slot<Open> => ({ artifact, open: opened, aliases: new Set(), users: 0 }))
      .finally(() => openings.delete(artifact.id))
    openings.set(artifact.id, opening)
    return opening
  }

  const refresh = async (target: Target): Promise<void> => {
    const key = keyOf(target)
    const artifact = await readAlias(database, target.component, target.alias)
    if (!artifact) throw unnamed(target)
    if (isClosed || current.get(key)?.artifact.id === artifact.id) return
    const slot = [...current.values()].find((s) => s.artifact.id === artifact.id) ?? (await slotOf(artifact))
    if (isClosed) closeIfFree(slot)
    else point(key, slot)
  }

  /** Queues a refresh behind those already under way, because each reads the alias anew. */
  const follow = (target: Target): Promise<void> => {
    const key = keyOf(target)
    const next = (refreshes.get(key) ?? Promise.resolve()).catch(() => {}).then(() => refresh(target))
    refreshes.set(key, next)
    return next
  }

  const stopWatching = await watchAlias(database, (move) => {
    for (const [key, target] of followed)
      if (move === null || key === keyOf(move))
        follow(target).catch((error) =>
          log.error({ alias: key, reason: messageOf(error) }, 'serving: alias moved, but the old artifact goes on'),
        )
  })

  return {
    async use(target, work) {
      const key = keyOf(target)
      // from this line to `users++` there is no await after the last look: the slot cannot be closed in between
      while (!current.has(key)) {
        if (isClosed) throw new EspalierError('UNAVAILABLE', 'serving: it is closed')
        followed.set(key, target)
        await follow(target).catch((error) => {
          // names that nobody ever promoted must not pile up
          if (!current.has(key)) {
            followed.delete(key)
            refreshes.delete(key)
          }
          throw error
        })
      }
      const slot = current.get(key)!
      slot.users++
      try {
        return await work(slot.open, slot.artifact)
      } finally {
        slot.users--
        closeIfFree(slot)
      }
    },
    list: () => [...new Set(current.values())].map(({ artifact, aliases }) => ({ artifactId: artifact.id, aliases: [...aliases].sort() })),
    async close() {
      isClosed = true
      await stopWatching()
      await Promise.allSettled(refreshes.values())
      for (const [key, slot] of current) {
        slot.aliases.delete(key)
        closeIfFree(slot)
      }
      current.clear()
      await Promise.all(closings)
    },
  }
}

const unnamed = ({ component, alias }: Target) =>
  new EspalierError('NOT_FOUND', `serving: the alias ${alias} of ${component} names no artifact`, {
    remedy: `Promote an artifact of ${component} to ${alias}.`,
  })
