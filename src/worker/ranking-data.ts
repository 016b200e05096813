import { readEstate } from '../catalog/reads/read-store.js'
import type { Estate } from '../datasets/links/estate.js'
import { nodeFeatureWidth, queryFeatureWidth } from '../datasets/links/features.js'
import { buildLinkLists, type LinkFilter, noLinks } from '../datasets/links/lists.js'
import { candidateEdgeTypes, type FeatureSpec, parseFeatureSpec } from '../datasets/links/spec.js'
import type { DatasetSplit } from '../datasets/splits/split-store.js'
import { partition } from '../datasets/splits/split-version.js'
import { readDatasetVersion, readRankingLists, saveRankingVersion } from '../datasets/store.js'
import { tasks } from '../datasets/tasks/index.js'
import type { DatasetVersion } from '../datasets/version.js'
import type { RankingList } from '../models/rankings/ranking-list.js'
import type { Sql } from '../postgres/sql.js'
import { recordUse } from '../runs/graph-store.js'
import type { EvaluateRankerOptions } from '../training/jobs/evaluate-job.js'
import { rankingTask } from '../training/jobs/learning-task.js'
import type { TrainRankerOptions } from '../training/jobs/ranking-job.js'
import { EspalierError } from '../util/error.js'
import { canonicalJson } from '../util/hash.js'
import { describeProblem } from '../util/problem.js'
import { seeded } from '../util/random.js'
import type { Properties } from '../vocabulary.js'
import { type History, linkKey, readHistory } from './glean-history.js'
import type { TaskContext } from './task.js'

/** What a ranking run learns from. */
export interface RankingData {
  lists: RankingList[]
  /** null for lists from elsewhere, which say nothing of how they were made */
  featureSpec: FeatureSpec | null
  version: DatasetVersion
  /** what the lists were made from; null for a stored version, whose catalog may be gone */
  estate: Estate | null
  /** links of history, to learn from and never to be judged by */
  history: RankingList[]
  /** where the lists are split by time: how many of the first ones are older than the split; null: split by group */
  older: number | null
  /** the stored split that the run names */
  parts: StoredParts | null
}

/** The lists by a stored split. Of a training those of the test are neither learned from nor judged on. */
interface StoredParts {
  split: DatasetSplit
  training: RankingList[]
  validation: RankingList[]
  test: RankingList[]
}

type Context = TaskContext<TrainRankerOptions | EvaluateRankerOptions>

const asProperties = (value: unknown): Properties => JSON.parse(canonicalJson(value)) as Properties

async function estateOf({ platform, options }: Context, asOf: string): Promise<Estate> {
  const read = (projectId: string) => readEstate(platform.database, { projectId, asOf: new Date(asOf) })
  const parts = await Promise.all(options.projectIds!.map(read))
  return { nodes: parts.flatMap((part) => part.nodes), edges: parts.flatMap((part) => part.edges) }
}

/** The tables that lists were made of: those of their columns, or the tables themselves; nothing of lists of jobs. */
function tablesOf(estate: Estate, lists: readonly RankingList[]): string[] {
  const used = new Set(lists.flatMap((list) => [list.queryId, ...list.candidates.map((candidate) => candidate.id!)]))
  const owners = estate.edges.filter((edge) => edge.label === 'HAS_COLUMN' && used.has(edge.targetId)).map((edge) => edge.sourceId)
  const tables = estate.nodes.filter(({ id, kind }) => (kind === 'Table' || kind === 'View') && used.has(id)).map(({ id }) => id)
  return [...new Set([...owners, ...tables])].sort()
}

/** Lists of the links as of the moment; with `splitAt` first those of the links as of then, then those of the links that came after. */
function makeLists({ options }: Context, estate: Estate, before: Estate | null) {
  const features = { ...options.lists.features, task: options.task }
  const rng = seeded(options.training.seed).fork('lists')
  const build = (from: Estate, isAsked?: LinkFilter) => buildLinkLists(from, { ...options.lists, features }, rng, isAsked)
  if (!before) return { ...build(estate), older: null }
  const old = new Set(before.edges.filter((e) => e.label === tasks[options.task].label).map(linkKey))
  const [first, then] = [build(before), build(estate, (link) => !old.has(linkKey(link)))]
  return {
    lists: [...first.lists, ...then.lists],
    problems: [...first.problems, ...then.problems],
    featureSpec: first.featureSpec,
    older: first.lists.length,
  }
}

function assertLists({ options }: Context, lists: readonly RankingList[], older: number | null, spec: FeatureSpec): void {
  const where = `projects ${options.projectIds!.join(', ')} as of ${options.asOf}`
  const { found, expected, suggestion } = noLinks(where, spec)
  if (lists.length === 0)
    throw new EspalierError('BAD_INPUT', `task ${options.task}: ${where}: found ${found}, expected ${expected}`, { remedy: suggestion! })
  if (older === null || (older > 0 && older < lists.length)) return
  throw new EspalierError(
    'BAD_INPUT',
    `splitAt ${options.splitAt}: found ${older} lists before and ${lists.length - older} after, expected some of both`,
    {
      remedy: 'Name a moment between two ingests that both brought links.',
    },
  )
}

