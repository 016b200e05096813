import 'reflect-metadata'
import { Field, ID, Int, ObjectType } from 'type-graphql'
import { JsonScalar } from '../scalars.js'

@ObjectType({ description: 'A question about a catalog whose answer was held out.' })
export class DomainTestCase {
  @Field(() => ID) id!: string
  @Field(() => Int, { description: '1 pattern recognition … 5 abstract reasoning' }) level!: number
  @Field(() => String, { description: 'Cases of one group resemble each other' }) group!: string
  @Field(() => JsonScalar) question!: object
  @Field(() => String, { description: 'The answer' }) expected!: string
  @Field(() => String, { description: 'What the majority baseline answers' }) majority!: string
  @Field(() => Int, { description: 'Answers that the random baseline chooses from' }) choices!: number
}

@ObjectType({ description: 'Where an evaluation went as a fact of Glean.' })
export class TrainingMetricsExport {
  @Field(() => String) transport!: string
  @Field(() => String, { description: 'The batch file, or NAME/INSTANCE of the database' }) target!: string
  @Field(() => Int) facts!: number
  @Field(() => Int, { description: 'Numbers in it' }) metrics!: number
}
