import { mergeSchemas } from '@graphql-tools/schema'
import { type GraphQLObjectType, type GraphQLSchema, isObjectType } from 'graphql'
import { EspalierError } from '../util/error.js'
import { guardSchema } from './authorize.js'
import { checkGraphReads } from './graph-arguments.js'
import { buildGraphSchema } from './graph-schema.js'
import { graphResolvers, ledgerExtensions, ledgerResolvers } from './links.js'
import { buildPlatformSchema } from './platform-schema.js'
import { BigIntScalar, DateTime } from './scalars.js'

/** Types that both makers define, and mean alike. */
const sharedTypes = new Set(['Query', 'DateTime', 'BigInt', 'PageInfo', 'String', 'Int', 'Float', 'Boolean', 'ID'])

/** The whole API: @neo4j/graphql's graph reads and type-graphql's platform as one schema, linked both ways. */
export async function buildApiSchema(): Promise<GraphQLSchema> {
  const [graph, platform] = await Promise.all([buildGraphSchema(graphResolvers), buildPlatformSchema()])
  refuseCollisions(graph, platform)
  const merged = mergeSchemas({
    schemas: [graph, platform],
    typeDefs: ledgerExtensions,
    resolvers: { ...ledgerResolvers, DateTime, BigInt: BigIntScalar },
    resolverValidationOptions: { requireResolversToMatchSchema: 'error' },
  })
  const graphFields = new Set(Object.keys(graph.getQueryType()?.getFields() ?? {}))
  repairDefaultResolvers(graph, merged)
  checkGraphReads(merged, graph)
  return guardSchema(merged, graphFields)
}

/** Merging quietly lets the later maker win; a name that both use is a mistake in schema/graph.graphql or in a platform type. */
function refuseCollisions(graph: GraphQLSchema, platform: GraphQLSchema): void {
  const stubs = new Set(['Run', 'Artifact', 'DatasetVersion'])
  const types = Object.keys(platform.getTypeMap()).filter(
    (name) => !name.startsWith('__') && !sharedTypes.has(name) && !stubs.has(name) && graph.getType(name),
  )
  const graphFields = graph.getQueryType()?.getFields() ?? {}
  const fields = Object.keys(platform.getQueryType()?.getFields() ?? {}).filter((name) => name in graphFields)
  if (types.length + fields.length === 0) return
  throw new EspalierError('INTERNAL', `both halves of the schema define ${[...types, ...fields.map((f) => `Query.${f}`)].join(', ')}`, {
    remedy: 'Rename the kind in schema/graph.graphql (its label may stay) or the platform type.',
  })
}

/** mergeSchemas drops every resolver *named* defaultFieldResolver, @neo4j/graphql's alias-aware one included: aliased fields became null. */
function repairDefaultResolvers(from: GraphQLSchema, to: GraphQLSchema): void {
  for (const type of Object.values(from.getTypeMap())) {
    const target = to.getType(type.name)
    if (!isObjectType(type) || !isObjectType(target) || type.name.startsWith('__')) continue
    const fields = (target as GraphQLObjectType).getFields()
    for (const [name, field] of Object.entries(type.getFields())) if (field.resolve && fields[name]) fields[name].resolve ??= field.resolve
  }
}
