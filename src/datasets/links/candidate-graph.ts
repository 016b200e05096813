import type { CandidateGraph, RankingList } from '../../models/rankings/ranking-list.js'
import { EspalierError } from '../../util/error.js'
import type { CatalogEdge, CatalogNode, EdgeLabel } from '../../vocabulary.js'
import { tasks } from '../tasks/index.js'
import { type Known, type LinkTask, otherEnd } from '../tasks/task.js'
import { Standings } from './comparison.js'
import { type Estate, type EstateIndex, indexEstate, remember } from './estate.js'
import { encodeOwn, encodePlace, encodeQuery } from './features.js'
import { candidateEdgeTypes, type FeatureSpec } from './spec.js'

/**
 * Encodes one question, "which of these does `sourceId` link to?", for a ranking model; the same function at training and at serving, so
 * that the two cannot drift apart.
 *
 * Each candidate's graph holds the candidate and the query with what lies around both (their owners, siblings and neighbours by known
 * edges, up to `spec.hops` and `spec.maxNodes`), and one ASKED edge from the query to the candidate, over which the model can compare the
 * two. Edges that would answer the question are left out (each task says which). Node 0 is the query, node 1 the candidate. The query
 * vector describes the query and its owner.
 */
export function encodeCandidates(estate: Estate, sourceId: string, candidateIds: readonly string[], spec: FeatureSpec): RankingList {
  const index = indexEstate(estate)
  const task = tasks[spec.task]
  const query = assertLinkable(index, sourceId, 'query', task, spec)
  if (candidateIds.includes(sourceId))
    throw new EspalierError('BAD_INPUT', `candidate "${sourceId}" is the query itself, expected other nodes: nothing links to itself`)
  const encoder = new ListEncoder(index, query, knownTo(index, sourceId, spec), spec)
  const candidates = candidateIds.map((id) => encoder.encode(assertLinkable(index, id, 'candidate', task, spec)))
  const group = index.groupOf(candidateIds[0] ?? sourceId, spec.group)
  return { queryId: sourceId, query: encodeQuery(query, index, spec), group, candidates }
}

function assertLinkable(index: EstateIndex, id: string, role: string, { kinds, name }: LinkTask, { level }: FeatureSpec): CatalogNode {
  const node = index.node(id)
  if (node && kinds(level).includes(node.kind)) return node
  const found = node ? `a ${node.kind}` : 'not in the catalog'
  throw new EspalierError('BAD_INPUT', `${role} "${id}" is ${found}, expected the id of a ${kinds(level).join(' or ')} (task ${name})`, {
    remedy: 'Ids read <project>/<system>/<kind>:<qualified name>, as in bank/hive/column:core.account.account_id; search the catalog.',
  })
}

/** The estate as a model may see it when `sourceId` is asked for: without what gives the answer away, or without any such link at all. */
export function knownTo(index: EstateIndex, sourceId: string, { task: name, knownLinks }: FeatureSpec): Known {
  const task = tasks[name]
  const hidden = task.hidden(index, sourceId)
  const unknown = knownLinks === 'none' ? task.unknown : []
  const visible = new Map<string, readonly CatalogEdge[]>()
  const read = (id: string, labels: readonly EdgeLabel[]) =>
    index
      .incident(
        id,
        labels.filter((label) => !unknown.includes(label)),
      )
      .filter((edge) => !hidden.has(edge))
  return { index, edges: (id, labels) => remember(visible, `${labels.join()} ${id}`, () => read(id, labels)) }
}

/** Encodes the candidates of one query, keeping what they share. */
class ListEncoder {
  private readonly own = new Map<string, number[]>()
  private readonly places = new Map<string, number[]>()
  private readonly aroundQuery: readonly string[]
  private readonly standings: Standings
  private readonly walked: readonly EdgeLabel[]
  private readonly typeOf: ReadonlyMap<string, number>
  constructor(
    private readonly index: EstateIndex,
    private readonly query: CatalogNode,
    private readonly known: Known,
    private readonly spec: FeatureSpec,
  ) {
    const task = tasks[spec.task]
    this.walked = task.walked
    this.typeOf = new Map(candidateEdgeTypes(spec).map((name, type) => [name, type]))
    this.standings = new Standings(known, query, spec)
    this.aroundQuery = neighbourhood(known, query.id, this.walked, spec.hops, Math.max(1, Math.floor(spec.maxNodes / 3)))
  }

  encode(candidate: CatalogNode): CandidateGraph {
    const { query, spec } = this
    const around = neighbourhood(this.known, candidate.id, this.walked, spec.hops, spec.maxNodes)
    const ids = [...new Set([query.id, candidate.id, ...this.aroundQuery, ...around])].slice(0, spec.maxNodes)
    const { edges, edgeTypes } = this.edgesAmong(ids)
    return {
      id: candidate.id,
      nodeFeatures: ids.map((id) => this.row(id, candidate)),
      edges: [[0, 1], ...edges],
      edgeTypes: [this.typeOf.get('ASKED')!, ...edgeTypes],
    }
  }

  private edgesAmong(ids: readonly string[]): { edges: [number, number][]; edgeTypes: number[] } {
    const places = new Map(ids.map((id, n) => [id, n]))
    const edges: [number, number][] = []
    const edgeTypes: number[] = []
    for (const id of ids)
      for (const edge of this.known.edges(id, this.walked)) {
        const to = places.get(edge.targetId)
        if (edge.sourceId !== id || to === undefined) continue
        edges.push([places.get(id)!, to])
        edgeTypes.push(this.typeOf.get(edge.label)!)
      }
    return { edges, edgeTypes }
  }

  private row(id: string, candidate: CatalogNode): number[] {
    const { index, query, known, spec } = this
    const node = index.node(id)!
    const isCandidate = id === candidate.id
    const own = remember(this.own, id, () => encodeOwn(node, index, spec))
    const place = remember(this.places, `${isCandidate} ${id}`, () =>
      encodePlace(node, { query, isCandidate, known, standing: this.standings.of(node) }, spec),
    )
    return [...own, ...place]
  }
}

/**
 * The nodes within `hops` of `root` over visible edges, nearest first, `limit` at most. A table yields its columns with primary keys
 * first, so that a wide table is cut where it says least; the order depends on the catalog alone.
 */
export function neighbourhood(known: Known, root: string, walked: readonly EdgeLabel[], hops: number, limit: number): readonly string[] {
  const found = new Set([root])
  let frontier = [root]
  for (let hop = 0; hop < hops && found.size < limit; hop++) {
    const next: string[] = []
    for (const id of frontier)
      for (const neighbour of neighbours(known, id, walked)) {
        if (found.size >= limit) return [...found]
        if (found.has(neighbour)) continue
        found.add(neighbour)
        next.push(neighbour)
      }
    frontier = next
  }
  return [...found]
}

/** Links and flows followed from one node: the key that fifty tables point to must not crowd out everything else. */
const maxFanOut = 8
const partEdges: readonly EdgeLabel[] = ['HAS_COLUMN', 'CONTAINS']

function* neighbours({ index, edges }: Known, id: string, walked: readonly EdgeLabel[]): Generator<string> {
  const withParts = partEdges.filter((label) => walked.includes(label))
  const around = edges(id, withParts)
  for (const edge of around) if (edge.targetId === id) yield edge.sourceId
  const visible = edges(id, walked).filter((edge) => !withParts.includes(edge.label))
  for (const edge of visible.slice(0, maxFanOut)) yield otherEnd(edge, id)
  // in the order of the parts, keys first, not in that of their ids
  if (around.some((edge) => edge.sourceId === id)) for (const part of index.partsOf(id)) yield part.id
}
