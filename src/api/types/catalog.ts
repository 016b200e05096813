import 'reflect-metadata'
import { Field, Float, ID, Int, ObjectType } from 'type-graphql'
import type { NodeStamp } from '../../catalog/reads/read-store.js'
import type { EdgeLabel, CatalogEdge as LedgerEdge, CatalogNode as LedgerNode, NodeKind, Properties } from '../../vocabulary.js'
import { DateTime, JsonScalar } from '../scalars.js'
import { EdgeLabelEnum, NodeKindEnum } from './enums.js'
import { connectionType } from './paging.js'

@ObjectType({ description: 'Where a fact was read.' })
export class NodeSource {
  @Field(() => String) dialect!: string
  @Field(() => String) file!: string
  @Field(() => String, { description: 'line 12, /DEFTABLE/FOLDER[2]/JOB[3], …' }) location!: string
}

@ObjectType({ description: 'A node as the ledger holds it now, or held it at a moment; what hangs on it is of the same moment.' })
export class CatalogNode implements LedgerNode {
  @Field(() => ID, { description: '<project>/<system>/<kind>:<qualified name>' }) id!: string
  @Field(() => NodeKindEnum) kind!: NodeKind
  @Field(() => String, { description: 'As the source spells it' }) name!: string
  @Field(() => String) qualifiedName!: string
  @Field(() => ID) projectId!: string
  @Field(() => ID) systemId!: string
  @Field(() => JsonScalar) properties!: Properties
  /** the moment it was read at; now when absent */
  asOf?: Date
  updatedAt?: NodeStamp['updatedAt']
  source?: NodeStamp['source']
}
export const CatalogNodeConnection = connectionType('CatalogNode', () => CatalogNode)

@ObjectType()
export class CatalogEdge implements LedgerEdge {
  @Field(() => ID) sourceId!: string
  @Field(() => EdgeLabelEnum) label!: EdgeLabel
  @Field(() => ID) targetId!: string
  @Field(() => String, { description: 'Tells apart two edges of one label between one pair' }) discriminator!: string
  @Field(() => ID) projectId!: string
  @Field(() => ID) systemId!: string
  @Field(() => JsonScalar) properties!: Properties
  asOf?: Date
}
export const CatalogEdgeConnection = connectionType('CatalogEdge', () => CatalogEdge)

@ObjectType({ description: 'The nodes and edges of a project or system, now or at a moment.' })
export class KnowledgeGraph {
  @Field(() => ID, { nullable: true }) projectId?: string
  @Field(() => ID, { nullable: true }) systemId?: string
  @Field(() => DateTime, { nullable: true, description: 'null: now' }) asOf?: Date
}

@ObjectType({ description: 'What a node was during a time.' })
export class NodeState {
  @Field(() => DateTime) validFrom!: Date
  @Field(() => DateTime, { nullable: true, description: 'null while it lasts' }) validTo!: Date | null
  @Field(() => String) name!: string
  @Field(() => String) qualifiedName!: string
  @Field(() => JsonScalar) properties!: Properties
}

@ObjectType()
export class LineageNode {
  @Field(() => Int, { description: 'Steps from the start, which has 0' }) distance!: number
  @Field(() => Boolean, { description: 'It only decides (by filters, joins, conditions): no way of values alone leads to it' })
  isIndirect!: boolean
  @Field(() => CatalogNode) node!: CatalogNode
}

@ObjectType({ description: 'Where data comes from and goes to: the start first, then by distance.' })
export class Lineage {
  @Field(() => [LineageNode]) nodes!: LineageNode[]
  @Field(() => [CatalogEdge]) edges!: CatalogEdge[]
  @Field(() => Boolean, { description: 'Whether depth, node budget or time (10 s) ended the walk' }) isPartial!: boolean
}

@ObjectType()
export class NamedValue {
  @Field(() => String) name!: string
  @Field(() => Float) value!: number
}

@ObjectType({ description: 'A metric of a project, system or table at a moment.' })
export class MetricSample {
  @Field(() => ID) nodeId!: string
  @Field(() => String) name!: string
  @Field(() => DateTime) at!: Date
  @Field(() => Float) value!: number
}
