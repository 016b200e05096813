import { Arg, Args, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql'
import type { ChangeKind } from '../../catalog/change.js'
import { countChanges, countSnapshots, diffSnapshots, readChanges, readProblems, readSnapshots } from '../../catalog/reads/read-store.js'
import { EspalierError } from '../../util/error.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { DateTime } from '../scalars.js'
import { ChangeKindEnum } from '../types/enums.js'
import { type Connection, offsetOf, PageArguments, pageByOffset, pageSize } from '../types/paging.js'
import { Problem } from '../types/problem.js'
import {
  Change,
  ChangeConnection,
  Difference,
  Metrics,
  metricsOf,
  QualityReport,
  Snapshot,
  SnapshotConnection,
} from '../types/snapshots.js'

const changeOf = ({ before, after }: { before: unknown; after: unknown }) =>
  before === null ? 'added' : after === null ? 'removed' : 'changed'

@Resolver(() => Snapshot)
export class SnapshotResolver {
  @Query(() => SnapshotConnection, { description: 'Snapshots, the latest observed first.' })
  async snapshots(
    @Ctx() { platform }: ApiContext,
    @Args(() => PageArguments) page: PageArguments,
    @Arg('projectId', () => ID, { nullable: true }) projectId?: string | null,
    @Arg('systemId', () => ID, { nullable: true }) systemId?: string | null,
    @Arg('from', () => DateTime, { nullable: true, description: 'Observed at or after' }) from?: Date | null,
    @Arg('to', () => DateTime, { nullable: true, description: 'Observed before' }) to?: Date | null,
  ): Promise<Connection<Snapshot>> {
    const filter = present({ projectId, systemId, from, to })
    const rows = await readSnapshots(platform.database, filter, { limit: pageSize(page.first) + 1, offset: offsetOf(page) })
    return pageByOffset(rows, page, () => countSnapshots(platform.database, filter))
  }

  @Query(() => Snapshot, { nullable: true })
  snapshot(@Ctx() { loaders }: ApiContext, @Arg('id', () => ID) id: string): Promise<Snapshot | null> {
    return loaders.snapshot.load(id)
  }

  @Query(() => Difference, { description: 'What differs between two moments, whatever happened in between.' })
  async diff(
    @Ctx() { platform }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('from', () => DateTime) from: Date,
    @Arg('systemId', () => ID, { nullable: true, description: 'Default: all systems of the project' }) systemId?: string | null,
    @Arg('to', () => DateTime, { nullable: true, description: 'Default: now' }) to?: Date | null,
    @Arg('first', () => Int, { defaultValue: 1_000, description: 'Nodes, and edges, at most (to 10,000)' }) first = 1_000,
  ): Promise<Difference> {
    if (first < 1 || first > 10_000) throw new EspalierError('BAD_INPUT', `first: found ${first}, expected 1 to 10,000`)
    const until = to ?? new Date()
    const { nodes, edges, isPartial } = await diffSnapshots(platform.database, from, until, {
      projectId,
      ...present({ systemId }),
      limit: first,
    })
    return {
      from,
      to: until,
      nodes: nodes.map((node) => ({ ...node, change: changeOf(node) })),
      edges: edges.map((edge) => ({ ...edge, change: changeOf(edge) })),
      isPartial,
    }
  }

  @Query(() => ChangeConnection, { description: 'Real differences that the ledger recorded, in order of time.' })
  async changes(
    @Ctx() { platform }: ApiContext,
    @Args(() => PageArguments) page: PageArguments,
    @Arg('projectId', () => ID, { nullable: true }) projectId?: string | null,
    @Arg('systemId', () => ID, { nullable: true }) systemId?: string | null,
    @Arg('tableId', () => ID, { nullable: true, description: 'Of this table or view and its columns' }) tableId?: string | null,
    @Arg('nodeId', () => ID, { nullable: true, description: 'Of this node alone' }) nodeId?: string | null,
    @Arg('kinds', () => [ChangeKindEnum], { nullable: true }) kinds?: ChangeKind[] | null,
    @Arg('from', () => DateTime, { nullable: true, description: 'At or after' }) from?: Date | null,
    @Arg('to', () => DateTime, { nullable: true, description: 'Before' }) to?: Date | null,
    @Arg('newestFirst', () => Boolean, { defaultValue: false }) newestFirst = false,
  ): Promise<Connection<Change>> {
    const filter = present({ projectId, systemId, tableId, nodeId, kinds, from, to })
    const rows = await readChanges(platform.database, filter, { limit: pageSize(page.first) + 1, offset: offsetOf(page), newestFirst })
    return pageByOffset(rows, page, () => countChanges(platform.database, filter))
  }

  @Query(() => QualityReport, {
    nullable: true,
    description: 'Quality and metrics of a project as of its latest snapshot; null before the first.',
  })
  async quality(
    @Ctx() { platform }: ApiContext,
    @Arg('projectId', () => ID) projectId: string,
    @Arg('asOf', () => DateTime, { nullable: true }) asOf?: Date | null,
  ): Promise<QualityReport | null> {
    const until = asOf ? { to: new Date(asOf.getTime() + 1) } : {}
    const [latest] = await readSnapshots(platform.database, { projectId, ...until }, { limit: 1 })
    if (!latest) return null
    const { observedAt, quality, metrics } = latest
    return { projectId, observedAt, quality, metrics: metricsOf(metrics) }
  }

  @FieldResolver(() => Metrics, { description: 'Of the whole project, as of observedAt' })
  metrics(@Root() snapshot: Snapshot): Metrics {
    return metricsOf(snapshot.metrics)
  }

  @FieldResolver(() => [Problem], { description: 'What was wrong with its input' })
  problems(
    @Root() snapshot: Snapshot,
    @Ctx() { platform }: ApiContext,
    @Arg('first', () => Int, { defaultValue: 100 }) first: number,
  ): Promise<Problem[]> {
    return readProblems(platform.database, snapshot.id, { limit: pageSize(first) })
  }
}
