import 'reflect-metadata'
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql'
import { datasetKinds } from '../../datasets/version.js'
import { DatasetVersion } from './datasets.js'
import { Problem } from './problem.js'

export const DatasetKind = Object.fromEntries(datasetKinds.map((kind) => [kind.toUpperCase(), kind]))
registerEnumType(DatasetKind, {
  name: 'DatasetKind',
  description: 'What a row is: a ranking list, or a graph of which a node, a label or a sequence is asked.',
})

@ObjectType({ description: 'What an import saved.' })
export class DatasetImport {
  @Field(() => DatasetVersion) version!: DatasetVersion
  @Field(() => Boolean, { description: 'False when the dataset had these very rows before' }) isNew!: boolean
  @Field(() => Int) problemCount!: number
  @Field(() => [Problem], { description: 'Warnings, the first 1,000' }) problems!: Problem[]
}
