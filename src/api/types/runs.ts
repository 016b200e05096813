import 'reflect-metadata'
import { Field, Float, ID, Int, InterfaceType, ObjectType } from 'type-graphql'
import type { LiveEvent as Event } from '../../runs/follow.js'
import type { Run as LedgerRun, Properties, RunKind, RunState } from '../../vocabulary.js'
import { BigIntScalar, DateTime, JsonScalar, MetricValue } from '../scalars.js'
import { DatasetVersion } from './datasets.js'
import { LogLevelEnum, RunControlEnum, RunKindEnum, RunStateEnum } from './enums.js'
import { connectionType } from './paging.js'

@ObjectType()
export class RunError {
  @Field(() => String) code!: string
  @Field(() => String) message!: string
  @Field(() => String, { nullable: true }) remedy?: string
}

@ObjectType({ description: 'A piece of work in the ledger: its settled options, state, attempts and events.' })
export class Run implements LedgerRun {
  @Field(() => ID) id!: string
  @Field(() => RunKindEnum) kind!: RunKind
  @Field(() => ID, { nullable: true }) projectId!: string | null
  @Field(() => JsonScalar, { description: 'Validated, with every default filled in' }) options!: Properties
  @Field(() => RunStateEnum) state!: RunState
  @Field(() => Int, { description: '0 before the first claim' }) attempt!: number
  @Field(() => Int, { description: '1 to 10; 10 is most urgent' }) priority!: number
  @Field(() => ID, { nullable: true }) parentId!: string | null
  @Field(() => JsonScalar, { nullable: true }) result!: Properties | null
  @Field(() => RunError, { nullable: true }) error!: LedgerRun['error']
  @Field(() => RunControlEnum, { nullable: true }) control!: 'pause' | 'cancel' | null
  @Field(() => DateTime) createdAt!: Date
  @Field(() => DateTime, { nullable: true }) startedAt!: Date | null
  @Field(() => DateTime, { nullable: true }) endedAt!: Date | null
  @Field(() => DateTime, { nullable: true }) heartbeatAt!: Date | null
}
export const RunConnection = connectionType('Run', () => Run)

/** The class that stands for an event on the wire. */
const eventClass = (event: Event) => eventTypes[event.type].name

@InterfaceType({ resolveType: eventClass, description: 'What a run said while it worked; numbered from 1 without gaps.' })
export abstract class RunEvent {
  @Field(() => ID) runId!: string
  @Field(() => Int) sequence!: number
  @Field(() => Int) attempt!: number
  @Field(() => DateTime) at!: Date
  @Field(() => String, { description: 'metric, log, state, checkpoint, artifact or gap' }) type!: string
}

@ObjectType({ implements: RunEvent })
export class MetricEvent extends RunEvent {
  @Field(() => String) name!: string
  @Field(() => Int) step!: number
  @Field(() => MetricValue) value!: number
}

@ObjectType({ implements: RunEvent })
export class LogEvent extends RunEvent {
  @Field(() => LogLevelEnum) level!: string
  @Field(() => String) message!: string
}

@ObjectType({ implements: RunEvent })
export class StateEvent extends RunEvent {
  @Field(() => RunStateEnum) from!: RunState
  @Field(() => RunStateEnum) to!: RunState
  @Field(() => String, { nullable: true }) reason?: string
}

@ObjectType({ implements: RunEvent })
export class CheckpointEvent extends RunEvent {
  @Field(() => Int) step!: number
  @Field(() => String, { description: 'SHA-256 of the stored bytes' }) blob!: string
  @Field(() => BigIntScalar) bytes!: number
  @Field(() => Boolean) best!: boolean
}

@ObjectType({ implements: RunEvent })
export class ArtifactEvent extends RunEvent {
  @Field(() => ID) artifactId!: string
  @Field(() => String) component!: string
  @Field(() => String) version!: string
}

@ObjectType({
  implements: RunEvent,
  description: 'Stands for metrics that a subscriber too slow for them does not get: those numbered from `from` to `sequence`.',
})
export class GapEvent extends RunEvent {
  @Field(() => Int, { description: 'Number of the first event that is left out; `sequence` is that of the last' }) from!: number
  @Field(() => Int, { description: 'How many are left out' }) events!: number
}

