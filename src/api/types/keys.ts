import 'reflect-metadata'
import { Field, ID, InputType, ObjectType } from 'type-graphql'
import type { ApiKey as StoredKey } from '../../access/key-store.js'
import type { Scope } from '../../access/scopes.js'
import { DateTime } from '../scalars.js'

@ObjectType({ description: 'A key of the API; its secret was shown once, when it was made.' })
export class ApiKey implements StoredKey {
  @Field(() => ID, { description: 'The readable part of the token: esp_<id>_…' }) id!: string
  @Field(() => String) name!: string
  @Field(() => [String]) scopes!: Scope[]
  @Field(() => [ID], { nullable: true, description: 'Projects it is limited to; null: every project' }) projects!: string[] | null
  @Field(() => DateTime) createdAt!: Date
  @Field(() => String) createdBy!: string
  @Field(() => DateTime, { nullable: true }) expiresAt!: Date | null
  @Field(() => DateTime, { nullable: true, description: 'To the minute' }) lastUsedAt!: Date | null
  @Field(() => DateTime, { nullable: true }) revokedAt!: Date | null
}

@InputType()
export class NewKeyInput {
  @Field(() => String, { description: 'Who or what will use it; the audit names it' }) name!: string
  @Field(() => [String], {
    description:
      'Of catalog:read, catalog:write, graph:cypher, training:execute, training_data:read, training_data:write, training_data:delete, model:deploy, admin',
  })
  scopes!: string[]
  @Field(() => [ID], { nullable: true, description: 'Limits it to these projects; left out: every project' }) projects?: string[] | null
  @Field(() => DateTime, { nullable: true, description: 'Left out: never' }) expiresAt?: Date | null
}

@ObjectType()
export class CreatedKey {
  @Field(() => ApiKey) key!: ApiKey
  @Field(() => String, { description: 'Send it as X-API-Key or Authorization: Bearer. It is shown now and never again.' }) token!: string
}

@ObjectType({ description: 'Who asks, and what they may' })
export class Caller {
  @Field(() => String, { description: 'local, key:<name> or user:<subject>' }) name!: string
  @Field(() => [String]) scopes!: string[]
  @Field(() => [ID], { nullable: true, description: 'null: every project' }) projects!: string[] | null
}
