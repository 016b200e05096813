import { Arg, Args, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql'
import { checkpointName, readCheckpoints } from '../../runs/checkpoint-store.js'
import { differing, flattenOptions, sideBySide } from '../../runs/comparison.js'
import { readEvents } from '../../runs/event-store.js'
import { readRunFiles } from '../../runs/file-store.js'
import { readUses } from '../../runs/graph-store.js'
import { comparedSeries, latestMetricsOf, metricSeries } from '../../runs/metric-store.js'
import { countRuns, readRun, readRuns } from '../../runs/store.js'
import { EspalierError } from '../../util/error.js'
import { contentHash } from '../../util/hash.js'
import type { RunEvent as Event, RunKind, RunState } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import { runFileUrl } from '../http/run-files.js'
import { present } from '../present.js'
import { Artifact } from '../types/artifacts.js'
import { DatasetVersion } from '../types/datasets.js'
import { RunKindEnum, RunStateEnum } from '../types/enums.js'
import { type Connection, encodeCursor, PageArguments, pageOf, pageSize, uuidOfCursor } from '../types/paging.js'
import { MetricBucket, MetricPoint, Run, RunCheckpoint, RunComparison, RunConnection, RunEvent, RunFile } from '../types/runs.js'

const largestComparison = 20

/** The run, or NOT_FOUND. */
export async function runOrRefuse({ platform }: ApiContext, id: string): Promise<Run> {
  const run = await readRun(platform.database, id)
  if (run) return run
  throw new EspalierError('NOT_FOUND', `run "${id.slice(0, 80)}": there is none of this id`, { remedy: 'List the runs to see their ids.' })
}

@Resolver(() => Run)
export class RunResolver {
  @Query(() => RunConnection, { description: 'Runs, newest first.' })
  async runs(
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { platform }: ApiContext,
    @Arg('kind', () => [RunKindEnum], { nullable: true }) kind?: RunKind[] | null,
    @Arg('state', () => [RunStateEnum], { nullable: true }) state?: RunState[] | null,
    @Arg('projectId', () => ID, { nullable: true }) projectId?: string | null,
    @Arg('parentId', () => ID, { nullable: true }) parentId?: string | null,
  ): Promise<Connection<Run>> {
    const filter = present({ kind, state, projectId, parentId })
    const first = pageSize(page.first)
    const after = page.after ? { after: uuidOfCursor(page.after) } : {}
    const rows = await readRuns(platform.database, { ...filter, ...after, first: first + 1 })
    return pageOf(
      rows,
      page,
      (run) => encodeCursor([run.id]),
      () => countRuns(platform.database, filter),
    )
  }

  @Query(() => Run, { nullable: true })
  run(@Arg('id', () => ID) id: string, @Ctx() { loaders }: ApiContext): Promise<Run | null> {
    return loaders.run.load(id)
  }

  @Query(() => RunComparison, { description: 'Options, data, newest metrics and curves of several runs side by side.' })
  async compareRuns(
    @Ctx() context: ApiContext,
    @Arg('ids', () => [ID], { description: `2 to ${largestComparison}` }) ids: string[],
    @Arg('curves', () => [String], { defaultValue: [], description: 'Names of metrics to lay over each other' }) curves: string[],
    @Arg('buckets', () => Int, { defaultValue: 200 }) buckets: number,
  ): Promise<RunComparison> {
    if (ids.length < 2 || ids.length > largestComparison)
      throw new EspalierError('BAD_INPUT', `compareRuns: found ${ids.length} ids, expected 2 to ${largestComparison}`)
    const { database } = context.platform
    const runs = await Promise.all(ids.map((id) => runOrRefuse(context, id)))
    const [latest, uses] = await Promise.all([latestMetricsOf(database, ids), readUses(database, ids)])
    const overlaid = await Promise.all(curves.map((name) => comparedSeries(database, ids, name, pageSize(buckets))))
    return {
      runs,
      options: differing(runs.map((run) => flattenOptions(run.options))),
      datasets: await Promise.all(ids.map((id) => versionsOf(context, uses.get(id)!))),
      sameData: new Set(ids.map((id) => contentHash(uses.get(id)!))).size === 1,
      metrics: sideBySide(ids.map((id) => Object.fromEntries((latest.get(id) ?? []).map((p) => [p.name, wireNumber(p.value)])))),
      curves: ids.flatMap((runId, i) => curves.map((name, j) => ({ runId, name, buckets: overlaid[j]![i]! }))),
    }
  }

  @FieldResolver(() => [RunEvent], { description: 'Its events after a sequence number, in order.' })
  events(
    @Root() run: Run,
    @Ctx() { platform }: ApiContext,
    @Arg('after', () => Int, { defaultValue: 0 }) after: number,
    @Arg('first', () => Int, { defaultValue: 100 }) first: number,
  ): Promise<Event[]> {
    return readEvents(platform.database, run.id, { after, limit: pageSize(first) })
  }

  @FieldResolver(() => [MetricPoint], { description: 'The newest value of every metric, by name' })
  metrics(@Root() run: Run, @Ctx() { loaders }: ApiContext): Promise<MetricPoint[]> {
    return loaders.latestMetrics.load(run.id)
  }

  @FieldResolver(() => [MetricBucket], { description: 'One metric over its steps, down-sampled: a million points draw in one query.' })
  metricSeries(
    @Root() run: Run,
    @Ctx() { platform }: ApiContext,
    @Arg('name', () => String) name: string,
    @Arg('buckets', () => Int, { defaultValue: 500 }) buckets: number,
    @Arg('fromStep', () => Int, { nullable: true }) fromStep?: number | null,
    @Arg('toStep', () => Int, { nullable: true }) toStep?: number | null,
  ): Promise<MetricBucket[]> {
    return metricSeries(platform.database, run.id, name, present({ fromStep, toStep, buckets: pageSize(buckets) }))
  }

  @FieldResolver(() => Run, { nullable: true, description: 'The pipeline or sweep it belongs to' })
  parent(@Root() run: Run, @Ctx() { loaders }: ApiContext): Promise<Run | null> | null {
    return run.parentId ? loaders.run.load(run.parentId) : null
  }

  @FieldResolver(() => [Run], { description: 'Steps of a pipeline, trials of a sweep, oldest first' })
  children(@Root() run: Run, @Ctx() { loaders }: ApiContext): Promise<Run[]> {
    return loaders.childrenOfRun.load(run.id)
  }

  @FieldResolver(() => [DatasetVersion], { description: 'What it works on' })
  async datasets(@Root() run: Run, @Ctx() context: ApiContext): Promise<DatasetVersion[]> {
    return versionsOf(context, (await readUses(context.platform.database, [run.id])).get(run.id)!)
  }

  @FieldResolver(() => [RunCheckpoint], { description: 'The points kept to go on from, newest first' })
  async checkpoints(@Root() run: Run, @Ctx() { platform }: ApiContext): Promise<RunCheckpoint[]> {
    return (await readCheckpoints(platform.database, run.id)).map((checkpoint) => ({ ...checkpoint, id: checkpointName(checkpoint) }))
  }

  @FieldResolver(() => [RunFile], { description: 'What it left beside its events, by name' })
  async files(@Root() run: Run, @Ctx() { platform }: ApiContext): Promise<RunFile[]> {
    const files = await readRunFiles(platform.database, [run.id])
    return files.map(({ blob, ...file }) => ({ ...file, sha256: blob, url: runFileUrl(run.id, file.name) }))
  }

  @FieldResolver(() => [Artifact], { description: 'What it published, newest first' })
  artifacts(@Root() run: Run, @Ctx() { loaders }: ApiContext): Promise<Artifact[]> {
    return loaders.artifactsOfRun.load(run.id)
  }
}

@Resolver(() => RunEvent)
export class RunEventResolver {
  @FieldResolver(() => Run, { description: 'The run as it is now' })
  async run(@Root() event: RunEvent, @Ctx() { loaders }: ApiContext): Promise<Run> {
    return (await loaders.run.load(event.runId))!
  }
}

/** The dataset versions of these ids that the caller may see. */
const versionsOf = async ({ loaders }: ApiContext, ids: readonly string[]): Promise<DatasetVersion[]> =>
  (await Promise.all(ids.map((id) => loaders.datasetVersion.load(id)))).filter((version) => version !== null)

/** JSON has no NaN; the same words as MetricValue. */
const wireNumber = (value: number): number | string => (Number.isFinite(value) ? value : String(value))
