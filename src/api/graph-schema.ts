import { readFile } from 'node:fs/promises'
import { Neo4jGraphQL } from '@neo4j/graphql'
import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql'
import { int } from 'neo4j-driver'
import type { DriverShape } from '../graph/engine.js'
import type { ApiContext } from './context.js'

/** The hand-written SDL of every node kind; it also says that nothing is written through it. */
export const graphDefinitions = new URL('../../schema/graph.graphql', import.meta.url)

export type GraphResolvers = Record<string, Record<string, GraphQLFieldResolver<never, ApiContext>>>

/** @neo4j/graphql's read-only schema over the graph: filters, sorting, connections, aggregations (about 0.3 s to make). */
export async function buildGraphSchema(resolvers: GraphResolvers): Promise<GraphQLSchema> {
  const neo4j = new Neo4jGraphQL({
    typeDefs: await readFile(graphDefinitions, 'utf8'),
    resolvers: resolvers as never,
    features: {
      excludeDeprecatedFields: {
        mutationOperations: true,
        aggregationFilters: true,
        aggregationFiltersOutsideConnection: true,
        relationshipFilters: true,
        attributeFilters: true,
      } as never,
    },
  })
  return neo4j.getSchema()
}

type Transaction = { run(text: string, parameters?: Record<string, unknown>): unknown }
type Work = (transaction: Transaction) => unknown
type Session = { executeRead(work: Work, config?: unknown): unknown; executeWrite(work: Work, config?: unknown): unknown; close(): unknown }

/** Parameters as @neo4j/graphql's own scalars would have parsed them: moments as ISO text, whole numbers as the driver's Integer. */
export function driverParameters(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'bigint') return int(value)
  if (Array.isArray(value)) return value.map(driverParameters)
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, driverParameters(inner)]))
}

/** `driver` with the merged schema's scalars translated at its door, the one place that arguments of every depth pass. */
export function scalarAwareDriver(driver: DriverShape): DriverShape {
  const translated =
    (work: Work): Work =>
    (transaction) =>
      work({ run: (text, parameters) => transaction.run(text, driverParameters(parameters ?? {}) as Record<string, unknown>) })
  return {
    session(config) {
      const session = driver.session(config) as Session
      return {
        executeRead: (work: Work, settings?: unknown) => session.executeRead(translated(work), settings),
        executeWrite: (work: Work, settings?: unknown) => session.executeWrite(translated(work), settings),
        close: () => session.close(),
      }
    },
  }
}
