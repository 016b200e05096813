import { Arg, Args, ArgsType, Ctx, Field, ID, Int, Mutation, Query, Resolver } from 'type-graphql'
import { appendAudit } from '../../access/store.js'
import { defaultDaysBack, defaultLimits, type FactPage, type GleanClient } from '../../catalog/glean/client.js'
import type { ColumnTypePatterns as Patterns } from '../../catalog/glean/column-types.js'
import { type ExportReport, exportHistoryToGlean } from '../../catalog/glean/export.js'
import { chooseTransport, gleanHowTo, openExportTarget, openGlean } from '../../catalog/glean/open.js'
import { ingestGleanDataForTraining } from '../../catalog/glean/training.js'
import type { InformationTheoryMetrics as Trends } from '../../catalog/glean/trends.js'
import { readSnapshots, readSnapshotsById, type Snapshot } from '../../catalog/reads/read-store.js'
import { EspalierError } from '../../util/error.js'
import type { JsonValue } from '../../vocabulary.js'
import type { ApiContext } from '../context.js'
import {
  ColumnTypePatterns,
  GleanEdgePage,
  GleanExport,
  GleanManifestPage,
  GleanNodePage,
  GleanStatus,
  GleanTrainingData,
  InformationTheoryMetrics,
} from '../types/glean.js'
import { decodeCursor, encodeCursor } from '../types/paging.js'

const largestPage = 10_000

@ArgsType()
class HistoryArguments {
  @Field(() => ID) projectId!: string
  @Field(() => ID, { nullable: true, description: 'null: every system of the project' }) systemId?: string | null
  @Field(() => Int, { defaultValue: defaultDaysBack, description: 'Exports of this many days until now' }) daysBack!: number
}

@ArgsType()
class FactArguments extends HistoryArguments {
  @Field(() => Int, { defaultValue: defaultLimits.facts, description: `Facts at most, up to ${largestPage}` }) limit!: number
  @Field(() => String, { nullable: true, description: 'endCursor of the page before' }) after?: string | null
}

@ArgsType()
class ManifestArguments extends HistoryArguments {
  @Field(() => Int, { defaultValue: defaultLimits.manifests, description: `Manifests at most, up to ${largestPage}` }) limit!: number
  @Field(() => String, { nullable: true, description: 'endCursor of the page before' }) after?: string | null
}

@ArgsType()
class TargetArguments {
  @Field(() => String, { nullable: true, description: 'A folder on the server (for its owner only); default: what Glean is configured as' })
  dir?: string | null
  @Field(() => String, { nullable: true, description: 'A database of the glean command: NAME, or NAME/INSTANCE' }) db?: string | null
}

const clientOf = ({ platform }: ApiContext): GleanClient => openGlean(platform.config.glean)

function offsetOf(after: string | null | undefined): number {
  if (!after) return 0
  const [offset] = decodeCursor(after, 1)
  if (typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0) return offset
  throw new EspalierError('BAD_INPUT', `after: "${after.slice(0, 60)}" is no cursor of this page`)
}

/** One page under the name of its list. */
async function pageOf<T, K extends string>(
  name: K,
  { projectId, systemId, daysBack, limit, after }: FactArguments,
  query: (projectId: string, systemId: string | null, daysBack: number, limit: number, offset: number) => Promise<FactPage<T>>,
): Promise<Record<K, T[]> & { hasNextPage: boolean; endCursor: string | null; unreadable: number }> {
  if (limit > largestPage) throw new EspalierError('BAD_INPUT', `limit: found ${limit}, expected 1 to ${largestPage}`)
  const offset = offsetOf(after)
  const { items, hasMore, unreadable } = await query(projectId, systemId ?? null, daysBack, limit, offset)
  const seen = offset + items.length + unreadable
  const list = { [name]: items } as Record<K, T[]>
  return { ...list, hasNextPage: hasMore, endCursor: seen > offset ? encodeCursor([seen]) : null, unreadable }
}

const trendsOf = (trends: Trends): InformationTheoryMetrics => ({
  metadataEntropyTrend: trends.metadata_entropy_trend,
  klDivergenceTrend: trends.kl_divergence_trend,
  columnCountTrend: trends.column_count_trend,
  averages: {
    metadataEntropy: trends.averages.metadata_entropy,
    klDivergence: trends.averages.kl_divergence,
    columnCount: trends.averages.column_count,
  },
  sampleCount: trends.sample_count,
})

const patternsOf = (patterns: Patterns): ColumnTypePatterns => ({
  typeDistributions: patterns.type_distributions,
  commonTypes: patterns.common_types,
  typeTransitions: patterns.type_transitions,
  totalColumns: patterns.total_columns,
})

export function assertMayWrite(name: string, { principal }: ApiContext): void {
  if (principal.kind === 'local') return
  throw new EspalierError('FORBIDDEN', `${name}: folders on the server are written only for its owner, not for ${principal.name}`, {
    remedy: 'Leave it out; an export then goes to where Glean is configured.',
  })
}

/** Exports snapshots, the oldest first, and audits it. */
async function exportAll(snapshots: readonly Snapshot[], { dir, db }: TargetArguments, context: ApiContext): Promise<ExportReport[]> {
  const { config, database } = context.platform
  if (dir) assertMayWrite('dir', context)
  const transport = openExportTarget({ dir: dir ?? undefined, db: db ?? undefined }, config.glean)
  const reports = await exportHistoryToGlean(database, snapshots, transport, { now: new Date() })
  for (const [i, { projectId, systemId }] of snapshots.entries()) {
    const { target, facts, snapshotId } = reports[i]!
    const details = { target, facts, snapshotId }
    await appendAudit(database, { actor: context.actor, action: 'export-to-glean', subject: `${projectId}/${systemId}`, details })
  }
  return reports
}

