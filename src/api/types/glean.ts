import 'reflect-metadata'
import { Field, Float, ID, Int, ObjectType } from 'type-graphql'
import type { GleanEdge as ReadEdge, GleanManifest as ReadManifest, GleanNode as ReadNode } from '../../catalog/glean/decode.js'
import type { ExportReport as Report } from '../../catalog/glean/export.js'
import type { JsonValue, Properties } from '../../vocabulary.js'
import { BigIntScalar, DateTime, JsonScalar } from '../scalars.js'

@ObjectType({ description: 'How Glean is reached.' })
export class GleanStatus {
  @Field(() => Boolean) isConfigured!: boolean
  @Field(() => String, { nullable: true, description: 'batch, cli or rest' }) transport!: string | null
  @Field(() => String, { nullable: true, description: 'Folder, database or address' }) place!: string | null
  @Field(() => [String], { description: 'What was passed over in the choice, and why' }) notes!: readonly string[]
  @Field(() => String, { nullable: true, description: 'How to configure Glean, where it is not' }) remedy!: string | null
}

@ObjectType()
abstract class GleanStamp {
  @Field(() => ID, { nullable: true }) projectId!: string | null
  @Field(() => ID, { nullable: true }) systemId!: string | null
  @Field(() => DateTime, { nullable: true, description: 'When it was exported' }) exportedAt!: Date | null
}

@ObjectType({ description: 'A node as an export to Glean had it.' })
export class GleanNode extends GleanStamp implements ReadNode {
  @Field(() => ID) id!: string
  @Field(() => String, { description: 'As the exporter spelled it' }) kind!: string
  @Field(() => String) label!: string
  @Field(() => String, { nullable: true, description: 'null where the id tells it' }) qualifiedName!: string | null
  @Field(() => JsonScalar) properties!: Properties
}

@ObjectType({ description: 'An edge as an export to Glean had it.' })
export class GleanEdge extends GleanStamp implements ReadEdge {
  @Field(() => ID) sourceId!: string
  @Field(() => ID) targetId!: string
  @Field(() => String) label!: string
  @Field(() => String) discriminator!: string
  @Field(() => JsonScalar) properties!: Properties
}

@ObjectType({ description: 'What one export to Glean held, and its metrics.' })
export class GleanManifest extends GleanStamp implements ReadManifest {
  @Field(() => Int, { nullable: true }) nodeCount!: number | null
  @Field(() => Int, { nullable: true }) edgeCount!: number | null
  @Field(() => String, { nullable: true }) exportFile!: string | null
  @Field(() => Float, { nullable: true, description: 'Bits' }) metadataEntropy!: number | null
  @Field(() => Float, { nullable: true, description: 'Bits' }) klDivergence!: number | null
  @Field(() => Int, { nullable: true }) columnCount!: number | null
  @Field(() => JsonScalar, { description: 'Canonical type -> share' }) actualDistribution!: Record<string, number>
  @Field(() => JsonScalar, { description: 'Canonical type -> share' }) idealDistribution!: Record<string, number>
  @Field(() => DateTime, { nullable: true, description: 'When what was exported was true' }) metricsCalculatedAt!: Date | null
}

@ObjectType()
abstract class GleanPage {
  @Field(() => Boolean) hasNextPage!: boolean
  @Field(() => String, { nullable: true, description: 'Give it as "after" to go on' }) endCursor!: string | null
  @Field(() => Int, { description: 'Facts that matched, but whose key could not be read' }) unreadable!: number
}

@ObjectType({ description: 'Nodes of the exports, the newest export first; Glean counts no totals.' })
export class GleanNodePage extends GleanPage {
  @Field(() => [GleanNode]) nodes!: GleanNode[]
}

@ObjectType({ description: 'Edges of the exports, the newest export first; Glean counts no totals.' })
export class GleanEdgePage extends GleanPage {
  @Field(() => [GleanEdge]) edges!: GleanEdge[]
}

@ObjectType({ description: 'Manifests of the exports, the newest first; Glean counts no totals.' })
export class GleanManifestPage extends GleanPage {
  @Field(() => [GleanManifest]) manifests!: GleanManifest[]
}

@ObjectType()
export class TrendPoint {
  @Field(() => DateTime, { description: 'When what was exported was true' }) date!: string
  @Field(() => Float) value!: number
}

@ObjectType()
export class InformationTheoryAverages {
  @Field(() => Float, { nullable: true }) metadataEntropy!: number | null
  @Field(() => Float, { nullable: true }) klDivergence!: number | null
  @Field(() => Float, { nullable: true }) columnCount!: number | null
}

@ObjectType({ description: 'Metrics of a project or system over its exports, each trend in order of time.' })
export class InformationTheoryMetrics {
  @Field(() => [TrendPoint]) metadataEntropyTrend!: TrendPoint[]
  @Field(() => [TrendPoint]) klDivergenceTrend!: TrendPoint[]
  @Field(() => [TrendPoint]) columnCountTrend!: TrendPoint[]
  @Field(() => InformationTheoryAverages) averages!: InformationTheoryAverages
  @Field(() => Int, { description: 'Manifests that were read' }) sampleCount!: number
}

@ObjectType()
export class TypeDistributionOfDay {
  @Field(() => String, { description: '2024-01-31, UTC' }) date!: string
  @Field(() => JsonScalar, { description: 'Type -> columns; each column counts once a day, with its last type' })
  types!: Record<string, number>
}

@ObjectType()
export class TypeCount {
  @Field(() => String) type!: string
  @Field(() => Int) count!: number
}

@ObjectType({ description: 'Columns that had one type in an export, and another in a later one.' })
export class TypeTransition {
  @Field(() => String) from!: string
  @Field(() => String) to!: string
  @Field(() => Int) count!: number
  @Field(() => [ID], { description: 'The first 100' }) columns!: string[]
}

@ObjectType({ description: 'How the types of columns are distributed over time, and what became of them.' })
export class ColumnTypePatterns {
  @Field(() => [TypeDistributionOfDay]) typeDistributions!: TypeDistributionOfDay[]
  @Field(() => [TypeCount], { description: 'By the last type of each column, the commonest first' }) commonTypes!: TypeCount[]
  @Field(() => [TypeTransition]) typeTransitions!: TypeTransition[]
  @Field(() => Int) totalColumns!: number
}

@ObjectType({ description: 'All of the history in Glean that training reads.' })
export class GleanTrainingData {
  @Field(() => [GleanNode]) nodes!: GleanNode[]
  @Field(() => [GleanEdge]) edges!: GleanEdge[]
  @Field(() => InformationTheoryMetrics) metrics!: InformationTheoryMetrics
  @Field(() => ColumnTypePatterns) columnPatterns!: ColumnTypePatterns
  @Field(() => JsonScalar) metadata!: Record<string, JsonValue>
  @Field(() => [String], { description: 'The files that were written' }) outputFiles!: string[]
}

@ObjectType({ description: 'What was exported to Glean, and where it lies.' })
export class GleanExport implements Report {
  @Field(() => ID) snapshotId!: string
  @Field(() => String, { description: 'The batch file, or NAME/INSTANCE of the database' }) target!: string
  @Field(() => DateTime) exportedAt!: Date
  @Field(() => Int) nodes!: number
  @Field(() => Int) edges!: number
  @Field(() => BigIntScalar, { description: 'Manifest, nodes and edges' }) facts!: number
}
