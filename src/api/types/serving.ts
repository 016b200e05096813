import 'reflect-metadata'
import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql'
import type { RankedCandidate as Candidate, RankedList as List } from '../../serving/serving.js'
import type { Precision } from '../../serving/session.js'
import { JsonScalar, MetricValue } from '../scalars.js'
import { CatalogNode } from './catalog.js'
import { PrecisionEnum } from './enums.js'

@InputType({ description: 'One candidate as a graph of its own.' })
export class CandidateInput {
  @Field(() => ID, { nullable: true, description: 'What it stands for; not seen by the model' }) id?: string | null
  @Field(() => [[Float]], { description: '[nodes][features], rows of equal length over all candidates' }) nodeFeatures!: number[][]
  @Field(() => [[Int]], { description: 'Pairs [from, to] of node indices' }) edges!: number[][]
  @Field(() => [Int], { nullable: true, description: 'Per edge, from 0; all 0 when absent' }) edgeTypes?: number[] | null
  @Field(() => [Int], { nullable: true, description: 'Per edge, 0 along it, 1 against it; both ways when absent' }) edgeDirections?:
    | number[]
    | null
}

@InputType({ description: 'One query with its candidates.' })
export class RankingListInput {
  @Field(() => ID) queryId!: string
  @Field(() => [Float], { nullable: true, description: 'The vector that conditions the read-out' }) query?: number[] | null
  @Field(() => [CandidateInput]) candidates!: CandidateInput[]
}

@ObjectType()
export class RankedCandidate implements Candidate {
  @Field(() => Int, { description: 'Its place in the list that was asked' }) index!: number
  @Field(() => ID, { nullable: true }) id!: string | null
  @Field(() => MetricValue, { description: 'Higher is better; comparable within its list only' }) score!: number
}

@ObjectType({ description: 'Candidates, best first, and which artifact ranked them.' })
export class RankedList implements List {
  @Field(() => ID) queryId!: string
  @Field(() => ID) artifactId!: string
  @Field(() => String) version!: string
  @Field(() => PrecisionEnum, { description: 'What answered' }) precision!: Precision
  @Field(() => [RankedCandidate]) candidates!: Candidate[]
}

@ObjectType({ description: 'A node that the asked one is likely to link to.' })
export class PredictedLink {
  @Field(() => Int, { description: '1 is best' }) rank!: number
  @Field(() => MetricValue) score!: number
  @Field(() => ID) targetId!: string
  @Field(() => CatalogNode) target!: CatalogNode
  @Field(() => Boolean, { description: 'Whether the catalog has this edge already' }) isKnown!: boolean
}

@ObjectType({ description: 'Likely targets, best first, and which artifact ranked them.' })
export class LinkPrediction {
  @Field(() => ID) nodeId!: string
  @Field(() => String) task!: string
  @Field(() => ID) artifactId!: string
  @Field(() => String) version!: string
  @Field(() => PrecisionEnum, { description: 'What answered' }) precision!: Precision
  @Field(() => Int, { description: 'Nodes that were ranked' }) considered!: number
  @Field(() => Boolean, { description: 'Whether there were more nodes than could be ranked' }) isPartial!: boolean
  @Field(() => [PredictedLink]) links!: PredictedLink[]
}

@ObjectType({ description: 'How serving is doing.' })
export class ServingStatus {
  @Field(() => JsonScalar, { description: 'Milliseconds: p50, p99, count' }) latency!: object
  @Field(() => JsonScalar) cache!: object
  @Field(() => Int, { description: 'Lists waiting or being scored' }) pending!: number
  @Field(() => JsonScalar, { description: 'Artifacts in memory and the aliases that they answer for' }) artifacts!: object
}
