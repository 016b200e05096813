import { tasks } from '../../datasets/tasks/index.js'
import { parseJobOptions } from '../../jobs.js'
import type { BuildDatasetOptions } from '../../pipeline-options.js'
import { interrupted } from '../../runs/attempt.js'
import type { TrainRankerOptions } from '../../training/jobs/ranking-job.js'
import { historyOf } from '../glean-history.js'
import { readRankingData } from '../ranking-data.js'
import type { Task, TaskContext } from '../task.js'
import { askedOf, readHistoryFiles } from './glean-history.js'

/** The training that the data is for, with all that the data depends on settled as a training would settle it. */
function trainingOf({ projectId, asOf, train }: BuildDatasetOptions): TrainRankerOptions {
  const { knownByDefault } = tasks[train.task]
  const features = { ...train.lists.features, knownLinks: train.lists.features.knownLinks ?? knownByDefault }
  const options = { ...train, lists: { ...train.lists, features }, projectIds: [projectId], asOf }
  return parseJobOptions('train-ggnn', options) as TrainRankerOptions
}

/** Ranking lists of the catalog as of a moment, and of what history has besides, as a dataset version. */
export const buildDataset: Task<BuildDatasetOptions> = async (context) => {
  const { platform, claim, options } = context
  const wanted = claim.wanted()
  if (wanted) return interrupted[wanted]
  const { gleanRunId, projectId } = options
  const inner: TaskContext<TrainRankerOptions> = { ...context, options: trainingOf(options) }
  const { lists, history, version } = await readRankingData(inner, async (asking, estate) => {
    if (!gleanRunId) return { lists: [], provenance: null }
    const data = await readHistoryFiles(platform, gleanRunId)
    return historyOf(asking, data, { projectId, asked: askedOf(data.metadata), estate })
  })
  await claim.record({ type: 'metric', name: 'progress', step: 1, value: 1 })
  const { id, datasetName, number, hash } = version
  return {
    state: 'completed',
    result: { versionId: id, name: datasetName, number, hash, lists: lists.length, historyLists: history.length, asOf: options.asOf! },
  }
}
