import { Arg, Ctx, ID, Int, Query, Resolver } from 'type-graphql'
import { findSuspectLabels } from '../../datasets/noise/suspects.js'
import type { ApiContext } from '../context.js'
import { present } from '../present.js'
import { DatasetLabelNoise } from '../types/dataset-labels.js'

/** Rows of the sample: a classifier is fitted to them while the caller waits. */
const [usualSample, largestSample] = [5000, 20_000]

@Resolver()
export class DatasetLabelResolver {
  @Query(() => DatasetLabelNoise, {
    description: 'Labels of a version that look wrong, by classifiers that have not seen their rows (confident learning, on a sample).',
  })
  suspectLabels(
    @Ctx() { platform }: ApiContext,
    @Arg('versionId', () => ID) versionId: string,
    @Arg('labelSet', () => String, { nullable: true, description: 'intent (default), sentiment, persona or relation' }) labelSet?:
      | string
      | null,
    @Arg('sample', () => Int, { defaultValue: usualSample, description: 'Rows drawn at random; 20,000 at most' }) sample = usualSample,
    @Arg('seed', () => Int, { defaultValue: 0 }) seed = 0,
  ): Promise<DatasetLabelNoise> {
    const rows = Math.min(largestSample, Math.max(1, sample))
    return findSuspectLabels(platform.database, platform.blobs, { versionId, ...present({ labelSet }), sample: rows, seed })
  }
}
