import type { GraphQLResolveInfo } from 'graphql'
import type { Artifact } from '../artifacts/store.js'
import type { DatasetVersion } from '../datasets/version.js'
import { artifactNodeId, datasetVersionNodeId, runNodeId } from '../util/node-ids.js'
import type { Run } from '../vocabulary.js'
import type { ApiContext } from './context.js'
import { graphOne } from './graph-reader.js'
import type { GraphResolvers } from './graph-schema.js'

/** Node ids of the ledger's own things are `<prefix>:<ledger id>`. */
const ledgerId = (nodeId: string): string => nodeId.slice(nodeId.indexOf(':') + 1)
type GraphNode = { id: string }

/** Graph -> ledger: the fields that schema/graph.graphql marks with @customResolver(requires: "id"). */
export const graphResolvers: GraphResolvers = {
  RunNode: { run: ({ id }: GraphNode, _: unknown, { loaders }: ApiContext) => loaders.run.load(ledgerId(id)) },
  ArtifactNode: { artifact: ({ id }: GraphNode, _: unknown, { loaders }: ApiContext) => loaders.artifact.load(ledgerId(id)) },
  DatasetVersionNode: {
    datasetVersion: ({ id }: GraphNode, _: unknown, { loaders }: ApiContext) => loaders.datasetVersion.load(ledgerId(id)),
  },
} as GraphResolvers

/** Ledger -> graph, as the last part of the merged schema. */
export const ledgerExtensions = /* GraphQL */ `
  extend type Run {
    "Its node in the graph, once the projection has it: datasets it used, artifacts it produced"
    node: RunNode
  }
  extend type Artifact {
    "Its node in the graph, once the projection has it"
    node: ArtifactNode
  }
  extend type DatasetVersion {
    "Its node in the graph, once the projection has it: the tables it was made of"
    node: DatasetVersionNode
  }
`

const readRunNode = graphOne('runNodes', 'id')
const readArtifactNode = graphOne('artifactNodes', 'id')
const readDatasetVersionNode = graphOne('datasetVersionNodes', 'id')

export const ledgerResolvers = {
  Run: { node: (run: Run, _: unknown, context: ApiContext, info: GraphQLResolveInfo) => readRunNode(runNodeId(run.id), context, info) },
  Artifact: {
    node: (artifact: Artifact, _: unknown, context: ApiContext, info: GraphQLResolveInfo) =>
      readArtifactNode(artifactNodeId(artifact.id), context, info),
  },
  DatasetVersion: {
    node: (version: DatasetVersion, _: unknown, context: ApiContext, info: GraphQLResolveInfo) =>
      readDatasetVersionNode(datasetVersionNodeId(version.id), context, info),
  },
}
