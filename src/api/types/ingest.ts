import 'reflect-metadata'
import { Field, ID, InputType, Int, ObjectType } from 'type-graphql'
import { dialects } from '../../catalog/sources/index.js'
import { DateTime } from '../scalars.js'
import { Problem } from './problem.js'
import { Metrics, Quality, Tally } from './snapshots.js'

@InputType({ description: 'One document of metadata: its text, or a path on the server (a file or a folder; on loopback only).' })
export class SourceInput {
  @Field(() => String, { nullable: true, description: 'The document itself' }) text?: string | null
  @Field(() => String, { nullable: true, description: 'A file or folder on the server' }) path?: string | null
  @Field(() => String, { nullable: true, description: 'What to call a text in ids and problems (default "text 1", …)' }) name?:
    | string
    | null
}

@InputType({ description: 'A document of any dialect that the catalog reads.' })
export class DialectInput extends SourceInput {
  @Field(() => String, {
    nullable: true,
    description: `${dialects.join(', ')}; recognised from name and text when left out`,
  })
  dialect?: string | null
}

@ObjectType({ description: 'What an ingest did, or, of a dry run, would do.' })
export class IngestReport {
  @Field(() => ID, { nullable: true, description: 'null for a dry run' }) snapshotId!: string | null
  @Field(() => DateTime) observedAt!: Date
  @Field(() => Boolean, { description: 'This very snapshot was there already: nothing was written' }) isReplay!: boolean
  @Field(() => Tally) nodes!: Tally
  @Field(() => Tally) edges!: Tally
  @Field(() => Int, { description: 'Nodes and edges added, changed or removed' }) changes!: number
  @Field(() => Metrics, { description: 'Of the whole project, as of observedAt' }) metrics!: Metrics
  @Field(() => Quality, { description: 'Of the whole project, as of observedAt' }) quality!: Quality
  @Field(() => Int) problemCount!: number
  @Field(() => [Problem], { description: 'The first 1,000' }) problems!: Problem[]
}
