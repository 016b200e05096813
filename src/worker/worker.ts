import { jobs, parseJobOptions } from '../jobs.js'
import type { Platform } from '../platform.js'
import type { Claim, Outcome } from '../runs/attempt.js'
import { openQueue, type QueueWorker } from '../runs/queue.js'
import { forgetWorker, seeWorker } from '../runs/worker-store.js'
import type { RunKind } from '../vocabulary.js'
import type { Task } from './task.js'
import { deleteTask } from './tasks/delete.js'
import { evaluate } from './tasks/evaluate.js'
import { ingest } from './tasks/ingest.js'
import { learnPatterns } from './tasks/learn-patterns.js'
import { trainGgnn } from './tasks/train-ggnn.js'

/** Kind of run -> what does its work. */
const tasks: { [Kind in RunKind]: Task<ReturnType<(typeof jobs)[Kind]['options']['parse']>> } = {
  ingest: ingest,
  delete: deleteTask,
  'learn-patterns': learnPatterns,
  'train-ggnn': trainGgnn,
  evaluate: evaluate,
}

/** Claims runs of every kind until stopped; a stop hands what is under way back to the queue, checkpointed. */
export async function startWorker(platform: Platform): Promise<QueueWorker> {
  const { config, database, log } = platform
  const queue = await openQueue(database, { log })
  const work = (claim: Claim): Promise<Outcome> => {
    const { kind, options } = claim.run
    const task = tasks[kind] as Task<unknown>
    return task({ platform, claim, options: parseJobOptions(kind, options) })
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
