import { jobs, parseJobOptions } from '../jobs.js'
import type { Platform } from '../platform.js'
import type { Claim, Outcome } from '../runs/attempt.js'
import { openQueue, type QueueWorker } from '../runs/queue.js'
import { forgetWorker, seeWorker } from '../runs/worker-store.js'
import type { RunKind } from '../vocabulary.js'
import { buildDataset } from './pipeline/build-dataset.js'
import { evaluateTraining } from './pipeline/evaluate-training.js'
import { exportMetrics } from './pipeline/export-metrics.js'
import { gleanHistory } from './pipeline/glean-history.js'
import { temporalAnalysis } from './pipeline/temporal-analysis.js'
import type { Task } from './task.js'
import { datasetTask } from './tasks/dataset.js'
import { deleteTask } from './tasks/delete.js'
import { evaluate } from './tasks/evaluate.js'
import { ingest } from './tasks/ingest.js'
import { learnPatterns } from './tasks/learn-patterns.js'
import { pipeline } from './tasks/pipeline.js'
import { trainGgnn } from './tasks/train-ggnn.js'

/** Kind of run -> what does its work. */
const tasks: { [Kind in RunKind]: Task<ReturnType<(typeof jobs)[Kind]['options']['parse']>> } = {
  dataset: datasetTask,
  ingest: ingest,
  delete: deleteTask,
  'learn-patterns': learnPatterns,
  'train-ggnn': trainGgnn,
  evaluate: evaluate,
  pipeline: pipeline,
  'glean-history': gleanHistory,
  'temporal-analysis': temporalAnalysis,
  'build-dataset': buildDataset,
  'evaluate-training': evaluateTraining,
  'export-metrics': exportMetrics,
}

/** Claims runs of every kind until stopped; a stop hands what is under way back to the queue, checkpointed. */
export async function startWorker(platform: Platform): Promise<QueueWorker> {
  const { config, database, log } = platform
  const queue = await openQueue(database, { log })
  const work = (claim: Claim): Promise<Outcome> => {
    const { kind, options } = claim.run
    const task = tasks[kind] as Task<unknown>
    return task({ platform, claim, options: parseJobOptions(kind, options), perform: work })
  }
  const worker = await queue.work({ concurrency: config.maxConcurrentJobs, maxRunning: config.maxConcurrentJobs }, work)
  const beSeen = () => seeWorker(database, worker.id).catch((error) => log.warn({ error }, 'worker: could not say that it is alive'))
  await beSeen()
  const timer = setInterval(beSeen, 5_000)
  return {
    ...worker,
    stop: async (timeoutMs) => {
      await worker.stop(timeoutMs)
      clearInterval(timer)
      await forgetWorker(database, worker.id)
    },
  }
}
