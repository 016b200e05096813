import { Args, ArgsType, Ctx, Field, Int, Mutation, Resolver } from 'type-graphql'
import { startRun } from '../../jobs.js'
import { EspalierError } from '../../util/error.js'
import type { ApiContext } from '../context.js'
import { readInputs, storeInputs, variablesOf } from '../ingest-inputs.js'
import { present } from '../present.js'
import { JsonScalar } from '../scalars.js'
import { DocumentArguments } from '../types/ingest.js'
import { Run } from '../types/runs.js'
import { mayReadPaths, register } from './ingest.js'

@ArgsType()
class PipelineArguments extends DocumentArguments {
  @Field(() => Int, { defaultValue: 30, description: 'Exports to Glean of so many days are read as history' }) gleanDaysBack!: number
  @Field(() => Boolean, {
    defaultValue: true,
    description:
      'Whether history is read from Glean, and metrics written to it; where Glean is not there, the run goes without and says so',
  })
  enableGlean!: boolean
  @Field(() => Boolean, { defaultValue: true, description: 'Whether the evaluation asks the test cases of the five levels' })
  enableIntelligenceMetrics!: boolean
  @Field(() => JsonScalar, { nullable: true, description: 'Any part of a training: task, lists, model, training, export, component' })
  train?: unknown
  @Field(() => String, { nullable: true }) name?: string | null
  @Field(() => Int, { nullable: true, description: '1 to 10, 10 is most urgent (default 5)' }) priority?: number | null
}

@Resolver()
export class PipelineResolver {
  @Mutation(() => Run, {
    description:
      'Queues one run for everything: ingest, history from Glean, patterns, temporal analysis, dataset, training, evaluation, export of its metrics. Each step is a child run; runEvents of this run tells of all of them. It can be paused, cancelled and retried as a whole, and goes on at the step it was in; steps into which nothing new goes are not done again.',
  })
  async runFullPipeline(@Args(() => PipelineArguments) args: PipelineArguments, @Ctx() context: ApiContext): Promise<Run> {
    const { platform, actor } = context
    const { projectId, systemId, complete, gleanDaysBack, enableGlean, enableIntelligenceMetrics, observedAt, train, name, priority } = args
    if (observedAt && observedAt.getTime() > Date.now())
      throw new EspalierError('BAD_INPUT', `observedAt: found ${observedAt.toISOString()}, expected a moment that is not to come`)
    const sources = await storeInputs(readInputs(args, mayReadPaths(context)), platform.blobs)
    const optional = present({ variables: variablesOf(args.variables), train, observedAt: observedAt?.toISOString() })
    const options = { projectId, systemId, sources, complete, gleanDaysBack, enableGlean, enableIntelligenceMetrics, ...optional }
    const request = { kind: 'pipeline' as const, options, ...present({ name, priority }) }
    return startRun(platform.database, request, new Date(), (client, run) =>
      register(client, { projectId, systemId }, actor, { runId: run.id, kind: 'pipeline' }),
    )
  }
}
