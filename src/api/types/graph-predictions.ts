import 'reflect-metadata'
import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql'
import type { Choice } from '../../models/graphs/graph-answer.js'
import type { AnsweredGraph } from '../../serving/serving.js'
import type { Precision } from '../../serving/session.js'
import type { JsonValue } from '../../vocabulary.js'
import { JsonScalar } from '../scalars.js'
import { PrecisionEnum } from './enums.js'

@InputType({ description: 'A graph that something is asked about.' })
export class GraphInput {
  @Field(() => ID, { description: 'What the answer is named by; not seen by the model' }) id!: string
  @Field(() => [Float], { nullable: true, description: 'The vector that conditions the read-out' }) query?: number[] | null
  @Field(() => [[Float]], { description: '[nodes][features], rows as wide as those of the training' }) nodeFeatures!: number[][]
  @Field(() => [[Int]], { description: 'Pairs [from, to] of node indices' }) edges!: number[][]
  @Field(() => [Int], { nullable: true, description: 'Per edge, from 0; all 0 when absent' }) edgeTypes?: number[] | null
  @Field(() => [Int], { nullable: true, description: 'Per edge, 0 along it, 1 against it; both ways when absent' }) edgeDirections?:
    | number[]
    | null
}

@ObjectType({ description: 'One of the things that an answer chooses among: a node, a label, or the end of a sequence.' })
export class PredictedChoice implements Choice {
  @Field(() => JsonScalar, { nullable: true, description: 'Index of a node, or a label; null is the end of a sequence' }) value!:
    | number
    | string
    | null
  @Field(() => Float, { description: '0 to 1; those of all choices sum to 1' }) probability!: number
}

@ObjectType({ description: 'What a model answers about a graph, how sure it is, and which artifact answered.' })
export class GraphPrediction implements Omit<AnsweredGraph, 'answer'> {
  @Field(() => ID) id!: string
  @Field(() => String, { description: 'node, graph or sequence: what is read from the graph' }) kind!: AnsweredGraph['kind']
  @Field(() => ID) artifactId!: string
  @Field(() => String) version!: string
  @Field(() => PrecisionEnum, { description: 'What answered' }) precision!: Precision
  @Field(() => JsonScalar, { description: "A node's index, a label, or a list of either" }) answer!: JsonValue
  @Field(() => Float, { description: 'Of the answer; of a sequence the product over its outputs, the end included' }) probability!: number
  @Field(() => [[PredictedChoice]], { description: 'Per output (one, but for sequences) the likeliest choices, the likeliest first' })
  outputs!: Choice[][]
}
