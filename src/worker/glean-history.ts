import { createReadStream, mkdtempSync } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { type GleanEdge, type GleanNode, kindOf } from '../catalog/glean/decode.js'
import { openGlean } from '../catalog/glean/open.js'
import { type GleanTrainingData, ingestGleanDataForTraining } from '../catalog/glean/training.js'
import { nodeId } from '../catalog/identity.js'
import { partsOfId } from '../catalog/resolve/scope.js'
import type { Estate } from '../datasets/links/estate.js'
import { buildLinkLists } from '../datasets/links/lists.js'
import { readDatasetVersion, readRankingLists } from '../datasets/store.js'
import { tasks } from '../datasets/tasks/index.js'
import type { RankingList } from '../models/rankings/ranking-list.js'
import { saveRunFile } from '../runs/file-store.js'
import { readUses } from '../runs/graph-store.js'
import type { EvaluateRankerOptions } from '../training/jobs/evaluate-job.js'
import type { GleanHistoryOptions } from '../training/jobs/origin-options.js'
import type { TrainRankerOptions } from '../training/jobs/ranking-job.js'
import { EspalierError } from '../util/error.js'
import { canonicalJson } from '../util/hash.js'
import { describeProblem } from '../util/problem.js'
import { seeded } from '../util/random.js'
import { type CatalogEdge, type CatalogNode, type EdgeLabel, edgeLabels, type Properties } from '../vocabulary.js'
import type { TaskContext } from './task.js'

type Context = TaskContext<TrainRankerOptions | EvaluateRankerOptions>

/** Links that exports to Glean tell of and the catalog does not have, as lists to learn from. */
export interface History {
  lists: RankingList[]
  /** what was asked for and read; null where nothing was */
  provenance: Properties | null
}

const none: History = { lists: [], provenance: null }

/** A link's ends and its discriminator: what tells whether two estates have the same one. */
export const linkKey = ({ sourceId, targetId, discriminator }: Pick<CatalogEdge, 'sourceId' | 'targetId' | 'discriminator'>): string =>
  canonicalJson([sourceId, targetId, discriminator])

const byExport = <T extends { exportedAt: Date | null }>(facts: readonly T[]): T[] =>
  [...facts].sort((a, b) => (a.exportedAt?.getTime() ?? 0) - (b.exportedAt?.getTime() ?? 0))

/**
 * The exports of a project as one estate: everything that any of them tells of, each node as the newest one has it. Ids of other origin
 * become ours, as ingest makes them; kinds and labels that are not the catalog's are left out.
 */
export function estateOfHistory(nodes: readonly GleanNode[], edges: readonly GleanEdge[], project: string): Estate {
  const ids = new Map<string, string>()
  const known = new Map<string, CatalogNode>()
  for (const { id: written, kind: spelled, label: name, properties, ...rest } of byExport(nodes)) {
    const kind = kindOf(spelled)
    if (!kind) continue
    const parts = partsOfId(written)
    const [projectId, systemId] = [rest.projectId ?? project, rest.systemId ?? 'glean']
    const own = parts?.kind === kind ? parts : null
    const id = own ? written : nodeId(projectId, systemId, kind, written)
    ids.set(written, id)
    known.set(id, { id, kind, name, qualifiedName: rest.qualifiedName ?? own?.qualifiedName ?? written, projectId, systemId, properties })
  }
  const links = new Map<string, CatalogEdge>()
  for (const edge of byExport(edges)) {
    const [sourceId, targetId, label] = [ids.get(edge.sourceId), ids.get(edge.targetId), edge.label.toUpperCase() as EdgeLabel]
    if (!sourceId || !targetId || !edgeLabels.includes(label)) continue
    const { discriminator, properties } = edge
    const { projectId, systemId } = known.get(sourceId)!
    links.set(`${label} ${linkKey({ sourceId, targetId, discriminator })}`, {
      ...{ sourceId, label, targetId, discriminator, projectId, systemId, properties },
    })
  }
  return { nodes: [...known.values()], edges: [...links.values()] }
}

/** What an earlier attempt (or the run that this one goes on from) read of the same: what is learned from must not change under way. */
async function earlierHistory({ platform, claim }: Context, asked: Properties): Promise<History | null> {
  const { database, blobs } = platform
  for (const id of (await readUses(database, [claim.run.id])).get(claim.run.id)!) {
    const { glean, fromCatalog } = (await readDatasetVersion(database, id)).provenance as Record<string, Properties | number | undefined>
    if (typeof glean !== 'object' || typeof fromCatalog !== 'number' || canonicalJson(glean['asked']) !== canonicalJson(asked)) continue
    return { lists: (await readRankingLists(database, blobs, id)).slice(fromCatalog), provenance: glean }
  }
  return null
}

