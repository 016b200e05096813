import 'reflect-metadata'
import { Field, Float, ID, Int, ObjectType } from 'type-graphql'
import type { Patterns } from '../../patterns/learn.js'
import type { PatternSet as StoredSet } from '../../patterns/store.js'
import { DateTime } from '../scalars.js'
import { EdgeLabelEnum } from './enums.js'

@ObjectType({ description: "What was learned from a project's history: numbered, never changed." })
export class PatternSet implements StoredSet {
  @Field(() => ID, { description: '<project>@<version>' }) id!: string
  @Field(() => ID) projectId!: string
  @Field(() => Int) version!: number
  @Field(() => DateTime) learnedAt!: Date
  @Field(() => ID, { nullable: true }) runId!: string | null
  @Field(() => [ID], { description: 'What it was learned from, in order of observation' }) snapshotIds!: string[]
  patterns!: Patterns
}

@ObjectType({ description: 'What a type may become; "no change" is among the answers, and all probabilities sum to 1.' })
export class TypePrediction {
  @Field(() => String) type!: string
  @Field(() => Boolean, { description: 'false for the current type itself' }) change!: boolean
  @Field(() => Float) probability!: number
}

@ObjectType()
export class RelationshipPrediction {
  @Field(() => EdgeLabelEnum) label!: string
  @Field(() => Float) probability!: number
  @Field(() => Int, { description: 'Edges of this label between these very kinds' }) count!: number
}
