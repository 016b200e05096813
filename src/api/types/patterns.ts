import 'reflect-metadata'
import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql'
import { changeKinds, type SchemaChangeKind } from '../../patterns/changes/timeline.js'
import type { StoredPatterns, PatternSet as StoredSet } from '../../patterns/store.js'
import type { Properties } from '../../vocabulary.js'
import { DateTime, JsonScalar } from '../scalars.js'
import { EdgeLabelEnum } from './enums.js'

@ObjectType({ description: "What was learned from a project's history: numbered, never changed." })
export class PatternSet implements StoredSet {
  @Field(() => ID, { description: '<project>@<version>' }) id!: string
  @Field(() => ID) projectId!: string
  @Field(() => Int) version!: number
  @Field(() => DateTime) learnedAt!: Date
  @Field(() => ID, { nullable: true }) runId!: string | null
  @Field(() => [ID], { description: 'What it was learned from, in order of observation' }) snapshotIds!: string[]
  @Field(() => DateTime, { nullable: true, description: 'From when on changes were learned; null: all of them' }) since!: Date | null
  @Field(() => Int, { description: '1: columns and relationships alone (the other patterns are null); 2: all learners' }) format!: number
  patterns!: StoredPatterns
}

@ObjectType({ description: 'What a type may become; "no change" is among the answers, and all probabilities sum to 1.' })
export class TypePrediction {
  @Field(() => String) type!: string
  @Field(() => Boolean, { description: 'false for the current type itself' }) change!: boolean
  @Field(() => Float) probability!: number
}

@ObjectType({ description: 'What the type of a column is likely to be; all probabilities sum to 1.' })
export class TypeGuess {
  @Field(() => String, { description: 'Without length or precision' }) type!: string
  @Field(() => Float) probability!: number
  @Field(() => Int, { description: 'Columns of this type whose names end in the same word' }) count!: number
}

@ObjectType()
export class RelationshipPrediction {
  @Field(() => EdgeLabelEnum) label!: string
  @Field(() => Float) probability!: number
  @Field(() => Int, { description: 'Edges of this label between these very kinds' }) count!: number
}

const SchemaChangeKindEnum = Object.fromEntries(changeKinds.map((kind) => [kind.toUpperCase(), kind]))
registerEnumType(SchemaChangeKindEnum, { name: 'SchemaChangeKind', description: 'What may happen to a column or a table' })

@ObjectType({ description: 'A change that may happen within the horizon.' })
export class FutureChange {
  @Field(() => ID, { description: 'The table' }) table!: string
  @Field(() => ID, { nullable: true, description: 'null for a change of the table: it gets columns (ADD), or goes (DROP)' }) column!:
    | string
    | null
  @Field(() => SchemaChangeKindEnum) predictedChange!: SchemaChangeKind
  @Field(() => String, { nullable: true, description: 'Type or nullability now' }) from!: string | null
  @Field(() => String, { nullable: true, description: 'Type or nullability then; null where it cannot be told' }) to!: string | null
  @Field(() => Float) probability!: number
}

@ObjectType()
export class ChangeChance {
  @Field(() => ID) id!: string
  @Field(() => Float, { description: 'That it changes at all within the horizon' }) probability!: number
}

@ObjectType({ description: 'What is likely to change, the likeliest first, learned from how this schema changed before.' })
export class FutureChanges {
  @Field(() => DateTime) asOf!: Date
  @Field(() => Int) horizonDays!: number
  @Field(() => [FutureChange]) changes!: FutureChange[]
  @Field(() => [ChangeChance]) tables!: ChangeChance[]
  @Field(() => [ChangeChance]) columns!: ChangeChance[]
  @Field(() => JsonScalar, {
    description: 'Windows of history that had closed: { windows, columnRows, tableRows }; without any it is a guess',
  })
  trainedOn!: Properties
}

@ObjectType({ description: 'A number that two pattern sets tell differently.' })
export class PatternDifference {
  @Field(() => String) name!: string
  @Field(() => Float, { nullable: true }) before!: number | null
  @Field(() => Float, { nullable: true }) after!: number | null
  @Field(() => Float, { nullable: true, description: 'After less before' }) change!: number | null
}

@ObjectType({ description: 'What differs between two pattern sets of a project; where not said otherwise, only what does.' })
export class PatternComparison {
  @Field(() => PatternSet) before!: PatternSet
  @Field(() => PatternSet) after!: PatternSet
  @Field(() => [PatternDifference], { description: 'All totals' }) summary!: PatternDifference[]
  @Field(() => [PatternDifference], { description: 'Columns by type' }) columnTypes!: PatternDifference[]
  @Field(() => [PatternDifference], { description: 'Changes of type, how often seen' }) transitions!: PatternDifference[]
  @Field(() => [PatternDifference], { description: 'Edges by kinds and label' }) relationships!: PatternDifference[]
  @Field(() => [PatternDifference]) workflows!: PatternDifference[]
  @Field(() => [PatternDifference], { description: 'Means over nodes and time' }) metrics!: PatternDifference[]
  @Field(() => [PatternDifference], { description: 'Changes by kind, and their rate' }) schemaEvolution!: PatternDifference[]
  @Field(() => [ID]) snapshotsAdded!: string[]
  @Field(() => [ID]) snapshotsRemoved!: string[]
  @Field(() => [String], { description: 'Learners that only one of the sets has' }) notCompared!: string[]
}
