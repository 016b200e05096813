import { Args, ArgsType, Ctx, Field, Float, Mutation, Resolver } from 'type-graphql'
import { appendAudit, readProjectSettings, saveProject, saveSystem } from '../../access/store.js'
import { ingest, type IngestReport as Report } from '../../catalog/ingest.js'
import type { IngestInput } from '../../catalog/parsing/read-texts.js'
import { bytesOf } from '../../catalog/parsing/text-source.js'
import { startRun } from '../../jobs.js'
import type { Sql } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import type { Properties } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import { largestIngest, readInputs, storeInputs, variablesOf } from '../ingest-inputs.js'
import { present } from '../present.js'
import { DocumentArguments, IngestReport } from '../types/ingest.js'
import { Run } from '../types/runs.js'
import { metricsOf } from '../types/snapshots.js'

const shownProblems = 1_000

@ArgsType()
class IngestNowArguments extends DocumentArguments {
  @Field(() => Boolean, { defaultValue: false, description: 'Answer what would be done, and do nothing' }) dryRun!: boolean
  @Field(() => String, { nullable: true, description: 'Of tables that DDL names without a database (default "default")' }) defaultDatabase?:
    | string
    | null
  @Field(() => Float, {
    nullable: true,
    description: "Refuse when the project's quality score would be below this; default the project's own",
  })
  rejectBelow?: number | null
}

/** Files of the server's machine are for its owner, not for whoever has a key. */
export const mayReadPaths = ({ principal }: ApiContext) => principal.kind === 'local'

/** Lists the project and system that were spoken of. */
export async function register(
  sql: Sql,
  { projectId, systemId }: { projectId: string; systemId: string },
  actor: string,
  details: Properties,
): Promise<void> {
  await saveProject(sql, { id: projectId })
  await saveSystem(sql, { projectId, id: systemId })
  await appendAudit(sql, { actor, action: 'ingest', subject: `${projectId}/${systemId}`, details })
}

function assertScore(score: number | null | undefined): void {
  if (typeof score === 'number' && !(score >= 0 && score <= 1))
    throw new EspalierError('BAD_INPUT', `rejectBelow: found ${score}, expected a quality score from 0 to 1`)
}

const reportOf = (report: Report): IngestReport => ({
  ...report,
  runId: null,
  metrics: metricsOf(report.metrics),
  problemCount: report.problems.length,
  problems: report.problems.slice(0, shownProblems),
})

/** Of what a run is still to ingest nothing is known but when it was true. */
const reportOfRun = ({ id, options }: RunOf): IngestReport => ({
  ...{ runId: id, snapshotId: null, observedAt: new Date(String(options['observedAt'])), isReplay: false },
  ...{ nodes: null, edges: null, changes: null, metrics: null, quality: null, problemCount: 0, problems: [] },
})
type RunOf = Awaited<ReturnType<typeof startRun>>

async function bytesOfAll(inputs: readonly IngestInput[]): Promise<number> {
  let total = 0
  for (const { text } of inputs) total += await bytesOf(text)
  return total
}

/** Stores the documents and queues a run that ingests them. */
async function queue(args: IngestNowArguments, inputs: readonly IngestInput[], { platform, actor }: ApiContext): Promise<RunOf> {
  const { projectId, systemId, observedAt, complete, dryRun = false, defaultDatabase, rejectBelow } = args
  const { database, blobs } = platform
  const variables = variablesOf(args.variables)
  const sources = await storeInputs(inputs, blobs)
  const more = present({ observedAt: observedAt?.toISOString(), variables, defaultDatabase, rejectBelow })
  const run = await startRun(database, { kind: 'ingest', options: { projectId, systemId, sources, complete, dryRun, ...more } }, new Date())
  if (!dryRun) await database.transaction((sql) => register(sql, args, actor, { runId: run.id }))
  return run
}

@Resolver()
export class IngestResolver {
  @Mutation(() => IngestReport, {
    description: `Reads documents of metadata into the catalog as one snapshot, all or nothing. Documents of more than ${largestIngest / 2 ** 20} MiB together become a run, which the answer names.`,
  })
  async ingest(@Args(() => IngestNowArguments) args: IngestNowArguments, @Ctx() context: ApiContext): Promise<IngestReport> {
    const { projectId, systemId, observedAt, complete, dryRun, defaultDatabase, rejectBelow } = args
    const { database } = context.platform
    assertScore(rejectBelow)
    const inputs = readInputs(args, mayReadPaths(context))
    if ((await bytesOfAll(inputs)) > largestIngest) return reportOfRun(await queue(args, inputs, context))
    const settings = await readProjectSettings(database, projectId)
    const variables = variablesOf(args.variables)
    const request = { projectId, systemId, inputs, complete, dryRun, now: new Date() }
    const gate = { rejectBelow: rejectBelow ?? settings.rejectBelow, ideal: settings.idealDistribution }
    const alongside = (sql: Sql, { snapshotId, changes }: Report) => register(sql, args, context.actor, { snapshotId, changes })
    return reportOf(await ingest(database, { ...request, ...present({ observedAt, variables, defaultDatabase, ...gate }), alongside }))
  }

  @Mutation(() => Run, { description: 'Stores documents of any size and queues a run that ingests them; its result is the report.' })
  async queueIngest(@Args(() => IngestNowArguments) args: IngestNowArguments, @Ctx() context: ApiContext): Promise<Run> {
    return queue(args, readInputs(args, mayReadPaths(context)), context)
  }
}
