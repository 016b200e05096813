import 'reflect-metadata'
import { Field, ID, ObjectType } from 'type-graphql'
import type { DatasetOperations as Stored } from '../../datasets/operations/operations-store.js'
import { DateTime, JsonScalar } from '../scalars.js'
import { DatasetVersion } from './datasets.js'

@ObjectType({ description: 'Steps that were fitted on the training rows of a version: what a trainer does to a row, and a server again.' })
export class DatasetOperations implements Stored {
  @Field(() => ID) id!: string
  @Field(() => ID) versionId!: string
  @Field(() => ID, { nullable: true, description: 'The split whose part they were fitted on; null: all rows' }) splitId!: string | null
  @Field(() => String, { nullable: true, description: 'The part of the split' }) part!: string | null
  @Field(() => String) name!: string
  @Field(() => JsonScalar, { description: 'version, rows (how many they were fitted on) and steps, each with what it learned' })
  fitted!: Stored['fitted']
  @Field(() => String, { description: 'Equal steps that learned the same have the equal hash' }) hash!: string
  @Field(() => String) createdBy!: string
  @Field(() => DateTime) createdAt!: Date
}

@ObjectType({ description: 'A version of the rows that fitted steps give.' })
export class DatasetOperated {
  @Field(() => DatasetVersion) version!: DatasetVersion
  @Field(() => Boolean, { description: 'False where these very rows were there already' }) isNew!: boolean
  @Field(() => DatasetOperations) operations!: DatasetOperations
}
