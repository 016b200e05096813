import { readEstate } from '../catalog/reads/read-store.js'
import type { Estate } from '../datasets/estate.js'
import { candidateEdgeTypes, type FeatureSpec, nodeFeatureWidth, parseFeatureSpec, queryFeatureWidth } from '../datasets/features.js'
import { readDatasetVersion, readRankingLists, saveRankingVersion } from '../datasets/store.js'
import { buildForeignKeyLists, type ForeignKeyOptions } from '../datasets/tasks/foreign-key.js'
import type { DatasetVersion } from '../datasets/version.js'
import type { RankingList } from '../models/ranking-list.js'
import { recordUse } from '../runs/graph-store.js'
import { EspalierError } from '../util/error.js'
import { canonicalJson } from '../util/hash.js'
import { describeProblem } from '../util/problem.js'
import { seeded } from '../util/random.js'
import type { Properties } from '../vocabulary.js'
import type { TaskContext } from './task.js'

/** What a ranking run learns from. */
export interface RankingData {
  lists: RankingList[]
  featureSpec: FeatureSpec
  version: DatasetVersion
  /** what the lists were made from; null for a stored version, whose catalog may be gone */
  estate: Estate | null
}

interface RankingDataOptions {
  task: string
  projectIds?: string[] | undefined
  asOf?: string | undefined
  datasetVersionId?: string | undefined
  lists: ForeignKeyOptions
  training: { seed: number }
}

const asProperties = (value: unknown): Properties => JSON.parse(canonicalJson(value)) as Properties

async function estateOf({ platform, options }: TaskContext<RankingDataOptions>): Promise<Estate> {
  const parts = await Promise.all(
    options.projectIds!.map((projectId) => readEstate(platform.database, { projectId, asOf: new Date(options.asOf!) })),
  )
  return { nodes: parts.flatMap((part) => part.nodes), edges: parts.flatMap((part) => part.edges) }
}

/** The tables that lists were made of. */
function tablesOf(estate: Estate, lists: readonly RankingList[]): string[] {
  const used = new Set(lists.flatMap((list) => [list.queryId, ...list.candidates.map((candidate) => candidate.id!)]))
  const tables = estate.edges.filter((edge) => edge.label === 'HAS_COLUMN' && used.has(edge.targetId)).map((edge) => edge.sourceId)
  return [...new Set(tables)].sort()
}

async function dataFromCatalog(context: TaskContext<RankingDataOptions>): Promise<RankingData> {
  const { platform, claim, options } = context
  const estate = await estateOf(context)
  const { lists, featureSpec, problems } = buildForeignKeyLists(estate, options.lists, seeded(options.training.seed).fork('lists'))
  for (const problem of problems.slice(0, 20)) await claim.record({ type: 'log', level: 'warn', message: describeProblem(problem) })
  if (lists.length === 0)
    throw new EspalierError(
      'BAD_INPUT',
      `task ${options.task}: projects ${options.projectIds!.join(', ')} declare no foreign key as of ${options.asOf}`,
      {
        remedy: 'Ingest DDL that declares foreign keys (ALTER TABLE … ADD CONSTRAINT … FOREIGN KEY), or name other projects.',
      },
    )
  const { version } = await saveRankingVersion(
    platform.database,
    platform.blobs,
    {
      dataset: { projectId: options.projectIds![0]!, name: options.task, description: 'Ranking lists made from the catalog' },
      lists,
      derivedFrom: tablesOf(estate, lists).map((tableId) => ({ tableId, snapshot: options.asOf! })),
      provenance: asProperties({
        task: options.task,
        projectIds: options.projectIds,
        asOf: options.asOf,
        lists: options.lists,
        featureSpec,
      }),
    },
    new Date(),
  )
  return { lists, featureSpec, version, estate }
}

async function dataFromVersion({ platform }: TaskContext<RankingDataOptions>, versionId: string): Promise<RankingData> {
  const version = await readDatasetVersion(platform.database, versionId)
  const lists = await readRankingLists(platform.database, platform.blobs, versionId)
  return { lists, featureSpec: parseFeatureSpec(version.provenance['featureSpec']), version, estate: null }
}

/** Makes or reads the lists of a ranking run, and saves those made as a dataset version. Equal lists give the version there is. */
export async function readRankingData(context: TaskContext<RankingDataOptions>): Promise<RankingData> {
  const { datasetVersionId } = context.options
  const data = datasetVersionId ? await dataFromVersion(context, datasetVersionId) : await dataFromCatalog(context)
  const { version, lists } = data
  await recordUse(context.platform.database, context.claim.run.id, version.id)
  await context.claim.record({
    type: 'log',
    level: 'info',
    message: `dataset ${version.datasetName} ${version.number}: ${lists.length} lists, hash ${version.hash.slice(0, 12)}`,
  })
  return data
}

/** The model options that the data decides. */
export const shapeOf = (spec: FeatureSpec): { features: number; queryFeatures: number; edgeTypes: number } => ({
  features: nodeFeatureWidth(spec),
  queryFeatures: queryFeatureWidth(spec),
  edgeTypes: candidateEdgeTypes.length,
})
