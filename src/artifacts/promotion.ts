import { appendGraphChanges } from '../postgres/outbox.js'
import type { Sql } from '../postgres/sql.js'
import { didYouMean } from '../util/closest.js'
import { EspalierError } from '../util/error.js'
import { artifactNode } from './graph.js'
import { type Alias, aliases, lockAlias, moveAlias, type Promotion, readArtifact, readPromotions, readStandingPromotion } from './store.js'

/** The slice of a database that promotions need. */
export interface Transactions {
  transaction<T>(work: (client: Sql) => Promise<T>): Promise<T>
}

/** A database or a client, by shape: for rooms that may not import postgres. */
export type Reads = Sql

/** The slice of a database that tells of moves. */
export interface Listens {
  listen(channel: string, on: (payload: string) => void): Promise<() => Promise<void>>
}

export interface PromoteOptions {
  now: Date
  /** compare-and-set: what the alias must name now (null: nothing yet); left out: whatever it names */
  expected?: string | null
  /** promotes what failed its gates, for the reason given */
  force?: { reason: string }
  reason?: string
  actor?: string
}

/** `text` as an alias, or BAD_INPUT that lists them. */
export function parseAlias(text: string): Alias {
  const alias = aliases.find((a) => a === text)
  if (alias) return alias
  throw new EspalierError('BAD_INPUT', `alias: found "${text}", expected one of ${aliases.join(', ')}`, {
    remedy: didYouMean(text, aliases) ?? `Use ${aliases.join(', ')}.`,
  })
}

/**
 * Moves `alias` of the artifact's component to the artifact. Refused: an artifact that failed a gate, unless forced with a reason
 * (GATE_FAILED); another artifact under the alias than the one expected (CONFLICT). Promoting what the alias names already moves nothing
 * and returns the move that made it so.
 */
export function promote(database: Transactions, alias: Alias, artifactId: string, options: PromoteOptions): Promise<Promotion> {
  return database.transaction((sql) => promoteWithin(sql, alias, artifactId, options))
}

/** `promote` inside the caller's transaction. */
export async function promoteWithin(sql: Sql, alias: Alias, artifactId: string, options: PromoteOptions): Promise<Promotion> {
  const { now, expected, force, reason, actor } = options
  const artifact = await readArtifact(sql, artifactId)
  if (!artifact.passed && !force?.reason.trim())
    throw new EspalierError('GATE_FAILED', `artifact ${artifactId}: it failed a gate, so ${alias} cannot point to it`, {
      remedy: 'Promote one that passed, or force this one with a reason.',
    })
  const { component } = artifact
  const current = await lockAlias(sql, component, alias)
  if (expected !== undefined && expected !== current)
    throw new EspalierError(
      'CONFLICT',
      `${component} ${alias}: expected to find ${expected ?? 'nothing'}, found ${current ?? 'nothing'}: it was moved meanwhile`,
      { remedy: 'Look at what it names now, and promote again if that is still what you want.' },
    )
  if (current === artifactId) return (await readPromotions(sql, component, alias, 1))[0]!
  const promotion = await moveAlias(sql, {
    component,
    alias,
    artifactId,
    previousId: current,
    undoes: null,
    reason: force?.reason ?? reason ?? null,
    forced: !artifact.passed,
    actor: actor ?? null,
    at: now,
  })
  await projectAliases(sql, [artifactId, current], now)
  return promotion
}

/** Takes the newest standing promotion of the alias back; called again, the one before it. CONFLICT when none is left to go back to. */
export function rollback(
  database: Transactions,
  component: string,
  alias: Alias,
  options: Pick<PromoteOptions, 'now' | 'reason' | 'actor'>,
): Promise<Promotion> {
  const { now, reason, actor } = options
  return database.transaction(async (sql) => {
    const current = await lockAlias(sql, component, alias)
    const standing = await readStandingPromotion(sql, component, alias)
    if (!current || !standing?.previousId)
      throw new EspalierError('CONFLICT', `${component} ${alias}: there is no earlier artifact to go back to`, {
        remedy: 'Promote the artifact that you want instead.',
      })
    const back = await readArtifact(sql, standing.previousId)
    const promotion = await moveAlias(sql, {
      component,
      alias,
      artifactId: back.id,
      previousId: current,
      undoes: standing.id,
      reason: reason ?? null,
      forced: !back.passed,
      actor: actor ?? null,
      at: now,
    })
    await projectAliases(sql, [back.id, current], now)
    return promotion
  })
}

/** Aliases are a property of the artifact's node: both ends of a move are written again. */
async function projectAliases(sql: Sql, ids: readonly (string | null)[], now: Date): Promise<void> {
  const touched = [...new Set(ids.filter((id) => id !== null))]
  const nodes = await Promise.all(touched.map(async (id) => artifactNode(await readArtifact(sql, id), now)))
  await appendGraphChanges(sql, nodes)
}

export interface AliasMove {
  component: string
  alias: Alias
  artifactId: string
}

/**
 * Calls `on` after every move of any alias, in any process; with null when moves may have been missed (a connection was lost). Only a
 * hint: read the alias again. Returns what stops it.
 */
export const watchAlias = (database: Listens, on: (move: AliasMove | null) => void): Promise<() => Promise<void>> =>
  database.listen('espalier_alias', (payload) => on(payload === '' ? null : (JSON.parse(payload) as AliasMove)))