@Resolver()
export class GleanResolver {
  @Query(() => GleanStatus, { description: 'Whether and how Glean is reached.' })
  gleanStatus(@Ctx() { platform }: ApiContext): GleanStatus {
    const { transport, notes } = chooseTransport(platform.config.glean)
    const isConfigured = transport !== null
    return {
      isConfigured,
      transport: transport?.name ?? null,
      place: transport?.place ?? null,
      notes,
      remedy: isConfigured ? null : gleanHowTo,
    }
  }

  @Query(() => GleanNodePage, { description: 'Nodes that were exported to Glean.' })
  queryHistoricalNodes(@Args(() => FactArguments) args: FactArguments, @Ctx() context: ApiContext): Promise<GleanNodePage> {
    return pageOf('nodes', args, clientOf(context).queryHistoricalNodes)
  }

  @Query(() => GleanEdgePage, { description: 'Edges that were exported to Glean.' })
  queryHistoricalEdges(@Args(() => FactArguments) args: FactArguments, @Ctx() context: ApiContext): Promise<GleanEdgePage> {
    return pageOf('edges', args, clientOf(context).queryHistoricalEdges)
  }

  @Query(() => GleanManifestPage, { description: 'Manifests of the exports to Glean.' })
  queryExportManifests(@Args(() => ManifestArguments) args: ManifestArguments, @Ctx() context: ApiContext): Promise<GleanManifestPage> {
    return pageOf('manifests', args, clientOf(context).queryExportManifests)
  }

  @Query(() => InformationTheoryMetrics, { description: 'Entropy, divergence and column count over the exports to Glean.' })
  async queryInformationTheoryMetrics(
    @Args(() => HistoryArguments) { projectId, systemId, daysBack }: HistoryArguments,
    @Ctx() context: ApiContext,
  ): Promise<InformationTheoryMetrics> {
    return trendsOf(await clientOf(context).queryInformationTheoryMetrics(projectId, systemId ?? null, daysBack))
  }

  @Query(() => ColumnTypePatterns, { description: 'Types of columns over the exports to Glean, and how they changed.' })
  async queryColumnTypePatterns(
    @Args(() => HistoryArguments) { projectId, systemId, daysBack }: HistoryArguments,
    @Ctx() context: ApiContext,
  ): Promise<ColumnTypePatterns> {
    return patternsOf(await clientOf(context).queryColumnTypePatterns(projectId, systemId ?? null, daysBack))
  }

  @Mutation(() => GleanTrainingData, {
    description: 'Reads all of the history in Glean for training; with outputDir also into five JSON files.',
  })
  async ingestGleanDataForTraining(
    @Args(() => HistoryArguments) { projectId, systemId, daysBack }: HistoryArguments,
    @Ctx() context: ApiContext,
    @Arg('outputDir', () => String, { nullable: true, description: 'A folder on the server (for its owner only)' }) outputDir?:
      | string
      | null,
  ): Promise<GleanTrainingData> {
    if (outputDir) assertMayWrite('outputDir', context)
    const options = { daysBack, now: new Date(), ...(outputDir ? { outputDir } : {}) }
    const data = await ingestGleanDataForTraining(clientOf(context), projectId, systemId ?? null, options)
    const { nodes, edges, metrics, column_patterns, metadata, output_files: outputFiles } = data
    const shown = { ...metadata } as unknown as Record<string, JsonValue>
    return { nodes, edges, metrics: trendsOf(metrics), columnPatterns: patternsOf(column_patterns), metadata: shown, outputFiles }
  }

  @Mutation(() => GleanExport, { description: 'Writes what the system of a snapshot was at its time to Glean.' })
  async exportSnapshotToGlean(
    @Arg('snapshotId', () => ID) snapshotId: string,
    @Args(() => TargetArguments) target: TargetArguments,
    @Ctx() context: ApiContext,
  ): Promise<GleanExport> {
    const [snapshot] = /^[0-9a-f-]{36}$/i.test(snapshotId) ? await readSnapshotsById(context.platform.database, [snapshotId]) : []
    if (!snapshot) throw new EspalierError('NOT_FOUND', `There is no snapshot ${snapshotId.slice(0, 60)}`)
    return (await exportAll([snapshot], target, context))[0]!
  }

  @Mutation(() => [GleanExport], { description: 'Writes a system to Glean as its newest snapshot has it, or its whole history.' })
  async exportToGlean(
    @Arg('projectId', () => ID) projectId: string,
    @Arg('systemId', () => ID) systemId: string,
    @Args(() => TargetArguments) target: TargetArguments,
    @Ctx() context: ApiContext,
    @Arg('history', () => Boolean, { defaultValue: false, description: 'Every snapshot, the oldest first, each as an export' })
    history: boolean,
  ): Promise<GleanExport[]> {
    const snapshots = await readSnapshots(context.platform.database, { projectId, systemId }, history ? {} : { limit: 1 })
    if (snapshots.length > 0) return exportAll(snapshots.reverse(), target, context)
    throw new EspalierError('NOT_FOUND', `${projectId}/${systemId} has no snapshot to export`, {
      remedy: 'Ingest something into it first.',
    })
  }
}
