import 'reflect-metadata'
import type { GraphQLSchema } from 'graphql'
import { buildSchema, type NonEmptyArray, type PubSub } from 'type-graphql'
import { ArtifactResolver, PromotionResolver } from './resolvers/artifacts.js'
import { CypherResolver } from './resolvers/cypher.js'
import { DatasetResolver } from './resolvers/datasets.js'
import { LiveResolver } from './resolvers/live.js'
import { ProjectResolver } from './resolvers/projects.js'
import { RunEventResolver, RunResolver } from './resolvers/runs.js'
import { ServingResolver } from './resolvers/serving.js'
import { orphanedRunTypes } from './types/runs.js'

/** type-graphql refuses to build a Subscription type without one; every subscription here brings its own `subscribe`. */
const refuse = () => {
  throw new Error('there is no pubSub: subscriptions follow the ledger')
}
const noPubSub: PubSub = { publish: refuse, subscribe: refuse }

const resolvers: NonEmptyArray<new () => object> = [
  ArtifactResolver,
  PromotionResolver,
  CypherResolver,
  DatasetResolver,
  LiveResolver,
  ProjectResolver,
  RunEventResolver,
  RunResolver,
  ServingResolver,
]

/** The half of the schema that is ours: catalog ledger, runs, artifacts, serving, patterns, Cypher. */
export const buildPlatformSchema = (): Promise<GraphQLSchema> =>
  buildSchema({ resolvers, orphanedTypes: orphanedRunTypes, validate: false, pubSub: noPubSub })
