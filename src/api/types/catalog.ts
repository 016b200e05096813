import 'reflect-metadata'
import { Field, ID, InputType, ObjectType } from 'type-graphql'
import type { CatalogEdge as LedgerEdge, CatalogNode as LedgerNode, EdgeLabel, NodeKind, Properties } from '../../vocabulary.js'
import { JsonScalar } from '../scalars.js'
import { EdgeLabelEnum, NodeKindEnum } from './enums.js'

@ObjectType({ description: 'A node as the ledger holds it now, or held it at a moment.' })
export class CatalogNode implements LedgerNode {
  @Field(() => ID, { description: '<project>/<system>/<kind>:<qualified name>' }) id!: string
  @Field(() => NodeKindEnum) kind!: NodeKind
  @Field(() => String, { description: 'As the source spells it' }) name!: string
  @Field(() => String) qualifiedName!: string
  @Field(() => ID) projectId!: string
  @Field(() => ID) systemId!: string
  @Field(() => JsonScalar) properties!: Properties
}

@ObjectType()
export class CatalogEdge implements LedgerEdge {
  @Field(() => ID) sourceId!: string
  @Field(() => EdgeLabelEnum) label!: EdgeLabel
  @Field(() => ID) targetId!: string
  @Field(() => String, { description: 'Tells apart two edges of one label between one pair' }) discriminator!: string
  @Field(() => ID) projectId!: string
  @Field(() => ID) systemId!: string
  @Field(() => JsonScalar) properties!: Properties
}

@InputType({ description: 'One document of metadata, by its text or by a path on the server (local development only).' })
export class SourceInput {
  @Field(() => String, { nullable: true, description: 'The document itself' }) text?: string | null
  @Field(() => String, { nullable: true, description: 'A file or folder on the server' }) path?: string | null
  @Field(() => String, { nullable: true, description: 'What to call a text in ids and problems (default "text 1", …)' }) name?: string | null
}

@InputType({ description: 'A document of any dialect that the catalog reads.' })
export class DialectInput extends SourceInput {
  @Field(() => String, { description: 'hive-ddl, json-table, control-m-xml, …' }) dialect!: string
}

