import 'reflect-metadata'
import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql'
import type { AuditEntry as StoredEntry, Project as StoredProject, System as StoredSystem } from '../../access/store.js'
import type { Properties } from '../../vocabulary.js'
import { DateTime, JsonScalar } from '../scalars.js'

@ObjectType({ description: 'What belongs together and is kept apart from the rest; the first part of every node id.' })
export class Project implements StoredProject {
  @Field(() => ID) id!: string
  @Field(() => String) name!: string
  @Field(() => String) description!: string
  @Field(() => DateTime) createdAt!: Date
  @Field(() => Float, { nullable: true, description: 'Quality score below which an ingest is refused; null: never' })
  rejectBelow!: number | null
  @Field(() => JsonScalar, { nullable: true, description: 'Canonical type -> share that is ideal; null: the default' })
  idealDistribution!: StoredProject['idealDistribution']
}

@ObjectType({ description: 'One source of metadata in a project: a warehouse, a scheduler.' })
export class System implements StoredSystem {
  @Field(() => ID) id!: string
  @Field(() => ID) projectId!: string
  @Field(() => String) name!: string
  @Field(() => String) description!: string
  @Field(() => DateTime) createdAt!: Date
}

@InputType({ description: 'What to change of a project; what is left out stays as it is.' })
export class ProjectChanges {
  @Field(() => String, { nullable: true }) name?: string | null
  @Field(() => String, { nullable: true }) description?: string | null
  @Field(() => Float, { nullable: true, description: 'Refuse ingests below this quality score, 0 to 1; null: never' })
  rejectBelow?: number | null
  @Field(() => JsonScalar, { nullable: true, description: '{string, number, boolean, date, array, object}: shares; null: the default' })
  idealDistribution?: StoredProject['idealDistribution']
}

@InputType()
export class ProjectInput {
  @Field(() => ID, { description: '1 to 100 characters without "/" and white space' }) id!: string
  @Field(() => String, { nullable: true, description: 'Default: the id' }) name?: string | null
  @Field(() => String, { nullable: true }) description?: string | null
}

@ObjectType({ description: 'Who did what, when.' })
export class AuditEntry implements StoredEntry {
  @Field(() => Int) id!: number
  @Field(() => DateTime) at!: Date
  @Field(() => String) actor!: string
  @Field(() => String) action!: string
  @Field(() => String) subject!: string
  @Field(() => JsonScalar) details!: Properties
}
