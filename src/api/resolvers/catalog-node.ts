import { Arg, Ctx, FieldResolver, Resolver, Root } from 'type-graphql'
import type { EdgeLabel } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import { DateTime } from '../scalars.js'
import { CatalogEdge, CatalogNode, NamedValue, NodeSource, NodeState } from '../types/catalog.js'
import { EdgeLabelEnum } from '../types/enums.js'

/** What hangs on a node was read at the node's own moment. */
const dated = <T extends object>(items: readonly T[], { asOf }: { asOf?: Date }): T[] =>
  asOf ? items.map((item) => ({ ...item, asOf })) : [...items]

@Resolver(() => CatalogNode)
export class CatalogNodeResolver {
  @FieldResolver(() => DateTime, { nullable: true, description: 'Since when it is as it is' })
  async updatedAt(@Root() node: CatalogNode, @Ctx() { loaders }: ApiContext): Promise<Date | null> {
    return node.updatedAt ?? (await loaders.nodeAt(node.asOf).load(node.id))?.updatedAt ?? null
  }

  @FieldResolver(() => NodeSource, { nullable: true, description: 'Where it was read; null for what ingest makes itself' })
  async source(@Root() node: CatalogNode, @Ctx() { loaders }: ApiContext): Promise<NodeSource | null> {
    return node.source ?? (await loaders.nodeAt(node.asOf).load(node.id))?.source ?? null
  }

  @FieldResolver(() => [CatalogNode], { description: 'Columns of a table or view, in their order' })
  async columns(@Root() node: CatalogNode, @Ctx() { loaders }: ApiContext): Promise<CatalogNode[]> {
    return dated(await loaders.columnsAt(node.asOf).load(node.id), node)
  }

  @FieldResolver(() => [CatalogEdge], { description: 'Edges that begin here' })
  async edgesOut(
    @Root() node: CatalogNode,
    @Ctx() { loaders }: ApiContext,
    @Arg('labels', () => [EdgeLabelEnum], { nullable: true }) labels?: EdgeLabel[] | null,
  ): Promise<CatalogEdge[]> {
    return dated(await loaders.edgesAt('out', labels ?? undefined, node.asOf).load(node.id), node)
  }

  @FieldResolver(() => [CatalogEdge], { description: 'Edges that end here' })
  async edgesIn(
    @Root() node: CatalogNode,
    @Ctx() { loaders }: ApiContext,
    @Arg('labels', () => [EdgeLabelEnum], { nullable: true }) labels?: EdgeLabel[] | null,
  ): Promise<CatalogEdge[]> {
    return dated(await loaders.edgesAt('in', labels ?? undefined, node.asOf).load(node.id), node)
  }

  @FieldResolver(() => [NamedValue], { description: 'Metrics of a project, system or table in force at its moment' })
  async metrics(@Root() node: CatalogNode, @Ctx() { loaders }: ApiContext): Promise<NamedValue[]> {
    const metrics = await loaders.metricsAt(node.asOf).load(node.id)
    return Object.entries(metrics).map(([name, value]) => ({ name, value }))
  }

  @FieldResolver(() => [NodeState], { description: 'All that it ever was, in order of time' })
  history(@Root() node: CatalogNode, @Ctx() { loaders }: ApiContext): Promise<NodeState[]> {
    return loaders.history.load(node.id)
  }
}

@Resolver(() => CatalogEdge)
export class CatalogEdgeResolver {
  @FieldResolver(() => CatalogNode, { nullable: true })
  async source(@Root() edge: CatalogEdge, @Ctx() { loaders }: ApiContext): Promise<CatalogNode | null> {
    const node = await loaders.nodeAt(edge.asOf).load(edge.sourceId)
    return node && dated([node], edge)[0]!
  }

  @FieldResolver(() => CatalogNode, { nullable: true })
  async target(@Root() edge: CatalogEdge, @Ctx() { loaders }: ApiContext): Promise<CatalogNode | null> {
    const node = await loaders.nodeAt(edge.asOf).load(edge.targetId)
    return node && dated([node], edge)[0]!
  }
}
