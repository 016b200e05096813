import { encodeCandidates } from '../datasets/links/candidate-graph.js'
import { type Estate, indexEstate } from '../datasets/links/estate.js'
import { candidateTargets } from '../datasets/links/recall.js'
import { type FeatureSpec, parseFeatureSpec } from '../datasets/links/spec.js'
import { tasks } from '../datasets/tasks/index.js'
import type { LinkTaskName } from '../datasets/tasks/task.js'
import type { RankingList } from '../models/rankings/ranking-list.js'
import { EspalierError } from '../util/error.js'

export { parseLinkTask } from '../datasets/tasks/index.js'

/** A question about one node, put the way the ranker was trained. */
export interface LinkQuery {
  /** Nodes worth ranking as targets of `nodeId`, at most `limit`; those already linked only with `includeKnown`. */
  candidates(options: { limit: number; includeKnown: boolean }): string[]
  /** One list, its candidates in the order of `ids`, by the encoder and the feature spec of training. */
  encode(ids: readonly string[]): RankingList
  /** Targets that the catalog links already. */
  known: ReadonlySet<string>
}

/** The question of a task about a node. BAD_INPUT where the spec is none, or of a ranker that was trained for another task. */
export function linkQuery(task: LinkTaskName, estate: Estate, nodeId: string, featureSpec: unknown): LinkQuery {
  const spec = specFor(task, featureSpec)
  const links = indexEstate(estate).incident(nodeId, [tasks[task].label])
  return {
    candidates: (options) => candidateTargets(estate, nodeId, options, spec),
    encode: (ids) => encodeCandidates(estate, nodeId, ids, spec),
    known: new Set(links.filter((e) => e.sourceId === nodeId).map((e) => e.targetId)),
  }
}

function specFor(task: LinkTaskName, value: unknown): FeatureSpec {
  const spec = parseFeatureSpec(value)
  if (spec.task === task) return spec
  throw new EspalierError('BAD_INPUT', `task ${task}: this ranker was trained for ${spec.task}`, {
    remedy: `Name the component that was trained for it: a ${task} run publishes as "${tasks[task].component}" unless told otherwise.`,
  })
}
