import 'reflect-metadata'
import { Field, Int, ObjectType } from 'type-graphql'
import type { CypherAnswer as EngineAnswer, GraphValue } from '../../graph/engine.js'
import { JsonScalar } from '../scalars.js'

@ObjectType({
  description: 'Rows of a Cypher query. Nodes are {id, labels, properties}, relationships {id, type, start, end, properties}.',
})
export class CypherAnswer implements EngineAnswer {
  @Field(() => [String]) columns!: string[]
  @Field(() => [JsonScalar], { description: 'Each row a list of values, one per column' }) rows!: GraphValue[][]
  @Field(() => Boolean, { description: 'Whether rows were cut at the limit' }) isPartial!: boolean
  @Field(() => Int) elapsedMs!: number
}
