import { Arg, Args, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql'
import { readEvents } from '../../runs/event-store.js'
import { latestMetricsOf, metricSeries } from '../../runs/metric-store.js'
import { countRuns, readRun, readRuns } from '../../runs/store.js'
import { EspalierError } from '../../util/error.js'
import type { RunEvent as Event, RunKind, RunState } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { Artifact } from '../types/artifacts.js'
import { RunKindEnum, RunStateEnum } from '../types/enums.js'
import { type Connection, encodeCursor, PageArguments, pageOf, pageSize, uuidOfCursor } from '../types/paging.js'
import { MetricBucket, MetricPoint, Run, RunComparison, RunConnection, RunEvent } from '../types/runs.js'

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

  @Query(() => RunComparison, { description: 'Options, newest metrics and curves of several runs side by side.' })
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
    const latest = await latestMetricsOf(database, ids)
    const wanted = ids.flatMap((runId) => curves.map((name) => ({ runId, name })))
    return {
      runs,
      options: differing(runs.map((run) => run.options)),
      metrics: sideBySide(ids.map((id) => Object.fromEntries((latest.get(id) ?? []).map((p) => [p.name, wireNumber(p.value)])))),
      curves: await Promise.all(
        wanted.map(async (curve) => ({
          ...curve,
          buckets: await metricSeries(database, curve.runId, curve.name, { buckets: pageSize(buckets) }),
        })),
      ),
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

type Row = Record<string, unknown>

/** name -> its value in every row, null where a row has none */
function sideBySide(rows: readonly Row[]): Run['options'] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].sort()
  return Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name] ?? null)])) as Run['options']
}

/** As sideBySide, without what is the same everywhere. */
function differing(rows: readonly Row[]): Run['options'] {
  const all = sideBySide(rows)
  const isSame = (values: unknown) => new Set((values as unknown[]).map((v) => JSON.stringify(v))).size === 1
  return Object.fromEntries(Object.entries(all).filter(([, values]) => !isSame(values)))
}

/** JSON has no NaN; the same words as MetricValue. */
const wireNumber = (value: number): number | string => (Number.isFinite(value) ? value : String(value))
