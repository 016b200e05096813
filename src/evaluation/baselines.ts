import { canonicalTypeOf, type Estate, type EstateIndex, indexEstate, isPrimaryKey } from '../datasets/estate.js'
import type { FeatureSpec } from '../datasets/features.js'
import { hiddenFrom } from '../datasets/hidden-edges.js'
import { targetFit } from '../datasets/names.js'
import type { RankingList } from '../models/ranking-list.js'
import { EspalierError } from '../util/error.js'
import type { CatalogEdge, CatalogNode } from '../vocabulary.js'
import type { Scorer } from './ranking.js'

/** What a rule may look at: the estate, without the edges that the model may not see either. */
interface Known {
  index: EstateIndex
  hidden: ReadonlySet<CatalogEdge>
}
type PairScore = (query: CatalogNode, candidate: CatalogNode, known: Known) => number

const nameFit: PairScore = (query, candidate, { index }) => targetFit(index.targetName(query).name, index.targetName(candidate))
const sameType: PairScore = (query, candidate) => Number(canonicalTypeOf(query) === canonicalTypeOf(candidate))
const isKey: PairScore = (_, candidate) => Number(isPrimaryKey(candidate))
const hasKeyOfItsOwn: PairScore = (_, { id }, { index, hidden }) =>
  Number(index.incident(id).some((e) => e.label === 'REFERENCES' && e.sourceId === id && !hidden.has(e)))
const sum =
  (...parts: readonly (readonly [number, PairScore])[]): PairScore =>
  (query, candidate, known) =>
    parts.reduce((total, [weight, part]) => total + weight * part(query, candidate, known), 0)

/** What a model must beat: rules that anyone could write in an afternoon. Ties are scored by expectation, so `random` is exact. */
export const baselineRules: Record<string, PairScore> = {
  /** any order is as good: its score is the expectation over all of them */
  random: () => 0,
  /** the same name, whatever its case and separators */
  'exact name': (query, candidate, { index }) => Number(index.targetName(query).name === index.targetName(candidate).name),
  /** edit similarity to the name, the table, or both (`owner_id` fits owners.id) */
  'fuzzy name': nameFit,
  'type + name': sum([1, nameFit], [0.5, sameType]),
  /** a foreign key mostly points to a primary key … */
  'key + type + name': sum([1, nameFit], [0.5, sameType], [0.5, isKey]),
  /** … and seldom to a column that is known to reference another one itself */
  'links + key + type + name': sum([1, nameFit], [0.5, sameType], [0.5, isKey], [-0.5, hasKeyOfItsOwn]),
  'common neighbours': commonNeighbours,
}

/**
 * The baselines as scorers of lists whose query and candidates are columns of this estate. They know what the model knows: the asked
 * key is hidden from them, and with `knownReferences: 'none'` (default `others`, as in the feature spec) all keys of the database.
 */
export function rankingBaselines(estate: Estate, { knownReferences = 'others' }: Partial<FeatureSpec> = {}): Record<string, Scorer> {
  const index = indexEstate(estate)
  return Object.fromEntries(
    Object.entries(baselineRules).map(([name, rule]) => [name, (list: RankingList) => scoreList(list, rule, index, knownReferences)]),
  )
}

function scoreList(list: RankingList, rule: PairScore, index: EstateIndex, knownReferences: FeatureSpec['knownReferences']): number[] {
  const query = index.node(list.queryId)
  if (!query) throw unknownNode(list.queryId, 'query')
  const known = { index, hidden: hiddenFrom(index, query.id, knownReferences) }
  return list.candidates.map(({ id }) => {
    const candidate = id === undefined ? undefined : index.node(id)
    if (!candidate) throw unknownNode(id ?? '(none)', 'candidate')
    return rule(query, candidate, known)
  })
}

const unknownNode = (id: string, role: string) =>
  new EspalierError('BAD_INPUT', `baseline: ${role} id ${id} is not in the estate, expected the id of a column`, {
    remedy: 'Baselines need the names behind the numbers: give the estate that the lists were built from.',
  })

/**
 * How many tables are joined (by known keys or flows, the asked one hidden) both to the query's table and to the candidate's
 * (Liben-Nowell & Kleinberg 2007, "common neighbours"). Tables stand in for columns, which have hardly any neighbours of their own.
 */
function commonNeighbours(query: CatalogNode, candidate: CatalogNode, known: Known): number {
  // A table shares every neighbour with itself, which says nothing.
  if (known.index.tableOf(query.id)?.id === known.index.tableOf(candidate.id)?.id) return 0
  const own = neighbourTables(query.id, known)
  let common = 0
  for (const id of neighbourTables(candidate.id, known)) if (own.has(id)) common++
  return common
}

function neighbourTables(columnId: string, { index, hidden }: Known): Set<string> {
  const tableId = index.tableOf(columnId)?.id ?? columnId
  const found = new Set<string>()
  for (const id of [tableId, ...index.columnsOf(tableId).map((c) => c.id)])
    for (const edge of index.incident(id)) {
      if (edge.label === 'HAS_COLUMN' || hidden.has(edge)) continue
      const other = edge.sourceId === id ? edge.targetId : edge.sourceId
      found.add(index.tableOf(other)?.id ?? other)
    }
  found.delete(tableId)
  return found
}
