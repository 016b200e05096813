import { Args, ArgsType, Ctx, Field, Float, ID, Mutation, Resolver } from 'type-graphql'
import { appendAudit, readProjectSettings, saveProject, saveSystem } from '../../access/store.js'
import { ingest, type IngestReport as Report } from '../../catalog/ingest.js'
import { detectDialect } from '../../catalog/sources/index.js'
import { startRun } from '../../jobs.js'
import type { Sql } from '../../postgres/sql.js'
import { EspalierError } from '../../util/error.js'
import type { Properties } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import { isLoopback } from '../http/guard.js'
import { largestIngest, readInputs } from '../ingest-inputs.js'
import { present } from '../present.js'
import { DateTime, JsonScalar } from '../scalars.js'
import { DialectInput, IngestReport, SourceInput } from '../types/ingest.js'
import { Run } from '../types/runs.js'
import { metricsOf } from '../types/snapshots.js'

const shownProblems = 1_000

@ArgsType()
class IngestArguments {
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

@ArgsType()
class IngestNowArguments extends IngestArguments {
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

/** Names of variables with their text; anything else says what was expected. */
function variablesOf(variables: unknown): Record<string, string> | undefined {
  if (variables === null || variables === undefined) return undefined
  const isRecord =
    typeof variables === 'object' && !Array.isArray(variables) && Object.values(variables).every((v) => typeof v === 'string')
  if (isRecord) return variables as Record<string, string>
  throw new EspalierError('BAD_INPUT', `variables: found ${JSON.stringify(variables).slice(0, 100)}, expected an object of names and texts`)
}

const mayReadPaths = ({ platform }: ApiContext) => isLoopback(platform.config.host)

/** Lists the project and system that were spoken of. */
async function register(sql: Sql, { projectId, systemId }: IngestArguments, actor: string, details: Properties): Promise<void> {
  await saveProject(sql, { id: projectId })
  await saveSystem(sql, { projectId, id: systemId })
  await appendAudit(sql, { actor, action: 'ingest', subject: `${projectId}/${systemId}`, details })
}

const reportOf = (report: Report): IngestReport => ({
  ...report,
  metrics: metricsOf(report.metrics),
  problemCount: report.problems.length,
  problems: report.problems.slice(0, shownProblems),
})

@Resolver()
export class IngestResolver {
  @Mutation(() => IngestReport, {
    description: `Reads documents of metadata into the catalog as one snapshot, all or nothing. Up to ${largestIngest / 2 ** 20} MiB; queueIngest takes more.`,
  })
  async ingest(@Args(() => IngestNowArguments) args: IngestNowArguments, @Ctx() context: ApiContext): Promise<IngestReport> {
    const { projectId, systemId, observedAt, complete, dryRun, defaultDatabase, rejectBelow } = args
    const settings = await readProjectSettings(context.platform.database, projectId)
    const inputs = readInputs(args, mayReadPaths(context))
    const bytes = inputs.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
    if (bytes > largestIngest)
      throw new EspalierError(
        'BAD_INPUT',
        `ingest: found ${Math.ceil(bytes / 2 ** 20)} MiB of documents, expected up to ${largestIngest / 2 ** 20}`,
        {
          remedy: 'Use the mutation queueIngest: it answers a run, whose events tell how it goes.',
        },
      )
    const variables = variablesOf(args.variables)
    const { database } = context.platform
    const request = { projectId, systemId, inputs, complete, dryRun, now: new Date() }
    const gate = { rejectBelow: rejectBelow ?? settings.rejectBelow, ideal: settings.idealDistribution }
    const report = await ingest(database, { ...request, ...present({ observedAt, variables, defaultDatabase, ...gate }) })
    if (!dryRun)
      await database.transaction((sql) => register(sql, args, context.actor, { snapshotId: report.snapshotId, changes: report.changes }))
    return reportOf(report)
  }

  @Mutation(() => Run, { description: 'Stores documents of any size and queues a run that ingests them; its result is the report.' })
  async queueIngest(@Args(() => IngestArguments) args: IngestArguments, @Ctx() context: ApiContext): Promise<Run> {
    const { projectId, systemId, observedAt, complete } = args
    const { database, blobs } = context.platform
    const variables = variablesOf(args.variables)
    const sources = []
    for (const { file, text, dialect } of readInputs(args, mayReadPaths(context))) {
      const known = dialect ?? detectDialect(file!, text.slice(0, 4_000))
      if (!known) throw new EspalierError('BAD_INPUT', `${file}: its dialect was not recognised`, { remedy: 'Name the dialect.' })
      sources.push({ dialect: known, file: file!, blob: await blobs.put(new TextEncoder().encode(text)) })
    }
    const options = { projectId, systemId, sources, complete, ...present({ observedAt: observedAt?.toISOString(), variables }) }
    const run = await startRun(database, { kind: 'ingest', options }, new Date())
    await database.transaction((sql) => register(sql, args, context.actor, { runId: run.id }))
    return run
  }
}
