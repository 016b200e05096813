import { knownTo } from '../datasets/links/candidate-graph.js'
import { type Estate, indexEstate } from '../datasets/links/estate.js'
import { type FeatureSpec, parseFeatureSpec } from '../datasets/links/spec.js'
import { tasks } from '../datasets/tasks/index.js'
import { isKey, linksItself, nameFit, sameName, sameSort } from '../datasets/tasks/rules.js'
import { type Known, type LinkTask, otherEnd } from '../datasets/tasks/task.js'
import type { RankingList } from '../models/rankings/ranking-list.js'
import { EspalierError } from '../util/error.js'
import type { CatalogNode } from '../vocabulary.js'
import type { Scorer } from './ranking.js'

type Rule = (query: CatalogNode, candidate: CatalogNode, known: Known, task: LinkTask) => number

const links: Rule = (query, candidate, known, { label }) => linksItself(label)(query, candidate, known)
const weigh =
  (...parts: readonly (readonly [number, Rule])[]): Rule =>
  (query, candidate, known, task) =>
    parts.reduce((total, [weight, part]) => total + weight * part(query, candidate, known, task), 0)

/** The baseline that is no stranger to the model: it is one of the numbers that the model is given, and had to be made to make them. */
export const ruleOfTheTask = 'rule of the task'

/** What a model must beat: rules that anyone could write in an afternoon. Ties are scored by expectation, so `random` is exact. */
export const baselineRules: Record<string, Rule> = {
  /** any order is as good: its score is the expectation over all of them */
  random: () => 0,
  /** the same name, whatever its case and separators */
  'exact name': sameName,
  /** edit similarity to the name, the owner, or both (`owner_id` fits owners.id) */
  'fuzzy name': nameFit,
  'type + name': weigh([1, nameFit], [0.5, sameSort]),
  /** a foreign key mostly points to a primary key … */
  'key + type + name': weigh([1, nameFit], [0.5, sameSort], [0.5, isKey]),
  /** … and seldom to a column that is known to reference another one itself */
  'links + key + type + name': weigh([1, nameFit], [0.5, sameSort], [0.5, isKey], [-0.5, links]),
  'common neighbours': commonNeighbours,
  /** all that is known of the task put into one rule by hand, with weights that were chosen on the whole of Spider */
  [ruleOfTheTask]: (query, candidate, known, { rule }) => rule(query, candidate, known),
}

/**
 * The baselines as scorers of lists whose query and candidates are nodes of this estate. They know what the model knows: what the feature
 * spec hides from it is hidden from them.
 */
export function rankingBaselines(estate: Estate, features: Partial<FeatureSpec> = {}): Record<string, Scorer> {
  const spec = parseFeatureSpec(features)
  return Object.fromEntries(
    Object.entries(baselineRules).map(([name, rule]) => [name, (list: RankingList) => scoreList(list, rule, estate, spec)]),
  )
}

function scoreList(list: RankingList, rule: Rule, estate: Estate, spec: FeatureSpec): number[] {
  const index = indexEstate(estate)
  const query = index.node(list.queryId)
  if (!query) throw unknownNode(list.queryId, 'query')
  const known = knownTo(index, query.id, spec)
  return list.candidates.map(({ id }) => {
    const candidate = id === undefined ? undefined : index.node(id)
    if (!candidate) throw unknownNode(id ?? '(none)', 'candidate')
    return rule(query, candidate, known, tasks[spec.task])
  })
}

const unknownNode = (id: string, role: string) =>
  new EspalierError('BAD_INPUT', `baseline: ${role} id ${id} is not in the estate, expected the id of a node`, {
    remedy: 'Baselines need the names behind the numbers: give the estate that the lists were built from.',
  })

/**
 * How many nodes are joined (by known edges, the asked one hidden) both to the query and to the candidate (Liben-Nowell & Kleinberg 2007,
 * "common neighbours"). Of columns, which have hardly any neighbours of their own, the tables are asked.
 */
function commonNeighbours(query: CatalogNode, candidate: CatalogNode, known: Known, task: LinkTask): number {
  const [a, b] = [standIn(query, known), standIn(candidate, known)]
  // A table shares every neighbour with itself, which says nothing.
  if (a === b) return 0
  const own = neighboursOf(a, known, task)
  let common = 0
  for (const id of neighboursOf(b, known, task)) if (own.has(id)) common++
  return common
}

const standIn = ({ id, kind }: CatalogNode, { index }: Known): string => (kind === 'Column' ? (index.ownerOf(id)?.id ?? id) : id)

function neighboursOf(id: string, known: Known, { walked }: LinkTask): Set<string> {
  const { index, edges } = known
  const labels = walked.filter((label) => label !== 'HAS_COLUMN')
  const parts = index.partsOf(id).filter(({ kind }) => kind === 'Column')
  const found = new Set<string>()
  for (const own of [id, ...parts.map((part) => part.id)])
    for (const edge of edges(own, labels)) {
      const other = index.node(otherEnd(edge, own))
      if (other) found.add(standIn(other, known))
    }
  found.delete(id)
  return found
}
