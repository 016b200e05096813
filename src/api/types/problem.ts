import 'reflect-metadata'
import { Field, ObjectType } from 'type-graphql'
import { SeverityEnum } from './enums.js'

@ObjectType({ description: 'What is wrong with an input: where, what came, what was expected, and what to do.' })
export class Problem {
  @Field(() => SeverityEnum) severity!: string
  @Field(() => String) code!: string
  @Field(() => String, { description: 'File, line and column or element: orders.sql:12:5' }) where!: string
  @Field(() => String) found!: string
  @Field(() => String) expected!: string
  @Field(() => String, { nullable: true }) suggestion?: string
}
