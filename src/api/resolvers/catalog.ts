import { Arg, Args, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql'
import { lineageLabels, readLineage } from '../../catalog/reads/lineage-store.js'
import { countFacts, readEdges, readMetricSeries, readNodeHistory, readNodes } from '../../catalog/reads/read-store.js'
import { EspalierError } from '../../util/error.js'
import type { EdgeLabel, NodeKind } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { DateTime } from '../scalars.js'
import {
  CatalogEdge,
  CatalogEdgeConnection,
  CatalogNode,
  CatalogNodeConnection,
  KnowledgeGraph,
  Lineage,
  MetricSample,
  NodeState,
} from '../types/catalog.js'
import { DirectionEnum, EdgeLabelEnum, NodeKindEnum } from '../types/enums.js'
import { type Connection, decodeCursor, encodeCursor, PageArguments, pageOf, pageSize } from '../types/paging.js'

const largestWalk = { depth: 50, nodeBudget: 10_000 }

/** The same things, remembering the moment they were read at. */
const at = <T extends object>(items: readonly T[], asOf: Date | undefined): (T & { asOf?: Date })[] =>
  asOf ? items.map((item) => ({ ...item, asOf })) : [...items]

function within(name: keyof typeof largestWalk, value: number): number {
  if (value >= 1 && value <= largestWalk[name]) return value
  throw new EspalierError('BAD_INPUT', `${name}: found ${value}, expected 1 to ${largestWalk[name].toLocaleString('en')}`)
}

@Resolver()
export class CatalogResolver {
  @Query(() => CatalogNode, { nullable: true, description: 'A node now, or as it was at a moment.' })
  async catalogNode(
    @Ctx() { loaders }: ApiContext,
    @Arg('id', () => ID) id: string,
    @Arg('asOf', () => DateTime, { nullable: true }) asOf?: Date | null,
  ): Promise<CatalogNode | null> {
    const node = await loaders.nodeAt(asOf ?? undefined).load(id)
    return node && asOf ? { ...node, asOf } : node
  }

  @Query(() => KnowledgeGraph, { description: 'All nodes and edges of a project or system, in pages; now, or as of a moment.' })
  knowledgeGraph(
    @Arg('projectId', () => ID, { nullable: true }) projectId?: string | null,
    @Arg('systemId', () => ID, { nullable: true }) systemId?: string | null,
    @Arg('asOf', () => DateTime, { nullable: true }) asOf?: Date | null,
  ): KnowledgeGraph {
    return present({ projectId, systemId, asOf })
  }

  @Query(() => KnowledgeGraph, { description: 'The catalog as it was at a moment.' })
  catalogAsOf(
    @Arg('at', () => DateTime) asOf: Date,
    @Arg('projectId', () => ID, { nullable: true }) projectId?: string | null,
    @Arg('systemId', () => ID, { nullable: true }) systemId?: string | null,
  ): KnowledgeGraph {
    return present({ projectId, systemId, asOf })
  }

  @Query(() => [NodeState], { description: 'All that a node ever was, in order of time.' })
  nodeHistory(@Ctx() { platform }: ApiContext, @Arg('id', () => ID) id: string): Promise<NodeState[]> {
    return readNodeHistory(platform.database, id)
  }

  @Query(() => Lineage, {
    nullable: true,
    description: 'Where data comes from and goes to, breadth first; null where the node does not exist.',
  })
  async lineage(
    @Ctx() { platform }: ApiContext,
    @Arg('id', () => ID) id: string,
    @Arg('direction', () => DirectionEnum, { defaultValue: 'both' }) direction: 'upstream' | 'downstream' | 'both',
    @Arg('depth', () => Int, { defaultValue: 5, description: `Up to ${largestWalk.depth}` }) depth: number,
    @Arg('nodeBudget', () => Int, { defaultValue: 1_000, description: `Nodes at most, up to ${largestWalk.nodeBudget}` })
    nodeBudget: number,
    @Arg('labels', () => [EdgeLabelEnum], { nullable: true, description: `Default ${lineageLabels.join(', ')}` }) labels?:
      | EdgeLabel[]
      | null,
    @Arg('asOf', () => DateTime, { nullable: true }) asOf?: Date | null,
    @Arg('indirect', () => Boolean, {
      defaultValue: true,
      description: 'Whether to follow what only decides (filters, joins, conditions of CASE) without flowing in',
    })
    indirect = true,
  ): Promise<Lineage | null> {
    const bounds = { depth: within('depth', depth), nodeBudget: within('nodeBudget', nodeBudget) }
    const walk = { direction, indirect, ...bounds, ...present({ labels, asOf }) }
    const found = await readLineage(platform.database, id, walk)
    if (!found) return null
    const nodes = found.nodes.map(({ distance, isIndirect, ...node }) => ({
      distance,
      isIndirect,
      node: { ...node, ...present({ asOf }) },
    }))
    return { nodes, edges: at(found.edges, asOf ?? undefined), isPartial: found.isPartial }
  }

  @Query(() => [MetricSample], { description: 'Metrics of projects, systems and tables (by node id) over time.' })
  metricSeries(
    @Ctx() { platform }: ApiContext,
    @Arg('nodeIds', () => [ID], { description: 'A project is "<project>", a system "<project>/<system>"' }) nodeIds: string[],
    @Arg('names', () => [String], { nullable: true, description: 'metadata_entropy, kl_divergence, column_count, …; default all' })
    names?: string[] | null,
    @Arg('from', () => DateTime, { nullable: true }) from?: Date | null,
    @Arg('to', () => DateTime, { nullable: true }) to?: Date | null,
  ): Promise<MetricSample[]> {
    return readMetricSeries(platform.database, nodeIds, present({ names, from, to }))
  }
}

@Resolver(() => KnowledgeGraph)
export class KnowledgeGraphResolver {
  @FieldResolver(() => CatalogNodeConnection)
  async nodes(
    @Root() graph: KnowledgeGraph,
    @Ctx() { platform }: ApiContext,
    @Args(() => PageArguments) page: PageArguments,
    @Arg('kinds', () => [NodeKindEnum], { nullable: true }) kinds?: NodeKind[] | null,
  ): Promise<Connection<CatalogNode>> {
    const filter = { ...present({ ...graph }), ...present({ kinds }) }
    const rows = await readNodes(platform.database, filter, pageAfter(page))
    const total = async () => (await countFacts(platform.database, filter)).nodes
    return pageOf(at(rows, graph.asOf), page, ({ cursor }) => encodeCursor([cursor]), total)
  }

  @FieldResolver(() => CatalogEdgeConnection)
  async edges(
    @Root() graph: KnowledgeGraph,
    @Ctx() { platform }: ApiContext,
    @Args(() => PageArguments) page: PageArguments,
    @Arg('labels', () => [EdgeLabelEnum], { nullable: true }) labels?: EdgeLabel[] | null,
  ): Promise<Connection<CatalogEdge>> {
    const filter = { ...present({ ...graph }), ...present({ labels }) }
    const rows = await readEdges(platform.database, filter, pageAfter(page))
    const total = async () => (await countFacts(platform.database, filter)).edges
    return pageOf(at(rows, graph.asOf), page, ({ cursor }) => encodeCursor([cursor]), total)
  }
}

function pageAfter({ first, after }: PageArguments): { limit: number; after?: number } {
  const limit = pageSize(first) + 1
  return after ? { limit, after: Number(decodeCursor(after, 1)[0]) || 0 } : { limit }
}
