import 'reflect-metadata'
import { Field, ID, Int, ObjectType } from 'type-graphql'
import type { Turnover } from '../../catalog/deletion/deletion.js'
import type { DeletionPreview as Preview } from '../../deletion.js'
import type { EdgeLabel, NodeKind } from '../../vocabulary.js'
import { EdgeLabelEnum, NodeKindEnum } from './enums.js'

@ObjectType({ description: 'How many nodes of a kind come, change and go in the current state.' })
export class NodeTurnover implements Turnover<NodeKind> {
  @Field(() => NodeKindEnum) kind!: NodeKind
  @Field(() => Int) added!: number
  @Field(() => Int) changed!: number
  @Field(() => Int) removed!: number
}

@ObjectType({ description: 'How many edges of a label come, change and go in the current state.' })
export class EdgeTurnover {
  @Field(() => EdgeLabelEnum) label!: EdgeLabel
  @Field(() => Int) added!: number
  @Field(() => Int) changed!: number
  @Field(() => Int) removed!: number
}

@ObjectType({ description: 'What stays, although it has to do with what goes.' })
export class KeptThings {
  @Field(() => Int) patternSets!: number
  @Field(() => Int) datasets!: number
  @Field(() => Int) runs!: number
  @Field(() => Int) artifacts!: number
}

@ObjectType({ description: 'What a deletion takes, what it leaves, and what it makes of the current state.' })
export class DeletionPreview {
  @Field(() => String, { description: 'Confirms this very deletion; worthless once anything of it is different' }) token!: string
  @Field(() => ID) projectId!: string
  @Field(() => ID, { nullable: true }) systemId!: string | null
  @Field(() => Int, { description: 'Snapshots that go' }) snapshots!: number
  @Field(() => [NodeTurnover]) nodes!: NodeTurnover[]
  @Field(() => [EdgeTurnover]) edges!: EdgeTurnover[]
  @Field(() => Int, { description: 'Recorded changes that go, less those that come' }) changes!: number
  @Field(() => Int, { description: "Nodes whose people's words go" }) annotatedNodes!: number
  @Field(() => Int, { description: 'Terms of the glossary that go' }) glossaryTerms!: number
  @Field(() => Int, { description: 'Pattern sets that go' }) patternSets!: number
  @Field(() => KeptThings) kept!: KeptThings
}

export const deletionOf = ({ token, catalog, patternSets, kept }: Preview): DeletionPreview => {
  const { stateBefore: _, edges, ...told } = catalog
  return { ...told, edges: edges.map(({ kind, ...rest }) => ({ label: kind, ...rest })), token, patternSets, kept }
}
