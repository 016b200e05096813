import 'reflect-metadata'
import { Field, Float, ID, Int, ObjectType } from 'type-graphql'
import type { Dataset as StoredDataset, DatasetVersion as StoredVersion } from '../../datasets/version.js'
import type { Properties } from '../../vocabulary.js'
import { BigIntScalar, DateTime, JsonScalar } from '../scalars.js'

@ObjectType({ description: 'One kind of example under one name; its versions hold the rows.' })
export class Dataset implements StoredDataset {
  @Field(() => ID) id!: string
  @Field(() => ID) projectId!: string
  @Field(() => String) name!: string
  @Field(() => String, {
    description: 'What a row is: ranking, node, graph, sequence, labeled-text, embedding-pair, relation, query-event or tabular',
  })
  kind!: StoredDataset['kind']
  @Field(() => String) description!: string
  @Field(() => [String]) tags!: string[]
  @Field(() => String) createdBy!: string
  @Field(() => DateTime) createdAt!: Date
  @Field(() => DateTime) updatedAt!: Date
  @Field(() => String, { description: 'Where the rows come from; empty when nobody said' }) source!: string
  @Field(() => JsonScalar, { description: 'Whatever else is known of where they come from' }) provenance!: Properties
}

@ObjectType({ description: 'Immutable rows with a content hash: equal rows have the equal hash.' })
export class DatasetVersion implements StoredVersion {
  @Field(() => ID) id!: string
  @Field(() => ID) datasetId!: string
  @Field(() => String) datasetName!: string
  @Field(() => ID) projectId!: string
  @Field(() => String) kind!: StoredVersion['kind']
  @Field(() => String, { description: 'major.minor' }) number!: string
  @Field(() => Int) major!: number
  @Field(() => Int) minor!: number
  @Field(() => String) hash!: string
  @Field(() => BigIntScalar) rowCount!: number
  @Field(() => BigIntScalar, { description: 'Of the rows as canonical JSON' }) bytes!: number
  @Field(() => ID, { nullable: true }) parentId!: string | null
  @Field(() => String) description!: string
  @Field(() => JsonScalar, { description: 'How the rows came to be: task, options, feature spec, tables and snapshots' })
  provenance!: Properties
  @Field(() => Float, { nullable: true }) qualityScore!: number | null
  @Field(() => Boolean, { nullable: true }) validationPassed!: boolean | null
  @Field(() => String) createdBy!: string
  @Field(() => DateTime) createdAt!: Date
  @Field(() => JsonScalar, { nullable: true, description: 'Label sets and columns; other ones make another major version' })
  shape!: StoredVersion['shape']
}
