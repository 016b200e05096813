import 'reflect-metadata'
import { Field, ID, Int, ObjectType } from 'type-graphql'
import type { Problem as FoundProblem } from '../../util/problem.js'
import type { JsonValue } from '../../vocabulary.js'
import { BigIntScalar, DateTime, JsonScalar } from '../scalars.js'
import { Dataset, DatasetVersion } from './datasets.js'
import { connectionType } from './paging.js'
import { Problem } from './problem.js'

export const DatasetConnection = connectionType('Dataset', () => Dataset)
export const DatasetVersionConnection = connectionType('DatasetVersionPage', () => DatasetVersion)

@ObjectType({ description: 'A row of a version.' })
export class DatasetRow {
  @Field(() => BigIntScalar, { description: 'From 0' }) index!: number
  @Field(() => String, { description: 'What edits and diffs call it: its id, or the hash of its content' }) key!: string
  @Field(() => JsonScalar) row!: JsonValue
}
export const DatasetRowConnection = connectionType('DatasetRow', () => DatasetRow)

@ObjectType({ description: 'What an edit of rows did.' })
export class DatasetEdit {
  @Field(() => DatasetVersion) version!: DatasetVersion
  @Field(() => Boolean, { description: 'False where nothing was changed by it' }) isNew!: boolean
  @Field(() => Int) added!: number
  @Field(() => Int) changed!: number
  @Field(() => Int) removed!: number
}

@ObjectType({ description: 'A version that was made of another, or found to be there already.' })
export class DatasetVersionSaved {
  @Field(() => DatasetVersion) version!: DatasetVersion
  @Field(() => Boolean) isNew!: boolean
}

@ObjectType({ description: 'One row that differs between two versions.' })
export class DatasetRowChange {
  @Field(() => String, { description: 'added, removed or changed' }) change!: string
  @Field(() => String) key!: string
  @Field(() => JsonScalar, { nullable: true }) before!: JsonValue
  @Field(() => JsonScalar, { nullable: true }) after!: JsonValue
}

@ObjectType({ description: 'How the rows of one version differ from those of another.' })
export class DatasetDiff {
  @Field(() => Int) added!: number
  @Field(() => Int) removed!: number
  @Field(() => Int) changed!: number
  @Field(() => [DatasetRowChange], { description: 'The first of them' }) rows!: DatasetRowChange[]
}

@ObjectType({ description: 'A name for a version, which can be moved.' })
export class DatasetTag {
  @Field(() => String) tag!: string
  @Field(() => ID) versionId!: string
}

@ObjectType({ description: 'Which row of a version is in which part.' })
export class DatasetSplit {
  @Field(() => ID) id!: string
  @Field(() => ID) versionId!: string
  @Field(() => String) name!: string
  @Field(() => JsonScalar) options!: unknown
  @Field(() => JsonScalar, { description: 'Part -> rows' }) counts!: Record<string, number>
  @Field(() => String, { description: 'SHA-256 over which row is where' }) membershipHash!: string
  @Field(() => [Problem], { description: 'Leakage between the parts' }) problems!: FoundProblem[]
  @Field(() => String) createdBy!: string
  @Field(() => DateTime) createdAt!: Date
}
