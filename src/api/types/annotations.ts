import 'reflect-metadata'
import { Field, ID, InputType, ObjectType } from 'type-graphql'
import type { AnnotationField } from '../../catalog/people/annotation.js'
import type { AnnotationChange as StoredChange } from '../../catalog/people/annotation-store.js'
import type { GlossaryTerm as StoredTerm, GlossaryChange as StoredTermChange } from '../../catalog/people/glossary-store.js'
import { DateTime } from '../scalars.js'
import { AnnotationFieldEnum } from './enums.js'

@InputType({ description: 'What to say of a node; what is left out stays as it is.' })
export class AnnotationInput {
  @Field(() => ID) nodeId!: string
  @Field(() => [String], { nullable: true, description: 'Who answers for it' }) owners?: string[] | null
  @Field(() => [String], { nullable: true, description: 'These and no others' }) tags?: string[] | null
  @Field(() => [String], { nullable: true, description: 'Besides those that are there' }) addTags?: string[] | null
  @Field(() => [String], { nullable: true }) removeTags?: string[] | null
  @Field(() => [String], { nullable: true, description: "Words of the project's glossary" }) terms?: string[] | null
  @Field(() => String, { nullable: true, description: 'Empty text takes it away' }) description?: string | null
}

@ObjectType({ description: 'What somebody said of a node, and what was said before.' })
export class AnnotationChange implements StoredChange {
  @Field(() => ID) nodeId!: string
  @Field(() => AnnotationFieldEnum) field!: AnnotationField
  @Field(() => DateTime) at!: Date
  @Field(() => String, { description: 'Who said so' }) actor!: string
  @Field(() => [String], { description: 'Of a description: one text or none' }) before!: string[]
  @Field(() => [String]) after!: string[]
}

@ObjectType({ description: "A word that a project's people share, and what they mean by it." })
export class GlossaryTerm implements StoredTerm {
  @Field(() => ID) projectId!: string
  @Field(() => String) name!: string
  @Field(() => String) definition!: string
  @Field(() => DateTime) definedAt!: Date
  @Field(() => String) actor!: string
}

@ObjectType({ description: 'What became of a term.' })
export class GlossaryChange implements StoredTermChange {
  @Field(() => String) name!: string
  @Field(() => DateTime) at!: Date
  @Field(() => String) actor!: string
  @Field(() => String, { nullable: true, description: 'null: there was none' }) before!: string | null
  @Field(() => String, { nullable: true, description: 'null: it was taken back' }) after!: string | null
}
