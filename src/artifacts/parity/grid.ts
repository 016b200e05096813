import type { GraphExample } from '../../models/graphs/graph-example.js'
import type { TypedGraph } from '../../models/graphs/typed-graph.js'
import type { ExampleKind } from '../../models/model.js'
import type { RankingList } from '../../models/rankings/ranking-list.js'

/** One case of the grid: examples that are scored as one batch. */
export interface GridCase<Example> {
  case: string
  examples: Example[]
}

type Edge = readonly [number, number]
const ring: readonly Edge[] = [
  [0, 1],
  [1, 2],
  [2, 0],
]

/** Graphs of every kind that a file must get right. */
const cases: readonly { case: string; nodes: number; edges: readonly Edge[]; directions?: readonly (0 | 1)[] }[] = [
  { case: 'forward', nodes: 3, edges: ring, directions: [0, 0, 0] },
  { case: 'backward', nodes: 3, edges: ring, directions: [1, 1, 1] },
  { case: 'mixed', nodes: 3, edges: ring, directions: [0, 1, 0] },
  { case: 'both ways', nodes: 3, edges: ring },
  { case: 'no edges', nodes: 3, edges: [] },
  { case: 'self-loop', nodes: 2, edges: [[1, 1]] },
  { case: 'one node', nodes: 1, edges: [] },
  { case: 'no nodes', nodes: 0, edges: [] },
]

/** Numbers that float32 holds exactly and that print short: the grid travels with the artifact as JSON. */
const row = (node: number, width: number) => Array.from({ length: width }, (_, k) => Math.round(64 * Math.sin(1 + 3 * node + k)) / 64)

const graphOf = ({ nodes, edges, directions }: (typeof cases)[number], features: number): TypedGraph => ({
  nodeFeatures: Array.from({ length: nodes }, (_, node) => row(node, features)),
  edges,
  ...(directions ? { edgeDirections: directions } : {}),
})

/** The grid as ranking lists: each graph alone, and all as one list (padding beside graphs of other sizes). */
function rankingGrid(features: number, query: object): GridCase<RankingList>[] {
  const candidates = cases.map((each) => ({ ...graphOf(each, features), label: 0 }))
  const list = (queryId: string, graphs: typeof candidates): RankingList => ({ queryId, ...query, candidates: graphs })
  return [
    ...cases.map((each, i) => ({ case: each.case, examples: [list(`grid: ${each.case}`, [candidates[i]!])] })),
    { case: 'all together', examples: [list('grid: all together', candidates)] },
  ]
}

/** The grid as graphs of which something is asked; of a graph without nodes nothing can be. */
function graphGrid(features: number, query: object): GridCase<GraphExample>[] {
  const examples = cases
    .filter((each) => each.nodes > 0)
    .map((each) => ({ case: each.case, example: { ...graphOf(each, features), id: `grid: ${each.case}`, ...query } }))
  return [
    ...examples.map((each) => ({ case: each.case, examples: [each.example] })),
    { case: 'all together', examples: examples.map((each) => each.example) },
  ]
}

/** The test grid for a model of `features` numbers a node: forward, backward, mixed, no edges, self-loop, one node, none, all at once. */
export function parityGrid(kind: ExampleKind, features: number, queryWidth: number): GridCase<RankingList | GraphExample>[] {
  const query = queryWidth > 0 ? { query: row(7, queryWidth) } : {}
  return kind === 'ranking' ? rankingGrid(features, query) : graphGrid(features, query)
}

/** Numbers per node and of the query, as examples show them; null without a node to see. */
export function widthsOf(examples: readonly unknown[]): { features: number; query: number } | null {
  const graphs = (example: unknown) =>
    'candidates' in (example as object) ? (example as RankingList).candidates : [example as GraphExample]
  const sample = examples.find((example) => graphs(example).some((g) => g.nodeFeatures.length > 0))
  if (sample === undefined) return null
  const features = graphs(sample).find((g) => g.nodeFeatures.length > 0)!.nodeFeatures[0]!.length
  return { features, query: (sample as { query?: ArrayLike<number> }).query?.length ?? 0 }
}
