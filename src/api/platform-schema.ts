import 'reflect-metadata'
import type { GraphQLSchema } from 'graphql'
import { buildSchema, type NonEmptyArray, type PubSub } from 'type-graphql'
import { AnnotationResolver } from './resolvers/annotations.js'
import { ArtifactResolver, PromotionResolver } from './resolvers/artifacts.js'
import { CatalogResolver, KnowledgeGraphResolver } from './resolvers/catalog.js'
import { CatalogEdgeResolver, CatalogNodeResolver } from './resolvers/catalog-node.js'
import { CypherResolver } from './resolvers/cypher.js'
import { DatasetImportResolver } from './resolvers/dataset-import.js'
import { DatasetResolver } from './resolvers/datasets.js'
import { DeletionResolver } from './resolvers/deletion.js'
import { GleanResolver } from './resolvers/glean.js'
import { IngestResolver } from './resolvers/ingest.js'
import { KeyResolver } from './resolvers/keys.js'
import { LiveResolver } from './resolvers/live.js'
import { PatternResolver } from './resolvers/patterns.js'
import { ProjectionResolver } from './resolvers/projection.js'
import { ProjectResolver } from './resolvers/projects.js'
import { BundleResolver, ReleaseComponentResolver, ReleaseResolver } from './resolvers/releases.js'
import { RunControlResolver } from './resolvers/run-control.js'
import { RunEventResolver, RunResolver } from './resolvers/runs.js'
import { SearchResolver } from './resolvers/search.js'
import { ServingResolver } from './resolvers/serving.js'
import { SnapshotResolver } from './resolvers/snapshots.js'
import { WorkflowResolver } from './resolvers/workflow.js'
import { orphanedRunTypes } from './types/runs.js'

/** type-graphql refuses to build a Subscription type without one; every subscription here brings its own `subscribe`. */
const refuse = () => {
  throw new Error('there is no pubSub: subscriptions follow the ledger')
}
const noPubSub: PubSub = { publish: refuse, subscribe: refuse }

const resolvers: NonEmptyArray<new () => object> = [
  AnnotationResolver,
  ArtifactResolver,
  PromotionResolver,
  CatalogResolver,
  KnowledgeGraphResolver,
  CatalogNodeResolver,
  CatalogEdgeResolver,
  SnapshotResolver,
  WorkflowResolver,
  CypherResolver,
  DatasetResolver,
  DatasetImportResolver,
  GleanResolver,
  DeletionResolver,
  IngestResolver,
  KeyResolver,
  LiveResolver,
  PatternResolver,
  ProjectionResolver,
  ProjectResolver,
  BundleResolver,
  ReleaseComponentResolver,
  ReleaseResolver,
  RunControlResolver,
  RunEventResolver,
  RunResolver,
  SearchResolver,
  ServingResolver,
]

/** The half of the schema that is ours: catalog ledger, runs, artifacts, serving, patterns, Cypher. */
export const buildPlatformSchema = (): Promise<GraphQLSchema> =>
  buildSchema({ resolvers, orphanedTypes: orphanedRunTypes, validate: false, pubSub: noPubSub })
