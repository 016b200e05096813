import { Arg, Ctx, ID, Int, Mutation, Resolver } from 'type-graphql'
import { appendAudit } from '../../access/store.js'
import { openGlean } from '../../catalog/glean/open.js'
import { type StartRequest, startRun } from '../../jobs.js'
import { requestControl, resumeRun, retryRun } from '../../runs/store.js'
import { EspalierError } from '../../util/error.js'
import type { RunKind } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { DateTime, JsonScalar } from '../scalars.js'
import { RunKindEnum } from '../types/enums.js'
import { Run } from '../types/runs.js'

/** Does something to a run and writes down who did it. */
async function audited({ platform, actor }: ApiContext, action: string, work: () => Promise<Run>): Promise<Run> {
  const run = await work()
  await appendAudit(platform.database, { actor, action, subject: run.id, details: { kind: run.kind } })
  return run
}

/** Queues a run, and writes down in the same transaction who asked for it. */
const start = ({ platform, actor }: ApiContext, request: StartRequest): Promise<Run> =>
  startRun(platform.database, request, new Date(), (client, run) =>
    appendAudit(client, { actor, action: 'start-run', subject: run.id, details: { kind: run.kind } }),
  )

/** History is asked for only where there is a Glean, and written into folders only for who could do that anyway. */
function assertGlean({ platform: { config }, principal }: ApiContext, options: unknown): void {
  const { glean } = (options ?? {}) as { glean?: { enable?: unknown; outputDir?: unknown } | null }
  if (!glean?.enable) return
  openGlean(config.glean)
  if (glean.outputDir && principal.kind !== 'local')
    throw new EspalierError(
      'FORBIDDEN',
      `glean.outputDir: folders on the server are written only for its owner, not for ${principal.name}`,
      {
        remedy: 'Leave it out; the five files are kept with the run.',
      },
    )
}

@Resolver()
export class RunControlResolver {
  @Mutation(() => Run, {
    description:
      'Queues a run. Every option has a default; the options of the answer tell all that it will do, the projects and the moment settled on included.',
  })
  startRun(
    @Ctx() context: ApiContext,
    @Arg('kind', () => RunKindEnum) kind: RunKind,
    @Arg('options', () => JsonScalar, { nullable: true, description: "Any part of the kind's options" }) options?: unknown,
    @Arg('name', () => String, { nullable: true }) name?: string | null,
    @Arg('priority', () => Int, { nullable: true, description: '1 to 10, 10 is most urgent (default 5)' }) priority?: number | null,
    @Arg('timeoutSeconds', () => Int, { nullable: true, description: 'How long one attempt may take (default: no limit)' })
    timeoutSeconds?: number | null,
    @Arg('retryLimit', () => Int, { nullable: true, description: 'Failed or vanished attempts that are tried again (default 2)' })
    retryLimit?: number | null,
  ): Promise<Run> {
    assertGlean(context, options)
    const request = { kind, options: options ?? {}, ...present({ name, priority, timeoutSeconds, retryLimit }) }
    return start(context, request)
  }

  @Mutation(() => Run, { description: 'Queues a run that learns the patterns of a project, of several, or of all when none is named.' })
  learnPatterns(
    @Ctx() context: ApiContext,
    @Arg('projectId', () => ID, { nullable: true }) projectId?: string | null,
    @Arg('since', () => DateTime, { nullable: true, description: 'From when on changes are learned; default all of history' })
    since?: Date | null,
    @Arg('projectIds', () => [ID], { nullable: true, description: 'Instead of projectId' }) projectIds?: string[] | null,
  ): Promise<Run> {
    if (projectId && projectIds)
      throw new EspalierError('BAD_INPUT', 'learnPatterns: found both projectId and projectIds, expected one of them')
    const options = present({ projectIds: projectId ? [projectId] : projectIds, since: since?.toISOString() })
    return start(context, { kind: 'learn-patterns', options })
  }

  @Mutation(() => Run, { description: 'Asks a running run to keep its state and stop at its next step.' })
  pauseRun(@Ctx() context: ApiContext, @Arg('id', () => ID) id: string): Promise<Run> {
    return audited(context, 'pause-run', () => requestControl(context.platform.database, id, 'pause'))
  }

  @Mutation(() => Run, { description: 'Lets a worker take a paused run up again where it stopped.' })
  resumeRun(@Ctx() context: ApiContext, @Arg('id', () => ID) id: string): Promise<Run> {
    return audited(context, 'resume-run', () => resumeRun(context.platform.database, id))
  }

  @Mutation(() => Run, { description: 'Ends a run: at once while it waits, at its next step while it runs.' })
  cancelRun(@Ctx() context: ApiContext, @Arg('id', () => ID) id: string): Promise<Run> {
    return audited(context, 'cancel-run', () => requestControl(context.platform.database, id, 'cancel'))
  }

  @Mutation(() => Run, { description: 'Begins a new attempt of a failed or cancelled run.' })
  retryRun(@Ctx() context: ApiContext, @Arg('id', () => ID) id: string): Promise<Run> {
    return audited(context, 'retry-run', () => retryRun(context.platform.database, id))
  }
}
