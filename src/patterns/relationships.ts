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
  /** exact counts of directed walks (a walk may pass a node twice), the most frequent first, at most 500 */
  chains: ChainCount[]
  /** how many kinds of chain there are */
  chainCount: number
  /** the 20 most frequent chains that begin at a project, at a table */
  pathsFrom: { project: ChainCount[]; table: ChainCount[] }
}

type Counts = Map<string, number>
const add = (counts: Counts, key: string, n = 1) => counts.set(key, (counts.get(key) ?? 0) + n)
const sorted = <T>(rows: T[], n: (row: T) => number, name: (row: T) => string) =>
  rows.sort((a, b) => n(b) - n(a) || (name(a) < name(b) ? -1 : 1))

/** Numbers that grow. */
class Numbers {
  #values = new Int32Array(1024)
  length = 0
  push(value: number): void {
    if (this.length === this.#values.length) {
      const grown = new Int32Array(2 * this.length)
      grown.set(this.#values)
      this.#values = grown
    }
    this.#values[this.length++] = value
  }
  at(i: number): number {
    return this.#values[i]!
  }
}

/** Names as small numbers, in order of first sight. */
class Names {
  readonly #numbers = new Map<string, number>()
  readonly names: string[] = []
  number(name: string): number {
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    this.#numbers.set(name, this.names.length)
    return this.names.push(name) - 1
  }
}

/** Per node, how many of its edges are of which relationship: row `i` is `[starts[i], starts[i + 1])` of the other two. */
interface Degrees {
  starts: Int32Array
  relationship: Int32Array
  count: Int32Array
}

function degreesOf(nodes: number, ends: Numbers, relationships: Numbers): Degrees {
  const places = new Int32Array(nodes + 1)
  for (let e = 0; e < ends.length; e++) places[ends.at(e) + 1]!++
  for (let i = 0; i < nodes; i++) places[i + 1]! += places[i]!
  const sorted = new Int32Array(ends.length)
  const next = places.slice(0, nodes)
  for (let e = 0; e < ends.length; e++) sorted[next[ends.at(e)]!++] = relationships.at(e)
  const [starts, relationship, count] = [new Int32Array(nodes + 1), new Int32Array(ends.length), new Int32Array(ends.length)]
  let used = 0
  for (let i = 0; i < nodes; i++) {
    const own = sorted.subarray(places[i]!, places[i + 1]!).sort()
    own.forEach((r, k) => {
      if (k > 0 && own[k - 1] === r) count[used - 1]!++
      else {
        relationship[used] = r
        count[used++] = 1
      }
    })
    starts[i + 1] = used
  }
  return { starts, relationship, count }
}

/** Learns which kinds are related how: all nodes first, then all edges, in any order; some 20 bytes for each. */
export class RelationshipLearner {
  readonly #index = new Map<string | number, number>()
  readonly #kinds = new Names()
  readonly #kindOf = new Numbers()
  readonly #rows: RelationshipCount[] = []
  readonly #rowOf = new Names()
  readonly #sources = new Numbers()
  readonly #targets = new Numbers()
  readonly #relationships = new Numbers()
  #dangling = 0

  node(id: string | number, kind: string): void {
    if (this.#index.has(id)) return
    this.#index.set(id, this.#index.size)
    this.#kindOf.push(this.#kinds.number(kind))
  }

  edge(source: string | number, label: string, target: string | number): void {
    const [from, to] = [this.#index.get(source), this.#index.get(target)]
    if (from === undefined || to === undefined) {
      this.#dangling++
      return
    }
    const [sourceKind, targetKind] = [this.#kindNamed(from), this.#kindNamed(to)]
    const r = this.#rowOf.number(`${sourceKind} ${label} ${targetKind}`)
    this.#rows[r] ??= { sourceKind, label, targetKind, count: 0 }
    this.#rows[r].count++
    this.#sources.push(from)
    this.#targets.push(to)
    this.#relationships.push(r)
  }

  #kindNamed(node: number): string {
    return this.#kinds.names[this.#kindOf.at(node)]!
  }

  /** Counts walks of 2 and 3 edges exactly, from per-node counts: O(edges x distinct relationships), no walk is listed. */
  #countChains(): ChainCount[] {
    const nodes = this.#index.size
    const incoming = degreesOf(nodes, this.#targets, this.#relationships)
    const outgoing = degreesOf(nodes, this.#sources, this.#relationships)
    const found = new Map<number, number>()
    const size = this.#rows.length + 1
    // walks from the edges into `before` over `middle` (none: size - 1) to the edges out of `after`
    const join = (before: number, middle: number, after: number) => {
      for (let i = incoming.starts[before]!; i < incoming.starts[before + 1]!; i++)
        for (let o = outgoing.starts[after]!; o < outgoing.starts[after + 1]!; o++) {
          const key = (incoming.relationship[i]! * size + middle) * size + outgoing.relationship[o]!
          found.set(key, (found.get(key) ?? 0) + incoming.count[i]! * outgoing.count[o]!)
        }
    }
    for (let node = 0; node < nodes; node++) join(node, size - 1, node)
    for (let e = 0; e < this.#sources.length; e++) join(this.#sources.at(e), this.#relationships.at(e), this.#targets.at(e))
    const step = ({ label, targetKind }: RelationshipCount) => ` -${label}-> ${targetKind}`
    const rows = [...found].map(([key, count]): ChainCount => {
      const [first, middle, last] = [Math.floor(key / size ** 2), Math.floor(key / size) % size, key % size]
      const between = middle === size - 1 ? [] : [middle]
      const walk = [first, ...between, last].map((r) => this.#rows[r]!)
      return { chain: walk[0]!.sourceKind + walk.map(step).join(''), hops: between.length === 0 ? 2 : 3, count }
    })
    return sorted(
      rows,
      (row) => row.count,
      (row) => row.chain,
    )
  }

  summarize(): RelationshipPatterns {
    const chains = this.#countChains()
    const from = (kind: string) => chains.filter(({ chain }) => chain.startsWith(`${kind} -`)).slice(0, 20)
    const counts: Counts = new Map()
    for (let i = 0; i < this.#kindOf.length; i++) add(counts, this.#kindNamed(i))
    return {
      nodes: this.#index.size,
      edges: this.#sources.length,
      dangling: this.#dangling,
      nodeKinds: Object.fromEntries(
        sorted(
          [...counts],
          ([, n]) => n,
          ([kind]) => kind,
        ),
      ),
      relationships: sorted(
        this.#rows.map((row) => ({ ...row })),
        (row) => row.count,
        (row) => `${row.sourceKind} ${row.label} ${row.targetKind}`,
      ),
      ...{ chains: chains.slice(0, mostChains), chainCount: chains.length },
      pathsFrom: { project: from('Project'), table: from('Table') },
    }
  }
}

const mostChains = 500

/** Learns which kinds are related how, from the facts that hold at one moment. The order of nodes and edges does not matter. */
export function learnRelationships(
  nodes: Iterable<Pick<CatalogNode, 'id' | 'kind'>>,
  edges: Iterable<Pick<CatalogEdge, 'sourceId' | 'label' | 'targetId'>>,
): RelationshipPatterns {
  const learner = new RelationshipLearner()
  for (const { id, kind } of nodes) learner.node(id, kind)
  for (const { sourceId, label, targetId } of edges) learner.edge(sourceId, label, targetId)
  return learner.summarize()
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
