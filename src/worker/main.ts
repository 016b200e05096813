import type { Config } from '../config.js'
import { openWorkerPlatform } from '../platform.js'
import { runAsChild } from '../util/child.js'
import { startWorker } from './worker.js'

/** The worker as a process: claims runs from the queue until it is stopped. */
runAsChild<Config>(async (config) => {
  const platform = await openWorkerPlatform(config)
  const worker = await startWorker(platform)
  return {
    answer: { workerId: worker.id },
    stop: async () => {
      await worker.stop()
      await platform.close()
    },
  }
})