async function dataFromCatalog(context: Context, findHistory: FindHistory): Promise<RankingData> {
  const { platform, claim, options } = context
  const estate = await estateOf(context, options.asOf!)
  const before = options.splitAt ? await estateOf(context, options.splitAt) : null
  const { lists, featureSpec, problems, older } = makeLists(context, estate, before)
  for (const problem of problems.slice(0, 20)) await claim.record({ type: 'log', level: 'warn', message: describeProblem(problem) })
  assertLists(context, lists, older, featureSpec)
  const history = await findHistory(context, estate)
  const { version } = await saveRankingVersion(
    platform.database,
    platform.blobs,
    {
      dataset: { projectId: options.projectIds![0]!, name: options.task, description: 'Ranking lists made from the catalog' },
      lists: [...lists, ...history.lists],
      derivedFrom: tablesOf(estate, lists).map((tableId) => ({ tableId, snapshot: options.asOf! })),
      provenance: asProperties({
        task: options.task,
        projectIds: options.projectIds,
        asOf: options.asOf,
        lists: options.lists,
        featureSpec,
        ...(older === null ? {} : { splitAt: options.splitAt, older }),
        ...(history.provenance ? { glean: history.provenance, fromCatalog: lists.length } : {}),
      }),
    },
    new Date(),
  )
  return { lists, featureSpec, version, estate, older, history: history.lists, parts: null }
}

async function dataFromVersion({ platform, options }: Context, versionId: string): Promise<RankingData> {
  const version = await readDatasetVersion(platform.database, versionId)
  // a file of ranking lists need not say what is held out together: then each list is by itself
  const all = (await readRankingLists(platform.database, platform.blobs, versionId)).map((list) => ({
    ...list,
    group: rankingTask.groupOf(list),
  }))
  const { featureSpec: raw, older, fromCatalog } = version.provenance
  const lists = typeof fromCatalog === 'number' ? all.slice(0, fromCatalog) : all
  const featureSpec = raw === undefined || raw === null ? null : parseFeatureSpec(raw)
  if (featureSpec && featureSpec.task !== options.task)
    throw new EspalierError(
      'BAD_INPUT',
      `task ${options.task}: dataset ${version.datasetName} ${version.number} was made for ${featureSpec.task}`,
      {
        remedy: `Ask for task ${featureSpec.task}, or name another version.`,
      },
    )
  const history = all.slice(lists.length)
  const parts = options.split !== undefined ? await partsOf(platform.database, versionId, options.split, all, lists) : null
  return { lists, featureSpec, version, estate: null, older: typeof older === 'number' ? older : null, history, parts }
}

async function partsOf(
  sql: Sql,
  versionId: string,
  name: string,
  all: readonly RankingList[],
  lists: readonly RankingList[],
): Promise<StoredParts> {
  const { split, parts } = await partition(sql, versionId, name, all)
  // history, which follows the lists, has a way of its own into the training
  const isList = new Set(lists)
  const of = (part: string) => (parts[part] ?? []).filter((list) => isList.has(list))
  return { split, training: of('train'), validation: of('validation'), test: of('test') }
}

type FindHistory = (context: Context, estate: Estate) => Promise<History>

/**
 * Makes or reads the lists of a ranking run, and saves those made as a dataset version. Equal lists give the version there is.
 * `findHistory`: the links of history that are learned from besides (default: those that the options ask of Glean).
 */
export async function readRankingData(context: Context, findHistory: FindHistory = readHistory): Promise<RankingData> {
  const { datasetVersionId } = context.options
  const data = datasetVersionId ? await dataFromVersion(context, datasetVersionId) : await dataFromCatalog(context, findHistory)
  const { version, lists, history } = data
  await recordUse(context.platform.database, context.claim.run.id, version.id)
  await context.claim.record({
    type: 'log',
    level: 'info',
    message: `dataset ${version.datasetName} ${version.number}: ${lists.length} lists${history.length > 0 ? ` and ${history.length} of history` : ''}, hash ${version.hash.slice(0, 12)}`,
  })
  return data
}

/** The model options that the data decides: by the feature spec, or where there is none by the lists themselves. */
export const shapeOf = (spec: FeatureSpec | null, lists: readonly RankingList[]): Record<string, unknown> =>
  spec
    ? { features: nodeFeatureWidth(spec), queryFeatures: queryFeatureWidth(spec), edgeTypes: candidateEdgeTypes(spec).length }
    : rankingTask.optionsOf(lists)
