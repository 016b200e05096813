import 'reflect-metadata'
import { Field, ID, Int, ObjectType } from 'type-graphql'
import type { DeathReason } from '../../catalog/workflow/workflow-report.js'
import { DeathReasonEnum } from './enums.js'

@ObjectType({ description: 'One link of what holds a job back.' })
export class WorkflowLink {
  @Field(() => ID, { description: 'A job or folder' }) id!: string
  @Field(() => String, { nullable: true, description: 'What it waits for; null: for its folder to start' }) condition!: string | null
  @Field(() => String, { nullable: true, description: 'Of which day: run-date, previous, …' }) odate!: string | null
  @Field(() => ID, { nullable: true, description: 'Who would set it, and can never start either; null: nobody sets it' }) setBy!:
    | string
    | null
}

@ObjectType({ description: 'A job (or folder) that can never start, whatever happens.' })
export class DeadJob {
  @Field(() => ID) id!: string
  @Field(() => String) name!: string
  @Field(() => String, { description: 'job or folder' }) kind!: string
  @Field(() => DeathReasonEnum) reason!: DeathReason
  @Field(() => [String], { description: 'Conditions it waits for that can never be there' }) missing!: string[]
  @Field(() => String, { nullable: true, description: 'The condition that nothing sets, at the root of it; null where a ring is' }) root!:
    | string
    | null
  @Field(() => [WorkflowLink], { description: 'The shortest way to the root of the matter, itself first: its first 50 links' })
  chain!: WorkflowLink[]
  @Field(() => Boolean) isChainPartial!: boolean
}

@ObjectType({ description: 'A condition, and who sets it or waits for it.' })
export class ConditionUse {
  @Field(() => String) name!: string
  @Field(() => [ID], { description: 'Jobs and folders' }) steps!: string[]
  @Field(() => Boolean, { description: 'Waited for only as of another day, which holds nothing up here' }) isOtherDay!: boolean
}

@ObjectType({ description: 'Jobs that wait for each other in a ring.' })
export class WorkflowCycle {
  @Field(() => [ID]) steps!: string[]
  @Field(() => [String]) conditions!: string[]
  @Field(() => Boolean, { description: 'None of them can ever start; else something opens the ring' }) isDeadlock!: boolean
}

@ObjectType({ description: 'What the conditions of Control-M jobs say about their order, over all files of a system.' })
export class Workflow {
  @Field(() => Int) jobs!: number
  @Field(() => Int) conditions!: number
  @Field(() => [DeadJob]) deadJobs!: DeadJob[]
  @Field(() => [ConditionUse], { description: 'Set, and waited for by nobody' }) unconsumedConditions!: ConditionUse[]
  @Field(() => [ConditionUse], { description: 'Waited for, and set by nothing' }) danglingConditions!: ConditionUse[]
  @Field(() => [WorkflowCycle]) cycles!: WorkflowCycle[]
  @Field(() => Boolean, {
    description: 'Every job that is not among the dead can start in some order of events; else one may still starve another',
  })
  isExact!: boolean
  @Field(() => Boolean, { description: 'Whether a list was cut at the limit' }) isPartial!: boolean
}
