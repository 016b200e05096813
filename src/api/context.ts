import { localPrincipal, type Principal } from '../access/principal.js'
import type { DriverShape } from '../graph/engine.js'
import type { ServerPlatform } from '../platform.js'
import { scalarAwareDriver } from './graph-schema.js'
import { createLoaders, type Loaders } from './loaders.js'

/** The platform without what the API has no business with. */
export type ApiPlatform = Omit<ServerPlatform, 'close' | 'executor' | 'executorFor'>

/** What every resolver gets; one per request, and one per event of a subscription. */
export interface ApiContext {
  readonly platform: ApiPlatform
  /** who asks, and what they may */
  readonly principal: Principal
  /** the principal's name, for the audit; `local` while there are no keys */
  readonly actor: string
  readonly loaders: Loaders
  /** @neo4j/graphql runs its reads on this */
  readonly executionContext: DriverShape
  readonly cypherQueryOptions: { addVersionPrefix: boolean }
  /** @neo4j/graphql's session settings: the database that Neo4j was configured with */
  readonly sessionConfig: { database?: string }
  /** milliseconds that one of its reads may take */
  readonly transaction: { timeout: number }
}

const graphReadTimeoutMs = 30_000

/** A maker of contexts; what all of them share is made once. */
export function contextMaker(platform: ApiPlatform): (principal?: Principal) => ApiContext {
  const executionContext = scalarAwareDriver(platform.graph.driver())
  const cypherQueryOptions = { addVersionPrefix: platform.graph.name === 'neo4j' }
  const sessionConfig = platform.config.neo4j ? { database: platform.config.neo4j.database } : {}
  return (principal = localPrincipal) => ({
    platform,
    principal,
    actor: principal.name,
    loaders: createLoaders(platform, principal),
    executionContext,
    cypherQueryOptions,
    sessionConfig,
    transaction: { timeout: graphReadTimeoutMs },
  })
}
