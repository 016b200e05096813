import { Arg, Args, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql'
import {
  countDatasets,
  countVersions,
  findDataset,
  readDatasetPage,
  readRowPage,
  readTags,
  readVersionPage,
} from '../../datasets/exchange/dataset-store.js'
import { rowKey } from '../../datasets/records/row-key.js'
import { readSplits } from '../../datasets/splits/split-store.js'
import { versionStatistics } from '../../datasets/statistics/version-statistics.js'
import { findDatasetVersion, readDatasetVersion } from '../../datasets/store.js'
import type { DatasetKind } from '../../datasets/version.js'
import { diffVersions } from '../../datasets/versions/diff.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { JsonScalar } from '../scalars.js'
import { DatasetKind as DatasetKindEnum } from '../types/dataset-import.js'
import {
  DatasetConnection,
  DatasetDiff,
  DatasetRow,
  DatasetRowConnection,
  DatasetSplit,
  DatasetTag,
  DatasetVersionConnection,
} from '../types/dataset-versions.js'
import { Dataset, DatasetVersion } from '../types/datasets.js'
import {
  type Connection,
  decodeCursor,
  encodeCursor,
  offsetOf,
  PageArguments,
  pageByOffset,
  pageOf,
  pageSize,
  refuseCursor,
} from '../types/paging.js'

const numberOf = (cursor: string): { major: number; minor: number } => {
  const [major, minor] = decodeCursor(cursor, 2)
  return typeof major === 'number' && typeof minor === 'number' ? { major, minor } : refuseCursor(cursor)
}

const placeOf = (cursor: string): { projectId: string; name: string } => {
  const [projectId, name] = decodeCursor(cursor, 2)
  return typeof projectId === 'string' && typeof name === 'string' ? { projectId, name } : refuseCursor(cursor)
}

@Resolver(() => Dataset)
export class DatasetResolver {
  @Query(() => DatasetConnection, { description: 'The datasets of a project, or of all, by name.' })
  async datasets(
    @Ctx() { platform: { database } }: ApiContext,
    @Args(() => PageArguments) page: PageArguments,
    @Arg('projectId', () => ID, { nullable: true }) projectId?: string | null,
    @Arg('kind', () => DatasetKindEnum, { nullable: true }) kind?: DatasetKind | null,
  ): Promise<Connection<Dataset>> {
    const filter = present({ projectId, kind })
    const after = page.after ? { after: placeOf(page.after) } : {}
    const rows = await readDatasetPage(database, { ...filter, ...after, first: pageSize(page.first) + 1 })
    return pageOf(
      rows,
      page,
      (dataset) => encodeCursor([dataset.projectId, dataset.name]),
      () => countDatasets(database, filter),
    )
  }

  @Query(() => Dataset, { nullable: true })
  dataset(@Ctx() { platform }: ApiContext, @Arg('id', () => ID) id: string): Promise<Dataset | null> {
    return findDataset(platform.database, id)
  }

  @Query(() => DatasetVersion, { nullable: true })
  datasetVersion(@Ctx() { loaders }: ApiContext, @Arg('id', () => ID) id: string): Promise<DatasetVersion | null> {
    return loaders.datasetVersion.load(id)
  }

  @Query(() => DatasetRowConnection, { description: 'The rows of a version, in their order, each chunk of them verified.' })
  async datasetRows(
    @Ctx() { platform: { database, blobs } }: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Args(() => PageArguments) page: PageArguments,
  ): Promise<Connection<DatasetRow>> {
    const version = await readDatasetVersion(database, versionId)
    const offset = offsetOf(page)
    const rows = await readRowPage(database, blobs, version, { offset, limit: pageSize(page.first) + 1 })
    const items = rows.map((row, i) => ({ index: offset + i, key: rowKey(version.kind, row), row }))
    return pageByOffset(items, page, async () => version.rowCount)
  }

  @Query(() => JsonScalar, {
    description: 'Counts, distinct values, means, percentiles, histograms and correlations of every field, in one pass over the rows.',
  })
  async datasetStatistics(@Ctx() { platform: { database, blobs } }: ApiContext, @Arg('versionId', () => ID) versionId: string) {
    const version = await readDatasetVersion(database, versionId)
    return versionStatistics(database, blobs, version, new Date())
  }

  @Query(() => DatasetDiff, { description: 'Rows added, removed and changed from one version to another: by their id, else by content.' })
  async datasetDiff(
    @Ctx() { platform: { database, blobs } }: ApiContext,
    @Arg('before', () => ID, { description: 'Id of a version' }) before: string,
    @Arg('after', () => ID, { description: 'Id of a version' }) after: string,
    @Arg('first', () => Int, { defaultValue: 100, description: 'Rows that are answered at most' }) first: number,
  ): Promise<DatasetDiff> {
    const diff: DatasetDiff = { added: 0, removed: 0, changed: 0, rows: [] }
    const shown = pageSize(first)
    for await (const change of diffVersions(database, blobs, { from: before, to: after })) {
      diff[change.change]++
      if (diff.rows.length < shown) diff.rows.push({ before: null, after: null, ...change })
    }
    return diff
  }

  @FieldResolver(() => [DatasetVersion], { description: 'Newest first' })
  versions(@Root() dataset: Dataset, @Ctx() { loaders }: ApiContext): Promise<DatasetVersion[]> {
    return loaders.versionsOfDataset.load(dataset.id)
  }

  @FieldResolver(() => DatasetVersionConnection, { description: 'The same, by the page' })
  async versionPage(
    @Root() dataset: Dataset,
    @Ctx() { platform: { database } }: ApiContext,
    @Args(() => PageArguments) page: PageArguments,
  ): Promise<Connection<DatasetVersion>> {
    const after = page.after ? { after: numberOf(page.after) } : {}
    const rows = await readVersionPage(database, dataset.id, { first: pageSize(page.first) + 1, ...after })
    return pageOf(
      rows,
      page,
      ({ major, minor }) => encodeCursor([major, minor]),
      () => countVersions(database, dataset.id),
    )
  }

  @FieldResolver(() => DatasetVersion, { description: 'By number, tag, id or "latest"' })
  version(
    @Root() dataset: Dataset,
    @Ctx() { platform }: ApiContext,
    @Arg('reference', () => String, { defaultValue: 'latest' }) reference: string,
  ): Promise<DatasetVersion> {
    return findDatasetVersion(platform.database, dataset.id, reference)
  }

  @FieldResolver(() => [DatasetTag], { description: 'Names of its versions' })
  versionTags(@Root() dataset: Dataset, @Ctx() { platform }: ApiContext): Promise<DatasetTag[]> {
    return readTags(platform.database, dataset.id)
  }
}

@Resolver(() => DatasetVersion)
export class DatasetVersionResolver {
  @FieldResolver(() => [DatasetSplit], { description: 'By name' })
  splits(@Root() version: DatasetVersion, @Ctx() { platform }: ApiContext): Promise<DatasetSplit[]> {
    return readSplits(platform.database, version.id)
  }
}