const eventTypes = {
  metric: MetricEvent,
  log: LogEvent,
  state: StateEvent,
  checkpoint: CheckpointEvent,
  artifact: ArtifactEvent,
  gap: GapEvent,
} satisfies Record<Event['type'], unknown>
/** Named nowhere by a field, so the schema has to be told of them. */
export const orphanedRunTypes = Object.values(eventTypes)

@ObjectType({ description: 'What a pipeline, or one of its steps, said.' })
export class PipelineEvent {
  @Field(() => String, {
    nullable: true,
    description: 'Of the step that said it: ingest, glean, learn, temporal, dataset, train, evaluate, export',
  })
  step!: string | null
  @Field(() => RunEvent, { description: "As the step said it; numbered in the pipeline's own log" }) event!: RunEvent
}

@ObjectType({ description: 'The newest value of one metric.' })
export class MetricPoint {
  @Field(() => String) name!: string
  @Field(() => Int) step!: number
  @Field(() => MetricValue) value!: number
  @Field(() => DateTime) at!: Date
}

@ObjectType({ description: 'What a curve shows of the steps from fromStep to toStep.' })
export class MetricBucket {
  @Field(() => Int, { description: 'Place on the grid, from 0: of curves that are compared, equal ones cover the same steps' })
  index!: number
  @Field(() => Int) fromStep!: number
  @Field(() => Int) toStep!: number
  @Field(() => Int, { description: 'Points that fell into it' }) count!: number
  @Field(() => Float, { nullable: true, description: 'Over the finite values' }) min!: number | null
  @Field(() => Float, { nullable: true, description: 'Over the finite values' }) max!: number | null
  @Field(() => MetricValue, { description: 'The value recorded last' }) last!: number
  @Field(() => Int) lastStep!: number
  @Field(() => Int, { description: 'Points that are NaN or infinite' }) notFinite!: number
}

@ObjectType({ description: 'One metric of one run, down-sampled into buckets of equal width in steps.' })
export class MetricCurve {
  @Field(() => ID) runId!: string
  @Field(() => String) name!: string
  @Field(() => [MetricBucket]) buckets!: MetricBucket[]
}

@ObjectType({ description: 'A point that a run can be gone on from.' })
export class RunCheckpoint {
  @Field(() => ID, { description: '`<run id>@<step>`: what `resume` of a new run takes' }) id!: string
  @Field(() => Int, { description: '0: taken over from the run that this one goes on from' }) attempt!: number
  @Field(() => Int) step!: number
  @Field(() => BigIntScalar) bytes!: number
  @Field(() => Boolean, { description: 'The best of its run when it was saved' }) best!: boolean
  @Field(() => DateTime) createdAt!: Date
}

@ObjectType({ description: 'A file that a run left: a trace of its steps, what it read from elsewhere.' })
export class RunFile {
  @Field(() => String) name!: string
  @Field(() => BigIntScalar) bytes!: number
  @Field(() => String, { description: 'SHA-256 of its bytes' }) sha256!: string
  @Field(() => JsonScalar, { nullable: true, description: 'What it says in short' }) summary!: Properties | null
  @Field(() => String, { description: 'Path on this server to download it from' }) url!: string
  @Field(() => DateTime) createdAt!: Date
}

@ObjectType({ description: 'Runs side by side.' })
export class RunComparison {
  @Field(() => [Run]) runs!: Run[]
  @Field(() => JsonScalar, {
    description: 'Options that differ, nested ones by their path (training.epochs): name -> one value per run, in the order of runs',
  })
  options!: Properties
  @Field(() => [[DatasetVersion]], { description: 'The dataset versions that each run worked on, in the order of runs' })
  datasets!: DatasetVersion[][]
  @Field(() => Boolean, { description: 'Whether all runs worked on the same dataset versions' }) sameData!: boolean
  @Field(() => JsonScalar, { description: 'Newest metrics: name -> one value per run (null where it has none)' }) metrics!: Properties
  @Field(() => [MetricCurve], { description: 'The metrics asked for, over one grid of steps' }) curves!: MetricCurve[]
}
