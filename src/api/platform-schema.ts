import 'reflect-metadata'
import type { GraphQLSchema } from 'graphql'
import { buildSchema, type NonEmptyArray, type PubSub } from 'type-graphql'
import { AnnotationResolver } from './resolvers/annotations.js'
import { ArtifactResolver, PromotionResolver } from './resolvers/artifacts.js'
import { CatalogResolver, KnowledgeGraphResolver } from './resolvers/catalog.js'
import { CatalogEdgeResolver, CatalogNodeResolver } from './resolvers/catalog-node.js'
import { CypherResolver } from './resolvers/cypher.js'
import { DatasetChangeResolver } from './resolvers/dataset-changes.js'
import { DatasetCheckResolver } from './resolvers/dataset-checks.js'
import { DatasetImportResolver } from './resolvers/dataset-import.js'
import { DatasetLabelResolver } from './resolvers/dataset-labels.js'
import { DatasetOperationResolver } from './resolvers/dataset-operations.js'
import { DatasetRunResolver } from './resolvers/dataset-runs.js'
import { DatasetResolver, DatasetVersionResolver } from './resolvers/datasets.js'
import { DeletionResolver } from './resolvers/deletion.js'
import { GleanResolver } from './resolvers/glean.js'
import { GraphPredictionResolver } from './resolvers/graph-predictions.js'
import { IngestResolver } from './resolvers/ingest.js'
import { KeyResolver } from './resolvers/keys.js'
import { LiveResolver } from './resolvers/live.js'
import { PatternResolver } from './resolvers/patterns.js'
import { PipelineResolver } from './resolvers/pipeline.js'
import { PredictionResolver } from './resolvers/predictions.js'
import { ProjectionResolver } from './resolvers/projection.js'
import { ProjectResolver } from './resolvers/projects.js'
import { BundleResolver, ReleaseComponentResolver, ReleaseResolver } from './resolvers/releases.js'
import { RunControlResolver } from './resolvers/run-control.js'
import { RunEventResolver, RunResolver } from './resolvers/runs.js'
import { SearchResolver } from './resolvers/search.js'
import { ServingResolver } from './resolvers/serving.js'
import { SnapshotResolver } from './resolvers/snapshots.js'
import { TrainingEvaluationResolver } from './resolvers/training-evaluation.js'
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
  DatasetVersionResolver,
  DatasetImportResolver,
  DatasetChangeResolver,
  DatasetCheckResolver,
  DatasetRunResolver,
  DatasetLabelResolver,
  DatasetOperationResolver,
  GleanResolver,
  DeletionResolver,
  GraphPredictionResolver,
  IngestResolver,
  KeyResolver,
  LiveResolver,
  PatternResolver,
  PipelineResolver,
  PredictionResolver,
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
  TrainingEvaluationResolver,
]

/** The half of the schema that is ours: catalog ledger, runs, artifacts, serving, patterns, Cypher. */
export const buildPlatformSchema = (): Promise<GraphQLSchema> =>
  buildSchema({ resolvers, orphanedTypes: orphanedRunTypes, validate: false, pubSub: noPubSub })
