import { mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { EspalierError } from '../../util/error.js'
import { defaultDaysBack, type FactPage, type GleanClient } from './client.js'
import type { ColumnTypePatterns } from './column-types.js'
import type { GleanEdge, GleanNode } from './decode.js'
import type { InformationTheoryMetrics } from './trends.js'
import { draftOf, writePieces } from './whole-file.js'

export interface TrainingMetadata {
  project_id: string
  system_id: string | null
  days_back: number
  ingested_at: string
  transport: GleanClient['transport']['name']
  place: string
  notes: readonly string[]
  node_count: number
  edge_count: number
  /** more facts matched than `limit`: nodes or edges are cut */
  is_partial: boolean
}

export interface GleanTrainingData {
  nodes: GleanNode[]
  edges: GleanEdge[]
  metrics: InformationTheoryMetrics
  column_patterns: ColumnTypePatterns
  metadata: TrainingMetadata
  /** what was written, in the order of `trainingFiles`; empty without a folder */
  output_files: string[]
}

export interface TrainingOptions {
  daysBack?: number
  /** five JSON files are written here */
  outputDir?: string
  /** nodes, and edges, at most (default 200,000 of each) */
  limit?: number
  now: Date
}

/** Names of the files that are written, and what of the data each holds. */
export const trainingFiles = {
  'glean_nodes.json': 'nodes',
  'glean_edges.json': 'edges',
  'glean_metrics.json': 'metrics',
  'glean_column_patterns.json': 'column_patterns',
  'glean_metadata.json': 'metadata',
} as const satisfies Record<string, keyof GleanTrainingData>

/** All of the history that training reads; with `outputDir` also as files, all five or none. */
export async function ingestGleanDataForTraining(
  client: GleanClient,
  projectId: string,
  systemId: string | null,
  { daysBack = defaultDaysBack, outputDir, limit = 200_000, now }: TrainingOptions,
): Promise<GleanTrainingData> {
  const nodes = await client.queryHistoricalNodes(projectId, systemId, daysBack, limit)
  const edges = await client.queryHistoricalEdges(projectId, systemId, daysBack, limit)
  const metrics = await client.queryInformationTheoryMetrics(projectId, systemId, daysBack)
  const column_patterns = await client.queryColumnTypePatterns(projectId, systemId, daysBack)
  const isCut = (page: FactPage<unknown>) => page.hasMore
  const metadata: TrainingMetadata = {
    project_id: projectId,
    system_id: systemId,
    days_back: daysBack,
    ingested_at: now.toISOString(),
    transport: client.transport.name,
    place: client.transport.place,
    notes: client.notes,
    node_count: nodes.items.length,
    edge_count: edges.items.length,
    is_partial: isCut(nodes) || isCut(edges),
  }
  const data = { nodes: nodes.items, edges: edges.items, metrics, column_patterns, metadata }
  return { ...data, output_files: outputDir ? await saveTrainingData(data, outputDir) : [] }
}

/** Lists go a member per line, piece by piece: one string would hold the whole history. */
function* jsonPieces(value: unknown): Generator<string> {
  if (!Array.isArray(value)) return yield `${JSON.stringify(value, null, 2)}\n`
  yield '['
  for (const [i, member] of value.entries()) yield `${i > 0 ? ',' : ''}\n${JSON.stringify(member)}`
  yield value.length > 0 ? '\n]\n' : ']\n'
}

/** Writes all drafts, then gives all of them their names: a failure before that leaves what was there. */
async function saveTrainingData(data: Omit<GleanTrainingData, 'output_files'>, folder: string): Promise<string[]> {
  const files = Object.entries(trainingFiles).map(([name, part]) => {
    const file = path.join(folder, name)
    return { file, draft: draftOf(file), content: data[part as keyof typeof data] }
  })
  try {
    await mkdir(folder, { recursive: true })
    for (const { draft, content } of files) await writePieces(draft, jsonPieces(content))
    for (const { draft, file } of files) await rename(draft, file)
    return files.map(({ file }) => file)
  } catch (cause) {
    throw new EspalierError('BAD_INPUT', `Glean training data: cannot be written to ${folder} (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
      remedy: 'Name a folder that this process may write to.',
    })
  } finally {
    for (const { draft } of files) await rm(draft, { force: true }).catch(() => {})
  }
}
