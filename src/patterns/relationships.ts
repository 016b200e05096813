import type { CatalogEdge, CatalogNode } from '../vocabulary.js'

export interface RelationshipCount {
  sourceKind: string
  label: string
  targetKind: string
  count: number
}

/** Kinds and labels along a walk: `Database -CONTAINS-> Table -HAS_COLUMN-> Column`. */
export interface ChainCount {
  chain: string
  hops: 2 | 3
  count: number
}

export interface RelationshipPatterns {
  nodes: number
  edges: number
  /** edges whose end is not among the nodes; they are not counted below */
  dangling: number
  nodeKinds: Record<string, number>
  relationships: RelationshipCount[]
  /** exact counts of directed walks (a walk may pass a node twice), the most frequent first */
  chains: ChainCount[]
}

type Counts = Map<string, number>
const add = (counts: Counts, key: string, n = 1) => counts.set(key, (counts.get(key) ?? 0) + n)
const sorted = <T>(rows: T[], n: (row: T) => number, name: (row: T) => string) =>
  rows.sort((a, b) => n(b) - n(a) || (name(a) < name(b) ? -1 : 1))

/** Per node: how many edges come in as `kind -label->`, and go out as `-label-> kind`. */
function neighbourhoods(edges: readonly CatalogEdge[], kinds: ReadonlyMap<string, string>) {
  const incoming = new Map<string, Counts>()
  const outgoing = new Map<string, Counts>()
  const at = (map: Map<string, Counts>, id: string): Counts => {
    const counts = map.get(id) ?? new Map()
    map.set(id, counts)
    return counts
  }
  for (const { sourceId, label, targetId } of edges) {
    add(at(incoming, targetId), `${kinds.get(sourceId)} -${label}->`)
    add(at(outgoing, sourceId), `-${label}-> ${kinds.get(targetId)}`)
  }
  return { incoming, outgoing }
}

const none: Counts = new Map()

/** Counts walks of 2 and 3 edges exactly, from per-node counts: O(edges x distinct relationships), no walk is listed. */
function countChains(edges: readonly CatalogEdge[], kinds: ReadonlyMap<string, string>): ChainCount[] {
  const { incoming, outgoing } = neighbourhoods(edges, kinds)
  const two: Counts = new Map()
  const three: Counts = new Map()
  for (const [id, before] of incoming)
    for (const [head, x] of before) for (const [tail, y] of outgoing.get(id) ?? none) add(two, `${head} ${kinds.get(id)} ${tail}`, x * y)
  for (const { sourceId, label, targetId } of edges)
    for (const [head, x] of incoming.get(sourceId) ?? none)
      for (const [tail, y] of outgoing.get(targetId) ?? none)
        add(three, `${head} ${kinds.get(sourceId)} -${label}-> ${kinds.get(targetId)} ${tail}`, x * y)
  const rows = (counts: Counts, hops: 2 | 3) => [...counts].map(([chain, count]) => ({ chain, hops, count }))
  return sorted(
    [...rows(two, 2), ...rows(three, 3)],
    (row) => row.count,
    (row) => row.chain,
  )
}

/** Learns which kinds are related how, from the facts that hold at one moment. The order of nodes and edges does not matter. */
export function learnRelationships(nodes: readonly CatalogNode[], edges: readonly CatalogEdge[]): RelationshipPatterns {
  const kinds = new Map(nodes.map((node) => [node.id, node.kind as string]))
  const known = edges.filter(({ sourceId, targetId }) => kinds.has(sourceId) && kinds.has(targetId))
  const nodeKinds: Counts = new Map()
  for (const { kind } of nodes) add(nodeKinds, kind)
  const counts = new Map<string, RelationshipCount>()
  for (const { sourceId, label, targetId } of known) {
    const row = { sourceKind: kinds.get(sourceId)!, label, targetKind: kinds.get(targetId)!, count: 0 }
    const key = `${row.sourceKind} ${label} ${row.targetKind}`
    if (!counts.has(key)) counts.set(key, row)
    counts.get(key)!.count++
  }
  return {
    nodes: nodes.length,
    edges: known.length,
    dangling: edges.length - known.length,
    nodeKinds: Object.fromEntries(
      sorted(
        [...nodeKinds],
        ([, n]) => n,
        ([kind]) => kind,
      ),
    ),
    relationships: sorted(
      [...counts.values()],
      (row) => row.count,
      (row) => `${row.sourceKind} ${row.label} ${row.targetKind}`,
    ),
    chains: countChains(known, kinds),
  }
}

export interface RelationshipPrediction {
  label: string
  probability: number
  /** edges of this label between these very kinds */
  count: number
}

/** Pseudo-counts that the level above is worth. */
const priorCount = 1

/**
 * P(label | source kind, target kind): counts of the pair, backed by those of either kind alone, backed by all edges (each level counts
 * as one edge of the level below). Probabilities sum to 1 over the labels ever seen; nothing learned gives [].
 */
export function predictRelationshipType(patterns: RelationshipPatterns, sourceKind: string, targetKind: string): RelationshipPrediction[] {
  const labels = [...new Set(patterns.relationships.map((row) => row.label))]
  const tally = (matches: (row: RelationshipCount) => boolean) => {
    const counts: Counts = new Map()
    for (const row of patterns.relationships) if (matches(row)) add(counts, row.label, row.count)
    return counts
  }
  const levels = [
    tally(() => true),
    tally((row) => row.sourceKind === sourceKind || row.targetKind === targetKind),
    tally((row) => row.sourceKind === sourceKind && row.targetKind === targetKind),
  ]
  let probabilities = new Map(labels.map((label) => [label, 1 / labels.length]))
  for (const counts of levels) {
    const total = [...counts.values()].reduce((a, b) => a + b, 0)
    probabilities = new Map(
      labels.map((label) => [label, ((counts.get(label) ?? 0) + priorCount * probabilities.get(label)!) / (total + priorCount)]),
    )
  }
  const rows = labels.map((label) => ({ label, probability: probabilities.get(label)!, count: levels[2]!.get(label) ?? 0 }))
  return sorted(
    rows,
    (row) => row.probability,
    (row) => row.label,
  )
}
