import { Arg, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql'
import { findDatasetVersion, readDatasets } from '../../datasets/store.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { Dataset, DatasetVersion } from '../types/datasets.js'

@Resolver(() => Dataset)
export class DatasetResolver {
  @Query(() => [Dataset], { description: 'The datasets of a project, or of all, by name.' })
  datasets(@Ctx() { platform }: ApiContext, @Arg('projectId', () => ID, { nullable: true }) projectId?: string | null): Promise<Dataset[]> {
    return readDatasets(platform.database, present({ projectId }))
  }

  @Query(() => DatasetVersion, { nullable: true })
  datasetVersion(@Ctx() { loaders }: ApiContext, @Arg('id', () => ID) id: string): Promise<DatasetVersion | null> {
    return loaders.datasetVersion.load(id)
  }

  @FieldResolver(() => [DatasetVersion], { description: 'Newest first' })
  versions(@Root() dataset: Dataset, @Ctx() { loaders }: ApiContext): Promise<DatasetVersion[]> {
    return loaders.versionsOfDataset.load(dataset.id)
  }

  @FieldResolver(() => DatasetVersion, { description: 'By number, tag, id or "latest"' })
  version(
    @Root() dataset: Dataset,
    @Ctx() { platform }: ApiContext,
    @Arg('reference', () => String, { defaultValue: 'latest' }) reference: string,
  ): Promise<DatasetVersion> {
    return findDatasetVersion(platform.database, dataset.id, reference)
  }
}
