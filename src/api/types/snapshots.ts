import 'reflect-metadata'
import { Field, Float, ID, Int, ObjectType } from 'type-graphql'
import type { ChangeKind } from '../../catalog/change.js'
import type { EstateMetrics } from '../../catalog/quality/metrics.js'
import type { Quality as StoredQuality } from '../../catalog/quality/quality.js'
import type { Snapshot as StoredSnapshot } from '../../catalog/reads/read-store.js'
import type { EdgeLabel, JsonValue, NodeKind, Properties } from '../../vocabulary.js'
import { BigIntScalar, DateTime, JsonScalar } from '../scalars.js'
import { ChangeKindEnum, DifferenceEnum, EdgeLabelEnum, NodeKindEnum, ProcessingStrategyEnum, QualityLevelEnum } from './enums.js'
import { connectionType } from './paging.js'

@ObjectType({ description: 'What an ingest did to nodes or edges.' })
export class Tally {
  @Field(() => Int) added!: number
  @Field(() => Int) changed!: number
  @Field(() => Int) removed!: number
  @Field(() => Int) unchanged!: number
}

@ObjectType({ description: 'How far the metadata of a project can be trusted.' })
export class Quality implements StoredQuality {
  @Field(() => Float, { description: '0 to 1: .4 entropy score + .4 KL score + .2 column score' }) score!: number
  @Field(() => QualityLevelEnum) level!: StoredQuality['level']
  @Field(() => Float) entropyScore!: number
  @Field(() => Float) klScore!: number
  @Field(() => Float) columnScore!: number
  @Field(() => [String]) issues!: string[]
  @Field(() => [String]) recommendations!: string[]
  @Field(() => ProcessingStrategyEnum) processingStrategy!: StoredQuality['processingStrategy']
}

@ObjectType({ description: 'Measures of the metadata of a whole project.' })
export class Metrics {
  @Field(() => Float, { description: 'Bits, 0 to log2 6, over the six canonical types' }) metadataEntropy!: number
  @Field(() => Float, { description: "Bits, against the project's ideal distribution" }) klDivergence!: number
  @Field(() => Int) columnCount!: number
  @Field(() => Int, { description: 'Views are counted apart' }) tableCount!: number
  @Field(() => Int, { nullable: true, description: 'null in snapshots from before views were counted' }) viewCount!: number | null
  @Field(() => Int) edgeCount!: number
  @Field(() => Float, { description: 'Columns whose type is none of the six / columns' }) unclassifiedRatio!: number
  @Field(() => JsonScalar, { description: 'Canonical type -> share' }) distribution!: EstateMetrics['distribution']
}

/** The ledger's metrics under the API's names. */
export const metricsOf = (m: EstateMetrics): Metrics => ({
  metadataEntropy: m.metadata_entropy,
  klDivergence: m.kl_divergence,
  columnCount: m.column_count,
  tableCount: m.table_count,
  viewCount: m.view_count ?? null,
  edgeCount: m.edge_count,
  unclassifiedRatio: m.unclassified_ratio,
  distribution: m.distribution,
})

@ObjectType()
export class SnapshotSource {
  @Field(() => String) dialect!: string
  @Field(() => String) file!: string
  @Field(() => BigIntScalar, { nullable: true }) bytes?: number
}

@ObjectType({ description: 'What one ingest said was true at a moment.' })
export class Snapshot implements Omit<StoredSnapshot, 'metrics'> {
  @Field(() => ID) id!: string
  @Field(() => ID) projectId!: string
  @Field(() => ID) systemId!: string
  @Field(() => DateTime, { description: 'When it was true' }) observedAt!: Date
  @Field(() => DateTime) ingestedAt!: Date
  @Field(() => String) contentHash!: string
  @Field(() => Boolean, { description: 'Whether what it lacks was taken as gone' }) isComplete!: boolean
  @Field(() => [SnapshotSource]) sources!: StoredSnapshot['sources']
  @Field(() => Tally) nodes!: Tally
  @Field(() => Tally) edges!: Tally
  @Field(() => Quality) quality!: StoredQuality
  @Field(() => Int) problemCount!: number
  @Field(() => ProcessingStrategyEnum) processingStrategy!: StoredSnapshot['processingStrategy']
  metrics!: EstateMetrics
}
export const SnapshotConnection = connectionType('Snapshot', () => Snapshot)

@ObjectType({ description: 'Quality and metrics of a project as of its latest snapshot.' })
export class QualityReport {
  @Field(() => ID) projectId!: string
  @Field(() => DateTime) observedAt!: Date
  @Field(() => Quality) quality!: Quality
  @Field(() => Metrics) metrics!: Metrics
}

@ObjectType()
export class NodeDifference {
  @Field(() => ID) id!: string
  @Field(() => NodeKindEnum) kind!: NodeKind
  @Field(() => DifferenceEnum) change!: 'added' | 'removed' | 'changed'
  @Field(() => JsonScalar, { nullable: true, description: 'Name and properties' }) before!: object | null
  @Field(() => JsonScalar, { nullable: true, description: 'Name and properties' }) after!: object | null
}

@ObjectType()
export class EdgeDifference {
  @Field(() => ID) sourceId!: string
  @Field(() => EdgeLabelEnum) label!: EdgeLabel
  @Field(() => ID) targetId!: string
  @Field(() => String) discriminator!: string
  @Field(() => DifferenceEnum) change!: 'added' | 'removed' | 'changed'
  @Field(() => JsonScalar, { nullable: true }) before!: Properties | null
  @Field(() => JsonScalar, { nullable: true }) after!: Properties | null
}

@ObjectType({ description: 'What differs between two moments, whatever happened in between.' })
export class Difference {
  @Field(() => DateTime) from!: Date
  @Field(() => DateTime) to!: Date
  @Field(() => [NodeDifference]) nodes!: NodeDifference[]
  @Field(() => [EdgeDifference]) edges!: EdgeDifference[]
  @Field(() => Boolean, { description: 'Whether the lists were cut at the limit' }) isPartial!: boolean
}

@ObjectType()
export class EdgeName {
  @Field(() => ID) sourceId!: string
  @Field(() => EdgeLabelEnum) label!: EdgeLabel
  @Field(() => ID) targetId!: string
  @Field(() => String) discriminator!: string
}

@ObjectType({ description: 'A real difference that the ledger recorded.' })
export class Change {
  @Field(() => ChangeKindEnum) kind!: ChangeKind
  @Field(() => DateTime) at!: Date
  @Field(() => ID, { nullable: true, description: 'null for a change of an edge' }) nodeId!: string | null
  @Field(() => EdgeName, { nullable: true }) edge!: EdgeName | null
  @Field(() => ID, { nullable: true, description: 'The table or view concerned' }) tableId!: string | null
  @Field(() => String, { nullable: true }) property!: string | null
  @Field(() => JsonScalar, { nullable: true }) before!: JsonValue
  @Field(() => JsonScalar, { nullable: true }) after!: JsonValue
  @Field(() => Float, { nullable: true, description: 'Of a guessed rename, 0 to 1' }) confidence!: number | null
  @Field(() => ID) projectId!: string
  @Field(() => ID) systemId!: string
}
export const ChangeConnection = connectionType('Change', () => Change)
