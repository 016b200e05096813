import { type Estate, indexEstate } from '../datasets/links/estate.js'
import { tasks } from '../datasets/tasks/index.js'
import { EspalierError } from '../util/error.js'
import type { CatalogNode } from '../vocabulary.js'
import { linkQuery, parseLinkTask } from './link-tasks.js'
import type { RankTarget, Serving } from './serving.js'
import type { Precision } from './session.js'

export interface PredictLinksOptions extends RankTarget {
  /** links answered (default 10) */
  k?: number
  /** nodes that the model ranks, the likeliest by the task's own recall (default 256) */
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
  task: string
  artifactId: string
  version: string
  precision: Precision
  /** nodes that were ranked */
  considered: number
  /** there were more than `candidates` */
  isPartial: boolean
  links: PredictedLink[]
}

/**
 * The likeliest targets of a node in the live catalog, encoded as in training, ranked by the artifact that the alias names. The task's
 * recall (name, type, keys) decides what is asked; the model decides the order.
 */
export async function predictLinks(
  serving: Serving,
  estate: Estate,
  nodeId: string,
  taskName: string,
  options: PredictLinksOptions = {},
): Promise<LinkPrediction> {
  const { k = 10, candidates = 256, includeKnown = false, ...rest } = options
  const task = parseLinkTask(taskName)
  const target = { component: tasks[task].component, ...rest }
  const spec = await serving.featureSpec(target)
  if (spec === null || spec === undefined)
    throw new EspalierError('BAD_INPUT', `the ${target.alias ?? 'production'} ${target.component} was published without a feature spec`, {
      remedy: 'Promote a ranker that was trained on this catalog, or rank encoded lists instead.',
    })
  const query = linkQuery(task, estate, nodeId, spec)
  const ids = query.candidates({ limit: candidates + 1, includeKnown })
  const asked = ids.slice(0, candidates)
  const [ranked] = await serving.rank([query.encode(asked)], target)
  const { artifactId, version, precision } = ranked!
  const index = indexEstate(estate)
  const links = ranked!.candidates.slice(0, k).map(({ index: place, score }, i): PredictedLink => {
    const targetId = asked[place]!
    return { rank: i + 1, score, targetId, target: index.node(targetId)!, isKnown: query.known.has(targetId) }
  })
  return { nodeId, task: taskName, artifactId, version, precision, considered: asked.length, isPartial: ids.length > candidates, links }
}
