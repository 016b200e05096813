import 'reflect-metadata'
import { Field, Int, ObjectType } from 'type-graphql'

@ObjectType({ description: 'How the graph stands to the ledger.' })
export class ProjectionState {
  @Field(() => Int, { description: 'Changes, at most, that the graph is behind; 0 when it is up to date' }) lag!: number
  @Field(() => String, { nullable: true, description: 'Why the graph cannot be written at the moment; null while all is well' }) failure!:
    | string
    | null
}

@ObjectType({ description: 'What the graph holds after a rebuild.' })
export class RebuiltGraph {
  @Field(() => Int) nodes!: number
  @Field(() => Int) edges!: number
}
