import 'reflect-metadata'
import { Field, Float, Int, ObjectType } from 'type-graphql'
import type { LabelNoise } from '../../datasets/noise/label-noise.js'
import type { SuspectRow } from '../../datasets/noise/suspects.js'

@ObjectType({ description: 'A row whose label the other rows speak against.' })
export class SuspectLabel implements SuspectRow {
  @Field(() => Int, { description: 'From 1' }) row!: number
  @Field(() => String, { description: 'Id or content hash: what an edit calls it' }) key!: string
  @Field(() => String) text!: string
  @Field(() => String) label!: string
  @Field(() => String) suggested!: string
  @Field(() => Float, { description: 'Of its own label, by a classifier that has not seen the row' }) probability!: number
  @Field(() => Float) suggestedProbability!: number
}

@ObjectType({ description: 'What confident learning says of the labels of a version.' })
export class DatasetLabelNoise implements Omit<LabelNoise, 'suspects'> {
  @Field(() => Float, { description: 'Estimated share of wrong labels' }) noise!: number
  @Field(() => Int, { description: 'Rows that it was estimated on' }) examples!: number
  @Field(() => Int) classes!: number
  @Field(() => Float, { description: 'Share of rows whose label is what the others predict' }) agreement!: number
  @Field(() => [SuspectLabel], { description: 'Surest first' }) suspects!: SuspectRow[]
}
