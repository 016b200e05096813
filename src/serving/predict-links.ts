import { encodeCandidates } from '../datasets/candidate-graph.js'
import { type Estate, indexEstate } from '../datasets/estate.js'
import { parseFeatureSpec } from '../datasets/features.js'
import { candidateTargets } from '../datasets/tasks/foreign-key.js'
import { didYouMean } from '../util/closest.js'
import { EspalierError } from '../util/error.js'
import type { CatalogNode } from '../vocabulary.js'
import type { RankTarget, Serving } from './serving.js'

/** What links can be predicted: `foreign-key` asks which column a column references. */
export const linkTasks = ['foreign-key'] as const
export type LinkTask = (typeof linkTasks)[number]

export interface PredictLinksOptions extends RankTarget {
  /** links answered (default 10) */
  k?: number
  /** columns that the model ranks, the likeliest by name, type and keys (default 256) */
  candidates?: number
  /** also links that the catalog has already (default false) */
  includeKnown?: boolean
}

export interface PredictedLink {
  /** 1 is best */
  rank: number
  /** higher is better; comparable within this answer only */
  score: number
  targetId: string
  target: CatalogNode
  isKnown: boolean
}

export interface LinkPrediction {
  nodeId: string
  task: LinkTask
  artifactId: string
  version: string
  /** columns that were ranked */
  considered: number
  /** there were more columns than `candidates` */
  isPartial: boolean
  links: PredictedLink[]
}

/** `text` as a task, or BAD_INPUT that lists them. */
export function parseLinkTask(text: string): LinkTask {
  const task = linkTasks.find((t) => t === text)
  if (task) return task
  throw new EspalierError('BAD_INPUT', `task: found "${text}", expected one of ${linkTasks.join(', ')}`, {
    remedy: didYouMean(text, linkTasks) ?? `Use ${linkTasks.join(', ')}.`,
  })
}

/**
 * The likeliest targets of a column in the live catalog, encoded as in training, ranked by the artifact that the alias names. Recall by
 * name, type and keys decides what is asked; the model decides the order.
 */
export async function predictLinks(
  serving: Serving,
  estate: Estate,
  nodeId: string,
  task: LinkTask,
  options: PredictLinksOptions = {},
): Promise<LinkPrediction> {
  const { k = 10, candidates = 256, includeKnown = false, ...target } = options
  const raw = await serving.featureSpec(target)
  if (raw === null || raw === undefined)
    throw new EspalierError(
      'BAD_INPUT',
      `the ${target.alias ?? 'production'} ${target.component ?? 'ranker'} was published without a feature spec`,
      {
        remedy: 'Promote a ranker that was trained on this catalog, or rank encoded lists instead.',
      },
    )
  const index = indexEstate(estate)
  const ids = candidateTargets(estate, nodeId, { limit: candidates + 1, includeKnown })
  const asked = ids.slice(0, candidates)
  const list = encodeCandidates(estate, nodeId, asked, parseFeatureSpec(raw))
  const [ranked] = await serving.rank([list], target)
  const known = new Set(index.references.filter((e) => e.sourceId === nodeId).map((e) => e.targetId))
  const links = ranked!.candidates.slice(0, k).map(
    ({ index: place, score }, i): PredictedLink => ({
      rank: i + 1,
      score,
      targetId: asked[place]!,
      target: index.node(asked[place]!)!,
      isKnown: known.has(asked[place]!),
    }),
  )
  const { artifactId, version } = ranked!
  return { nodeId, task, artifactId, version, considered: asked.length, isPartial: ids.length > candidates, links }
}
