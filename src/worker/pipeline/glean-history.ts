import type { GleanEdge, GleanNode } from '../../catalog/glean/decode.js'
import type { TrainingMetadata } from '../../catalog/glean/training.js'
import { trainingFiles } from '../../catalog/glean/training.js'
import type { InformationTheoryMetrics } from '../../catalog/glean/trends.js'
import type { GleanStepOptions } from '../../pipeline-options.js'
import type { Platform } from '../../platform.js'
import { interrupted } from '../../runs/attempt.js'
import { readRunFiles } from '../../runs/file-store.js'
import { EspalierError } from '../../util/error.js'
import { contentHash } from '../../util/hash.js'
import type { Properties } from '../../vocabulary.js'
import { readGlean } from '../glean-history.js'
import type { Task } from '../task.js'

/** Reads the history of a project from Glean into five files of the run. */
export const gleanHistory: Task<GleanStepOptions> = async ({ platform, claim, options }) => {
  const wanted = claim.wanted()
  if (wanted) return interrupted[wanted]
  const { projectId, systemId, daysBack } = options
  const { metadata } = await readGlean({ platform, claim }, { projectId, systemId, daysBack })
  const { node_count: nodes, edge_count: edges, transport, place, is_partial: isPartial, notes } = metadata
  const message = `${transport} ${place}: ${nodes} nodes and ${edges} edges of the last ${daysBack} days${isPartial ? '; more matched, this is cut' : ''}`
  await claim.record({ type: 'log', level: isPartial ? 'warn' : 'info', message })
  return {
    state: 'completed',
    result: { nodes, edges, transport, place, isPartial, notes: [...notes], daysBack, content: await contentOf(platform, claim.run.id) },
  }
}

/** What tells whether two histories are the same: the facts, not when they were read. */
async function contentOf(platform: Platform, runId: string): Promise<string> {
  const files = await readRunFiles(platform.database, [runId])
  return contentHash(files.filter(({ name }) => name !== 'glean_metadata.json').map(({ name, blob }) => [name, blob]))
}

export interface ReadHistory {
  nodes: GleanNode[]
  edges: GleanEdge[]
  metrics: InformationTheoryMetrics
  metadata: TrainingMetadata
}

const dated = <T extends { exportedAt: Date | null }>(facts: T[]): T[] =>
  facts.map((fact) => ({ ...fact, exportedAt: fact.exportedAt === null ? null : new Date(fact.exportedAt) }))

/** What a `glean-history` run read. */
export async function readHistoryFiles({ database, blobs }: Pick<Platform, 'database' | 'blobs'>, runId: string): Promise<ReadHistory> {
  const files = await readRunFiles(database, [runId])
  const read = async (part: keyof typeof trainingFiles) => {
    const file = files.find(({ name }) => name === part)
    if (!file) throw new EspalierError('NOT_FOUND', `run ${runId} has no file ${part}`, { remedy: 'Read the history from Glean anew.' })
    return JSON.parse(new TextDecoder().decode(await blobs.get(file.blob)))
  }
  return {
    nodes: dated(await read('glean_nodes.json')),
    edges: dated(await read('glean_edges.json')),
    metrics: await read('glean_metrics.json'),
    metadata: await read('glean_metadata.json'),
  }
}

/** What of a history goes into the provenance of what is made with it. */
export const askedOf = ({ project_id, system_id, days_back }: TrainingMetadata): Properties => ({
  enable: true,
  projectId: project_id,
  ...(system_id === null ? {} : { systemId: system_id }),
  daysBack: days_back,
})
