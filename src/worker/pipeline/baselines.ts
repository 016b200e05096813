import { readEstate } from '../../catalog/reads/read-store.js'
import { parseFeatureSpec } from '../../datasets/links/spec.js'
import { splitByGroup } from '../../datasets/splits/groups.js'
import { partition } from '../../datasets/splits/split-version.js'
import { readDatasetVersion, readRankingLists } from '../../datasets/store.js'
import { rankingBaselines } from '../../evaluation/baselines.js'
import { evaluateScorer } from '../../evaluation/ranking.js'
import type { RankingList } from '../../models/rankings/ranking-list.js'
import type { Platform } from '../../platform.js'
import type { Sql } from '../../postgres/sql.js'
import type { TrainRankerOptions } from '../../training/jobs/ranking-job.js'
import { seeded } from '../../util/random.js'
import type { Run } from '../../vocabulary.js'

/** The lists of the catalog that a training of a dataset version held out: the same split, stored, by time or by the same seed. */
async function heldOutOf(
  sql: Sql,
  { all, lists, older }: { all: readonly RankingList[]; lists: readonly RankingList[]; older: unknown },
  { training, split, datasetVersionId }: TrainRankerOptions,
): Promise<readonly RankingList[]> {
  if (split !== undefined) {
    const { parts } = await partition(sql, datasetVersionId!, split, all)
    const isOwn = new Set(lists)
    return (parts['validation'] ?? []).filter((list) => isOwn.has(list))
  }
  if (typeof older === 'number') return lists.slice(older)
  return splitByGroup(lists, { validation: training.validationSplit }, seeded(training.seed).fork('split')).validation
}

/**
 * MRR of the simple rules on what a training held out, as `baseline_<name>_mrr`: what a model that learned something should beat. Nothing
 * for other read-outs than ranks, and for lists that were not made of this project's catalog.
 */
export async function baselinesOf(
  { database, blobs }: Pick<Platform, 'database' | 'blobs'>,
  run: Run,
  projectId: string,
): Promise<Record<string, number>> {
  const options = run.options as unknown as TrainRankerOptions
  if (options.readout !== 'rank' || !options.datasetVersionId) return {}
  const { provenance } = await readDatasetVersion(database, options.datasetVersionId)
  const { featureSpec, asOf, projectIds, older, fromCatalog } = provenance
  const isOwn = Array.isArray(projectIds) && projectIds.length === 1 && projectIds[0] === projectId
  if (!featureSpec || typeof asOf !== 'string' || !isOwn) return {}
  const all = await readRankingLists(database, blobs, options.datasetVersionId)
  const lists = typeof fromCatalog === 'number' ? all.slice(0, fromCatalog) : all
  const heldOut = await heldOutOf(database, { all, lists, older }, options)
  if (heldOut.length === 0) return {}
  const estate = await readEstate(database, { projectId, asOf: new Date(asOf) })
  const rng = () => seeded(options.training.seed).fork('baselines')
  const scorers = Object.entries(rankingBaselines(estate, parseFeatureSpec(featureSpec)))
  return Object.fromEntries(
    scorers.map(([name, scorer]) => [
      `baseline_${name.replaceAll(/\W+/g, '_')}_mrr`,
      evaluateScorer(heldOut, scorer, { rng: rng() }).mrr.value,
    ]),
  )
}
