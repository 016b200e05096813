import type { GleanClient } from '../catalog/glean/client.js'
import { momentOf } from '../catalog/glean/decode.js'
import { nodeId } from '../catalog/identity.js'
import {
  columnEvents,
  countColumnEvents,
  edgeLabelsOf,
  type LearningScope,
  metricPoints,
  nodeKindsOf,
  readLedgerTimes,
  readStatedTimes,
} from '../catalog/reads/learning-store.js'
import { readEdges, readNodes, readSnapshots } from '../catalog/reads/read-store.js'
import type { Client } from '../postgres/sql.js'
import type { PatternSource } from './learn.js'
import { entropyMetrics } from './metadata-entropy.js'
import type { ExportTimes, GraphTimes } from './temporal/sources.js'

/** What lies outside the ledger; each may throw, which the temporal learner tells. */
export interface OtherSources {
  graph(): Promise<GraphTimes>
  glean(): GleanClient
  /** days that Glean is looked back */
  daysBack: number
}

async function* mapped<A, B>(parts: AsyncIterable<A[]>, map: (row: A) => B): AsyncGenerator<B[]> {
  for await (const part of parts) yield part.map(map)
}

const mostManifests = 10_000

async function exportsOf(client: GleanClient, projectId: string, daysBack: number): Promise<ExportTimes> {
  const { items } = await client.queryExportManifests(projectId, null, daysBack, mostManifests)
  return {
    transport: client.transport.name,
    place: client.transport.place,
    daysBack,
    exports: items.map((manifest) => ({ ...manifest, trueAt: momentOf(manifest) })),
  }
}

/** A project's ledger as a source of patterns. All reads are of the client's transaction: give it one of isolation `repeatable read`. */
export async function ledgerSource(client: Client, scope: LearningScope, { graph, glean, daysBack }: OtherSources): Promise<PatternSource> {
  const { projectId, since } = scope
  const snapshots = (await readSnapshots(client, { projectId, ...(since ? { from: since } : {}) }))
    .map(({ id, observedAt }) => ({ id, observedAt }))
    .reverse()
  const total = await countColumnEvents(client, scope)
  return {
    snapshots,
    columns: () => ({ total, parts: columnEvents(client, scope) }),
    nodes: () => mapped(nodeKindsOf(client, projectId), ({ key, kind }) => ({ id: key, kind })),
    edges: () => edgeLabelsOf(client, projectId),
    metrics: () => metricPoints(client, scope, entropyMetrics),
    workflow: async () => ({
      nodes: await readNodes(client, { projectId, kinds: ['ControlMJob', 'ControlMCondition'] }),
      edges: await readEdges(client, { projectId, labels: ['DEPENDS_ON', 'BLOCKS', 'RELEASES'] }),
    }),
    temporal: {
      ledger: () => readLedgerTimes(client, scope),
      changeFiles: () => readStatedTimes(client, scope),
      graph,
      glean: async () => exportsOf(glean(), projectId, daysBack),
    },
    projectNodeId: nodeId(projectId, '', 'Project', projectId),
  }
}
