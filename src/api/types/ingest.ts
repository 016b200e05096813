import 'reflect-metadata'
import { ArgsType, Field, ID, InputType, Int, ObjectType } from 'type-graphql'
import { dialects } from '../../catalog/sources/index.js'
import { DateTime, JsonScalar } from '../scalars.js'
import { Problem } from './problem.js'
import { Metrics, Quality, Tally } from './snapshots.js'

@InputType({ description: 'One document of metadata: its text, or a path on the server (a file or a folder; for its owner only).' })
export class SourceInput {
  @Field(() => String, { nullable: true, description: 'The document itself' }) text?: string | null
  @Field(() => String, { nullable: true, description: 'A file or folder on the server' }) path?: string | null
  @Field(() => String, {
    nullable: true,
    description: 'What to call a text or file in ids and problems (default "text 1", …; its base name)',
  })
  name?: string | null
}

@InputType({ description: 'A document of any dialect that the catalog reads.' })
export class DialectInput extends SourceInput {
  @Field(() => String, {
    nullable: true,
    description: `${dialects.join(', ')}; recognised from name and text when left out`,
  })
  dialect?: string | null
}

/** Documents of one system: what an ingest reads, and what a pipeline begins with. */
@ArgsType()
export class DocumentArguments {
  @Field(() => ID) projectId!: string
  @Field(() => ID) systemId!: string
  @Field(() => [SourceInput], { nullable: true, description: 'JSON documents: a table each' }) jsonTables?: SourceInput[] | null
  @Field(() => [SourceInput], { nullable: true, description: 'Hive DDL: tables, keys, views with their lineage' }) hiveDdls?:
    | SourceInput[]
    | null
  @Field(() => [SourceInput], { nullable: true, description: 'Control-M, as XML or JSON: folders, jobs, conditions' }) controlMFiles?:
    | SourceInput[]
    | null
  @Field(() => [DialectInput], { nullable: true, description: 'Documents of any dialect' }) sources?: DialectInput[] | null
  @Field(() => DateTime, { nullable: true, description: 'When it was true (default now); snapshots may come in any order' })
  observedAt?: Date | null
  @Field(() => Boolean, { defaultValue: false, description: 'These are all there is of the system: what is absent is gone' })
  complete!: boolean
  @Field(() => JsonScalar, { nullable: true, description: 'Values of ${NAME} in DDL' }) variables?: unknown
}

const whileRunning = 'null while the run `runId` is to do it'

@ObjectType({
  description: 'What an ingest did, or, of a dry run, would do; of a large one: the run that does it, whose result it will be.',
})
export class IngestReport {
  @Field(() => ID, { nullable: true, description: 'The run that ingests documents of more than a few MB; null where it is done' })
  runId!: string | null
  @Field(() => ID, { nullable: true, description: 'null for a dry run, and while a run is to do it' }) snapshotId!: string | null
  @Field(() => DateTime) observedAt!: Date
  @Field(() => Boolean, { description: 'This very snapshot was there already: nothing was written' }) isReplay!: boolean
  @Field(() => Tally, { nullable: true, description: whileRunning }) nodes!: Tally | null
  @Field(() => Tally, { nullable: true, description: whileRunning }) edges!: Tally | null
  @Field(() => Int, { nullable: true, description: `Nodes and edges added, changed or removed; ${whileRunning}` }) changes!: number | null
  @Field(() => Metrics, { nullable: true, description: `Of the whole project, as of observedAt; ${whileRunning}` }) metrics!: Metrics | null
  @Field(() => Quality, { nullable: true, description: `Of the whole project, as of observedAt; ${whileRunning}` }) quality!: Quality | null
  @Field(() => Int) problemCount!: number
  @Field(() => [Problem], { description: 'The first 1,000' }) problems!: Problem[]
}