/** Reads from Glean into five files, and keeps these with the run. NOT_FOUND where there is nothing: no answer is not an empty history. */
export async function readGlean(
  { platform, claim }: Pick<TaskContext<unknown>, 'platform' | 'claim'>,
  { projectId, systemId, daysBack, outputDir }: Omit<GleanHistoryOptions, 'enable'>,
): Promise<GleanTrainingData> {
  const client = openGlean(platform.config.glean)
  const folder = outputDir ?? mkdtempSync(path.join(os.tmpdir(), 'espalier-glean-'))
  try {
    const settings = { daysBack, outputDir: folder, now: new Date() }
    const data = await ingestGleanDataForTraining(client, projectId!, systemId ?? null, settings)
    const of = `project ${projectId}${systemId ? `, system ${systemId}` : ''}`
    if (data.nodes.length === 0)
      throw new EspalierError(
        'NOT_FOUND',
        `glean: ${client.transport.name} ${client.transport.place} has no export of ${of} of the last ${daysBack} days`,
        {
          remedy: 'Export snapshots first, look back further, or leave the history out.',
        },
      )
    const { id: runId, attempt } = claim.run
    for (const file of data.output_files) {
      const blob = await platform.blobs.put(createReadStream(file) as AsyncIterable<Uint8Array>)
      await saveRunFile(platform.database, {
        runId,
        attempt,
        name: path.basename(file),
        blob,
        bytes: (await stat(file)).size,
        summary: null,
      })
    }
    return data
  } finally {
    if (!outputDir) await rm(folder, { recursive: true, force: true })
  }
}

/** Lists of the links of a history that an estate does not have. */
function makeLists({ options }: Context, data: Pick<GleanTrainingData, 'nodes' | 'edges'>, projectId: string, estate: Estate) {
  const { label } = tasks[options.task]
  const known = new Set(estate.edges.filter((edge) => edge.label === label).map(linkKey))
  const history = estateOfHistory(data.nodes, data.edges, projectId)
  const features = { ...options.lists.features, task: options.task }
  const rng = seeded(options.training.seed).fork('history')
  return buildLinkLists(history, { ...options.lists, features }, rng, (link) => !known.has(linkKey(link)))
}

/** The history that a run asks for: read once, the same for every attempt. */
export async function readHistory(context: Context, estate: Estate): Promise<History> {
  const { options } = context
  if (!('glean' in options) || !options.glean.enable) return none
  const { outputDir: _, ...asking } = options.glean
  const asked = JSON.parse(canonicalJson(asking)) as Properties
  const before = await earlierHistory(context, asked)
  if (before) return before
  const data = await readGlean(context, options.glean)
  return historyOf(context, data, { projectId: options.glean.projectId!, asked, estate })
}

/** What was read from Glean as lists of links that the estate does not have; says how many. */
export async function historyOf(
  context: Context,
  data: Pick<GleanTrainingData, 'nodes' | 'edges' | 'metadata'>,
  { projectId, asked, estate }: { projectId: string; asked: Properties; estate: Estate },
): Promise<History> {
  const { claim } = context
  const { lists, problems } = makeLists(context, data, projectId, estate)
  for (const problem of problems.slice(0, 5)) await claim.record({ type: 'log', level: 'warn', message: describeProblem(problem) })
  const { node_count, edge_count, transport, place, is_partial, ingested_at } = data.metadata
  const told = `history from Glean (${transport} ${place}): ${node_count} nodes, ${edge_count} edges, ${lists.length} lists of links that the catalog does not have`
  await claim.record({
    type: 'log',
    level: lists.length > 0 && !is_partial ? 'info' : 'warn',
    message: is_partial ? `${told}; it is cut` : told,
  })
  const provenance = {
    asked,
    transport,
    place,
    isPartial: is_partial,
    readAt: ingested_at,
    nodes: node_count,
    edges: edge_count,
    lists: lists.length,
  }
  return { lists, provenance }
}

/** The lists of history that may be learned from beside what is held out: none of its groups (where those are held out) or queries. */
export function withoutHeldOut(history: readonly RankingList[], validation: readonly RankingList[], byGroup: boolean): RankingList[] {
  const groups = new Set(byGroup ? validation.map((list) => list.group) : [])
  const queries = new Set(validation.map((list) => list.queryId))
  return history.filter((list) => !groups.has(list.group) && !queries.has(list.queryId))
}
