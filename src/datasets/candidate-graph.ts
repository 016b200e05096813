import type { CandidateGraph, RankingList } from '../models/ranking-list.js'
import { EspalierError } from '../util/error.js'
import type { CatalogEdge, CatalogNode } from '../vocabulary.js'
import { type Estate, type EstateIndex, indexEstate } from './estate.js'
import { candidateEdgeTypes, encodeOwn, encodePlace, encodeQuery, type FeatureSpec, type NodePlace } from './features.js'
import { hiddenFrom } from './hidden-edges.js'

const edgeTypeOf = new Map<string, number>(candidateEdgeTypes.map((name, type) => [name, type]))
const askedType = edgeTypeOf.get('ASKED')!

/**
 * Encodes one question, "which of these columns does `sourceId` reference?", for a ranking model; the same function at training and at
 * serving, so that the two cannot drift apart.
 *
 * Each candidate's graph holds the candidate and the query's column with what lies around both (their tables, sibling columns and
 * neighbours by known edges, up to `spec.hops` and `spec.maxNodes`), and one ASKED edge from the query to the candidate, over which the
 * model can compare the two. Edges that would answer the question are left out (see hidden-edges.ts). Node 0 is the query, node 1 the
 * candidate. The query vector describes the query's column and its table.
 */
export function encodeCandidates(estate: Estate, sourceId: string, candidateIds: readonly string[], spec: FeatureSpec): RankingList {
  const index = indexEstate(estate)
  const query = assertColumn(index, sourceId, 'query')
  const group = index.groupOf(sourceId)
  const hidden = hiddenFrom(index, sourceId, spec.knownReferences)
  const encoder = new ListEncoder(index, query, hidden, spec)
  if (candidateIds.includes(sourceId))
    throw new EspalierError('BAD_INPUT', `candidate "${sourceId}" is the query itself, expected other columns: no column references itself`)
  const candidates = candidateIds.map((id) => encoder.encode(assertColumn(index, id, 'candidate')))
  return { queryId: sourceId, query: encodeQuery(query, index.tableOf(sourceId), spec), group, candidates }
}

function assertColumn(index: EstateIndex, id: string, role: string): CatalogNode {
  const node = index.node(id)
  if (node?.kind === 'Column') return node
  throw new EspalierError(
    'BAD_INPUT',
    `${role} "${id}" is ${node ? `a ${node.kind}` : 'not in the catalog'}, expected the id of a Column`,
    {
      remedy: 'Column ids read <project>/<system>/column:<database>.<table>.<column>; search the catalog for the right one.',
    },
  )
}

/** Encodes the candidates of one query, keeping what they share. */
class ListEncoder {
  private readonly own = new Map<string, number[]>()
  private readonly places = new Map<string, number[]>()
  private readonly aroundQuery: readonly string[]
  constructor(
    private readonly index: EstateIndex,
    private readonly query: CatalogNode,
    private readonly hidden: ReadonlySet<CatalogEdge>,
    private readonly spec: FeatureSpec,
  ) {
    this.aroundQuery = neighbourhood(index, query.id, hidden, spec.hops, Math.max(1, Math.floor(spec.maxNodes / 3)))
  }

  encode(candidate: CatalogNode): CandidateGraph {
    const { index, query, hidden, spec } = this
    const around = neighbourhood(index, candidate.id, hidden, spec.hops, spec.maxNodes)
    const ids = [...new Set([query.id, candidate.id, ...this.aroundQuery, ...around])].slice(0, spec.maxNodes)
    const { edges, edgeTypes } = this.edgesAmong(ids)
    return {
      id: candidate.id,
      nodeFeatures: ids.map((id) => this.row(id, candidate)),
      edges: [[0, 1], ...edges],
      edgeTypes: [askedType, ...edgeTypes],
    }
  }

  private edgesAmong(ids: readonly string[]): { edges: [number, number][]; edgeTypes: number[] } {
    const places = new Map(ids.map((id, n) => [id, n]))
    const edges: [number, number][] = []
    const edgeTypes: number[] = []
    for (const id of ids)
      for (const edge of this.index.incident(id)) {
        const to = places.get(edge.targetId)
        if (edge.sourceId !== id || to === undefined || this.hidden.has(edge)) continue
        edges.push([places.get(id)!, to])
        edgeTypes.push(edgeTypeOf.get(edge.label)!)
      }
    return { edges, edgeTypes }
  }

  private row(id: string, candidate: CatalogNode): number[] {
    const node = this.index.node(id)!
    const own = remember(this.own, id, () => encodeOwn(node, this.spec))
    const isCandidate = id === candidate.id
    const place = remember(this.places, `${isCandidate} ${id}`, () => encodePlace(node, this.placeOf(node, isCandidate), this.spec))
    return [...own, ...place]
  }

  private placeOf(node: CatalogNode, isCandidate: boolean): NodePlace {
    const { index, query } = this
    const degrees: [number, number, number] = [0, 0, 0]
    for (const edge of index.incident(node.id)) {
      if (this.hidden.has(edge)) continue
      degrees[edge.label !== 'REFERENCES' ? 2 : edge.targetId === node.id ? 0 : 1]++
    }
    const target = node.kind === 'Column' ? index.targetName(node) : null
    const isInQueryTable = target !== null && index.tableOf(node.id) === index.tableOf(query.id)
    return { query, isCandidate, asked: index.targetName(query), target, isInQueryTable, degrees }
  }
}

const remember = <T>(known: Map<string, T>, key: string, make: () => T): T => {
  const before = known.get(key)
  if (before !== undefined) return before
  const made = make()
  known.set(key, made)
  return made
}

/**
 * The nodes within `hops` of `root` over visible edges, nearest first, `limit` at most. A table yields its columns with primary keys
 * first, so that a wide table is cut where it says least; the order depends on the catalog alone.
 */
export function neighbourhood(
  index: EstateIndex,
  root: string,
  hidden: ReadonlySet<CatalogEdge>,
  hops: number,
  limit: number,
): readonly string[] {
  const found = new Set([root])
  let frontier = [root]
  for (let hop = 0; hop < hops && found.size < limit; hop++) {
    const next: string[] = []
    for (const id of frontier)
      for (const neighbour of neighbours(index, id, hidden)) {
        if (found.size >= limit) return [...found]
        if (found.has(neighbour)) continue
        found.add(neighbour)
        next.push(neighbour)
      }
    frontier = next
  }
  return [...found]
}

/** Foreign keys and flows followed from one node: the key that fifty tables point to must not crowd out everything else. */
const maxFanOut = 8

function* neighbours(index: EstateIndex, id: string, hidden: ReadonlySet<CatalogEdge>): Generator<string> {
  const table = index.tableOf(id)
  if (table) yield table.id
  const visible = index.incident(id).filter((edge) => edge.label !== 'HAS_COLUMN' && !hidden.has(edge))
  for (const edge of visible.slice(0, maxFanOut)) yield edge.sourceId === id ? edge.targetId : edge.sourceId
  for (const column of index.columnsOf(id)) yield column.id
}
