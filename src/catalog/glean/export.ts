import type { Database, Sql } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import { normalizeIdeal, type TypeDistribution } from '../quality/metrics.js'
import { countFacts, type FactFilter, readEdges, readNodes, type Snapshot } from '../reads/read-store.js'
import { batchFileName, fileTime } from './batch-file.js'
import { type Export, encodeEdge, encodeManifest, encodeNode, encodeTrainingMetrics, type TrainingEvaluation } from './encode.js'
import type { NewFact } from './predicates.js'
import type { GleanTransport, WriteReceipt } from './transport.js'

export interface ExportOptions {
  /** when the export is made */
  now: Date
  /** the project's own ideal distribution (default: metrics.ts) */
  ideal?: Partial<TypeDistribution>
}

export interface ExportReport extends WriteReceipt {
  snapshotId: string
  exportedAt: Date
  nodes: number
  edges: number
}

const pageSize = 5_000

/** Things of the ledger page by page: an export of any size needs the memory of one page. */
async function* paged<T extends { cursor: number }>(read: (page: { limit: number; after: number }) => Promise<T[]>): AsyncGenerator<T> {
  for (let after = 0; ; ) {
    const rows = await read({ limit: pageSize, after })
    yield* rows
    if (rows.length < pageSize) return
    after = rows.at(-1)!.cursor
  }
}

/** The facts of one export: its manifest, then the nodes, then the edges. */
async function* factsOf(sql: Sql, filter: FactFilter, manifest: NewFact, stamp: Export): AsyncGenerator<NewFact> {
  yield manifest
  for await (const node of paged((page) => readNodes(sql, filter, page))) yield { predicate: 'Node', key: encodeNode(node, stamp) }
  for await (const edge of paged((page) => readEdges(sql, filter, page))) yield { predicate: 'Edge', key: encodeEdge(edge, stamp) }
}

/**
 * Writes what a snapshot's system was at the time of the snapshot to Glean, as one export: a batch file, or an instance of a database.
 * `exported_at` is `now`; when the facts were true stands in the manifest's `metrics_calculated_at`. Read back by the source
 * glean-batch and ingested, it changes nothing in the ledger, and makes equal nodes and edges in an empty one.
 */
export async function exportSnapshotToGlean(
  database: Database,
  snapshot: Pick<Snapshot, 'id' | 'projectId' | 'systemId' | 'observedAt' | 'metrics'>,
  transport: GleanTransport,
  { now, ideal }: ExportOptions,
): Promise<ExportReport> {
  const { projectId, systemId, observedAt, metrics } = snapshot
  const filter: FactFilter = { projectId, systemId, asOf: observedAt }
  const stamp: Export = { projectId, systemId, exportedAt: now }
  const name = `${fileTime(now)}_${snapshot.id.replaceAll('-', '').slice(0, 12)}`
  // what others ingest meanwhile must not come between the counts and the facts
  return database.transaction(
    async (client) => {
      const { nodes, edges } = await countFacts(client, filter)
      const exportFile = batchFileName(name)
      const key = encodeManifest(
        { nodeCount: nodes, edgeCount: edges, exportFile, metrics, ideal: normalizeIdeal(ideal), observedAt },
        stamp,
      )
      const receipt = await transport.write(name, factsOf(client, filter, { predicate: 'ExportManifest', key }, stamp))
      if (receipt.facts !== nodes + edges + 1)
        throw new EspalierError('INTERNAL', `Glean export: wrote ${receipt.facts} facts, expected ${nodes + edges + 1}`)
      return { ...receipt, snapshotId: snapshot.id, exportedAt: now, nodes, edges }
    },
    { isolation: 'repeatable read' },
  )
}

/**
 * Exports snapshots, the oldest first. Their times of export are a second apart, the last is `now`: names and epochs know whole seconds,
 * and the newest export must be told from the others.
 */
export async function exportHistoryToGlean(
  database: Database,
  snapshots: readonly Parameters<typeof exportSnapshotToGlean>[1][],
  transport: GleanTransport,
  options: ExportOptions,
): Promise<ExportReport[]> {
  const reports: ExportReport[] = []
  for (const [i, snapshot] of snapshots.entries()) {
    const now = new Date(options.now.getTime() - 1000 * (snapshots.length - 1 - i))
    reports.push(await exportSnapshotToGlean(database, snapshot, transport, { ...options, now }))
  }
  return reports
}

/** Writes what a training run came to as a batch of one TrainingMetrics fact, and says where it went. */
export function exportTrainingMetricsToGlean(
  transport: GleanTransport,
  evaluation: TrainingEvaluation & { projectId: string; systemId: string },
  now: Date,
): Promise<WriteReceipt> {
  const key = encodeTrainingMetrics(evaluation, { projectId: evaluation.projectId, systemId: evaluation.systemId, exportedAt: now })
  const run = evaluation.runId.replace(/[^A-Za-z0-9]/g, '').slice(0, 12) || 'run'
  return transport.write(`${fileTime(now)}_training${run}`, [{ predicate: 'TrainingMetrics', key }])
}
