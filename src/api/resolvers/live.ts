import { Arg, Ctx, ID, Int, Resolver, Root, Subscription } from 'type-graphql'
import { snapshotChannel } from '../../catalog/ledger/snapshot-store.js'
import { followEvents, type LiveEvent } from '../../runs/follow.js'
import { splitStep } from '../../runs/step-event.js'
import type { ApiContext } from '../context.js'
import { filtered, mapped, pushed } from '../iterators.js'
import { LogLevelEnum } from '../types/enums.js'
import { LogEvent, PipelineEvent, RunEvent } from '../types/runs.js'
import { Snapshot } from '../types/snapshots.js'
import { runOrRefuse } from './runs.js'

const gravity = ['debug', 'info', 'warn', 'error'] as const
/** Events that may wait for a subscriber before the metrics among them are coalesced. */
const largestLag = 2_000
type Level = (typeof gravity)[number]
interface EventsArguments {
  runId: string
  after: number
  level: Level
}

/** The run's events once it is known to exist; an unknown id is an error at once, not a silence. */
async function eventsOf(context: ApiContext, { runId, after }: EventsArguments): Promise<AsyncIterableIterator<LiveEvent>> {
  await runOrRefuse(context, runId)
  return followEvents(context.platform.database, runId, after, { lag: largestLag })
}

const afterArgument = { defaultValue: 0, description: 'The last sequence number already seen; 0 begins at the beginning' }

@Resolver()
export class LiveResolver {
  @Subscription(() => RunEvent, {
    description:
      'What was missed, then what comes, in order, without gaps or doubles; ends when the run has ended. Who reads too slowly gets the newest of each metric, and a GapEvent for those in between.',
    subscribe: ({ args, context }) => eventsOf(context as ApiContext, args as EventsArguments) as never,
  })
  runEvents(
    @Root() event: RunEvent,
    @Arg('runId', () => ID) _runId: string,
    @Arg('after', () => Int, afterArgument) _after: number,
  ): RunEvent {
    return event
  }

  @Subscription(() => PipelineEvent, {
    description: 'The events of a pipeline and of all its steps, each with its step; without gaps or doubles, as `runEvents` gives them.',
    subscribe: async ({ args, context }) => mapped(await eventsOf(context as ApiContext, args as EventsArguments), splitStep) as never,
  })
  pipelineEvents(
    @Root() event: PipelineEvent,
    @Arg('runId', () => ID) _runId: string,
    @Arg('after', () => Int, afterArgument) _after: number,
  ): PipelineEvent {
    return event
  }

  @Subscription(() => LogEvent, {
    description: 'Lines of the log as they come, from a level upwards; ends when the run has ended.',
    subscribe: async ({ args, context }) => {
      const wanted = args as EventsArguments
      const least = gravity.indexOf(wanted.level)
      const events = await eventsOf(context as ApiContext, wanted)
      return filtered(events, (event) => event.type === 'log' && gravity.indexOf(event.level) >= least) as never
    },
  })
  runLogs(
    @Root() event: LogEvent,
    @Arg('runId', () => ID) _runId: string,
    @Arg('after', () => Int, afterArgument) _after: number,
    @Arg('level', () => LogLevelEnum, { defaultValue: 'debug', description: 'This level and graver ones' }) _level: Level,
  ): LogEvent {
    return event
  }

  @Subscription(() => Snapshot, {
    description: 'Every snapshot that is ingested from now on, by whichever process.',
    subscribe: ({ args, context }) => snapshotsOf(context as ApiContext, args as { projectId?: string; systemId?: string }) as never,
  })
  async snapshotIngested(
    @Root() snapshotId: string,
    @Ctx() { loaders }: ApiContext,
    @Arg('projectId', () => ID, { nullable: true }) _projectId?: string | null,
    @Arg('systemId', () => ID, { nullable: true }) _systemId?: string | null,
  ): Promise<Snapshot | null> {
    return loaders.snapshot.load(snapshotId)
  }
}

/** Ids of snapshots as they are told of: `<project>/<system> <id>`. */
function snapshotsOf(
  { platform }: ApiContext,
  { projectId, systemId }: { projectId?: string; systemId?: string },
): AsyncIterableIterator<string> {
  const isWanted = (place: string) => {
    const [project, system] = place.split('/')
    return (!projectId || project === projectId) && (!systemId || system === systemId)
  }
  return pushed((push) =>
    platform.database.listen(snapshotChannel, (payload) => {
      const [place, id] = payload.split(' ')
      if (place && id && isWanted(place)) push(id)
    }),
  )
}
